//! Which tasks a survey has: every data set with every treatment and every network.

use std::path::{Path, PathBuf};

use super::inputs::Inputs;
use super::shape::Shape;
use super::task::{Material, SurveyTask};
use crate::data::synthetic::{FAMILIES, SURVEY_SEED};
use crate::data::{self, DataError, DataSets};

/// What a suite is made of.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Folders of data sets.
    pub data: Vec<PathBuf>,
    /// Tasks of each synthetic family.
    pub synthetic: u64,
    /// Networks.
    pub shapes: Vec<Shape>,
    /// Treatments of the inputs.
    pub inputs: Vec<Inputs>,
    /// Whether inputs are standardized after that.
    pub standardize: bool,
    /// Examples in a minibatch; by the size of the data unless given.
    pub batch: Option<usize>,
}

/// Loads and draws everything.
///
/// # Errors
/// Whatever is wrong with the data.
pub fn suite(plan: &Plan) -> Result<(Vec<SurveyTask>, Vec<String>), DataError> {
    let mut sets: Vec<(String, DataSets)> = Vec::new();
    let mut folders: Vec<(PathBuf, DataSets)> = Vec::new();
    for dir in &plan.data {
        folders.extend(data::load_all(dir)?);
    }
    // A folder that is named twice is one task.
    let whole = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut seen: Vec<PathBuf> = Vec::new();
    folders.retain(|(path, _)| {
        let (path, before) = (whole(path), seen.len());
        if !seen.contains(&path) {
            seen.push(path);
        }
        seen.len() > before
    });
    let paths: Vec<PathBuf> = folders.iter().map(|(path, _)| path.clone()).collect();
    sets.extend(names(&paths).into_iter().zip(folders).map(|(name, (_, sets))| (name, sets)));
    let remarks = sets.iter().flat_map(|(_, sets)| sets.remarks()).collect();
    for family in FAMILIES {
        let drawn = (0..plan.synthetic).map(|i| (format!("{}-{}", family.name, i + 1), family.draw(SURVEY_SEED + i)));
        sets.extend(drawn);
    }
    let mut tasks = Vec::new();
    for (name, sets) in &sets {
        for inputs in &plan.inputs {
            let material = Material::new(name, sets, *inputs, plan.standardize)?;
            tasks.extend(plan.shapes.iter().map(|shape| SurveyTask::new(&material, shape, plan.batch)));
        }
    }
    Ok((tasks, remarks))
}

/// A name for each folder: its own, or, where several have the same one, its path.
fn names(folders: &[PathBuf]) -> Vec<String> {
    let own = |path: &Path| path.file_name().map_or_else(|| ".".to_owned(), |name| name.to_string_lossy().into_owned());
    let all: Vec<String> = folders.iter().map(|path| own(path)).collect();
    let name = |(path, name): (&PathBuf, &String)| {
        let shared = all.iter().filter(|other| *other == name).count() > 1 || name == ".";
        if shared { path.display().to_string() } else { name.clone() }
    };
    folders.iter().zip(&all).map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_same_name_are_told_apart_by_their_paths() {
        let folders = ["a/digits", "b/digits", "b/wine", "データ", "."].map(PathBuf::from);
        assert_eq!(names(&folders), ["a/digits", "b/digits", "wine", "データ", "."]);
    }

    #[test]
    fn everything_is_crossed_with_everything() {
        let plan = Plan {
            data: Vec::new(),
            synthetic: 2,
            shapes: ["8 relu", "4-4 tanh"].map(|text| Shape::parse(text).unwrap()).to_vec(),
            inputs: vec![Inputs::Plain, Inputs::Scaled(10.0)],
            standardize: false,
            batch: None,
        };
        let (tasks, remarks) = suite(&plan).unwrap();
        assert_eq!(remarks, [""; 0]);
        assert_eq!(tasks.len(), 4 * 2 * 2 * 2);
        let mut names: Vec<String> = tasks.iter().map(SurveyTask::name).collect();
        assert_eq!((names[0].as_str(), names[3].as_str()), ("teachers-1, 8 relu", "teachers-1 x10, 4-4 tanh"));
        names.sort();
        names.dedup();
        assert_eq!(names.len(), tasks.len(), "every name is there once");
    }
}

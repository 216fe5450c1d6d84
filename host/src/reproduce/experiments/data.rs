//! Experiment `data`: the network of `in-distribution` on other data.
//!
//! MNIST with its pixels permuted, with its pixels inverted, with wrong labels, and IDX folders of one's own.

use std::path::{Path, PathBuf};

use super::against_baselines;
use crate::data::Variant;
use crate::reproduce::experiment::Experiment;
use crate::reproduce::tasks::{Part, Scale, Source, TaskPlan, mnist};

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "data",
    title: "Other data, the same network",
    question: "Does the guard hold when only the data are other ones?",
    tasks: "MNIST permuted, inverted, with wrong labels; --idx FOLDER",
    parts,
    ..against_baselines::DEFAULTS
};

fn parts(scale: &Scale, folders: &[PathBuf]) -> Vec<Part> {
    shifts(scale).into_iter().chain(own(scale, folders)).map(against_baselines::part).collect()
}

fn shifts(scale: &Scale) -> [TaskPlan; 3] {
    [
        mnist(scale, "mnist-permuted", Variant::Permuted, 2000),
        mnist(scale, "mnist-inverted", Variant::Inverted, 2000),
        mnist(scale, "mnist-wrong-labels", Variant::WrongLabels, 2000),
    ]
}

/// Folders of one's own, each once however it is named. The key is the folder's name in letters that any file system
/// takes; of several with the same one, those after the first have a number behind it.
fn own(scale: &Scale, folders: &[PathBuf]) -> Vec<TaskPlan> {
    let mut seen: Vec<(PathBuf, String)> = Vec::new();
    let mut plans = Vec::new();
    for path in folders {
        let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.iter().any(|(other, _)| *other == whole) {
            continue;
        }
        let key = numbered(&plain_key(&whole), |key| seen.iter().any(|(_, other)| other == key));
        plans.push(TaskPlan { source: Source::Folder(path.clone()), ..mnist(scale, &key, Variant::Plain, 2000) });
        seen.push((whole, key));
    }
    plans
}

/// The key of a folder, as long as it is the only one of its name.
fn plain_key(whole: &Path) -> String {
    let name = whole.file_name().map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned());
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    format!("idx-{}", plain.collect::<String>())
}

/// A key that is not taken yet.
fn numbered(key: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbers = (2_u64..).map(|number| format!("{key}-{number}"));
    let mut free = std::iter::once(key.to_owned()).chain(numbers).filter(|key| !taken(key));
    free.next().unwrap_or_else(|| key.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_told_apart_by_where_they_are() {
        let home = tempfile::tempdir().unwrap();
        let names =
            ["x/digits", "y/digits", "z/Digits", "\u{30c7}\u{30fc}\u{30bf}", "\u{6587}\u{5b57}\u{5217}", "digits-2"];
        let folders = names.map(|name| home.path().join(name));
        folders.iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
        // The first one once more, by another way.
        let all = [&folders[..], &[home.path().join("x/../x/digits")]].concat();
        let plans = own(&Scale { seeds: 1, quick: true }, &all);
        let keys: Vec<&str> = plans.iter().map(|plan| plan.key.as_str()).collect();
        assert_eq!(keys, ["idx-digits", "idx-digits-2", "idx-digits-3", "idx----", "idx-----2", "idx-digits-2-2"]);
        let sources: Vec<Source> = folders.map(Source::Folder).to_vec();
        assert_eq!(plans.into_iter().map(|plan| plan.source).collect::<Vec<_>>(), sources);
    }
}

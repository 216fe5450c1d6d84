//! The report of an experiment: tables, pictures and one page, drawn from a [`Results`] value.
//!
//! [`write()`] renders everything in memory, and only then touches the disk. The way of the data: `series` groups the
//! runs by optimizer; `table`, `curves`, `verdicts` and `boundary` each draw one thing; `html` puts them on a page, with
//! what `headline` says; `store` writes the files. `heat` draws pairs, `growth` costs and other lines, `profile` and
//! `dots` factors over many tasks, `confusion` what is predicted as what, `calibration` how sure it is, `scatter`
//! predicted values against true ones, [`overview`] lays out a report of several experiments. plotters draws the
//! pictures: `curves` with `trace`, `clip`, `departures` and `labels`, `boundary` with `field`; what all pictures need
//! stands in `canvas`, `palette`, `axis`, `text` and `number`.
//!
//! The same input gives the same bytes in every file: no date, no timing, no random name.

mod axis;
mod boundary;
mod calibration;
mod canvas;
mod clip;
mod confusion;
mod curves;
mod departures;
mod dots;
mod field;
mod growth;
pub(crate) mod headline;
mod heat;
mod html;
mod labels;
mod legend;
pub(crate) mod number;
pub mod overview;
mod palette;
mod profile;
pub mod rounds;
#[cfg(test)]
mod sample;
mod scatter;
mod series;
mod steps;
mod store;
mod table;
mod text;
mod trace;
mod verdicts;

use std::path::{Path, PathBuf};

use crate::record::Results;

pub use boundary::Boundaries;
pub use calibration::{Bin, calibration};
pub use confusion::{Matrix, confusion};
pub use dots::{Dots, Row, dots};
pub use field::Boundary;
pub use growth::{Growth, Plot, growth};
pub use heat::{HeatCell, HeatMap, heat_map};
pub use profile::{Profiles, profiles};
pub use scatter::scatter;
pub use table::table;

/// What a report shows besides the [`Results`].
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// The command line that produced the results.
    pub command: &'a str,
    /// What each optimizer learned to tell apart, for a task in the plane.
    pub boundaries: Option<&'a Boundaries>,
    /// Sentences to show, such as what was tuned and how.
    pub notes: &'a [String],
}

/// Why a report was not written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The results hold no run.
    #[error("there is nothing to report: the results hold no run")]
    NoRuns,
    /// The results could not be written as JSON.
    #[error("the results cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A field of probabilities does not have one value per grid point.
    #[error(
        "the boundary of `{optimizer}` holds {found} values; a grid of {resolution} by {resolution} needs one each"
    )]
    BoundarySize {
        /// Whose field it is.
        optimizer: String,
        /// Grid points in a row and in a column.
        resolution: usize,
        /// How many values there are.
        found: usize,
    },
    /// A picture could not be drawn.
    #[error("the picture {name} could not be drawn: {reason}")]
    Picture {
        /// The title of the picture.
        name: String,
        /// What the drawing library said.
        reason: String,
    },
    /// The output path names something that is not a directory.
    #[error("cannot write the report to {}: it exists and is not a directory. Name another folder with --out", path.display())]
    NotADirectory {
        /// The output path.
        path: PathBuf,
    },
    /// The output directory could not be created.
    #[error("cannot create the directory {}: {source}", path.display())]
    CreateDirectory {
        /// The output path.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A file of the report cannot take its place.
    #[error("{0}")]
    NoPlace(String),
    /// A file could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The path of the file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}

/// The files of a report.
const NAMES: [&str; 7] =
    [RECORD, "table.md", "loss-by-step.svg", "loss-by-cost.svg", store::VERDICTS, store::BOUNDARY, "report.html"];
/// The file that holds everything that was measured.
pub const RECORD: &str = "results.json";

/// One rendered file: its name, and what it holds.
pub(crate) struct File {
    name: &'static str,
    content: String,
}

/// Writes the report into `dir`, which is created if need be, and returns the paths of its files.
///
/// Everything is rendered first and written beside its final place; only when all files are complete do
/// they take their names. A failure before that leaves an earlier report as it was. A `boundary.svg` or
/// `verdicts.svg` of an earlier report is removed when this one has none, so that the directory holds one report, not two halves.
///
/// # Errors
///
/// [`ReportError::NoRuns`], [`ReportError::BoundarySize`] and [`ReportError::Picture`] where the input cannot
/// be drawn; the other kinds name the path that could not be written, and why.
pub fn write(dir: &Path, results: &Results, extras: &Extras<'_>) -> Result<Vec<PathBuf>, ReportError> {
    let files = render(results, extras)?;
    store::store(dir, &files)
}

/// Whether a report can take its place in `dir`, which is there: known before the work.
///
/// # Errors
///
/// [`ReportError::NoPlace`] if something else is in the place of a file.
pub fn check(dir: &Path) -> Result<(), ReportError> {
    store::check(dir, NAMES)
}

/// The pictures of losses and verdicts, for a report of several experiments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pictures {
    /// Loss by training step.
    pub by_step: String,
    /// Loss by cost.
    pub by_cost: String,
    /// Who won the rounds; or why that would show nothing, as a sentence.
    pub verdicts: Result<String, String>,
    /// Which curves coincide, as a sentence.
    pub coincide: Option<String>,
}

/// Draws the pictures of some results.
///
/// # Errors
///
/// [`ReportError::Picture`] if one cannot be drawn.
pub fn pictures(results: &Results) -> Result<Pictures, ReportError> {
    let series = series::series(results);
    Ok(Pictures {
        by_step: curves::picture(results, &series, trace::By::Step)?,
        by_cost: curves::picture(results, &series, trace::By::Cost)?,
        verdicts: verdicts::picture(results, &series)?,
        coincide: headline::of_curves(&series),
    })
}

/// Renders every file of the report, in the order in which [`write()`] names them.
fn render(results: &Results, extras: &Extras<'_>) -> Result<Vec<File>, ReportError> {
    if results.runs.is_empty() {
        return Err(ReportError::NoRuns);
    }
    let series = series::series(results);
    let mut json = serde_json::to_string(results)?;
    json.push('\n');
    let mut files = vec![File { name: RECORD, content: json }];
    let mut add = |name, content| files.push(File { name, content });
    add("table.md", table::markdown(results));
    let page = html::Pictures {
        by_step: curves::picture(results, &series, trace::By::Step)?,
        by_cost: curves::picture(results, &series, trace::By::Cost)?,
        verdicts: verdicts::picture(results, &series)?,
        boundary: extras.boundaries.map(|all| boundary::picture(results, all)).transpose()?,
    };
    let report = html::page(results, &series, extras, &page);
    add("loss-by-step.svg", page.by_step);
    add("loss-by-cost.svg", page.by_cost);
    if let Ok(verdicts) = page.verdicts {
        add(store::VERDICTS, verdicts);
    }
    if let Some(boundary) = page.boundary {
        add(store::BOUNDARY, boundary);
    }
    add("report.html", report);
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(results: &Results, extras: &Extras<'_>) -> Vec<(&'static str, String)> {
        let files = render(results, extras).expect("renders");
        files.into_iter().map(|f| (f.name, f.content)).collect()
    }

    #[test]
    fn same_results_give_the_same_bytes() {
        let (results, boundaries) = (sample::results(), sample::boundaries());
        let notes = ["tuned by a grid".to_owned()];
        let extras = Extras { command: "lgl2o compare", boundaries: Some(&boundaries), notes: &notes };
        let first = contents(&results, &extras);
        assert_eq!(first, contents(&results, &extras));
        assert_eq!(first.iter().map(|(name, _)| *name).collect::<Vec<_>>(), NAMES);
    }

    #[test]
    fn json_reads_back_as_the_same_results() {
        let results = sample::results();
        let files = contents(&results, &Extras::default());
        assert_eq!(files[0].0, "results.json");
        assert!(files[0].1.ends_with("}\n"));
        let back: Results = serde_json::from_str(&files[0].1).expect("valid JSON");
        // Without its feature `float_roundtrip`, serde_json misreads the last digit of some numbers.
        assert!(back == results);
    }

    #[test]
    fn every_picture_is_well_formed_whatever_the_name() {
        let mut results = sample::results();
        for run in &mut results.runs {
            run.optimizer = format!("<{}>&\"'\u{1}|`", run.optimizer);
        }
        results.task = "a<b>&c".to_owned();
        let mut boundaries = sample::boundaries();
        boundaries.fields[0].optimizer = "</svg>&".to_owned();
        let extras = Extras { boundaries: Some(&boundaries), ..Extras::default() };
        for (name, content) in contents(&results, &extras) {
            if name.ends_with(".svg") {
                roxmltree::Document::parse(&content).unwrap_or_else(|e| panic!("{name}: {e}"));
            }
        }
    }

    #[test]
    fn results_without_a_run_are_refused() {
        let mut results = sample::results();
        results.runs.clear();
        let error = render(&results, &Extras::default()).err().expect("refused");
        assert!(matches!(error, ReportError::NoRuns));
    }

    #[test]
    fn odd_results_are_drawn_without_a_panic() {
        let mut results = sample::results();
        results.summary.clear();
        for run in &mut results.runs {
            run.curve.truncate(1);
        }
        contents(&results, &Extras::default());
        for run in &mut results.runs {
            run.curve.clear();
            run.verdicts.clear();
        }
        contents(&results, &Extras::default());
    }

    #[test]
    fn written_files_are_the_rendered_ones() {
        let home = tempfile::tempdir().expect("temporary directory");
        let dir = home.path().join("a/b");
        let results = sample::results();
        let paths = write(&dir, &results, &Extras::default()).expect("written");
        let expected = contents(&results, &Extras::default());
        assert_eq!(paths.len(), expected.len());
        for (path, (name, content)) in paths.iter().zip(expected) {
            assert_eq!(path, &dir.join(name));
            assert_eq!(std::fs::read_to_string(path).expect("readable"), content);
        }
    }
}

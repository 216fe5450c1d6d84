//! How good a model is on a table: the core's [`metrics`](lgl2o::metrics), counted row by row.

use lgl2o::metrics::{Confusion, Regression};
use serde::Serialize;

use crate::data::table::{Table, Target};
use crate::saved::model::HeapModel;

/// Room for all classes that a label can name.
type Counts = Confusion<{ crate::data::table::target::MOST_CLASSES }>;

/// How good a model is.
#[derive(Debug, Clone)]
pub enum Score {
    /// Classes.
    Classes {
        /// What was predicted as what.
        confusion: Box<Counts>,
        /// The names of the classes.
        names: Vec<String>,
    },
    /// Values.
    Values(Regression),
}

/// What [`Score`] says, for `metrics.json`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Metrics {
    /// Classes.
    Classes {
        /// Rows.
        rows: u64,
        /// The share that is predicted right.
        accuracy: Option<f32>,
        /// The mean recall of the classes.
        balanced_accuracy: Option<f32>,
        /// One entry for each class.
        classes: Vec<Class>,
    },
    /// Values.
    Values {
        /// Rows.
        rows: u32,
        /// The mean absolute error.
        mean_absolute_error: Option<f32>,
        /// The root of the mean squared error.
        root_mean_squared_error: Option<f32>,
        /// The share of the variance that is explained.
        r2: Option<f32>,
    },
}

/// A class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Class {
    /// Its name.
    pub name: String,
    /// Its rows.
    pub rows: u64,
    /// The share of them that is predicted as it.
    pub recall: Option<f32>,
    /// The share of what is predicted as it that is of it.
    pub precision: Option<f32>,
    /// How many of its rows are predicted as which class.
    pub predicted: Vec<u32>,
}

/// Scores a model on raw rows.
///
/// # Errors
/// What the core says, and [`lgl2o::Error::WrongTargets`] for a table without targets.
pub fn score(model: &mut HeapModel, table: &Table) -> Result<Score, lgl2o::Error> {
    match &table.target {
        Target::Classes { labels, names } => {
            let mut confusion = Box::new(Counts::new());
            for (i, &label) in labels.iter().enumerate() {
                confusion.count(label, model.predict(table.row(i))?.class)?;
            }
            Ok(Score::Classes { confusion, names: names.clone() })
        }
        Target::Values(values) => {
            let mut errors = Regression::new();
            for (i, &value) in values.iter().enumerate() {
                errors.count(value, model.values(table.row(i))?.first().copied().unwrap_or(f32::NAN))?;
            }
            Ok(Score::Values(errors))
        }
        Target::Unknown => Err(lgl2o::Error::WrongTargets),
    }
}

impl Score {
    /// Its numbers.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        match self {
            Self::Classes { confusion, names } => {
                let class = |(c, name): (u8, &String)| {
                    let row = &confusion.counts()[usize::from(c)];
                    Class {
                        name: name.clone(),
                        rows: row.iter().map(|&n| u64::from(n)).sum(),
                        recall: confusion.recall(c),
                        precision: confusion.precision(c),
                        predicted: row[..names.len()].to_vec(),
                    }
                };
                Metrics::Classes {
                    rows: confusion.examples(),
                    accuracy: confusion.accuracy(),
                    balanced_accuracy: confusion.balanced_accuracy(),
                    classes: (0..=u8::MAX).zip(names).map(class).collect(),
                }
            }
            Self::Values(errors) => Metrics::Values {
                rows: errors.examples(),
                mean_absolute_error: errors.mean_absolute_error(),
                root_mean_squared_error: errors.mean_squared_error().map(f32::sqrt),
                r2: errors.r2(),
            },
        }
    }
}

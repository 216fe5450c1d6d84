//! How good a model is on a table: the core's [`metrics`](lgl2o::metrics), counted row by row.

use anyhow::Result;
use lgl2o::metrics::{Confusion, Regression};
use serde::Serialize;

use crate::data::table::{Table, Target};
use crate::model::HeapModel;

/// Room for all classes that a label can name.
type Counts = Confusion<{ crate::data::table::target::MOST_CLASSES }>;

/// How good a model is.
#[derive(Debug, Clone)]
pub enum Score {
    /// Classes.
    Classes {
        /// What was predicted as what.
        confusion: Box<Counts>,
        /// How sure it was, and how often it was right.
        calibration: Calibration,
        /// The names of the classes.
        names: Vec<String>,
    },
    /// Values.
    Values {
        /// The errors.
        errors: Regression,
        /// Some rows' true value and what was predicted.
        pairs: Vec<[f32; 2]>,
    },
}

/// About so many pairs are kept for a picture.
const MOST_PAIRS: usize = 1000;

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
        /// The mean gap between the probability of the predicted class and the share that is right, weighted by the rows of each
        /// bin (Naeini et al., AAAI 2015).
        expected_calibration_error: Option<f32>,
        /// Rows by the probability of the predicted class, in ten bins of one width; empty ones are left out.
        calibration: Vec<Sure>,
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
        /// Some rows' true value and what was predicted, for a picture: all rows where there are few, else evenly spaced ones.
        #[serde(skip)]
        pairs: Vec<[f32; 2]>,
    },
}

/// Rows whose predicted class has about the same probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Sure {
    /// How many there are.
    pub rows: u32,
    /// The mean probability of the predicted class.
    pub probability: f32,
    /// The share that is predicted right.
    pub accuracy: f32,
}

/// Sums over ten bins: rows, probabilities, rows that are predicted right.
#[derive(Debug, Clone, Default)]
pub struct Calibration([(u32, f64, u32); 10]);

impl Calibration {
    fn count(&mut self, probability: f32, is_right: bool) {
        let place = ((probability * 10.0) as usize).min(self.0.len() - 1);
        let (rows, sum, right) = &mut self.0[place];
        (*rows, *sum, *right) = (*rows + 1, *sum + f64::from(probability), *right + u32::from(is_right));
    }

    fn bins(&self) -> Vec<Sure> {
        let full = self.0.iter().filter(|(rows, ..)| *rows > 0);
        full.map(|&(rows, sum, right)| Sure {
            rows,
            probability: (sum / f64::from(rows)) as f32,
            accuracy: (f64::from(right) / f64::from(rows)) as f32,
        })
        .collect()
    }

    fn error(&self) -> Option<f32> {
        let rows: u32 = self.0.iter().map(|(rows, ..)| rows).sum();
        let gaps: f64 = self.0.iter().map(|&(_, sum, right)| (sum - f64::from(right)).abs()).sum();
        (rows > 0).then(|| (gaps / f64::from(rows)) as f32)
    }
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
/// What the core says, with the number of the row, and [`lgl2o::Error::WrongTargets`] for a table without targets.
pub fn score(model: &mut HeapModel, table: &Table) -> Result<Score> {
    let row = |i: usize| move |error: lgl2o::Error| anyhow::Error::new(error).context(format!("row {}", i + 1));
    match &table.target {
        Target::Classes { labels, names } => {
            let (mut confusion, mut calibration) = (Box::new(Counts::new()), Calibration::default());
            for (i, &label) in labels.iter().enumerate() {
                let predicted = model.predict(table.row(i)).map_err(row(i))?;
                let probability = predicted.probabilities.get(usize::from(predicted.class)).copied().unwrap_or(0.0);
                calibration.count(probability, predicted.class == label);
                confusion.count(label, predicted.class)?;
            }
            Ok(Score::Classes { confusion, calibration, names: names.clone() })
        }
        Target::Values(values) => {
            let (mut errors, mut pairs) = (Regression::new(), Vec::new());
            let apart = values.len().div_ceil(MOST_PAIRS).max(1);
            for (i, &value) in values.iter().enumerate() {
                let predicted = model.values(table.row(i)).map_err(row(i))?.first().copied().unwrap_or(f32::NAN);
                errors.count(value, predicted)?;
                if i.is_multiple_of(apart) {
                    pairs.push([value, predicted]);
                }
            }
            Ok(Score::Values { errors, pairs })
        }
        Target::Unknown => Err(lgl2o::Error::WrongTargets.into()),
    }
}

impl Score {
    /// Its numbers.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        match self {
            Self::Classes { confusion, calibration, names } => {
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
                    expected_calibration_error: calibration.error(),
                    calibration: calibration.bins(),
                    classes: (0..=u8::MAX).zip(names).map(class).collect(),
                }
            }
            Self::Values { errors, pairs } => Metrics::Values {
                pairs: pairs.clone(),
                rows: errors.examples(),
                mean_absolute_error: errors.mean_absolute_error(),
                root_mean_squared_error: errors.mean_squared_error().map(f32::sqrt),
                r2: errors.r2(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_held_against_the_share_that_is_right() {
        let mut calibration = Calibration::default();
        assert_eq!((calibration.error(), calibration.bins()), (None, Vec::new()));
        for (probability, is_right) in [(0.5, true), (0.5, false), (1.0, true), (0.95, false)] {
            calibration.count(probability, is_right);
        }
        let sure = |rows, probability, accuracy| Sure { rows, probability, accuracy };
        assert_eq!(calibration.bins(), [sure(2, 0.5, 0.5), sure(2, 0.975, 0.5)]);
        let error = calibration.error().expect("rows");
        assert!((error - 0.95 / 4.0).abs() < 1e-6, "{error}");
    }
}

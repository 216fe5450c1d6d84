//! Training of a user's own network on a user's own table, by [`lgl2o::auto()`], with no number to set.
//!
//! | module | does |
//! |---|---|
//! | [`split`] | rows to train on, to check on, to test on |
//! | [`prepare`] | standardizes features, and values that are to be learned |
//! | [`source`] | rows of a table, and memory for them |
//! | [`loss`](mod@loss) | what outputs are compared with |
//! | [`run`] | trains, and keeps what is needed to go on |
//! | [`kept`] | that, as a file |
//! | [`score`] | confusion matrix or errors of a model on a table |
//! | [`findings`] | what a training found out |

pub mod findings;
pub mod kept;
pub mod loss;
pub mod prepare;
pub mod run;
pub mod score;
pub mod source;
pub mod split;

use lgl2o::objective::mlp::Activation;
use serde::{Deserialize, Serialize};

/// What decides a training, apart from the number of its steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// Widths of the hidden layers.
    pub hidden: Vec<usize>,
    /// Their activation.
    pub activation: Activation,
    /// The layers in words, as [`expression`](crate::network::expression) reads them, in place of the two above.
    #[serde(default)]
    pub network: Option<String>,
    /// Examples in a minibatch.
    pub batch: usize,
    /// Seed of the split, the initial parameters and the minibatches.
    pub seed: u64,
    /// Share of the rows that is only checked on; 0 for none.
    pub check_on: f64,
    /// Share of the rows that is only tested on; 0 for none.
    pub test_share: f64,
    /// Whether all classes count alike, however many rows each has.
    #[serde(default)]
    pub balance: bool,
    /// How much of each label goes to all classes alike.
    #[serde(default)]
    pub smoothing: f64,
    /// Checksum of the data.
    pub data: u32,
}

impl Settings {
    /// Settings that differ, in words.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let fields = |settings: &Self| match serde_json::to_value(settings) {
            Ok(serde_json::Value::Object(fields)) => fields,
            _ => serde_json::Map::new(),
        };
        let (was, is) = (fields(self), fields(other));
        let changed = was.iter().filter_map(|(name, was)| Some((name, was, is.get(name).filter(|is| *is != was)?)));
        changed
            .map(|(name, was, is)| match name.as_str() {
                "data" => "the data are others".to_owned(),
                _ => format!("{} was {was} and is {is}", name.replace('_', "-")),
            })
            .collect()
    }
}

/// A checksum of a table's features and targets.
#[must_use]
pub fn checksum(table: &crate::data::table::Table) -> u32 {
    use crate::data::table::Target;
    let mut sum = crc32fast::Hasher::new();
    let mut add = |numbers: &[f32]| numbers.iter().for_each(|number| sum.update(&number.to_bits().to_le_bytes()));
    add(&table.inputs);
    match &table.target {
        Target::Classes { labels, names } => {
            sum.update(labels);
            names.iter().for_each(|name| sum.update(name.as_bytes()));
        }
        Target::Values(values) => add(values),
        Target::Unknown => {}
    }
    sum.finalize()
}

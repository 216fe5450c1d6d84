//! Synthetic families: classification tasks without files, each drawn from a seed.
//!
//! | family | classes are |
//! |---|---|
//! | [`teachers`] | the greatest output of a random network |
//! | [`mixtures`] | mixtures of Gaussian clouds |
//! | [`rings`] | bands around the origin, among inputs that say nothing |
//! | [`spirals`] | arms that wind around the origin |
//!
//! A seed decides everything: how many inputs, classes and examples, how much noise. Inputs are scaled to \[0, 1\] by
//! their range in the training part, as the columns of a table usually are. Half of the tasks have up to a tenth of
//! their labels replaced, in both parts.
//!
//! Seeds from [`SURVEY_SEED`] on belong to the survey; whatever is chosen or meta-trained uses smaller ones.

pub mod mixtures;
pub mod rings;
pub mod spirals;
pub mod teachers;

use lgl2o::Rng;

use super::{DataSets, Dataset};

/// The first seed of the survey.
pub const SURVEY_SEED: u64 = 1 << 40;

/// Fewest and most examples of a task, both parts together.
const ROWS: [f32; 2] = [400.0, 2400.0];
/// The share of labels that are replaced is below this, where any are.
const MOST_WRONG: f32 = 0.1;

/// Examples of a family before they are scaled and split.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Row after row.
    pub inputs: Vec<f32>,
    /// A class for each row.
    pub labels: Vec<u8>,
    /// Inputs in a row.
    pub width: usize,
    /// Classes.
    pub classes: usize,
}

/// A family of tasks.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name.
    pub name: &'static str,
    /// Its stream of random numbers; no two families share one.
    stream: u64,
    /// Draws a task with so many rows.
    draw: fn(&mut Rng, usize) -> Table,
}

/// All families.
pub const FAMILIES: [Family; 4] = [
    Family { name: "teachers", stream: 1, draw: teachers::draw },
    Family { name: "mixtures", stream: 2, draw: mixtures::draw },
    Family { name: "rings", stream: 3, draw: rings::draw },
    Family { name: "spirals", stream: 4, draw: spirals::draw },
];

impl Family {
    /// The task of a seed: three quarters of its rows to train on, one quarter held out.
    #[must_use]
    pub fn draw(&self, seed: u64) -> DataSets {
        let mut rng = Rng::stream(seed, self.stream);
        let rows = log_uniform(&mut rng, ROWS);
        let mut table = (self.draw)(&mut rng, rows);
        replace_labels(&mut rng, &mut table);
        let train = rows * 3 / 4;
        scale(&mut table, train);
        let Table { inputs, labels, width, classes } = table;
        let part = |from: usize, to: usize| {
            Dataset::from_parts(inputs[from * width..to * width].to_vec(), labels[from..to].to_vec(), width, classes)
        };
        DataSets { name: self.name.to_owned(), train: part(0, train), test: part(train, rows) }
    }
}

/// A whole number whose logarithm is uniform between two bounds.
fn log_uniform(rng: &mut Rng, [low, high]: [f32; 2]) -> usize {
    libm::expf(rng.range(libm::logf(low), libm::logf(high))) as usize
}

/// A whole number between two bounds, both included.
fn between(rng: &mut Rng, low: u32, high: u32) -> usize {
    (low + rng.below(high - low + 1)) as usize
}

/// In half of the tasks, gives some of the rows a class by chance.
fn replace_labels(rng: &mut Rng, table: &mut Table) {
    let share = if rng.uniform() < 0.5 { 0.0 } else { MOST_WRONG * rng.uniform() };
    for label in &mut table.labels {
        if rng.uniform() < share {
            *label = rng.below(table.classes as u32) as u8;
        }
    }
}

/// Scales every column to \[0, 1\] by its range in the first `train` rows.
fn scale(table: &mut Table, train: usize) {
    for column in 0..table.width {
        let values = table.inputs[..train * table.width].iter().skip(column).step_by(table.width);
        let (low, high) = values.fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), &x| {
            (if x < low { x } else { low }, if x > high { x } else { high })
        });
        let range = if high > low { high - low } else { 1.0 };
        for x in table.inputs.iter_mut().skip(column).step_by(table.width) {
            *x = (*x - low) / range;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_task_and_other_seeds_are_others() {
        for family in FAMILIES {
            assert_eq!(family.draw(5), family.draw(5));
            assert_ne!(family.draw(5), family.draw(6), "{}", family.name);
        }
    }

    #[test]
    fn tasks_are_whole() {
        for (family, seed) in FAMILIES.iter().flat_map(|family| (0..20).map(move |seed| (family, seed))) {
            let sets = family.draw(seed);
            let rows = sets.train.len() + sets.test.len();
            assert!((400..2400).contains(&rows) && sets.train.len() == rows * 3 / 4, "{} {seed}", family.name);
            assert!(sets.train.inputs().iter().all(|x| (0.0..=1.0).contains(x)));
            assert!(sets.test.inputs().iter().all(|x| x.is_finite() && x.abs() < 3.0));
            let classes = sets.train.classes();
            let most = (0..classes as u8).map(|c| sets.train.labels().iter().filter(|l| **l == c).count()).max();
            assert!(classes >= 2 && most < Some(sets.train.len() * 19 / 20), "{} {seed}: one class", family.name);
        }
    }

    #[test]
    fn columns_are_scaled_by_their_range_in_the_training_part() {
        let inputs = vec![2.0, 7.0, 4.0, 7.0, 3.0, 7.0, 8.0, 6.0];
        let mut table = Table { inputs, labels: vec![0; 4], width: 2, classes: 2 };
        scale(&mut table, 3);
        assert_eq!(table.inputs, [0.0, 0.0, 1.0, 0.0, 0.5, 0.0, 3.0, -1.0]);
    }

    #[test]
    fn streams_differ() {
        let mut streams = FAMILIES.map(|family| family.stream);
        streams.sort_unstable();
        assert!(streams.windows(2).all(|pair| pair[0] != pair[1]));
    }
}

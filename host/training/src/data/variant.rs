//! Shifted data: what a data set becomes when its pixels or labels are tampered with, always in the same way.
//!
//! | variant | what it does |
//! |---|---|
//! | permuted | one random order of the inputs, the same for every row of both halves |
//! | inverted | x becomes 1 - x in both halves |
//! | wrong labels | of a fixed share of the *training* rows the label becomes one of the others, drawn evenly |
//!
//! Permuted pixels are a usual test of what an optimizer owes to the arrangement of images (Goodfellow et al., "An
//! Empirical Investigation of Catastrophic Forgetting", arXiv 1312.6211, 2013), wrong labels of its behaviour under
//! noise that no training removes (Zhang et al., "Understanding deep learning requires rethinking generalization",
//! arXiv 1611.03530, 2017).

use lgl2o::Rng;
use lgl2o::shuffle::Shuffle;

use super::{DataError, DataSets, Dataset};

/// Seed of every variant: each is one data set, not a family of them.
const SEED: u64 = 2022;
/// Wrong labels come to this share of the training rows, as a fraction.
const WRONG: (usize, usize) = (1, 5);

/// A way to shift a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// As it is.
    Plain,
    /// The inputs of every row in one other order.
    Permuted,
    /// Black for white.
    Inverted,
    /// A fifth of the training labels is wrong.
    WrongLabels,
}

impl Variant {
    /// What it makes of a data set. Its name stays.
    ///
    /// # Errors
    ///
    /// [`DataError::NotFinite`] if an input is so large that its inverse is not finite.
    pub fn of(self, sets: DataSets) -> Result<DataSets, DataError> {
        let DataSets { name, train, test } = sets;
        let (train, test) = match self {
            Self::Plain => (train, test),
            Self::Permuted => (permuted(&train)?, permuted(&test)?),
            Self::Inverted => (inverted(&train)?, inverted(&test)?),
            Self::WrongLabels => (mislabelled(&train)?, test),
        };
        Ok(DataSets { name, train, test })
    }
}

fn permuted(data: &Dataset) -> Result<Dataset, DataError> {
    let width = data.width();
    let order = Shuffle::new(width as u32, &mut Rng::stream(SEED, 0));
    let order: Vec<usize> = (0..width as u32).map(|i| order.at(i) as usize).collect();
    let rows = data.inputs().chunks_exact(width);
    let inputs = rows.flat_map(|row| order.iter().map(|&from| row[from])).collect();
    // The inputs are no image any more.
    Dataset::new(inputs, data.labels().to_vec(), width, data.classes(), None)
}

fn inverted(data: &Dataset) -> Result<Dataset, DataError> {
    let inputs = data.inputs().iter().map(|x| 1.0 - x).collect();
    Dataset::new(inputs, data.labels().to_vec(), data.width(), data.classes(), data.image())
}

fn mislabelled(data: &Dataset) -> Result<Dataset, DataError> {
    let mut rng = Rng::stream(SEED, 1);
    let order = Shuffle::new(data.len() as u32, &mut rng);
    let (classes, mut labels) = (data.classes(), data.labels().to_vec());
    for i in 0..data.len() * WRONG.0 / WRONG.1 {
        let label = &mut labels[order.at(i as u32) as usize];
        let shift = 1 + rng.below(classes.saturating_sub(1) as u32) as usize;
        *label = ((usize::from(*label) + shift) % classes) as u8;
    }
    Dataset::new(data.inputs().to_vec(), labels, data.width(), classes, data.image())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 200 training and 50 test images of 2 x 3, three classes; every input of a row differs from the others.
    fn sets() -> DataSets {
        let half = |rows: usize| {
            let inputs = (0..rows * 6).map(|i| i as f32 / (rows * 6) as f32).collect();
            let labels = (0..rows).map(|i| (i % 3) as u8).collect();
            Dataset::new(inputs, labels, 6, 3, Some((2, 3))).unwrap()
        };
        DataSets { name: "digits".to_owned(), train: half(200), test: half(50) }
    }

    fn of(variant: Variant) -> DataSets {
        variant.of(sets()).unwrap()
    }

    #[test]
    fn plain_changes_nothing() {
        assert_eq!(of(Variant::Plain), sets());
    }

    #[test]
    fn permuted_rows_hold_the_same_inputs_in_one_other_order() {
        let (before, after) = (sets(), of(Variant::Permuted));
        let order = |half: fn(&DataSets) -> &Dataset, row: usize| -> Vec<usize> {
            let (old, new) = (half(&before).row(row).0, half(&after).row(row).0);
            new.iter().map(|x| old.iter().position(|y| y == x).expect("an input of the same row")).collect()
        };
        let first = order(|sets| &sets.train, 0);
        let mut sorted = first.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [0, 1, 2, 3, 4, 5]);
        assert_ne!(first, sorted, "some input has moved");
        assert!((0..200).all(|row| order(|sets| &sets.train, row) == first));
        assert!((0..50).all(|row| order(|sets| &sets.test, row) == first), "both halves alike");
        assert_eq!((after.train.labels(), after.train.image()), (before.train.labels(), None));
    }

    #[test]
    fn inverted_inputs_and_their_originals_add_up_to_one() {
        let (before, after) = (sets(), of(Variant::Inverted));
        for (old, new) in [(&before.train, &after.train), (&before.test, &after.test)] {
            assert!(old.inputs().iter().zip(new.inputs()).all(|(a, b)| (a + b - 1.0).abs() < 1e-6));
            assert_eq!((old.labels(), old.image()), (new.labels(), new.image()));
        }
    }

    #[test]
    fn a_fifth_of_the_training_labels_is_wrong_and_no_test_label() {
        let (before, after) = (sets(), of(Variant::WrongLabels));
        let wrong = before.train.labels().iter().zip(after.train.labels()).filter(|(a, b)| a != b).count();
        assert_eq!(wrong, 40);
        assert!(after.train.labels().iter().all(|&label| label < 3));
        assert_eq!(after.train.inputs(), before.train.inputs());
        assert_eq!(after.test, before.test);
    }

    #[test]
    fn a_variant_is_always_the_same() {
        for variant in [Variant::Permuted, Variant::Inverted, Variant::WrongLabels] {
            assert_eq!(of(variant), of(variant));
        }
    }
}

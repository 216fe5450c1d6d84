//! Which examples are kept.

use std::collections::BTreeSet;

use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp};
use lgl2o::replay::{Classes, Reservoir, Ring, Values};
use lgl2o::source::Source;
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::{Auto, Error, Memory, Rng, Trainer, auto};
use lgl2o_tests::cases;
use proptest::prelude::*;

use super::{CLASSES, Net, Room, label, point, push, saved, stored};

proptest! {
    #![proptest_config(cases!(300, "replay/kept"))]

    /// A ring holds the latest examples, each once.
    #[test]
    fn a_ring_holds_the_latest(capacity in 1usize..60, pushes in 0usize..200) {
        let mut room = Room::new(capacity, 1);
        let mut ring = room.ring(1);
        for i in 0..pushes {
            prop_assert!(push(&mut ring, i));
            prop_assert_eq!(ring.len(), capacity.min(i + 1));
        }
        let found: BTreeSet<_> = stored(&mut ring).into_iter().collect();
        let expected: BTreeSet<_> = (pushes.saturating_sub(capacity)..pushes).map(|i| (i, label(i))).collect();
        prop_assert_eq!(found, expected);
        ring.clear();
        prop_assert!(ring.is_empty() && stored(&mut ring).is_empty());
    }

    /// Of each class a reservoir holds all examples that have come, or no fewer than the largest class has, less one;
    /// it is full as soon as it can be; and it holds nothing twice and nothing that has not come.
    #[test]
    fn a_reservoir_is_balanced_within_one(
        capacity in 1usize..60, seed: u64,
        skew in prop::collection::vec(1u32..40, 1..=CLASSES), pushes in 0usize..300, blocks: bool,
    ) {
        let mut room = Room::new(capacity, 1);
        let mut reservoir = room.reservoir(seed);
        let mut rng = Rng::new(seed);
        let total: u32 = skew.iter().sum();
        let mut come = Vec::new();
        for i in 0..pushes {
            // All of a class and then all of the next, or mixed.
            let draw = if blocks { (i * total as usize / pushes) as u32 } else { rng.below(total) };
            let mut left = draw;
            let class = skew.iter().position(|&s| { let here = left < s; left = left.wrapping_sub(s); here }).unwrap() as u8;
            let kept = reservoir.push(&[i as f32], class).unwrap();
            come.push((i, class));
            let now = stored(&mut reservoir);
            prop_assert_eq!(kept, now.contains(&(i, class)));
            prop_assert_eq!(now.len(), capacity.min(i + 1));
            let count = |of: &[(usize, u8)], c: u8| of.iter().filter(|(_, l)| *l == c).count();
            let most = (0..CLASSES as u8).map(|c| count(&now, c)).max().unwrap();
            for c in 0..CLASSES as u8 {
                let (has, had) = (count(&now, c), count(&come, c));
                prop_assert!(has == had || has + 1 >= most, "class {c}: {has} of {had}, the largest {most}");
            }
            let different: BTreeSet<_> = now.iter().collect();
            prop_assert!(different.len() == now.len() && now.iter().all(|one| come.contains(one)));
        }
    }
}

/// Whichever of a class's examples came early or late, each is as likely to be kept.
#[test]
fn a_reservoir_keeps_a_uniform_sample_of_each_class() {
    let (mut common, mut rare) = (Vec::new(), Vec::new());
    for seed in 0..4000 {
        let mut room = Room::new(12, 1);
        let mut reservoir = room.reservoir(seed);
        // 60 of class 0; from the middle on 30 of class 1 among them.
        for i in 0..60 {
            reservoir.push(&[i as f32], 0).unwrap();
            if i >= 30 {
                reservoir.push(&[(100 + i - 30) as f32], 1).unwrap();
            }
        }
        let all = stored(&mut reservoir);
        assert_eq!(all.iter().filter(|(_, l)| *l == 0).count(), 6);
        common.extend(all.iter().filter(|(_, l)| *l == 0).map(|(i, _)| *i));
        rare.extend(all.iter().filter(|(_, l)| *l == 1).map(|(i, _)| i - 100));
    }
    // Six of 60 and six of 30 at once: the counts scatter by less than independent draws do, so one side is enough.
    for (kept, cells) in [(&common, 60), (&rare, 30)] {
        let expected = kept.len() as f64 / cells as f64;
        let share = 6.0 / cells as f64;
        let chi: f64 = (0..cells)
            .map(|c| (kept.iter().filter(|&&k| k == c).count() as f64 - expected).powi(2) / (expected * (1.0 - share)))
            .sum();
        let (mean, deviation) = (cells as f64 - 1.0, (2.0 * (cells as f64 - 1.0)).sqrt());
        assert!((chi - mean).abs() < 5.0 * deviation, "chi-square {chi} of {cells} cells");
    }
}

/// Values train a regression; what does not fit is refused and leaves no trace.
#[test]
fn values_are_kept_and_what_does_not_fit_is_refused() {
    let (mut x, mut y, mut pick, mut used) = ([0.0; 2 * 30], [0.0; 30], [0; 8], [0; 1]);
    let mut ring = Ring::new(&mut x, 2, Values::new(&mut y, 1), 1, &mut pick, &mut used).unwrap();
    type Line = Mlp<Fixed<Dense<2, 1>, 8>>;
    let (net, guard) = (Line::new(Fixed::new(), Loss::SquaredError), auto());
    let mut memory = Memory::<Line, Auto>::blank(&net, &guard);
    net.initialize(memory.params_mut(), &mut Rng::new(3));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    for i in 0..400 {
        let (row, _) = point(i);
        assert_eq!(ring.push(&row, &[2.0 * row[0] - row[1] + 0.5]), Ok(true));
        if ring.len() >= 16 {
            trainer.round(&mut ring).unwrap();
        }
    }
    assert!((trainer.params().bias[0] - 0.5).abs() < 0.05);
    let before = saved(&ring);
    let width = |what, expected, found| Err(Error::ShapeMismatch { what, expected, found });
    assert_eq!(ring.push(&[1.0], &[1.0]), width("an input row", 2, 1));
    assert_eq!(ring.push(&[1.0; 2], &[1.0; 2]), width("a target row", 1, 2));
    assert_eq!(ring.push(&[f32::NAN, 0.0], &[1.0]), Err(Error::NonFiniteInput));
    assert_eq!(ring.push(&[0.0; 2], &[f32::INFINITY]), Err(Error::NonFiniteInput));
    assert_eq!((saved(&ring), ring.len()), (before, 30));
    let mut room = Room::new(4, 2);
    let mut ring = room.ring(1);
    assert_eq!(ring.push(&[0.0], 7), Err(Error::LabelOutOfRange { label: 7, classes: 7 }));
    assert!(ring.is_empty());
}

#[test]
fn memory_that_does_not_fit_is_refused() {
    let new = |inputs: usize, labels: usize, pick: usize, used: usize| {
        let (mut x, mut y) = (vec![0.0; inputs], vec![0; labels]);
        let labels = Classes::new(&mut y, 2);
        Ring::new(&mut x, 2, labels, 0, &mut vec![0; pick], &mut vec![0; used]).err()
    };
    assert_eq!(new(80, 40, 4, 2), None);
    assert_eq!(new(80, 40, 0, 2), Some(Error::EmptyBatch));
    assert_eq!(new(0, 0, 1, 2), Some(Error::EmptyBatch));
    assert_eq!(new(80, 40, 41, 2), Some(Error::BatchTooLarge { examples: 41, capacity: 40 }));
    assert!(matches!(new(79, 40, 4, 2), Some(Error::ShapeMismatch { expected: 80, found: 79, .. })));
    assert!(matches!(new(80, 40, 4, 1), Some(Error::ShapeMismatch { expected: 2, found: 1, .. })));
    let (mut x, mut y, mut seen) = ([0.0; 8], [0; 4], [0; 3]);
    let labels = Classes::new(&mut y, 2);
    let found = Reservoir::new(&mut x, 2, labels, &mut seen, 0, &mut [0; 2], &mut [0; 1]).err();
    assert!(matches!(found, Some(Error::ShapeMismatch { expected: 2, found: 3, .. })));
    let mut y = [0.0; 7];
    let found = Ring::new(&mut x, 2, Values::new(&mut y, 2), 0, &mut [0; 2], &mut [0; 1]).err();
    assert!(matches!(found, Some(Error::ShapeMismatch { expected: 6, found: 7, .. })));
}

/// Behind a standardizer rows are observed first, and standardized and kept from then on; what is refused is not
/// observed.
#[test]
fn raw_rows_are_standardized_before_they_are_kept() {
    let (mut x, mut y, mut pick, mut used) = ([0.0; 2 * 50], [0; 50], [0; 8], [0; 2]);
    let source = Ring::new(&mut x, 2, Classes::new(&mut y, 2), 1, &mut pick, &mut used).unwrap();
    let mut batches = Standardized { source, standardizer: Standardizer::<[f32; 2]>::new(20) };
    assert_eq!(batches.push(&mut [1.0, f32::NAN], 0), Err(Error::NonFiniteInput));
    assert_eq!(batches.push(&mut [1.0, 1.0], 2), Err(Error::LabelOutOfRange { label: 2, classes: 2 }));
    let raw = |i: usize| [1000.0 + (i % 7) as f32, 1e-3 * (i % 5) as f32];
    for i in 0..45 {
        let mut row = raw(i);
        assert_eq!(batches.push(&mut row, 1), Ok(i >= 20));
        assert_eq!(batches.source.len(), (i + 1usize).saturating_sub(20));
    }
    assert_eq!(batches.standardizer.rows(), 20);
    let standardizer = batches.standardizer.clone();
    let (mut seen, mut part) = (0, 0);
    while let Some(batch) = Source::<Net>::objective(&mut batches, part).unwrap() {
        for s in 0..batch.examples() {
            let mut row = raw(20 + seen + s);
            standardizer.apply(&mut row).unwrap();
            assert_eq!(batch.inputs.row(s), row);
        }
        (seen, part) = (seen + batch.examples(), part + 1);
    }
    assert_eq!(seen, 25);
}

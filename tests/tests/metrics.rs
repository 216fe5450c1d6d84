//! Metrics against their definitions in double precision, over whole lists.

use lgl2o::Error;
use lgl2o::metrics::{Confusion, Regression};
use lgl2o_tests::cases;
use proptest::prelude::*;

const C: usize = 4;

/// part / whole.
fn share(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

fn assert_near(found: Option<f32>, expected: Option<f64>, tolerance: f64) {
    match (found, expected) {
        (Some(found), Some(expected)) => {
            assert!((f64::from(found) - expected).abs() <= tolerance, "{found} {expected}");
        }
        (found, expected) => assert!(found.is_none() && expected.is_none(), "{found:?} {expected:?}"),
    }
}

proptest! {
    #![proptest_config(cases!(300, "metrics"))]

    /// Counts, accuracy, balanced accuracy, recall and precision are their definitions.
    #[test]
    fn a_confusion_matrix_counts(pairs in prop::collection::vec((0u8..4, 0u8..4), 0..200), most in 0u8..4) {
        // Some classes do not occur, some are never predicted.
        let pairs: Vec<_> = pairs.into_iter().filter(|(t, p)| *t <= most && *p != 1).collect();
        let mut confusion = Confusion::<C>::new();
        pairs.iter().for_each(|&(t, p)| confusion.count(t, p).unwrap());
        let count = |of: &dyn Fn(&(u8, u8)) -> bool| pairs.iter().filter(|pair| of(pair)).count();
        prop_assert_eq!(confusion.examples(), pairs.len() as u64);
        assert_near(confusion.accuracy(), share(count(&|(t, p)| t == p), pairs.len()), 1e-6);
        let recall = |c: u8| share(count(&|&pair| pair == (c, c)), count(&|(t, _)| *t == c));
        let recalls: Vec<f64> = (0..C as u8).filter_map(recall).collect();
        let balanced = (!recalls.is_empty()).then(|| recalls.iter().sum::<f64>() / recalls.len() as f64);
        assert_near(confusion.balanced_accuracy(), balanced, 1e-6);
        for c in 0..C as u8 {
            assert_near(confusion.recall(c), recall(c), 1e-6);
            let precision = share(count(&|&pair| pair == (c, c)), count(&|(_, p)| *p == c));
            assert_near(confusion.precision(c), precision, 1e-6);
            for p in 0..C as u8 {
                let cell = confusion.counts()[usize::from(c)][usize::from(p)];
                prop_assert_eq!(cell as usize, count(&|&pair| pair == (c, p)));
            }
        }
    }

    /// Mean absolute error and R^2 are their definitions, for values far from 0, too.
    #[test]
    fn errors_are_those_of_two_passes(
        pairs in prop::collection::vec((-1.0f32..1.0, -0.5f32..0.5), 0..200), offset in prop::sample::select(vec![0.0f32, 100.0]),
    ) {
        let pairs: Vec<_> = pairs.into_iter().map(|(y, e)| (offset + y, offset + y + e)).collect();
        let mut errors = Regression::new();
        pairs.iter().for_each(|&(y, p)| errors.count(y, p).unwrap());
        let n = pairs.len() as f64;
        let mean_of = |of: &dyn Fn(f64, f64) -> f64| pairs.iter().map(|&(y, p)| of(y.into(), p.into())).sum::<f64>() / n;
        let some = |x: f64| (n > 0.0).then_some(x);
        assert_near(errors.mean_absolute_error(), some(mean_of(&|y, p| (y - p).abs())), 1e-5);
        assert_near(errors.mean_squared_error(), some(mean_of(&|y, p| (y - p) * (y - p))), 1e-5);
        let mean = mean_of(&|y, _| y);
        let variance = mean_of(&|y, _| (y - mean) * (y - mean));
        if variance > 1e-2 {
            let r2 = 1.0 - mean_of(&|y, p| (y - p) * (y - p)) / variance;
            assert_near(errors.r2(), Some(r2), 1e-3 * (1.0 + r2.abs()));
        }
        if n < 2.0 {
            prop_assert_eq!(errors.r2(), None);
        }
    }
}

#[test]
fn what_is_no_class_or_no_number_is_refused_and_not_counted() {
    let mut confusion = Confusion::<C>::new();
    for (label, predicted) in [(4, 0), (0, 4), (255, 255)] {
        let wrong = if label > 3 { label } else { predicted };
        assert_eq!(confusion.count(label, predicted), Err(Error::LabelOutOfRange { label: wrong, classes: C }));
    }
    assert_eq!((confusion, confusion.recall(4), confusion.precision(4)), (Confusion::new(), None, None));
    let mut errors = Regression::new();
    assert_eq!(errors.count(f32::NAN, 0.0), Err(Error::NonFiniteInput));
    assert_eq!(errors.count(0.0, f32::INFINITY), Err(Error::NonFiniteOutput));
    assert_eq!(errors, Regression::new());
    errors.count(3.0, 3.0).unwrap();
    errors.count(3.0, 2.0).unwrap();
    assert_eq!((errors.r2(), errors.mean_absolute_error()), (None, Some(0.5)));
}

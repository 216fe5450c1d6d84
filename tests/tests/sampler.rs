//! The sampler of minibatches: independent streams, disjoint checks, every example once in the full objective.

use lgl2o::Error;
use lgl2o::batch::{Batch, Targets};
use lgl2o::objective::Logistic;
use lgl2o::source::{Sampler, Source};
use lgl2o_tests::cases;
use proptest::prelude::*;

/// An objective of the right kind; it is never evaluated.
type Any = Logistic<1, 1>;

/// Calls with a sampler over n examples that say their number, in batches of `size`.
fn sampling<T>(n: usize, size: usize, seed: u64, then: impl FnOnce(&mut Sampler<'_>) -> T) -> T {
    let inputs: Vec<f32> = (0..n).map(|i| i as f32).collect();
    let labels: Vec<u8> = (0..n).map(|i| (i % 251) as u8).collect();
    let (mut pick, mut used) = (vec![0; size], vec![0; n.div_ceil(32)]);
    let mut sampler = Sampler::new(&inputs, 1, &labels, seed, &mut pick, &mut used).unwrap();
    then(&mut sampler)
}

/// The numbers of a batch's examples, after a look at their labels.
fn numbers(batch: &Batch<'_>) -> Vec<usize> {
    let Targets::Classes(labels) = batch.targets else { panic!("a sampler gives labels") };
    let number = |s: usize| {
        let i = batch.inputs.row(s)[0] as usize;
        assert_eq!(labels.get(s), Some((i % 251) as u8), "inputs and labels belong together");
        i
    };
    (0..batch.examples()).map(number).collect()
}

fn train(sampler: &mut Sampler<'_>) -> Vec<usize> {
    numbers(&Source::<Any>::train(sampler).unwrap())
}

fn check(sampler: &mut Sampler<'_>) -> Result<Vec<usize>, Error> {
    Source::<Any>::check(sampler).map(|batch| numbers(&batch))
}

/// All parts of the full objective, one after the other.
fn objective(sampler: &mut Sampler<'_>) -> Vec<usize> {
    let mut all = Vec::new();
    for i in 0.. {
        match Source::<Any>::objective(sampler, i).unwrap() {
            Some(batch) => all.extend(numbers(&batch)),
            None => break,
        }
    }
    all
}

proptest! {
    #![proptest_config(cases!(300, "sampler"))]

    /// The training stream is a function of the seed alone: check batches, parts of the objective and failed checks
    /// in between change nothing.
    #[test]
    fn checks_do_not_disturb_the_training_stream(
        n in 20usize..200, size in 1usize..20, seed: u64,
        plan in prop::collection::vec((0usize..4, any::<bool>()), 1..12),
    ) {
        let plain = sampling(n, size, seed, |s| (0..plan.len()).map(|_| train(s)).collect::<Vec<_>>());
        let mixed = sampling(n, size, seed, |s| {
            plan.iter().map(|&(checks, full)| {
                let batch = train(s);
                let _ = (0..checks).map(|_| check(s)).collect::<Vec<_>>();
                if full {
                    let _ = objective(s);
                }
                batch
            }).collect::<Vec<_>>()
        });
        prop_assert_eq!(plain, mixed);
    }

    /// A check batch holds no example that its round has trained on; with nothing left, it is an error.
    #[test]
    fn checks_are_disjoint_from_the_rounds_training(
        n in 1usize..120, share in 0.0f64..=1.0, seed: u64, trains in 1usize..6, rounds in 1usize..5,
    ) {
        let size = ((n as f64 * share) as usize).clamp(1, n);
        sampling(n, size, seed, |s| {
            for _ in 0..rounds {
                Source::<Any>::begin_round(s);
                let trained: Vec<usize> = (0..trains).flat_map(|_| train(s)).collect();
                let left = (0..n).any(|i| !trained.contains(&i));
                for _ in 0..3 {
                    match check(s) {
                        Ok(checked) => prop_assert!(left && checked.iter().all(|i| !trained.contains(i))),
                        Err(error) => prop_assert!(!left && error == Error::NothingToCheck),
                    }
                }
            }
            Ok(())
        })?;
    }

    /// The parts of the full objective hold every example once, in order, and no part is empty or too large.
    #[test]
    fn the_objective_is_every_example_once(n in 1usize..300, share in 0.0f64..=1.0) {
        let size = ((n as f64 * share) as usize).clamp(1, n);
        let all = sampling(n, size, 0, objective);
        prop_assert_eq!(all, (0..n).collect::<Vec<_>>());
        let sizes = sampling(n, size, 0, |s| {
            let part = |i| Source::<Any>::objective(s, i).unwrap().unwrap().examples();
            (0..n.div_ceil(size)).map(part).collect::<Vec<_>>()
        });
        prop_assert!(sizes.iter().all(|&k| 0 < k && k <= size));
        prop_assert!(sampling(n, size, 0, |s| Source::<Any>::objective(s, usize::MAX).unwrap().is_none()));
    }
}

/// One seed is one stream of training and of check batches; another seed is another.
#[test]
fn a_seed_is_a_stream() {
    let stream = |seed| sampling(1000, 8, seed, |s| (0..20).map(|_| (train(s), check(s).unwrap())).collect::<Vec<_>>());
    assert_eq!(stream(5), stream(5));
    assert_ne!(stream(5), stream(6));
    let of =
        |f: fn(&mut Sampler<'_>) -> Vec<usize>| sampling(1000, 8, 5, |s| (0..20).map(|_| f(s)).collect::<Vec<_>>());
    assert_ne!(of(train), of(|s| check(s).unwrap()), "training and checks have streams of their own");
}

/// When a round trains on everything, its check ends in an error, not in an endless search, and the next round is not
/// affected.
#[test]
fn training_on_everything_leaves_no_check() {
    sampling(5, 5, 1, |s| {
        while (0..40).flat_map(|_| train(s)).collect::<std::collections::BTreeSet<_>>().len() < 5 {}
        assert_eq!(check(s), Err(Error::NothingToCheck));
        assert_eq!(check(s), Err(Error::NothingToCheck));
        let trained = train(s);
        assert_eq!(check(s).is_ok(), (0..5).any(|i| !trained.contains(&i)));
    });
    // With one example left of a thousand, the search by drawing gives up and finds it by walking.
    sampling(1000, 1, 2, |s| {
        let mut missing: std::collections::BTreeSet<usize> = (0..1000).collect();
        while missing.len() > 1 {
            missing.remove(&train(s)[0]);
        }
        assert_eq!(check(s), Ok(missing.into_iter().collect()));
    });
}

/// sum (observed - expected)^2 / expected over k equal cells has mean k - 1 and standard deviation sqrt(2 (k - 1)).
fn assert_uniform(draws: &[usize], cells: usize) {
    let expected = draws.len() as f64 / cells as f64;
    let mut observed = vec![0.0; cells];
    draws.iter().for_each(|&i| observed[i] += 1.0);
    let chi = observed.iter().map(|o: &f64| (o - expected) * (o - expected) / expected).sum::<f64>();
    let (mean, deviation) = (cells as f64 - 1.0, (2.0 * (cells as f64 - 1.0)).sqrt());
    assert!((chi - mean).abs() < 5.0 * deviation, "chi-square {chi} of {cells} cells");
}

/// Every example is equally likely in training, and, with nothing trained on, in checks.
#[test]
fn draws_are_uniform() {
    let draws = |f: fn(&mut Sampler<'_>) -> Vec<usize>| {
        sampling(50, 10, 3, |s| (0..2000).flat_map(|_| f(s)).collect::<Vec<_>>())
    };
    assert_uniform(&draws(train), 50);
    assert_uniform(&draws(|s| check(s).unwrap()), 50);
    // The yardstick can fail: even cells alone.
    let lopsided: Vec<usize> = (0..20_000).map(|i| i * 2 % 50).collect();
    assert!(std::panic::catch_unwind(|| assert_uniform(&lopsided, 50)).is_err());
}

/// What does not fit together is refused, with what is wrong.
#[test]
fn memory_that_does_not_fit_is_refused() {
    let new = |inputs: usize, width, labels: usize, pick: usize, used: usize| {
        let (inputs, labels) = (vec![0.0; inputs], vec![0; labels]);
        Sampler::new(&inputs, width, &labels, 0, &mut vec![0; pick], &mut vec![0; used]).err()
    };
    assert_eq!(new(20, 2, 10, 4, 1), None);
    assert_eq!(new(20, 2, 10, 0, 1), Some(Error::EmptyBatch));
    assert_eq!(new(0, 2, 0, 1, 1), Some(Error::EmptyBatch));
    assert_eq!(new(20, 2, 10, 11, 1), Some(Error::BatchTooLarge { examples: 11, capacity: 10 }));
    let what = "the matrix of inputs";
    assert_eq!(new(19, 2, 10, 4, 1), Some(Error::ShapeMismatch { what, expected: 20, found: 19 }));
    let what = "the bit set of used examples";
    assert_eq!(new(66, 2, 33, 4, 1), Some(Error::ShapeMismatch { what, expected: 2, found: 1 }));
    assert_eq!(new(64, 2, 32, 4, 7), None);
}

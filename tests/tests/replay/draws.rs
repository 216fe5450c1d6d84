//! Batches: disjoint from each other, uniform, and of the right size.

use std::collections::BTreeSet;

use lgl2o::Error;
use lgl2o::replay::{Classes, Keep, Replay};
use lgl2o::source::Source;
use lgl2o_tests::cases;
use proptest::prelude::*;

use super::{Any, Room, check, push, stored, train};

proptest! {
    #![proptest_config(cases!(300, "replay/draws"))]

    /// A check batch holds no example that its round has trained on, however the data grow between rounds; with nothing
    /// left it is an error. A batch has its size, or half of all examples.
    #[test]
    fn checks_are_disjoint_from_the_rounds_training(
        capacity in 2usize..60, share in 0.0f64..=1.0, seed: u64, balanced: bool,
        plan in prop::collection::vec((0usize..20, 1usize..5), 1..12),
    ) {
        let size = ((capacity as f64 * share) as usize).clamp(1, capacity);
        let mut room = Room::new(capacity, size);
        if balanced { rounds(&mut room.reservoir(seed), size, &plan)?; } else { rounds(&mut room.ring(seed), size, &plan)?; }
    }

    /// The training stream is a function of the seed and the data alone: checks in between change nothing.
    #[test]
    fn checks_do_not_disturb_the_training_stream(
        capacity in 4usize..60, seed: u64, plan in prop::collection::vec((0usize..9, 0usize..4), 1..12),
    ) {
        let stream = |checked: bool| {
            let mut room = Room::new(capacity, 3);
            let mut ring = room.ring(seed);
            let mut next = 0..;
            push(&mut ring, next.next().unwrap());
            plan.iter().map(|&(pushes, checks)| {
                next.by_ref().take(pushes).for_each(|i| { push(&mut ring, i); });
                Source::<Any>::begin_round(&mut ring);
                let batch = train(&mut ring);
                (0..if checked { checks } else { 0 }).for_each(|_| { let _ = check(&mut ring); });
                batch
            }).collect::<Vec<_>>()
        };
        prop_assert_eq!(stream(false), stream(true));
    }
}

fn rounds<K: Keep>(
    replay: &mut Replay<'_, Classes<'_>, K>,
    size: usize,
    plan: &[(usize, usize)],
) -> Result<(), TestCaseError> {
    let mut next = 0..;
    for &(pushes, trains) in plan {
        next.by_ref().take(pushes).for_each(|i| {
            push(replay, i);
        });
        if replay.is_empty() {
            prop_assert_eq!(Source::<Any>::train(replay).err(), Some(Error::NoBatch));
            prop_assert_eq!(check(replay), Err(Error::NoBatch));
            continue;
        }
        Source::<Any>::begin_round(replay);
        let (n, room) = (replay.len(), Source::<Any>::room(replay) as usize);
        let mut trained = BTreeSet::new();
        for taken in 1..=trains {
            let batch = train(replay);
            prop_assert_eq!(batch.len(), size.min((n / 2).max(1)));
            trained.extend(batch);
            let all: BTreeSet<usize> = stored(replay).into_iter().map(|(i, _)| i).collect();
            match check(replay) {
                Ok(checked) => prop_assert!(checked.iter().all(|i| !trained.contains(i) && all.contains(i))),
                Err(error) => prop_assert!(error == Error::NothingToCheck && trained == all && taken > room),
            }
        }
    }
    Ok(())
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

/// The examples that a ring holds are equally likely in training, where an epoch has each once, and in checks.
#[test]
fn draws_are_uniform() {
    let mut room = Room::new(50, 10);
    let mut ring = room.ring(3);
    (0..130).for_each(|i| {
        push(&mut ring, i);
    });
    let epoch: BTreeSet<usize> = (0..5).flat_map(|_| train(&mut ring)).collect();
    assert_eq!(epoch, (80..130).collect());
    Source::<Any>::begin_round(&mut ring);
    let checks: Vec<usize> = (0..2000).flat_map(|_| check(&mut ring).unwrap()).map(|i| i - 80).collect();
    assert_uniform(&checks, 50);
    // The first of each epoch.
    let firsts: Vec<usize> =
        (0..4000).map(|_| (train(&mut ring)[0], (0..4).for_each(|_| drop(train(&mut ring)))).0 - 80).collect();
    let (mean, deviation) = (49.0, (2.0f64 * 49.0).sqrt());
    let chi: f64 = (0..50).map(|c| (firsts.iter().filter(|&&f| f == c).count() as f64 - 80.0).powi(2) / 80.0).sum();
    assert!((chi - mean).abs() < 5.0 * deviation, "{chi}");
}

//! Examples that are held out: every n-th place is checked on and never trained on, whatever comes.

use std::collections::BTreeSet;

use lgl2o::Error;
use lgl2o::batch::{Batch, Targets};
use lgl2o::checkpoint::{CheckpointError, Fingerprint};
use lgl2o::objective::mlp::{Fixed, Loss};
use lgl2o::replay::{Classes, Keep, Reconstruction, Replay, Ring, Values};
use lgl2o::source::Source;
use lgl2o::{Auto, Memory, Rng, Trainer, auto};
use lgl2o_tests::{bits, cases};
use proptest::prelude::*;

use super::{Any, Bytes, Net, Room, check, load, numbers, point, push, saved, train};

proptest! {
    #![proptest_config(cases!(300, "replay/held"))]

    /// Training sees every example that is not held out once in an epoch and no other; checks go through those that are held out, in
    /// order, and so does the full objective; an example stays on its side while more come.
    #[test]
    fn training_and_checks_have_examples_of_their_own(
        capacity in 4usize..80, every in 2u32..9, share in 0.0f64..=1.0, seed: u64, balanced: bool,
        plan in prop::collection::vec(0usize..20, 1..12),
    ) {
        let every = every.min(capacity as u32);
        let trained = capacity - capacity / every as usize;
        let size = ((trained as f64 * share) as usize).clamp(1, trained);
        let mut room = Room::new(capacity, size);
        if balanced {
            both_sides(&mut room.reservoir(seed).with_held_out(every).unwrap(), (capacity, size, every as usize), &plan)?;
        } else {
            both_sides(&mut room.ring(seed).with_held_out(every).unwrap(), (capacity, size, every as usize), &plan)?;
        }
    }

    /// A restored position goes on bit for bit, with the check batch whose turn it is.
    #[test]
    fn a_restored_position_goes_on(
        capacity in 6usize..40, seed: u64, with_examples: bool, pushes in 3usize..60, before in 0usize..9,
    ) {
        let (mut room, mut other) = (Room::new(capacity, 2), Room::new(capacity, 2));
        let [mut a, mut b] = [room.ring(seed), other.ring(seed ^ 1)].map(|ring| {
            let ring = ring.with_held_out(3).unwrap();
            if with_examples { ring.with_examples() } else { ring }
        });
        let batches = |ring: &mut Ring<'_, Classes<'_>>| (0..5).map(|_| (train(ring), check(ring))).collect::<Vec<_>>();
        (0..pushes).for_each(|i| { push(&mut a, i); });
        (0..before).for_each(|_| { let _ = (train(&mut a), check(&mut a)); });
        let checkpoint = saved(&a);
        if !with_examples {
            (0..pushes).for_each(|i| { push(&mut b, i); });
        }
        load(&mut b, &checkpoint);
        prop_assert_eq!(batches(&mut a), batches(&mut b));
    }
}

/// All examples of the full objective, which are those that are held out.
fn objective<K: Keep>(replay: &mut Replay<'_, Classes<'_>, K>) -> Vec<usize> {
    let parts = (0..).map_while(|i| Source::<Any>::objective(replay, i).unwrap().map(|batch| numbers(&batch)));
    parts.flatten().collect()
}

fn both_sides<K: Keep>(
    replay: &mut Replay<'_, Classes<'_>, K>,
    (capacity, size, every): (usize, usize, usize),
    plan: &[usize],
) -> Result<(), TestCaseError> {
    let (mut next, mut was) = (0.., [BTreeSet::new(), BTreeSet::new()]);
    for &pushes in plan {
        next.by_ref().take(pushes).for_each(|i| {
            push(replay, i);
        });
        let held = replay.len() / every;
        if held == 0 {
            prop_assert_eq!(check(replay), Err(Error::NothingHeldOut));
            prop_assert_eq!(Source::<Any>::objective(replay, 0).err(), Some(Error::NothingHeldOut));
            continue;
        }
        Source::<Any>::begin_round(replay);
        let checked = objective(replay);
        prop_assert_eq!(checked.len(), held);
        // Rounds at random places of an epoch: of two epochs, the second is whole.
        let trained = replay.len() - held;
        let batch = size.min((trained / 2).max(1));
        let rounds = 2 * trained.div_ceil(batch);
        prop_assert!(Source::<Any>::room(replay) as usize * batch <= trained);
        let seen: BTreeSet<usize> = (0..rounds).flat_map(|_| train(replay)).collect();
        prop_assert!(seen.len() <= trained && checked.iter().all(|i| !seen.contains(i)));
        let twice: Vec<usize> = (0..2 * held.div_ceil(size)).flat_map(|_| check(replay).unwrap()).collect();
        prop_assert!(checked.iter().all(|i| twice.contains(i)) && twice.iter().all(|i| checked.contains(i)));
        let now = [seen, checked.into_iter().collect()];
        prop_assert!(was[0].is_disjoint(&now[1]) && was[1].is_disjoint(&now[0]), "capacity {capacity}");
        was = now;
    }
    Ok(())
}

/// 12 examples of which every fifth is held out, in batches of 4: all others come once in an epoch.
#[test]
fn an_epoch_is_all_that_is_not_held_out() {
    let mut room = Room::new(12, 5);
    let mut ring = room.ring(1).with_held_out(5).unwrap();
    (0..12).for_each(|i| {
        push(&mut ring, i);
    });
    let mut epoch: Vec<usize> = (0..2).flat_map(|_| train(&mut ring)).collect();
    epoch.sort_unstable();
    assert_eq!(epoch, [0, 1, 2, 3, 5, 6, 7, 8, 10, 11]);
    assert_eq!(objective(&mut ring), [4, 9]);
    assert_eq!((Source::<Any>::epoch(&ring), Source::<Any>::room(&ring)), (2, 2));
}

/// Whole checks in the order of their places, the last one with what is left, then the first one again.
#[test]
fn checks_go_round() {
    let mut room = Room::new(30, 4);
    let mut ring = room.ring(1).with_held_out(3).unwrap();
    (0..30).for_each(|i| {
        push(&mut ring, i);
    });
    let checks: Vec<Vec<usize>> = (0..4).map(|_| check(&mut ring).unwrap()).collect();
    assert_eq!(checks, [vec![2, 5, 8, 11], vec![14, 17, 20, 23], vec![26, 29], vec![2, 5, 8, 11]]);
    assert!(Source::<Any>::objective(&mut ring, usize::MAX).unwrap().is_none());
}

#[test]
fn shares_that_cannot_be_held_out_are_refused() {
    let refused =
        |every, capacity, size| Room::new(capacity, size).ring(1).with_held_out(every).map(|_| ()).unwrap_err();
    for every in [0, 1, 9, u32::MAX] {
        assert!(matches!(refused(every, 8, 2), Error::InvalidSetting { .. }), "{every}");
    }
    assert_eq!(refused(2, 8, 5), Error::BatchTooLarge { examples: 5, capacity: 4 });
    assert!(Room::new(8, 4).ring(1).with_held_out(2).is_ok());
}

/// Values and the inputs themselves are held out like labels.
#[test]
fn values_and_inputs_are_held_out_too() {
    let (mut x, mut y, mut pick, mut used) = ([0.0; 10], [0.0; 10], [0; 2], [0; 1]);
    let mut ring = Ring::new(&mut x, 1, Values::new(&mut y, 1), 1, &mut pick, &mut used).unwrap();
    ring = ring.with_held_out(5).unwrap();
    (0..10u8).map(f32::from).for_each(|i| {
        ring.push(&[i], &[10.0 * i]).unwrap();
    });
    let of = |batch: &Batch<'_>| {
        let Targets::Values(rows) = batch.targets else { panic!("values") };
        (0..batch.examples()).map(|s| (batch.inputs.row(s)[0], rows.row(s)[0])).collect::<Vec<_>>()
    };
    type Values1 = lgl2o::objective::mlp::Mlp<Fixed<lgl2o::chain![lgl2o::objective::mlp::Dense<1, 1>], 2>>;
    assert_eq!(of(&Source::<Values1>::check(&mut ring).unwrap()), [(4.0, 40.0), (9.0, 90.0)]);
    let (mut x, mut pick, mut used) = ([0.0; 10], [0; 2], [0; 1]);
    let mut ring = Ring::new(&mut x, 1, Reconstruction, 1, &mut pick, &mut used).unwrap().with_held_out(5).unwrap();
    (0..10u8).map(f32::from).for_each(|i| {
        ring.push(&[i], ()).unwrap();
    });
    assert_eq!(of(&Source::<Values1>::check(&mut ring).unwrap()), [(4.0, 4.0), (9.0, 9.0)]);
}

/// Rounds of `auto` with exact checks on what is held out of a ring into which an example comes before each round.
fn run(every: Option<u32>, from: Option<&[u8]>, come: usize, rounds: usize) -> Result<Vec<u8>, CheckpointError> {
    let (mut rows, mut labels, mut pick, mut used) = ([0.0; 2 * 300], [0; 300], [0; 8], [0; 10]);
    let mut ring = Ring::new(&mut rows, 2, Classes::new(&mut labels, 2), 7, &mut pick, &mut used).unwrap();
    if let Some(every) = every {
        ring = ring.with_held_out(every).unwrap();
    }
    (0..come).map(point).for_each(|(row, label)| {
        ring.push(&row, label).unwrap();
    });
    let (net, guard) = (Net::new(Fixed::new(), Loss::CrossEntropy), auto().held_out(true));
    let mut memory = Memory::<Net, Auto>::new();
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    if let Some(mut from) = from {
        trainer.load(&mut ring, &mut from)?;
    }
    let loss = |trainer: &mut Trainer<'_, _, _>, ring: &mut Ring<'_, Classes<'_>>| -> f32 {
        let mut sum = 0.0;
        for i in 0.. {
            let Some(batch) = Source::<Net>::objective(ring, i).unwrap() else { break };
            sum += batch.examples() as f32 * trainer.loss(batch).unwrap();
        }
        sum
    };
    for i in come..come + rounds {
        let before = loss(&mut trainer, &mut ring);
        trainer.round(&mut ring).unwrap();
        let after = loss(&mut trainer, &mut ring);
        assert!(after <= before * 1.0001, "round {i}: the accepted parameters are worse on what is held out");
        let (row, label) = point(i);
        ring.push(&row, label).unwrap();
    }
    assert!(bits::of(trainer.params()).iter().any(|&bits| bits != 0));
    let mut bytes = Bytes::default();
    let Ok(()) = trainer.save(&ring, &mut bytes);
    Ok(bytes.0)
}

/// The accepted parameters never become worse on the examples that are held out, and a checkpoint loads with more of them and with
/// fewer; which share is held out must match.
#[test]
fn auto_keeps_what_is_best_on_them_while_more_come() {
    let checkpoint = run(Some(5), None, 40, 60).unwrap();
    assert_eq!(run(Some(5), Some(&checkpoint), 100, 0).unwrap(), checkpoint);
    for come in [101, 299, 5] {
        assert_ne!(run(Some(5), Some(&checkpoint), come, 30).unwrap(), checkpoint, "the run goes on");
    }
    for other in [None, Some(4)] {
        assert_eq!(run(other, Some(&checkpoint), 100, 0), Err(CheckpointError::OtherSource));
    }
    let mut room = Room::new(40, 4);
    let plain = room.ring(1).fingerprint();
    let held: BTreeSet<_> = (2..6).map(|every| room.ring(1).with_held_out(every).unwrap().fingerprint()).collect();
    assert!(held.len() == 4 && !held.contains(&plain));
}

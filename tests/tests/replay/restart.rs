//! Runs that go on after a restart: over the same data bit for bit, over other data as well as it can.

use std::collections::BTreeSet;

use lgl2o::checkpoint::{CheckpointError, Fingerprint, Persist};
use lgl2o::objective::mlp::{Fixed, Loss};
use lgl2o::replay::{Classes, Keep, Replay, Reservoir, Ring, Values};
use lgl2o::source::Source;
use lgl2o::{Auto, Memory, Rng, Trainer, auto};
use lgl2o_tests::{bits, cases};
use proptest::prelude::*;

use super::{Any, Bytes, Net, Room, check, label, load, point, push, saved, stored, train};

proptest! {
    #![proptest_config(cases!(300, "replay/restart"))]

    /// A restored position goes on bit for bit: over the same data pushed again, or over data from the checkpoint
    /// itself.
    #[test]
    fn a_restored_position_goes_on(
        capacity in 4usize..40, seed: u64, balanced: bool, with_examples: bool,
        before in prop::collection::vec(0usize..9, 1..8), after in prop::collection::vec(0usize..9, 1..8),
    ) {
        let case = Case { before: &before, after: &after, again: !with_examples };
        let (mut room, mut other) = (Room::new(capacity, 3), Room::new(capacity, 3));
        if balanced {
            let (mut a, mut b) = (room.reservoir(seed), other.reservoir(if with_examples { seed ^ 1 } else { seed }));
            if with_examples { (a, b) = (a.with_examples(), b.with_examples()); }
            case.run(&mut a, &mut b)?;
        } else {
            let (mut a, mut b) = (room.ring(seed), other.ring(seed ^ 1));
            if with_examples { (a, b) = (a.with_examples(), b.with_examples()); }
            case.run(&mut a, &mut b)?;
        }
    }

    /// Whatever bytes a position is loaded from, over whatever data: batches of examples that are there, and an end.
    #[test]
    fn any_position_leads_somewhere(
        capacity in 1usize..40, pushes in 1usize..60, with_examples: bool, bytes in prop::collection::vec(any::<u8>(), 600),
    ) {
        let mut room = Room::new(capacity, 1);
        let mut reservoir = room.reservoir(1);
        if with_examples { reservoir = reservoir.with_examples(); }
        (0..pushes).for_each(|i| { push(&mut reservoir, i); });
        let length = saved(&reservoir).len();
        load(&mut reservoir, &bytes[..length]);
        for i in 0..20 {
            let _ = reservoir.push(&[i as f32], label(i));
            prop_assert!(reservoir.len() <= capacity);
            let batch = Source::<Any>::train(&mut reservoir).unwrap();
            prop_assert!((0..batch.examples()).all(|s| batch.inputs.row(s).len() == 1));
        }
    }
}

struct Case<'a> {
    before: &'a [usize],
    after: &'a [usize],
    /// Whether the data are pushed again.
    again: bool,
}

impl Case<'_> {
    fn run<K: Keep + Persist>(
        &self,
        replay: &mut Replay<'_, Classes<'_>, K>,
        other: &mut Replay<'_, Classes<'_>, K>,
    ) -> Result<(), TestCaseError> {
        let go = |replay: &mut Replay<'_, Classes<'_>, K>, from: usize, plan: &[usize]| {
            let mut next = from..;
            let mut seen = Vec::new();
            for &pushes in plan {
                next.by_ref().take(pushes + usize::from(replay.is_empty())).for_each(|i| {
                    push(replay, i);
                });
                Source::<Any>::begin_round(replay);
                seen.push((train(replay), check(replay), stored(replay)));
            }
            (seen, next.start)
        };
        let (_, come) = go(replay, 0, self.before);
        let checkpoint = saved(replay);
        let (expected, _) = go(replay, come, self.after);
        let pushed = if self.again { come } else { 3 };
        (0..pushed).for_each(|i| {
            push(other, i);
        });
        train(other);
        load(other, &checkpoint);
        prop_assert_eq!(saved(other), checkpoint);
        prop_assert_eq!(go(other, come, self.after).0, expected);
        Ok(())
    }
}

/// Rounds of `auto` over a ring with room for `capacity` points that has seen `come` of them, after a checkpoint if
/// there is one; returns a new one and the parameters.
fn run(
    capacity: usize,
    come: usize,
    from: Option<&[u8]>,
    rounds: usize,
) -> Result<(Vec<u8>, Vec<u32>), CheckpointError> {
    let (mut rows, mut labels, mut pick, mut used) =
        (vec![0.0; 2 * capacity], vec![0; capacity], [0; 8], vec![0; capacity.div_ceil(32)]);
    let mut ring = Ring::new(&mut rows, 2, Classes::new(&mut labels, 2), 7, &mut pick, &mut used).unwrap();
    (0..come).map(point).for_each(|(row, label)| {
        ring.push(&row, label).unwrap();
    });
    let (net, guard) = (Net::new(Fixed::new(), Loss::CrossEntropy), auto());
    let mut memory = Memory::<Net, Auto>::new();
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    if let Some(mut from) = from {
        trainer.load(&mut ring, &mut from)?;
    }
    for _ in 0..rounds {
        trainer.round(&mut ring).unwrap();
    }
    let mut bytes = Bytes::default();
    let Ok(()) = trainer.save(&ring, &mut bytes);
    Ok((bytes.0, bits::of(trainer.params())))
}

/// A checkpoint that was made with 400 examples loads with 400 and goes on bit for bit; it loads with 401, with 40,
/// with 1,000 in a larger ring, and a run goes on.
#[test]
fn a_checkpoint_loads_with_more_examples_and_with_fewer() {
    let (checkpoint, params) = run(500, 400, None, 20).unwrap();
    let uninterrupted = run(500, 400, None, 50).unwrap();
    assert_eq!(run(500, 400, Some(&checkpoint), 30).unwrap(), uninterrupted);
    for (capacity, come) in [(500, 401), (500, 40), (1000, 1000), (400, 9), (40, 400)] {
        let resumed = run(capacity, come, Some(&checkpoint), 0).unwrap();
        assert_eq!(resumed, (checkpoint.clone(), params.clone()));
        assert_ne!(run(capacity, come, Some(&checkpoint), 30).unwrap().0, checkpoint, "the run goes on");
    }
}

/// What must match: ring or reservoir, kind of answer, classes, widths, batch size; the room only where examples are
/// saved.
#[test]
fn what_must_match_is_told_apart() {
    let ring = |capacity: usize, width: usize, classes: usize, size: usize, with_examples: bool| {
        let (mut x, mut y, mut pick, mut used) =
            (vec![0.0; capacity * width], vec![0; capacity], vec![0; size], vec![0; capacity.div_ceil(32)]);
        let ring = Ring::new(&mut x, width, Classes::new(&mut y, classes), 1, &mut pick, &mut used).unwrap();
        if with_examples { ring.with_examples().fingerprint() } else { ring.fingerprint() }
    };
    let values = |outputs: usize| {
        let (mut x, mut y, mut pick, mut used) = (vec![0.0; 80], vec![0.0; 40 * outputs], vec![0; 4], vec![0; 2]);
        Ring::new(&mut x, 2, Values::new(&mut y, outputs), 1, &mut pick, &mut used).unwrap().fingerprint()
    };
    let reservoir = {
        let (mut x, mut y, mut pick, mut used) = (vec![0.0; 80], vec![0; 40], vec![0; 4], vec![0; 2]);
        let labels = Classes::new(&mut y, 2);
        Reservoir::new(&mut x, 2, labels, &mut [0; 2], 1, &mut pick, &mut used).unwrap().fingerprint()
    };
    assert_eq!(ring(40, 2, 2, 4, false), ring(41, 2, 2, 4, false), "the room does not count");
    let all = [
        ring(40, 2, 2, 4, false),
        ring(40, 3, 2, 4, false),
        ring(40, 2, 3, 4, false),
        ring(40, 2, 2, 5, false),
        ring(40, 2, 2, 4, true),
        ring(41, 2, 2, 4, true),
        values(1),
        values(2),
        reservoir,
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
    let (checkpoint, _) = run(64, 40, None, 2).unwrap();
    let mut bytes = Bytes::default();
    let (net, guard) = (Net::new(Fixed::new(), Loss::CrossEntropy), auto());
    let mut memory = Memory::<Net, Auto>::new();
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    let (mut x, mut y, mut pick, mut used) = (vec![0.0; 128], vec![0; 64], [0; 7], [0; 2]);
    let mut other = Ring::new(&mut x, 2, Classes::new(&mut y, 2), 7, &mut pick, &mut used).unwrap();
    let Ok(()) = trainer.save(&other, &mut bytes);
    assert_eq!(trainer.load(&mut other, &mut &checkpoint[..]), Err(CheckpointError::OtherSource));
}

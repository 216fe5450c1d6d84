//! The lean relay: the fallback makes the first steps, a learned side begins where they led to, and a lost trial costs nothing but its steps.
//!
//! One memory for the states of both rules is as good as two.

use std::cell::Cell;

use lgl2o::checkpoint::Buffer;
use lgl2o::guard::relay::{Layout, RelayGuard, Separate, Shared};
use lgl2o::learned::{self, LearnedNgn};
use lgl2o::objective::Objective;
use lgl2o::rule::{Adam, Averaged, Ngn, ScaleFree, Sgd};
use lgl2o::{Rule, Trainer, Winner};
use lgl2o_tests::adversary::Terrible;
use lgl2o_tests::task::{BATCH, Data, SmallMlp, small_mlp, start};
use lgl2o_tests::{bits, run};

use crate::alone::HOPELESS;
use crate::relay::{Counting, alone};
use crate::shorter::Unmoved;

/// Steps of start and trial; the fallback makes the first third.
const TRIAL: u32 = 30;

/// Where a run is between two rounds.
struct Place {
    is_handed_over: bool,
    drawn: u32,
    accepted: usize,
    winner: Winner,
    point: Vec<u32>,
}

/// All places of a run of so many steps, the one after the start first, and the point there.
fn places(
    guard: &RelayGuard<impl Rule, impl Rule, 0>,
    data: &Data,
    steps: u64,
) -> (<SmallMlp as Objective>::Params, Vec<Place>) {
    let objective = small_mlp();
    let mut memory = run::memory(&objective, guard, &start(&objective, 2));
    let (drawn, mut places, mut begun) = (Cell::new(0), Vec::new(), None);
    data.sampling(BATCH, 3, |sampler| {
        let mut source = Counting { source: sampler, drawn: &drawn, left: u32::MAX };
        while memory.progress().steps < steps {
            let verdict = Trainer::new(&objective, guard, &mut memory).round(&mut source).unwrap();
            if verdict.steps == 0 {
                continue;
            }
            places.push(Place {
                is_handed_over: memory.guard().is_handed_over(),
                drawn: drawn.get(),
                accepted: memory.progress().accepted as usize,
                winner: verdict.winner,
                point: bits::of(memory.params()),
            });
            begun.get_or_insert(memory.params().clone());
        }
    });
    (begun.expect("a start"), places)
}

/// The start is the fallback's own; a learned side that is out leaves what it led to, and a fallback that begins afresh there.
fn assert_lost(what: &str, learned: impl Rule + Copy, fallback: impl Rule + Copy, longest: u32) {
    let data = Data::disk(96, 1);
    let guard = RelayGuard::new(learned, fallback).race(TRIAL).longest_round(longest).lean();
    let (begun, places) = places(&guard, &data, 90);
    let objective = small_mlp();
    let first = alone(&data, &fallback, &start(&objective, 2), 0, TRIAL / 3);
    assert_eq!((places[0].winner, places[0].accepted), (Winner::Fallback, TRIAL as usize / 3), "{what}");
    assert_eq!(places[0].point, first[TRIAL as usize / 3], "{what}: the start");
    let trial = &places[1];
    assert!(trial.is_handed_over && trial.winner == Winner::Neither && trial.point == places[0].point, "{what}");
    let rest = alone(&data, &fallback, &begun, trial.drawn, 200);
    for place in &places[2..] {
        assert_eq!(place.point, rest[place.accepted - trial.accepted], "{what}: the fallback, afresh");
    }
    assert!(places.last().unwrap().accepted > trial.accepted + 20, "{what}");
}

#[test]
fn a_lost_trial_leaves_what_the_start_led_to() {
    fn each(name: &str, fallback: impl Rule + Copy) {
        for learned in HOPELESS {
            for longest in [4, 128] {
                assert_lost(&format!("{name}, {learned:?}, rounds of {longest}"), learned, fallback, longest);
            }
        }
    }
    each("sgd", Sgd::new(0.1));
    each("adam", Adam::new(0.02));
    each("averaged adam", Adam::new(0.05).averaged());
    each("averaged ngn", Unmoved(Ngn::new().averaged()));
}

/// Until the hand-over, every point that is accepted after the start is one of the learned side's own, begun there.
#[test]
fn a_won_trial_leaves_the_learned_side_alone() {
    fn each(learned: impl Rule + Copy) {
        let data = Data::disk(96, 1);
        let guard = RelayGuard::new(learned, Adam::new(0.01)).race(TRIAL).hand_over(u32::MAX).lean();
        let (begun, places) = places(&guard, &data, 150);
        let points = alone(&data, &learned, &begun, places[0].drawn, 300);
        for place in &places[1..] {
            assert_eq!(place.point, points[place.accepted - places[0].accepted]);
        }
        assert!(places.iter().all(|p| !p.is_handed_over) && places.last().unwrap().accepted > 50);
    }
    each(Adam::new(0.02).averaged());
    each(ScaleFree::new().averaged());
}

/// A fallback whose first steps lead nowhere leaves the learned side to begin at w_0.
#[test]
fn a_start_that_is_worse_is_not_kept() {
    let data = Data::disk(96, 1);
    for fallback in [Terrible { height: f32::MAX }, Terrible { height: f32::NAN }] {
        let guard = RelayGuard::new(Adam::new(0.02), fallback).race(TRIAL).hand_over(u32::MAX).lean();
        let (begun, places) = places(&guard, &data, 60);
        let initial = start(&small_mlp(), 2);
        assert_eq!((places[0].winner, bits::of(&begun)), (Winner::Neither, bits::of(&initial)));
        let points = alone(&data, &Adam::new(0.02), &initial, places[0].drawn, 100);
        assert!(places[1..].iter().all(|place| place.point == points[place.accepted]));
        assert!(places.last().unwrap().accepted > 0);
    }
}

type Learned = Averaged<&'static LearnedNgn>;
type Guarded<const SPARE: usize, Y> = RelayGuard<Learned, Averaged<Ngn>, SPARE, Y>;

/// The points of a run, and its checkpoints, one after each round; each of them is read back before the next round.
fn checkpoints<const SPARE: usize, Y>(guard: &Guarded<SPARE, Y>, data: &Data) -> Vec<(Vec<u32>, Vec<u8>)>
where
    Y: Layout<Learned, Averaged<Ngn>>,
{
    let objective = small_mlp();
    let mut memory = run::memory(&objective, guard, &start(&objective, 2));
    data.sampling(BATCH, 3, |sampler| {
        let mut seen = Vec::new();
        while memory.progress().steps < 200 {
            let mut trainer = Trainer::new(&objective, guard, &mut memory);
            trainer.round(sampler).unwrap();
            let mut bytes = vec![0; trainer.checkpoint_len(sampler)];
            trainer.save(sampler, &mut Buffer::new(&mut bytes)).unwrap();
            let mut other = run::memory(&objective, guard, &start(&objective, 9));
            Trainer::new(&objective, guard, &mut other).load(sampler, &mut bytes.as_slice()).unwrap();
            memory = other;
            seen.push((bits::of(memory.params()), bytes));
        }
        assert!(memory.guard().is_handed_over());
        seen
    })
}

/// One memory for both states: the same points, and the same checkpoints, which either form reads.
#[test]
fn a_shared_memory_changes_no_bit() {
    let data = Data::disk(96, 1);
    let separate: Guarded<1, Separate> = RelayGuard::new(learned::ngn().averaged(), Ngn::new().averaged());
    for (race, hand_over) in [(9, 60), (30, 30), (6, 1)] {
        let separate = separate.race(race).hand_over(hand_over).longest_round(7);
        let shared: Guarded<1, Shared> = lgl2o::auto().race(race).hand_over(hand_over).longest_round(7);
        assert!(checkpoints(&separate, &data) == checkpoints(&shared, &data), "{race}, {hand_over}");
        let shared: Guarded<0, Shared> = lgl2o::auto_lean().race(race).hand_over(hand_over).longest_round(7);
        assert!(checkpoints(&separate.lean(), &data) == checkpoints(&shared, &data), "lean, {race}, {hand_over}");
    }
}

//! The relay: the best checked point is kept, a lost race leaves the fallback alone, a won one the learned side, and
//! after the hand-over the fallback begins afresh.

use std::cell::Cell;

use lgl2o::fault::Adversary;
use lgl2o::guard::{RelayGuard, Unguarded};
use lgl2o::objective::{Objective, Quadratic};
use lgl2o::rule::{Adam, Momentum, Ngn, Probe, ScaleFree, Sgd, State};
use lgl2o::source::{Exact, Source};
use lgl2o::tensors::Tensors;
use lgl2o::{Error, Rule, Trainer, Winner};
use lgl2o_tests::adversary::{Attack, Terrible};
use lgl2o_tests::task::{BATCH, BOWL_START, Data, SmallMlp, bowl, small_mlp, start};
use lgl2o_tests::{bits, run};

use crate::alone::HOPELESS;
use crate::decisions::GoTo;
use crate::shorter::Unmoved;

type Params = <SmallMlp as Objective>::Params;

/// A source that counts its training batches, and knows how many steps a run has left.
pub(crate) struct Counting<'a, 's, S> {
    pub(crate) source: &'s mut S,
    pub(crate) drawn: &'a Cell<u32>,
    pub(crate) left: u32,
}

impl<O: Objective, S: Source<O>> Source<O> for Counting<'_, '_, S> {
    fn begin_round(&mut self) {
        self.source.begin_round();
    }
    fn room(&self) -> u32 {
        self.source.room()
    }
    fn left(&self) -> u32 {
        self.left
    }
    fn train(&mut self) -> Result<O::Batch<'_>, Error> {
        self.drawn.set(self.drawn.get() + 1);
        self.source.train()
    }
    fn check(&mut self) -> Result<O::Batch<'_>, Error> {
        self.source.check()
    }
    fn objective(&mut self, i: usize) -> Result<Option<O::Batch<'_>>, Error> {
        self.source.objective(i)
    }
}

/// All points of a rule's run alone that begins after so many training batches.
pub(crate) fn alone(data: &Data, rule: &impl Rule, initial: &Params, skipped: u32, steps: u32) -> Vec<Vec<u32>> {
    let (objective, guard) = (small_mlp(), Unguarded::new(rule));
    data.sampling(BATCH, 3, |sampler| {
        for _ in 0..skipped {
            Source::<SmallMlp>::train(sampler).unwrap();
        }
        let mut memory = run::memory(&objective, &guard, initial);
        let mut points = vec![bits::of(initial)];
        for _ in 0..steps {
            Trainer::new(&objective, &guard, &mut memory).round(sampler).unwrap();
            points.push(bits::of(memory.params()));
        }
        points
    })
}

/// A lost race: every accepted point is one of the fallback's own, at the step that the progress says, bit for bit. How
/// many steps of its run were accepted, and of the run's batches that it has not seen.
fn assert_fallback_alone(what: &str, guard: &RelayGuard<impl Rule, impl Rule>, fallback: &impl Rule) {
    let (objective, data) = (small_mlp(), Data::disk(96, 1));
    let initial = start(&objective, 2);
    let mut memory = run::memory(&objective, guard, &initial);
    let (drawn, mut skipped, mut accepted) = (Cell::new(0), None, Vec::new());
    data.sampling(BATCH, 3, |sampler| {
        let mut source = Counting { source: sampler, drawn: &drawn, left: u32::MAX };
        let mut trainer = Trainer::new(&objective, guard, &mut memory);
        while trainer.progress().steps < 90 {
            let verdict = trainer.round(&mut source).unwrap();
            assert_ne!(verdict.winner, Winner::Learned, "{what}");
            if skipped.is_none() && verdict.learned_loss.is_some() {
                skipped = Some(drawn.get() - trainer.progress().steps as u32);
            }
            accepted.push((trainer.progress().accepted as usize, bits::of(trainer.params())));
        }
    });
    let points = alone(&data, fallback, &initial, skipped.expect("a race"), 200);
    for (steps, point) in accepted {
        assert_eq!(point, points[steps], "{what}, step {steps}");
    }
    assert!(memory.progress().accepted > 20, "{what}");
}

#[test]
fn a_lost_race_leaves_the_fallback_alone() {
    fn each(name: &str, fallback: impl Rule + Copy) {
        for learned in HOPELESS {
            let what = format!("{name}, {learned:?}");
            let guard = RelayGuard::new(learned, fallback).race(30);
            assert_fallback_alone(&what, &guard, &fallback);
            assert_fallback_alone(&what, &guard.longest_round(4), &fallback);
            assert_fallback_alone(&format!("{what}, latest"), &guard.keep_latest(true), &fallback);
        }
    }
    each("sgd", Sgd::new(0.1));
    each("momentum", Momentum::new(0.05));
    each("adam", Adam::new(0.02));
    each("averaged adam", Adam::new(0.05).averaged());
    // NGN makes shorter steps where it is asked to, and leaves its own run there.
    each("averaged ngn", Unmoved(Ngn::new().averaged()));
}

/// Keeping the latest, the accepted parameters are the fallback's at each of its steps that ends a window.
#[test]
fn the_latest_is_as_far_as_the_run() {
    let (objective, data) = (small_mlp(), Data::disk(96, 1));
    let guard = RelayGuard::new(Adversary::Ascent, Sgd::new(0.3)).race(9).keep_latest(true);
    let run = data.sampling(BATCH, 3, |s| run::rounds(&objective, &guard, s, &start(&objective, 2), 12)).unwrap();
    assert!(run.verdicts.iter().all(|v| v.accepted == v.steps), "{:?}", run.verdicts);
}

/// A won race, and until the hand-over: every accepted point is one of the learned side's own, bit for bit.
#[test]
fn before_the_hand_over_the_learned_side_is_alone() {
    fn each(learned: impl Rule + Copy) {
        let (objective, data) = (small_mlp(), Data::disk(96, 1));
        let initial = start(&objective, 2);
        let points = alone(&data, &learned, &initial, 0, 300);
        let guard = RelayGuard::new(learned, Terrible { height: f32::MAX }).race(30).hand_over(u32::MAX);
        let mut memory = run::memory(&objective, &guard, &initial);
        data.sampling(BATCH, 3, |sampler| {
            let mut trainer = Trainer::new(&objective, &guard, &mut memory);
            while trainer.progress().steps < 150 {
                trainer.round(sampler).unwrap();
                assert_eq!(bits::of(trainer.params()), points[trainer.progress().accepted as usize]);
            }
        });
        assert!(memory.progress().accepted > 50 && !memory.guard().is_handed_over(), "{:?}", memory.progress());
    }
    each(Adam::new(0.02));
    each(Adam::new(0.02).averaged());
    each(ScaleFree::new().averaged());
}

/// From the hand-over on: the fallback, begun afresh from what was accepted then.
#[test]
fn after_the_hand_over_the_fallback_begins_afresh() {
    let (objective, fallback) = (bowl(), Momentum { beta: 0.5, ..Momentum::new(0.02) });
    let guard = RelayGuard::new(Sgd::new(0.1), fallback).race(6).hand_over(9).keep_latest(true).exact(true);
    let mut memory = run::memory(&objective, &guard, &BOWL_START);
    while !memory.guard().is_handed_over() {
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        assert_eq!(verdict.winner, Winner::Learned);
    }
    assert_eq!(memory.progress().steps, 9);
    let from = *memory.params();
    for _ in 0..5 {
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        assert_eq!(verdict.winner, Winner::Fallback);
        let steps = (memory.progress().steps - 9) as u32;
        let alone = run::rounds(&objective, &Unguarded::new(fallback), &mut Exact, &from, steps).unwrap();
        assert_eq!(bits::of(memory.params()), bits::of(&alone.params), "after {steps} steps");
    }
}

/// The one batch there is, said to be one of so many.
struct OneOf(u32);

impl Source<Quadratic<1>> for OneOf {
    fn epoch(&self) -> u32 {
        self.0
    }
    fn train(&mut self) -> Result<(), Error> {
        Ok(())
    }
    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }
    fn objective(&mut self, i: usize) -> Result<Option<()>, Error> {
        Source::<Quadratic<1>>::objective(&mut Exact, i)
    }
}

/// Steps after which a guard hands over on F(w) = w^2 / 2, from w = 1.
fn handed_at<L: Rule, F: Rule>(guard: &RelayGuard<L, F>) -> u64 {
    handed_at_on(guard, &mut Exact)
}

/// The same on a source.
fn handed_at_on<L: Rule, F: Rule>(guard: &RelayGuard<L, F>, source: &mut impl Source<Quadratic<1>>) -> u64 {
    let objective = Quadratic::new([1.0], [0.0]).unwrap();
    let mut memory = run::memory(&objective, guard, &[1.0]);
    while !memory.guard().is_handed_over() {
        Trainer::new(&objective, guard, &mut memory).round(source).unwrap();
    }
    memory.progress().steps
}

/// A learned side that stands still hands over after two windows, but not where its loss is a thousandth of the start's or less:
/// there it runs until it has made five times its steps.
#[test]
fn a_solved_task_is_not_handed_over_early() {
    for (stands_at, early) in [(0.031, false), (0.032, true), (0.0, false), (0.9, true)] {
        let guard = RelayGuard::new(GoTo(stands_at), Sgd::new(0.1)).race(3).hand_over(100).exact(true);
        assert_eq!(handed_at(&guard), if early { 5 } else { 500 }, "{stands_at}");
    }
}

/// Goes towards 1/2, a 64th in a step, and stands there.
#[derive(Debug, Clone, Copy)]
struct Stagnates;

impl Rule for Stagnates {
    type State<P: Tensors> = State<P, 0>;
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }
    fn step<P: Tensors>(&self, _: &mut State<P, 0>, params: &mut P, _: &P, _: f32, _: &mut impl Probe<P>) {
        let w = params.tensor(0)[0];
        params.fill(if w > 0.5 { w - 1.0 / 64.0 } else { w });
    }
    fn observe<P: Tensors>(&self, _: &mut State<P, 0>, _: &P, _: &P, _: f32) {}
}

/// Windows end at 3, 4, 5, 6, 8, 10, 13, 17, 22, 29, 38, 50, 66 steps; the last one that gains is that to 38. From a
/// fifth of its steps on the learned side hands over after one without a gain, before that after two.
#[test]
fn late_in_its_run_a_learned_side_has_to_gain() {
    for (hand_over, expected) in [(100, 50), (250, 50), (255, 66), (1000, 66)] {
        let guard = RelayGuard::new(Stagnates, Sgd::new(0.01)).race(3).hand_over(hand_over).exact(true);
        assert_eq!(handed_at(&guard), expected, "{hand_over}");
    }
}

/// A learned side that gains in every window: those of [`Stagnates`] up to 38 steps. It hands over at the end of the
/// first one that is a fifth of its steps and ten passes over the data long, and never later than where nobody has
/// counted the data; a solved task stays.
#[test]
fn many_passes_over_few_examples_hand_over() {
    for (epoch, expected) in [(1, 22), (2, 22), (3, 38), (4, 50), (u32::MAX, 50)] {
        let guard = RelayGuard::new(Stagnates, Sgd::new(0.01)).race(3).hand_over(100).exact(true);
        assert_eq!(handed_at_on(&guard, &mut OneOf(epoch)), expected, "{epoch}");
    }
    let guard = RelayGuard::new(Stagnates, Sgd::new(0.01)).race(3).hand_over(15).exact(true);
    assert_eq!(handed_at_on(&guard, &mut OneOf(2)), 15, "it never stays longer");
    let guard = RelayGuard::new(GoTo(0.031), Sgd::new(0.1)).race(3).hand_over(100).exact(true);
    assert_eq!(handed_at_on(&guard, &mut OneOf(1)), 500, "the task is solved");
}

/// With exact losses no round ends above its beginning, whoever proposes and however bad the fallback is; nothing that is
/// not finite is kept, and no run ends in an error.
#[test]
fn no_round_ends_above_its_beginning() {
    let objective = bowl();
    for (learned, rate, held_out) in Attack::all(0.1)
        .flat_map(|a| [0.15, 0.5, 1e30].map(|rate| (a, rate)))
        .flat_map(|(a, rate)| [false, true].map(|held_out| (a, rate, held_out)))
    {
        let guard = RelayGuard::new(learned, Sgd::new(rate)).race(6).hand_over(30);
        let guard = if held_out { guard.held_out(true) } else { guard.exact(true) };
        let mut memory = run::memory(&objective, &guard, &BOWL_START);
        let mut trainer = Trainer::new(&objective, &guard, &mut memory);
        let mut before = trainer.loss(()).unwrap();
        for _ in 0..60 {
            let verdict = trainer.round(&mut Exact).unwrap();
            let after = trainer.loss(()).unwrap();
            assert!(after <= before && trainer.params().is_finite(), "{learned:?}, {rate}: {verdict:?}");
            assert_eq!(verdict.winner == Winner::Neither, after == before, "{learned:?}, {rate}: {verdict:?}");
            assert_eq!(verdict.winner == Winner::Neither, verdict.accepted == 0, "{learned:?}, {rate}");
            before = after;
        }
        assert!(trainer.progress().steps > 60);
    }
}

/// On minibatches, with any adversary on either side: parameters stay finite, and there is no error.
#[test]
fn nothing_that_is_not_finite_is_kept() {
    let (objective, data) = (small_mlp(), Data::disk(96, 6));
    let initial = start(&objective, 7);
    for (learned, fallback) in Adversary::ALL.into_iter().flat_map(|a| Adversary::ALL.map(|b| (a, b))) {
        let guard = RelayGuard::new(learned, fallback).race(6).hand_over(20);
        let mut memory = run::memory(&objective, &guard, &initial);
        data.sampling(BATCH, 8, |sampler| {
            let mut trainer = Trainer::new(&objective, &guard, &mut memory);
            for _ in 0..20 {
                let verdict = trainer.round(sampler).unwrap();
                assert!(trainer.params().is_finite(), "{learned:?}, {fallback:?}");
                assert!(!verdict.standard_error.is_nan() && !verdict.train_loss.is_nan());
            }
        });
    }
}

/// A run that is cut anywhere ends with a check of all that it has done.
#[test]
fn a_run_ends_with_a_check() {
    let (objective, data) = (small_mlp(), Data::disk(96, 1));
    let guard = RelayGuard::new(Adam::new(0.02).averaged(), Adam::new(0.02)).race(9).longest_round(5);
    for last in [1, 2, 8, 9, 10, 33, 70] {
        let mut memory = run::memory(&objective, &guard, &start(&objective, 2));
        data.sampling(BATCH, 3, |sampler| {
            let mut trainer = Trainer::new(&objective, &guard, &mut memory);
            let mut judged = false;
            while trainer.progress().steps < last {
                let left = (last - trainer.progress().steps) as u32;
                let mut source = Counting { source: &mut *sampler, drawn: &Cell::new(0), left };
                let verdict = trainer.round(&mut source).unwrap();
                assert_eq!(verdict.steps == 0, verdict.learned_loss.is_none() && verdict.fallback_loss.is_none());
                judged = verdict.steps > 0;
            }
            assert!(judged);
            assert_eq!(trainer.progress().steps, last);
        });
    }
}

/// The default costs 1.2 times the steps' gradients over 100 steps and 1.1 over 1000, with a learned side that is good.
#[test]
fn guarding_costs_little() {
    let (objective, data) = (small_mlp(), Data::disk(512, 1));
    let guard = RelayGuard::new(ScaleFree::new().averaged(), Ngn::new().averaged());
    for (last, most) in [(100, 1.25), (1000, 1.1)] {
        let mut memory = run::memory(&objective, &guard, &start(&objective, 2));
        data.sampling(BATCH, 3, |sampler| {
            let mut trainer = Trainer::new(&objective, &guard, &mut memory);
            while trainer.progress().steps < last {
                let left = (last - trainer.progress().steps) as u32;
                trainer.round(&mut Counting { source: &mut *sampler, drawn: &Cell::new(0), left }).unwrap();
            }
            let cost = trainer.progress().spent.in_forwards() as f64 / (3 * BATCH as u64 * last) as f64;
            println!("{cost:.3} over {last} steps");
            assert!(cost <= most, "{cost} over {last} steps");
        });
    }
}

//! Races, strides and the fallback alone: what each kind of round promises.

use std::fmt::Debug;

use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, Follow, KeepOwn, LossGuard, Reset, Rewind, StatePolicy, Unguarded};
use lgl2o::objective::Blank;
use lgl2o::rule::{Adam, Armijo, Momentum, Sgd};
use lgl2o::source::{Exact, Source};
use lgl2o::{Guard, Rule, Trainer, Verdict, Winner, learned};
use lgl2o_tests::adversary::Terrible;
use lgl2o_tests::reference::losses::wide;
use lgl2o_tests::task::{BATCH, BOWL_START, Data, bowl, bowl64, small_mlp, start};
use lgl2o_tests::{bits, cases, run};
use proptest::prelude::*;

use crate::adversaries::losses;
use crate::alone::HOPELESS;

pub(crate) const B: u64 = BATCH as u64;

/// Settings of the schedule: the longest stride, audits, budget.
pub(crate) type Switches = (u32, bool, bool);

/// All that are in range, with strides of up to 8.
pub(crate) const SWITCHES: [Switches; 6] =
    [(0, true, false), (0, true, true), (8, true, false), (8, true, true), (8, false, false), (8, false, true)];

/// A guard with another schedule.
pub(crate) fn scheduled<L, F, S>(guard: LossGuard<L, F, S>, (stride, audits, budget): Switches) -> LossGuard<L, F, S> {
    guard.stride(stride).stretch(0).audits(audits).budget(budget)
}

/// What a round was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Race,
    Stride,
    Alone,
}

/// What a round with n_t > 1 was, by its verdict: nobody looks at losses where the fallback goes on alone; a stride
/// makes no gradient but the learned side's, and one fallback step.
pub(crate) fn kind(verdict: &Verdict, batch: u64) -> Kind {
    let won = verdict.winner == Winner::Learned;
    match u64::from(verdict.steps) * batch {
        _ if verdict.learned_loss.is_none() => Kind::Alone,
        gradients if won && verdict.spent.gradients == gradients => Kind::Stride,
        gradients if !won && gradients == batch => Kind::Stride,
        _ => Kind::Race,
    }
}

/// Where and how a guarantee is held against a run.
#[derive(Debug, Clone, Copy)]
struct Setting {
    start: [f32; 4],
    /// The fallback's rate.
    rate: f32,
    train: u32,
    gaps: (u32, u32),
    veto: bool,
    stay: bool,
}

fn setting() -> impl Strategy<Value = Setting> {
    let number = || -3f32..3.0;
    let start = [number(), number(), number(), number()];
    let gaps = (1u32..8, 0u32..40).prop_map(|(short, more)| (short, short + more));
    (start, 0.02f32..0.98, 2u32..6, gaps, any::<bool>(), any::<bool>()).prop_map(
        |(start, share, train, gaps, veto, stay)| Setting { start, rate: 0.2 * share, train, gaps, veto, stay },
    )
}

impl Setting {
    /// Holds every round of a run against the theorem, and returns how many rounds of each kind there were, and how many
    /// strides were won.
    ///
    /// A step from w is rounded by e = 1e-6 (1 + |w|) at most, which changes F by |g| e + L e^2 / 2, |g|^2 <= 2 L F; a
    /// comparison in single precision is wrong about no more than that and 1e-5 F.
    fn assert_guaranteed(&self, learned: impl Rule + Debug, switches: Switches) -> [u32; 4] {
        let what = format!("{learned:?}, {switches:?}, {self:?}");
        let fallback = Sgd::new(self.rate);
        let guard = scheduled(LossGuard::new(learned, fallback), switches)
            .batches(self.train, 1)
            .decision(Decision::FullObjective)
            .gaps(self.gaps.0, self.gaps.1)
            .veto(self.veto)
            .stay(self.stay);
        let (objective, rate) = (bowl(), f64::from(self.rate));
        // mu = 1, L = 10.
        let rho = 1.0 - 2.0 * rate * (1.0 - 5.0 * rate);
        let mut counts = [0; 4];
        let mut memory = run::memory(&objective, &guard, &self.start);
        for round in 0..60 {
            let w = *memory.params();
            let (_, step) = losses(&objective, &w, &fallback, 1, &mut Exact);
            let mut trainer = Trainer::new(&objective, &guard, &mut memory);
            let verdict = trainer.round(&mut Exact).unwrap();
            let after = trainer.loss(()).unwrap();
            let before = bowl64().value(&wide(&w));
            let e = 1e-6 * (1.0 + f64::from(w.iter().fold(0.0, |m: f32, x| m.max(x.abs()))));
            let rounding = (20.0 * before).sqrt() * e + 5.0 * e * e + 1e-5 * before;
            let reached = bowl64().value(&wide(trainer.params()));
            assert!(reached <= rho * before + rounding, "rho: {what}: {reached} from {before}: {verdict:?}");
            let kind = kind(&verdict, 1);
            assert!(kind == Kind::Race || after <= step, "{what}: round {round} ends above a step: {verdict:?}");
            assert!(f64::from(after) <= f64::from(step) + rounding, "{what}: {after} after {step}: {verdict:?}");
            counts[kind as usize] += 1;
            counts[3] += u32::from(kind == Kind::Stride && verdict.winner == Winner::Learned);
        }
        counts
    }
}

proptest! {
    #![proptest_config(cases!(40, "guard_laws/rounds"))]

    /// The theorem holds round by round, of whatever kind: with gradient descent at 0 < rate < 2/L as fallback and
    /// *full objective*, F(after) <= F(one step of the fallback) and F(after) <= rho F(before), rho = 1 - 2 mu rate
    /// (1 - rate L / 2), whatever is proposed.
    #[test]
    fn every_round_makes_the_fallbacks_progress(setting in setting()) {
        for switches in SWITCHES {
            for learned in Adversary::ALL {
                setting.assert_guaranteed(learned, switches);
            }
            setting.assert_guaranteed(Sgd::new(0.12), switches);
            setting.assert_guaranteed(Momentum::new(0.02), switches);
            setting.assert_guaranteed(Adam::new(0.3), switches);
        }
    }
}

/// A setting in which every kind of round is met.
const PLAIN: Setting = Setting { start: BOWL_START, rate: 0.01, train: 3, gaps: (5, 20), veto: false, stay: false };

/// The law above is about something: all kinds of rounds occur, and strides are won.
#[test]
fn every_kind_of_round_occurs() {
    let [races, _, alone, _] = PLAIN.assert_guaranteed(Adversary::Ascent, (8, true, true));
    assert!(races > 1 && alone > races);
    let [races, strides, _, won] = PLAIN.assert_guaranteed(Sgd::new(0.03), (8, true, true));
    assert!(races > 1 && strides > races && won > races);
    let [races, strides, alone, _] = PLAIN.assert_guaranteed(Adversary::Betray(30), (8, false, true));
    assert!(races == 0 && strides > 1 && alone > 1);
}

/// And it can fail: at a rate above 2/L the fallback itself climbs.
#[test]
#[should_panic(expected = "rho")]
fn above_the_premise_there_is_no_guarantee() {
    Setting { rate: 0.3, ..PLAIN }.assert_guaranteed(Adversary::Ascent, (8, true, true));
}

/// Parameters of a rule alone after 0, 1, 2, ... steps.
fn trajectory<O: Blank>(
    objective: &O,
    rule: impl Rule,
    source: &mut impl Source<O>,
    start: &O::Params,
    steps: u32,
) -> Vec<Vec<u32>> {
    let guard = Unguarded::new(rule);
    let mut memory = run::memory(objective, &guard, start);
    let mut points = vec![bits::of(start)];
    for _ in 0..steps {
        Trainer::new(objective, &guard, &mut memory).round(source).unwrap();
        points.push(bits::of(memory.params()));
    }
    points
}

/// Follows a trajectory with a guard whose rounds all end alike, and returns the verdicts.
fn assert_follows<O: Blank>(
    what: &str,
    (objective, start): (&O, &O::Params),
    guard: &impl Guard,
    source: &mut impl Source<O>,
    (points, winner): (&[Vec<u32>], Winner),
) -> Vec<Verdict> {
    let mut memory = run::memory(objective, guard, start);
    let mut verdicts = Vec::new();
    // A round takes 40 steps at most, or a quarter of all so far.
    let longest = |steps: u64| (steps / 4).max(40);
    while memory.progress().steps + longest(memory.progress().steps) < points.len() as u64 {
        let verdict = Trainer::new(objective, guard, &mut memory).round(source).unwrap();
        let steps = memory.progress().steps;
        assert_eq!(verdict.winner, winner, "{what}: {verdict:?}");
        assert_eq!(bits::of(memory.params()), points[steps as usize], "{what}: step {steps}");
        verdicts.push(verdict);
    }
    verdicts
}

/// Every hopeless proposal against one fallback: the run of the fallback alone, step for step, on the same batches.
///
/// With all check batches: a classifier that answers one class only, however wildly, looks good on a batch that happens
/// to hold no other, which is no rare thing among batches of eight.
fn assert_rejected<S: StatePolicy + Copy>(fallback: impl Rule + Copy + Debug) {
    let (objective, data) = (small_mlp(), Data::disk(400, 1));
    let initial = start(&objective, 2);
    let points = data.sampling(BATCH, 3, |s| trajectory(&objective, fallback, s, &initial, 500));
    let exact = trajectory(&bowl(), fallback, &mut Exact, &BOWL_START, 200);
    for learned in HOPELESS {
        let guard = LossGuard::new(learned, fallback).early_stop(0.0).policy::<S>();
        let what = format!("{learned:?}, {fallback:?}");
        for guard in [guard, guard.budget(false), guard.stride(0), guard.gaps(3, 12), guard.veto(false)] {
            let case = (&objective, &initial);
            let end = (&points[..], Winner::Fallback);
            let verdicts = data.sampling(BATCH, 3, |s| assert_follows(&what, case, &guard, s, end));
            assert!(verdicts.iter().all(|v| kind(v, B) != Kind::Stride), "who has lost the first race has no strides");
        }
        // A lost stride has taken batches that the fallback has not; where there is only one, that is no matter.
        for switches in SWITCHES {
            let (case, end) = ((&bowl(), &BOWL_START), (&exact[..], Winner::Fallback));
            assert_follows(&what, case, &scheduled(guard, switches), &mut Exact, end);
        }
    }
}

/// A default guard whose proposals are all rejected is the fallback alone, whatever state the fallback has, as long as no check
/// finds that it has climbed far. (Searches from a rate of 1 do, here, and so does momentum that
/// swings.)
#[test]
fn all_rejected_is_the_fallback_alone() {
    assert_rejected::<KeepOwn>(Sgd::new(0.05));
    assert_rejected::<KeepOwn>(Adam::new(0.05));
    assert_rejected::<KeepOwn>(Armijo::new(0.2).unwrap());
    assert_rejected::<Rewind>(Momentum { beta: 0.5, ..Momentum::new(0.02) });
    assert_rejected::<Reset>(Momentum { beta: 0.5, ..Momentum::new(0.02) });
    assert_rejected::<Follow>(Momentum { beta: 0.5, ..Momentum::new(0.02) });
}

/// Every proposal is accepted, since the fallback's is terrible: the run of the learned rule alone.
fn assert_accepted<S: StatePolicy + Copy + Debug>(learned: impl Rule + Copy + Debug) {
    let (objective, data) = (small_mlp(), Data::disk(400, 1));
    let initial = start(&objective, 2);
    let points = data.sampling(BATCH, 3, |s| trajectory(&objective, learned, s, &initial, 300));
    // Finite losses of 10^4 lose by any margin of a few standard errors only where all examples suffer alike.
    let guards = [(f32::MAX, Decision::Margin { z: 2.0 }), (1e4, Decision::Lower)].map(|(height, decision)| {
        LossGuard::new(learned, Terrible { height }).early_stop(0.0).decision(decision).veto(false).policy::<S>()
    });
    for (guard, switches) in guards.into_iter().flat_map(|g| SWITCHES.map(|s| (g, s))) {
        let guards = [guard, guard.gaps(5, 40), guard.batches(3, 5), guard.stride(32)];
        for guard in guards.map(|guard| if switches.0 > 0 { scheduled(guard, switches) } else { guard }) {
            let what = format!("{learned:?}, {guard:?}");
            let (case, end) = ((&objective, &initial), (&points[..], Winner::Learned));
            let verdicts = data.sampling(BATCH, 3, |s| assert_follows(&what, case, &guard, s, end));
            assert!(verdicts.iter().any(|v| kind(v, B) == Kind::Stride), "{what}");
        }
    }
}

/// A guard whose proposals are all accepted is the learned rule alone: a stride uses every batch that it takes, and in
/// races both sides take the same ones.
#[test]
fn all_accepted_is_the_learned_rule_alone() {
    assert_accepted::<KeepOwn>(Adam::new(0.01));
    assert_accepted::<KeepOwn>(learned::ngn());
    assert_accepted::<Rewind>(Adam::new(0.01));
    assert_accepted::<Reset>(Adam::new(0.01));
    assert_accepted::<Follow>(Adam::new(0.01));
}

/// A race that nobody won because the fallback was lost says nothing of the learned side: the next round asks again.
#[test]
fn a_lost_fallback_is_not_left_alone() {
    let guard = LossGuard::new(Adversary::Nan, Adversary::Infinite);
    let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 5).unwrap();
    assert!(run.verdicts.iter().all(|v| v.learned_loss.is_some() && v.accepted == 0), "{:?}", run.verdicts);
}

//! Races, strides and the fallback alone: what each kind of round promises and costs, and how often a side that loses
//! is asked.

use std::fmt::Debug;

use lgl2o::batch::{Batch, Exact, Source};
use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, Follow, KeepOwn, LossGuard, Reset, Rewind, StatePolicy, Unguarded};
use lgl2o::objective::Blank;
use lgl2o::oracle::Cost;
use lgl2o::rule::{Adam, Armijo, Momentum, Sgd};
use lgl2o::{Error, Guard, Rule, Trainer, Verdict, Winner, learned};
use lgl2o_tests::adversary::Terrible;
use lgl2o_tests::oracle::wide;
use lgl2o_tests::task::{BATCH, BOWL_START, Data, SmallMlp, bowl, bowl64, small_mlp, start};
use lgl2o_tests::trail::{Move, Trail};
use lgl2o_tests::{bits, cases, run};
use proptest::prelude::*;

use crate::adversaries::losses;
use crate::alone::HOPELESS;

const B: u64 = BATCH as u64;

/// Settings of the pace: the longest stride, audits, budget.
pub(crate) type Switches = (u32, bool, bool);

/// All that are in range, with strides of up to 8.
pub(crate) const SWITCHES: [Switches; 6] =
    [(0, true, false), (0, true, true), (8, true, false), (8, true, true), (8, false, false), (8, false, true)];

/// A guard with another pace.
pub(crate) fn paced<L, F, S>(guard: LossGuard<L, F, S>, (stride, audits, budget): Switches) -> LossGuard<L, F, S> {
    guard.stride(stride).stretch(0).audits(audits).budget(budget)
}

/// What a round was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Race,
    Stride,
    Alone,
}

/// What a round with n_t > 1 was, by its verdict: nobody looks at losses where the fallback goes on alone; a stride
/// makes no gradient but the learned side's, and one fallback step.
fn kind(verdict: &Verdict, batch: u64) -> Kind {
    let won = verdict.winner == Winner::Learned;
    match u64::from(verdict.steps) * batch {
        _ if verdict.learned_loss.is_nan() => Kind::Alone,
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
    /// Holds every round of a run against the theorem, and gives how many rounds of each kind there were, and how many
    /// strides were won.
    ///
    /// A step from w is rounded by e = 1e-6 (1 + |w|) at most, which changes F by |g| e + L e^2 / 2, |g|^2 <= 2 L F; a
    /// comparison in single precision is wrong about no more than that and 1e-5 F.
    fn assert_guaranteed(&self, learned: impl Rule + Debug, switches: Switches) -> [u32; 4] {
        let what = format!("{learned:?}, {switches:?}, {self:?}");
        let fallback = Sgd::new(self.rate);
        let guard = paced(LossGuard::new(learned, fallback), switches)
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
    #![proptest_config(cases!(40, "guard_laws/pace"))]

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

/// Follows a trajectory with a guard whose rounds all end alike, and gives the verdicts.
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
            assert_follows(&what, case, &paced(guard, switches), &mut Exact, end);
        }
    }
}

/// A default guard whose proposals are all rejected is the fallback alone, whatever state the fallback has.
#[test]
fn all_rejected_is_the_fallback_alone() {
    assert_rejected::<KeepOwn>(Sgd::new(0.05));
    assert_rejected::<KeepOwn>(Adam::new(0.05));
    assert_rejected::<KeepOwn>(Armijo::new(1.0).unwrap());
    assert_rejected::<Rewind>(Momentum::new(0.02));
    assert_rejected::<Reset>(Momentum::new(0.02));
    assert_rejected::<Follow>(Momentum::new(0.02));
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
        for guard in guards.map(|guard| if switches.0 > 0 { paced(guard, switches) } else { guard }) {
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
    assert_accepted::<KeepOwn>(learned::tiny());
    assert_accepted::<Rewind>(Adam::new(0.01));
    assert_accepted::<Reset>(Adam::new(0.01));
    assert_accepted::<Follow>(Adam::new(0.01));
}

/// A round of a scripted run: what it was, counted by the steps that both sides have made, and who won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Round {
    kind: Kind,
    /// Steps of the learned side.
    k: u32,
    won: bool,
}

/// Settings of a scripted run.
#[derive(Debug, Clone, Copy)]
struct Scripted {
    switches: Switches,
    train: u32,
    check: u32,
    gaps: (u32, u32),
    veto: bool,
    stay: bool,
}

fn scripted() -> impl Strategy<Value = Scripted> {
    let switches = prop::sample::select(&SWITCHES[..]);
    let gaps = (1u32..8, 0u32..40).prop_map(|(short, more)| (short, short + more));
    (switches, 2u32..6, 1u32..4, gaps, any::<bool>(), any::<bool>())
        .prop_map(|(switches, train, check, gaps, veto, stay)| Scripted { switches, train, check, gaps, veto, stay })
}

impl Scripted {
    /// Runs until the script of wins and losses of contested rounds is used up; checks cost and steps of every round.
    fn rounds(&self, script: &[bool]) -> Vec<Round> {
        // From where it starts, a step at 0.1 is better than five at 0.01, and a climb is worse.
        let (learned, fallback) = (Trail::new(0.1, 0.05), Trail::new(0.01, 0.1));
        let guard = paced(LossGuard::new(&learned, &fallback), self.switches)
            .batches(self.train, self.check)
            .gaps(self.gaps.0, self.gaps.1)
            .veto(self.veto)
            .stay(self.stay);
        let objective = bowl();
        let mut memory = run::memory(&objective, &guard, &BOWL_START);
        let (mut rounds, mut used) = (Vec::new(), 0);
        while used < script.len() {
            learned.next.set(if script[used] { Move::Good } else { Move::Bad });
            memory.params_mut().copy_from_slice(&BOWL_START);
            let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
            let (k, n) = (learned.take().len() as u32, fallback.take().len() as u32);
            let kind = match (k, n) {
                (0, 1) => Kind::Alone,
                (_, 1) => Kind::Stride,
                _ => Kind::Race,
            };
            let won = kind != Kind::Alone && script[used];
            used += usize::from(kind != Kind::Alone);
            self.assert_verdict(&verdict, kind, k, won);
            rounds.push(Round { kind, k, won });
        }
        rounds
    }

    fn assert_verdict(&self, verdict: &Verdict, kind: Kind, k: u32, won: bool) {
        let winner = if won { Winner::Learned } else { Winner::Fallback };
        assert_eq!(verdict.winner, winner, "{self:?}, {kind:?}, {verdict:?}");
        let judged = if self.veto || self.stay { 3 } else { 2 } * self.check;
        let (gradients, forwards, steps) = match kind {
            Kind::Race => (2 * self.train - 1, judged, self.train),
            Kind::Stride => (k, judged, if won { k } else { 1 }),
            Kind::Alone => (1, if self.stay { 2 * self.check } else { 0 }, 1),
        };
        let spent = Cost { gradients: gradients.into(), forwards: forwards.into() };
        assert_eq!((verdict.spent, verdict.steps), (spent, steps), "{self:?}, {kind:?}, k = {k}");
        assert!(kind != Kind::Race || k == self.train, "{self:?}");
    }

    /// What must follow a round, by the words of the documentation.
    fn assert_order(&self, [before, after]: [Round; 2]) -> Result<(), TestCaseError> {
        let (limit, audits, budget) = self.switches;
        let what = format!("{self:?}: {after:?} after {before:?}");
        match before {
            Round { kind: Kind::Race, won: true, .. } if limit > 0 => {
                prop_assert_eq!(after.kind, Kind::Stride, "{}", what);
                prop_assert!(after.k <= self.train, "{}", what);
            }
            Round { kind: Kind::Race, won: true, .. } => prop_assert_eq!(after.kind, Kind::Race, "{}", what),
            Round { kind: Kind::Race, .. } if budget => prop_assert_eq!(after.kind, Kind::Alone, "{}", what),
            Round { kind: Kind::Race, .. } => prop_assert_eq!(after.kind, Kind::Race, "{}", what),
            Round { kind: Kind::Stride, won: true, k } => {
                prop_assert!(after.kind == Kind::Stride || audits && after.kind == Kind::Race, "{}", what);
                let doubled = after.k == limit.min(2 * k);
                prop_assert!(audits || doubled, "{}", what);
                prop_assert!(after.kind == Kind::Race || after.k <= limit.min(2 * k), "{}", what);
            }
            Round { kind: Kind::Stride, .. } if audits => prop_assert_eq!(after.kind, Kind::Race, "{}", what),
            Round { kind: Kind::Stride, .. } if budget => prop_assert_eq!(after.kind, Kind::Alone, "{}", what),
            Round { kind: Kind::Stride, .. } => prop_assert_eq!((after.kind, after.k), (Kind::Stride, 1), "{}", what),
            Round { kind: Kind::Alone, .. } => {
                let contest = if audits { Kind::Race } else { Kind::Stride };
                prop_assert!(budget && (after.kind == Kind::Alone || after.kind == contest && after.k <= self.train));
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases!(400, "guard_laws/pace"))]

    /// A stride of k costs k gradients and the check, a round alone one gradient, a race 2 n_t - 1 gradients and the
    /// check; the check costs 2 n_c forwards, 3 n_c where the current parameters are looked at as well. Rounds follow
    /// each other as documented, and no two races are further apart than the longest gap.
    #[test]
    fn rounds_cost_and_follow_each_other_as_documented(
        setting in scripted(),
        script in prop::collection::vec(prop_oneof![3 => Just(true), 2 => Just(false)], 1..40),
    ) {
        let rounds = setting.rounds(&script);
        for pair in rounds.windows(2) {
            setting.assert_order([pair[0], pair[1]])?;
        }
        let (limit, audits, _) = setting.switches;
        prop_assert_eq!(rounds[0].kind, if audits { Kind::Race } else { Kind::Stride });
        prop_assert!(rounds.iter().all(|r| r.kind != Kind::Stride || (1..=limit).contains(&r.k)));
        if audits {
            let contest = |r: &Round| r.kind == Kind::Race;
            let longest = rounds.split(contest).map(|rest| rest.iter().map(|r| r.k.max(1)).sum::<u32>()).max();
            prop_assert!(longest.unwrap_or(0) <= setting.gaps.1, "{:?}", rounds);
        }
    }

    /// A side that always wins is raced at gaps that double, shortest first, up to the longest; so is one that always
    /// loses.
    #[test]
    fn gaps_double(setting in scripted(), wins in any::<bool>()) {
        let setting = Scripted { switches: (8, true, true), ..setting };
        let rounds = setting.rounds(&[wins; 40]);
        let rests = rounds.split(|r| r.kind == Kind::Race).skip(1);
        let found: Vec<u32> = rests.map(|rest| rest.iter().map(|r| r.k.max(1)).sum()).collect();
        // Trust comes first: the first won race already ends as was expected, and doubles the gap.
        let (short, long) = setting.gaps;
        let mut gap = if wins { long.min(2 * short) } else { short };
        for &rest in &found[..found.len() - 1] {
            prop_assert_eq!(rest, gap, "{:?}", rounds);
            gap = long.min(2 * gap);
        }
    }
}

/// Races, contested steps, all steps and cost of a run against one proposal over so many steps.
fn contest(guard: &impl Guard, steps: u64) -> (u32, u64, u64, Cost) {
    let (objective, data) = (small_mlp(), Data::disk(400, 1));
    let mut memory = run::memory(&objective, guard, &start(&objective, 2));
    let (mut races, mut contested) = (0, 0);
    data.sampling(BATCH, 3, |sampler| {
        while memory.progress().steps < steps {
            let verdict = Trainer::new(&objective, guard, &mut memory).round(sampler).unwrap();
            assert_eq!(verdict.winner, Winner::Fallback, "{verdict:?}");
            if kind(&verdict, B) != Kind::Alone {
                (races, contested) = (races + 1, contested + u64::from(verdict.steps));
            }
        }
    });
    (races, contested, memory.progress().steps, memory.progress().spent)
}

/// Against a side that never wins the default guard races 2 + log2(longest / shortest) times while its gaps grow, and
/// then once in longest + n_t steps; the share of contested steps falls; and 5,000 steps cost at most a tenth more than
/// the fallback alone.
#[test]
fn a_side_that_never_wins_costs_little() {
    // All check batches, so that no wild proposal looks good by chance: that costs more than stopping early does.
    let late = HOPELESS.map(|learned| (learned, 0.0));
    for (learned, early_stop) in late.into_iter().chain([(Adversary::Idle, 2.0), (Adversary::Nan, 2.0)]) {
        let guard = LossGuard::new(learned, Sgd::new(0.05)).early_stop(early_stop);
        let mut before = 1.0;
        for n in [100, 500, 1500, 5000] {
            let (races, contested, steps, spent) = contest(&guard, n);
            // 1280 / 80 = 2^4.
            assert!(u64::from(races) <= 2 + 4 + n / (1280 + 20), "{learned:?}: {races} races in {n} steps");
            let share = contested as f64 / steps as f64;
            assert!(share < before, "{learned:?}: {share} of {n} steps contested, after {before}");
            before = share;
            if n == 5000 {
                let times = spent.in_forwards() as f64 / (3 * B * steps) as f64;
                assert!(times <= 1.1, "{learned:?}: {times}");
            }
        }
    }
    let (_, contested, steps, spent) = contest(&LossGuard::new(Adversary::Idle, Sgd::new(0.05)).budget(false), 5000);
    assert!(contested == steps && spent.in_forwards() > 4 * B * steps, "the witness: without a budget it costs");
}

proptest! {
    #![proptest_config(cases!(60, "guard_laws/pace"))]

    /// The same count of races for other gaps.
    #[test]
    fn races_are_rare_for_any_gaps(short in 1u32..50, doublings in 0u32..6, train in 1u32..10, n in 1u32..2000) {
        let long = short << doublings;
        let guard = LossGuard::new(Adversary::Nan, Sgd::new(0.01)).gaps(short, long).batches(train, 1);
        let mut memory = run::memory(&bowl(), &guard, &BOWL_START);
        let mut races = 0;
        while memory.progress().steps < n.into() {
            let verdict = Trainer::new(&bowl(), &guard, &mut memory).round(&mut Exact).unwrap();
            races += u32::from(!verdict.learned_loss.is_nan());
        }
        prop_assert!(races <= 2 + doublings + n / (long + train), "{} races", races);
    }
}

/// A source that knows which rows a round has trained on, and checks that it is not judged on them.
struct Watched<'a, S> {
    inner: &'a mut S,
    trained: Vec<Vec<u32>>,
    /// Check batches so far.
    checks: u32,
    /// Whether examples of earlier rounds' training have been checked on.
    returned: bool,
    earlier: Vec<Vec<u32>>,
}

fn rows(batch: &Batch<'_>) -> Vec<Vec<u32>> {
    (0..batch.examples()).map(|s| bits::patterns(batch.inputs.row(s))).collect()
}

impl<S: Source<SmallMlp>> Source<SmallMlp> for Watched<'_, S> {
    fn begin_round(&mut self) {
        self.inner.begin_round();
        self.earlier.append(&mut self.trained);
    }
    fn room(&self) -> u32 {
        self.inner.room()
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        let batch = self.inner.train()?;
        self.trained.extend(rows(&batch));
        Ok(batch)
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        let batch = self.inner.check()?;
        let rows = rows(&batch);
        assert!(rows.iter().all(|row| !self.trained.contains(row)), "judged by what was trained on");
        self.checks += 1;
        self.returned |= rows.iter().any(|row| self.earlier.contains(row));
        Ok(batch)
    }
}

/// With few batches of data, rounds are shortened so that there is always something to check on, and it is never
/// what the round has trained on, also after many rounds alone.
#[test]
fn few_batches_shorten_rounds() {
    fn assert_room(n: usize, guard: &impl Guard) -> u32 {
        let (objective, data) = (small_mlp(), Data::disk(n, 5));
        let room = (n / BATCH - 1).max(1) as u64;
        let mut memory = run::memory(&objective, guard, &start(&objective, 2));
        data.sampling(BATCH, 3, |sampler| {
            let mut source =
                Watched { inner: sampler, trained: Vec::new(), checks: 0, returned: false, earlier: Vec::new() };
            for _ in 0..150 {
                let verdict = Trainer::new(&objective, guard, &mut memory).round(&mut source).unwrap();
                assert!(u64::from(verdict.steps) <= room && source.trained.len() as u64 <= room * B, "{verdict:?}");
            }
            assert!(source.checks > 0 && source.returned);
        });
        memory.progress().learned
    }
    let mut won = 0;
    for n in [BATCH + 1, 2 * BATCH - 1, 2 * BATCH, 3 * BATCH + 5, 6 * BATCH, 20 * BATCH + 1] {
        for switches in [(32, true, true), (32, false, false), (32, true, false), (0, true, true)] {
            for learned in [Adversary::Nan, Adversary::Ascent, Adversary::RandomWalk] {
                assert_room(n, &paced(LossGuard::new(learned, Sgd::new(0.05)), switches));
                assert_room(n, &paced(LossGuard::new(learned, Sgd::new(0.05)).stay(true), switches));
            }
            won += assert_room(n, &paced(LossGuard::new(Sgd::new(0.05), Terrible { height: f32::MAX }), switches));
        }
    }
    assert!(won > 0, "strides that are won are among them");
}

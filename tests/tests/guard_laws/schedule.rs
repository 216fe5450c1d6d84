//! The schedule of a guard: how races, strides and rounds of the fallback alone follow each other, what each costs, and
//! how often a side that loses is asked.

use lgl2o::batch::Batch;
use lgl2o::fault::Adversary;
use lgl2o::guard::LossGuard;
use lgl2o::oracle::Cost;
use lgl2o::rule::Sgd;
use lgl2o::source::{Exact, Source};
use lgl2o::{Error, Guard, Trainer, Verdict, Winner};
use lgl2o_tests::adversary::Terrible;
use lgl2o_tests::task::{BATCH, BOWL_START, Data, SmallMlp, bowl, small_mlp, start};
use lgl2o_tests::trail::{Move, Trail};
use lgl2o_tests::{bits, cases, run};
use proptest::prelude::*;

use crate::alone::HOPELESS;
use crate::rounds::{B, Kind, SWITCHES, Switches, kind, scheduled};

/// A round of a scripted run: what it was, counted by the steps that both sides have made, and who won.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Round {
    kind: Kind,
    /// Steps of the learned side.
    k: u32,
    won: bool,
    /// Whether its candidate was compared with an earlier point.
    checked: bool,
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
        let guard = scheduled(LossGuard::new(&learned, &fallback), self.switches)
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
            let checked = kind == Kind::Alone && verdict.fallback_loss.is_some();
            self.assert_verdict(&verdict, kind, k, won);
            rounds.push(Round { kind, k, won, checked });
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
            Kind::Alone => (1, if self.stay || verdict.fallback_loss.is_some() { 2 * self.check } else { 0 }, 1),
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
            Round { kind: Kind::Stride, won: true, k, .. } => {
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
                // The last one of a time alone is held against its beginning.
                prop_assert!(self.stay || before.checked == (after.kind != Kind::Alone), "{}", what);
            }
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases!(400, "guard_laws/schedule"))]

    /// A stride of k costs k gradients and the check, a round alone one gradient, a race 2 n_t - 1 gradients and the
    /// check; the check costs 2 n_c forwards, 3 n_c where the current parameters are looked at as well. The last round alone
    /// costs a check of 2 n_c more. Rounds follow
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
            assert_ne!(verdict.winner, Winner::Learned, "{verdict:?}");
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
    #![proptest_config(cases!(60, "guard_laws/schedule"))]

    /// The same count of races for other gaps.
    #[test]
    fn races_are_rare_for_any_gaps(short in 1u32..50, doublings in 0u32..6, train in 1u32..10, n in 1u32..2000) {
        let long = short << doublings;
        let guard = LossGuard::new(Adversary::Nan, Sgd::new(0.01)).gaps(short, long).batches(train, 1);
        let mut memory = run::memory(&bowl(), &guard, &BOWL_START);
        let mut races = 0;
        while memory.progress().steps < n.into() {
            let verdict = Trainer::new(&bowl(), &guard, &mut memory).round(&mut Exact).unwrap();
            races += u32::from(verdict.learned_loss.is_some());
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
                assert_room(n, &scheduled(LossGuard::new(learned, Sgd::new(0.05)), switches));
                assert_room(n, &scheduled(LossGuard::new(learned, Sgd::new(0.05)).stay(true), switches));
            }
            won += assert_room(n, &scheduled(LossGuard::new(Sgd::new(0.05), Terrible { height: 1e4 }), switches));
        }
    }
    assert!(won > 0, "strides that are won are among them");
}

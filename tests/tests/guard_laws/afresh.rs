//! Averages begin anew where the parameters are no longer their own, and a run's counters are those of its verdicts.

use lgl2o::batch::Batch;
use lgl2o::fault::Adversary;
use lgl2o::guard::{Blend, Decision, LossGuard, RelayGuard, ResidualGuard, Unguarded};
use lgl2o::rule::{Adam, Momentum, RmsProp, Sgd};
use lgl2o::source::{Exact, Source};
use lgl2o::{Error, Guard, Rule, Trainer, Verdict, Winner, learned};
use lgl2o_tests::run;
use lgl2o_tests::task::{BATCH, BOWL_START, Data, SmallMlp, bowl, small_mlp, start};

use crate::decisions::Lines;

/// Where nobody wins, averages on both sides begin anew: every round is the first one again. (The rules inside have no state;
/// their steps are so long that they climb.)
#[test]
fn after_nobody_won_both_averages_begin_anew() {
    fn verdicts(learned: impl Rule + Copy, fallback: impl Rule + Copy, steps: u32) -> Vec<Verdict> {
        let guard = LossGuard::paper(learned, fallback).batches(steps, 1).decision(Decision::FullObjective).stay(true);
        run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 6).unwrap().verdicts
    }
    let long = Sgd::new(0.5);
    for steps in [1, 2, 3] {
        for found in [verdicts(long.averaged(), long, steps), verdicts(long, long.averaged(), steps)] {
            assert!(found.iter().all(|v| v.winner == Winner::Neither && *v == found[0]), "{steps}: {found:?}");
        }
    }
}

/// In GL2O each round asks for one step from where it begins, so an averaged fallback has the steps of one that is not,
/// whoever wins.
#[test]
fn the_residual_guards_fallback_never_averages() {
    fn run(fallback: impl Rule) -> (Vec<Verdict>, [f32; 4]) {
        let guard = ResidualGuard::new(Sgd::new(0.12), fallback);
        let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 12).unwrap();
        (run.verdicts, run.params)
    }
    for rule in [Momentum { beta: 0.3, ..Momentum::new(0.1) }, Momentum { beta: 0.0, ..Momentum::new(0.15) }] {
        let ((plain, params), (averaged, others)) = (run(rule), run(rule.averaged()));
        let close = |a: f32, b: f32| (a - b).abs() <= 1e-4 * (a.abs() + b.abs()) + 1e-6;
        for (a, b) in plain.iter().zip(&averaged) {
            assert_eq!(a.winner, b.winner, "{a:?}, {b:?}");
            assert!(close(a.train_loss, b.train_loss), "{a:?}, {b:?}");
            assert!(a.learned_loss.zip(b.learned_loss).is_some_and(|(a, b)| close(a, b)), "{a:?}, {b:?}");
        }
        assert!(plain.iter().any(|v| v.winner == Winner::Learned) || rule.beta > 0.0);
        assert!(params.iter().zip(&others).all(|(&a, &b)| close(a, b)), "{params:?}, {others:?}");
    }
}

/// Rounds, steps and winners in a run's progress are the sums over its verdicts.
#[test]
fn progress_is_the_sum_of_the_verdicts() {
    fn assert_sums(guard: &impl Guard) -> [u32; 3] {
        let (objective, data) = (small_mlp(), Data::disk(200, 1));
        let mut memory = run::memory(&objective, guard, &start(&objective, 2));
        let (mut winners, mut steps, mut accepted) = ([0; 3], 0, 0);
        data.sampling(BATCH, 3, |sampler| {
            for _ in 0..60 {
                let verdict = Trainer::new(&objective, guard, &mut memory).round(sampler).unwrap();
                winners[verdict.winner as usize] += 1;
                (steps, accepted) = (steps + u64::from(verdict.steps), accepted + u64::from(verdict.accepted));
            }
        });
        let progress = memory.progress();
        assert_eq!((progress.rounds, progress.steps, progress.accepted), (60, steps, accepted));
        assert_eq!([progress.learned, progress.neither], [winners[1], winners[2]], "{winners:?}");
        assert_eq!(progress.learned_share(), winners[1] as f32 / 60.0);
        winners
    }
    let mut all = [0; 3];
    let staying = LossGuard::paper(Adversary::RandomWalk, Adam::new(0.1)).batches(2, 2).stay(true);
    for winners in [
        assert_sums(&staying),
        assert_sums(&LossGuard::new(Adam::new(0.02).averaged(), Sgd::new(0.05)).gaps(5, 20).stay(true)),
        assert_sums(&RelayGuard::new(Adam::new(0.02), Sgd::new(0.05)).race(6).hand_over(30)),
        assert_sums(&ResidualGuard::new(Adam::new(0.02), Sgd::new(0.05))),
    ] {
        all.iter_mut().zip(winners).for_each(|(all, n)| *all += n);
    }
    assert!(all.iter().all(|&n| n > 10), "{all:?}");
}

/// Training batches of one label, check batches of the other.
struct Apart<'a> {
    data: &'a Data,
    /// How many training and check batches were asked for.
    asked: [u32; 2],
}

impl Source<SmallMlp> for Apart<'_> {
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        self.asked[0] += 1;
        Ok(Batch::classes(&self.data.inputs[..2 * BATCH], 2, &[0; BATCH]))
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        self.asked[1] += 1;
        Ok(Batch::classes(&self.data.inputs[2 * BATCH..4 * BATCH], 2, &[1; BATCH]))
    }
}

/// GL2O judges the proposal on one check batch a round, and on nothing that the round has trained on: where checks contradict
/// the training, a side that fits the training is refused.
#[test]
fn the_residual_guard_judges_on_check_batches() {
    let (objective, data) = (small_mlp(), Data::disk(2 * BATCH, 1));
    let guard = ResidualGuard::new(Sgd::new(0.3), Sgd::new(0.1));
    let mut memory = run::memory(&objective, &guard, &start(&objective, 2));
    let mut source = Apart { data: &data, asked: [0; 2] };
    for round in 1..=20 {
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut source).unwrap();
        assert_eq!(source.asked, [round; 2]);
        assert_eq!(verdict.winner, Winner::Fallback, "round {round}: {verdict:?}");
    }
}

/// Gradients of 1, but one of 10^21, whose square is beyond all numbers.
struct Glitch(u32);

impl Source<Lines> for Glitch {
    fn train(&mut self) -> Result<&[f32], Error> {
        self.0 = self.0.saturating_sub(1);
        Ok(if self.0 == 1 { &[1e21] } else { &[1.0] })
    }
    fn check(&mut self) -> Result<&[f32], Error> {
        Ok(&[1.0, 1.5])
    }
}

/// An accumulator that one gradient has brought beyond all numbers begins anew, although every candidate was finite: a rule that
/// divides by it would stand still for ever.
#[test]
fn accumulators_beyond_all_numbers_begin_anew() {
    fn assert_moves(name: &str, guard: &impl Guard) {
        for at in [2, 5] {
            let mut memory = run::memory(&Lines, guard, &[0.0]);
            let mut source = Glitch(at);
            let mut at = |rounds: u32| {
                // Alone, a rule may have to say that it has diverged, once.
                let errors =
                    (0..rounds).filter(|_| Trainer::new(&Lines, guard, &mut memory).round(&mut source).is_err());
                assert!(errors.count() <= 1, "{name}");
                memory.params()[0]
            };
            let (before, after) = (at(40), at(200));
            assert!(after.is_finite() && after < before - 0.5, "{name}: {after} after {before}");
        }
    }
    let (adam, rms, lean) = (Adam::new(0.02), RmsProp::new(0.02), learned::lean());
    let still = Adversary::Idle;
    assert_moves("adam alone", &Unguarded::new(adam));
    assert_moves("lean alone", &Unguarded::learned(lean));
    assert_moves("loss, fallback", &LossGuard::paper(still, adam).batches(1, 1));
    assert_moves("loss, fallback, averaged", &LossGuard::new(still, rms.averaged()).gaps(5, 10));
    assert_moves("loss, learned", &LossGuard::paper(rms, Adversary::Nan).batches(2, 1));
    assert_moves("residual, fallback", &ResidualGuard::new(Adversary::Nan, adam));
    assert_moves("blend", &Blend::new(adam, rms, 0.5).unwrap());
    assert_moves("relay, fallback", &RelayGuard::new(Adversary::Nan, adam).race(3));
}

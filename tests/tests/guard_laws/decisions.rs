//! Each decision is the comparison that it is documented to be, computed anew in double precision.
//!
//! On an objective so plain that every loss can be written down: loss_s(w) = a_s w for example s, with candidates at
//! points that the test chooses.

use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, LossGuard};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{NoProbe, Probe, Rule, Sgd, State};
use lgl2o::source::{Exact, Source};
use lgl2o::tensors::Tensors;
use lgl2o::{Error, Verdict, Winner};
use lgl2o_tests::task::{BOWL_START, bowl};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

/// loss_s(w) = a_s w over a batch of a's.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lines;

impl Objective for Lines {
    type Params = [f32; 1];
    type Batch<'a> = &'a [f32];
    type Scratch = ();
    type Losses = [f32; 128];

    fn losses(&self, (): &mut (), w: &[f32; 1], batch: &[f32], losses: &mut [f32; 128]) -> Result<usize, Error> {
        losses.iter_mut().zip(batch).for_each(|(loss, a)| *loss = a * w[0]);
        Ok(batch.len())
    }

    fn gradient(
        &self,
        scratch: &mut (),
        w: &[f32; 1],
        batch: &[f32],
        losses: &mut [f32; 128],
        gradient: &mut [f32; 1],
    ) -> Result<usize, Error> {
        gradient[0] = batch.iter().sum::<f32>() / batch.len() as f32;
        self.losses(scratch, w, batch, losses)
    }
}

impl Blank for Lines {
    fn blank_params(&self) -> [f32; 1] {
        [0.0]
    }
    fn blank_scratch(&self) {}
    fn blank_losses(&self) -> [f32; 128] {
        [0.0; 128]
    }
}

/// A rule that goes to one point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GoTo(pub(crate) f32);

impl Rule for GoTo {
    type State<P: Tensors> = State<P, 0>;
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }
    fn step<P: Tensors>(&self, _: &mut State<P, 0>, params: &mut P, _: &P, _: f32, _: &mut impl Probe<P>) {
        params.fill(self.0);
    }
    fn observe<P: Tensors>(&self, _: &mut State<P, 0>, _: &P, _: &P, _: f32) {}
}

/// One training batch, and check batches that are the objective as well.
pub(crate) struct Batches<'a> {
    pub(crate) train: &'a [f32],
    pub(crate) checks: &'a [Vec<f32>],
    /// How many check batches were asked for.
    pub(crate) next: usize,
}

impl Source<Lines> for Batches<'_> {
    fn train(&mut self) -> Result<&[f32], Error> {
        Ok(self.train)
    }
    fn check(&mut self) -> Result<&[f32], Error> {
        self.next += 1;
        self.checks.get(self.next - 1).map(Vec::as_slice).ok_or(Error::NoBatch)
    }
    fn objective(&mut self, i: usize) -> Result<Option<&[f32]>, Error> {
        Ok(self.checks.get(i).map(Vec::as_slice))
    }
}

/// Where everything is.
#[derive(Debug, Clone)]
struct Setting {
    start: f32,
    fallback: f32,
    learned: f32,
    train: Vec<f32>,
    checks: Vec<Vec<f32>>,
    veto: bool,
}

fn setting() -> impl Strategy<Value = Setting> {
    let numbers = || prop::collection::vec(-1f32..1.0, 1..=8);
    let checks = prop::collection::vec(numbers(), 1..6);
    (-3f32..3.0, -3f32..3.0, -3f32..3.0, numbers(), checks, any::<bool>()).prop_map(
        |(start, fallback, learned, train, checks, veto)| Setting { start, fallback, learned, train, checks, veto },
    )
}

/// What the examples of all check batches say, in double precision.
#[derive(Debug, Clone, Copy)]
struct Moments {
    mean: f64,
    standard_error: f64,
}

impl Setting {
    /// The verdict of the round number `round` of a guard, all rounds alike.
    fn verdict(&self, decision: Decision, round: u32) -> Verdict {
        let guard = LossGuard::paper(GoTo(self.learned), GoTo(self.fallback))
            .batches(1, self.checks.len() as u32)
            .decision(decision)
            .veto(self.veto);
        let mut memory = run::memory(&Lines, &guard, &[0.0]);
        let mut verdict = None;
        for _ in 0..round {
            memory.params_mut()[0] = self.start;
            let mut source = Batches { train: &self.train, checks: &self.checks, next: 0 };
            verdict = Some(lgl2o::Trainer::new(&Lines, &guard, &mut memory).round(&mut source).unwrap());
        }
        let verdict = verdict.unwrap();
        let kept = match verdict.winner {
            Winner::Learned => self.learned,
            Winner::Fallback => self.fallback,
            Winner::Neither => self.start,
        };
        assert_eq!(memory.params()[0].to_bits(), kept.to_bits(), "the winner is what is kept");
        verdict
    }

    /// Mean of the a's and its standard error over all examples, n - 1 in the variance.
    fn moments(&self) -> Moments {
        let a: Vec<f64> = self.checks.iter().flatten().map(|&a| f64::from(a)).collect();
        let n = a.len() as f64;
        let mean = a.iter().sum::<f64>() / n;
        let scatter = a.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>();
        Moments { mean, standard_error: if n < 2.0 { 0.0 } else { (scatter / ((n - 1.0) * n)).sqrt() } }
    }

    /// How far u is below the least loss that counts as far above w: one standard deviation of the losses at w.
    fn slack(&self, standard_error: f64, mean: f64) -> f64 {
        let (u, w) = (f64::from(self.fallback), f64::from(self.start));
        let n = self.checks.iter().map(Vec::len).sum::<usize>() as f64;
        let spread = standard_error * n.sqrt() * w.abs();
        if spread > 0.0 { spread - mean * (u - w) } else { (mean * w).abs() - mean * (u - w) }
    }

    /// Asserts that v won if and only if loss(v) - loss(u) < -z SE, and with the veto loss(v) < loss(w), too, by z SE where u
    /// is far above w. Within rounding, a thousandth of a thousandth, either may have won.
    fn assert_margin(&self, verdict: &Verdict, z: f64) -> Result<(), TestCaseError> {
        let (u, v, w) = (f64::from(self.fallback), f64::from(self.learned), f64::from(self.start));
        let Moments { mean, standard_error } = self.moments();
        let ahead = -(mean * (v - u)) - z * standard_error * (v - u).abs();
        let slack = self.slack(standard_error, mean);
        let climbs = self.veto && slack < 0.0;
        let lead = if climbs { z * standard_error * (v - w).abs() } else { 0.0 };
        let below = if self.veto { -(mean * (v - w)) - lead } else { f64::INFINITY };
        prop_assume!(ahead.abs() > 1e-5 && below.abs() > 1e-5 && (slack.abs() > 1e-5 || !self.veto));
        prop_assert_eq!(verdict.winner == Winner::Learned, ahead > 0.0 && below > 0.0);
        // Where v beats u, and w beats v, u is the worst of three: w stays. So it does where u is far above w.
        let stays = ahead > 0.0 && below <= 0.0 || climbs && (ahead <= 0.0 || below <= 0.0);
        prop_assert_eq!(verdict.winner == Winner::Neither, stays);
        let error = f64::from(verdict.standard_error) - standard_error * (v - u).abs();
        prop_assert!(error.abs() < 1e-5);
        prop_assert!((f64::from(verdict.fallback_loss.unwrap()) - mean * u).abs() < 1e-5);
        prop_assert!((f64::from(verdict.learned_loss.unwrap()) - mean * v).abs() < 1e-5);
        Ok(())
    }
}

proptest! {
    #![proptest_config(cases!(500, "guard_laws/decisions"))]

    /// *Lower*: D < 0 on the check batches.
    #[test]
    fn lower_is_lower(setting in setting()) {
        setting.assert_margin(&setting.verdict(Decision::Lower, 1), 0.0)?;
    }

    /// *Full objective*: F(v) < F(u), all parts weighed by their examples.
    #[test]
    fn full_objective_is_lower_on_everything(setting in setting()) {
        setting.assert_margin(&setting.verdict(Decision::FullObjective, 1), 0.0)?;
    }

    /// *Margin*: D < -z SE(D), paired on the same examples.
    #[test]
    fn margin_is_in_paired_standard_errors(setting in setting(), z in 0f32..4.0) {
        setting.assert_margin(&setting.verdict(Decision::Margin { z }, 1), f64::from(z))?;
    }

    /// *Growing margin*: z_i = sqrt(4 ln(i + 1)) in round i = 1, 2, ...
    #[test]
    fn growing_margin_grows(setting in setting(), round in 1u32..40) {
        let z = (4.0 * f64::from(round + 1).ln()).sqrt();
        setting.assert_margin(&setting.verdict(Decision::GrowingMargin, round), z)?;
    }

    /// *Sufficient decrease*: loss(v) <= loss(w) - kappa |g|^2, g on the training batch, losses on the check batches.
    #[test]
    fn sufficient_decrease_is_armijos_condition(setting in setting(), kappa in 0f32..2.0) {
        let verdict = setting.verdict(Decision::SufficientDecrease { kappa }, 1);
        let Moments { mean, .. } = setting.moments();
        let gradient = setting.train.iter().map(|&a| f64::from(a)).sum::<f64>() / setting.train.len() as f64;
        let decrease = mean * f64::from(setting.start - setting.learned);
        let spare = decrease - f64::from(kappa) * gradient * gradient;
        prop_assume!(spare.abs() > 1e-5);
        prop_assert_eq!(verdict.winner == Winner::Learned, spare > 0.0);
        prop_assert!(verdict.fallback_loss.is_none());
    }
}

/// The growing margin of round i is z_i = sqrt(4 ln(i + 1)), neither that of the round before nor of the one after: a
/// lead of just more than z_i standard errors wins, of just less does not.
#[test]
fn growing_margin_starts_with_round_one() {
    for (round, (share, winner)) in
        (1u32..30).flat_map(|i| [(0.995, Winner::Fallback), (1.005, Winner::Learned)].map(|s| (i, s)))
    {
        // Two examples m - 1 and m + 1 have the mean m and the standard error 1; four of each the standard error
        // sqrt(1 / 7).
        let lead = share * (4.0 * f64::from(round + 1).ln() / 7.0).sqrt();
        let checks = vec![vec![(lead - 1.0) as f32, (lead + 1.0) as f32]; 4];
        let setting = Setting { start: 0.0, fallback: 0.5, learned: -0.5, train: vec![1.0], checks, veto: false };
        assert_eq!(setting.verdict(Decision::GrowingMargin, round).winner, winner, "round {round}, {share} z");
    }
}

/// Ties go to the fallback, with and without a margin.
#[test]
fn ties_go_to_the_fallback() {
    let checks = vec![vec![0.5, -0.25, 1.0], vec![0.125]];
    let (train, point) = (vec![1.0], 0.75);
    let setting = Setting { start: 2.0, fallback: point, learned: point, train, checks, veto: false };
    for decision in [Decision::Lower, Decision::FullObjective, Decision::Margin { z: 0.0 }, Decision::GrowingMargin] {
        assert_eq!(setting.verdict(decision, 1).winner, Winner::Fallback, "{decision:?}");
    }
}

/// Who wins one round against a fallback that climbs steeply, and whether the learned candidate has descended.
fn lesser_evil(learned: impl Rule, veto: bool, decision: Decision) -> (Winner, bool) {
    let guard = LossGuard::paper(learned, Sgd::new(0.5)).batches(1, 1).decision(decision).veto(veto);
    let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 1).unwrap();
    (run.verdicts[0].winner, run.verdicts[0].learned_loss < Some(run.verdicts[0].train_loss))
}

/// The veto asks the learned candidate to beat the current parameters as well. Fallback: descent at 1/2, far above 2/L
/// =
/// 1/5, which climbs steeply; learned: a small ascent, the lesser evil, or a descent.
#[test]
fn the_veto_refuses_the_lesser_evil() {
    for decision in [Decision::Lower, Decision::FullObjective, Decision::Margin { z: 2.0 }] {
        let creep = lesser_evil(Adversary::Creep, false, decision);
        assert_eq!(creep, (Winner::Learned, false), "the witness: without the veto it wins");
        assert_eq!(lesser_evil(Adversary::Creep, true, decision), (Winner::Neither, false), "nor is the worst kept");
        let idle = lesser_evil(Adversary::Idle, true, decision);
        assert_eq!(idle, (Winner::Neither, false), "standing still is no better");
        assert_eq!(lesser_evil(Sgd::new(0.1), true, decision), (Winner::Learned, true));
    }
}

/// Under *sufficient decrease* with n_t = 1 the fallback's step is made only after the learned one is refused; it is
/// the same step as ever.
#[test]
fn a_postponed_step_is_the_same_step() {
    let fallback = Sgd::new(0.05);
    let guard = LossGuard::paper(Adversary::Ascent, fallback)
        .batches(1, 1)
        .decision(Decision::SufficientDecrease { kappa: 0.0 });
    let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 1).unwrap();
    let mut expected = BOWL_START;
    let (mut gradient, mut loss) = ([0.0; 4], [0.0]);
    bowl().gradient(&mut [0.0; 4], &BOWL_START, (), &mut loss, &mut gradient).unwrap();
    fallback.step(&mut fallback.state(&expected), &mut expected, &gradient, loss[0], &mut NoProbe);
    assert_eq!((run.verdicts[0].winner, run.params), (Winner::Fallback, expected));
}

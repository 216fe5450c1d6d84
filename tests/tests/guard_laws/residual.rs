//! GL2O (Heaton, Chen, Wang, Yin, AAAI 2023): accept y iff |S(y)| <= alpha mu, with five rules for mu.

use lgl2o::fault::Adversary;
use lgl2o::guard::{MuRule, ResidualGuard};
use lgl2o::rule::{Momentum, Rate, Rule, Sgd};
use lgl2o::source::Exact;
use lgl2o::{Trainer, Verdict, Winner};
use lgl2o_tests::reference::losses::wide;
use lgl2o_tests::run;
use lgl2o_tests::task::{BOWL_START, bowl, bowl64};

const RULES: [MuRule; 6] = [
    MuRule::Geometric(0.5),
    MuRule::RecentTerm,
    MuRule::ArithmeticAverage,
    MuRule::ExponentialAverage(0.25),
    MuRule::RecentMax(1),
    MuRule::RecentMax(4),
];

/// Below 2/L = 1/5, so the fallback's step is an averaged operator, as the theorem asks.
const RATE: f32 = 0.15;

/// |S(w)| = rate |gradient at w|.
fn residual(w: &[f32; 4]) -> f64 {
    f64::from(RATE) * bowl64().slope(&wide(w)).iter().map(|g| g * g).sum::<f64>().sqrt()
}

/// The state of a run after a round: its verdict, mu, and the parameters.
type Round = (Verdict, f32, [f32; 4]);

fn rounds(learned: Adversary, alpha: f32, rule: MuRule, count: usize) -> Vec<Round> {
    let guard = ResidualGuard::new(learned, Sgd::new(RATE)).with(alpha, rule).unwrap();
    let objective = bowl();
    let mut memory = run::memory(&objective, &guard, &BOWL_START);
    let round = |_| {
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        (verdict, memory.guard().bound().mu(), *memory.params())
    };
    (0..count).map(round).collect()
}

/// mu after an acceptance, by the formulas of the paper, from the bound before and all residuals accepted so far.
fn updated(rule: MuRule, mu: f64, accepted: &[f64]) -> f64 {
    let (latest, m) = (accepted[accepted.len() - 1], accepted.len());
    match rule {
        MuRule::Geometric(theta) => f64::from(theta) * mu,
        MuRule::RecentTerm => latest,
        // (r + m mu) / (m + 1), m = 0 at first: the mean of the accepted residuals.
        MuRule::ArithmeticAverage => accepted.iter().sum::<f64>() / m as f64,
        MuRule::ExponentialAverage(theta) => f64::from(theta) * latest + (1.0 - f64::from(theta)) * mu,
        MuRule::RecentMax(k) => accepted[m.saturating_sub(k)..].iter().fold(0.0, |a, &b| a.max(b)),
    }
}

/// In every round, for every adversary, alpha and rule: the limit is alpha mu, the residual is that of the proposal,
/// the learned side wins if and only if it is within the limit, mu follows its rule after an acceptance and stays after
/// a rejection, and never grows.
#[test]
fn the_test_is_the_papers() {
    let cases = Adversary::ALL.into_iter().flat_map(|a| RULES.map(|r| (a, r)));
    for ((learned, rule), alpha) in cases.flat_map(|c| [0.0, 0.5, 0.99].map(|a| (c, a))) {
        let (mut mu, mut accepted) = (residual(&BOWL_START), Vec::new());
        for (verdict, bound, params) in rounds(learned, alpha, rule, 40) {
            let what = format!("{learned:?}, {rule:?}, alpha = {alpha}: {verdict:?}, mu = {mu}");
            assert!((f64::from(verdict.fallback_loss.unwrap()) - f64::from(alpha) * mu).abs() <= 1e-5 * mu, "{what}");
            assert_eq!(verdict.winner == Winner::Learned, verdict.learned_loss <= verdict.fallback_loss, "{what}");
            if verdict.winner == Winner::Learned {
                let error = f64::from(verdict.learned_loss.unwrap()) - residual(&params);
                assert!(error.abs() < 1e-5 * residual(&params) + 1e-6, "{what}");
                accepted.push(f64::from(verdict.learned_loss.unwrap()));
                mu = updated(rule, mu, &accepted);
            }
            assert!((f64::from(bound) - mu).abs() <= 1e-5 * mu, "{what}: {bound}");
            assert!(f64::from(bound) <= residual(&BOWL_START) * 1.000_001, "{what}");
            mu = f64::from(bound);
        }
    }
}

/// The bound never grows: an accepted residual is at most alpha mu, and every rule gives something between the accepted
/// residuals and mu.
#[test]
fn the_bound_never_grows() {
    for (learned, rule) in Adversary::ALL.into_iter().flat_map(|a| RULES.map(|r| (a, r))) {
        let mut before = f32::INFINITY;
        for (_, bound, _) in rounds(learned, 0.9, rule, 60) {
            assert!(bound <= before * 1.000_001, "{learned:?}, {rule:?}: {bound} after {before}");
            before = bound;
        }
    }
}

/// What m acceptances leave of mu at most, as a factor; none is promised for the arithmetic average, which forgets
/// nothing, so that its mu falls only like a power of m.
fn promised(rule: MuRule, alpha: f64, m: i32) -> f64 {
    match rule {
        MuRule::Geometric(theta) => f64::from(theta).powi(m),
        MuRule::RecentTerm => alpha.powi(m),
        MuRule::ArithmeticAverage => 1.0,
        MuRule::ExponentialAverage(theta) => (1.0 - f64::from(theta) * (1.0 - alpha)).powi(m),
        MuRule::RecentMax(k) => alpha.powi(m / k as i32),
    }
}

/// The theorem: with an averaged fallback |S| goes to 0 whatever is proposed.
///
/// A rejection brings |S| down by max |1 - rate h| = 0.85 over the eigenvalues h = 1, ..., 10; an acceptance to alpha
/// mu; and m acceptances bring mu down by what the rule promises. So |S| goes to 0 if there are finitely many
/// acceptances, and if there are infinitely many.
#[test]
fn every_rule_converges_against_adversaries() {
    const ALPHA: f64 = 0.5;
    for (learned, rule) in Adversary::ALL.into_iter().flat_map(|a| RULES.map(|r| (a, r))) {
        let what = format!("{learned:?}, {rule:?}");
        let first = residual(&BOWL_START);
        let (mut before, mut mu, mut accepted) = (first, first, 0);
        for (verdict, bound, params) in rounds(learned, ALPHA as f32, rule, 600) {
            let after = residual(&params);
            let goal = if verdict.winner == Winner::Learned { ALPHA * mu } else { 0.85 * before };
            assert!(after <= 1.000_1 * goal + 1e-6, "{what}: {after} above {goal}");
            accepted += i32::from(verdict.winner == Winner::Learned);
            (before, mu) = (after, f64::from(bound));
            assert!(mu <= 1.000_1 * promised(rule, ALPHA, accepted) * first + 1e-30, "{what}: mu = {mu}");
        }
        assert!(before < 0.05 * first, "{what}: {before} of {first}");
    }
}

/// The test above can fail: a fallback that is not averaged (rate above 2/L) does not converge.
#[test]
fn a_fallback_that_is_not_averaged_does_not_converge() {
    let guard = ResidualGuard::new(Adversary::Nan, Sgd::new(0.21));
    let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 60).unwrap();
    assert!(run.verdicts[59].train_loss > run.verdicts[0].train_loss);
}

/// S is the step that the fallback would make *now*: its trial at y is made from a copy of the state that it has after
/// its own step at w, and leaves that state alone. With momentum, m = g(w) and the trial moves by rate (beta g(w) +
/// g(y)).
#[test]
fn the_trial_step_borrows_the_fallbacks_state() {
    let fallback = Momentum { beta: 0.5, ..Momentum::new(0.01) };
    let guard = ResidualGuard::new(Sgd::new(0.02), fallback).with(0.99, MuRule::RecentTerm).unwrap();
    let objective = bowl();
    let mut memory = run::memory(&objective, &guard, &BOWL_START);
    let mut momentum = vec![0.0; 4];
    for round in 0..10 {
        let slope = bowl64().slope(&wide(memory.params()));
        momentum = momentum.iter().zip(&slope).map(|(m, g)| 0.5 * m + g).collect();
        let y: Vec<f64> = memory.params().iter().zip(&slope).map(|(&w, g)| f64::from(w) - 0.02 * g).collect();
        let ahead = bowl64().slope(&y);
        let trial = ahead.iter().zip(&momentum).map(|(g, m)| 0.01 * (0.5 * m + g));
        let expected = trial.map(|d| d * d).sum::<f64>().sqrt();
        let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
        let found = f64::from(verdict.learned_loss.unwrap());
        assert!((found - expected).abs() < 1e-5 * expected, "round {round}: {found} where {expected} is due");
    }
}

/// A bound that never was a number must not let everything pass: here the fallback's first rates are so large that its
/// steps are infinite. Ascent must not be accepted for that.
#[test]
fn an_infinite_first_step_is_no_bound() {
    for rule in RULES {
        let fallback = Sgd::new(Rate::Harmonic { c: 3e38, i0: 1.0 });
        let guard = ResidualGuard::new(Adversary::Ascent, fallback).with(0.9, rule).unwrap();
        let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 5).unwrap();
        let accepted = run.verdicts.iter().filter(|v| v.winner == Winner::Learned).count();
        assert_eq!(accepted, 0, "{rule:?}: {:?}", run.verdicts);
    }
}

/// A side that averages is told when it loses: rejected in every round, it proposes what it would without averaging.
#[test]
fn a_rejected_average_begins_anew() {
    fn verdicts(learned: impl Rule) -> Vec<Verdict> {
        let guard = ResidualGuard::new(learned, Sgd::new(RATE)).with(1e-6, MuRule::RecentTerm).unwrap();
        run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, 12).unwrap().verdicts
    }
    let rule = Momentum::new(0.05);
    let plain = verdicts(rule);
    assert!(plain.iter().all(|verdict| verdict.winner == Winner::Fallback));
    assert_eq!(verdicts(rule.averaged()), plain);
}

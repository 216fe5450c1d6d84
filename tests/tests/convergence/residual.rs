//! GL2O (Heaton, Chen, Wang, Yin, AAAI 2023) on convex objectives.
//!
//! S = Id - T, T one step of gradient descent at 0 < lambda < 2/L, so |S(w)| = lambda |grad F(w)|. A rejected proposal
//! leaves T(w), where |S(T(w))| <= q |S(w)|, q = max(|1 - lambda mu|, |1 - lambda L|) < 1: the gradient at T(w) is
//! (I - lambda H) grad F(w), H a mean of Hessians between. An accepted one leaves |S| <= alpha mu_k, and mu_k never grows.

use lgl2o::Trainer;
use lgl2o::Winner;
use lgl2o::guard::{MuRule, ResidualGuard};
use lgl2o::rule::Sgd;
use lgl2o_tests::adversary::Attack;
use lgl2o_tests::known::{Bowl, Known, Regression, Softmax, UNDERFLOW, UNIT, flat, norm};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

fn rule() -> impl Strategy<Value = MuRule> {
    prop_oneof![
        (0.05f32..0.95).prop_map(MuRule::Geometric),
        Just(MuRule::RecentTerm),
        Just(MuRule::ArithmeticAverage),
        (0.05f32..1.0).prop_map(MuRule::ExponentialAverage),
        (1usize..=32).prop_map(MuRule::RecentMax),
    ]
}

/// A run's |S| at its end, in units of that at its start, and how many proposals it has accepted; every round is held.
///
/// In single precision S is off by lambda times the error of the gradient, by a unit of w for each of three
/// differences, and by a few units of itself; T(w) is off by as much, which moves lambda grad F by lambda L <= 2 times
/// that.
fn assert_law(
    problem: &impl Known,
    learned: Attack,
    share: f32,
    (alpha, rule): (f32, MuRule),
    rounds: u32,
) -> (f64, u32) {
    let what = format!("{learned:?}, {rule:?}, alpha = {alpha}, share = {share}");
    let rate = share * 2.0 / problem.smoothness() as f32;
    let (lambda, alpha64) = (f64::from(rate), f64::from(alpha));
    let q = (1.0 - lambda * problem.mu()).abs().max((1.0 - lambda * problem.smoothness()).abs());
    let guard = ResidualGuard::new(learned, Sgd::new(rate)).with(alpha, rule).unwrap();
    let mut memory = run::memory(problem.objective(), &guard, &problem.start());
    let mut source = problem.source();
    // |S|, and how far it may be off.
    let residual = |w: &[f64]| {
        let slope = problem.slope(w);
        let residual = lambda * norm(&slope);
        let length = lambda * problem.slope_error(w, &slope) + UNIT * (3.0 * norm(w) + 8.0 * residual);
        (residual, 1.01 * length + UNDERFLOW)
    };
    let (first, first_off) = residual(&flat(&problem.start()));
    let (mut mu, mut accepted) = (f64::INFINITY, 0);
    let (mut before, mut before_off) = (first, first_off);
    for _ in 0..rounds {
        let verdict = Trainer::new(problem.objective(), &guard, &mut memory).round(&mut source).unwrap();
        let (after, off) = residual(&flat(memory.params()));
        let won = verdict.winner == Winner::Learned;
        // The bound starts as |S| at the start, as single precision finds it.
        mu = mu.min(first + first_off);
        let promised = if won { alpha64 * mu * (1.0 + 4.0 * UNIT) } else { q * before };
        let rounding = if won { off } else { 2.0 * before_off + off };
        assert!(after <= promised + rounding, "{what}: {after:e} above {promised:e} + {rounding:e}, won: {won}");
        let bound = f64::from(memory.guard().bound().mu());
        // A mean of numbers below mu may be rounded up.
        assert!(bound <= mu * (1.0 + 8.0 * UNIT), "{what}: mu grows from {mu:e} to {bound:e}");
        (mu, before, before_off, accepted) = (bound, after, off, accepted + u32::from(won));
    }
    (before / first, accepted)
}

/// [`assert_law`] for all attacks, with what each of them ends at.
fn assert_laws(problem: &impl Known, share: f32, setting: (f32, MuRule), rounds: u32) -> Vec<(f64, u32)> {
    Attack::all(0.1).map(|learned| assert_law(problem, learned, share, setting, rounds)).collect()
}

proptest! {
    #![proptest_config(cases!(2000, "convergence/residual"))]

    /// Every round, on quadratics, logistic regression and log-sum-exp, against all attacks.
    #[test]
    fn every_round_brings_the_residual_down(
        kind in 0..4,
        seed: u64,
        size in -2f32..2.0,
        condition in 0f32..3.0,
        share in 0.02f32..0.98,
        alpha in 0f32..0.999,
        rule in rule(),
    ) {
        let (size, condition, setting) = (10f32.powf(size), 10f32.powf(condition), (alpha, rule));
        match kind {
            0 => assert_laws(&Bowl::<3>::random(seed, size, condition), share, setting, 20),
            1 => assert_laws(&Bowl::<17>::random(seed, size, condition), share, setting, 20),
            2 => assert_laws(&Regression::random(seed, 1.0 / condition), share, setting, 20),
            _ => assert_laws(&Softmax::<5>::random(seed, 1.0 / condition), share, setting, 20),
        };
    }

    /// |S| goes to 0: k rejections alone leave q^k of it, and after m acceptances it is at most alpha mu, with mu at most
    /// what the rule promises after the m - 1 before the last: for infinitely many of either that is nothing.
    #[test]
    fn runs_converge(kind in 0..3, seed: u64, share in 0.2f32..0.8, rule in rule()) {
        let ends = match kind {
            0 => assert_laws(&Bowl::<8>::random(seed, 1.0, 10.0), share, (0.5, rule), 300),
            1 => assert_laws(&Regression::random(seed, 0.3), share, (0.5, rule), 300),
            _ => assert_laws(&Softmax::<5>::random(seed, 0.3), share, (0.5, rule), 300),
        };
        for (learned, (left, accepted)) in Attack::all(0.1).zip(ends) {
            let most = if accepted == 0 { 0.0 } else { 0.5 * promised(rule, 0.5, accepted as i32 - 1) };
            // 300 rejections leave less than 10^-3 of it at these conditions, and rounding no more than that either.
            prop_assert!(left <= most + 1e-3, "{:?}, {:?}: {} left, {} accepted", learned, rule, left, accepted);
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

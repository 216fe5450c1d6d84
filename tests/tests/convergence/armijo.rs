//! The same laws with L unknown: Armijo backtracking as fallback.
//!
//! A step that is accepted at a rate t has F(u) <= F(w) - slope t |g|^2, and any t <= 2 (1 - slope) / L is accepted, so
//! t >= min(largest, shrink 2 (1 - slope) / L) (Armijo 1966). In every round
//!
//! ```text
//! F(w') <= F(w) - slope t |g|^2        F(w') - F* <= (1 - 2 mu slope t) (F(w) - F*)
//! ```
//!
//! In single precision a rate close to the limit may be refused; the next one, at most half of it, has a margin of
//! t (1 - slope) |g|^2 / 2. So the law is held with t = min(largest, shrink^2 2 (1 - slope) / L), and where that margin
//! is below what the losses are off by, a round may do without any progress.

use lgl2o::guard::{Follow, KeepOwn, LossGuard, Reset, Rewind, StatePolicy, Unguarded};
use lgl2o::rule::Armijo;
use lgl2o_tests::adversary::Attack;
use lgl2o_tests::known::{
    Bowl, Degenerate, Known, Params, Regression, Rosenbrock, Softmax, UNIT, Wells, flat, norm, step_error,
};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

use crate::law::{PAPER, Policy, Schedule, policy, rounds, schedule, scheduled};

/// Every search begins at the largest rate, so that the fallback's candidate can be computed anew: (100, twenty trials)
/// reaches L up to 9000.
fn fallback() -> Armijo {
    Armijo { growth: 1e30, ..Armijo::new(100.0).unwrap() }
}

/// One round from `w` to `reached`.
fn assert_round<K: Known>(what: &str, problem: &K, w: &Params<K>, reached: &Params<K>) {
    let rule = fallback();
    let u = run::rounds(problem.objective(), &Unguarded::new(rule), &mut problem.source(), w, 1).unwrap().params;
    let (start, u, end) = (flat(w), flat(&u), flat(reached));
    let (slope, shrink, limit) = (f64::from(rule.slope), f64::from(rule.shrink), 2.0 / problem.smoothness());
    let least = f64::from(rule.largest).min(shrink * shrink * (1.0 - slope) * limit);
    let at_start = problem.slope(&start);
    let gradient = norm(&at_start);
    let decrease = slope * least * gradient * gradient;
    let off = problem.slope_error(&start, &at_start);
    let square =
        slope * limit * (2.0 * gradient * off + off * off + (start.len() as f64 + 8.0) * UNIT * gradient * gradient);
    // The losses at w, at a refused trial and at u, each in two comparisons, and those that the guard compares.
    let losses = 4.0 * (problem.loss_error(&start) + problem.loss_error(&u)) + problem.loss_error(&end);
    let rounding = losses + square + step_error(problem, &start, limit);
    let (before, after) = (problem.excess(&start), problem.excess(&end));
    let bound = (before - decrease).min((1.0 - 2.0 * problem.mu() * slope * least) * before) + rounding;
    assert!(after <= bound, "{what}: {after:e} above {bound:e} from {before:e}, rounding {rounding:e}");
}

fn assert_law<K: Known>(problem: &K, policy: Policy, schedule: Schedule) {
    match policy {
        Policy::KeepOwn => assert_policy::<K, KeepOwn>(problem, schedule),
        Policy::Rewind => assert_policy::<K, Rewind>(problem, schedule),
        Policy::Reset => assert_policy::<K, Reset>(problem, schedule),
        Policy::Follow => assert_policy::<K, Follow>(problem, schedule),
    }
}

fn assert_policy<K: Known, S: StatePolicy>(problem: &K, schedule: Schedule) {
    for learned in Attack::all(1.0 / problem.smoothness() as f32) {
        let guard: LossGuard<_, _, S> = scheduled(one_step(schedule), learned, fallback()).policy();
        let what = format!("{learned:?}, {schedule:?}");
        rounds(problem, &guard, 12, |w, reached| assert_round(&what, problem, w, reached));
    }
}

/// The same schedule with races of one step, whose fallback's candidate is the one step that is computed anew.
const fn one_step(schedule: Schedule) -> Schedule {
    match schedule {
        Schedule::Races(_) => Schedule::Races(1),
        Schedule::Strides { limit, stretch, audits, budget, gaps, .. } => {
            Schedule::Strides { train: 1, limit, stretch, audits, budget, gaps }
        }
    }
}

proptest! {
    #![proptest_config(cases!(2000, "convergence/armijo"))]

    /// On quadratics, logistic regression, log-sum-exp, a degenerate quadratic, wells and Rosenbrock's valley; L from
    /// 10^-2 to 5 10^3, and the guard is told nothing about it.
    #[test]
    fn every_round_contracts_with_l_unknown(
        kind in 0..6,
        seed: u64,
        size in -2f32..2.0,
        condition in 0f32..3.0,
        policy in policy(),
        schedule in schedule(),
    ) {
        let (size, condition) = (10f32.powf(size), 10f32.powf(condition));
        match kind {
            0 => assert_law(&Bowl::<8>::random(seed, size, condition), policy, schedule),
            1 => assert_law(&Regression::random(seed, 1.0 / condition), policy, schedule),
            2 => assert_law(&Softmax::<5>::random(seed, 1.0 / condition), policy, schedule),
            3 => assert_law(&Degenerate::<6, 10>::random(seed, size.into(), condition.into()), policy, schedule),
            4 => assert_law(&Wells::<3>::random(seed), policy, schedule),
            _ => assert_law(&Rosenbrock::from([0.3 * size.log10(), 0.1 * condition.log10()]), policy, schedule),
        }
    }
}

/// With its memory of the last rate, too, no round climbs, and the run ends at F* but for rounding (logistic
/// regression) or far below its start (quadratics with L = 0.1, 10, 1000), against every attack.
#[test]
fn armijo_needs_no_constant() {
    let regression = Regression::random(17, 0.1);
    for learned in Attack::all(0.1) {
        let last = assert_no_climb(&format!("{learned:?}"), &regression, learned, 300);
        assert!(last < 64.0 * 4.0 * UNIT, "{learned:?} ends at {last:e}");
        for exponent in [-1f32, 1.0, 3.0] {
            let problem = Bowl::<4>::random(3, 10f32.powf(exponent), 10.0);
            let first = problem.excess(&flat(&problem.start()));
            let last = assert_no_climb(&format!("{learned:?}, L = 10^{exponent}"), &problem, learned, 400);
            assert!(last < 1e-8 * first, "{learned:?}, L = 10^{exponent}: {last:e} of {first:e}");
        }
    }
}

/// Gives F - F* at the end.
fn assert_no_climb(what: &str, problem: &impl Known, learned: Attack, count: u32) -> f64 {
    let guard = scheduled(PAPER.schedule, learned, Armijo::new(100.0).unwrap());
    let mut last = f64::INFINITY;
    rounds(problem, &guard, count, |w, reached| {
        let (start, end) = (flat(w), flat(reached));
        let rounding = 2.0 * problem.loss_error(&start) + 2.0 * problem.loss_error(&end);
        last = problem.excess(&end);
        let before = problem.excess(&start);
        assert!(last <= before + rounding, "{what} climbs: {last:e} from {before:e}");
    });
    last
}

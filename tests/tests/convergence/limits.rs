//! The paper's range of rates, and that the laws can fail.

use lgl2o::fault::Adversary;
use lgl2o::guard::Decision;
use lgl2o_tests::cases;
use lgl2o_tests::known::{Bowl, Known, Regression, Softmax, flat};
use proptest::prelude::*;

use crate::law::{PAPER, Setting, rounds, setting};

proptest! {
    #![proptest_config(cases!(2000, "convergence/limits"))]

    /// The paper asks for lambda < min(2/L, 2 mu) (arXiv 2201.12426, theorem 1): a special case, for rho < 1 needs
    /// lambda < 2/L only.
    #[test]
    fn every_round_contracts_in_the_papers_range(seed: u64, size in -2f32..2.0, kind in 0..3, setting in setting()) {
        let size = 10f32.powf(size);
        match kind {
            0 => in_the_papers_range(&Bowl::<8>::random(seed, size, 20.0), setting),
            1 => in_the_papers_range(&Regression::random(seed, 0.1 * size.min(10.0)), setting),
            _ => in_the_papers_range(&Softmax::<5>::random(seed, 0.1 * size.min(10.0)), setting),
        }
    }
}

fn in_the_papers_range(problem: &impl Known, setting: Setting) {
    let share = setting.share * (problem.mu() * problem.smoothness()).min(1.0) as f32;
    let setting = Setting { share, ..setting };
    assert!(f64::from(setting.rate(problem)) < (2.0 / problem.smoothness()).min(2.0 * problem.mu()));
    setting.assert_theorem(problem, 10);
}

/// The laws can fail: just above 2/L the bound, rho now a little above 1, does not hold, by far more than any rounding,
/// and the run climbs, even though the learned side never wins.
#[test]
fn above_two_over_l_the_bound_is_broken() {
    for (seed, share, by) in (0..20).flat_map(|seed| [(seed, 1.02, 0.01), (seed, 1.25, 0.1)]) {
        let problem = Bowl::<8>::random(seed, 1.0, 100.0);
        let setting = Setting { share, ..PAPER };
        let worst = setting.worst(&problem, Adversary::Nan, 200);
        assert!(worst > by, "{share}: only {worst}");
        let guard = setting.guard(&problem, Adversary::Nan);
        let (mut first, mut last) = (None, 0.0);
        rounds(&problem, &guard, 200, |w, reached| {
            first.get_or_insert(problem.excess(&flat(w)));
            last = problem.excess(&flat(reached));
        });
        assert!(last > 10.0 * first.unwrap(), "{share}: {last} after {first:?}");
    }
}

/// And so it does for a guard that asks too little: with kappa = 0 small climbs are refused, but a step that stands
/// still is not, and does not contract.
#[test]
fn asking_for_too_little_decrease_breaks_the_bound() {
    let problem = Bowl::<3>::random(1, 1.0, 2.0);
    let setting = Setting { sufficient: true, ..PAPER };
    assert!(setting.worst(&problem, Adversary::Idle, 25) <= 0.0);
    let guard = setting.guard(&problem, Adversary::Idle).decision(Decision::SufficientDecrease { kappa: 0.0 });
    let mut worst = f64::NEG_INFINITY;
    rounds(&problem, &guard, 25, |w, reached| {
        let round = setting.round(&problem, w, reached);
        worst = worst.max(round.excess() / round.before);
    });
    assert!(worst > 0.1, "only {worst}");
}

/// What the bounds of rounding leave room for is less than what a round promises: who stands still, or does half of
/// what is promised, breaks the bound wherever a run may start, on all but the worst conditioned problems.
#[test]
fn standing_still_breaks_the_bound() {
    let still = |problem: &dyn Fn(u64) -> f64| (0..200).filter(|&seed| problem(seed) <= 0.0).count();
    let at = |sufficient| Setting { sufficient, ..PAPER };
    for setting in [at(false), at(true)] {
        let stand = |p: &Bowl<64>| setting.round(p, &p.start(), &p.start()).excess();
        for (condition, most) in [(10.0, 0), (1e3, 0), (1e4, 20)] {
            let held = still(&|seed| stand(&Bowl::<64>::random(seed, 1.0, condition)));
            assert!(held <= most, "{setting:?}, condition {condition}: {held} of 200");
        }
        let regression = |seed| Regression::random(seed, 0.03);
        assert_eq!(
            still(&|s| setting.round(&regression(s), &regression(s).start(), &regression(s).start()).excess()),
            0
        );
        let softmax = |seed| Softmax::<5>::random(seed, 0.03);
        assert_eq!(still(&|s| setting.round(&softmax(s), &softmax(s).start(), &softmax(s).start()).excess()), 0);
    }
}

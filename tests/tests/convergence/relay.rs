//! The relay: after any finite number of learned steps the fallback's theorem holds from the accepted parameters on.

use lgl2o::guard::{RelayGuard, Unguarded};
use lgl2o::rule::Sgd;
use lgl2o::{Trainer, Winner};
use lgl2o_tests::adversary::Attack;
use lgl2o_tests::known::{Bowl, Known, Params, Regression, Softmax, flat, rho, step_error};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

/// How race, windows and rounds are cut.
#[derive(Debug, Clone, Copy)]
struct Setting {
    /// The fallback's rate as a share of 2/L.
    share: f32,
    race: u32,
    hand_over: u32,
    round: u32,
    latest: bool,
}

fn setting() -> impl Strategy<Value = Setting> {
    (0.02f32..0.98, 1u32..8, 0u32..30, 1u32..12, any::<bool>())
        .prop_map(|(share, race, hand_over, round, latest)| Setting { share, race, hand_over, round, latest })
}

/// What single precision may add in the fallback's steps from a point on, and in the losses that are compared.
struct Walk<'a, K: Known> {
    problem: &'a K,
    rate: f32,
    /// Where the steps have led so far.
    at: Params<K>,
    /// What the steps may add, in all.
    steps: f64,
    /// How far the loss may be off at any of the points.
    loss: f64,
}

impl<'a, K: Known> Walk<'a, K> {
    fn new(problem: &'a K, rate: f32, from: &Params<K>) -> Self {
        let mut walk = Self { problem, rate, at: from.clone(), steps: 0.0, loss: 0.0 };
        walk.see(&flat(from));
        walk
    }

    /// Takes in a point of the walk.
    fn see(&mut self, w: &[f64]) {
        self.steps += step_error(self.problem, w, self.rate.into());
        self.loss = self.loss.max(self.problem.loss_error(w));
    }

    /// So many steps more.
    fn go(&mut self, steps: u32) {
        let (alone, objective) = (Unguarded::new(Sgd::new(self.rate)), self.problem.objective());
        for _ in 0..steps {
            let next = run::rounds(objective, &alone, &mut self.problem.source(), &self.at, 1);
            self.at = next.expect("a finite gradient").params;
            self.see(&flat(&self.at));
        }
    }

    fn rounding(&self) -> f64 {
        self.steps + 2.0 * self.loss
    }
}

/// Until the hand-over F(S) never rises; from there on F(S) - F* <= rho^k (F(S_0) - F*), S_0 what was accepted then and k the
/// fallback's steps that have led to S.
fn assert_theorem<K: Known>(problem: &K, setting: Setting) {
    let rate = setting.share * 2.0 / problem.smoothness() as f32;
    for learned in Attack::all(1.0 / problem.smoothness() as f32) {
        let guard =
            RelayGuard::new(learned, Sgd::new(rate)).exact(true).race(setting.race).hand_over(setting.hand_over);
        let guard = guard.longest_round(setting.round).keep_latest(setting.latest);
        let mut memory = run::memory(problem.objective(), &guard, &problem.start());
        let mut source = problem.source();
        let excess = |w: &Params<K>| problem.excess(&flat(w));
        let (mut base, mut steps) = (memory.params().clone(), 0);
        let mut walk = Walk::new(problem, rate, &base);
        for i in 0..60 {
            let (before, handed) = (memory.params().clone(), memory.guard().is_handed_over());
            let verdict = Trainer::new(problem.objective(), &guard, &mut memory).round(&mut source).unwrap();
            let what = format!("{learned:?}, {setting:?}, round {i}, {verdict:?}");
            let after = excess(memory.params());
            if verdict.winner == Winner::Fallback {
                steps += verdict.accepted;
                walk.go(verdict.accepted);
                let bound = rho(problem, rate).powi(steps as i32) * excess(&base) + walk.rounding();
                assert!(after <= bound, "{what}: {after:e} above {bound:e}");
            } else {
                let error = |w: &Params<K>| problem.loss_error(&flat(w));
                assert!(after <= excess(&before) + error(&before) + error(memory.params()), "{what}");
            }
            if !handed && verdict.winner != Winner::Fallback {
                (base, steps) = (memory.params().clone(), 0);
                walk = Walk::new(problem, rate, &base);
            }
        }
        assert!(
            memory.guard().is_handed_over() || setting.round * 60 < 10 * setting.hand_over,
            "{learned:?}, {setting:?}"
        );
    }
}

proptest! {
    #![proptest_config(cases!(300, "convergence/relay"))]

    #[test]
    fn after_the_hand_over_the_fallback_contracts_on_quadratics(
        seed: u64,
        smoothness in -2f32..2.0,
        condition in 0f32..4.0,
        setting in setting(),
    ) {
        assert_theorem(&Bowl::<3>::random(seed, 10f32.powf(smoothness), 10f32.powf(condition)), setting);
    }

    #[test]
    fn after_the_hand_over_the_fallback_contracts_elsewhere(seed: u64, l2 in -2f32..0.5, setting in setting(), which: bool) {
        if which {
            assert_theorem(&Regression::random(seed, 10f32.powf(l2)), setting);
        } else {
            assert_theorem(&Softmax::<5>::random(seed, 10f32.powf(l2)), setting);
        }
    }
}

//! Trust: under a decision by margin, a learned side that has won the last race keeps what it proposes unless the other
//! candidate, or where both began, is better by the margin; before that it must be ahead by the margin.

use std::cell::Cell;

use lgl2o::guard::{Decision, LossGuard};
use lgl2o::rule::{Probe, Rule, State};
use lgl2o::tensors::Tensors;
use lgl2o::{Trainer, Winner};
use lgl2o_tests::{cases, run};
use proptest::prelude::*;

use crate::decisions::{Batches, GoTo, Lines};

/// A rule that goes where it is told to.
#[derive(Debug, Clone, Copy)]
struct Told<'a>(&'a Cell<f32>);

impl Rule for Told<'_> {
    type State<P: Tensors> = State<P, 0>;
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }
    fn step<P: Tensors>(&self, _: &mut State<P, 0>, params: &mut P, _: &P, _: f32, _: &mut impl Probe<P>) {
        params.fill(self.0.get());
    }
    fn observe<P: Tensors>(&self, _: &mut State<P, 0>, _: &P, _: &P, _: f32) {}
}

/// Two candidates, where they come from, and what they are checked on.
#[derive(Debug, Clone)]
struct Case {
    start: f32,
    fallback: f32,
    learned: f32,
    checks: Vec<Vec<f32>>,
    z: f32,
    veto: bool,
    stay: bool,
}

fn case() -> impl Strategy<Value = Case> {
    // Means from clear to hidden in the spread.
    let number = (-0.5f32..0.5, -1f32..1.0).prop_map(|(mean, spread)| mean + spread);
    let checks = prop::collection::vec(prop::collection::vec(number, 8), 1..6);
    let shifted = (checks, -1f32..1.0)
        .prop_map(|(checks, shift)| checks.into_iter().map(|b| b.into_iter().map(|a| a + shift).collect()).collect());
    let point = || -1f32..1.0;
    (point(), point(), point(), shifted, 0.5f32..3.0, any::<bool>()).prop_map(
        |(start, fallback, learned, checks, z, veto)| Case { start, fallback, learned, checks, z, veto, stay: false },
    )
}

impl Case {
    /// Mean and standard error of (p - q) a over the examples.
    fn moments(&self, p: f32, q: f32) -> [f64; 2] {
        let d: Vec<f64> = self.checks.iter().flatten().map(|&a| (f64::from(p) - f64::from(q)) * f64::from(a)).collect();
        let n = d.len() as f64;
        let mean = d.iter().sum::<f64>() / n;
        let variance = d.iter().map(|d| (d - mean).powi(2)).sum::<f64>() / (n - 1.0);
        [mean, (variance / n).sqrt()]
    }

    /// Who wins the round that follows one which the learned side has won, or lost.
    fn winner(&self, trusted: bool, trust: bool) -> Winner {
        let target = Cell::new(if trusted { -9.0 } else { 9.0 });
        let guard = LossGuard::new(Told(&target), GoTo(self.fallback))
            .batches(1, self.checks.len() as u32)
            .decision(Decision::Margin { z: self.z })
            .early_stop(0.0)
            .budget(false)
            .veto(self.veto)
            .stay(self.stay)
            .trust(trust);
        // From far above both, so that the fallback does not climb.
        let mut memory = run::memory(&Lines, &guard, &[5.0]);
        let ones = vec![vec![1.0; 8]; self.checks.len()];
        let first =
            Trainer::new(&Lines, &guard, &mut memory).round(&mut Batches { train: &[1.0], checks: &ones, next: 0 });
        assert_eq!(first.unwrap().winner, if trusted { Winner::Learned } else { Winner::Fallback });
        memory.params_mut()[0] = self.start;
        target.set(self.learned);
        let mut source = Batches { train: &[1.0], checks: &self.checks, next: 0 };
        Trainer::new(&Lines, &guard, &mut memory).round(&mut source).unwrap().winner
    }

    /// Whether a comparison is too close for single precision to tell.
    fn is_close(&self, p: f32, q: f32) -> bool {
        let [mean, error] = self.moments(p, q);
        [mean, mean - f64::from(self.z) * error, mean + f64::from(self.z) * error].iter().any(|x| x.abs() < 1e-5)
    }
}

proptest! {
    #![proptest_config(cases!(400, "guard_laws/trust"))]

    /// D = loss(v) - loss(u), E = loss(v) - loss(w), paired: a trusted v is kept iff D < min(z SE(D), loss(u) / 16), and
    /// with the veto E < min(z SE(E), loss(w) / 16); any other iff D < -z SE(D), and with the veto E < 0. Where u is above w by
    /// a standard deviation of the losses, E < -z SE(E), whoever is trusted.
    #[test]
    fn ties_go_to_whom_is_trusted(case in case(), trusted in any::<bool>(), trust in any::<bool>()) {
        let Case { start, fallback, learned, z, veto, .. } = case;
        prop_assume!(!case.is_close(learned, fallback) && !case.is_close(learned, start));
        let [[d, d_error], [e, e_error]] = [case.moments(learned, fallback), case.moments(learned, start)];
        let (z, [of_u, of_w]) = (f64::from(z), [case.moments(fallback, 0.0)[0], case.moments(start, 0.0)[0]]);
        prop_assume!((d - of_u.abs() / 16.0).abs() > 1e-5 && (e - of_w.abs() / 16.0).abs() > 1e-5);
        let (ahead, allowed) = if trusted && trust {
            (d < (z * d_error).min(of_u.abs() / 16.0), !veto || e < (z * e_error).min(of_w.abs() / 16.0))
        } else {
            (d < -z * d_error, !veto || e < 0.0)
        };
        let spread = case.moments(start, 0.0)[1] * (case.checks.len() as f64 * 8.0).sqrt();
        let rise = case.moments(fallback, start)[0];
        prop_assume!((rise - spread).abs() > 1e-5);
        let climbs = veto && rise > spread;
        let allowed = if climbs { e < -z * e_error } else { allowed };
        // Where v beats u, and w beats v, u is the worst of three: w stays. So it does where u is far above w.
        let expected = match (ahead, allowed) {
            (true, true) => Winner::Learned,
            _ if climbs => Winner::Neither,
            (true, false) if d < 0.0 => Winner::Neither,
            _ => Winner::Fallback,
        };
        prop_assert_eq!(case.winner(trusted, trust), expected, "{:?} {} {} {} {}", case, d, d_error, e, e_error);
    }
}

/// A tie, which trust decides; and a clear loss, which it does not.
#[test]
fn both_happen() {
    let tie = Case {
        start: 1.0,
        fallback: 0.5,
        learned: 0.52,
        checks: vec![vec![2.0, -1.5, 2.0, -1.5, 2.0, -1.5, 2.0, -1.5]],
        z: 2.0,
        veto: true,
        stay: false,
    };
    let winners = [[true, true], [true, false], [false, true]].map(|[trusted, trust]| tie.winner(trusted, trust));
    assert_eq!(winners, [Winner::Learned, Winner::Fallback, Winner::Fallback]);
    let negative = Case { start: -0.4, fallback: -0.5, learned: -0.48, ..tie.clone() };
    assert_eq!(negative.winner(true, true), Winner::Learned, "the same where losses are below zero");
    let same = Case { learned: 0.5, ..tie.clone() };
    assert_eq!(same.winner(true, true), Winner::Fallback, "no difference and no spread: nothing to trust");
    let wild = Case { learned: 3.0, ..tie.clone() };
    assert_eq!(wild.winner(true, true), Winner::Fallback, "a tie by its spread, but worse by far");
    let level = Case { start: 0.5, ..tie.clone() };
    assert_eq!(level.winner(true, true), Winner::Learned, "no better than where both began, within the spread");
    let deployed = Case { stay: true, ..level };
    assert_eq!(deployed.winner(true, true), Winner::Neither, "a model that must not get worse trusts nobody there");
    let climbing = Case { start: 0.5, fallback: 6.0, ..tie.clone() };
    assert_eq!(climbing.winner(true, true), Winner::Neither, "a tie is not good enough where the fallback climbs");
    let clear = Case { checks: vec![vec![1.0; 8]], ..tie };
    assert_eq!(clear.winner(true, true), Winner::Fallback);
}

/// Five check batches on which any difference is a clear one.
fn near_one() -> Vec<Vec<f32>> {
    (0..5).map(|i| (0..8).map(|j| 1.0 + 0.01 * ((i + j) % 3) as f32).collect()).collect()
}

/// Trust is gained on all check batches, lost on as few as it takes, and a trusted side is judged as early as a clear
/// case allows.
#[test]
fn only_a_loss_is_seen_early_by_who_does_not_trust_yet() {
    let checks = near_one();
    let target = Cell::new(0.0);
    let guard = LossGuard::new(Told(&target), GoTo(0.5)).batches(1, 5).budget(false);
    let mut memory = run::memory(&Lines, &guard, &[1.0]);
    let mut looks = |to: f32| {
        target.set(to);
        memory.params_mut()[0] = 1.0;
        let mut source = Batches { train: &[1.0], checks: &checks, next: 0 };
        let verdict = Trainer::new(&Lines, &guard, &mut memory).round(&mut source).unwrap();
        (verdict.winner, source.next)
    };
    assert_eq!(looks(0.7), (Winner::Fallback, 1));
    assert_eq!(looks(0.3), (Winner::Learned, 5));
    assert_eq!(looks(0.3), (Winner::Learned, 1));
    assert_eq!(looks(0.7), (Winner::Fallback, 1));
}

/// Without a margin there are no ties for trust to decide, and a clear win is seen as early as a loss.
#[test]
fn without_a_margin_trust_changes_nothing() {
    let checks = near_one();
    let target = Cell::new(0.3);
    for decision in [Decision::Lower, Decision::Margin { z: 0.0 }] {
        let guard = LossGuard::new(Told(&target), GoTo(0.5)).batches(1, 5).decision(decision);
        let mut memory = run::memory(&Lines, &guard, &[1.0]);
        let mut source = Batches { train: &[1.0], checks: &checks, next: 0 };
        let verdict = Trainer::new(&Lines, &guard, &mut memory).round(&mut source).unwrap();
        assert_eq!((verdict.winner, source.next), (Winner::Learned, 1), "{decision:?}");
    }
}

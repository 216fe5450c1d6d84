//! What a fingerprint tells apart: everything that a resumed run depends on.

use lgl2o::chain;
use lgl2o::checkpoint::Fingerprint;
use lgl2o::guard::{Blend, Decision, Follow, KeepOwn, LossGuard, MuRule, Reset, ResidualGuard, Rewind, Unguarded};
use lgl2o::learned::{self, LearnedNgn, LearnedScaleFree};
use lgl2o::objective::mlp::network::Layers;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Sigmoid, Tanh};
use lgl2o::objective::{Logistic, Quadratic};
use lgl2o::source::Exact;
use lgl2o_tests::every_rule::*;
use lgl2o_tests::task::small_mlp;
use lgl2o_tests::{every_rule, with_every_guard};

/// Each rule as it is, and with another value for each of its settings.
macro_rules! settings {
    ($($kind:ident { $($rule:expr => $($($field:ident).+ in $other:expr),+;)+ })+) => {
        vec![$($(
            $rule.fingerprint(),
            $({
                let mut other = $rule;
                other.$($field).+ = $other[0];
                other.fingerprint()
            },)+
        )+)+]
    };
}

fn rules() -> Vec<u32> {
    let mut all = every_rule!(settings);
    all.push(Sgd::new(Rate::Harmonic { c: 0.1, i0: 1.0 }).fingerprint());
    all.push(Sgd::new(Rate::Harmonic { c: 0.1, i0: 2.0 }).fingerprint());
    all
}

fn learned_rules() -> Vec<u32> {
    let l2o = learned::ngn();
    vec![
        l2o.fingerprint(),
        LearnedNgn::hand_made().fingerprint(),
        learned::lstm().fingerprint(),
        learned::rnnprop().fingerprint(),
        learned::lean().fingerprint(),
        LearnedScaleFree::hand_made().fingerprint(),
    ]
}

fn loss_guards() -> Vec<u32> {
    let (l2o, sgd) = (learned::ngn(), Sgd::new(0.1));
    let loss = LossGuard::new(l2o, sgd);
    vec![
        loss.fingerprint(),
        LossGuard::new(sgd, sgd).fingerprint(),
        LossGuard::paper(l2o, sgd).fingerprint(),
        loss.batches(20, 9).fingerprint(),
        loss.batches(19, 10).fingerprint(),
        loss.decision(Decision::Lower).fingerprint(),
        loss.decision(Decision::Margin { z: 1.0 }).fingerprint(),
        loss.decision(Decision::GrowingMargin).fingerprint(),
        loss.decision(Decision::FullObjective).fingerprint(),
        loss.decision(Decision::SufficientDecrease { kappa: 0.0 }).fingerprint(),
        loss.early_stop(1.0).fingerprint(),
        loss.veto(false).fingerprint(),
        loss.stay(true).fingerprint(),
        loss.stride(16).fingerprint(),
        loss.stretch(5).fingerprint(),
        loss.trust(false).fingerprint(),
        sgd.averaged().fingerprint(),
        Averaged { rule: sgd, eta: 2.0 }.fingerprint(),
        LossGuard::new(l2o.averaged(), sgd).fingerprint(),
        loss.audits(false).fingerprint(),
        loss.budget(false).fingerprint(),
        loss.gaps(80, 1281).fingerprint(),
        loss.gaps(81, 1280).fingerprint(),
        loss.policy::<Rewind>().fingerprint(),
        loss.policy::<Reset>().fingerprint(),
        loss.policy::<Follow>().fingerprint(),
    ]
}

/// Every guard around two rules, around others, and with the two exchanged.
fn guards() -> Vec<u32> {
    let mut all = Vec::new();
    let mut add = |_: &str, guard: &dyn Fingerprint| all.push(guard.fingerprint());
    let (lean, adam, nadam) = (learned::lean(), Adam::new(0.3), NAdam::new(0.3));
    with_every_guard!(add, lean, adam);
    with_every_guard!(add, adam, nadam);
    with_every_guard!(add, nadam, lean);
    all
}

fn settings_of_guards() -> Vec<u32> {
    let (l2o, sgd) = (learned::ngn(), Sgd::new(0.1));
    vec![
        ResidualGuard::new(l2o, sgd).fingerprint(),
        ResidualGuard::new(l2o, sgd).with(0.5, MuRule::ExponentialAverage(0.25)).unwrap().fingerprint(),
        ResidualGuard::new(l2o, sgd).with(0.99, MuRule::ExponentialAverage(0.5)).unwrap().fingerprint(),
        ResidualGuard::new(l2o, sgd).with(0.99, MuRule::Geometric(0.25)).unwrap().fingerprint(),
        ResidualGuard::new(l2o, sgd).with(0.99, MuRule::RecentTerm).unwrap().fingerprint(),
        ResidualGuard::new(l2o, sgd).with(0.99, MuRule::ArithmeticAverage).unwrap().fingerprint(),
        ResidualGuard::new(l2o, sgd).with(0.99, MuRule::RecentMax(4)).unwrap().fingerprint(),
        Blend::new(l2o, sgd, 0.5).unwrap().fingerprint(),
        Blend::new(l2o, sgd, 0.25).unwrap().fingerprint(),
        Unguarded::new(sgd).fingerprint(),
        Unguarded::learned(sgd).fingerprint(),
        Unguarded::learned(l2o).fingerprint(),
    ]
}

fn objectives() -> Vec<u32> {
    vec![
        Quadratic::new([1.0], [0.0]).unwrap().fingerprint(),
        Quadratic::new([2.0], [0.0]).unwrap().fingerprint(),
        Quadratic::new([1.0], [1.0]).unwrap().fingerprint(),
        Quadratic::new([1.0, 1.0], [0.0, 0.0]).unwrap().fingerprint(),
        Quadratic::new([1.0, 1.0], [0.0, 0.0]).unwrap().reflected([1.0, 2.0]).unwrap().fingerprint(),
        Logistic::<2, 8>::new(0.1).unwrap().fingerprint(),
        Logistic::<2, 8>::new(0.2).unwrap().fingerprint(),
        Logistic::<3, 8>::new(0.1).unwrap().fingerprint(),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::CrossEntropy),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::SquaredError),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::Huber { delta: 1.0 }),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::Huber { delta: 2.0 }),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::SoftCrossEntropy { smoothing: 0.0, weights: &[] }),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::SoftCrossEntropy { smoothing: 0.1, weights: &[] }),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::SoftCrossEntropy {
            smoothing: 0.1,
            weights: &[1.0, 2.0],
        }),
        network::<chain![Dense<2, 8, Sigmoid>, Dense<8, 2>]>(Loss::CrossEntropy),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 3>]>(Loss::CrossEntropy),
        network::<chain![Dense<2, 7, Tanh>, Dense<7, 2>]>(Loss::CrossEntropy),
        network::<chain![Dense<2, 8, Tanh>, Dense<8, 8, Tanh>, Dense<8, 2>]>(Loss::CrossEntropy),
    ]
}

/// Each of them differs; what describes the same is the same.
#[test]
fn fingerprints_differ_where_configurations_do() {
    let source = vec![Exact.fingerprint()];
    let all = [rules(), learned_rules(), loss_guards(), guards(), settings_of_guards(), objectives(), source].concat();
    let different: std::collections::BTreeSet<u32> = all.iter().copied().collect();
    assert_eq!(different.len(), all.len());
    let loss = LossGuard::new(learned::ngn(), Sgd::new(0.1));
    assert_eq!(loss.policy::<KeepOwn>().fingerprint(), loss.fingerprint());
    let borrowed = &loss;
    assert_eq!(Fingerprint::fingerprint(&borrowed), loss.fingerprint());
    assert_eq!(small_mlp().fingerprint(), network::<chain![Dense<2, 8, Tanh>, Dense<8, 2>]>(Loss::CrossEntropy));
}

fn network<L: Layers>(loss: Loss) -> u32 {
    Mlp::new(Fixed::<L, 8>::new(), loss).fingerprint()
}

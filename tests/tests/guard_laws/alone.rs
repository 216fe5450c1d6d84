//! A lost round leaves nothing behind: if every proposal is rejected, the run is the fallback's alone; if every one is
//! accepted, it is the learned rule's alone. Bit for bit, for every decision, state policy and number of steps.

use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, Follow, KeepOwn, LossGuard, Reset, Rewind, StatePolicy, Unguarded};
use lgl2o::objective::Blank;
use lgl2o::rule::{Adam, Armijo, Momentum, Sgd};
use lgl2o::source::{Exact, Source};
use lgl2o::{Rule, Verdict, Winner, learned};
use lgl2o_tests::adversary::Terrible;
use lgl2o_tests::task::{BATCH, BOWL_START, Data, bowl, small_mlp, start};
use lgl2o_tests::{bits, run};

const DECISIONS: [Decision; 5] = [
    Decision::Lower,
    Decision::Margin { z: 2.0 },
    Decision::GrowingMargin,
    Decision::FullObjective,
    Decision::SufficientDecrease { kappa: 1e-3 },
];

/// Proposals that no decision takes.
pub(crate) const HOPELESS: [Adversary; 5] =
    [Adversary::Nan, Adversary::OneNan, Adversary::Infinite, Adversary::Huge, Adversary::Ascent];

const ROUNDS: u32 = 6;

/// A guarded run and a rule's run alone, over as many steps and the same training batches.
struct Pair<'a, O: Blank> {
    objective: &'a O,
    start: &'a O::Params,
}

impl<O: Blank> Pair<'_, O> {
    fn guarded<L: Rule, F: Rule, S: StatePolicy>(
        &self,
        guard: &LossGuard<L, F, S>,
        source: &mut impl Source<O>,
    ) -> (Vec<u32>, Vec<Verdict>) {
        let run = run::rounds(self.objective, guard, source, self.start, ROUNDS).unwrap();
        (bits::of(&run.params), run.verdicts)
    }

    fn alone(&self, rule: &impl Rule, steps: u32, source: &mut impl Source<O>) -> Vec<u32> {
        let run = run::rounds(self.objective, &Unguarded::new(rule), source, self.start, ROUNDS * steps).unwrap();
        bits::of(&run.params)
    }
}

fn assert_all(verdicts: &[Verdict], winner: Winner, what: &str) {
    assert!(verdicts.iter().all(|v| v.winner == winner), "{what}: {verdicts:?}");
}

/// Every proposal of every hopeless rule against one fallback and one policy, on a perceptron and on a quadratic.
fn assert_rejected<S: StatePolicy>(name: &str, fallback: &(impl Rule + Copy)) {
    let (mlp, quadratic, data) = (small_mlp(), bowl(), Data::disk(96, 1));
    let initial = start(&mlp, 2);
    let (mlp, quadratic) =
        (Pair { objective: &mlp, start: &initial }, Pair { objective: &quadratic, start: &BOWL_START });
    for steps in [1, 2, 5] {
        let mlp_alone = data.sampling(BATCH, 3, |sampler| mlp.alone(fallback, steps, sampler));
        let quadratic_alone = quadratic.alone(fallback, steps, &mut Exact);
        for (decision, learned) in DECISIONS.iter().flat_map(|d| HOPELESS.map(|l| (*d, l))) {
            let what = format!("{name}, {learned:?}, {decision:?}, n_t = {steps}");
            let guard = LossGuard::paper(learned, *fallback).batches(steps, 2).decision(decision).policy::<S>();
            let (params, verdicts) = data.sampling(BATCH, 3, |sampler| mlp.guarded(&guard, sampler));
            assert_all(&verdicts, Winner::Fallback, &what);
            assert_eq!(params, mlp_alone, "{what}: perceptron");
            let (params, verdicts) = quadratic.guarded(&guard, &mut Exact);
            assert_all(&verdicts, Winner::Fallback, &what);
            assert_eq!(params, quadratic_alone, "{what}: quadratic");
            let averaged =
                LossGuard::paper(learned.averaged(), *fallback).batches(steps, 2).decision(decision).policy::<S>();
            let (params, verdicts) = quadratic.guarded(&averaged, &mut Exact);
            assert_all(&verdicts, Winner::Fallback, &what);
            assert_eq!(params, quadratic_alone, "{what}: quadratic, averaged");
        }
    }
}

fn assert_rejected_by_every_policy(name: &str, fallback: &(impl Rule + Copy)) {
    assert_rejected::<KeepOwn>(&format!("{name}, keep own"), fallback);
    assert_rejected::<Rewind>(&format!("{name}, rewind"), fallback);
    assert_rejected::<Reset>(&format!("{name}, reset"), fallback);
    assert_rejected::<Follow>(&format!("{name}, follow"), fallback);
}

/// All rejected, fallback SGD: the theorem's fallback, with no state to spoil.
#[test]
fn all_rejected_is_sgd_alone() {
    assert_rejected_by_every_policy("sgd", &Sgd::new(0.05));
}

/// All rejected, fallback momentum: its state is one that a wrong policy would spoil.
#[test]
fn all_rejected_is_momentum_alone() {
    assert_rejected_by_every_policy("momentum", &Momentum::new(0.02));
}

/// All rejected, fallback Adam: its clock is part of its state.
#[test]
fn all_rejected_is_adam_alone() {
    assert_rejected_by_every_policy("adam", &Adam::new(0.05));
}

/// All rejected, fallback Armijo: its step needs the training batch, also when the proposal is judged first.
#[test]
fn all_rejected_is_armijo_alone() {
    assert_rejected_by_every_policy("armijo", &Armijo::new(1.0).unwrap());
}

/// All rejected, an averaged fallback: a rule like any other, that wants its gradients elsewhere.
#[test]
fn all_rejected_is_averaged_sgd_alone() {
    assert_rejected_by_every_policy("averaged sgd", &Sgd::new(0.05).averaged());
}

/// Every proposal of a learned rule is accepted, because the fallback's is terrible.
fn assert_accepted<S: StatePolicy>(name: &str, learned: &(impl Rule + Copy)) {
    let (objective, data) = (small_mlp(), Data::disk(96, 1));
    let initial = start(&objective, 2);
    let pair = Pair { objective: &objective, start: &initial };
    // Losses of infinity lose by any margin; finite ones of 10^4 lose where no margin is asked for.
    let fallbacks = [Terrible { height: f32::MAX }, Terrible { height: 1e4 }];
    for (steps, fallback) in [1, 2, 5].into_iter().flat_map(|steps| fallbacks.map(|f| (steps, f))) {
        let alone = data.sampling(BATCH, 3, |sampler| pair.alone(learned, steps, sampler));
        for decision in DECISIONS {
            let decision = match decision {
                Decision::SufficientDecrease { .. } => continue,
                Decision::Margin { .. } | Decision::GrowingMargin if fallback.height < f32::MAX => Decision::Lower,
                other => other,
            };
            let what = format!("{name}, {fallback:?}, {decision:?}, n_t = {steps}");
            let guard = LossGuard::paper(*learned, fallback).batches(steps, 2).decision(decision).policy::<S>();
            let (params, verdicts) = data.sampling(BATCH, 3, |sampler| pair.guarded(&guard, sampler));
            assert_all(&verdicts, Winner::Learned, &what);
            assert_eq!(params, alone, "{what}");
        }
    }
}

fn assert_accepted_by_every_policy(name: &str, learned: &(impl Rule + Copy)) {
    assert_accepted::<KeepOwn>(&format!("{name}, keep own"), learned);
    assert_accepted::<Rewind>(&format!("{name}, rewind"), learned);
    assert_accepted::<Reset>(&format!("{name}, reset"), learned);
    assert_accepted::<Follow>(&format!("{name}, follow"), learned);
}

/// All accepted: Adam in the learned role is Adam alone.
#[test]
fn all_accepted_is_adam_alone() {
    assert_accepted_by_every_policy("adam", &Adam::new(0.01));
}

/// All accepted: an averaged rule goes on from its front, from round to round.
#[test]
fn all_accepted_is_averaged_adam_alone() {
    assert_accepted_by_every_policy("averaged adam", &Adam::new(0.01).averaged());
}

/// All accepted: the built-in learned rule is itself alone.
#[test]
fn all_accepted_is_the_learned_rule_alone() {
    assert_accepted_by_every_policy("l2o", &learned::ngn());
}

/// All accepted under *sufficient decrease*: gradient descent at a rate far below 2/L, which always decreases enough.
#[test]
fn all_accepted_by_sufficient_decrease_is_descent_alone() {
    let (quadratic, learned) = (bowl(), Sgd::new(0.05));
    let pair = Pair { objective: &quadratic, start: &BOWL_START };
    for steps in [1, 2, 5] {
        let decision = Decision::SufficientDecrease { kappa: 0.01 };
        let guard = LossGuard::paper(learned, Sgd::new(0.5)).batches(steps, 1).decision(decision);
        let (params, verdicts) = pair.guarded(&guard, &mut Exact);
        assert_all(&verdicts, Winner::Learned, "descent");
        assert_eq!(params, pair.alone(&learned, steps, &mut Exact));
    }
}

/// The comparison can fail: one accepted proposal in six rounds shows in the bits.
#[test]
fn one_accepted_proposal_shows() {
    let quadratic = bowl();
    let pair = Pair { objective: &quadratic, start: &BOWL_START };
    let fallback = Sgd::new(0.001);
    let guard = LossGuard::paper(Adversary::Betray(1), fallback).batches(1, 1);
    let (params, verdicts) = pair.guarded(&guard, &mut Exact);
    assert_eq!(verdicts.iter().filter(|v| v.winner == Winner::Learned).count(), 1);
    assert_ne!(params, pair.alone(&fallback, 1, &mut Exact));
}

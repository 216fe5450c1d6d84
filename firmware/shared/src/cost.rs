//! What training costs, in instructions: a step, an update alone, a decision of the guard.
//!
//! Workloads are those by which training libraries for microcontrollers are compared: W1 = 2-16-2 tanh with batches of 8,
//! W2 = 64-32-10 ReLU and W3 = 196-32-10 ReLU with batches of 16, all with softmax cross-entropy. A figure is the mean over
//! eight calls after two that are not counted; of a rule in eigenbases over sixteen after sixteen, since its bases turn in every sixteenth
//! step. The batch is the same one throughout. Counting is the caller's ([`Counter`]), so the same code can be counted anywhere.

use lgl2o::batch::{Batch, Rows};
use lgl2o::objective::mlp::descent::Scratch;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Network, Relu, Tanh};
use lgl2o::oracle::{Oracle, Paired};
use lgl2o::rule::rotated::RotatedState;
use lgl2o::rule::{Adam, Coordinatewise, LayeredState, Ngn, NoProbe, Rotated, Rule, RuleState as _, Sgd, State};
use lgl2o::tensors::{Tensors, Zeroed};
use lgl2o::{Error, Rng, chain, learned};
use serde::{Deserialize, Serialize};

/// W1: 2-16-2 tanh, batches of 8.
pub type W1 = Fixed<chain![Dense<2, 16, Tanh>, Dense<16, 2>], 8>;
/// W2: 64-32-10 ReLU, batches of 16.
pub type W2 = Fixed<chain![Dense<64, 32, Relu>, Dense<32, 10>], 16>;
/// W3: 196-32-10 ReLU, batches of 16.
pub type W3 = Fixed<chain![Dense<196, 32, Relu>, Dense<32, 10>], 16>;

/// The workloads by their numbers.
pub const WORKLOADS: [&str; 3] =
    ["W1: 2-16-2 tanh, batch 8", "W2: 64-32-10 ReLU, batch 16", "W3: 196-32-10 ReLU, batch 16"];

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Item {
    /// Loss and gradient of one batch.
    Gradient,
    /// The same and the update with SGD: a training step.
    StepSgd,
    /// With Adam.
    StepAdam,
    /// With NGN, the fallback without a rate.
    StepNgn,
    /// With the learned optimizer `lean`.
    StepLean,
    /// With the learned optimizer `l2o`.
    StepL2o,
    /// The update alone.
    UpdateSgd,
    /// See [`UpdateSgd`](Self::UpdateSgd).
    UpdateAdam,
    /// See [`UpdateSgd`](Self::UpdateSgd).
    UpdateNgn,
    /// See [`UpdateSgd`](Self::UpdateSgd).
    UpdateLean,
    /// See [`UpdateSgd`](Self::UpdateSgd).
    UpdateL2o,
    /// The guard's decision on one check batch: paired losses of both candidates and of the current parameters. The commit
    /// after it is a change of one byte.
    Decision,
    /// The outputs for one example.
    Inference,
    /// A training step with SGD without memory for a gradient.
    DescentSgd,
    /// With Adam.
    DescentAdam,
    /// A training step with `l2o` in eigenbases, the learned side of `auto_rotated`.
    StepRotated,
    /// See [`UpdateSgd`](Self::UpdateSgd).
    UpdateRotated,
}

impl Item {
    /// How many calls a figure is the mean of.
    #[must_use]
    pub const fn calls(self) -> u32 {
        if matches!(self, Self::StepRotated | Self::UpdateRotated) { PERIOD } else { CALLS }
    }
}

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// Index into [`WORKLOADS`].
    pub workload: u8,
    /// What was counted.
    pub item: Item,
    /// Numbers that are trained.
    pub parameters: u32,
    /// Instructions per call.
    pub instructions: u32,
}

/// Counts instructions.
pub trait Counter {
    /// Instructions that the work takes.
    fn count(&mut self, work: &mut dyn FnMut()) -> u32;
}

/// Calls that a figure is the mean of, and calls before them.
const CALLS: u32 = 8;
const WARM: u32 = 2;
/// The same of a rule in eigenbases: what it does in a step repeats after so many.
const PERIOD: u32 = 16;
/// SysTick has 24 bits and, on the boards here, ticks for 40 instructions or fewer: it wraps after 670 million on some.
const LONG: u32 = 50_000_000;

/// All memory of the measurements on one network.
pub struct Bench<N: Network> {
    params: N::Params,
    gradient: N::Params,
    second: N::Params,
    scratch: N::Activations,
    losses: [N::Losses; 2],
    descent: Scratch<N>,
    none: State<N::Params, 0>,
    ngn: Layered<N::Params, 3>,
    lean: Layered<N::Params, 2>,
    /// Its two slots are Adam's as well.
    l2o: Layered<N::Params, 3>,
    rotated: InBases<N::Params>,
}

/// The state of a rule with two numbers for a parameter and `J` for a layer.
type Layered<P, const J: usize> = LayeredState<P, <P as Tensors>::Layers, 2, J>;
/// That of `l2o` in eigenbases.
type InBases<P> = RotatedState<P, <P as Tensors>::Bases, Layered<P, 3>>;

impl<N: Network> Bench<N>
where
    N::Params: Zeroed,
    N::Activations: Zeroed,
    N::Losses: Zeroed,
    <N::Params as Tensors>::Layers: Zeroed,
    <N::Params as Tensors>::Bases: Zeroed,
{
    /// All zero.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            params: Zeroed::ZERO,
            gradient: Zeroed::ZERO,
            second: Zeroed::ZERO,
            scratch: Zeroed::ZERO,
            losses: [Zeroed::ZERO, Zeroed::ZERO],
            descent: Zeroed::ZERO,
            none: Zeroed::ZERO,
            ngn: Zeroed::ZERO,
            lean: Zeroed::ZERO,
            l2o: Zeroed::ZERO,
            rotated: Zeroed::ZERO,
        }
    }
}

impl<N: Network> Default for Bench<N>
where
    N::Params: Zeroed,
    N::Activations: Zeroed,
    N::Losses: Zeroed,
    <N::Params as Tensors>::Layers: Zeroed,
    <N::Params as Tensors>::Bases: Zeroed,
{
    fn default() -> Self {
        Self::new()
    }
}

/// Fills a batch: rows of noise, classes in turn.
pub fn fill(inputs: &mut [f32], labels: &mut [u8], classes: u8) {
    let mut rng = Rng::new(7);
    inputs.iter_mut().for_each(|x| *x = rng.range(-1.0, 1.0));
    labels.iter_mut().zip((0..classes).cycle()).for_each(|(label, class)| *label = class);
}

/// Measures everything on one network and one batch; returns each figure to `each`.
///
/// # Errors
/// What is wrong with the batch.
pub fn measure<N: Network + Default>(
    workload: u8,
    bench: &mut Bench<N>,
    batch: Batch<'_>,
    counter: &mut impl Counter,
    mut each: impl FnMut(&Cost),
) -> Result<(), Error> {
    let net = Mlp::new(N::default(), Loss::CrossEntropy);
    let parameters = net.parameters() as u32;
    let mut tell = |item, instructions| each(&Cost { workload, item, parameters, instructions });
    let Bench { params, gradient, second, scratch, losses, descent, none, ngn, lean, l2o, rotated } = bench;
    net.initialize(params, &mut Rng::new(1));
    // Once outside of the counter, so that a wrong batch is an error and not a figure.
    Oracle::new(&net, scratch, losses).loss(params, batch)?;
    let one = Rows::all(batch.inputs.row(0), batch.inputs.width());
    let infer = || _ = core::hint::black_box(net.outputs(scratch, params, one));
    tell(Item::Inference, mean(counter, infer));
    let mut oracle = Oracle::new(&net, scratch, losses);
    tell(Item::Gradient, mean(counter, || _ = oracle.gradient(params, batch, gradient)));
    let mut work = Work { net: &net, params, gradient, batch, oracle: &mut oracle };
    macro_rules! each_rule {
        ($($update:ident, $step:ident: $rule:expr, $state:expr;)*) => {$({
            let [update, step] = work.rule(Item::$step.calls(), &$rule, $state, counter);
            tell(Item::$update, update);
            tell(Item::$step, step);
        })*};
    }
    each_rule! {
        UpdateSgd, StepSgd: Sgd::new(0.05), none;
        UpdateAdam, StepAdam: Adam::new(0.001), &mut l2o.slots;
        UpdateNgn, StepNgn: Ngn::new(), ngn;
        UpdateLean, StepLean: learned::lean(), lean;
        UpdateL2o, StepL2o: learned::ngn(), l2o;
        UpdateRotated, StepRotated: Rotated::new(learned::ngn()), rotated;
    }
    second.copy_from(work.params);
    let decision = mean(counter, || {
        let mut paired = Paired::default();
        let now = &*work.params;
        _ = work.oracle.compare(now, second, Some(now), batch, &mut paired);
        core::hint::black_box(&paired);
    });
    tell(Item::Decision, decision);
    tell(Item::DescentSgd, descend(&net, &Sgd::new(0.05), (descent, params, none), batch, counter));
    tell(Item::DescentAdam, descend(&net, &Adam::new(0.001), (descent, params, &mut l2o.slots), batch, counter));
    Ok(())
}

/// Instructions of a step without memory for a gradient.
fn descend<N: Network, R: Coordinatewise<K>, const K: usize>(
    net: &Mlp<N>,
    rule: &R,
    (scratch, params, state): (&mut Scratch<N>, &mut N::Params, &mut State<N::Params, K>),
    batch: Batch<'_>,
    counter: &mut impl Counter,
) -> u32 {
    state.reset();
    net.initialize(params, &mut Rng::new(1));
    mean(counter, || _ = core::hint::black_box(net.descend(scratch, params, state, rule, batch)))
}

/// What the rules work on.
struct Work<'a, 'b, N: Network> {
    net: &'a Mlp<N>,
    params: &'a mut N::Params,
    gradient: &'a mut N::Params,
    batch: Batch<'a>,
    oracle: &'a mut Oracle<'b, Mlp<N>>,
}

impl<N: Network> Work<'_, '_, N> {
    /// Instructions of a rule's update alone, and of a whole step.
    fn rule<R: Rule>(
        &mut self,
        calls: u32,
        rule: &R,
        state: &mut R::State<N::Params>,
        counter: &mut impl Counter,
    ) -> [u32; 2] {
        state.reset();
        self.net.initialize(self.params, &mut Rng::new(1));
        let step = mean_of(calls, counter, || {
            if let Ok(loss) = self.oracle.gradient(self.params, self.batch, self.gradient) {
                rule.step(state, self.params, self.gradient, loss, &mut NoProbe);
            }
        });
        let update = mean_of(calls, counter, || rule.step(state, self.params, self.gradient, 1.0, &mut NoProbe));
        [update, step]
    }
}

/// Mean over some calls, after some that are not counted; one call, if it is so long that the clock might wrap around in
/// eight.
fn mean(counter: &mut impl Counter, work: impl FnMut()) -> u32 {
    mean_of(CALLS, counter, work)
}

/// The same over so many; of a whole period each call is counted where one is so long.
fn mean_of(calls: u32, counter: &mut impl Counter, mut work: impl FnMut()) -> u32 {
    let warm = if calls == PERIOD { PERIOD } else { WARM };
    (1..warm).for_each(|_| work());
    if counter.count(&mut work) < LONG {
        return counter.count(&mut || (0..calls).for_each(|_| work())) / calls;
    }
    let calls = if calls == PERIOD { calls } else { 1 };
    let total: u64 = (0..calls).map(|_| u64::from(counter.count(&mut work))).sum();
    (total / u64::from(calls)) as u32
}

#[cfg(test)]
mod tests {
    use std::boxed::Box;
    use std::vec::Vec;

    use super::*;

    /// Counts calls of the work instead of instructions.
    struct Once(u32);

    impl Counter for Once {
        fn count(&mut self, work: &mut dyn FnMut()) -> u32 {
            work();
            self.0 += 1;
            16 * self.0
        }
    }

    #[test]
    fn every_item_is_measured_once_and_training_goes_well() {
        let (mut inputs, mut labels) = ([0.0; 64 * 16], [0; 16]);
        fill(&mut inputs, &mut labels, 10);
        let mut all = Vec::new();
        let mut bench = Box::new(Bench::<W2>::new());
        let batch = Batch::classes(&inputs, 64, &labels);
        measure(1, &mut bench, batch, &mut Once(0), |cost| all.push(*cost)).expect("measured");
        assert_eq!(all.len(), 17);
        assert!(all.iter().all(|cost| cost.parameters == 2_410 && cost.workload == 1));
        assert_eq!(all.iter().filter(|cost| cost.item == Item::Decision).count(), 1);
        let few = Batch::classes(&inputs[..64], 64, &labels[..2]);
        assert!(measure(1, &mut bench, few, &mut Once(0), |_| {}).is_err());
    }
}

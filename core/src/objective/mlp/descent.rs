//! A training step without memory for a gradient: each part of it is made, used at once, and forgotten.
//!
//! ```text
//! errors of all layers, from the top down, by the weights as they are
//! for each layer, a block of rows and columns at a time:   G = E^T X      (W, slots) <- motion(W, slots, G)
//! ```
//!
//! For [`Coordinatewise`] rules. The bits are those of a whole gradient ([`Objective::gradient`](crate::objective::Objective::gradient))
//! and a step ([`Rule::step`](crate::rule::Rule::step)). Of memory it takes, for P parameters, K accumulators, batches of B
//! and A outputs of all layers together, (1 + K) P + 2 B A + B numbers, where [`Unguarded`](crate::guard::Unguarded)
//! takes (3 + K) P + B A + 2 B. There is no candidate, though: what a rule makes of a finite gradient is kept.

use super::Mlp;
use super::dense::{self, Part};
use super::kernels::Kernels as _;
use super::network::{BlankNetwork, Network};
use crate::batch::{Batch, Rows};
use crate::error::Error;
use crate::rule::{Coordinatewise, State};
use crate::tensors::{Tensors, Zeroed};

/// All memory of training without a gradient, by a rule of K accumulators.
///
/// ```
/// use lgl2o::batch::Batch;
/// use lgl2o::chain;
/// use lgl2o::objective::mlp::{Dense, Descent, Fixed, Loss, Mlp, Tanh};
/// use lgl2o::rule::Sgd;
/// use lgl2o::Rng;
///
/// type Xor = Fixed<chain![Dense<2, 8, Tanh>, Dense<8, 2>], 4>;
/// let net = Mlp::new(Xor::new(), Loss::CrossEntropy);
/// let mut memory = Descent::<Xor, 0>::new(); // on a device, in a static
/// net.initialize(memory.params_mut(), &mut Rng::new(1));
///
/// let batch = Batch::classes(&[0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], 2, &[0, 1, 1, 0]);
/// let mut loss = f32::INFINITY;
/// for _ in 0..500 {
///     loss = memory.step(&net, &Sgd::new(0.5), batch)?;
/// }
/// assert!(loss < 0.01);
/// # Ok::<(), lgl2o::Error>(())
/// ```
pub struct Descent<N: Network, const K: usize> {
    params: N::Params,
    state: State<N::Params, K>,
    scratch: Scratch<N>,
}

/// Working memory of a step; nothing in it is kept.
pub struct Scratch<N: Network> {
    activations: N::Activations,
    errors: N::Activations,
    losses: N::Losses,
}

impl<N: Network> Zeroed for Scratch<N>
where
    N::Activations: Zeroed,
    N::Losses: Zeroed,
{
    const ZERO: Self = Self { activations: Zeroed::ZERO, errors: Zeroed::ZERO, losses: Zeroed::ZERO };
}

impl<N: Network, const K: usize> Descent<N, K>
where
    N::Params: Zeroed,
    Scratch<N>: Zeroed,
{
    /// All zero.
    #[must_use]
    pub const fn new() -> Self {
        Self { params: Zeroed::ZERO, state: Zeroed::ZERO, scratch: Zeroed::ZERO }
    }
}

impl<N: BlankNetwork, const K: usize> Descent<N, K> {
    /// Memory for a network whose sizes are known at run time only, all zero.
    #[must_use]
    pub fn blank(net: &Mlp<N>) -> Self {
        let params = net.network.blank_params();
        let scratch = Scratch {
            activations: net.network.blank_activations(),
            errors: net.network.blank_activations(),
            losses: net.network.blank_losses(),
        };
        Self { state: State::like(&params), params, scratch }
    }
}

impl<N: Network, const K: usize> Default for Descent<N, K>
where
    N::Params: Zeroed,
    Scratch<N>: Zeroed,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<N: Network, const K: usize> Descent<N, K> {
    /// The parameters.
    pub const fn params(&self) -> &N::Params {
        &self.params
    }

    /// The parameters, to initialise or load.
    pub const fn params_mut(&mut self) -> &mut N::Params {
        &mut self.params
    }

    /// The rule's accumulators.
    pub const fn state(&self) -> &State<N::Params, K> {
        &self.state
    }

    /// One training step; gives the mean loss of the batch before it.
    ///
    /// # Errors
    /// As [`Mlp::descend`]; nothing has been moved then.
    pub fn step(&mut self, net: &Mlp<N>, rule: &impl Coordinatewise<K>, batch: Batch<'_>) -> Result<f32, Error> {
        net.descend(&mut self.scratch, &mut self.params, &mut self.state, rule, batch)
    }
}

impl<N: Network> Mlp<N> {
    /// One training step by a rule, without memory for a gradient; gives the mean loss of the batch before it. What
    /// [`Descent`] does, for memory that the caller keeps elsewhere.
    ///
    /// # Errors
    /// Whatever is wrong with the batch, or [`Error::NonFiniteGradient`] where its loss is not finite or its gradient might
    /// not be; nothing has been moved then.
    pub fn descend<const K: usize>(
        &self,
        scratch: &mut Scratch<N>,
        params: &mut N::Params,
        state: &mut State<N::Params, K>,
        rule: &impl Coordinatewise<K>,
        batch: Batch<'_>,
    ) -> Result<f32, Error> {
        let Scratch { activations, errors, losses } = scratch;
        let n = self.errors(activations, params, &batch, losses.as_mut())?;
        self.all_errors(activations, params, n, errors);
        let loss = crate::oracle::mean(losses, n);
        if !loss.is_finite() || !self.is_gradient_finite(activations, errors, batch.inputs, n) {
            return Err(Error::NonFiniteGradient);
        }
        let motion = rule.motion(state.steps);
        state.count();
        for l in 0..self.network.depth() {
            let layer = self.network.layer(l);
            let inputs = match l.checked_sub(1) {
                None => batch.inputs,
                Some(below) => Rows::all(activations.tensor(below), layer.inputs),
            };
            let errors = errors.tensor(l);
            dense::descend(errors, inputs, n, layer.outputs, &motion, part(params, state, 2 * l));
            dense::descend_bias(errors, n, &motion, part(params, state, 2 * l + 1));
        }
        Ok(loss)
    }

    /// Whether no number of the gradient, nor of the sums that it is made of, can be a NaN or an infinity: in each layer they
    /// are at most n max |E| max |X|.
    fn is_gradient_finite(
        &self,
        activations: &N::Activations,
        errors: &N::Activations,
        inputs: Rows<'_>,
        n: usize,
    ) -> bool {
        (0..self.network.depth()).all(|l| {
            let x = match l.checked_sub(1) {
                None => (0..n).fold(0, |most, s| most.max(largest(inputs.row(s)))),
                Some(below) => {
                    largest(activations.tensor(below).get(..n * self.network.layer(l).inputs).unwrap_or_default())
                }
            };
            (f32::from_bits(x) * f32::from_bits(largest(errors.tensor(l))) * n as f32).is_finite()
        })
    }

    /// The errors of all layers, from those of the top that stand in its activations; zero where there is no example.
    fn all_errors(&self, activations: &N::Activations, params: &N::Params, n: usize, all: &mut N::Activations) {
        let (network, kernels) = (&self.network, self.network.kernels());
        let top = network.depth().saturating_sub(1);
        copy(activations, all, top, n * network.layer(top).outputs);
        for l in (1..network.depth()).rev() {
            let (layer, activation) = (network.layer(l), network.layer(l - 1).activation);
            // The kernel writes over the activations, which are still wanted.
            copy(activations, all, l - 1, n * layer.inputs);
            let (below, errors) = all.neighbours_mut(l - 1);
            let weights = params.tensor(2 * l);
            kernels.input_error(weights, errors, n, [layer.inputs, layer.outputs], activation, below);
        }
    }
}

/// The bits of the largest |a|: those of numbers without a sign are in the numbers' order, infinity and NaN behind them.
fn largest(a: &[f32]) -> u32 {
    a.iter().fold(0, |most, a| most.max(a.to_bits() & 0x7fff_ffff))
}

/// Tensor number `i` of the parameters and of their accumulators.
fn part<'a, P: Tensors, const K: usize>(params: &'a mut P, state: &'a mut State<P, K>, i: usize) -> Part<'a, K> {
    Part { weights: params.tensor_mut(i), slots: state.slots.each_mut().map(|slot| slot.tensor_mut(i)) }
}

/// The first `used` numbers of tensor number `i`, and behind them zeros.
fn copy<A: Tensors>(from: &A, to: &mut A, i: usize, used: usize) {
    let (from, to) = (from.tensor(i).get(..used).unwrap_or_default(), to.tensor_mut(i));
    to.iter_mut().zip(from.iter().copied().chain(core::iter::repeat(0.0))).for_each(|(to, from)| *to = from);
}

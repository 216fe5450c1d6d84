//! A training step without memory for a gradient: each part of it is made, used at once, and forgotten.
//!
//! ```text
//! for each layer from the top down, eight columns of it at a time, and in the first layer blocks of rows and columns:
//!     D = (E W) * act'(X)      G = E^T X      (W, slots) <- motion(W, slots, G)      X <- D
//! ```
//!
//! For [`Coordinatewise`] rules. A column of D and one of G hang on one column of W and X, so the errors of the layer below
//! take the place of its activations column by column. The bits are those of a whole gradient
//! ([`Objective::gradient`](crate::objective::Objective::gradient)) and a step ([`Rule::step`](crate::rule::Rule::step)). Of
//! memory it takes, for P parameters, K accumulators, batches of B and A outputs of all layers together,
//! (1 + K) P + B A + 8 B numbers, where [`Unguarded`](crate::guard::Unguarded) takes (3 + K) P + B A + 2 B. There is no
//! candidate, though: what a rule makes of a finite gradient is kept.
//!
//! This is how a dense layer does it. In a convolution every error below depends on many of its few weights, so its gradient, no larger
//! than they are, stands on the stack while it is moved.

use super::Mlp;
use super::layer::{NARROW, larger};
use super::network::{BlankNetwork, Network};
use super::passes::{Bounds, Descend};
use crate::batch::{Batch, Rows};
use crate::error::Error;
use crate::math;
use crate::objective::mean_loss;
use crate::rule::coordinatewise::count;
use crate::rule::{Coordinatewise, State};
use crate::sum;
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
    /// Errors of a layer below, before they are written over its activations; the first column holds the losses until then.
    columns: [N::Losses; NARROW],
}

impl<N: Network> Zeroed for Scratch<N>
where
    N::Activations: Zeroed,
    N::Losses: Zeroed,
{
    const ZERO: Self = Self { activations: Zeroed::ZERO, columns: [const { Zeroed::ZERO }; NARROW] };
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
            columns: core::array::from_fn(|_| net.network.blank_losses()),
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

    /// One training step; returns the mean loss of the batch before it.
    ///
    /// # Errors
    /// As [`Mlp::descend`]; nothing has been moved then.
    pub fn step(&mut self, net: &Mlp<N>, rule: &impl Coordinatewise<K>, batch: Batch<'_>) -> Result<f32, Error> {
        net.descend(&mut self.scratch, &mut self.params, &mut self.state, rule, batch)
    }
}

impl<N: Network> Mlp<N> {
    /// One training step by a rule, without memory for a gradient; returns the mean loss of the batch before it. What
    /// [`Descent`] does, for memory that the caller keeps elsewhere.
    ///
    /// # Errors
    /// Whatever is wrong with the rule's settings or the batch, or [`Error::NonFiniteGradient`] where its loss is not finite or its gradient might
    /// not be; nothing has been moved then.
    pub fn descend<const K: usize>(
        &self,
        scratch: &mut Scratch<N>,
        params: &mut N::Params,
        state: &mut State<N::Params, K>,
        rule: &impl Coordinatewise<K>,
        batch: Batch<'_>,
    ) -> Result<f32, Error> {
        rule.check()?;
        let Scratch { activations, columns } = scratch;
        let [losses, ..] = &mut *columns;
        let n = self.errors(activations, params, &batch, losses.as_mut())?;
        let loss = mean_loss(losses, n);
        if !loss.is_finite() || !self.is_gradient_finite(activations, params, batch.inputs, n) {
            return Err(Error::NonFiniteGradient);
        }
        let motion = rule.motion(state.steps);
        count(rule, state);
        let lowest = self.network.lowest();
        for l in (lowest..self.network.depth()).rev() {
            let below = (l > lowest).then(|| self.network.layer(l - 1).activation);
            let (motion, inputs, activations) = (&motion, batch.inputs, &mut *activations);
            let (params, state, columns) = (&mut *params, &mut *state, &mut *columns);
            self.network.visit(l, Descend { motion, activations, params, state, inputs, n, l, below, columns });
        }
        Ok(loss)
    }

    /// Whether no number of the gradient, nor of the sums that it is made of, can be a NaN or an infinity. In each layer they
    /// are at most n max |E| max(|X|, 1) times its terms for an example; and max |E| of the layer below is at most as many
    /// times that of a layer as its growth, since no activation is steeper than 1. `activations` holds the errors of the top
    /// layer in its place.
    fn is_gradient_finite(&self, activations: &N::Activations, params: &N::Params, inputs: Rows<'_>, n: usize) -> bool {
        let top = self.network.depth().saturating_sub(1);
        let used = |l: usize| activations.tensor(l).get(..n * self.network.layer(l).outputs).unwrap_or_default();
        let mut error = largest(used(top));
        let lowest = self.network.lowest();
        for l in (lowest..=top).rev() {
            let x = match l.checked_sub(1) {
                None => (0..n).fold(0.0, |most, s| larger(most, largest(inputs.row(s)))),
                Some(below) => largest(used(below)),
            };
            let (terms, growth) = self.network.visit(l, Bounds { params, through: l > lowest });
            // Twice, since each sum is rounded as it grows.
            if !(2.0 * n as f32 * terms * error * larger(x, 1.0)).is_finite() {
                return false;
            }
            error *= growth;
        }
        true
    }
}

/// The largest |a|; 0 of none.
// On a device, small: it is called three times.
#[cfg_attr(target_os = "none", inline(never))]
fn largest(a: &[f32]) -> f32 {
    // By blocks, so that the pointer moves once for eight numbers.
    let (blocks, rest) = a.as_chunks::<{ sum::LANES }>();
    let mut most = 0.0;
    for block in blocks {
        most = block.iter().fold(most, |most, &a| larger(most, math::abs(a)));
    }
    rest.iter().fold(most, |most, &a| larger(most, math::abs(a)))
}

#[cfg(test)]
mod tests {
    use super::largest;

    /// Wherever the largest number stands, in a block or behind the last one, and whatever its sign.
    #[test]
    fn the_largest_is_found_at_every_place() {
        for n in 0..=20 {
            assert_eq!(largest(&[0.0; 20][..n]), 0.0);
            for i in 0..n {
                let mut a = [0.5f32; 20];
                a[i] = -3.0;
                assert_eq!(largest(&a[..n]), 3.0, "{i} of {n}");
            }
        }
    }
}

//! Objectives: what is being minimised. A loss over parameters and a batch, with its gradient.
//!
//! [`Quadratic`] and [`Logistic`] are the two convex ones whose constants mu and L are known, so that a convergence
//! theorem can be held against them; [`Mlp`] is what one trains in practice.

pub mod logistic;
pub mod mlp;
pub mod quadratic;

pub use logistic::Logistic;
pub use mlp::Mlp;
pub use quadratic::Quadratic;

use crate::error::Error;
use crate::math::or_infinity;
use crate::sum;
use crate::tensors::Tensors;

/// What is being minimised: the mean, over the examples of a batch, of a loss of the parameters.
///
/// The objective itself is configuration and stays immutable; all working memory is the caller's, in
/// [`Scratch`](Self::Scratch). Losses come per example, because guards compare candidates example by example.
pub trait Objective {
    /// Memory of the parameters, and of everything shaped like them.
    type Params: Tensors;
    /// A minibatch.
    type Batch<'a>: Copy;
    /// Working memory of one evaluation.
    type Scratch;
    /// Memory of the losses of one batch, one number per example.
    type Losses: AsRef<[f32]> + AsMut<[f32]>;

    /// Writes the loss of each example to the front of `losses`; returns the number of examples.
    ///
    /// A loss may be a NaN or an infinity: whether that is a broken batch or a diverged candidate is the caller's to
    /// judge.
    ///
    /// # Errors
    /// Whatever is wrong with the batch; nothing useful is in `losses` then.
    fn losses(
        &self,
        scratch: &mut Self::Scratch,
        params: &Self::Params,
        batch: Self::Batch<'_>,
        losses: &mut Self::Losses,
    ) -> Result<usize, Error>;

    /// As [`losses`](Self::losses), and writes the gradient of their mean to `gradient`.
    ///
    /// # Errors
    /// Whatever is wrong with the batch; `gradient` is unspecified then.
    fn gradient(
        &self,
        scratch: &mut Self::Scratch,
        params: &Self::Params,
        batch: Self::Batch<'_>,
        losses: &mut Self::Losses,
        gradient: &mut Self::Params,
    ) -> Result<usize, Error>;
}

/// Zero-filled memory for an objective whose sizes are known at run time only.
///
/// A static program needs none of this: its types are [`Zeroed`](crate::tensors::Zeroed).
pub trait Blank: Objective {
    /// Parameters, all zero.
    fn blank_params(&self) -> Self::Params;
    /// Working memory.
    fn blank_scratch(&self) -> Self::Scratch;
    /// Memory of the losses of one batch.
    fn blank_losses(&self) -> Self::Losses;
}

/// The mean of the first n losses; infinite where it is not finite.
pub(crate) fn mean_loss(losses: &impl AsRef<[f32]>, n: usize) -> f32 {
    or_infinity(sum::sum(losses.as_ref().get(..n).unwrap_or(&[])) / n as f32)
}

//! Guards: what decides, each round, whose candidate is kept.
//!
//! One round from accepted parameters w: *propose* candidates from w, *judge* them, *commit* one. Candidates live in
//! memory of their own; committing one and leaving w as it is are the only two ways out of a round. A commit says which of
//! the [`points`] is accepted from then on; it copies nothing.
//!
//! | guard | asks | gradients and forwards per step |
//! |---|---|---|
//! | [`Unguarded`] | nothing | 1 g |
//! | [`LossGuard::paper`] (LGL2O) | which candidate has the lower loss? | (2 n_t - 1) / n_t g + 2 n_c / n_t f |
//! | [`LossGuard::new`], strides of k | the same, at growing intervals | 1 g + 3 n_c / k f, and now and then a race |
//! | [`RelayGuard`] | is the point the best so far? The learned rule runs first, the fallback later | 1 g + checks, and one race of 13 g |
//! | [`ResidualGuard`] (GL2O) | is the gradient at the proposal small enough? | 2 g |
//! | [`Blend`] | nothing: a fixed mixture of both, as a control | 1 g |
//!
//! Any [`Rule`] can be the learned side of any guard, and any other its fallback.

pub mod blend;
pub mod decision;
pub mod loss;
pub mod points;
pub mod policy;
pub mod relay;
pub mod residual;
pub mod schedule;
pub mod unguarded;

pub use blend::Blend;
pub use decision::Decision;
pub use loss::{LossGuard, LossSettings};
pub use policy::{Follow, KeepOwn, Reset, Rewind, StatePolicy};
pub use relay::RelayGuard;
pub use residual::{MuRule, ResidualGuard};
pub use schedule::Schedule;
pub use unguarded::Unguarded;

use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::{Cost, Oracle};
use crate::rule::Rule;
use crate::source::Source;
use crate::tensors::Tensors;

/// Whose candidate a round kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
pub enum Winner {
    /// The fallback's, or that of a rule that runs alone as a fallback would.
    Fallback,
    /// The learned side's, or a mixture that holds some of it.
    Learned,
    /// Nobody's: no candidate was finite, or none beat the current parameters and the guard stays then. The parameters
    /// are what they were, or where a [`LossGuard`] had to [go back](loss), what they were in an earlier round.
    Neither,
}

/// What a round found out.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Verdict {
    /// Whose candidate was kept.
    pub winner: Winner,
    /// Training steps that the round counts for in a schedule: those of the kept candidate, or where none was kept those of
    /// the one that would have been. 0 where the round ended before anybody was judged; its steps count when they are.
    pub steps: u32,
    /// Training steps by which the accepted parameters are further than before; 0 where they are what they were.
    pub accepted: u32,
    /// Mean loss on the round's first training batch, at the parameters that the round started from (at the front of
    /// the average, where an [averaged](crate::rule::Averaged) rule is alone).
    pub train_loss: f32,
    /// What the fallback's candidate was judged by: its check loss (for the residual guard, its bound). Infinite for a
    /// candidate that is not finite; `None` where the guard did not ask.
    pub fallback_loss: Option<f32>,
    /// What the learned candidate was judged by: its check loss (for the residual guard, its residual). Infinite for a
    /// candidate that is not finite; `None` where the guard did not ask.
    pub learned_loss: Option<f32>,
    /// Check loss of the parameters that were accepted before the round, or at the end of the fallback's time alone in a
    /// [`LossGuard`], before that; `None` where the guard did not ask.
    pub kept_loss: Option<f32>,
    /// Standard error of the difference that decided; 0 where the losses are exact or nothing was compared.
    pub standard_error: f32,
    /// Gradients and forward passes spent, in examples.
    pub spent: Cost,
}

/// A way to train: plain, guarded or blended. The value is configuration; its memory is the caller's.
pub trait Guard {
    /// Everything that a round needs: the accepted parameters and the candidates, gradient, rule states.
    type Memory<P: Tensors>;

    /// Memory of the beginning for parameters like these, where sizes are known at run time only. Static memory has
    /// [`Zeroed::ZERO`](crate::tensors::Zeroed::ZERO) instead, which is the same.
    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P>;

    /// The accepted parameters.
    fn params<P: Tensors>(memory: &Self::Memory<P>) -> &P;

    /// The accepted parameters, to initialise or load.
    fn params_mut<P: Tensors>(memory: &mut Self::Memory<P>) -> &mut P;

    /// One round.
    ///
    /// # Errors
    /// Whatever is wrong with settings, source or batches, [`Error::NonFiniteGradient`] at the accepted parameters, and
    /// [`Error::NonFiniteLoss`] where a check batch has no finite loss there. The parameters are then as they were. So
    /// are the rule states if the first batch was refused; else they have seen part of a round.
    fn round<O: Objective>(
        &self,
        memory: &mut Self::Memory<O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Verdict, Error>;
}

/// One step of a rule from a candidate at which `gradient` and `loss` were computed; where the rule wants its gradient
/// [elsewhere](Rule::gradient_point), they are computed there instead.
fn step<R: Rule, O: Objective>(
    rule: &R,
    state: &mut R::State<O::Params>,
    candidate: &mut O::Params,
    gradient: &mut O::Params,
    mut loss: f32,
    oracle: &mut Oracle<'_, O>,
    batch: O::Batch<'_>,
) -> Result<(), Error> {
    if let Some(point) = rule.gradient_point(state) {
        loss = oracle.gradient(point, batch, gradient)?;
    }
    rule.step(state, candidate, gradient, loss, &mut oracle.probe(batch));
    Ok(())
}

/// A copy of the parameters, all zero.
fn blank<P: Tensors>(like: &P) -> P {
    let mut copy = like.clone();
    copy.fill(0.0);
    copy
}

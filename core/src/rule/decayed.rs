//! Decoupled weight decay, for any rule.
//!
//! ```text
//! w <- (1 - s) w + the inner rule's step, from the gradient at the w before
//! ```
//!
//! (Loshchilov and Hutter, ICLR 2019; s is rate times decay there, as in [`AdamW`](super::AdamW), and a share of its
//! own here, so that rules without a rate have it too.) All parameters decay, biases with them. With gradient descent
//! of rate r the minimum is that of F + s / (2 r) ||w||^2.
//!
//! An average has the decay inside, where the steps are made: `Decayed::new(rule, s).averaged()`. Averaged parameters
//! do not decay here, nor those of any rule that wants its gradient elsewhere. A rule that searches, such as
//! [`Armijo`](super::Armijo), searches from the decayed parameters and compares with the loss before.
//!
//! State: the inner rule's.

use super::{Probe, Rule, range};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// A rule whose parameters shrink by a share in every step.
///
/// ```
/// use lgl2o::Rule;
/// use lgl2o::rule::{Decayed, Ngn};
/// let rule = Decayed::new(Ngn::new(), 1e-4).averaged();
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Decayed<R> {
    /// The rule that moves the parameters.
    pub rule: R,
    /// The share of the parameters that goes in a step, at least 0 and below 1.
    pub share: f32,
}

impl<R> Decayed<R> {
    /// The rule with this decay.
    pub const fn new(rule: R, share: f32) -> Self {
        Self { rule, share }
    }
}

impl<R: Fingerprint> Fingerprint for Decayed<R> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("decayed");
        self.rule.describe(digest);
        digest.numbers([self.share]);
    }
}

impl<R: Rule> Rule for Decayed<R> {
    type State<P: Tensors> = R::State<P>;

    fn check(&self) -> Result<(), Error> {
        range::not_negative(self.share, "the share of weight decay must be at least 0 and below 1")?;
        if self.share < 1.0 {
            self.rule.check()
        } else {
            Err(Error::InvalidSetting { what: "the share of weight decay must be at least 0 and below 1" })
        }
    }

    fn probes(&self) -> bool {
        self.rule.probes()
    }

    fn has_gradient_point(&self) -> bool {
        self.rule.has_gradient_point()
    }

    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        self.rule.gradient_point(state)
    }

    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.moved(state);
    }

    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.shorten(state);
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        self.rule.state(like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        if self.rule.gradient_point(state).is_none() {
            let rest = 1.0 - self.share;
            for i in 0..params.count() {
                params.tensor_mut(i).iter_mut().for_each(|w| *w *= rest);
            }
        }
        self.rule.step(state, params, gradient, loss, probe);
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        self.rule.velocities(state)
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        self.rule.observe(state, params, gradient, loss);
    }
}

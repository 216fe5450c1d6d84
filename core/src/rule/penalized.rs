//! The L2 penalty, for any rule.
//!
//! ```text
//! f <- f + l/2 ||w||^2,   g <- g + l w      where the rule wants its gradient
//! ```
//!
//! (Krogh and Hertz, "A simple weight decay can improve generalization", NIPS 1991.) All parameters are penalised, biases
//! too. The rule sees loss and gradient of the penalised objective, also where it searches, as [`Armijo`](super::Armijo) does. A rule
//! that scales its gradient, such as [`Adam`](super::Adam), scales the penalty with it;
//! [`Decayed`](super::Decayed) does not. A guard compares losses without the penalty.
//!
//! State: the inner rule's; and one slot of working memory for the gradient, which a checkpoint does not hold.

use super::working::Working;
use super::{Probe, Rule, range};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// A rule that minimises the loss with an L2 penalty.
///
/// ```
/// use lgl2o::rule::{Adam, Penalized};
/// let rule = Penalized::new(Adam::new(0.01), 1e-3);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Penalized<R> {
    /// The rule that moves the parameters.
    pub rule: R,
    /// The weight of the penalty, l, not negative.
    pub weight: f32,
}

impl<R> Penalized<R> {
    /// The rule with a penalty of this weight.
    pub const fn new(rule: R, weight: f32) -> Self {
        Self { rule, weight }
    }

    /// The penalty of some parameters.
    fn penalty<P: Tensors>(&self, params: &P) -> f32 {
        0.5 * self.weight * params.squares()
    }

    /// Writes the gradient with that of the penalty at `at` to `sum`; returns the loss with the penalty.
    fn add<P: Tensors>(&self, at: &P, gradient: &P, loss: f32, sum: &mut P) -> f32 {
        for i in 0..sum.count() {
            let both = gradient.tensor(i).iter().zip(at.tensor(i));
            for (to, (&g, &w)) in sum.tensor_mut(i).iter_mut().zip(both) {
                *to = g + self.weight * w;
            }
        }
        loss + self.penalty(at)
    }
}

impl<R: Fingerprint> Fingerprint for Penalized<R> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("penalized");
        self.rule.describe(digest);
        digest.numbers([self.weight]);
    }
}

/// What a rule that searches asks: the loss with the penalty.
struct WithPenalty<'a, R, Q> {
    penalized: &'a Penalized<R>,
    probe: &'a mut Q,
}

impl<R, P: Tensors, Q: Probe<P>> Probe<P> for WithPenalty<'_, R, Q> {
    fn loss(&mut self, params: &P) -> f32 {
        self.probe.loss(params) + self.penalized.penalty(params)
    }
}

impl<R: Rule> Rule for Penalized<R> {
    type State<P: Tensors> = Working<P, R::State<P>>;

    fn check(&self) -> Result<(), Error> {
        range::not_negative(self.weight, "the weight of the L2 penalty must be finite and not negative")?;
        self.rule.check()
    }

    fn probes(&self) -> bool {
        self.rule.probes()
    }

    fn has_gradient_point(&self) -> bool {
        self.rule.has_gradient_point()
    }

    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        self.rule.gradient_point(&state.inner)
    }

    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.moved(&mut state.inner);
    }

    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.shorten(&mut state.inner);
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        Working::new(self.rule.state(like), like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        let Working { inner, gradient: sum } = state;
        let at = self.rule.gradient_point(inner).unwrap_or(params);
        let loss = self.add(at, gradient, loss, sum);
        self.rule.step(inner, params, sum, loss, &mut WithPenalty { penalized: self, probe });
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        self.rule.velocities(&mut state.inner)
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        let Working { inner, gradient: sum } = state;
        let loss = self.add(params, gradient, loss, sum);
        self.rule.observe(inner, params, sum, loss);
    }
}

//! The state of a rule that wraps another one and passes it a changed gradient: the inner rule's, and working memory for that gradient.

use super::RuleState;
use crate::persist::{Origin, Persist, Sink};
use crate::tensors::{Tensors, Zeroed};

/// The inner rule's state, and working memory, which a checkpoint does not hold.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Working<P, S> {
    /// The inner rule's.
    pub inner: S,
    pub(super) gradient: P,
}

impl<P: Tensors, S> Working<P, S> {
    /// A state with working memory, all zero, shaped like the given parameters.
    pub(super) fn new(inner: S, like: &P) -> Self {
        let mut gradient = like.clone();
        gradient.fill(0.0);
        Self { inner, gradient }
    }
}

impl<P: Zeroed, S: Zeroed> Zeroed for Working<P, S> {
    const ZERO: Self = Self { inner: S::ZERO, gradient: P::ZERO };
}

impl<P, S: Persist> Persist for Working<P, S> {
    fn save<W: Sink>(&self, sink: &mut W) -> Result<(), W::Error> {
        self.inner.save(sink)
    }
    fn load<F: Origin>(&mut self, origin: &mut F) -> Result<(), F::Error> {
        self.inner.load(origin)
    }
}

impl<P: Tensors, S: RuleState> RuleState for Working<P, S> {
    fn reset(&mut self) {
        self.inner.reset();
    }
    fn copy_from(&mut self, other: &Self) {
        self.inner.copy_from(&other.inner);
    }
    fn is_finite(&self) -> bool {
        self.inner.is_finite()
    }
}

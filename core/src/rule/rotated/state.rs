//! The state of a rule in eigenbases.

use crate::persist::Persist;
use crate::rule::{RuleState, State};
use crate::tensors::{Tensors, Zeroed};

/// The inner rule's state, the bases, and the parameters in them; B is [`Tensors::Bases`] of P.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct RotatedState<P, B, S> {
    /// The inner rule's.
    pub inner: S,
    /// Vectors, a row each, and moments; gradients so far; and 1 if `params` are those of the last step, else 0.
    pub bases: State<B, 2>,
    /// The parameters in the bases.
    pub params: P,
    /// Working memory: the gradient in the bases.
    pub(super) gradient: P,
    /// Working memory.
    pub(super) spare: P,
}

impl<P: Tensors, S> RotatedState<P, P::Bases, S> {
    /// A state with everything but the inner rule's zero.
    pub(super) fn new(inner: S, like: &P) -> Self {
        let mut zero = like.clone();
        zero.fill(0.0);
        let bases = State::like(&like.zero_bases());
        Self { inner, bases, params: zero.clone(), gradient: zero.clone(), spare: zero }
    }
}

impl<P: Zeroed, B: Zeroed, S: Zeroed> Zeroed for RotatedState<P, B, S> {
    const ZERO: Self = Self { inner: S::ZERO, bases: State::ZERO, params: P::ZERO, gradient: P::ZERO, spare: P::ZERO };
}

impl<P: Persist, B: Tensors, S: Persist> Persist for RotatedState<P, B, S> {
    crate::persist_fields!(inner, bases, params);
}

impl<P: Tensors, B: Tensors, S: RuleState> RuleState for RotatedState<P, B, S> {
    fn reset(&mut self) {
        self.inner.reset();
        self.bases.reset();
        self.params.fill(0.0);
    }
    fn copy_from(&mut self, other: &Self) {
        self.inner.copy_from(&other.inner);
        self.bases.copy_from(&other.bases);
        self.params.copy_from(&other.params);
    }
    fn is_finite(&self) -> bool {
        self.inner.is_finite() && self.bases.is_finite() && self.params.is_finite()
    }
}

//! Rules that move every number by its own gradient alone.
//!
//! ```text
//! (w_i, slots_i) <- motion(w_i, slots_i, g_i)
//! ```
//!
//! Any part of a gradient then moves its part of the parameters, whatever the rest is, so that a gradient need not be
//! whole in memory: see [`Descent`](crate::objective::mlp::Descent).

use super::{Rule, State};
use crate::tensors::Tensors;

/// A rule that moves every number by its own gradient and its own K accumulators.
pub trait Coordinatewise<const K: usize>: Rule {
    /// Whether the slots hold something else than plain numbers, so that they must not be [swept](State::count_and_sweep).
    const IS_PACKED: bool = false;

    /// The step that follows after `steps` others: moves parameters by their gradient, and takes that into their slots. All
    /// slices are equally long.
    // On a desktop the closure of every rule is `inline(always)`: only inlined code is compiled for the processor's vectors.
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; K], &[f32]);
}

/// Counts a gradient in the state of a rule.
pub(crate) fn count<P: Tensors, R: Coordinatewise<K>, const K: usize>(_: &R, state: &mut State<P, K>) {
    if R::IS_PACKED {
        state.count();
    } else {
        state.count_and_sweep();
    }
}

/// One step with a whole gradient, tensor by tensor.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn step<P: Tensors, const K: usize>(
    rule: &impl Coordinatewise<K>,
    state: &mut State<P, K>,
    params: &mut P,
    gradient: &P,
) {
    let motion = rule.motion(state.steps);
    count(rule, state);
    for i in 0..params.count() {
        motion(params.tensor_mut(i), state.slots.each_mut().map(|slot| slot.tensor_mut(i)), gradient.tensor(i));
    }
}

/// What is the same in every [`Coordinatewise`] rule's `impl Rule`: a state of so many slots, and a step by the rule's motion.
macro_rules! step_by_motion {
    ($slots:literal) => {
        type State<P: $crate::tensors::Tensors> = $crate::rule::State<P, $slots>;

        fn state<P: $crate::tensors::Tensors>(&self, like: &P) -> Self::State<P> {
            $crate::rule::State::like(like)
        }

        fn step<P: $crate::tensors::Tensors>(
            &self,
            state: &mut Self::State<P>,
            params: &mut P,
            gradient: &P,
            _: f32,
            _: &mut impl $crate::rule::Probe<P>,
        ) {
            $crate::rule::coordinatewise::step(self, state, params, gradient);
        }
    };
}

pub(super) use step_by_motion;

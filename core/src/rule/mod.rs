//! Update rules: how a gradient moves parameters.
//!
//! A rule's settings are immutable; its accumulators are a [`RuleState`] that the caller owns. One interface serves the
//! hand-designed rules here and the [learned](crate::learned) ones, so that any of them can be proposal or fallback in
//! any [guard](crate::guard).
//!
//! | rule | moves by | state, in parameter-sized slots |
//! |---|---|---|
//! | [`Sgd`] | -rate g | 0 |
//! | [`Momentum`] | heavy ball | 1 |
//! | [`Nesterov`] | look-ahead momentum | 1 |
//! | [`RmsProp`] | -rate g / rms(g) | 1 |
//! | [`Adam`], [`AdamW`] | -rate mean(g) / rms(g) | 2 |
//! | [`NAdam`] | as Adam, with the mean looking ahead | 2 |
//! | [`Adam16`] | as Adam | 1, two numbers of 16 bits in each |
//! | [`Lion`] | -rate sign | 1 |
//! | [`Armijo`] | -rate g, rate found by backtracking | 1 (the starting point of the search) |
//! | [`PlainNgn`] | -rate g, rate from loss and gradient | 0 |
//! | [`Ngn`] | the same on Adam's metric, with momentum; nothing to tune | 2 |
//! | [`ScaleFree`] | a share of a layer's initial weights; nothing to tune | 2 |
//! | [`ScaleFreeMomentum`] | the same in less memory | 1 |
//! | [`Averaged`] | any of these or a learned one, and averages its iterates | 1 more |
//! | [`Clipped`] | any of them, which sees no gradient longer than a norm | 1 more, not in checkpoints |
//! | [`Penalized`] | any of them, which sees an L2 penalty | 1 more, not in checkpoints |
//! | [`Rotated`] | any of them that does not search, in the eigenbases of the gradients' second moments | 1 more and the bases, 2 not in checkpoints |
//! | [`Decayed`] | any of them, after a share of the parameters has gone | as it |
//!
//! Those above Armijo are [`Coordinatewise`]: they can train without memory for a gradient, too.

pub mod adam;
pub mod adam16;
pub mod adamw;
pub mod armijo;
pub mod averaged;
pub mod clipped;
pub mod coordinatewise;
pub mod decayed;
pub mod layered;
pub mod lion;
pub mod momentum;
pub mod nadam;
pub mod nesterov;
pub mod ngn;
pub mod penalized;
pub mod plain_ngn;
pub(crate) mod range;
pub mod rate;
pub mod rmsprop;
pub mod rotated;
pub mod scale_free;
pub mod scale_free_momentum;
pub mod sgd;
pub mod working;

pub use adam::Adam;
pub use adam16::Adam16;
pub use adamw::AdamW;
pub use armijo::Armijo;
pub use averaged::Averaged;
pub use clipped::Clipped;
pub use coordinatewise::Coordinatewise;
pub use decayed::Decayed;
pub use layered::LayeredState;
pub use lion::Lion;
pub use momentum::Momentum;
pub use nadam::NAdam;
pub use nesterov::Nesterov;
pub use ngn::Ngn;
pub use penalized::Penalized;
pub use plain_ngn::PlainNgn;
pub use rate::Rate;
pub use rmsprop::RmsProp;
pub use rotated::Rotated;
pub use scale_free::ScaleFree;
pub use scale_free_momentum::ScaleFreeMomentum;
pub use sgd::Sgd;

use crate::error::Error;
use crate::math;
use crate::persist::{Origin, Persist, Sink};
use crate::tensors::{Tensors, Zeroed};

/// The loss of any point on the batch that a step is taken for.
pub trait Probe<P> {
    /// Mean loss at `params` on that batch; infinite where it is not finite.
    fn loss(&mut self, params: &P) -> f32;
}

/// A rule that turns gradients into steps.
///
/// `step` moves a *candidate* in place; only a guard commits candidates. Neither method fails: on finite input a rule
/// may still step to infinity, and the guard judges that.
pub trait Rule {
    /// Accumulators for parameters of type P.
    type State<P: Tensors>: RuleState;

    /// Whether all settings are in their range. A guard asks before each round.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] says which one is not, and what its range is.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Whether the rule may ask the probe: then its step cannot be made once the batch is gone.
    fn probes(&self) -> bool {
        false
    }

    /// Whether there may be a [`gradient_point`](Self::gradient_point).
    fn has_gradient_point(&self) -> bool {
        false
    }

    /// Where the rule wants its next gradient, if not at the parameters themselves.
    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        let _ = state;
        None
    }

    /// The parameters are no longer those that the rule's last step has left: a guard has kept another candidate.
    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        let _ = state;
    }

    /// Asks the rule for shorter steps from now on: a guard has seen that its steps no longer lower the loss. By default nothing
    /// changes, as for every rule whose rate is a setting.
    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        let _ = state;
    }

    /// The accumulators that are means of gradients or steps: where the parameters are seen in [other bases](Rotated), they turn along.
    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        let _ = state;
        &mut []
    }

    /// Fresh accumulators for parameters like these, for memory sized at run time. Static memory has
    /// [`Zeroed::ZERO`] instead, which is the same.
    fn state<P: Tensors>(&self, like: &P) -> Self::State<P>;

    /// Takes the gradient at `params`, or at the [`gradient_point`](Self::gradient_point), into the accumulators and moves
    /// `params` by one step. `loss` is the loss there, on the batch that `probe` evaluates.
    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    );

    /// Takes the gradient at `params`, and the loss there, into the accumulators exactly as [`step`](Self::step) does, and
    /// moves nothing.
    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32);

    /// The same rule, whose parameters are a running mean of its iterates.
    fn averaged(self) -> Averaged<Self>
    where
        Self: Sized,
    {
        Averaged::new(self)
    }
}

/// Any rule behind a shared reference is a rule: learned weights stay where they are, in flash or in a `static`.
impl<R: Rule> Rule for &R {
    type State<P: Tensors> = R::State<P>;
    fn check(&self) -> Result<(), Error> {
        (**self).check()
    }
    fn probes(&self) -> bool {
        (**self).probes()
    }

    fn has_gradient_point(&self) -> bool {
        (**self).has_gradient_point()
    }

    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        (**self).gradient_point(state)
    }
    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        (**self).moved(state);
    }
    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        (**self).shorten(state);
    }
    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        (**self).velocities(state)
    }
    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        (**self).state(like)
    }
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        (**self).step(state, params, gradient, loss, probe);
    }
    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        (**self).observe(state, params, gradient, loss);
    }
}

/// Accumulators of a rule.
pub trait RuleState: Clone {
    /// Sets everything to its beginning.
    fn reset(&mut self);
    /// Copies another state of the same shape, without a temporary on the stack.
    fn copy_from(&mut self, other: &Self);
    /// Whether no accumulator holds a NaN or an infinity.
    fn is_finite(&self) -> bool;
}

/// After how many gradients small numbers of the slots become 0. Between two sweeps a mean with decay 0.9 falls from
/// [`LEAST`] to 2^-125, which is still a normal number.
pub const SWEEP: u32 = 32;
/// The least absolute value that a sweep leaves: 2^-120. An accumulator whose gradients stay 0, as those of a dead unit do,
/// would otherwise stay among the subnormal numbers for ever; see [`math::flush`].
pub const LEAST: f32 = f32::from_bits(7 << 23);

/// The usual accumulators: K slots shaped like the parameters, the number of steps so far, and one number more.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct State<P, const K: usize> {
    /// Accumulators, in the order of the rule's documentation.
    pub slots: [P; K],
    /// Gradients taken in so far.
    pub steps: u32,
    /// For rules that remember a number; 0 at the beginning.
    pub memo: f32,
}

impl<P: Tensors, const K: usize> State<P, K> {
    /// All zero, shaped like the given parameters.
    #[must_use]
    pub fn like(params: &P) -> Self {
        let slots = core::array::from_fn(|_| {
            let mut slot = params.clone();
            slot.fill(0.0);
            slot
        });
        Self { slots, steps: 0, memo: 0.0 }
    }

    /// Counts one gradient; the count stays at its end after 2^32 - 1.
    pub fn count(&mut self) -> u32 {
        self.steps = self.steps.saturating_add(1);
        self.steps
    }

    /// [`count`](Self::count) for slots of plain numbers: at every [`SWEEP`]th gradient, those below [`LEAST`] become 0.
    pub fn count_and_sweep(&mut self) -> u32 {
        if self.count().is_multiple_of(SWEEP) && K > 0 {
            self.sweep();
        }
        self.steps
    }

    /// Numbers below [`LEAST`] become 0.
    #[inline(never)]
    fn sweep(&mut self) {
        for slot in &mut self.slots {
            for i in 0..slot.count() {
                flush_small(slot.tensor_mut(i));
            }
        }
    }
}

/// Numbers below [`LEAST`] become 0.
// On a device one loop for all tensors: of each length, the compiler would unroll its own.
#[cfg_attr(target_os = "none", inline(never))]
fn flush_small(x: &mut [f32]) {
    x.iter_mut().for_each(|x| *x = math::flush(*x, LEAST));
}

impl<P: Zeroed, const K: usize> Zeroed for State<P, K> {
    const ZERO: Self = Self { slots: [P::ZERO; K], steps: 0, memo: 0.0 };
}

/// Slots, steps, memo.
impl<P: Tensors, const K: usize> Persist for State<P, K> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.slots.iter().try_for_each(|slot| slot.save(sink))?;
        self.steps.save(sink)?;
        self.memo.save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.slots.iter_mut().try_for_each(|slot| slot.load(origin))?;
        self.steps.load(origin)?;
        self.memo.load(origin)
    }
}

impl<P: Tensors, const K: usize> RuleState for State<P, K> {
    fn reset(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.fill(0.0));
        (self.steps, self.memo) = (0, 0.0);
    }
    fn copy_from(&mut self, other: &Self) {
        for (slot, other) in self.slots.iter_mut().zip(&other.slots) {
            slot.copy_from(other);
        }
        (self.steps, self.memo) = (other.steps, other.memo);
    }
    fn is_finite(&self) -> bool {
        self.memo.is_finite() && self.slots.iter().all(Tensors::is_finite)
    }
}

/// No probe at all, for rules that are known not to ask.
#[derive(Debug, Clone, Copy)]
pub struct NoProbe;

impl<P> Probe<P> for NoProbe {
    fn loss(&mut self, _: &P) -> f32 {
        f32::INFINITY
    }
}

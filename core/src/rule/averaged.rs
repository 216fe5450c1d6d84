//! Iterate averaging: any rule, whose parameters are a running mean of where it has been.
//!
//! ```text
//! z <- z + the inner rule's step, from the gradient at z
//! x <- x + c (z - x),   c = (eta + 1) / (t + eta),   t = 1, 2, ... steps since the average began
//! ```
//!
//! x are the parameters; z, the front, is part of the state. The noise of minibatches moves z about by about as much as
//! a step is long, however long the run is; in x it cancels. (Polyak and Juditsky 1992; the weights are Shamir and
//! Zhang's polynomial-decay averaging, ICML 2013, arXiv 1212.1824, section 3: with eta = 0 the plain mean, with a larger
//! eta more of the latest iterates. With eta = 1 an iterate counts in proportion to its number; with eta = 8, the default,
//! in proportion to about its eighth power, so that the average lags a tenth of the run behind.)
//!
//! Meant for the learned side of a guard: a learned rule takes long steps, so that its last iterate is noisy, and a
//! guard that judges this iterate against a fallback with short steps sees the noise and not the progress. The gradient
//! is needed at z, not at x; [`Rule::gradient_point`] says so to the caller. Where a guard has kept another
//! candidate, [`Rule::moved`] begins a new average from there.
//!
//! State: the inner rule's, one slot for z, and t.

use super::{Probe, Rule, RuleState, range};
use crate::error::Error;
use crate::lanes::by_lanes;
use crate::persist::{Digest, Fingerprint, Persist};
use crate::tensors::{Tensors, Zeroed};

/// A rule whose parameters are a running mean of its iterates.
///
/// ```
/// use lgl2o::guard::LossGuard;
/// use lgl2o::{Rule, learned, rule::Sgd};
/// let guard = LossGuard::new(learned::ngn().averaged(), Sgd::new(1.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Averaged<R> {
    /// The rule that moves the front.
    pub rule: R,
    /// How much more the latest iterates count, at least 0.
    pub eta: f32,
}

impl<R> Averaged<R> {
    /// The rule with averages of eta = 8.
    pub const fn new(rule: R) -> Self {
        Self { rule, eta: 8.0 }
    }

    /// x <- x + c (z - x) in step t of the average.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn mix<P: Tensors>(&self, x: &mut P, z: &P, t: u32) {
        let share = (self.eta + 1.0) / (t as f32 + self.eta);
        for i in 0..x.count() {
            mix(x.tensor_mut(i), z.tensor(i), share);
        }
    }
}

/// x <- x + share (z - x).
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
fn mix(x: &mut [f32], z: &[f32], share: f32) {
    by_lanes!([x] [z] => {
        *x += share * (z - *x);
    });
}

/// The inner rule's state, the front, and how old the average is.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct AveragedState<P, S> {
    /// The inner rule's.
    pub inner: S,
    /// Where the inner rule is; says nothing while `age` is 0.
    pub front: P,
    /// Steps since the average began.
    pub age: u32,
}

impl<P: Zeroed, S: Zeroed> Zeroed for AveragedState<P, S> {
    const ZERO: Self = Self { inner: S::ZERO, front: P::ZERO, age: 0 };
}

impl<P: Persist, S: Persist> Persist for AveragedState<P, S> {
    crate::persist_fields!(inner, front, age);
}

impl<R: Fingerprint> Fingerprint for Averaged<R> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("averaged");
        self.rule.describe(digest);
        digest.numbers([self.eta]);
    }
}

impl<P: Tensors, S: RuleState> RuleState for AveragedState<P, S> {
    fn reset(&mut self) {
        self.inner.reset();
        self.front.fill(0.0);
        self.age = 0;
    }
    fn copy_from(&mut self, other: &Self) {
        self.inner.copy_from(&other.inner);
        self.front.copy_from(&other.front);
        self.age = other.age;
    }
    fn is_finite(&self) -> bool {
        self.inner.is_finite() && self.front.is_finite()
    }
}

impl<R: Rule> Rule for Averaged<R> {
    type State<P: Tensors> = AveragedState<P, R::State<P>>;

    fn check(&self) -> Result<(), Error> {
        range::not_negative(self.eta, "eta of an average must be finite and not negative")?;
        self.rule.check()
    }

    fn probes(&self) -> bool {
        self.rule.probes()
    }

    fn has_gradient_point(&self) -> bool {
        true
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        let mut front = like.clone();
        front.fill(0.0);
        AveragedState { inner: self.rule.state(like), front, age: 0 }
    }

    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        (state.age > 0).then_some(&state.front)
    }

    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        state.age = 0;
    }

    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.shorten(&mut state.inner);
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
        let AveragedState { inner, front, age } = state;
        if *age == 0 {
            front.copy_from(params);
        }
        self.rule.step(inner, front, gradient, loss, probe);
        *age = age.saturating_add(1);
        self.mix(params, front, *age);
    }

    /// The inner rule sees the gradient; the average stays as it is.
    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        self.rule.observe(&mut state.inner, params, gradient, loss);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rule::{Armijo, Momentum, NoProbe, Sgd};

    /// F(w) = w^2 / 2, so that the gradient at z is z; rate 1/2 halves z.
    #[test]
    fn steps_by_hand() {
        let rule = Averaged { eta: 1.0, ..Sgd::new(0.5).averaged() };
        let mut state = rule.state(&[0.0f32]);
        let mut x = [8.0f32];
        let mut seen = [0.0; 3];
        for (i, seen) in seen.iter_mut().enumerate() {
            let z = *rule.gradient_point(&state).unwrap_or(&x);
            assert_eq!(z, [[8.0], [4.0], [2.0]][i]);
            rule.step(&mut state, &mut x, &z, 0.0, &mut NoProbe);
            *seen = x[0];
        }
        // z = 4, 2, 1 with weights 1, 2, 3.
        assert_eq!(seen[0], 4.0);
        assert!((seen[1] - 8.0 / 3.0).abs() < 1e-6 && (seen[2] - 11.0 / 6.0).abs() < 1e-6, "{seen:?}");
        rule.moved(&mut state);
        assert_eq!(rule.gradient_point(&state), None);
        x = [16.0];
        rule.step(&mut state, &mut x, &[16.0], 0.0, &mut NoProbe);
        assert_eq!((x, state.front, state.age), ([8.0], [8.0], 1));
    }

    #[test]
    fn a_front_that_is_lost_shows_in_the_parameters_and_in_the_state() {
        let rule = Sgd::new(1.0).averaged();
        let mut state = rule.state(&[0.0f32]);
        let mut x = [1.0f32];
        rule.step(&mut state, &mut x, &[f32::NAN], 0.0, &mut NoProbe);
        assert!(!x.is_finite() && !state.is_finite());
        state.reset();
        assert_eq!(state, rule.state(&[0.0]));
    }

    /// A copy is the original; a gradient that is only observed is seen by the inner rule, and moves nothing.
    #[test]
    fn states_copy_and_observe() {
        let rule = Momentum::new(0.5).averaged();
        let mut state = rule.state(&[0.0f32]);
        let mut x = [8.0f32];
        for _ in 0..3 {
            let z = *rule.gradient_point(&state).unwrap_or(&x);
            rule.step(&mut state, &mut x, &z, 0.0, &mut NoProbe);
        }
        let mut copy = rule.state(&[0.0]);
        copy.copy_from(&state);
        assert_eq!(copy, state);
        let mut inner = state.inner.clone();
        rule.rule.observe(&mut inner, &x, &[2.0], 0.0);
        rule.observe(&mut state, &x, &[2.0], 0.0);
        assert_ne!(state, copy);
        assert_eq!(state, AveragedState { inner, ..copy });
    }

    #[test]
    fn a_state_is_finite_where_both_its_parts_are() {
        let fresh = Momentum::new(0.5).averaged().state(&[0.0f32]);
        assert!(fresh.is_finite());
        let (mut front, mut inner) = (fresh.clone(), fresh);
        front.front = [f32::INFINITY];
        inner.inner.slots[0] = [f32::NAN];
        assert!(!front.is_finite() && !inner.is_finite());
    }

    #[test]
    fn who_searches_still_searches() {
        assert!(!Sgd::new(0.5).averaged().probes());
        assert!(Armijo::new(1.0).is_ok_and(|armijo| armijo.averaged().probes()));
    }
}

//! Any rule in the eigenbases of the gradients' second moments: what SOAP does to Adam.
//!
//! For the matrix of weights W of each layer, with its gradient G, in step t = 1, 2, ...:
//!
//! ```text
//! G'  = Q G P^T
//! W'  = Q W P^T, moved by the inner rule's step from G';   W <- W + Q^T (W' - W'_before) P
//! L  <- 0.8 (L + G' G'^T)         R <- 0.8 (R + G'^T G')                where t <= 4 or t is a multiple of 4
//! Q  <- J Q,  L <- J L J^T        P <- K P,  R <- K R K^T               where t is 1, 2, 4, 8 or a multiple of 16
//! ```
//!
//! J and K are a sweep of Jacobi rotations (`jacobi.rs`), which brings L and R nearer to a diagonal; the inner rule's
//! [velocities](super::Rule::velocities) turn along; the means of `Adam16`, which are packed, and what recurrent rules remember stay as they are. So the rows of Q and P follow the eigenvectors of running sums of G G^T and G^T G. In these
//! bases the gradient's numbers are nearly uncorrelated, as a rule that scales each number by its own mean square assumes. (Vyas, Morwani et al., "SOAP: Improving and stabilizing Shampoo using Adam", arXiv 2409.11321,
//! algorithm 3; Gupta, Koren, Singer, "Shampoo", ICML 2018, arXiv 1802.09568. There an eigenbasis is computed anew from
//! time to time, and the mean is kept in the parameters' own basis.)
//!
//! Biases stay as they are, and so does a side of a matrix longer than [`LONGEST`]. Dense layers and 1-D convolutions are turned on both
//! sides, 2-D ones on the side of the outputs; depthwise and recurrent ones are not.
//!
//! A step costs 2 (rows + columns) multiply-adds a weight more than the inner rule's. State, in numbers: the inner rule's, one slot for W',
//! and 2 (rows^2 + columns^2) for each layer; and two slots of working memory that a checkpoint does not hold.

mod jacobi;
mod products;
mod state;
mod tiles;
mod turn;

pub use state::RotatedState;
pub use tiles::LONGEST;

use super::{Probe, Rule};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// How much of the moments stays when a gradient is taken in.
const KEPT: f32 = 0.8;

/// Whether the gradient of step t is taken into the moments.
const fn is_taken(t: u32) -> bool {
    t <= 4 || t.is_multiple_of(4)
}

/// Whether the bases follow the moments after step t.
const fn is_turned(t: u32) -> bool {
    matches!(t, 1 | 2 | 4 | 8) || t.is_multiple_of(16)
}

/// A rule in the eigenbases of the gradients' second moments.
///
/// The gradient is taken at the parameters. So an average belongs outside, as in `Rotated::new(rule).averaged()`, not inside.
///
/// ```
/// use lgl2o::rule::{Ngn, Rotated};
/// let rule = Rotated::new(Ngn::new());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Rotated<R> {
    /// The rule that moves the parameters.
    pub rule: R,
}

impl<R> Rotated<R> {
    /// The rule in eigenbases.
    pub const fn new(rule: R) -> Self {
        Self { rule }
    }
}

impl<R: Rule> Rotated<R> {
    /// Writes the gradient in the eigenbases to the working memory, takes it into the moments, and turns the parameters where those kept are
    /// not these.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn enter<P: Tensors>(state: &mut RotatedState<P, P::Bases, R::State<P>>, params: &P, gradient: &P) {
        let RotatedState { bases, params: inside, gradient: turned, spare, .. } = state;
        if bases.steps == 0 {
            turn::begin(&mut bases.slots[0]);
        }
        turn::enter(gradient, &bases.slots[0], spare, turned);
        if bases.memo == 0.0 {
            turn::enter(params, &bases.slots[0], spare, inside);
            bases.memo = 1.0;
        } else {
            turn::enter_others(params, &bases.slots[0], inside);
        }
        if is_taken(bases.steps.saturating_add(1)) {
            let [_, moments] = &mut bases.slots;
            turn::take(turned, moments, KEPT);
        }
    }

    /// Lets the bases follow the moments, once the gradient in the working memory is used.
    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn follow<P: Tensors>(&self, state: &mut RotatedState<P, P::Bases, R::State<P>>, like: &P) {
        let RotatedState { inner, bases, .. } = state;
        let t = bases.count();
        if !is_turned(t) {
            return;
        }
        turn::follow(like, &mut bases.slots, self.rule.velocities(inner));
        bases.memo = 0.0;
    }
}

impl<R: Fingerprint> Fingerprint for Rotated<R> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("rotated");
        self.rule.describe(digest);
    }
}

impl<R: Rule> Rule for Rotated<R> {
    type State<P: Tensors> = RotatedState<P, P::Bases, R::State<P>>;

    /// The inner rule's.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] also for a rule that searches, and for one with an average inside, whose gradient is not taken at the parameters.
    fn check(&self) -> Result<(), Error> {
        if self.rule.probes() {
            return Err(Error::InvalidSetting {
                what: "a rule that searches cannot be rotated: rotate one that does not search",
            });
        }
        if self.rule.has_gradient_point() {
            return Err(Error::InvalidSetting {
                what: "a rule with an average cannot be rotated: average the rotated rule instead",
            });
        }
        self.rule.check()
    }

    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        state.bases.memo = 0.0;
        self.rule.moved(&mut state.inner);
    }

    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.shorten(&mut state.inner);
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        RotatedState::new(self.rule.state(like), like)
    }

    #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        _: &mut impl Probe<P>,
    ) {
        Self::enter(state, params, gradient);
        let RotatedState { inner, bases, params: inside, gradient: turned, spare } = state;
        spare.copy_from(inside);
        self.rule.step(inner, inside, turned, loss, &mut super::NoProbe);
        turn::move_by(params, inside, spare, turned, &bases.slots[0]);
        self.follow(state, params);
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        Self::enter(state, params, gradient);
        self.rule.observe(&mut state.inner, &state.params, &state.gradient, loss);
        self.follow(state, params);
    }
}

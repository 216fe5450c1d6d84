//! A fixed mixture of both updates: the control that any guard must beat.
//!
//! ```text
//! w <- u + share (v - u),   u = the fallback's step from w, v = the learned step from w, on one gradient
//! ```
//!
//! Reviews of learned-optimizer hybrids ask for it, for a mixture with no decision in it may do as well. It has no
//! guarantee. A round is one step and costs one gradient. A side whose step is not finite is left out of the mixture.

use super::points::{self, Points};
use super::{Guard, Verdict, Winner, blank};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::persist::{Digest, Fingerprint, Persist};
use crate::rule::{Rule, RuleState};
use crate::source::Source;
use crate::tensors::{Tensors, Zeroed};

/// A fixed mixture of a learned rule and a fallback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blend<L, F> {
    learned: L,
    fallback: F,
    share: f32,
}

impl<L, F> Blend<L, F> {
    /// A mixture that takes `share` of the learned step and the rest of the fallback's.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless the share is between 0 and 1.
    pub fn new(learned: L, fallback: F, share: f32) -> Result<Self, Error> {
        if (0.0..=1.0).contains(&share) {
            Ok(Self { learned, fallback, share })
        } else {
            Err(Error::InvalidSetting { what: "the learned share of a blend must be between 0 and 1" })
        }
    }
}

/// The parameters, the learned candidate and the fallback's; gradient and both rule states.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct BlendMemory<P, L, F> {
    points: Points<P, 3>,
    gradient: P,
    learned_state: L,
    fallback_state: F,
}

impl<P: Zeroed, L: Zeroed, F: Zeroed> Zeroed for BlendMemory<P, L, F> {
    const ZERO: Self =
        Self { points: Zeroed::ZERO, gradient: P::ZERO, learned_state: L::ZERO, fallback_state: F::ZERO };
}

/// Both rules' states; gradient and candidates are computed again in each round.
impl<P, L: Persist, F: Persist> Persist for BlendMemory<P, L, F> {
    crate::persist_fields!(learned_state, fallback_state);
}

impl<L: Fingerprint, F: Fingerprint> Fingerprint for Blend<L, F> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("blend");
        self.learned.describe(digest);
        self.fallback.describe(digest);
        digest.numbers([self.share]);
    }
}

impl<P: Tensors, L: RuleState, F: RuleState> BlendMemory<P, L, F> {
    /// Mixes the learned candidate into the fallback's; says who is in the mixture.
    fn mix(&mut self, share: f32) -> Winner {
        let [_, of_learned, of_fallback] = self.points.all_mut();
        let (fallback, learned) = (of_fallback.is_finite(), of_learned.is_finite());
        // Accumulators that are not finite would make every further step such, or none at all.
        if !learned || !self.learned_state.is_finite() {
            self.learned_state.reset();
        }
        if !fallback || !self.fallback_state.is_finite() {
            self.fallback_state.reset();
        }
        match (fallback, learned) {
            (false, false) => return Winner::Neither,
            (true, false) => return Winner::Fallback,
            (false, true) => of_fallback.copy_from(of_learned),
            (true, true) => {
                for i in 0..of_fallback.count() {
                    for (u, &v) in of_fallback.tensor_mut(i).iter_mut().zip(of_learned.tensor(i)) {
                        *u += share * (v - *u);
                    }
                }
            }
        }
        if of_fallback.is_finite() { Winner::Learned } else { Winner::Neither }
    }
}

impl<L: Rule, F: Rule> Guard for Blend<L, F> {
    type Memory<P: Tensors> = BlendMemory<P, L::State<P>, F::State<P>>;

    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P> {
        BlendMemory {
            points: Points::blank(like),
            gradient: blank(like),
            learned_state: self.learned.state(like),
            fallback_state: self.fallback.state(like),
        }
    }

    fn params<P: Tensors>(memory: &Self::Memory<P>) -> &P {
        let [params, ..] = memory.points.all();
        params
    }

    fn params_mut<P: Tensors>(memory: &mut Self::Memory<P>) -> &mut P {
        let [params, ..] = memory.points.all_mut();
        params
    }

    fn round<O: Objective>(
        &self,
        memory: &mut Self::Memory<O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Verdict, Error> {
        self.learned.check()?;
        self.fallback.check()?;
        let [params, learned, fallback] = memory.points.all_mut();
        let batch = source.train()?;
        let train_loss = oracle.gradient(params, batch, &mut memory.gradient)?;
        if !memory.gradient.is_finite() {
            return Err(Error::NonFiniteGradient);
        }
        learned.copy_from(params);
        fallback.copy_from(params);
        let probe = &mut oracle.probe(batch);
        self.learned.step(&mut memory.learned_state, learned, &memory.gradient, train_loss, probe);
        self.fallback.step(&mut memory.fallback_state, fallback, &memory.gradient, train_loss, probe);
        let winner = memory.mix(self.share);
        if winner != Winner::Neither {
            memory.points.accept(points::FALLBACK);
        }
        // A mixture is neither's point.
        self.learned.moved(&mut memory.learned_state);
        self.fallback.moved(&mut memory.fallback_state);
        Ok(Verdict {
            winner,
            steps: 1,
            accepted: u32::from(winner != Winner::Neither),
            train_loss,
            fallback_loss: None,
            learned_loss: None,
            kept_loss: None,
            standard_error: 0.0,
            spent: oracle.spent(),
        })
    }
}

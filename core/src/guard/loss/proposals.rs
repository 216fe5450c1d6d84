//! The candidates of a round of a [`LossGuard`], each so many steps from the accepted parameters.

use super::memory::{LossMemory, MemoryOf};
use super::settings::LossGuard;
use crate::error::Error;
use crate::guard::Decision;
use crate::guard::policy::{Sides, StatePolicy};
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::rule::Rule;
use crate::source::Source;
use crate::tensors::Tensors;

use core::ops::ControlFlow;

/// The outcome of the proposals of a round.
#[derive(Debug, Clone, Copy)]
pub(super) struct Proposals {
    pub(super) train_loss: f32,
    /// |g(w)|^2 of the first, shared gradient; 0 where the decision does not ask for it.
    pub(super) square: f32,
    /// Whether each side still stands at a finite point.
    pub(super) learned: bool,
    pub(super) fallback: bool,
    /// Whether the fallback's step is still to be made, from the first gradient.
    pub(super) postponed: bool,
}

impl Proposals {
    /// The current parameters, if their loss on the first training batch was finite: then it is a check batch's fault if there is
    /// none on that.
    pub(super) fn sound<'a, P>(&self, params: &'a P) -> Option<&'a P> {
        self.train_loss.is_finite().then_some(params)
    }
}

impl<L: Rule, F: Rule, S: StatePolicy> LossGuard<L, F, S> {
    /// Whether the fallback's step can wait until the learned one is refused: it is to be made from the first gradient,
    /// which is still there then.
    fn postpones<P: Tensors>(&self, learned_steps: u32, memory: &MemoryOf<L, F, S, P>) -> bool {
        matches!(self.settings.decision, Decision::SufficientDecrease { .. })
            && learned_steps == 1
            && !self.fallback.probes()
            && self.learned.gradient_point(&memory.learned_state).is_none()
            && self.fallback.gradient_point(&memory.fallback_state).is_none()
    }

    /// Both candidates, so many steps from the accepted parameters; at least one step of the fallback, but the learned side may make
    /// none. Breaks with a loss where the guard had to [go back](super::back).
    pub(super) fn propose<O: Objective>(
        &self,
        [learned_steps, fallback_steps]: [u32; 2],
        memory: &mut MemoryOf<L, F, S, O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<ControlFlow<f32, Proposals>, Error> {
        let [params, ..] = memory.points.all_mut();
        let batch = source.train()?;
        // A fallback that is alone and wants its gradient elsewhere needs none at the accepted parameters.
        let apart = if learned_steps == 0 { self.fallback.gradient_point(&memory.fallback_state) } else { None };
        let is_alone = apart.is_some();
        let train_loss = oracle.gradient(apart.unwrap_or(params), batch, &mut memory.gradient)?;
        if !memory.gradient.is_finite() {
            return self.recover(memory, oracle, batch).map(ControlFlow::Break);
        }
        memory.hold(learned_steps == 0);
        S::begin(
            &mut memory.extra,
            &Sides { learned: &mut memory.learned_state, fallback: &mut memory.fallback_state },
        );
        let [params, learned, fallback] = memory.points.all_mut();
        if learned_steps > 0 {
            learned.copy_from(params);
        }
        fallback.copy_from(params);
        let mut proposals = Proposals {
            train_loss,
            square: if self.settings.decision.asks_for_gradient() { memory.gradient.squares() } else { 0.0 },
            learned: true,
            fallback: true,
            postponed: self.postpones(learned_steps, memory),
        };
        // The shared gradient serves both sides before one that wants its own overwrites it.
        let (of_learned, of_fallback) = (learned_steps > 0, !proposals.postponed);
        let elsewhere = self.learned.gradient_point(&memory.learned_state).is_some();
        if of_learned && !elsewhere {
            self.advance_learned(Some(train_loss), memory, &mut proposals, oracle, batch)?;
        }
        if of_fallback {
            let is_shared = is_alone || self.fallback.gradient_point(&memory.fallback_state).is_none();
            let shared = is_shared.then_some(train_loss);
            self.advance_fallback(shared, memory, &mut proposals, oracle, batch)?;
        }
        if of_learned && elsewhere {
            self.advance_learned(None, memory, &mut proposals, oracle, batch)?;
        }
        for done in 1..learned_steps.max(fallback_steps) {
            let batch = source.train()?;
            if done < fallback_steps {
                self.advance_fallback(None, memory, &mut proposals, oracle, batch)?;
            }
            if done < learned_steps {
                self.advance_learned(None, memory, &mut proposals, oracle, batch)?;
            }
        }
        Ok(ControlFlow::Continue(proposals))
    }

    /// One more step of the fallback; see [`advance`].
    fn advance_fallback<O: Objective>(
        &self,
        shared: Option<f32>,
        memory: &mut MemoryOf<L, F, S, O::Params>,
        proposals: &mut Proposals,
        oracle: &mut Oracle<'_, O>,
        batch: O::Batch<'_>,
    ) -> Result<(), Error> {
        let LossMemory { points, gradient, fallback_state, extra, .. } = memory;
        let [params, _, fallback] = points.all_mut();
        let stands = &mut proposals.fallback;
        let side = Side { rule: &self.fallback, state: fallback_state, candidate: fallback, gradient, shared, stands };
        advance(side, params, oracle, batch, |point, gradient, loss| {
            S::fallback_gradient::<L, F::State<O::Params>, O::Params>(extra, &self.learned, point, gradient, loss);
        })
    }

    /// One more step of the learned side; see [`advance`].
    fn advance_learned<O: Objective>(
        &self,
        shared: Option<f32>,
        memory: &mut MemoryOf<L, F, S, O::Params>,
        proposals: &mut Proposals,
        oracle: &mut Oracle<'_, O>,
        batch: O::Batch<'_>,
    ) -> Result<(), Error> {
        let LossMemory { points, gradient, learned_state, extra, .. } = memory;
        let [params, learned, _] = points.all_mut();
        let stands = &mut proposals.learned;
        let side = Side { rule: &self.learned, state: learned_state, candidate: learned, gradient, shared, stands };
        advance(side, params, oracle, batch, |point, gradient, loss| {
            S::learned_gradient::<L::State<O::Params>, F, O::Params>(extra, &self.fallback, point, gradient, loss);
        })
    }
}

/// One of the two rules that a round compares, with all that it changes in one step.
struct Side<'a, R: Rule, P: Tensors> {
    rule: &'a R,
    state: &'a mut R::State<P>,
    candidate: &'a mut P,
    gradient: &'a mut P,
    /// The loss that belongs to `gradient`; `None` if the gradient has to be computed first.
    shared: Option<f32>,
    /// Whether gradients and candidate have all been finite so far.
    stands: &'a mut bool,
}

/// One more step of a side. The state policy sees the gradient, where it was computed, and the loss there. A side that is no
/// longer finite does not move.
fn advance<R: Rule, O: Objective>(
    side: Side<'_, R, O::Params>,
    kept: &O::Params,
    oracle: &mut Oracle<'_, O>,
    batch: O::Batch<'_>,
    see: impl FnOnce(&O::Params, &O::Params, f32),
) -> Result<(), Error> {
    let Side { rule, state, candidate, gradient, shared, stands } = side;
    if !*stands {
        return Ok(());
    }
    let point = rule.gradient_point(state).unwrap_or(candidate);
    let loss = match shared {
        Some(loss) => loss,
        None => oracle.gradient(point, batch, gradient)?,
    };
    *stands = gradient.is_finite();
    if *stands {
        see(point, gradient, loss);
        rule.step(state, candidate, gradient, loss, &mut oracle.probe(batch));
        *stands = candidate.is_finite();
    } else {
        // The batch's fault, if there is no gradient at the accepted parameters either.
        oracle.gradient(kept, batch, gradient)?;
        if !gradient.is_finite() {
            return Err(Error::NonFiniteGradient);
        }
    }
    Ok(())
}

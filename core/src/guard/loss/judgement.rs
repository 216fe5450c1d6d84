//! How the candidates of a [`LossGuard`] are judged.

use super::proposals::Proposals;
use super::{LossGuard, MemoryOf};
use crate::batch::Source;
use crate::error::Error;
use crate::guard::Decision;
use crate::guard::policy::StatePolicy;
use crate::objective::Objective;
use crate::oracle::{Oracle, Paired};
use crate::rule::Rule;

/// What the check batches have come to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judgement {
    pub(super) accept: bool,
    /// Whether the current parameters are to be kept.
    pub(super) stay: bool,
    pub(super) fallback_loss: f32,
    pub(super) learned_loss: f32,
    pub(super) standard_error: f32,
}

impl<L: Rule, F: Rule, S: StatePolicy> LossGuard<L, F, S> {
    /// Compares two points, and a third one where the veto asks for it, on the check batches or the full objective.
    fn compare<O: Objective>(
        &self,
        first: &O::Params,
        second: &O::Params,
        third: Option<&O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Paired, Error> {
        let mut paired = Paired::default();
        if self.decision == Decision::FullObjective {
            let mut part = 0;
            while let Some(batch) = source.objective(part)? {
                oracle.compare(first, second, third, batch, &mut paired)?;
                part += 1;
            }
            if part == 0 {
                return Err(Error::NoObjective);
            }
        } else {
            for _ in 0..self.check_batches {
                let batch = source.check()?;
                oracle.compare(first, second, third, batch, &mut paired)?;
                if self.is_clear(&paired) {
                    break;
                }
            }
        }
        Ok(paired)
    }

    /// Whether no more check batches are needed.
    fn is_clear(&self, paired: &Paired) -> bool {
        let error = self.early_stop * paired.standard_error();
        // A standard error of 0 is that of one example or of equal losses, which says nothing.
        let stops = error > 0.0 && !matches!(self.decision, Decision::SufficientDecrease { .. });
        stops && crate::math::abs(paired.difference()) > error
    }

    /// Whether v may be kept, and both losses.
    pub(super) fn judge<O: Objective>(
        &self,
        memory: &MemoryOf<L, F, S, O::Params>,
        params: &O::Params,
        proposals: &Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Judgement, Error> {
        let (u, v) = (&memory.fallback, &memory.learned);
        if let Decision::SufficientDecrease { kappa } = self.decision {
            let paired = self.compare(params, v, None, oracle, source)?;
            let enough = paired.second() <= paired.first() - kappa * proposals.square;
            return Ok(Judgement {
                accept: proposals.learned && paired.second().is_finite() && enough,
                stay: false,
                fallback_loss: f32::NAN,
                learned_loss: if proposals.learned { paired.second() } else { f32::INFINITY },
                standard_error: crate::oracle::or_infinity(paired.standard_error()),
            });
        }
        let third = (self.veto || self.stay).then_some(params);
        let paired = self.compare(u, v, third, oracle, source)?;
        let fallback_loss = if proposals.fallback { paired.first() } else { f32::INFINITY };
        let learned_loss = if proposals.learned { paired.second() } else { f32::INFINITY };
        let margin = self.decision.margin(memory.rounds.saturating_add(1));
        let trusted = self.trust && margin > 0.0 && memory.pace.is_trusted();
        let ahead = if margin > 0.0 && fallback_loss.is_finite() {
            let ties = if trusted { margin } else { -margin };
            paired.difference() < ties * paired.standard_error()
        } else {
            learned_loss < fallback_loss
        };
        let allowed = match paired.to_third() {
            _ if !(self.veto || self.stay) => true,
            ties if trusted && !self.stay => ties.mean() < margin * ties.standard_error(),
            _ => learned_loss < paired.third(),
        };
        let accept = learned_loss.is_finite() && ahead && allowed;
        Ok(Judgement {
            accept,
            stay: self.stay && !accept && fallback_loss >= paired.third(),
            fallback_loss,
            learned_loss,
            standard_error: crate::oracle::or_infinity(paired.standard_error()),
        })
    }

    /// Whether the fallback's candidate may be kept where it stands alone: always, unless it should not be worse than
    /// the current parameters.
    pub(super) fn judge_alone<O: Objective>(
        &self,
        memory: &MemoryOf<L, F, S, O::Params>,
        params: &O::Params,
        proposals: &Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Judgement, Error> {
        let mut judgement = Judgement {
            accept: false,
            stay: false,
            fallback_loss: f32::NAN,
            learned_loss: f32::NAN,
            standard_error: 0.0,
        };
        if self.stay {
            let paired = self.compare(params, &memory.fallback, None, oracle, source)?;
            judgement.fallback_loss = if proposals.fallback { paired.second() } else { f32::INFINITY };
            judgement.stay = judgement.fallback_loss >= paired.first();
            judgement.standard_error = crate::oracle::or_infinity(paired.standard_error());
        }
        Ok(judgement)
    }
}

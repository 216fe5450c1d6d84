//! How the candidates of a [`LossGuard`] are judged.

use super::back::is_far;
use super::memory::MemoryOf;
use super::proposals::Proposals;
use super::settings::LossGuard;
use crate::error::Error;
use crate::guard::Decision;
use crate::guard::policy::StatePolicy;
use crate::math::or_infinity;
use crate::objective::Objective;
use crate::oracle::{Difference, Oracle, Paired};
use crate::rule::Rule;
use crate::source::Source;

/// The result of the check batches.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judgement {
    pub(super) accept: bool,
    /// Whether the current parameters are to be kept.
    pub(super) stay: bool,
    /// Whether the fallback's candidate is far worse than the current parameters, or than those that it was left alone at.
    pub(super) climbs: bool,
    pub(super) fallback_loss: Option<f32>,
    pub(super) learned_loss: Option<f32>,
    pub(super) kept_loss: Option<f32>,
    pub(super) standard_error: f32,
}

/// When a comparison stops early, and when it draws all check batches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stop {
    /// At the first clear difference.
    EitherWay,
    /// At the first one against the second candidate only.
    OnLoss,
    /// Never.
    Never,
}

/// The most that a tie may cost, as a share of the loss: a wild candidate has a wide standard error, and must not hide
/// in it.
const TIE: f32 = 0.0625;

/// Whether a trusted candidate is better than another one, or as good within z standard errors and a share of its loss.
fn is_tie_or_better(difference: &Difference, z: f32, other: f32) -> bool {
    let (error, share) = (z * difference.standard_error(), TIE * other.abs());
    difference.mean() < if error < share { error } else { share }
}

impl<L: Rule, F: Rule, S: StatePolicy> LossGuard<L, F, S> {
    /// Compares two points, and a third one where the veto asks for it, on the check batches or the full objective.
    ///
    /// # Errors
    /// Whatever is wrong with a batch; [`Error::NonFiniteLoss`] for one on which neither point has a finite loss, nor have the
    /// parameters that are `kept`, if they are given.
    fn compare<O: Objective>(
        &self,
        [first, second]: [&O::Params; 2],
        [third, kept]: [Option<&O::Params>; 2],
        stop: Stop,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Paired, Error> {
        let mut paired = Paired::default();
        if self.settings.decision == Decision::FullObjective {
            let mut part = 0;
            while let Some(batch) = source.objective(part)? {
                self.compare_on([first, second], [third, kept], batch, oracle, &mut paired)?;
                part += 1;
            }
            if part == 0 {
                return Err(Error::NoObjective);
            }
        } else {
            for _ in 0..self.settings.check_batches {
                let batch = source.check()?;
                self.compare_on([first, second], [third, kept], batch, oracle, &mut paired)?;
                if self.is_clear(&paired, stop) {
                    break;
                }
            }
        }
        Ok(paired)
    }

    /// The same on one batch.
    fn compare_on<O: Objective>(
        &self,
        [first, second]: [&O::Params; 2],
        [third, kept]: [Option<&O::Params>; 2],
        batch: O::Batch<'_>,
        oracle: &mut Oracle<'_, O>,
        paired: &mut Paired,
    ) -> Result<(), Error> {
        let was_finite = paired.first().is_finite() || paired.second().is_finite();
        oracle.compare(first, second, third, batch, paired)?;
        let is_finite = paired.first().is_finite() || paired.second().is_finite();
        match kept {
            Some(kept) if was_finite && !is_finite && !oracle.loss(kept, batch)?.is_finite() => {
                Err(Error::NonFiniteLoss)
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether no more check batches are needed.
    fn is_clear(&self, paired: &Paired, stop: Stop) -> bool {
        let error = self.settings.early_stop * paired.standard_error();
        // A standard error of 0 is that of one example or of equal losses, which says nothing.
        let stops = error > 0.0 && !matches!(self.settings.decision, Decision::SufficientDecrease { .. });
        let difference = paired.difference();
        stops
            && match stop {
                Stop::EitherWay => difference > error || difference < -error,
                Stop::OnLoss => difference > error,
                Stop::Never => false,
            }
    }

    /// Whether v may be kept, and both losses.
    pub(super) fn judge<O: Objective>(
        &self,
        memory: &MemoryOf<L, F, S, O::Params>,
        proposals: &Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Judgement, Error> {
        if let Decision::SufficientDecrease { kappa } = self.settings.decision {
            return self.judge_decrease(kappa, memory, proposals, oracle, source);
        }
        let [params, v, u] = memory.points.all();
        let third = (self.settings.veto || self.settings.stay || memory.schedule.suspects()).then_some(params);
        let margin = self.settings.decision.margin(memory.rounds.saturating_add(1));
        let trusts = self.settings.trust && margin > 0.0;
        let trusted = trusts && memory.schedule.is_trusted();
        // Trust is gained only on all check batches; an early stop may only lose it.
        let stop = match memory.schedule.suspects() {
            // A wild point looks good on single batches.
            true => Stop::Never,
            false if trusts && !trusted => Stop::OnLoss,
            false => Stop::EitherWay,
        };
        let paired = self.compare([u, v], [third, proposals.sound(params)], stop, oracle, source)?;
        let fallback_loss = if proposals.fallback { paired.first() } else { f32::INFINITY };
        let learned_loss = if proposals.learned { paired.second() } else { f32::INFINITY };
        let ahead = match fallback_loss.is_finite() {
            true if trusted => is_tie_or_better(paired.to_first(), margin, fallback_loss),
            true if margin > 0.0 => paired.difference() < -margin * paired.standard_error(),
            _ => learned_loss < fallback_loss,
        };
        let climbs = third.is_some() && is_far(fallback_loss, paired.third(), paired.third_spread());
        let is_wary = climbs || memory.schedule.suspects();
        let allowed = match third.is_some() {
            false => true,
            // Harm that shows in no loss shows in how the fallback fares, so that a tie is not good enough then.
            true if is_wary => paired.to_third().mean() < -margin * paired.to_third().standard_error(),
            true if trusted && !self.settings.stay => is_tie_or_better(paired.to_third(), margin, paired.third()),
            true => learned_loss < paired.third(),
        };
        let accept = learned_loss.is_finite() && ahead && allowed;
        // Where v beats u, and w beats v, u is the worst of three.
        let is_worst = !allowed && ahead && learned_loss < fallback_loss;
        Ok(Judgement {
            accept,
            stay: is_worst || (is_wary || self.settings.stay) && fallback_loss >= paired.third(),
            climbs,
            fallback_loss: Some(fallback_loss),
            learned_loss: Some(learned_loss),
            kept_loss: third.is_some().then_some(paired.third()),
            standard_error: or_infinity(paired.standard_error()),
        })
    }

    /// The same by *sufficient decrease*.
    fn judge_decrease<O: Objective>(
        &self,
        kappa: f32,
        memory: &MemoryOf<L, F, S, O::Params>,
        proposals: &Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Judgement, Error> {
        let [params, v, _] = memory.points.all();
        let paired = self.compare([params, v], [None, proposals.sound(params)], Stop::EitherWay, oracle, source)?;
        let enough = paired.second() <= paired.first() - kappa * proposals.square;
        Ok(Judgement {
            accept: proposals.learned && paired.second().is_finite() && enough,
            stay: false,
            climbs: false,
            fallback_loss: None,
            learned_loss: Some(if proposals.learned { paired.second() } else { f32::INFINITY }),
            kept_loss: Some(paired.first()),
            standard_error: or_infinity(paired.standard_error()),
        })
    }

    /// Whether the fallback's candidate may be kept where it stands alone: always, unless it should not be worse than
    /// the current parameters. At the end of its time alone it is compared with where that began.
    pub(super) fn judge_alone<O: Objective>(
        &self,
        memory: &MemoryOf<L, F, S, O::Params>,
        proposals: &Proposals,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Judgement, Error> {
        let mut judgement = Judgement {
            accept: false,
            stay: false,
            climbs: !self.settings.stay && !proposals.fallback,
            fallback_loss: (!proposals.fallback).then_some(f32::INFINITY),
            learned_loss: None,
            kept_loss: None,
            standard_error: 0.0,
        };
        if self.settings.stay || memory.schedule.ends_alone() && proposals.fallback {
            let [params, held, fallback] = memory.points.all();
            let other = if self.settings.stay { params } else { held };
            let stop = match memory.schedule.suspects() {
                true => Stop::Never,
                false if self.settings.stay => Stop::EitherWay,
                false => Stop::OnLoss,
            };
            let paired = self.compare([other, fallback], [None, proposals.sound(params)], stop, oracle, source)?;
            let fallback_loss = if proposals.fallback { paired.second() } else { f32::INFINITY };
            (judgement.fallback_loss, judgement.kept_loss) = (Some(fallback_loss), Some(paired.first()));
            judgement.stay = self.settings.stay && fallback_loss >= paired.first();
            judgement.climbs = !self.settings.stay
                && match memory.schedule.suspects() {
                    true => fallback_loss >= paired.first(),
                    false => is_far(fallback_loss, paired.first(), paired.spread()),
                };
            judgement.standard_error = or_infinity(paired.standard_error());
        }
        Ok(judgement)
    }
}

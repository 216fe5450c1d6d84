//! Settings of a [`LossGuard`], and what each costs.

use core::marker::PhantomData;

use crate::error::Error;
use crate::guard::Decision;
use crate::guard::pace::Pace;
use crate::guard::policy::{KeepOwn, StatePolicy};
use crate::persist::{Digest, Fingerprint};

/// LGL2O: a learned rule, a fallback, and a comparison of losses between them.
///
/// ```
/// use lgl2o::guard::{Decision, LossGuard};
/// use lgl2o::{Rule, learned, rule::Sgd};
/// let guard = LossGuard::new(learned::ngn().averaged(), Sgd::new(1.0))
///     .decision(Decision::Margin { z: 2.0 })
///     .batches(10, 10);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossGuard<L, F, S = KeepOwn> {
    pub(super) learned: L,
    pub(super) fallback: F,
    pub(super) train_batches: u32,
    pub(super) check_batches: u32,
    pub(super) decision: Decision,
    /// Standard errors at which a comparison stops early; 0 for never.
    pub(super) early_stop: f32,
    pub(super) veto: bool,
    pub(super) stay: bool,
    pub(super) trust: bool,
    pub(super) pace: Pace,
    pub(super) policy: PhantomData<S>,
}

impl<L, F> LossGuard<L, F> {
    /// The guard that is safe and cheap: races of n_t = 20 steps at growing gaps; between them strides of up to 32
    /// steps or a quarter of those so far, or the fallback alone; *margin 2* with trust on up to n_c = 10 check batches,
    /// drawn until the difference is 2 standard errors; veto; the loser keeps its state. Give it a learned rule that is
    /// [averaged](crate::rule::Averaged).
    pub const fn new(learned: L, fallback: F) -> Self {
        Self {
            learned,
            fallback,
            train_batches: 20,
            check_batches: 10,
            decision: Decision::Margin { z: 2.0 },
            early_stop: 2.0,
            veto: true,
            stay: false,
            trust: true,
            pace: Pace { stride: 32, stretch: 4, budget: true, ..Pace::RACES },
            policy: PhantomData,
        }
    }

    /// The paper's guard, with n_t = n_c = 10 and *lower*: every round is a race; the loser keeps its state; no veto.
    pub const fn paper(learned: L, fallback: F) -> Self {
        Self {
            learned,
            fallback,
            train_batches: 10,
            check_batches: 10,
            decision: Decision::Lower,
            early_stop: 0.0,
            veto: false,
            stay: false,
            trust: false,
            pace: Pace::RACES,
            policy: PhantomData,
        }
    }
}

impl<L, F, S> LossGuard<L, F, S> {
    /// The same guard with n_t training batches and n_c check batches a round, both at least 1.
    ///
    /// A margin needs a spread: with n_c = 1 and check batches of one example its standard error is 0, and whoever is ahead
    /// on that example wins. (For an objective whose one example is exact, that is as it should be.)
    #[must_use]
    pub fn batches(self, train: u32, check: u32) -> Self {
        Self { train_batches: train, check_batches: check, ..self }
    }

    /// The same guard with another way to decide.
    #[must_use]
    pub fn decision(self, decision: Decision) -> Self {
        Self { decision, ..self }
    }

    /// The same guard with or without the veto: the learned candidate must also beat the current parameters. It costs
    /// n_c more forwards a round (one more of every example under *full objective*). Then a candidate of the fallback, too, is
    /// refused where it is far above the current parameters: by a standard deviation of the losses there.
    #[must_use]
    pub fn veto(self, veto: bool) -> Self {
        Self { veto, ..self }
    }

    /// The same guard, whose check batches are drawn one by one until the difference is `z` standard errors; n_c is
    /// then the most that are drawn. 0 draws all of them always. *Full objective* and *sufficient decrease* do not
    /// stop early.
    ///
    /// A proposal that is a little better on most examples and ruins a share p of them is accepted if the first batch
    /// of B holds none of those, with probability (1 - p)^B whatever z is: with small batches, do without. That has a price: a
    /// side that is no better wins races, and trust, more often, by up to five times, since it is only looked at once.
    #[must_use]
    pub fn early_stop(self, z: f32) -> Self {
        Self { early_stop: z, ..self }
    }

    /// The same guard with or without staying: if neither candidate beats the current parameters on the check batches,
    /// they stay, and nobody has won. For a deployed model that must never get worse. It costs what the veto costs, and
    /// the fallback is checked in every round, also where it goes on alone. Not with *sufficient decrease*, which does
    /// not look at the fallback's candidate.
    #[must_use]
    pub fn stay(self, stay: bool) -> Self {
        Self { stay, ..self }
    }

    /// The same guard with or without trust: under a decision by margin, a learned side that has won the last race is kept
    /// unless the fallback's candidate, or where both began, is better by the margin or by a 16th of the loss. To gain
    /// trust takes all check batches; only a loss stops their drawing early. Without trust every round asks for a lead by
    /// the margin: a strict reading, under which a learned side that is better by little each time loses most rounds. A
    /// wrong winner costs the smaller of z standard errors and that share; audits bound how long.
    #[must_use]
    pub fn trust(self, trust: bool) -> Self {
        Self { trust, ..self }
    }

    /// The same guard with strides of at most `limit` learned steps between races; 0 for no strides. See
    /// [`pace`](crate::guard::pace).
    #[must_use]
    pub fn stride(self, limit: u32) -> Self {
        Self { pace: Pace { stride: limit, ..self.pace }, ..self }
    }

    /// The same guard, whose strides may also be as long as 1 / `stretch` of all steps so far; 0 for no longer than the
    /// limit.
    #[must_use]
    pub fn stretch(self, stretch: u32) -> Self {
        Self { pace: Pace { stretch, ..self.pace }, ..self }
    }

    /// The same guard with or without races that interrupt strides. Without them the learned side is only ever compared
    /// with single steps of the fallback.
    #[must_use]
    pub fn audits(self, audits: bool) -> Self {
        Self { pace: Pace { audits, ..self.pace }, ..self }
    }

    /// The same guard with or without a budget for a learned side that loses: the fallback goes on alone between races. At the
    /// end of its time alone it is compared with where that began, for 2 n_c forwards at most, and taken
    /// [back](crate::guard::loss) there if it is far above.
    #[must_use]
    pub fn budget(self, budget: bool) -> Self {
        Self { pace: Pace { budget, ..self.pace }, ..self }
    }

    /// The same guard with other gaps between races, in steps: the shortest, at least 1, and the longest.
    #[must_use]
    pub fn gaps(self, shortest: u32, longest: u32) -> Self {
        Self { pace: Pace { gap: [shortest, longest], ..self.pace }, ..self }
    }

    /// The same guard with another state policy.
    pub fn policy<T>(self) -> LossGuard<L, F, T> {
        LossGuard {
            learned: self.learned,
            fallback: self.fallback,
            train_batches: self.train_batches,
            check_batches: self.check_batches,
            decision: self.decision,
            early_stop: self.early_stop,
            veto: self.veto,
            stay: self.stay,
            trust: self.trust,
            pace: self.pace,
            policy: PhantomData,
        }
    }
}

impl<L, F, S> LossGuard<L, F, S> {
    /// Whether all settings are in range.
    pub(super) fn check_settings(&self) -> Result<(), Error> {
        if self.train_batches == 0 || self.check_batches == 0 {
            return Err(Error::InvalidSetting { what: "n_t and n_c of the loss guard must be at least 1" });
        }
        if !(self.decision.is_valid() && self.early_stop >= 0.0 && self.early_stop.is_finite()) {
            return Err(Error::InvalidSetting { what: "z and kappa must be finite and not negative" });
        }
        if self.stay && matches!(self.decision, Decision::SufficientDecrease { .. }) {
            return Err(Error::InvalidSetting { what: "to stay, a guard must look at the fallback's candidate too" });
        }
        if !self.pace.is_valid() {
            return Err(Error::InvalidSetting {
                what: "gaps of the loss guard must rise from 1; no strides, no audits",
            });
        }
        Ok(())
    }
}

impl<L: Fingerprint, F: Fingerprint, S: StatePolicy> Fingerprint for LossGuard<L, F, S> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("loss-guard");
        self.learned.describe(digest);
        self.fallback.describe(digest);
        self.decision.describe(digest);
        self.pace.describe(digest);
        digest.kind(S::NAME);
        digest.numbers([self.early_stop]);
        let words =
            [self.train_batches, self.check_batches, u32::from(self.veto), u32::from(self.stay), u32::from(self.trust)];
        words.iter().for_each(|&word| digest.word(word));
    }
}

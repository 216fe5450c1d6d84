//! Settings of a [`LossGuard`], and what each costs.

use core::marker::PhantomData;

use crate::error::Error;
use crate::guard::Decision;
use crate::guard::policy::{KeepOwn, StatePolicy};
use crate::guard::schedule::Schedule;
use crate::persist::{Digest, Fingerprint};

/// Settings of a [`LossGuard`], with one default for all tasks; each method of the guard says what one of them costs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossSettings {
    /// Training batches of a race, n_t.
    pub train_batches: u32,
    /// Check batches of a round, n_c.
    pub check_batches: u32,
    /// How the candidates are compared.
    pub decision: Decision,
    /// Standard errors at which a comparison stops early; 0 for never.
    pub early_stop: f32,
    /// Whether the learned candidate must also beat the current parameters.
    pub veto: bool,
    /// Whether the current parameters stay where no candidate beats them.
    pub stay: bool,
    /// Whether ties go to a learned side that has won the last race.
    pub trust: bool,
    /// When races are, and who runs in between.
    pub schedule: Schedule,
}

impl LossSettings {
    /// Safe and cheap: races of n_t = 20 steps at growing gaps; between them strides of up to 32 steps or a quarter of those so
    /// far, or the fallback alone; *margin 2* with trust on up to n_c = 10 check batches, drawn until the difference is 2
    /// standard errors; veto.
    pub const DEFAULT: Self = Self {
        train_batches: 20,
        decision: Decision::Margin { z: 2.0 },
        early_stop: 2.0,
        veto: true,
        trust: true,
        schedule: Schedule { stride: 32, stretch: 4, budget: true, ..Schedule::RACES },
        ..Self::PAPER
    };

    /// The paper's: n_t = n_c = 10 and *lower*; every round is a race; no veto.
    pub const PAPER: Self = Self {
        train_batches: 10,
        check_batches: 10,
        decision: Decision::Lower,
        early_stop: 0.0,
        veto: false,
        stay: false,
        trust: false,
        schedule: Schedule::RACES,
    };
}

impl Default for LossSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}

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
    pub(super) settings: LossSettings,
    pub(super) policy: PhantomData<S>,
}

impl<L, F> LossGuard<L, F> {
    /// The guard with [`LossSettings::DEFAULT`]; the loser keeps its state. Give it a learned rule that is
    /// [averaged](crate::rule::Averaged).
    pub const fn new(learned: L, fallback: F) -> Self {
        Self { learned, fallback, settings: LossSettings::DEFAULT, policy: PhantomData }
    }

    /// The paper's guard, with [`LossSettings::PAPER`]; the loser keeps its state.
    pub const fn paper(learned: L, fallback: F) -> Self {
        Self { learned, fallback, settings: LossSettings::PAPER, policy: PhantomData }
    }
}

impl<L, F, S> LossGuard<L, F, S> {
    /// The same guard with other settings.
    #[must_use]
    pub fn settings(self, settings: LossSettings) -> Self {
        Self { settings, ..self }
    }

    /// The same guard with another schedule.
    #[must_use]
    pub fn schedule(self, schedule: Schedule) -> Self {
        Self { settings: LossSettings { schedule, ..self.settings }, ..self }
    }

    /// The same guard with n_t training batches and n_c check batches a round, both at least 1.
    ///
    /// A margin needs a spread: with n_c = 1 and check batches of one example its standard error is 0, and the side that is ahead
    /// on that example wins. (For an objective whose one example is exact, that is as it should be.)
    #[must_use]
    pub fn batches(self, train: u32, check: u32) -> Self {
        Self { settings: LossSettings { train_batches: train, check_batches: check, ..self.settings }, ..self }
    }

    /// The same guard with another way to decide.
    #[must_use]
    pub fn decision(self, decision: Decision) -> Self {
        Self { settings: LossSettings { decision, ..self.settings }, ..self }
    }

    /// The same guard with or without the veto: the learned candidate must also beat the current parameters. It costs
    /// n_c more forwards a round (one more of every example under *full objective*). Then a candidate of the fallback, too, is
    /// refused where it is far above the current parameters: by a standard deviation of the losses there.
    #[must_use]
    pub fn veto(self, veto: bool) -> Self {
        Self { settings: LossSettings { veto, ..self.settings }, ..self }
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
        Self { settings: LossSettings { early_stop: z, ..self.settings }, ..self }
    }

    /// The same guard with or without staying: if neither candidate beats the current parameters on the check batches,
    /// they stay, and neither side has won. For a deployed model that must never get worse. It costs what the veto costs, and
    /// the fallback is checked in every round, also where it goes on alone. Not with *sufficient decrease*, which does
    /// not look at the fallback's candidate.
    #[must_use]
    pub fn stay(self, stay: bool) -> Self {
        Self { settings: LossSettings { stay, ..self.settings }, ..self }
    }

    /// The same guard with or without trust: under a decision by margin, a learned side that has won the last race is kept
    /// unless the fallback's candidate, or where both began, is better by the margin or by a 16th of the loss. To gain
    /// trust takes all check batches; only a loss stops their drawing early. Without trust every round asks for a lead by
    /// the margin: a strict reading, under which a learned side that is better by little each time loses most rounds. A
    /// wrong winner costs the smaller of z standard errors and that share; audits bound how long.
    #[must_use]
    pub fn trust(self, trust: bool) -> Self {
        Self { settings: LossSettings { trust, ..self.settings }, ..self }
    }

    /// The same guard with strides of at most `limit` learned steps between races; 0 for no strides. See
    /// [`schedule`](crate::guard::schedule).
    #[must_use]
    pub fn stride(self, limit: u32) -> Self {
        let schedule = Schedule { stride: limit, ..self.settings.schedule };
        self.schedule(schedule)
    }

    /// The same guard, whose strides may also be as long as 1 / `stretch` of all steps so far; 0 for no longer than the
    /// limit.
    #[must_use]
    pub fn stretch(self, stretch: u32) -> Self {
        let schedule = Schedule { stretch, ..self.settings.schedule };
        self.schedule(schedule)
    }

    /// The same guard with or without races that interrupt strides. Without them the learned side is only ever compared
    /// with single steps of the fallback.
    #[must_use]
    pub fn audits(self, audits: bool) -> Self {
        let schedule = Schedule { audits, ..self.settings.schedule };
        self.schedule(schedule)
    }

    /// The same guard with or without a budget for a learned side that loses: the fallback goes on alone between races. At the
    /// end of its time alone it is compared with where that began, for 2 n_c forwards at most, and taken
    /// [back](crate::guard::loss) there if it is far above.
    #[must_use]
    pub fn budget(self, budget: bool) -> Self {
        let schedule = Schedule { budget, ..self.settings.schedule };
        self.schedule(schedule)
    }

    /// The same guard with other gaps between races, in steps: the shortest, at least 1, and the longest.
    #[must_use]
    pub fn gaps(self, shortest: u32, longest: u32) -> Self {
        let schedule = Schedule { gaps: [shortest, longest], ..self.settings.schedule };
        self.schedule(schedule)
    }

    /// The same guard with another state policy.
    pub fn policy<T>(self) -> LossGuard<L, F, T> {
        LossGuard { learned: self.learned, fallback: self.fallback, settings: self.settings, policy: PhantomData }
    }
}

impl<L, F, S> LossGuard<L, F, S> {
    /// Whether all settings are in range.
    pub(super) fn check_settings(&self) -> Result<(), Error> {
        let settings = &self.settings;
        if settings.train_batches == 0 || settings.check_batches == 0 {
            return Err(Error::InvalidSetting { what: "n_t and n_c of the loss guard must be at least 1" });
        }
        if !(settings.decision.is_valid() && settings.early_stop >= 0.0 && settings.early_stop.is_finite()) {
            return Err(Error::InvalidSetting { what: "z and kappa must be finite and not negative" });
        }
        if settings.stay && matches!(settings.decision, Decision::SufficientDecrease { .. }) {
            return Err(Error::InvalidSetting { what: "to stay, a guard must look at the fallback's candidate too" });
        }
        if !settings.schedule.is_valid() {
            return Err(Error::InvalidSetting {
                what: "gaps of the loss guard must rise from 1; no strides, no audits",
            });
        }
        Ok(())
    }
}

impl<L: Fingerprint, F: Fingerprint, S: StatePolicy> Fingerprint for LossGuard<L, F, S> {
    fn describe(&self, digest: &mut Digest) {
        let settings = &self.settings;
        digest.kind("loss-guard");
        self.learned.describe(digest);
        self.fallback.describe(digest);
        settings.decision.describe(digest);
        settings.schedule.describe(digest);
        digest.kind(S::NAME);
        digest.numbers([settings.early_stop]);
        let words = [
            settings.train_batches,
            settings.check_batches,
            u32::from(settings.veto),
            u32::from(settings.stay),
            u32::from(settings.trust),
        ];
        words.iter().for_each(|&word| digest.word(word));
    }
}

//! Settings of a [`RelayGuard`]. The default has none that a user must choose.

use core::marker::PhantomData;

use super::Separate;
use super::baton::Schedule;
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::rule::Rule;

/// The relay: a learned rule first, then a fallback that begins afresh from the best point.
///
/// ```
/// use lgl2o::guard::RelayGuard;
/// use lgl2o::{Rule, learned, rule::Adam};
/// let guard = RelayGuard::new(learned::ngn().averaged(), Adam::new(0.01).averaged());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RelayGuard<L, F, const SPARE: usize = 1, Y = Separate> {
    pub(super) learned: L,
    pub(super) fallback: F,
    pub(super) schedule: Schedule,
    /// Most steps of a round.
    pub(super) longest_round: u32,
    /// Most check batches of a comparison of short windows.
    pub(super) check_batches: u32,
    /// Whether comparisons are of the full objective.
    pub(super) exact: bool,
    /// Whether the last layer of what is kept is scaled down where that lowers the loss.
    pub(super) shrinks: bool,
    /// Whether the fallback's point is kept only where a check finds it better.
    pub(super) keeps_best: bool,
    layout: PhantomData<Y>,
}

impl<L, F> RelayGuard<L, F> {
    /// The guard with a race of n_0 = 40 steps, a hand-over at t_1 = 3000, up to n_c = 4 check batches, and rounds of at most
    /// 128 steps. 3,000 steps are the longest run that the built-in learned rule was meta-trained on.
    pub const fn new(learned: L, fallback: F) -> Self {
        Self::with_defaults(learned, fallback)
    }
}

impl<L, F, Y> RelayGuard<L, F, 1, Y> {
    /// The same guard with less memory, without a run of the fallback that the learned side never touches. Instead of a race, the fallback makes
    /// the first n_0 / 3 steps, and the learned side the others up to n_0, from the better one of w_0 and what they led to. It is out if it
    /// is worse by 2 standard errors.
    #[must_use]
    pub fn lean(self) -> RelayGuard<L, F, 0, Y> {
        RelayGuard {
            learned: self.learned,
            fallback: self.fallback,
            schedule: self.schedule,
            longest_round: self.longest_round,
            check_batches: self.check_batches,
            exact: self.exact,
            shrinks: self.shrinks,
            keeps_best: self.keeps_best,
            layout: PhantomData,
        }
    }
}

impl<L, F, const SPARE: usize, Y> RelayGuard<L, F, SPARE, Y> {
    /// The default, with or without memory for the fallback's own run.
    pub(crate) const fn with_defaults(learned: L, fallback: F) -> Self {
        Self {
            learned,
            fallback,
            schedule: Schedule { race: 40, hand_over: 3000 },
            longest_round: 128,
            check_batches: 4,
            exact: false,
            shrinks: false,
            keeps_best: true,
            layout: PhantomData,
        }
    }

    /// The same guard with a race of so many learned steps, at least 1, against a third as many of the fallback. The first
    /// windows are as long as that third.
    #[must_use]
    pub const fn race(mut self, steps: u32) -> Self {
        self.schedule.race = steps;
        self
    }

    /// The same guard that hands over after at most so many learned steps, those of the race included, or after five times as many
    /// where the task is solved by then. From a fifth of them on, it also hands over after ten passes over the training data,
    /// unless the task is solved. If the number is no larger than that of the race, it hands over right after the race.
    #[must_use]
    pub const fn hand_over(mut self, steps: u32) -> Self {
        self.schedule.hand_over = steps;
        self
    }

    /// The same guard with at most so many check batches in a comparison, or one for 16 steps, at least 2: one batch may be one example, and
    /// has no standard error then.
    #[must_use]
    pub const fn checks(mut self, most: u32) -> Self {
        self.check_batches = most;
        self
    }

    /// The same guard whose rounds make at most so many steps, at least 1.
    #[must_use]
    pub const fn longest_round(mut self, steps: u32) -> Self {
        self.longest_round = steps;
        self
    }

    /// The same guard, which compares the full objective instead of check batches; the source must
    /// [offer](crate::source::Source::objective) it. Differences are then exact: standard errors count as 0.
    #[must_use]
    pub const fn exact(mut self, exact: bool) -> Self {
        self.exact = exact;
        self
    }

    /// The same guard for a source that checks on rows which are [held out](crate::held_out::HeldOut): it compares the mean loss over all of
    /// them, as an [exact](Self::exact) guard does, and multiplies the last layer of what it keeps by a number of at most 1 where that
    /// lowers this loss. `false` undoes only the scaling.
    ///
    /// ```
    /// let guard = lgl2o::auto().held_out(true);
    /// ```
    #[must_use]
    pub const fn held_out(mut self, held_out: bool) -> Self {
        self.exact |= held_out;
        self.shrinks = held_out;
        self
    }

    /// The same guard that keeps the fallback's point at the end of each of its windows as it is, as a theorem about its
    /// iterates wants it, and does not only keep what a check finds better. Then the fallback is not checked once it runs.
    #[must_use]
    pub const fn keep_latest(mut self, latest: bool) -> Self {
        self.keeps_best = !latest;
        self
    }
}

impl<L: Rule, F: Rule, const SPARE: usize, Y> RelayGuard<L, F, SPARE, Y> {
    /// Whether all settings are in range.
    pub(super) fn check_settings(&self) -> Result<(), Error> {
        if self.schedule.race == 0 || self.longest_round == 0 {
            return Err(Error::InvalidSetting { what: "race and longest round of the relay guard must be at least 1" });
        }
        if self.check_batches < 2 {
            return Err(Error::InvalidSetting { what: "the relay guard needs at least 2 check batches" });
        }
        self.learned.check()?;
        self.fallback.check()
    }
}

/// The same for each [`Layout`](super::Layout), because a checkpoint holds the same for each.
impl<L: Fingerprint, F: Fingerprint, const SPARE: usize, Y> Fingerprint for RelayGuard<L, F, SPARE, Y> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("relay");
        self.learned.describe(digest);
        self.fallback.describe(digest);
        let Schedule { race, hand_over } = self.schedule;
        let switches = [self.exact, self.keeps_best].map(u32::from);
        let numbers = [SPARE as u32, race, hand_over, self.longest_round, self.check_batches];
        numbers.iter().chain(&switches).for_each(|&word| digest.word(word));
        if self.shrinks {
            digest.kind("shrinks");
        }
    }
}

//! Who runs, for how long, and what is remembered from round to round.

use super::shrink::Shrink;
use crate::persist::Persist;

/// How long race and windows are, in steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    /// Learned steps of the race.
    pub race: u32,
    /// Learned steps before the hand-over.
    pub hand_over: u32,
}

/// A learned side that has solved its task hands over after so many times its steps.
const SOLVED_LONGER: u32 = 5;

impl Schedule {
    /// Learned steps before the hand-over where the task is solved.
    const fn last(&self) -> u32 {
        self.hand_over.saturating_mul(SOLVED_LONGER)
    }

    /// The next number of steps, after so many, at which the learned side may have to hand over.
    const fn hand_over_after(&self, steps: u32) -> u32 {
        if steps < self.hand_over { self.hand_over } else { self.last() }
    }
}

/// One learned step in so many has a step of the fallback beside it in a race; first windows are as long. With one in four a
/// side that kills units in a network on raw inputs ends at 1.24 times the fallback's loss, in the mean over ten seeds.
const HANDICAP: u32 = 3;
/// Windows are a third of the steps so far.
const SHARE: u32 = 3;
/// The fallback's own run makes a step for two of the running side's, up to a fifth of them.
const SHADOW: [u32; 2] = [2, 5];

/// From this part of its steps on the learned side hands over after a window without a gain.
const LATE: u32 = 5;

/// From that part of its steps on it also hands over after so many passes over the data.
const PASSES: u32 = 10;

/// Which part of the relay a round belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Leg {
    /// The learned side against the fallback with a handicap.
    Race,
    /// The first steps of a lean guard, which the fallback makes.
    Start,
    /// The first window of the learned side of a lean guard.
    Trial,
    /// The learned side runs.
    Learned,
    /// The fallback runs.
    Fallback,
}

impl Leg {
    /// Whether the learned side runs.
    pub(super) const fn is_learned(self) -> bool {
        match self {
            Self::Race | Self::Trial | Self::Learned => true,
            Self::Start | Self::Fallback => false,
        }
    }
}

/// Where the relay is; zero at the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub(super) struct Baton {
    /// Whether the race is over, or a lean guard's start.
    pub raced: bool,
    /// Whether the learned side has had its trial, which a race is, too.
    pub tried: bool,
    /// Whether the fallback has taken over.
    pub handed: bool,
    /// Whether the fallback's own run is kept beside the running side.
    pub shadows: bool,
    /// Whether the running fallback is its own run from w_0.
    pub on_own: bool,
    /// Whether something ended so badly that its own run may be the better one.
    pub suspects: bool,
    /// Whether the running side is no longer finite.
    pub lost: bool,
    /// The same of the fallback's own run.
    pub own_lost: bool,
    /// Steps of the window, and how many of them are made.
    pub window: u32,
    pub done: u32,
    /// Steps that were counted so far.
    pub steps: u32,
    /// Those of them that the running side has made since its point was last accepted.
    pub ahead: u32,
    /// Windows in a row that did badly.
    pub fails: u32,
    /// Steps of the fallback's own run.
    pub own_steps: u32,
    /// Loss at w_0, on the checks of the race.
    pub first_loss: f32,
    /// How far the last layer of a point is scaled down before it is accepted.
    pub shrink: Shrink,
}

impl Persist for Baton {
    crate::persist_fields!(
        raced, tried, handed, shadows, on_own, suspects, lost, own_lost, window, done, steps, ahead, fails, own_steps,
        first_loss, shrink
    );
}

impl Baton {
    pub(super) const ZERO: Self = Self {
        raced: false,
        tried: false,
        handed: false,
        shadows: false,
        on_own: false,
        suspects: false,
        lost: false,
        own_lost: false,
        window: 0,
        done: 0,
        steps: 0,
        ahead: 0,
        fails: 0,
        own_steps: 0,
        first_loss: 0.0,
        shrink: Shrink::ZERO,
    };

    /// Which part of the relay of a guard this is.
    pub(super) const fn leg(&self, is_lean: bool) -> Leg {
        match (self.handed, self.raced, self.tried) {
            (true, _, _) => Leg::Fallback,
            (false, true, true) => Leg::Learned,
            (false, true, false) => Leg::Trial,
            (false, false, _) if is_lean => Leg::Start,
            (false, false, _) => Leg::Race,
        }
    }

    /// Begins the next window, unless one is under way, in a run that has so many steps left.
    pub(super) fn open(&mut self, leg: Leg, schedule: &Schedule, left: u32) {
        if self.window > 0 {
            return;
        }
        let (first, share) = (schedule.race / HANDICAP, self.steps / SHARE);
        let grown = if first > share { first } else { share };
        let window = match leg {
            Leg::Race => schedule.race,
            Leg::Start => first,
            Leg::Trial => schedule.race.saturating_sub(self.steps),
            Leg::Learned => grown.min(schedule.hand_over_after(self.steps).saturating_sub(self.steps)),
            Leg::Fallback => grown,
        };
        (self.window, self.done, self.lost) = (window.min(left).max(1), 0, false);
    }

    /// Steps of the window that are left to be made.
    pub(super) const fn remaining(&self) -> u32 {
        if self.lost { 0 } else { self.window.saturating_sub(self.done) }
    }

    /// Steps that the window counts for: those made, and one that failed.
    pub(super) fn spent(&self) -> u32 {
        self.done.saturating_add(u32::from(self.lost))
    }

    /// Whether the window is at its end.
    pub(super) const fn is_over(&self) -> bool {
        self.remaining() == 0
    }

    /// Whether the fallback's own run makes a step beside the next one of the running side.
    pub(super) fn own_steps_too(&self, leg: Leg) -> bool {
        match leg {
            Leg::Race => !self.own_lost && self.remaining() <= (self.window / HANDICAP).max(1),
            Leg::Start | Leg::Trial | Leg::Learned => false,
            Leg::Fallback => self.shadows && self.suspects && self.done % SHADOW[0] == 1 && self.own_steps < self.due(),
        }
    }

    /// Whether the fallback's own run is to be compared at the end of the window.
    pub(super) fn own_is_due(&self, leg: Leg) -> bool {
        match leg {
            Leg::Race => !self.own_lost,
            Leg::Start | Leg::Trial | Leg::Learned => false,
            Leg::Fallback => self.shadows && self.suspects && self.own_steps >= self.due(),
        }
    }

    /// How many steps the fallback's own run should have made.
    const fn due(&self) -> u32 {
        self.steps.saturating_add(self.done) / SHADOW[1]
    }

    /// Whether the learned side has made all its steps, or its passes over the data, of which each takes `epoch` batches. It has more
    /// steps where the task is solved.
    pub(super) const fn is_to_hand_over(&self, schedule: &Schedule, is_solved: bool, epoch: u32) -> bool {
        let has_passed = self.is_late(schedule) && self.steps >= epoch.saturating_mul(PASSES);
        self.steps >= if is_solved { schedule.last() } else { schedule.hand_over } || has_passed && !is_solved
    }

    /// Whether so many steps are made that each window has to gain.
    pub(super) const fn is_late(&self, schedule: &Schedule) -> bool {
        self.steps >= schedule.hand_over / LATE
    }

    /// Ends the window, which counts for so many steps; those that the running side is ahead of its accepted point grow.
    pub(super) fn close(&mut self, steps: u32) {
        self.steps = self.steps.saturating_add(steps);
        self.ahead = self.ahead.saturating_add(steps);
        (self.window, self.done, self.lost) = (0, 0, false);
    }

    /// The running side's point has been accepted; returns how many steps further it is.
    pub(super) fn accept(&mut self) -> u32 {
        self.fails = 0;
        core::mem::take(&mut self.ahead)
    }

    /// The fallback runs from now on, from another point than the running side's.
    pub(super) fn hand(&mut self) {
        (self.handed, self.raced, self.tried, self.on_own) = (true, true, true, false);
        (self.fails, self.ahead, self.shrink) = (0, 0, Shrink::ZERO);
    }
}

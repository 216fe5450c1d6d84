//! Scores of windows, one after the other, and what follows from them: see the [module](super).

use super::held::Held;
use crate::error::Error;
use crate::persist::{Origin, Persist, Sink};
use crate::tensors::Zeroed;

/// A window is unusual at a p of at most 1 / RARITY, unless the monitor has a rarity of its own.
const RARITY: u32 = 50;

/// What a product that watches a machine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum State {
    /// The model learns, or there are too few held-out scores to judge by.
    Learning,
    /// Windows are judged, and too few of the latest ones are unusual for an alarm.
    Ready,
    /// Enough of the latest windows are unusual.
    Alarm,
}

/// The latest HELD held-out scores, a vote over the last VOTES windows, and the state that follows.
///
/// Memory: 4 HELD + 5 VOTES bytes and a few words.
#[derive(Debug, Clone, PartialEq)]
pub struct Monitor<const HELD: usize, const VOTES: usize> {
    held: Held<HELD>,
    /// Scores of the last windows, in a ring, and which of them are unusual.
    recent: [f32; VOTES],
    unusual: [bool; VOTES],
    next: u32,
    /// How many of them there are since the last alarm, or the beginning.
    waiting: u32,
    /// Windows that are left to learn from.
    learning: u32,
    rarity: u32,
    needed: u32,
}

impl<const HELD: usize, const VOTES: usize> Monitor<HELD, VOTES> {
    /// A monitor that ignores the scores of the first `learning` windows, which the model learns from.
    ///
    /// A window is unusual where at most 1 in 50 would be; an alarm needs more than half of the last windows: 3 of 5. There is
    /// something to judge by after `learning` + VOTES + 49 windows. Too little memory for that does not compile: HELD
    /// must be at least 49, and VOTES at least 1.
    #[must_use]
    pub const fn new(learning: u32) -> Self {
        const { assert!(HELD >= 49, "49 held-out scores are the least that one window in 50 can be told by") };
        const { assert!(VOTES >= 1, "a vote needs a window") };
        let mut monitor = Self::BLANK;
        monitor.learning = learning;
        monitor
    }

    /// The same monitor, to which one window in `rarity` is unusual, and which needs so many unusual ones of the last VOTES for
    /// an alarm.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless 2 <= `rarity` <= HELD + 1 and 1 <= `needed` <= VOTES.
    pub const fn with(mut self, rarity: u32, needed: u32) -> Result<Self, Error> {
        if rarity < 2 || rarity as usize > HELD.saturating_add(1) {
            return Err(Error::InvalidSetting {
                what: "to tell one window in r takes r - 1 held-out scores: r must be from 2 to HELD + 1",
            });
        }
        if needed == 0 || needed as usize > VOTES {
            return Err(Error::InvalidSetting { what: "an alarm needs from 1 to VOTES unusual windows" });
        }
        (self.rarity, self.needed) = (rarity, needed);
        Ok(self)
    }

    /// Adds the score of a window, before the window is trained on. A NaN or an infinity, say for a window that a model
    /// refuses, is above every score.
    pub fn watch(&mut self, score: f32) -> State {
        if self.learning > 0 {
            self.learning = self.learning.saturating_sub(1);
            return State::Learning;
        }
        let place = self.next as usize;
        let (Some(recent), Some(unusual)) = (self.recent.get_mut(place), self.unusual.get_mut(place)) else {
            return self.state();
        };
        // What was here M windows ago has led to no alarm. A broken sensor's is no score.
        if self.waiting as usize >= VOTES && recent.is_finite() {
            self.held.push(*recent);
        }
        *recent = score;
        *unusual = self.held.is_unusual(score, self.rarity);
        self.next = if place.saturating_add(1) < VOTES { self.next.saturating_add(1) } else { 0 };
        let next = self.waiting.saturating_add(1).min(VOTES as u32);
        self.waiting = if self.is_alarm() { 0 } else { next };
        self.state()
    }

    /// What the product is doing.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.is_alarm(), self.learning > 0 || self.held.len() < self.rarity.saturating_sub(1)) {
            (true, _) => State::Alarm,
            (false, true) => State::Learning,
            (false, false) => State::Ready,
        }
    }

    fn is_alarm(&self) -> bool {
        self.votes() >= self.needed
    }

    /// How many of the last windows are unusual.
    #[must_use]
    pub fn votes(&self) -> u32 {
        self.unusual.iter().map(|&unusual| u32::from(unusual)).sum()
    }

    /// Scores above this one are unusual, found by HELD^2 comparisons; `None` while there are too few held-out ones to tell.
    #[must_use]
    pub fn threshold(&self) -> Option<f32> {
        self.held.threshold(self.rarity)
    }

    /// Starts over, after maintenance or with another machine: forgets scores and alarm, and ignores the next `learning` windows.
    pub fn restart(&mut self, learning: u32) {
        let (rarity, needed) = (self.rarity, self.needed);
        *self = Self { learning, rarity, needed, ..Self::BLANK };
    }

    const BLANK: Self = Self {
        held: Held::EMPTY,
        recent: [0.0; VOTES],
        unusual: [false; VOTES],
        next: 0,
        waiting: 0,
        learning: 0,
        rarity: RARITY,
        needed: (VOTES / 2 + 1) as u32,
    };
}

/// A monitor as [`Monitor::new`] makes it, whose model has nothing to learn.
impl<const HELD: usize, const VOTES: usize> Zeroed for Monitor<HELD, VOTES> {
    const ZERO: Self = Self::new(0);
}

/// All but the settings, rarity and votes needed.
impl<const HELD: usize, const VOTES: usize> Persist for Monitor<HELD, VOTES> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.held.save(sink)?;
        self.recent.save(sink)?;
        self.unusual.iter().try_for_each(|unusual| unusual.save(sink))?;
        [self.next, self.waiting, self.learning].save(sink)
    }
    /// Numbers that no run has left behind become ones that one could have.
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.held.load(origin)?;
        self.recent.load(origin)?;
        self.unusual.iter_mut().try_for_each(|unusual| unusual.load(origin))?;
        let mut words = [0; 3];
        words.load(origin)?;
        let [next, waiting, learning] = words;
        self.next = if (next as usize) < VOTES { next } else { 0 };
        (self.waiting, self.learning) = (waiting.min(VOTES as u32), learning);
        Ok(())
    }
}

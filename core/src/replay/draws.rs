//! Which of n examples come into a batch, where n may change between two rounds.
//!
//! ```text
//! training   an order of the n that there are when an epoch begins, then another one; what is not there (any more) is passed over
//! check      uniform among those that the round has not trained on, with replacement
//! size       pick's length B while n >= 2 B, else n / 2, 1 at least
//! ```
//!
//! The two draw from two streams of one seed, so that checks do not disturb the training. After 16 draws that the round
//! has trained on, the next unused example after a random one is taken instead.

use crate::error::Error;
use crate::persist::{Origin, Persist, Sink};
use crate::rng::Rng;
use crate::shuffle::Shuffle;
use crate::source::Used;

/// The position of a source in its examples.
#[derive(Debug)]
pub(super) struct Draws<'a> {
    pick: &'a mut [u32],
    used: Used<'a>,
    order: Shuffle,
    done: u32,
    train: Rng,
    check: Rng,
}

impl<'a> Draws<'a> {
    /// Nothing drawn yet, and no example known.
    pub(super) fn new(seed: u64, pick: &'a mut [u32], used: &'a mut [u32]) -> Self {
        let mut train = Rng::stream(seed, 1);
        let (order, check) = (Shuffle::new(0, &mut train), Rng::stream(seed, 2));
        Self { pick, used: Used::none(used), order, done: 0, train, check }
    }

    /// Checks that the memory does for so many examples.
    pub(super) fn check(&self, capacity: usize) -> Result<(), Error> {
        if capacity == 0 || self.pick.is_empty() {
            return Err(Error::EmptyBatch);
        }
        if self.pick.len() > capacity {
            return Err(Error::BatchTooLarge { examples: self.pick.len(), capacity });
        }
        let (expected, found) = (capacity.div_ceil(32), self.used.words());
        if found < expected {
            return Err(Error::ShapeMismatch { what: "the bit set of used examples", expected, found });
        }
        Ok(())
    }

    /// The size of a batch where there are enough examples.
    pub(super) const fn size(&self) -> usize {
        self.pick.len()
    }

    /// The size of a batch of n examples.
    fn size_of(&self, n: u32) -> usize {
        self.pick.len().min((n / 2).max(1) as usize)
    }

    /// The first places of the batch that was drawn last.
    pub(super) fn picked(&self, size: usize) -> &[u32] {
        self.pick.get(..size).unwrap_or_default()
    }

    /// The places of a batch.
    pub(super) const fn pick_mut(&mut self) -> &mut [u32] {
        self.pick
    }

    pub(super) fn begin_round(&mut self) {
        self.used.clear();
    }

    /// Training batches that leave a batch to check with.
    pub(super) fn room(&self, n: u32) -> u32 {
        (n as usize).checked_div(self.size_of(n)).unwrap_or(0).saturating_sub(1) as u32
    }

    /// Draws a training batch; returns its size.
    pub(super) fn train(&mut self, n: u32, capacity: u32) -> Result<usize, Error> {
        if n == 0 {
            return Err(Error::NoBatch);
        }
        let size = self.size_of(n);
        for k in 0..size {
            let i = self.next_of_epoch(n, capacity);
            self.used.mark(i);
            if let Some(place) = self.pick.get_mut(k) {
                *place = i;
            }
        }
        Ok(size)
    }

    /// Draws a check batch; returns its size.
    pub(super) fn check_batch(&mut self, n: u32) -> Result<usize, Error> {
        if self.used.count() >= n {
            return Err(if n == 0 { Error::NoBatch } else { Error::NothingToCheck });
        }
        let size = self.size_of(n);
        for k in 0..size {
            let i = self.used.draw_other(&mut self.check, n);
            if let Some(place) = self.pick.get_mut(k) {
                *place = i;
            }
        }
        Ok(size)
    }

    /// The next example of the epoch that is there; after the last one, a new epoch begins with all n. Number 0 is in
    /// every order, so this ends.
    fn next_of_epoch(&mut self, n: u32, capacity: u32) -> u32 {
        loop {
            // An order of more than there is room for comes from a checkpoint of a larger room.
            if self.done >= self.order.len() || self.order.len() > capacity {
                (self.order, self.done) = (Shuffle::new(n, &mut self.train), 0);
            }
            let i = self.order.at(self.done);
            self.done += 1;
            if i < n {
                return i;
            }
        }
    }
}

/// The order of the epoch, how much of it is done, and both streams of random numbers, between two rounds.
impl Persist for Draws<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.order.save(sink)?;
        self.done.save(sink)?;
        self.train.save(sink)?;
        self.check.save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.used.clear();
        self.order.load(origin)?;
        self.done.load(origin)?;
        self.train.load(origin)?;
        self.check.load(origin)
    }
}

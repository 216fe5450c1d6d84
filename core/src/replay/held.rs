//! Examples that are held out: every n-th place. Examples stored there are used for checks only.
//!
//! ```text
//! held out     places n - 1, 2 n - 1, 3 n - 1, ...      number j is at place n j + n - 1
//! trained on   all others                               number k is at place k + floor(k / (n - 1))
//! ```
//!
//! So no example changes sides while it is kept, and no memory is needed to know which is which.

use core::ops::Range;

use crate::persist::{Digest, Origin, Persist, Sink};

/// Places of part `i` of `stored` places, `size` in each and in the last one what is left; none after that.
pub(super) fn part_of(i: usize, size: usize, stored: usize) -> Range<usize> {
    let start = i.saturating_mul(size).min(stored);
    start..start.saturating_add(size).min(stored)
}

/// Which places are held out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Held {
    /// n; 0 where no place is.
    every: u32,
    /// Number of the next check batch.
    next: u32,
}

impl Held {
    /// Every n-th place; n is 2 or more.
    pub(super) const fn every(every: u32) -> Self {
        Self { every, next: 0 }
    }

    /// Whether any place is held out.
    pub(super) const fn is_any(&self) -> bool {
        self.every > 0
    }

    /// How many of the first places are held out.
    pub(super) fn held(&self, places: u32) -> u32 {
        places.checked_div(self.every).unwrap_or(0)
    }

    /// How many of the first places are trained on.
    pub(super) fn trained(&self, places: u32) -> u32 {
        places.saturating_sub(self.held(places))
    }

    /// The place of number k of those that are trained on.
    pub(super) fn place(&self, k: u32) -> u32 {
        k.saturating_add(k.checked_div(self.every.saturating_sub(1)).unwrap_or(0))
    }

    /// Puts the places of part `i` of those that are held out, so many as there is room for, the last part as many as are left;
    /// returns how many. 0 after the last one.
    pub(super) fn part(&self, i: usize, places: u32, pick: &mut [u32]) -> usize {
        let Range { start, end } = part_of(i, pick.len(), self.held(places) as usize);
        for (place, j) in pick.iter_mut().zip(start..end) {
            *place = (j as u32).saturating_add(1).saturating_mul(self.every).saturating_sub(1);
        }
        end - start
    }

    /// The same of the part whose turn it is. The parts come in order, and after the last one the first.
    pub(super) fn next_part(&mut self, places: u32, pick: &mut [u32]) -> usize {
        let mut size = self.part(self.next as usize, places, pick);
        if size == 0 {
            self.next = 0;
            size = self.part(0, places, pick);
        }
        self.next = self.next.saturating_add(1);
        size
    }

    /// What must match; nothing where no place is held out.
    pub(super) fn describe(&self, digest: &mut Digest) {
        if self.is_any() {
            digest.kind("held-out");
            digest.word(self.every);
        }
    }
}

/// Whose turn it is; nothing where no place is held out.
impl Persist for Held {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        if self.is_any() { self.next.save(sink) } else { Ok(()) }
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        if self.is_any() { self.next.load(origin) } else { Ok(()) }
    }
}

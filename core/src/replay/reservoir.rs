//! A reservoir of equally many examples of each class, whatever comes: a uniform sample of what each class has seen.
//!
//! With s_c examples of class c seen, the new one among them, m_c stored and M the largest of all m:
//!
//! ```text
//! room is left     the new one is stored
//! m_c + 1 < M      it replaces a random example of the largest class (the first of several)
//! else             with probability m_c / s_c it replaces a random example of its own class; else it is not kept
//! ```
//!
//! (Chrysakis and Moens, "Online continual learning from imbalanced data", ICML 2020, algorithm 1, where a class counts
//! as full for ever once it was the largest; here a class grows only while that brings the classes nearer to each
//! other, and so all of them that have had enough examples are within one. The last line is algorithm R of Vitter
//! 1985.) Values have one class.
//!
//! A new example costs a pass over the labels for each class.

use super::draws::Draws;
use super::{Answers, Keep, Replay};
use crate::error::Error;
use crate::persist::{Origin, Persist, Sink};
use crate::rng::Rng;

/// An example of the largest class is replaced, or one of the new example's class.
#[derive(Debug)]
pub struct Balanced<'a> {
    /// Examples of each class that have come so far.
    seen: &'a mut [u32],
    rng: Rng,
}

impl Persist for Balanced<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.seen.iter().try_for_each(|seen| seen.save(sink))?;
        self.rng.save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.seen.iter_mut().try_for_each(|seen| seen.load(origin))?;
        self.rng.load(origin)
    }
}

/// How many of the stored examples are of a class.
fn count(class: u8, class_at: &impl Fn(u32) -> u8, stored: u32) -> u32 {
    (0..stored).fold(0, |count, i| count + u32::from(class_at(i) == class))
}

/// The place of number `which` of the stored examples of a class.
fn find(which: u32, class: u8, class_at: &impl Fn(u32) -> u8, stored: u32) -> Option<u32> {
    (0..stored).filter(|&i| class_at(i) == class).nth(which as usize)
}

impl Keep for Balanced<'_> {
    const NAME: &'static str = "reservoir";

    fn place(&mut self, class: u8, class_at: impl Fn(u32) -> u8, stored: u32, capacity: u32) -> Option<u32> {
        let seen = self.seen.get_mut(usize::from(class))?;
        *seen = seen.saturating_add(1);
        let seen = *seen;
        if stored < capacity {
            return Some(stored);
        }
        let own = count(class, &class_at, stored);
        let (mut largest, mut most) = (class, own);
        for c in (0..=u8::MAX).take(self.seen.len()) {
            let m = count(c, &class_at, stored);
            (largest, most) = if m > most { (c, m) } else { (largest, most) };
        }
        if own.saturating_add(1) < most {
            return find(self.rng.below(most), largest, &class_at, stored);
        }
        let which = self.rng.below(seen);
        if which < own { find(which, class, &class_at, stored) } else { None }
    }

    fn clear(&mut self) {
        self.seen.fill(0);
    }
}

/// Equally many examples of each class: see the [module](super).
pub type Reservoir<'a, T> = Replay<'a, T, Balanced<'a>>;

impl<'a, T: Answers> Reservoir<'a, T> {
    /// An empty reservoir, as [`Ring::new`](super::Ring); `seen` has a place for each class, one for values.
    ///
    /// # Errors
    /// As there, and [`Error::ShapeMismatch`] where `seen` has another number of places.
    // Memory by memory, as for a ring.
    #[allow(clippy::too_many_arguments)]
    pub fn new(
        inputs: &'a mut [f32],
        width: usize,
        answers: T,
        seen: &'a mut [u32],
        seed: u64,
        pick: &'a mut [u32],
        used: &'a mut [u32],
    ) -> Result<Self, Error> {
        let (expected, found) = (answers.classes(), seen.len());
        if expected != found {
            return Err(Error::ShapeMismatch { what: "the counts of classes seen", expected, found });
        }
        seen.fill(0);
        let keep = Balanced { seen, rng: Rng::stream(seed, 3) };
        Self::assemble((inputs, width), answers, keep, Draws::new(seed, pick, used))
    }
}

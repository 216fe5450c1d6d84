//! A ring: the latest examples.
//!
//! ```text
//! example t goes to place t mod N, so that N examples later another takes its place
//! ```

use super::draws::Draws;
use super::{Answers, Keep, Replay};
use crate::error::Error;
use crate::persist::Persist;

/// The oldest example is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Oldest {
    next: u32,
}

impl Persist for Oldest {
    crate::persist_fields!(next);
}

impl Keep for Oldest {
    const NAME: &'static str = "ring";

    fn place(&mut self, _: u8, _: impl Fn(u32) -> u8, _: u32, capacity: u32) -> Option<u32> {
        // Beyond the room only from a checkpoint's bytes.
        let place = if self.next < capacity { self.next } else { 0 };
        self.next = place.saturating_add(1);
        Some(place)
    }

    fn clear(&mut self) {
        self.next = 0;
    }
}

/// The latest examples: see the [module](super).
pub type Ring<'a, T> = Replay<'a, T, Oldest>;

impl<'a, T: Answers> Ring<'a, T> {
    /// An empty ring. It has as many places as there are answers; `inputs` are a row of `width` numbers for each of
    /// them, a batch is as large as `pick`, and `used` has a bit per place.
    ///
    /// # Errors
    /// [`Error::EmptyBatch`] for an empty `pick` or no place, [`Error::ShapeMismatch`] where lengths do not belong
    /// together, [`Error::BatchTooLarge`] where a batch is larger than the ring.
    pub fn new(
        inputs: &'a mut [f32],
        width: usize,
        answers: T,
        seed: u64,
        pick: &'a mut [u32],
        used: &'a mut [u32],
    ) -> Result<Self, Error> {
        Self::assemble((inputs, width), answers, Oldest { next: 0 }, Draws::new(seed, pick, used))
    }
}

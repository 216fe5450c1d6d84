//! The batches of a round, from answers of the host, and the check batches that the device holds.
//!
//! A round that is judged asks for one fresh check batch, which takes the place of the oldest in a ring, and then goes on
//! with the held ones, the newest first; if it needs still more, those are fresh again. So clear cases, which are most,
//! cost one transfer, and a check batch judges a few rounds. The host keeps the examples that it sends for checks apart
//! from those that it sends for training, which makes them disjoint in every round.

use lgl2o::Error;
use lgl2o::batch::Batch;
use lgl2o::source::Source;

use super::{BATCH, Exchange, INPUTS, Optimizee, RING};
use crate::message::{Answer, Ask};

/// What is held between questions: the batch under way as numbers, and check batches as bytes.
#[derive(Debug)]
pub struct Held {
    inputs: [f32; BATCH * INPUTS],
    labels: [u8; BATCH],
    ring: [Checks; RING],
    /// Place of the newest check batch, and how many there are.
    newest: usize,
    filled: usize,
}

/// A check batch as it came.
#[derive(Debug, Clone, Copy)]
struct Checks {
    pixels: [u8; BATCH * INPUTS],
    labels: [u8; BATCH],
}

impl Held {
    /// Nothing held. It is all zero.
    pub const EMPTY: Self = Self {
        inputs: [0.0; BATCH * INPUTS],
        labels: [0; BATCH],
        ring: [Checks { pixels: [0; BATCH * INPUTS], labels: [0; BATCH] }; RING],
        newest: 0,
        filled: 0,
    };

    fn batch(&self) -> Batch<'_> {
        Batch::classes(&self.inputs, INPUTS, &self.labels)
    }

    /// Check batches that are held.
    #[must_use]
    pub const fn filled(&self) -> usize {
        self.filled
    }

    /// The check batch that came `age` batches before the newest one, as numbers.
    pub fn check_batch(&mut self, age: usize) -> Batch<'_> {
        self.load(age);
        self.batch()
    }

    /// Puts a check batch in the place of the oldest one.
    fn push(&mut self, pixels: &[u8], labels: &[u8]) {
        self.newest = if self.filled == 0 || self.newest + 1 >= RING { 0 } else { self.newest + 1 };
        self.filled = if self.filled < RING { self.filled + 1 } else { RING };
        if let Some(place) = self.ring.get_mut(self.newest) {
            copy(pixels, &mut place.pixels);
            copy(labels, &mut place.labels);
        }
    }

    /// Makes the check batch that came `age` batches before the newest one the batch under way.
    fn load(&mut self, age: usize) {
        let place = if age <= self.newest { self.newest - age } else { self.newest + RING - age };
        if let Some(checks) = self.ring.get(place) {
            unpack(&checks.pixels, &mut self.inputs);
            copy(&checks.labels, &mut self.labels);
        }
    }
}

/// Grey values as numbers from 0 to 1.
pub fn unpack(pixels: &[u8], inputs: &mut [f32]) {
    for (input, &pixel) in inputs.iter_mut().zip(pixels) {
        *input = f32::from(pixel) * (1.0 / 255.0);
    }
}

fn copy(from: &[u8], to: &mut [u8]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}

/// A source of batches that asks for them.
pub struct Feed<'a, X: Exchange> {
    exchange: &'a mut X,
    held: &'a mut Held,
    /// Check batches that the round has used.
    checked: usize,
    /// Steps that the run has left.
    left: u32,
    /// Why a question was not answered; the core then says [`Error::NoBatch`].
    pub failure: Option<X::Error>,
}

impl<'a, X: Exchange> Feed<'a, X> {
    /// A source that asks through `exchange`, for a run with so many steps left.
    pub const fn new(exchange: &'a mut X, held: &'a mut Held, left: u32) -> Self {
        Self { exchange, held, checked: 0, left, failure: None }
    }
}

impl<X: Exchange> Source<Optimizee> for Feed<'_, X> {
    fn begin_round(&mut self) {
        self.checked = 0;
    }

    fn left(&self) -> u32 {
        self.left
    }

    fn train(&mut self) -> Result<Batch<'_>, Error> {
        match self.exchange.ask(&Ask::Train) {
            Ok(Answer::Batch { pixels, labels }) => {
                unpack(pixels, &mut self.held.inputs);
                copy(labels, &mut self.held.labels);
                Ok(self.held.batch())
            }
            Ok(_) => Err(Error::NoBatch),
            Err(error) => {
                self.failure = Some(error);
                Err(Error::NoBatch)
            }
        }
    }

    fn check(&mut self) -> Result<Batch<'_>, Error> {
        // Fresh ones come first: one a round, and at the beginning until the ring is full.
        let age = if self.checked == 0 || self.checked >= self.held.filled {
            match self.exchange.ask(&Ask::Check) {
                Ok(Answer::Batch { pixels, labels }) => self.held.push(pixels, labels),
                Ok(_) => return Err(Error::NoBatch),
                Err(error) => {
                    self.failure = Some(error);
                    return Err(Error::NoBatch);
                }
            }
            0
        } else {
            self.checked
        };
        self.checked += 1;
        self.held.load(age);
        Ok(self.held.batch())
    }
}

//! Data that grows: examples in the caller's memory, of which new ones replace old ones.
//!
//! A [`Ring`] replaces the oldest example: it follows what changes. A [`Reservoir`] keeps equally many examples of each
//! class, so that the rare ones stay. Either holds class labels ([`Classes`]) or values ([`Values`], for regression), or
//! none ([`Reconstruction`], for autoencoders), and is a [`Source`] of minibatches: training batches go through all
//! examples in a random order, check batches are drawn from those that the round has not trained on. Experience replay
//! (Lin 1992).
//!
//! ```
//! use lgl2o::source::Source;
//! use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
//! use lgl2o::replay::{Classes, Ring};
//! use lgl2o::{Auto, Memory, Rng, Trainer, auto, chain};
//!
//! type Net = Mlp<Fixed<chain![Dense<2, 16, Relu>, Dense<16, 2>], 16>>;
//! let net = Net::new(Fixed::new(), Loss::CrossEntropy);
//! let guard = auto();
//! let mut memory = Memory::<Net, Auto>::new();
//! net.initialize(memory.params_mut(), &mut Rng::new(1));
//! let mut trainer = Trainer::new(&net, &guard, &mut memory);
//!
//! // The latest 200 examples; on a device, in statics.
//! let (mut rows, mut labels, mut pick, mut used) = ([0.0; 2 * 200], [0; 200], [0; 16], [0; 7]);
//! let mut ring = Ring::new(&mut rows, 2, Classes::new(&mut labels, 2), 7, &mut pick, &mut used)?;
//! let mut rng = Rng::new(2);
//! for _ in 0..300 {
//!     let point = [rng.range(-1.0, 1.0), rng.range(-1.0, 1.0)];
//!     ring.push(&point, u8::from(point[1] > point[0]))?;
//!     if ring.len() >= 32 {
//!         trainer.round(&mut ring)?;
//!     }
//! }
//! assert_eq!(ring.len(), 200);
//! # let batch = Source::<Net>::objective(&mut ring, 0)?.unwrap();
//! # assert!(trainer.loss(batch)? < 0.2);
//! # Ok::<(), lgl2o::Error>(())
//! ```
//!
//! A batch has as many examples as `pick` has places, and half of all examples while there are fewer than two batches
//! of them, so that something is left to check with. An example that comes in the middle of an epoch is trained on in
//! the next one; one that replaces another is trained on in its place. Examples come between rounds.
//!
//! # Examples to check on
//!
//! [`with_held_out(5)`](Replay::with_held_out) sets every fifth place apart: an example kept there is checked on and
//! never trained on. It takes no memory and works for labels, values and autoencoders.
//! [`auto().held_out(true)`](crate::guard::RelayGuard::held_out) then keeps the parameters that were best on examples
//! that training has not seen.
//!
//! # What a checkpoint holds
//!
//! The position: the order of the epoch, how much of it is done, and both streams of random numbers, 56 bytes, and 4
//! where examples are held out. What is compared is *ring* or *reservoir*, labels with the number of classes or values,
//! the width of a row, the number of values, the batch size, and which examples are held out. The examples, their
//! number and the number that there is room for are not compared. So a checkpoint that was made with 400 examples loads with 401,
//! with 40, or into a larger ring. With the same seed, and the same examples pushed in the same order, the run goes on
//! bit for bit.
//!
//! [`with_examples`](Replay::with_examples) saves the examples too, for a device that has them nowhere else; then the
//! room for them must be the same, and what was in memory is replaced.

mod answers;
mod draws;
mod held;
mod reservoir;
mod ring;

pub use answers::{Answers, Classes, Reconstruction, Values};
pub use reservoir::{Balanced, Reservoir};
pub use ring::{Oldest, Ring};

use crate::batch::{Batch, row_mut};
use crate::error::Error;
use crate::objective::Objective;
use crate::persist::{Digest, Fingerprint, Origin, Persist, Sink};
use crate::persist::{load_numbers, save_numbers};
use crate::source::Source;
use crate::standardize::Standardized;
use crate::tensors::{Tensors, all_finite};
use draws::Draws;
use held::{Held, part_of};

/// Which example a new one replaces.
pub trait Keep {
    /// Its name in a fingerprint.
    const NAME: &'static str;

    /// The place of a new example of a class, up to `stored` of `capacity` places; `None` where it is not kept.
    /// `class_at` is the class at a place.
    fn place(&mut self, class: u8, class_at: impl Fn(u32) -> u8, stored: u32, capacity: u32) -> Option<u32>;

    /// Nothing has come yet.
    fn clear(&mut self);
}

/// Examples in the caller's memory, and minibatches of them: a [`Ring`] or a [`Reservoir`].
#[derive(Debug)]
pub struct Replay<'a, T, K> {
    inputs: &'a mut [f32],
    width: usize,
    answers: T,
    keep: K,
    stored: u32,
    capacity: u32,
    draws: Draws<'a>,
    held: Held,
    saves_examples: bool,
}

/// Memory of the inputs, and numbers in a row.
type Inputs<'a> = (&'a mut [f32], usize);

impl<'a, T: Answers, K: Keep> Replay<'a, T, K> {
    fn assemble((inputs, width): Inputs<'a>, answers: T, keep: K, draws: Draws<'a>) -> Result<Self, Error> {
        let capacity = answers.capacity(inputs.len().checked_div(width).unwrap_or(0))?;
        let expected = capacity.saturating_mul(width);
        if expected != inputs.len() {
            return Err(Error::ShapeMismatch { what: "the matrix of inputs", expected, found: inputs.len() });
        }
        draws.check(capacity)?;
        let capacity = capacity as u32;
        let held = Held::default();
        Ok(Self { inputs, width, answers, keep, stored: 0, capacity, draws, held, saves_examples: false })
    }

    /// The same, whose checkpoints hold the examples too: a float for each input, and a byte for a label or a float for
    /// each value.
    #[must_use]
    pub const fn with_examples(mut self) -> Self {
        self.saves_examples = true;
        self
    }

    /// The same buffer with every n-th place held out: an example stored there is checked on and never trained on, as
    /// long as it is kept. A guard with [`RelayGuard::held_out`](crate::guard::RelayGuard::held_out) then keeps the
    /// parameters that were best on these examples; 5 is a good choice. A batch to check with has as many examples as
    /// `pick` has places.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] for 0 and 1, and where there is no room for an n-th example; [`Error::BatchTooLarge`] where the
    /// other places are fewer than a batch has.
    pub fn with_held_out(mut self, every: u32) -> Result<Self, Error> {
        if every < 2 || every > self.capacity {
            let what = "`with_held_out(n)` of a replay buffer needs n of at least 2, and room for at least n examples";
            return Err(Error::InvalidSetting { what });
        }
        self.held = Held::every(every);
        self.draws.check(self.held.trained(self.capacity) as usize)?;
        Ok(self)
    }

    /// Adds an example, between two rounds; returns whether it was kept.
    ///
    /// # Errors
    /// [`Error::ShapeMismatch`] for a row of another width, [`Error::NonFiniteInput`] for one with a NaN or an
    /// infinity, [`Error::LabelOutOfRange`]. Nothing is stored then.
    pub fn push(&mut self, row: &[f32], answer: T::One<'_>) -> Result<bool, Error> {
        if row.len() != self.width {
            return Err(Error::ShapeMismatch { what: "an input row", expected: self.width, found: row.len() });
        }
        if !all_finite(row) {
            return Err(Error::NonFiniteInput);
        }
        let class = self.answers.class(answer)?;
        let (answers, stored) = (&self.answers, self.stored);
        let Some(place) = self.keep.place(class, |i| answers.class_at(i as usize), stored, self.capacity) else {
            return Ok(false);
        };
        row_mut(self.inputs, place as usize, self.width).iter_mut().zip(row).for_each(|(to, &from)| *to = from);
        self.answers.put(place as usize, answer);
        if place >= stored {
            self.stored = stored.saturating_add(1);
        }
        Ok(true)
    }

    /// Forgets all examples.
    pub fn clear(&mut self) {
        self.stored = 0;
        self.keep.clear();
    }

    /// How many examples there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.stored as usize
    }

    /// Whether there is no example.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.stored == 0
    }

    /// For how many examples there is room.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        self.capacity as usize
    }

    /// The minibatch that was drawn last.
    fn batch(&self, size: usize) -> Batch<'_> {
        self.answers.picked((self.inputs, self.width), self.draws.picked(size))
    }
}

impl<T: Answers, K: Keep, M: Tensors> Standardized<Replay<'_, T, K>, M> {
    /// Adds a raw example, between two rounds: until the standardizer is frozen it observes the row; from then on
    /// the row is standardized, in place, and pushed. Returns whether the example was kept.
    ///
    /// # Errors
    /// As [`Replay::push`]. The row may be standardized already then.
    pub fn push(&mut self, row: &mut [f32], answer: T::One<'_>) -> Result<bool, Error> {
        if !self.standardizer.is_frozen() {
            self.source.answers.class(answer)?;
            self.standardizer.observe(row)?;
            return Ok(false);
        }
        self.standardizer.apply(row)?;
        self.source.push(row, answer)
    }
}

/// *Ring* or *reservoir*, what the answers are, the widths and the batch size; with examples in the checkpoint the room for them, too.
impl<T: Answers, K: Keep> Fingerprint for Replay<'_, T, K> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("replay");
        digest.kind(K::NAME);
        self.answers.describe(digest);
        digest.word(self.width as u32);
        digest.word(self.draws.size() as u32);
        digest.word(if self.saves_examples { self.capacity } else { 0 });
        self.held.describe(digest);
    }
}

/// The position; the examples and what is known of their past first, if they are saved.
impl<T: Answers, K: Keep + Persist> Persist for Replay<'_, T, K> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        if self.saves_examples {
            save_numbers(self.inputs, sink)?;
            self.answers.save(sink)?;
            self.keep.save(sink)?;
            self.stored.save(sink)?;
        }
        self.draws.save(sink)?;
        self.held.save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        if self.saves_examples {
            load_numbers(self.inputs, origin)?;
            self.answers.load(origin)?;
            self.keep.load(origin)?;
            self.stored.load(origin)?;
            self.stored = self.stored.min(self.capacity);
        }
        self.draws.load(origin)?;
        self.held.load(origin)
    }
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>, T: Answers, K: Keep> Source<O> for Replay<'_, T, K> {
    fn begin_round(&mut self) {
        self.draws.begin_round();
    }

    /// Where examples are held out, a round may train on all others: it goes through them at most once, so that it stays short while new
    /// examples come.
    fn room(&self) -> u32 {
        // The batch that would else be left to check with.
        let spare = u32::from(self.held.is_any());
        self.draws.room(self.held.trained(self.stored)).saturating_add(spare)
    }

    fn epoch(&self) -> u32 {
        self.held.trained(self.stored).div_ceil(self.draws.size().max(1) as u32).max(1)
    }

    fn train(&mut self) -> Result<Batch<'_>, Error> {
        let [stored, capacity] = [self.stored, self.capacity].map(|places| self.held.trained(places));
        let size = self.draws.train(stored, capacity)?;
        for place in self.draws.pick_mut().iter_mut().take(size) {
            *place = self.held.place(*place);
        }
        Ok(self.batch(size))
    }

    fn check(&mut self) -> Result<Batch<'_>, Error> {
        if !self.held.is_any() {
            let size = self.draws.check_batch(self.stored)?;
            return Ok(self.batch(size));
        }
        match self.held.next_part(self.stored, self.draws.pick_mut()) {
            0 => Err(Error::NothingHeldOut),
            size => Ok(self.batch(size)),
        }
    }

    /// All examples; those that are held out where any are.
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        if !self.held.is_any() {
            let places = part_of(i, self.draws.size(), self.stored as usize);
            return Ok((!places.is_empty()).then(|| self.answers.part((self.inputs, self.width), places)));
        }
        match self.held.part(i, self.stored, self.draws.pick_mut()) {
            0 if i == 0 => Err(Error::NothingHeldOut),
            0 => Ok(None),
            size => Ok(Some(self.batch(size))),
        }
    }
}

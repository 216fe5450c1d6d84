//! Training on a table of one's own: `lgl2o train` does it on a desktop, `lgl2o train --emulate` on a board, from the same rows, in
//! the same order.
//!
//! Minibatches are of classes or of values: the core's [`Ring`] holds all rows that are trained on. With rows to check on it is
//! what [`HeldOut`](lgl2o::held_out::HeldOut) is, for both kinds of answers in one type.

use lgl2o::batch::Batch;
use lgl2o::persist::{Digest, Fingerprint, Origin, Persist, Sink};
use lgl2o::replay::{Classes, Ring, Values};
use lgl2o::source::Source;
use lgl2o::{Error, Objective};

/// What is to be learned of each row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Answers<'a> {
    /// One of so many classes.
    Classes {
        /// The class of each row.
        labels: &'a [u8],
        /// How many there are.
        classes: usize,
    },
    /// A value for each row.
    Values(&'a [f32]),
}

/// Rows of features with their answers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rows<'a> {
    /// The features, row after row.
    pub inputs: &'a [f32],
    /// Features of a row.
    pub width: usize,
    /// What is to be learned.
    pub answers: Answers<'a>,
}

impl<'a> Rows<'a> {
    /// How many rows there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self.answers {
            Answers::Classes { labels, .. } => labels.len(),
            Answers::Values(values) => values.len(),
        }
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Part `i`, `size` rows in each and in the last one what is left; none after that.
    #[must_use]
    pub fn part(&self, size: usize, i: usize) -> Option<Batch<'a>> {
        let (start, end) = (i.saturating_mul(size), i.saturating_add(1).saturating_mul(size).min(self.len()));
        let columns = start.saturating_mul(self.width)..end.saturating_mul(self.width);
        let inputs = self.inputs.get(columns).filter(|part| !part.is_empty())?;
        match self.answers {
            Answers::Classes { labels, .. } => Some(Batch::classes(inputs, self.width, labels.get(start..end)?)),
            Answers::Values(values) => Some(Batch::values(inputs, self.width, values.get(start..end)?, 1)),
        }
    }
}

/// Memory for the rows that are trained on.
#[derive(Debug)]
pub struct Room<'a> {
    /// A number for each feature of each row.
    pub inputs: &'a mut [f32],
    /// A place for each row, where classes are learned.
    pub labels: &'a mut [u8],
    /// A place for each row, where values are learned.
    pub values: &'a mut [f32],
    /// A place for each row of a minibatch.
    pub pick: &'a mut [u32],
    /// A bit for each row.
    pub used: &'a mut [u32],
}

#[derive(Debug)]
enum Kept<'a> {
    Classes(Ring<'a, Classes<'a>>),
    Values(Ring<'a, Values<'a>>),
}

/// Calls a method of whichever ring is there.
macro_rules! each {
    ($self:expr, $ring:ident => $call:expr) => {
        match $self {
            Kept::Classes($ring) => $call,
            Kept::Values($ring) => $call,
        }
    };
}

/// The source of a training.
#[derive(Debug)]
pub struct Minibatches<'a> {
    kept: Kept<'a>,
    check: Option<Rows<'a>>,
    size: usize,
    /// Number of the next check batch.
    next: u32,
}

impl<'a> Minibatches<'a> {
    /// Minibatches of rows, and checks on others if there are some.
    ///
    /// # Errors
    /// Whatever is wrong with a row or with the memory.
    pub fn new(train: Rows<'_>, check: Option<Rows<'a>>, seed: u64, room: Room<'a>) -> Result<Self, Error> {
        let Room { inputs, labels, values, pick, used } = room;
        let (width, size, rows) = (train.width, pick.len(), train.inputs.chunks_exact(train.width.max(1)));
        let kept = match train.answers {
            Answers::Classes { labels: given, classes } => {
                let mut ring = Ring::new(inputs, width, Classes::new(labels, classes), seed, pick, used)?;
                rows.zip(given).try_for_each(|(row, &label)| ring.push(row, label).map(drop))?;
                Kept::Classes(ring)
            }
            Answers::Values(given) => {
                let mut ring = Ring::new(inputs, width, Values::new(values, 1), seed, pick, used)?;
                rows.zip(given).try_for_each(|(row, value)| ring.push(row, core::slice::from_ref(value)).map(drop))?;
                Kept::Values(ring)
            }
        };
        Ok(Self { kept, check, size, next: 0 })
    }
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Minibatches<'_> {
    fn begin_round(&mut self) {
        each!(&mut self.kept, ring => Source::<O>::begin_round(ring));
    }
    /// No limit where no row is both trained and checked on.
    fn room(&self) -> u32 {
        if self.check.is_some() { u32::MAX } else { each!(&self.kept, ring => Source::<O>::room(ring)) }
    }
    fn epoch(&self) -> u32 {
        each!(&self.kept, ring => Source::<O>::epoch(ring))
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        each!(&mut self.kept, ring => Source::<O>::train(ring))
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        let Some(rows) = self.check else { return each!(&mut self.kept, ring => Source::<O>::check(ring)) };
        if rows.part(self.size, self.next as usize).is_none() {
            self.next = 0;
        }
        self.next = self.next.saturating_add(1);
        rows.part(self.size, self.next as usize - 1).ok_or(Error::NothingToCheck)
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        match self.check {
            Some(rows) => Ok(rows.part(self.size, i)),
            None => each!(&mut self.kept, ring => Source::<O>::objective(ring, i)),
        }
    }
}

/// The position: that of the ring, and which check batch comes next.
impl Persist for Minibatches<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        each!(&self.kept, ring => ring.save(sink))?;
        self.next.save(sink)
    }
    fn load<F: Origin>(&mut self, origin: &mut F) -> Result<(), F::Error> {
        each!(&mut self.kept, ring => ring.load(origin))?;
        self.next.load(origin)
    }
}

impl Fingerprint for Minibatches<'_> {
    fn describe(&self, digest: &mut Digest) {
        each!(&self.kept, ring => ring.describe(digest));
        digest.word(self.check.map_or(0, |rows| rows.len() as u32));
    }
}

/// A source that has room for the steps that are left, so that the last round ends with the run.
#[derive(Debug)]
pub struct Bounded<'a, S> {
    /// The source.
    pub source: &'a mut S,
    /// Steps that are left.
    pub left: u64,
}

impl<O: Objective, S: Source<O>> Source<O> for Bounded<'_, S> {
    fn begin_round(&mut self) {
        self.source.begin_round();
    }
    fn room(&self) -> u32 {
        self.source.room().min(u32::try_from(self.left).unwrap_or(u32::MAX))
    }
    fn left(&self) -> u32 {
        self.source.left().min(u32::try_from(self.left).unwrap_or(u32::MAX))
    }
    fn epoch(&self) -> u32 {
        self.source.epoch()
    }
    fn train(&mut self) -> Result<O::Batch<'_>, Error> {
        self.source.train()
    }
    fn check(&mut self) -> Result<O::Batch<'_>, Error> {
        self.source.check()
    }
    fn objective(&mut self, i: usize) -> Result<Option<O::Batch<'_>>, Error> {
        self.source.objective(i)
    }
}

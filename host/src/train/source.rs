//! Minibatches of classes or values from memory on the heap: the core's [`Ring`] that holds all rows, and checks on rows of their
//! own if there are some.
//!
//! With rows to check on it is what [`HeldOut`](lgl2o::held_out::HeldOut) is for class labels, for values too.

use lgl2o::batch::Batch;
use lgl2o::persist::{Digest, Fingerprint, Origin, Persist, Sink};
use lgl2o::replay::{Classes, Ring, Values};
use lgl2o::source::Source;
use lgl2o::{Error, Objective};

use crate::data::table::{Table, Target};

/// Memory of the rows that are trained on.
#[derive(Debug)]
pub struct Memory {
    inputs: Vec<f32>,
    labels: Vec<u8>,
    values: Vec<f32>,
    pick: Vec<u32>,
    used: Vec<u32>,
}

impl Memory {
    /// Memory for a table, in batches of this size, not larger than the table.
    #[must_use]
    pub fn new(table: &Table, batch: usize) -> Self {
        let rows = table.rows();
        let (labels, values) = match table.target {
            Target::Classes { .. } => (vec![0; rows], Vec::new()),
            Target::Values(_) | Target::Unknown => (Vec::new(), vec![0.0; rows]),
        };
        let (pick, used) = (vec![0; batch.min(rows)], vec![0; rows.div_ceil(32)]);
        Self { inputs: vec![0.0; table.inputs.len()], labels, values, pick, used }
    }
}

#[derive(Debug)]
enum Rows<'a> {
    Classes(Ring<'a, Classes<'a>>),
    Values(Ring<'a, Values<'a>>),
}

/// Calls a method of whichever ring is there.
macro_rules! each {
    ($self:expr, $ring:ident => $call:expr) => {
        match $self {
            Rows::Classes($ring) => $call,
            Rows::Values($ring) => $call,
        }
    };
}

/// The source of a training.
#[derive(Debug)]
pub struct Minibatches<'a> {
    rows: Rows<'a>,
    check: Option<&'a Table>,
    size: usize,
    /// Number of the next check batch.
    next: u32,
}

impl<'a> Minibatches<'a> {
    /// Minibatches of the rows of a table, and checks on those of another one if there is one.
    ///
    /// # Errors
    /// Whatever is wrong with a row.
    pub fn new(train: &Table, check: Option<&'a Table>, seed: u64, memory: &'a mut Memory) -> Result<Self, Error> {
        let Memory { inputs, labels, values, pick, used } = memory;
        let (width, size) = (train.width(), pick.len());
        let rows = match &train.target {
            Target::Classes { labels: given, names } => {
                let mut ring = Ring::new(inputs, width, Classes::new(labels, names.len()), seed, pick, used)?;
                for (i, &label) in given.iter().enumerate() {
                    ring.push(train.row(i), label)?;
                }
                Rows::Classes(ring)
            }
            Target::Values(given) => {
                let mut ring = Ring::new(inputs, width, Values::new(values, 1), seed, pick, used)?;
                for (i, value) in given.iter().enumerate() {
                    ring.push(train.row(i), std::slice::from_ref(value))?;
                }
                Rows::Values(ring)
            }
            Target::Unknown => return Err(Error::WrongTargets),
        };
        Ok(Self { rows, check, size, next: 0 })
    }
}

/// Part `i` of a table, `size` rows in each and in the last one what is left; none after that.
#[must_use]
pub fn part(table: &Table, size: usize, i: usize) -> Option<Batch<'_>> {
    let (start, end) = (i.saturating_mul(size), i.saturating_add(1).saturating_mul(size).min(table.rows()));
    let inputs = table.inputs.get(start * table.width()..end * table.width()).filter(|part| !part.is_empty())?;
    match &table.target {
        Target::Classes { labels, .. } => Some(Batch::classes(inputs, table.width(), labels.get(start..end)?)),
        Target::Values(values) => Some(Batch::values(inputs, table.width(), values.get(start..end)?, 1)),
        Target::Unknown => None,
    }
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Minibatches<'_> {
    fn begin_round(&mut self) {
        each!(&mut self.rows, ring => Source::<O>::begin_round(ring));
    }
    /// No limit where no row is both trained and checked on.
    fn room(&self) -> u32 {
        if self.check.is_some() { u32::MAX } else { each!(&self.rows, ring => Source::<O>::room(ring)) }
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        each!(&mut self.rows, ring => Source::<O>::train(ring))
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        let Some(table) = self.check else { return each!(&mut self.rows, ring => Source::<O>::check(ring)) };
        if part(table, self.size, self.next as usize).is_none() {
            self.next = 0;
        }
        self.next += 1;
        part(table, self.size, self.next as usize - 1).ok_or(Error::NothingToCheck)
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        match self.check {
            Some(table) => Ok(part(table, self.size, i)),
            None => each!(&mut self.rows, ring => Source::<O>::objective(ring, i)),
        }
    }
}

/// The position: that of the ring, and which check batch comes next.
impl Persist for Minibatches<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        each!(&self.rows, ring => ring.save(sink))?;
        self.next.save(sink)
    }
    fn load<F: Origin>(&mut self, origin: &mut F) -> Result<(), F::Error> {
        each!(&mut self.rows, ring => ring.load(origin))?;
        self.next.load(origin)
    }
}

impl Fingerprint for Minibatches<'_> {
    fn describe(&self, digest: &mut Digest) {
        each!(&self.rows, ring => ring.describe(digest));
        digest.word(self.check.map_or(0, |table| table.rows() as u32));
    }
}

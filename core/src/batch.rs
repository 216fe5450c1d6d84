//! Minibatches over borrowed slices, and where they come from.
//!
//! A [`Batch`] copies nothing: it names rows of a caller's array, either all of them or those of an index list. A
//! [`Source`] hands a round its training batches and its check batches; [`Sampler`] is one over data in memory.

use crate::checkpoint::{Digest, Fingerprint, Origin, Persist, Sink};
use crate::error::Error;
use crate::objective::Objective;
use crate::rng::Rng;
use crate::shuffle::Shuffle;

/// Row `i` of a row-major matrix of the given width; empty where there is none.
#[inline]
pub(crate) fn row(data: &[f32], i: usize, width: usize) -> &[f32] {
    let start = i.saturating_mul(width);
    data.get(start..start.saturating_add(width)).unwrap_or(&[])
}

/// [`row`], to write to.
#[inline]
pub(crate) fn row_mut(data: &mut [f32], i: usize, width: usize) -> &mut [f32] {
    let start = i.saturating_mul(width);
    data.get_mut(start..start.saturating_add(width)).unwrap_or(&mut [])
}

/// The first `wide` numbers of four rows from number `i` on, where they are there.
#[inline]
pub(crate) fn four(data: &[f32], i: usize, width: usize, wide: usize) -> Option<[&[f32]; 4]> {
    let data = data.get(i.checked_mul(width)?..)?;
    let row = |k| data.get(width.checked_mul(k)?..)?.get(..wide);
    Some([row(0)?, row(1)?, row(2)?, row(3)?])
}

/// Rows of a borrowed row-major matrix: all of them, or those that an index list names.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    data: &'a [f32],
    width: usize,
    pick: Option<&'a [u32]>,
}

impl<'a> Rows<'a> {
    /// All rows of `data`, each `width` numbers long; an incomplete last row is ignored.
    #[must_use]
    pub const fn all(data: &'a [f32], width: usize) -> Self {
        Self { data, width, pick: None }
    }

    /// The rows number `pick[0]`, `pick[1]`, ... of `data`.
    #[must_use]
    pub const fn picked(data: &'a [f32], width: usize, pick: &'a [u32]) -> Self {
        Self { data, width, pick: Some(pick) }
    }

    /// Numbers in a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self.pick {
            Some(pick) => pick.len(),
            None => self.data.len().checked_div(self.width).unwrap_or(0),
        }
    }

    /// Row number `s`; empty where the number, or the index behind it, is out of range.
    #[must_use]
    #[inline]
    pub fn row(&self, s: usize) -> &'a [f32] {
        let i = match self.pick {
            Some(pick) => pick.get(s).map_or(usize::MAX, |&i| i as usize),
            None => s,
        };
        row(self.data, i, self.width)
    }

    /// `wide` numbers from `column` on of the four rows from number `s` on, where all of that is there.
    #[inline]
    pub(crate) fn four(&self, s: usize, column: usize, wide: usize) -> Option<[&'a [f32]; 4]> {
        let data = self.data.get(column..)?;
        let Some(pick) = self.pick else { return four(data, s, self.width, wide) };
        let row = |i: u32| data.get((i as usize).checked_mul(self.width)?..)?.get(..wide);
        let [a, b, c, d] = *pick.get(s..)?.first_chunk()?;
        Some([row(a)?, row(b)?, row(c)?, row(d)?])
    }

    /// Checks that every row is there and `width` numbers long.
    pub(crate) fn check(&self, what: &'static str, width: usize) -> Result<(), Error> {
        if self.width != width {
            return Err(Error::ShapeMismatch { what, expected: width, found: self.width });
        }
        // Of all rows none can be missing.
        if self.pick.is_none() {
            return Ok(());
        }
        for s in 0..self.count() {
            let found = self.row(s).len();
            if found != width {
                return Err(Error::ShapeMismatch { what, expected: width, found });
            }
        }
        Ok(())
    }
}

/// What the optimizee should answer.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// One class label per example, for cross-entropy.
    Classes(Labels<'a>),
    /// One row of values per example, for squared error or Huber's loss.
    Values(Rows<'a>),
}

/// Class labels of examples: all of a slice, or those that an index list names.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    data: &'a [u8],
    pick: Option<&'a [u32]>,
}

impl Labels<'_> {
    /// How many labels there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pick.map_or(self.data.len(), <[u32]>::len)
    }

    /// The label of example `s`; `None` where the number, or the index behind it, is out of range.
    #[must_use]
    pub fn get(&self, s: usize) -> Option<u8> {
        let i = match self.pick {
            Some(pick) => *pick.get(s)? as usize,
            None => s,
        };
        self.data.get(i).copied()
    }
}

/// A minibatch: inputs and targets of some examples, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// One row per example.
    pub inputs: Rows<'a>,
    /// One target per example.
    pub targets: Targets<'a>,
}

impl<'a> Batch<'a> {
    /// Inputs (n rows of `width` numbers) with n class labels.
    #[must_use]
    pub const fn classes(inputs: &'a [f32], width: usize, labels: &'a [u8]) -> Self {
        Self { inputs: Rows::all(inputs, width), targets: Targets::Classes(Labels { data: labels, pick: None }) }
    }

    /// The examples number `pick[0]`, `pick[1]`, ... of inputs with class labels.
    #[must_use]
    pub const fn picked_classes(inputs: &'a [f32], width: usize, labels: &'a [u8], pick: &'a [u32]) -> Self {
        Self {
            inputs: Rows::picked(inputs, width, pick),
            targets: Targets::Classes(Labels { data: labels, pick: Some(pick) }),
        }
    }

    /// Inputs (n rows of `width` numbers) with n rows of `outputs` target values.
    #[must_use]
    pub const fn values(inputs: &'a [f32], width: usize, targets: &'a [f32], outputs: usize) -> Self {
        Self { inputs: Rows::all(inputs, width), targets: Targets::Values(Rows::all(targets, outputs)) }
    }

    /// Part `i` of all examples, `size` in each and in the last one what is left; `None` after that.
    pub(crate) fn part((inputs, width, labels): (&'a [f32], usize, &'a [u8]), size: usize, i: usize) -> Option<Self> {
        let start = i.saturating_mul(size);
        let end = start.saturating_add(size).min(labels.len());
        let labels = labels.get(start..end).filter(|part| !part.is_empty())?;
        Some(Self::classes(inputs.get(start * width..end * width).unwrap_or(&[]), width, labels))
    }

    /// How many examples there are.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.inputs.count()
    }

    /// Checks shapes, counts and labels against an optimizee.
    // On a device once, for all objectives.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn check(&self, inputs: usize, outputs: usize, capacity: usize) -> Result<usize, Error> {
        let n = self.examples();
        if n == 0 {
            return Err(Error::EmptyBatch);
        }
        if n > capacity {
            return Err(Error::BatchTooLarge { examples: n, capacity });
        }
        self.inputs.check("an input row", inputs)?;
        let found = match self.targets {
            Targets::Classes(labels) => labels.count(),
            Targets::Values(rows) => {
                rows.check("a target row", outputs)?;
                rows.count()
            }
        };
        if found != n {
            return Err(Error::ShapeMismatch { what: "the list of targets", expected: n, found });
        }
        if let Targets::Classes(labels) = self.targets {
            for s in 0..n {
                let Some(label) = labels.get(s) else {
                    return Err(Error::ShapeMismatch { what: "the list of labels", expected: n, found: s });
                };
                if usize::from(label) >= outputs {
                    return Err(Error::LabelOutOfRange { label, classes: outputs });
                }
            }
        }
        Ok(n)
    }
}

/// Where a round gets its minibatches from.
///
/// The order of the training batches must not depend on how many check batches are drawn, or else a guarded run that
/// rejects every proposal would not repeat the fallback's run alone.
pub trait Source<O: Objective> {
    /// A new round begins; a guard that asks for check batches says so first. A source that checks on examples which the
    /// round has not trained on starts counting anew.
    fn begin_round(&mut self) {}

    /// How many training batches a round may take if a batch should be left to check on; no limit where that is no
    /// question.
    fn room(&self) -> u32 {
        u32::MAX
    }

    /// How many training steps the run has left, those not counted that no verdict has counted yet; no limit where that is
    /// not known. A guard that compares over windows of many steps ends one there.
    fn left(&self) -> u32 {
        u32::MAX
    }

    /// The next training batch.
    ///
    /// # Errors
    /// [`Error::NoBatch`] where there is none (any more).
    fn train(&mut self) -> Result<O::Batch<'_>, Error>;

    /// A check batch, disjoint from the training batches of the round.
    ///
    /// # Errors
    /// [`Error::NoBatch`] where there is none (any more), [`Error::NothingToCheck`] where the round has trained on all
    /// examples.
    fn check(&mut self) -> Result<O::Batch<'_>, Error>;

    /// Part number `i` of the full objective, for a guard that judges by it; `None` after the last one.
    ///
    /// # Errors
    /// [`Error::NoObjective`] where the full objective is not at hand.
    fn objective(&mut self, i: usize) -> Result<Option<O::Batch<'_>>, Error> {
        let _ = i;
        Err(Error::NoObjective)
    }
}

/// A source for objectives that are exact: there is only one batch, and it is the objective itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exact;

impl Fingerprint for Exact {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("exact");
    }
}

/// There is no position in a single batch.
impl Persist for Exact {
    crate::persist_fields!();
}

impl<O: Objective> Source<O> for Exact
where
    for<'a> O::Batch<'a>: Default,
{
    fn train(&mut self) -> Result<O::Batch<'_>, Error> {
        Ok(O::Batch::default())
    }
    fn check(&mut self) -> Result<O::Batch<'_>, Error> {
        Ok(O::Batch::default())
    }
    fn objective(&mut self, i: usize) -> Result<Option<O::Batch<'_>>, Error> {
        Ok((i == 0).then(O::Batch::default))
    }
}

/// Minibatches drawn at random from labelled examples in memory.
///
/// Training batches go through all examples in a random order, then through another one; check batches are drawn from
/// the examples that the round has not trained on, with replacement. The two come from two streams of one seed. The
/// caller owns all memory: `pick` holds the indices of one batch, `used` one bit per example. Examples that come one by
/// one, and values, are in a [`replay`](crate::replay).
///
/// ```
/// use lgl2o::batch::Sampler;
/// let (inputs, labels) = ([0.0f32; 2 * 100], [0u8; 100]);
/// let (mut pick, mut used) = ([0u32; 16], [0u32; 4]);
/// let sampler = Sampler::new(&inputs, 2, &labels, 7, &mut pick, &mut used)?;
/// # Ok::<(), lgl2o::Error>(())
/// ```
#[derive(Debug)]
pub struct Sampler<'a> {
    inputs: &'a [f32],
    width: usize,
    labels: &'a [u8],
    pick: &'a mut [u32],
    used: &'a mut [u32],
    used_count: usize,
    /// The order of the epoch, and how much of it is done.
    order: Shuffle,
    done: u32,
    train: Rng,
    check: Rng,
}

/// After so many draws that the round has trained on, the next unused example is taken instead.
const DRAWS: usize = 16;

impl<'a> Sampler<'a> {
    /// A sampler over n examples: `inputs` are n rows of `width` numbers, a batch is as large as `pick`, and `used`
    /// has at least n bits.
    ///
    /// # Errors
    /// [`Error::EmptyBatch`] for an empty `pick` or no example, [`Error::ShapeMismatch`] where lengths do not belong
    /// together, [`Error::BatchTooLarge`] where a batch is larger than the data.
    pub fn new(
        inputs: &'a [f32],
        width: usize,
        labels: &'a [u8],
        seed: u64,
        pick: &'a mut [u32],
        used: &'a mut [u32],
    ) -> Result<Self, Error> {
        let n = labels.len();
        let expect = |what, expected, found| {
            if expected == found { Ok(()) } else { Err(Error::ShapeMismatch { what, expected, found }) }
        };
        if n == 0 || pick.is_empty() {
            return Err(Error::EmptyBatch);
        }
        if pick.len() > n {
            return Err(Error::BatchTooLarge { examples: pick.len(), capacity: n });
        }
        expect("the matrix of inputs", n.saturating_mul(width), inputs.len())?;
        let words = n.div_ceil(32);
        expect("the bit set of used examples", words, if used.len() < words { used.len() } else { words })?;
        used.fill(0);
        let mut train = Rng::stream(seed, 1);
        Ok(Self {
            order: Shuffle::new(n as u32, &mut train),
            done: 0,
            inputs,
            width,
            labels,
            pick,
            used,
            used_count: 0,
            train,
            check: Rng::stream(seed, 2),
        })
    }

    fn batch(&self) -> Batch<'_> {
        Batch::picked_classes(self.inputs, self.width, self.labels, self.pick)
    }

    fn is_used(&self, i: u32) -> bool {
        let word = self.used.get(i as usize / 32).copied().unwrap_or(0);
        word >> (i % 32) & 1 == 1
    }

    fn mark_used(&mut self, i: u32) {
        if !self.is_used(i)
            && let Some(word) = self.used.get_mut(i as usize / 32)
        {
            *word |= 1 << (i % 32);
            self.used_count = self.used_count.saturating_add(1);
        }
    }

    /// The next example in the order of the epoch; after the last one, a new order begins.
    fn next_of_epoch(&mut self) -> u32 {
        let n = self.labels.len() as u32;
        if self.done >= n {
            (self.order, self.done) = (Shuffle::new(n, &mut self.train), 0);
        }
        self.done += 1;
        self.order.at(self.done - 1)
    }

    /// A random example that the round has not trained on. There is one: the caller has counted.
    fn draw_unused(&mut self) -> u32 {
        let n = self.labels.len() as u32;
        let mut i = 0;
        for _ in 0..DRAWS {
            i = self.check.below(n);
            if !self.is_used(i) {
                return i;
            }
        }
        for _ in 0..n {
            i = if i + 1 < n { i + 1 } else { 0 };
            if !self.is_used(i) {
                break;
            }
        }
        i
    }
}

/// Numbers of examples, of their inputs and in a batch. The examples themselves are not looked at.
impl Fingerprint for Sampler<'_> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("sampler");
        [self.labels.len(), self.width, self.pick.len()].iter().for_each(|&n| digest.word(n as u32));
    }
}

/// The order of the epoch, how much of it is done, and both streams of random numbers, between two rounds.
impl Persist for Sampler<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.order.save(sink)?;
        self.done.save(sink)?;
        self.train.save(sink)?;
        self.check.save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.used.fill(0);
        self.used_count = 0;
        self.order.load(origin)?;
        self.done.load(origin)?;
        self.train.load(origin)?;
        self.check.load(origin)
    }
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Sampler<'_> {
    fn begin_round(&mut self) {
        if self.used_count > 0 {
            self.used.fill(0);
            self.used_count = 0;
        }
    }

    fn room(&self) -> u32 {
        (self.labels.len() / self.pick.len()).saturating_sub(1) as u32
    }

    fn train(&mut self) -> Result<Batch<'_>, Error> {
        for k in 0..self.pick.len() {
            let i = self.next_of_epoch();
            self.mark_used(i);
            if let Some(slot) = self.pick.get_mut(k) {
                *slot = i;
            }
        }
        Ok(self.batch())
    }

    fn check(&mut self) -> Result<Batch<'_>, Error> {
        if self.used_count >= self.labels.len() {
            return Err(Error::NothingToCheck);
        }
        for k in 0..self.pick.len() {
            let i = self.draw_unused();
            if let Some(slot) = self.pick.get_mut(k) {
                *slot = i;
            }
        }
        Ok(self.batch())
    }

    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        Ok(Batch::part((self.inputs, self.width, self.labels), self.pick.len(), i))
    }
}

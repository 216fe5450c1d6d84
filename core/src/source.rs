//! Where minibatches come from.
//!
//! A [`Source`] hands a round its training batches and its check batches; [`Sampler`] is one over data in memory, [`Exact`] the one
//! for objectives that need no batches.

use crate::batch::Batch;
use crate::error::Error;
use crate::objective::Objective;
use crate::persist::{Digest, Fingerprint, Origin, Persist, Sink};
use crate::rng::Rng;
use crate::shuffle::Shuffle;

/// Where a round gets its minibatches from.
///
/// The order of the training batches must not depend on how many check batches are drawn, or else a guarded run that
/// rejects every proposal would not repeat the fallback's run alone.
pub trait Source<O: Objective> {
    /// A new round begins; a guard that asks for check batches says so first. A source that checks on examples which the
    /// round has not trained on starts to count from zero.
    fn begin_round(&mut self) {}

    /// How many training batches a round may take if a batch should be left to check on; no limit where check
    /// batches do not depend on it.
    fn room(&self) -> u32 {
        u32::MAX
    }

    /// How many training steps the run has left, without those that no verdict has counted yet; no limit where that is
    /// not known. A guard that compares over windows of many steps ends its window there.
    fn left(&self) -> u32 {
        u32::MAX
    }

    /// How many training batches make one pass over the data, rounded up, at least 1; no limit where examples do not repeat, or
    /// their number is not known. A guard may judge by it how often a run has seen each example.
    fn epoch(&self) -> u32 {
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
/// caller owns all memory: `pick` holds the indices of one batch, `used` one bit per example, so that 400 examples take 13 words.
/// For examples that come one by one, and for values, use a [`replay`](crate::replay). A checkpoint loads only with the same
/// number of examples; where their number changes from one start to the next, use a `replay` too.
///
/// ```
/// use lgl2o::source::Sampler;
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
    used: Used<'a>,
    /// The order of the epoch, and how much of it is done.
    order: Shuffle,
    done: u32,
    train: Rng,
    check: Rng,
}

/// After so many draws that the round has trained on, the next unused example is taken instead.
const DRAWS: usize = 16;

/// Which examples a round has trained on: one bit per example.
#[derive(Debug)]
pub(crate) struct Used<'a> {
    bits: &'a mut [u32],
    count: u32,
}

impl<'a> Used<'a> {
    /// None, whatever the bits were.
    pub(crate) fn none(bits: &'a mut [u32]) -> Self {
        bits.fill(0);
        Self { bits, count: 0 }
    }

    /// None from now on.
    pub(crate) fn clear(&mut self) {
        if self.count > 0 {
            self.bits.fill(0);
            self.count = 0;
        }
    }

    /// How many words of bits there are.
    pub(crate) const fn words(&self) -> usize {
        self.bits.len()
    }

    /// How many examples are marked.
    pub(crate) const fn count(&self) -> u32 {
        self.count
    }

    fn has(&self, i: u32) -> bool {
        let word = self.bits.get(i as usize / 32).copied().unwrap_or(0);
        word >> (i % 32) & 1 == 1
    }

    /// Marks an example.
    pub(crate) fn mark(&mut self, i: u32) {
        if !self.has(i)
            && let Some(word) = self.bits.get_mut(i as usize / 32)
        {
            *word |= 1 << (i % 32);
            self.count = self.count.saturating_add(1);
        }
    }

    /// A random one of n examples that is not marked. There is one: the caller has counted.
    pub(crate) fn draw_other(&self, rng: &mut Rng, n: u32) -> u32 {
        let mut i = 0;
        for _ in 0..DRAWS {
            i = rng.below(n);
            if !self.has(i) {
                return i;
            }
        }
        for _ in 0..n {
            i = if i + 1 < n { i + 1 } else { 0 };
            if !self.has(i) {
                break;
            }
        }
        i
    }
}

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
        let mut train = Rng::stream(seed, 1);
        Ok(Self {
            order: Shuffle::new(n as u32, &mut train),
            done: 0,
            inputs,
            width,
            labels,
            pick,
            used: Used::none(used),
            train,
            check: Rng::stream(seed, 2),
        })
    }

    fn batch(&self) -> Batch<'_> {
        Batch::picked_classes(self.inputs, self.width, self.labels, self.pick)
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
        self.used.clear();
        self.order.load(origin)?;
        self.done.load(origin)?;
        self.train.load(origin)?;
        self.check.load(origin)
    }
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Sampler<'_> {
    fn begin_round(&mut self) {
        self.used.clear();
    }

    fn room(&self) -> u32 {
        (self.labels.len() / self.pick.len()).saturating_sub(1) as u32
    }

    fn epoch(&self) -> u32 {
        self.labels.len().div_ceil(self.pick.len().max(1)) as u32
    }

    fn train(&mut self) -> Result<Batch<'_>, Error> {
        for k in 0..self.pick.len() {
            let i = self.next_of_epoch();
            self.used.mark(i);
            if let Some(slot) = self.pick.get_mut(k) {
                *slot = i;
            }
        }
        Ok(self.batch())
    }

    fn check(&mut self) -> Result<Batch<'_>, Error> {
        if self.used.count() as usize >= self.labels.len() {
            return Err(Error::NothingToCheck);
        }
        for k in 0..self.pick.len() {
            let i = self.used.draw_other(&mut self.check, self.labels.len() as u32);
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

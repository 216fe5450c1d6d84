//! Checks on examples that are never trained on, so that a guard keeps the parameters that were best there.
//!
//! [`HeldOut`] takes training batches from one source and check batches from rows of its own. A guard with
//! [`RelayGuard::held_out`] compares the mean loss over all of these rows. The accepted parameters are then those with the lowest
//! held-out loss that the end of any window has seen: early stopping (Prechelt 1998) with nothing to set. Where the network is too
//! confident, the guard also scales its last layer down, by a factor that these rows choose. A small data
//! set gains more from this than from another optimizer; hold out a fifth of the examples if in doubt.
//!
//! ```
//! use lgl2o::source::Sampler;
//! use lgl2o::held_out::HeldOut;
//! use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
//! use lgl2o::{Auto, Memory, Rng, Trainer, auto, chain};
//!
//! type Net = Mlp<Fixed<chain![Dense<2, 16, Relu>, Dense<16, 2>], 16>>;
//! static GUARD: Auto = auto().held_out(true);
//!
//! // Is a point above the diagonal? Every eighth label is wrong.
//! let mut rng = Rng::new(2);
//! let points: [f32; 400] = core::array::from_fn(|_| rng.range(-1.0, 1.0));
//! let labels: [u8; 200] = core::array::from_fn(|i| u8::from((points[2 * i + 1] > points[2 * i]) != (i % 8 == 0)));
//! let (mut pick, mut used) = ([0; 16], [0; 5]);
//! let train = Sampler::new(&points[..320], 2, &labels[..160], 3, &mut pick, &mut used)?;
//! let mut batches = HeldOut::new(train, &points[320..], 2, &labels[160..], 16)?;
//!
//! let net = Net::new(Fixed::new(), Loss::CrossEntropy);
//! let mut memory = Memory::<Net, Auto>::new();
//! net.initialize(memory.params_mut(), &mut Rng::new(1));
//! let mut trainer = Trainer::new(&net, &GUARD, &mut memory);
//! while trainer.progress().steps < 1000 {
//!     trainer.round(&mut batches)?;
//! }
//! # Ok::<(), lgl2o::Error>(())
//! ```
//!
//! The fallback's theorem is about the training loss, and holds for the running point. The accepted parameters are the best of
//! its iterates on the held-out rows; their training loss may be higher.
//!
//! [`RelayGuard::held_out`]: crate::guard::RelayGuard::held_out

use crate::batch::Batch;
use crate::error::Error;
use crate::objective::Objective;
use crate::persist::{Digest, Fingerprint, Persist};
use crate::source::Source;

/// A source of training batches, and rows that are only checked on.
///
/// Check batches go through the rows in order, `size` at a time. The last one has the rows that are left, and the next one
/// begins with the first row again. The full [objective](Source::objective) has all rows, in the same parts.
#[derive(Debug, Clone)]
pub struct HeldOut<'a, S> {
    source: S,
    inputs: &'a [f32],
    width: usize,
    labels: &'a [u8],
    size: usize,
    /// Number of the next check batch.
    next: u32,
}

impl<'a, S> HeldOut<'a, S> {
    /// Training batches come from `source`; `inputs` are the held-out rows, of `width` numbers each, with their `labels`. A
    /// check batch has `size` rows, no more than the objective has room for.
    ///
    /// # Errors
    /// [`Error::EmptyBatch`] for no rows or a `size` of 0, [`Error::ShapeMismatch`] where lengths do not belong together.
    pub fn new(source: S, inputs: &'a [f32], width: usize, labels: &'a [u8], size: usize) -> Result<Self, Error> {
        if labels.is_empty() || size == 0 {
            return Err(Error::EmptyBatch);
        }
        let expected = labels.len().saturating_mul(width);
        if expected != inputs.len() {
            return Err(Error::ShapeMismatch { what: "the held-out inputs", expected, found: inputs.len() });
        }
        Ok(Self { source, inputs, width, labels, size, next: 0 })
    }

    /// Part `i` of the rows; `None` after the last one.
    fn part(&self, i: usize) -> Option<Batch<'a>> {
        Batch::part((self.inputs, self.width, self.labels), self.size, i)
    }
}

/// The source, and which check batch comes next.
impl<S: Persist> Persist for HeldOut<'_, S> {
    crate::persist_fields!(source, next);
}

/// The source, and numbers of rows, of their inputs and in a batch. The rows themselves are not looked at.
impl<S: Fingerprint> Fingerprint for HeldOut<'_, S> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("held-out");
        [self.labels.len(), self.width, self.size].iter().for_each(|&n| digest.word(n as u32));
        self.source.describe(digest);
    }
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>, S: Source<O>> Source<O> for HeldOut<'_, S> {
    fn begin_round(&mut self) {
        self.source.begin_round();
    }
    /// No limit: the source's examples are not checked on.
    fn room(&self) -> u32 {
        u32::MAX
    }
    fn left(&self) -> u32 {
        self.source.left()
    }
    fn epoch(&self) -> u32 {
        self.source.epoch()
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        self.source.train()
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        let batch = match self.part(self.next as usize) {
            Some(batch) => batch,
            None => {
                self.next = 0;
                self.part(0).ok_or(Error::NothingToCheck)?
            }
        };
        self.next += 1;
        Ok(batch)
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        Ok(self.part(i))
    }
}

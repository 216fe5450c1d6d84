//! Checks on examples that are never trained on, so that a guard keeps the parameters that were best there.
//!
//! [`HeldOut`] takes training batches from one source and check batches from rows of its own, with class labels or with values. A guard with
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
//! Rows with values, for regression, are [`HeldOut::values`]:
//!
//! ```
//! use lgl2o::held_out::HeldOut;
//! use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
//! use lgl2o::replay::{Ring, Values};
//! use lgl2o::{Auto, Memory, Rng, Trainer, auto, chain};
//!
//! type Net = Mlp<Fixed<chain![Dense<1, 8, Tanh>, Dense<8, 2>], 16>>;
//! static GUARD: Auto = auto().held_out(true);
//!
//! // Sine and cosine of 100 angles, under noise.
//! let mut rng = Rng::new(2);
//! let angles: [f32; 100] = core::array::from_fn(|_| rng.range(-2.0, 2.0));
//! let mut answer = |x: f32| [x.sin() + 0.1 * rng.normal(), x.cos() + 0.1 * rng.normal()];
//! let answers: [[f32; 2]; 100] = angles.map(&mut answer);
//! let (mut rows, mut values, mut pick, mut used) = ([0.0; 80], [0.0; 160], [0; 16], [0; 3]);
//! let mut train = Ring::new(&mut rows, 1, Values::new(&mut values, 2), 3, &mut pick, &mut used)?;
//! for (angle, answer) in angles.iter().zip(&answers).take(80) {
//!     train.push(&[*angle], answer)?;
//! }
//! let mut batches = HeldOut::values(train, &angles[80..], 1, answers[80..].as_flattened(), 2, 16)?;
//!
//! let net = Net::new(Fixed::new(), Loss::SquaredError);
//! let mut memory = Memory::<Net, Auto>::new();
//! net.initialize(memory.params_mut(), &mut Rng::new(1));
//! let mut trainer = Trainer::new(&net, &GUARD, &mut memory);
//! while trainer.progress().steps < 1000 {
//!     trainer.round(&mut batches)?;
//! }
//! # let batch = lgl2o::batch::Batch::values(&angles[80..96], 1, answers[80..96].as_flattened(), 2);
//! # let loss = trainer.loss(batch)?;
//! # assert!(loss < 0.02, "{loss}");
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
    answers: Answers<'a>,
    size: usize,
    /// Number of the next check batch.
    next: u32,
}

/// What the outputs for the rows are compared with.
#[derive(Debug, Clone, Copy)]
enum Answers<'a> {
    /// A label for each.
    Classes(&'a [u8]),
    /// So many values for each.
    Values(&'a [f32], usize),
}

impl Answers<'_> {
    /// How many rows have one; an incomplete last one counts for none.
    fn count(&self) -> usize {
        match self {
            Self::Classes(labels) => labels.len(),
            Self::Values(values, outputs) => values.len().checked_div(*outputs).unwrap_or(0),
        }
    }
}

impl<'a, S> HeldOut<'a, S> {
    /// Training batches come from `source`; `inputs` are the held-out rows, of `width` numbers each, with their `labels`. A
    /// check batch has `size` rows, no more than the objective has room for.
    ///
    /// # Errors
    /// [`Error::EmptyBatch`] for no rows or a `size` of 0, [`Error::ShapeMismatch`] where lengths do not belong together.
    pub fn new(source: S, inputs: &'a [f32], width: usize, labels: &'a [u8], size: usize) -> Result<Self, Error> {
        Self::of(source, (inputs, width), Answers::Classes(labels), size)
    }

    /// The same for regression: each held-out row has `outputs` numbers of `values`, row after row. The loss compares values.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::ShapeMismatch`] also where there are not `outputs` values for each row, and
    /// [`Error::InvalidSetting`] where `width` or `outputs` is zero.
    pub fn values(
        source: S,
        inputs: &'a [f32],
        width: usize,
        values: &'a [f32],
        outputs: usize,
        size: usize,
    ) -> Result<Self, Error> {
        let Some(rows) = inputs.len().checked_div(width).filter(|_| outputs > 0) else {
            return Err(Error::InvalidSetting { what: "a held-out row has at least one input and one value" });
        };
        let (expected, found) = (rows.saturating_mul(outputs), values.len());
        if rows.saturating_mul(width) == inputs.len() && expected != found {
            return Err(Error::ShapeMismatch { what: "the held-out values", expected, found });
        }
        Self::of(source, (inputs, width), Answers::Values(values, outputs), size)
    }

    fn of(source: S, (inputs, width): (&'a [f32], usize), answers: Answers<'a>, size: usize) -> Result<Self, Error> {
        if answers.count() == 0 || size == 0 {
            return Err(Error::EmptyBatch);
        }
        let expected = answers.count().saturating_mul(width);
        if expected != inputs.len() {
            return Err(Error::ShapeMismatch { what: "the held-out inputs", expected, found: inputs.len() });
        }
        Ok(Self { source, inputs, width, answers, size, next: 0 })
    }

    /// Part `i` of the rows; `None` after the last one.
    fn part(&self, i: usize) -> Option<Batch<'a>> {
        let (inputs, width) = (self.inputs, self.width);
        match self.answers {
            Answers::Classes(labels) => Batch::part((inputs, width, labels), self.size, i),
            Answers::Values(values, outputs) => {
                Batch::part_of_values([(inputs, width), (values, outputs)], self.size, i)
            }
        }
    }
}

/// The source, and which check batch comes next.
impl<S: Persist> Persist for HeldOut<'_, S> {
    crate::persist_fields!(source, next);
}

/// The source, and numbers of rows, of their inputs, of values and in a batch. The rows themselves are not looked at.
impl<S: Fingerprint> Fingerprint for HeldOut<'_, S> {
    fn describe(&self, digest: &mut Digest) {
        match self.answers {
            Answers::Classes(_) => digest.kind("held-out"),
            Answers::Values(_, outputs) => {
                digest.kind("held-out-values");
                digest.word(outputs as u32);
            }
        }
        [self.answers.count(), self.width, self.size].iter().for_each(|&n| digest.word(n as u32));
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

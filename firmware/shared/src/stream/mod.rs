//! `stream`: learning handwritten digits from examples that a host sends.
//!
//! A 196-16-10 network with sigmoid units and cross-entropy learns from batches of 16 images of 14 x 14 grey values,
//! one training step a batch, under [`auto_lean`](lgl2o::auto_lean()): there is no number to set.
//!
//! ```text
//! device                                 host
//! question 17 of run R: Train      ->
//!                                  <-    answer 17 of run R: 16 images with labels
//! (a step)
//! question 18 of run R: Check      ->
//!                                  <-    answer 18 ...
//! ```
//!
//! The device asks, one question at a time, and does nothing but wait for its answer. An answer of another number is not
//! looked at, and the question is said again. So whatever is lost, damaged, repeated or reordered on the way, no batch
//! is trained on twice and none is left out; a host that vanishes finds the device at the same question when it comes
//! back. The device never gives up; patience is the host's business.
//!
//! | module | does |
//! |---|---|
//! | [`feed`] | turns answers into the batches of a round, and holds check batches |
//! | [`learner`] | the run: rounds, records, the end |
//! | [`wire`] | asks over a serial line |
//!
//! # Memory
//!
//! With P = 3322 parameters, a batch of B = 16 images of 196 pixels, and R = 3 check batches held as bytes:
//!
//! ```text
//! 4 (6 P + 26 B + 2 B + 196 B)    P: parameters, the running point, a gradient, three numbers of a rule; activations, losses, batch
//! + 197 B R + B                   check batches, labels
//! = 103,536 bytes                 and less than 1 kB of counts and small state
//! ```
//!
//! in [`Memory`], and one frame of 3.2 kB in [`Inbox`]: below 128 kB with the stack. Both are zero at the beginning, so that
//! a `static` of them costs no flash. Batches come one at a time, so that the guard's windows of hundreds of steps take no
//! memory.

pub mod feed;
pub mod learner;
pub mod wire;

use lgl2o::chain;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Sigmoid};

pub use feed::{Feed, Held};
pub use learner::{Learner, Memory};
pub use wire::{Inbox, Wire};

use crate::message::{Answer, Ask};

/// Grey values of an image, 14 x 14.
pub const INPUTS: usize = 196;
/// Hidden units.
pub const HIDDEN: usize = 16;
/// Classes.
pub const CLASSES: usize = 10;
/// Examples in a batch.
pub const BATCH: usize = 16;
/// Check batches that the device holds.
pub const RING: usize = 3;

/// 196-16-10 with sigmoid units.
pub type Layers = chain![Dense<INPUTS, HIDDEN, Sigmoid>, Dense<HIDDEN, CLASSES>];
/// The optimizee.
pub type Optimizee = Mlp<Fixed<Layers, BATCH>>;

/// The optimizee.
#[must_use]
pub const fn optimizee() -> Optimizee {
    Mlp::new(Fixed::new(), Loss::CrossEntropy)
}

/// Where the learner gets its answers from: a line to the host, or on the host, the data themselves.
pub trait Exchange {
    /// Why there will be no answer, ever.
    type Error;

    /// Asks, and waits for the answer that fits the question: [`fits`] holds for what is given.
    ///
    /// # Errors
    /// If there will be no answer. The run cannot go on then.
    fn ask(&mut self, ask: &Ask) -> Result<Answer<'_>, Self::Error>;
}

/// Whether an answer is one to this question, and can be used as it is.
#[must_use]
pub fn fits(ask: &Ask, answer: &Answer<'_>) -> bool {
    match (ask, answer) {
        (Ask::Start, Answer::Start(_)) | (Ask::Round(_) | Ask::Done { .. }, Answer::Noted) => true,
        (Ask::Train | Ask::Check, Answer::Batch { pixels, labels }) => {
            let known = labels.iter().all(|&label| usize::from(label) < CLASSES);
            pixels.len() == BATCH * INPUTS && labels.len() == BATCH && known
        }
        _ => false,
    }
}

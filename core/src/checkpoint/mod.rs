//! Checkpoints: everything that a run needs to go on, bit for bit, after a reset.
//!
//! ```text
//! offset 0   "L2OR"
//!        4   version, 1
//!        5   bytes at the end of the state that are a standardizer's, 24 bits; 0 for none, and where they do not fit
//!        8   fingerprint of the objective, u32
//!       12   fingerprint of the optimizer: guard, rules, settings, learned weights, u32
//!       16   fingerprint of the source of minibatches, u32
//!       20   length n of the state, u32
//!       24   CRC-32 of all bytes before it, u32
//!       28   the state, n bytes
//!   28 + n   CRC-32 of the state, u32
//!
//! state: accepted parameters | rule states, bound, schedule and count of rounds of the guard | progress | position of the source
//! ```
//!
//! All numbers are little-endian, those of a tensor in its order; a CRC-32 is that of IEEE 802.3. What every round
//! writes before it reads is not in it: gradient, candidates, activations, the copies of *rewind* and *follow*. So a
//! checkpoint is at most as long as [`Memory`](crate::Memory) and the source's position, and 32 bytes.
//!
//! Saving streams the memory out, loading streams it in; neither needs a second copy. Loading reads everything through
//! before it touches the memory, so that it is all or nothing: a checkpoint that is damaged, cut off, of another version
//! or of something else is refused with a [`CheckpointError`] that says what is wrong, and the memory is as it was. A
//! program that has a new optimizer, or new data, can still [load the parameters](crate::Trainer::load_params).
//!
//! The accepted parameters come first for every guard, and the standardizer of a
//! [`Standardized`](crate::standardize::Standardized) source comes last, so a [`Model`](crate::Model) finds both without memory
//! for a trainer.
//!
//! ```
//! use lgl2o::source::Exact;
//! use lgl2o::checkpoint::Buffer;
//! use lgl2o::guard::LossGuard;
//! use lgl2o::objective::Quadratic;
//! use lgl2o::{Memory, Trainer, learned, rule::Momentum};
//!
//! let bowl = Quadratic::new([1.0, 10.0], [3.0, -1.0])?;
//! let guard = LossGuard::new(learned::ngn(), Momentum::new(0.05));
//! let mut memory = Memory::new();
//! let mut trainer = Trainer::new(&bowl, &guard, &mut memory);
//! trainer.round(&mut Exact)?;
//! let mut bytes = [0; 512];
//! let mut buffer = Buffer::new(&mut bytes);
//! trainer.save(&Exact, &mut buffer).expect("512 bytes are enough");
//!
//! // Later, after a reset:
//! let mut memory = Memory::new();
//! let mut resumed = Trainer::new(&bowl, &guard, &mut memory);
//! resumed.load(&mut Exact, &mut buffer.written())?;
//! assert_eq!(resumed.progress(), trainer.progress());
//! trainer.round(&mut Exact)?;
//! resumed.round(&mut Exact)?;
//! assert_eq!(resumed.params(), trainer.params());
//! # Ok::<(), lgl2o::Error>(())
//! ```
//!
//! On a device, `slots` keeps the two latest checkpoints in flash (feature `nor-flash`; `nor-flash-async` for asynchronous drivers).

pub mod format;
mod model;
mod run;
#[cfg(feature = "nor-flash")]
pub mod slots;

pub use format::{Buffer, Store};
#[cfg(feature = "nor-flash-async")]
pub use slots::AsyncSlots;
#[cfg(feature = "nor-flash")]
pub use slots::{Resumed, SlotError, SlotState, Slots};

pub use crate::error::CheckpointError;
pub use crate::persist::{CHUNK, Digest, Fingerprint, Origin, Persist, Sink};

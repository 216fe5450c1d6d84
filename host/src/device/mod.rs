//! The device link: builds a demonstration for a board, runs it, and holds it against the same core here, bit by bit.
//!
//! A [`board`] says which emulator and which network belong to it; [`firmware`] builds the program, [`emulator`] runs it,
//! or a [`port`] leads to real hardware, into which a [`probe`] writes it. What comes back on its two lines, the log and
//! the UART, is [`listen`]ed to for one [`session`]; [`foreign`] tells another program at once. [`programs`] has all that
//! is known of each. [`spirals`], [`sensor`] and [`imported`] are the same runs on this machine; [`compare`] finds the
//! first round that differs. A program that is fed from here, by [`stream`](mod@stream), talks over a [`transport`].
//! [`record`] is what `results.json` holds, and [`report`] writes it.

pub mod board;
pub mod compare;
pub mod emulator;
pub mod firmware;
pub mod foreign;
pub mod imported;
pub mod listen;
pub mod port;
pub mod probe;
pub mod programs;
pub mod record;
pub mod report;
pub mod sensor;
pub mod session;
pub mod silence;
pub mod spirals;
pub mod stream;
pub mod transport;

pub use transport::{Transport, Uart};

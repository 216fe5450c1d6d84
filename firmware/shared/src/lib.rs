//! What the firmware and the host program have in common, so that both run the same code: the demonstrations' networks
//! and data, and the link between device and host.
//!
//! # The tour
//!
//! **What is trained.** [`spirals`] learns from points that it makes itself, [`stream`] from images that the host sends,
//! [`sensor`] from an accelerometer, [`imported`] the heads of networks from PyTorch, and any data in a [`table`].
//!
//! **What goes wrong.** [`faults`] lets everything go wrong that a learned optimizer and its memory can do.
//!
//! **What outlives a reset.** [`resume`] trains on spirals with checkpoints in flash.
//!
//! **What it takes.** [`cost`] counts steps, updates and decisions.
//!
//! **Where it runs.** [`boards`] is the table of boards.
//!
//! **What is compared.** A [`record`] is what a device tells of a round; its trace is the hash of all rounds so far.
//!
//! **The link.** A [`message`] travels in a [`frame`], which survives a bad line.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

#[cfg(test)]
extern crate std;

pub mod boards;
pub mod cost;
pub mod faults;
pub mod frame;
pub mod imported;
pub mod message;
pub mod record;
pub mod resume;
pub mod sensor;
pub mod spirals;
pub mod stream;
pub mod table;

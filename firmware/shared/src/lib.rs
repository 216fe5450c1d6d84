//! What the firmware and the host program have in common, so that both run the same code: the demonstrations' networks
//! and data, and the link between device and host.
//!
//! [`spirals`] trains on data that it makes itself. A [`trace`] is what a run says about each round, and the hashes by
//! which two runs are compared.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

pub mod spirals;
pub mod trace;

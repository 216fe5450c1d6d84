//! What the firmware and the host program have in common, so that both run the same code: the demonstrations' networks
//! and data, and the link between device and host.
#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

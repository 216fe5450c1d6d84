//! Demonstrations of lgl2o on microcontrollers.
//!
//! [`board`] is what a program stands on: memory, UART, LED, and how to stop. A [`program`] is written against
//! `embedded-hal` and `embedded-io` alone; what it has in common with the host is in `lgl2o-device`.
#![no_std]

pub mod board;
pub mod panic;
pub mod program;

pub use board::Board;

//! The browser as one more board: the core as WebAssembly, for the page that `lgl2o playground` writes.
//!
//! [`points`] are what is learned. A [`lane`] is one optimizer with its memory; a [`race`] has six of them on the same points, from
//! the same initial weights. The learned side can be sabotaged: [`learner`]. [`board`] runs the program `spirals` of the boards,
//! whose bits are to be the same here. [`exports`] is what the page calls; the page itself is `host/src/playground/`.
//!
//! No allocation, no panic, nothing imported: all memory is static, and a module that could panic would not link.
#![cfg_attr(target_arch = "wasm32", no_std)]

pub mod board;
pub mod exports;
pub mod lane;
pub mod learner;
pub mod points;
pub mod race;

#[cfg(target_arch = "wasm32")]
use panic_never as _;

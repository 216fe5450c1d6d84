//! What is measured on a program for a microcontroller, without the board.
//!
//! - [`stack`]: the most stack that a program for a Cortex-M can take, read from its file.
//! - [`cycles`]: how many cycles of a Cortex-M4 a piece of a program takes, by a model.

pub mod cycles;
pub mod stack;

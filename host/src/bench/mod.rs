//! [Times](lgl2o_training::bench) of steps, written down: [`page()`]. [`growth()`] asks how a step's time grows with the network and the batch.

mod growth;
mod page;

pub use lgl2o_training::bench::*;

pub use growth::{SIZES, growth};
pub use page::{Setting, markdown, page};

//! What a [survey](lgl2o_training::survey) found, written down: [`page`], with `words` and `pictures`.

pub mod page;
mod pictures;
mod words;

pub use lgl2o_training::survey::*;

//! What a [training](lgl2o_training::train) found out, written down: [`page`], with `pictures`.

pub mod page;
mod pictures;

pub use lgl2o_training::train::*;

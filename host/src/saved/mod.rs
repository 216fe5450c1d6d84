//! Trained models as files: `model.lgl2o`, and what it is exported to and imported from.
//!
//! | module | does |
//! |---|---|
//! | [`model`] | [`SavedModel`]: network, standardizer, parameters, columns and class names |
//! | [`rust`] | a module of Rust with statics for flash, which `lgl2o::Model` takes |
//! | [`c`] | a C header with the same numbers and a function |
//! | [`arrays`] | one `.npy` file for each tensor |
//! | [`onnx`] | ONNX files, read: chains of dense layers, convolutions and pooling |
//! | [`tensors`] | safetensors, written and read: this program's, those of `torch.nn.Linear`, `Conv1d`, `Conv2d` and `GRU`, and of Keras' `Dense` |
//! | [`orders`] | the order of weights in PyTorch |

pub mod arrays;
pub mod c;
mod import_error;
pub mod onnx;
pub mod orders;
pub mod rust;
mod tensor_names;
pub mod tensors;

#[cfg(test)]
mod tests;

pub use crate::container::FileError;
pub use lgl2o_training::model;
pub use model::{Output, SavedModel};

/// What an export is: files by their names.
pub type Files = Vec<(String, Vec<u8>)>;

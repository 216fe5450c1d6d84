//! ONNX, read: a chain of layers as PyTorch's exporter and others write it.
//!
//! | operators | become |
//! |---|---|
//! | `Gemm`; `MatMul` and `Add` behind it | a dense layer |
//! | `Conv` over one or two dimensions, whole or of each channel by itself | a convolution |
//! | `MaxPool`, `AveragePool`, their global forms, `ReduceMean` over time or over all pixels | pooling |
//! | `Relu`, `Tanh`, `Sigmoid` | the activation of the layer before |
//! | `Softmax`, `LogSoftmax` at the end | nothing: `predict` has a softmax of its own |
//! | `Flatten`, `Reshape`, `Transpose`, `Squeeze`, `Unsqueeze`, `Identity`, `Dropout` | another order of weights, or nothing |
//!
//! Everything else, such as a recurrent layer, is an error that names the operator and the node. Two orders differ: a series is channels x
//! times in ONNX and times x channels here, and an image is channels x rows x columns in ONNX and rows x columns x channels here. The weights of
//! convolutions, and of a dense layer behind a `Flatten`, differ likewise.

mod axes;
mod chain;
mod messages;
mod numbers;
mod operators;
mod reader;
mod shapes;
mod windows;

use std::path::Path;

use prost::Message as _;

use super::SavedModel;
use super::tensors::{self, ImportError, Unsaid};
use crate::network::series::ByValue;

/// The operators that are known, for messages.
const KNOWN: &str = "Gemm, MatMul, Add, Conv, MaxPool, AveragePool, GlobalMaxPool, GlobalAveragePool, ReduceMean, Relu, Tanh, \
                     Sigmoid, Softmax, LogSoftmax, Flatten, Reshape, Transpose, Squeeze, Unsqueeze, Identity, Dropout, Constant";

/// What is wrong with an ONNX file.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OnnxError {
    /// It is no such file, or damaged.
    #[error("it is no whole ONNX file ({0}): write it again with torch.onnx.export")]
    Format(String),
    /// It is not one chain from one input to one output.
    #[error(
        "the network has {inputs} inputs and {outputs} outputs; a model of lgl2o has one of each. Export a part that has one of each"
    )]
    Ends {
        /// Inputs that are no weights.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
    /// The input has a shape of which a side is not known, or of too few sides.
    #[error(
        "the input `{name}` has the shape {shape}: export it with a batch first and all other sides fixed, as in [batch, 4]"
    )]
    Input {
        /// Its name.
        name: String,
        /// Its shape.
        shape: String,
    },
    /// An operator that is no layer of this program.
    #[error(
        "node `{node}` is of the operator `{operator}`, which lgl2o has no layer for. It reads {KNOWN}. Train a network without it"
    )]
    Operator {
        /// The node.
        node: String,
        /// The operator.
        operator: String,
    },
    /// Something is computed of two values, or of one that is not the last one.
    #[error(
        "node `{node}` ({operator}) does not take the output of the node before it alone: a model of lgl2o is one chain of layers. \
         Leave out what branches, or train another network"
    )]
    Branch {
        /// The node.
        node: String,
        /// Its operator.
        operator: String,
    },
    /// A node's settings or its shapes are none that a layer has.
    #[error("node `{node}` ({operator}): {why}")]
    Node {
        /// The node.
        node: String,
        /// Its operator.
        operator: String,
        /// Why not, and what to do.
        why: String,
    },
    /// A tensor of other numbers.
    #[error(
        "the weights `{name}` are {kind}; FLOAT, DOUBLE, FLOAT16 and BFLOAT16 are read. Export the network before it is quantized"
    )]
    Type {
        /// The tensor.
        name: String,
        /// What it holds.
        kind: String,
    },
    /// A tensor whose shape does not go with its numbers.
    #[error("the weights `{name}` of shape {shape:?} have {found} numbers: the file is damaged. Export it again")]
    Damaged {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<i64>,
        /// Its numbers.
        found: usize,
    },
    /// Weights in a file that is not there.
    #[error("the weights `{name}` are in the file `{place}`: {why}. Copy it beside the ONNX file")]
    External {
        /// The tensor.
        name: String,
        /// The file.
        place: String,
        /// What is wrong.
        why: String,
    },
    /// Whatever is wrong with names, numbers or the model itself.
    #[error(transparent)]
    Import(#[from] ImportError),
}

/// A chain of layers out of a file.
struct Chain {
    layers: Vec<ByValue>,
    params: Vec<f32>,
}

/// A model out of the bytes of a file that lies in a folder, in which its weights may be.
///
/// # Errors
/// Whatever is wrong with them.
pub fn import(bytes: &[u8], folder: &Path, unsaid: &Unsaid<'_>) -> Result<SavedModel, OnnxError> {
    let file = messages::Model::decode(bytes).map_err(|error| OnnxError::Format(error.to_string()))?;
    let graph = file.graph.ok_or_else(|| OnnxError::Format("it holds no network".to_owned()))?;
    let Chain { layers, params } = chain::read(&graph, folder)?;
    Ok(tensors::model(&layers, &params, unsaid)?)
}

//! A trained model: `model.lgl2o`.
//!
//! The body of the file holds the parameters, layer by layer: weights and bias, and for a recurrent layer weights and bias for its inputs,
//! then for its state. The mean and the standard deviation of each feature follow.
//!
//! Weights are outputs x inputs, row by row. Those of a convolution are outputs x times x channels, those of one of each channel by itself
//! times x channels. Over an image they are rows x columns x channels x outputs, and rows x columns x channels. Those of a recurrent layer
//! are (3 units) x channels and (3 units) x units, in the order of the gates r, z, n. A layer without a kind in the header is dense.

use std::path::Path;

use anyhow::Context as _;
use lgl2o::Model;
use lgl2o::objective::mlp::{Activation, Loss, Mlp, Shape};
use lgl2o::standardize::Standardizer;
use lgl2o::tensors::Tensors as _;
use serde::{Deserialize, Serialize};

use crate::container::{self, FileError, Kind};
use crate::data::table::Columns;
use crate::network::expression;
use crate::network::series::{ByValue, Kind as Layer};
use crate::network::{HeapNetwork, HeapTensors, check_numbers};

/// The file of a model.
pub const KIND: Kind = Kind { magic: *b"L2OM", version: 1, name: "a model of lgl2o" };

/// What a model answers with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Output {
    /// One of these classes.
    Classes(Vec<String>),
    /// A value.
    Value,
}

/// A layer in the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct LayerHeader {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    #[serde(default, skip_serializing_if = "is_dense")]
    kind: Layer,
}

fn is_dense(kind: &Layer) -> bool {
    *kind == Layer::Dense
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    layers: Vec<LayerHeader>,
    output: Output,
    columns: Columns,
}

/// The core's model, with memory on the heap.
pub type HeapModel = Model<HeapNetwork, HeapTensors, Standardizer<HeapTensors>>;

/// A trained model.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedModel {
    /// The network, for one row at a time.
    pub network: HeapNetwork,
    /// Its parameters.
    pub params: HeapTensors,
    /// The mean of each feature.
    pub mean: Vec<f32>,
    /// Their standard deviations; 0 for a feature that the network sees as 0.
    pub deviation: Vec<f32>,
    /// What its outputs are.
    pub output: Output,
    /// Which columns its features were.
    pub columns: Columns,
}

impl SavedModel {
    /// The layers, at least one.
    #[must_use]
    pub fn layers(&self) -> &[Shape] {
        self.network.layers()
    }

    /// The names of the classes; none where the output is a value.
    #[must_use]
    pub fn classes(&self) -> &[String] {
        match &self.output {
            Output::Classes(names) => names,
            Output::Value => &[],
        }
    }

    /// The loss that goes with its output.
    #[must_use]
    pub fn loss(&self) -> Loss {
        match self.output {
            Output::Classes(_) => Loss::CrossEntropy,
            Output::Value => Loss::SquaredError,
        }
    }

    /// The layers with what they compute.
    #[must_use]
    pub fn by_value(&self) -> Vec<ByValue> {
        self.network.by_value()
    }

    /// Weights and bias of a layer for its inputs; empty where it has none.
    #[must_use]
    pub fn tensors(&self, l: usize) -> [&[f32]; 2] {
        self.pair(l, 0)
    }

    /// Weights and bias number `i` of a layer: 0 for its inputs, 1 for the state of a recurrent layer; empty where it has none.
    #[must_use]
    pub fn pair(&self, l: usize, i: usize) -> [&[f32]; 2] {
        let first = self.network.first_tensor(l);
        let count = self.by_value().get(l).map_or(0, |layer| layer.kind.tensors());
        [2 * i, 2 * i + 1].map(|i| if i < count { self.params.tensor(first + i) } else { &[] })
    }

    /// Whether every layer is dense.
    #[must_use]
    pub fn is_dense(&self) -> bool {
        self.by_value().iter().all(|layer| is_dense(&layer.kind))
    }

    /// The network in words, such as `4-16-3 relu`, or `100x6 conv1d(8, 5, 2, 0, Relu), max_pool(4), dense(3)`. What
    /// has convolutions is in the words that [`expression`] reads.
    #[must_use]
    pub fn shape(&self) -> String {
        if !self.is_dense() {
            return expression::written(&self.by_value());
        }
        let layers = self.layers();
        let first = layers.first().map_or(0, |layer| layer.inputs);
        let widths: Vec<String> =
            [first].into_iter().chain(layers.iter().map(|l| l.outputs)).map(|w| w.to_string()).collect();
        let mut activations: Vec<String> =
            layers.iter().map(|layer| format!("{:?}", layer.activation).to_lowercase()).collect();
        activations.pop();
        activations.dedup();
        format!("{} {}", widths.join("-"), activations.join("+")).trim_end().to_owned()
    }

    /// The core's model, which predicts.
    ///
    /// # Errors
    /// What the core says about the standardizer; nothing for a model that was read from a file.
    pub fn model(&self) -> Result<HeapModel, lgl2o::Error> {
        let row = |numbers: &[f32]| {
            let mut row = HeapTensors::zeros([numbers.len()]);
            row.as_mut_slice().copy_from_slice(numbers);
            row
        };
        let standardizer = Standardizer::given(row(&self.mean), row(&self.deviation))?;
        Ok(Model::blank(Mlp::new(self.network.clone(), self.loss()), self.params.clone(), standardizer))
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let layer = |layer: &ByValue| {
            let Shape { inputs, outputs, activation } = layer.shape;
            LayerHeader { inputs, outputs, activation, kind: layer.kind }
        };
        let layers = self.by_value().iter().map(layer).collect();
        let header = Header { layers, output: self.output.clone(), columns: self.columns.clone() };
        let body = [self.params.as_slice(), &self.mean, &self.deviation].map(container::bytes).concat();
        container::write(KIND, &header, &body)
    }

    /// A model out of a file's bytes.
    ///
    /// # Errors
    /// Whatever is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, FileError> {
        let (header, body): (Header, _) = container::read(KIND, bytes)?;
        let numbers = container::numbers(body);
        let inputs = header.layers.first().map_or(0, |layer| layer.inputs);
        let layer = |l: &LayerHeader| ByValue {
            kind: l.kind,
            shape: Shape { inputs: l.inputs, outputs: l.outputs, activation: l.activation },
        };
        let layers: Vec<ByValue> = header.layers.iter().map(layer).collect();
        check_layers(&layers)?;
        let parameters: usize = layers.iter().map(|layer| layer.parameters()).sum();
        if body.len() != 4 * (parameters + 2 * inputs) {
            return Err(FileError::Content(format!("{} bytes of numbers for {parameters} parameters", body.len())));
        }
        let (params, rest) = numbers.split_at(parameters);
        let (mean, deviation) = rest.split_at(inputs);
        Self::of(&layers, params, [mean, deviation], header.output, header.columns)
    }

    /// A model of these dense layers; standardization is means and standard deviations.
    ///
    /// # Errors
    /// If its parts do not fit together.
    pub fn new(
        layers: Vec<Shape>,
        params: &[f32],
        standardizer: [&[f32]; 2],
        output: Output,
        columns: Columns,
    ) -> Result<Self, FileError> {
        let layers: Vec<ByValue> = layers.into_iter().map(ByValue::from).collect();
        Self::of(&layers, params, standardizer, output, columns)
    }

    /// A model of these layers; standardization is means and standard deviations.
    ///
    /// # Errors
    /// If its parts do not fit together.
    pub fn of(
        layers: &[ByValue],
        params: &[f32],
        [mean, deviation]: [&[f32]; 2],
        output: Output,
        columns: Columns,
    ) -> Result<Self, FileError> {
        let wrong = |what: String| Err(FileError::Content(what));
        check_layers(layers)?;
        let (inputs, outputs) = (layers[0].shape.inputs, layers[layers.len() - 1].shape.outputs);
        let expected: usize = layers.iter().map(|layer| layer.parameters()).sum();
        if (params.len(), mean.len(), deviation.len()) != (expected, inputs, inputs) || columns.features.len() != inputs
        {
            return wrong("numbers of parameters, features and columns differ".to_owned());
        }
        let answers = match &output {
            Output::Classes(names) if (2..=256).contains(&names.len()) => names.len(),
            Output::Classes(names) => return wrong(format!("it has {} classes; 2 to 256 are possible", names.len())),
            Output::Value => 1,
        };
        if answers != outputs {
            return wrong(format!("{outputs} outputs for {answers} answers"));
        }
        if ![params, mean, deviation].concat().iter().all(|x| x.is_finite()) {
            return wrong("a number is not finite".to_owned());
        }
        let network = HeapNetwork::of(layers, 1);
        let mut tensors = lgl2o::objective::mlp::network::BlankNetwork::blank_params(&network);
        tensors.as_mut_slice().copy_from_slice(params);
        let (mean, deviation) = (mean.to_vec(), deviation.to_vec());
        let model = Self { network, params: tensors, mean, deviation, output, columns };
        match model.model() {
            Ok(_) => Ok(model),
            Err(error) => wrong(error.to_string()),
        }
    }

    /// Reads a model.
    ///
    /// # Errors
    /// If that fails, with the file's name.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        Self::from_bytes(&container::bytes_of(path)?).with_context(|| format!("cannot use {}", path.display()))
    }
}

/// Layers follow each other, and are not too large.
fn check_layers(layers: &[ByValue]) -> Result<(), FileError> {
    let chained = layers.windows(2).all(|pair| pair[0].shape.outputs == pair[1].shape.inputs);
    if layers.is_empty() || !chained || !layers.iter().all(ByValue::is_sound) {
        return Err(FileError::Content("the layers do not follow each other".to_owned()));
    }
    let activations = layers.iter().map(ByValue::activations);
    let widths: Vec<usize> = [layers[0].shape.inputs].into_iter().chain(activations).collect();
    let parameters = layers.iter().map(|layer| layer.parameters()).fold(0, usize::saturating_add);
    check_numbers(parameters, &widths, 1).map_err(|error| FileError::Content(error.to_string()))
}

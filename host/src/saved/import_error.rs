//! What is wrong with a file of tensors.

use crate::container;

/// What is wrong with a file of tensors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// It is no such file, or damaged.
    #[error("it is no whole file of safetensors ({0}): write it again with save_file")]
    Format(String),
    /// A tensor of other numbers.
    #[error("`{name}` holds {kind}, and only F32, F64 and BF16 are read: convert it, as with t.float()")]
    Type {
        /// The tensor.
        name: String,
        /// What it holds.
        kind: String,
    },
    /// A tensor that belongs to no dense layer.
    #[error(
        "`{name}` of shape {shape:?} is no weight or bias of a dense layer. Leave it out; if the network has convolutions or a gru, name its \
         layers, as in --network '28x28x1 conv2d(8, 3, 2, 1, Relu), dense(10)' or '100x6 gru(12), dense(4)'; convolutions are read from an \
         ONNX file, too"
    )]
    Other {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
    },
    /// A tensor of several recurrent layers in one, or of one in both directions.
    #[error(
        "`{name}` belongs to a recurrent module with several layers or two directions, and gru has one layer that runs forwards. Train nn.GRU \
         with num_layers=1 and bidirectional=False"
    )]
    Recurrent {
        /// The tensor.
        name: String,
    },
    /// Weights of a recurrent layer of another kind.
    #[error(
        "`{name}` has {found} rows for {units} units, and the weights of a GRU have {}: it belongs to an LSTM or to another recurrent layer. \
         Train nn.GRU, whose weights gru reads",
        3 * units
    )]
    NoGru {
        /// The tensor.
        name: String,
        /// Its rows.
        found: usize,
        /// Units, by its columns.
        units: usize,
    },
    /// No layer is there.
    #[error("there is no dense layer in it: names end in .weight and .bias (PyTorch), or kernel and bias (Keras)")]
    Empty,
    /// Other layers than those that were asked for.
    #[error(
        "it holds {found} layers with weights, and the network that was asked for has {expected}: name its layers with --network"
    )]
    Layers {
        /// How many were asked for.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// Weights of another shape than the layer's that was asked for.
    #[error(
        "`{name}` has the shape {found:?}, and the weights of `{layer}` have {expected:?}: layers are sorted by name, so give their order in the \
         network with --order A,B,C, or say with --network which layers there are"
    )]
    Shape {
        /// The tensor.
        name: String,
        /// Its shape.
        found: Vec<usize>,
        /// The layer, on its inputs.
        layer: String,
        /// The shape of its weights.
        expected: Vec<usize>,
    },
    /// Tensors of a recurrent layer where --network has another layer, or the other way round.
    #[error(
        "the tensors of layer `{name}` are not those of `{layer}`: layers are sorted by name, so give their order in the network with --order A,B,C, \
         or say with --network which layers there are"
    )]
    Kind {
        /// The layer of the file.
        name: String,
        /// The one that was asked for, on its inputs.
        layer: String,
    },
    /// The file says which layers it holds, and others were asked for.
    #[error("it holds the network {0}, and --network says another: leave --network out")]
    OtherNetwork(String),
    /// A bias does not go with its weights.
    #[error("the bias of `{layer}` has {found} numbers where its weights have {expected} outputs: export it again")]
    Bias {
        /// The layer.
        layer: String,
        /// Outputs.
        expected: usize,
        /// Numbers of the bias.
        found: usize,
    },
    /// Two layers do not fit.
    #[error(
        "`{layer}` takes {inputs} inputs, but the layer before it has {outputs} outputs: give the layers in their order with --order A,B,C"
    )]
    Chain {
        /// The second one.
        layer: String,
        /// Its inputs.
        inputs: usize,
        /// Outputs of the first one.
        outputs: usize,
    },
    /// A layer that was named is not there.
    #[error("there is no layer `{asked}`: name one of {known}")]
    NoLayer {
        /// What was asked for.
        asked: String,
        /// All layers.
        known: String,
    },
    /// Layers that were not named where others were.
    #[error("--order leaves out {left}: name all layers, {known}, in their order")]
    LeftOut {
        /// Those that were not named.
        left: String,
        /// All layers.
        known: String,
    },
    /// Numbers or names on the command line that are not as many as the network has inputs or outputs.
    #[error("{flag} has {found} entries, and the network has {expected} {what}: give one entry for each")]
    Count {
        /// Where they were given.
        flag: &'static str,
        /// How many were given.
        found: usize,
        /// How many there must be.
        expected: usize,
        /// Of what.
        what: &'static str,
    },
    /// A weight that is no number.
    #[error(
        "number {at} of `{name}` is {value}: the training has failed, or the file is damaged. Train again with a lower rate"
    )]
    NotFinite {
        /// The tensor.
        name: String,
        /// Which one.
        at: usize,
        /// What it is.
        value: f32,
    },
    /// A weight that no training leaves.
    #[error(
        "`{name}` holds {value:e}, which is no weight: were its bytes written in big-endian order? They must be little-endian"
    )]
    Huge {
        /// The tensor.
        name: String,
        /// The number.
        value: f32,
    },
    /// One output is no answer among classes.
    #[error("the network has one output, which is a value: say so with --regression")]
    OneOutput,
    /// Several outputs are no value.
    #[error("the network has {0} outputs, and a value is one: leave --regression out")]
    SeveralOutputs(usize),
    /// What this program had written beside the tensors is damaged.
    #[error(
        "its metadata `lgl2o`, which holds activations and names, is damaged ({0}): export the model again, or take that entry out"
    )]
    Own(String),
    /// Two tensors for one place.
    #[error("`{name}` is the second tensor of its kind in layer `{layer}`: leave one of them out")]
    Twice {
        /// The layer.
        layer: String,
        /// The second tensor.
        name: String,
    },
    /// A bias alone.
    #[error("layer `{layer}` has a bias, but no weights: write them, too, or leave it out")]
    NoWeights {
        /// The layer.
        layer: String,
    },
    /// A recurrent layer lacks the weights from its inputs, or those from its state.
    #[error("layer `{layer}` has no `{lacks}`, which every nn.GRU has: write all tensors of its state_dict()")]
    Half {
        /// The layer.
        layer: String,
        /// The tensor.
        lacks: &'static str,
    },
    /// A recurrent layer, and nothing says how many times a series has.
    #[error(
        "layer `{layer}` is recurrent, and the file does not say how many times a series has: name inputs and layers, as in --network \
         '100x6 gru(12), dense(4)' for 100 times of 6 channels"
    )]
    Times {
        /// The layer.
        layer: String,
    },
    /// A mean without a deviation, or the other way round.
    #[error(
        "only one of standardizer.mean and standardizer.deviation is in it: write both, or give --mean and --deviation"
    )]
    HalfStandardizer,
    /// The standardizer is of another network.
    #[error(
        "its standardizer is for {found} inputs, and the network has {inputs}: write it again, or give --mean and --deviation"
    )]
    Standardizer {
        /// Inputs of the network.
        inputs: usize,
        /// Numbers of mean or deviation.
        found: usize,
    },
    /// The parts are no model.
    #[error("{0}")]
    Model(container::FileError),
}

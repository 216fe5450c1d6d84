//! The order of weights in PyTorch, in which safetensors has them, and in this program.
//!
//! | layer | here | PyTorch |
//! |---|---|---|
//! | dense | outputs x inputs | the same; behind a `Flatten` the inputs are channels x times, or channels x rows x columns |
//! | 1-D convolution | outputs x times x channels | outputs x channels x times |
//! | 1-D depthwise convolution | times x channels | channels x 1 x times |
//! | recurrent, from its inputs and from its state | (3 units) x channels, (3 units) x units | the same |
//! | 2-D convolution | rows x columns x channels x outputs | outputs x channels x rows x columns |
//! | 2-D depthwise convolution | rows x columns x channels | channels x 1 x rows x columns |

use crate::network::series::{ByValue, Kind};

/// The shape of a layer's weights number `pair` in PyTorch; empty where it has none.
#[must_use]
pub fn shape(layer: &ByValue, pair: usize) -> Vec<usize> {
    let outputs = layer.channels();
    match layer.kind {
        Kind::Gru(steps) => vec![3 * outputs, if pair == 0 { steps.channels } else { outputs }],
        Kind::Dense => vec![outputs, layer.shape.inputs],
        Kind::Conv1d(over) => vec![outputs, over.channels, over.kernel],
        Kind::Depthwise(over) => vec![outputs, 1, over.kernel],
        Kind::Conv2d(area) => vec![outputs, area.channels, area.kernel[0], area.kernel[1]],
        Kind::Depthwise2d(area) => vec![outputs, 1, area.kernel[0], area.kernel[1]],
        Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::MaxPool2d(_) | Kind::AveragePool2d(_) => Vec::new(),
    }
}

/// For each weight here, its place in PyTorch; `before` is the layer below.
fn places(layer: &ByValue, before: Option<&ByValue>, count: usize) -> Vec<usize> {
    let outputs = layer.channels().max(1);
    let place = |i: usize| match layer.kind {
        Kind::Dense => {
            let (inputs, channels) = (layer.shape.inputs, before.map_or(1, |before| before.channels()).max(1));
            let (row, column) = (i / inputs, i % inputs);
            row * inputs + column % channels * (inputs / channels) + column / channels
        }
        Kind::Conv1d(over) => {
            let width = over.kernel * over.channels;
            let (output, tap, channel) = (i / width, i % width / over.channels, i % over.channels);
            (output * over.channels + channel) * over.kernel + tap
        }
        Kind::Conv2d(area) => {
            let (tap, channel, output) = (i / outputs / area.channels, i / outputs % area.channels, i % outputs);
            (output * area.channels + channel) * area.taps() + tap
        }
        Kind::Depthwise(over) => i % outputs * over.kernel + i / outputs,
        Kind::Depthwise2d(area) => i % outputs * area.taps() + i / outputs,
        Kind::Gru(_) | Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::MaxPool2d(_) | Kind::AveragePool2d(_) => i,
    };
    (0..count).map(place).collect()
}

/// A layer's weights in this program's order, out of PyTorch's; there are as many as it has.
#[must_use]
pub fn inwards(layer: &ByValue, before: Option<&ByValue>, weights: &[f32]) -> Vec<f32> {
    places(layer, before, weights.len()).into_iter().map(|place| weights[place]).collect()
}

/// A layer's weights in PyTorch's order, out of this program's.
#[must_use]
pub fn outwards(layer: &ByValue, before: Option<&ByValue>, weights: &[f32]) -> Vec<f32> {
    let mut out = vec![0.0; weights.len()];
    places(layer, before, weights.len()).into_iter().zip(weights).for_each(|(place, w)| out[place] = *w);
    out
}

/// Outputs x inputs out of inputs x outputs, as Keras has them, or the other way round.
#[must_use]
pub fn transposed(numbers: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| numbers[r * columns + c])).collect()
}

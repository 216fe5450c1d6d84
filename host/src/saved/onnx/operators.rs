//! The operators that a chain of layers is made of.

use lgl2o::objective::mlp::Activation;

use super::OnnxError;
use super::axes::{Axis, words};
use super::messages::Node;
use super::reader::{Built, Reader, int, refuse};
use super::shapes::{flatten, place, reshape, squeeze, transpose, unsqueeze};
use super::windows::{conv, global_pool, mean, pool};
use crate::network::series::Kind;

/// Reads a node into a chain.
type Read = fn(&mut Reader<'_>, &Node) -> Result<(), OnnxError>;

/// What reads a node of this operator, if something does.
pub(super) fn find(node: &Node) -> Option<Read> {
    if !matches!(node.domain.as_str(), "" | "ai.onnx") {
        return None;
    }
    let read: Read = match node.op_type.as_str() {
        "Gemm" => gemm,
        "MatMul" => matmul,
        "Add" => add,
        "Conv" => conv,
        "MaxPool" | "AveragePool" => pool,
        "GlobalMaxPool" | "GlobalAveragePool" => global_pool,
        "ReduceMean" => mean,
        "Relu" => |reader, node| activate(reader, node, Activation::Relu),
        "Tanh" => |reader, node| activate(reader, node, Activation::Tanh),
        "Sigmoid" => |reader, node| activate(reader, node, Activation::Sigmoid),
        "Softmax" | "LogSoftmax" => softmax,
        "Flatten" => flatten,
        "Reshape" => reshape,
        "Transpose" => transpose,
        "Squeeze" => squeeze,
        "Unsqueeze" => unsqueeze,
        "Identity" | "Dropout" => |_, _| Ok(()),
        _ => return None,
    };
    Some(read)
}

/// Refuses recurrent layers: a GRU is read from another kind of file. Around one an exporter writes nodes of no layer, so this comes first.
pub(super) fn refuse_recurrent(nodes: &[Node]) -> Result<(), OnnxError> {
    let why = |node: &Node| match node.op_type.as_str() {
        "GRU" => Some(
            "a gru is not read from ONNX. Write the weights to safetensors with save_file, and name the layers, as in --network \
             '100x6 gru(12), dense(4)'",
        ),
        "LSTM" | "RNN" => Some(
            "the only recurrent layer of lgl2o is that of nn.GRU. Train a network with it, and write the weights to safetensors with \
             save_file",
        ),
        _ => None,
    };
    nodes.iter().find_map(|node| Some((node, why(node)?))).map_or(Ok(()), |(node, why)| refuse(node, why))
}

fn float(node: &Node, name: &str, unsaid: f32) -> f32 {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(unsaid, |attribute| attribute.f)
}

/// Matrix number 1 of a node as outputs x inputs.
fn matrix(reader: &Reader<'_>, node: &Node, is_turned: bool) -> Result<([usize; 2], Vec<f32>), OnnxError> {
    let Some((shape, numbers)) = reader.weights(node, 1)? else { return refuse(node, "it has no weights") };
    let [rows, columns] = shape[..] else {
        return refuse(node, format!("its weights of shape {shape:?} are no matrix"));
    };
    if rows == 0 || columns == 0 {
        return refuse(node, format!("its weights of shape {shape:?} are empty"));
    }
    Ok(match is_turned {
        true => ([rows, columns], numbers),
        false => ([columns, rows], (0..columns).flat_map(|c| numbers[c..].iter().step_by(columns)).copied().collect()),
    })
}

/// A dense layer of some weights, whose columns are put into the order of the layer before.
fn dense(
    reader: &mut Reader<'_>,
    node: &Node,
    ([outputs, inputs], mut weights): ([usize; 2], Vec<f32>),
    bias: Option<Vec<f32>>,
) -> Result<(), OnnxError> {
    // One channel, or one time, is as good as flat.
    let last = match reader.axes[..] {
        [Axis::Batch, Axis::Flat(n) | Axis::Channel(n) | Axis::Time(n)] => Axis::Flat(n),
        [Axis::Batch, turned @ Axis::Turned { .. }] => turned,
        _ => {
            let shape = words(&reader.axes);
            return refuse(node, format!("a dense layer takes rows, and this is {shape}: put a Flatten before it"));
        }
    };
    if last.length() != Some(inputs) {
        let found = words(&reader.axes);
        return refuse(
            node,
            format!("its weights take {inputs} inputs, and what comes in is {found}. Export it again"),
        );
    }
    if let Axis::Turned { time, channels } = last {
        let turned =
            |row: &[f32]| -> Vec<f32> { (0..inputs).map(|i| row[i % channels * time + i / channels]).collect() };
        weights = weights.chunks(inputs).flat_map(turned).collect();
    }
    let is_open = bias.is_none();
    let bias = bias.unwrap_or_else(|| vec![0.0; outputs]);
    if bias.len() != outputs {
        return refuse(node, format!("its bias has {} numbers for {outputs} outputs. Export it again", bias.len()));
    }
    let (kind, activation) = (Kind::Dense, Activation::Identity);
    reader.push(node, Built { kind, inputs, outputs, activation, weights, bias, is_open })?;
    reader.axes = vec![Axis::Batch, Axis::Flat(outputs)];
    Ok(())
}

fn gemm(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let factors = [float(node, "alpha", 1.0), float(node, "beta", 1.0)];
    if factors != [1.0, 1.0] || int(node, "transA", 0) != 0 {
        return refuse(node, "alpha and beta must be 1, and transA 0, as those of nn.Linear are");
    }
    let weights = matrix(reader, node, int(node, "transB", 0) != 0)?;
    let bias = reader.weights(node, 2)?.map(|(_, bias)| bias);
    dense(reader, node, weights, bias)?;
    close(reader);
    Ok(())
}

fn matmul(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let weights = matrix(reader, node, false)?;
    dense(reader, node, weights, None)
}

/// The bias of a `MatMul`.
fn add(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let place = (0..node.input.len()).find(|&i| reader.constant(&node.input[i]).is_some());
    let Some((_, numbers)) = place.map_or(Ok(None), |i| reader.weights(node, i))? else {
        return refuse(node, "what it adds is not in the file. Export the network with its weights");
    };
    match reader.layers.last_mut().filter(|layer| layer.is_open && layer.outputs == numbers.len()) {
        Some(layer) => layer.bias = numbers,
        None => return refuse(node, "it is not the bias of the MatMul right before it. lgl2o has no other addition"),
    }
    close(reader);
    Ok(())
}

/// No bias may come any more.
fn close(reader: &mut Reader<'_>) {
    if let Some(layer) = reader.layers.last_mut() {
        layer.is_open = false;
    }
}

/// Puts an activation on the last layer. Every one grows with its argument, so that it may change places with a maximum.
fn activate(reader: &mut Reader<'_>, node: &Node, activation: Activation) -> Result<(), OnnxError> {
    let below =
        reader.layers.iter_mut().rev().find(|layer| !matches!(layer.kind, Kind::MaxPool(_) | Kind::MaxPool2d(_)));
    let Some(layer) = below.filter(|layer| layer.kind.has_parameters()) else {
        return refuse(node, "it does not follow a dense layer or a convolution. Move it there");
    };
    if layer.activation != Activation::Identity {
        return refuse(node, "the layer before it has an activation. Leave one of them out");
    }
    (layer.activation, layer.is_open) = (activation, false);
    Ok(())
}

fn softmax(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let axis = place(int(node, "axis", -1), reader.axes.len());
    if axis != Some(1) || !matches!(reader.axes[..], [Axis::Batch, Axis::Flat(_)]) {
        return refuse(node, "it is not over the outputs of the last layer. Export the network without it");
    }
    reader.has_ended = true;
    Ok(())
}

//! The operators that a chain of layers is made of.

use lgl2o::objective::mlp::Activation;

use super::OnnxError;
use super::axes::{Axis, series, words};
use super::messages::Node;
use super::reader::{Built, Reader, refuse};
use super::shapes::{flatten, place, reshape, squeeze, transpose, unsqueeze};
use crate::network::series::{Kind, Over};

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

fn int(node: &Node, name: &str, unsaid: i64) -> i64 {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(unsaid, |attribute| attribute.i)
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

/// Kernel, stride and padding of a node over one dimension.
fn window(reader: &Reader<'_>, node: &Node, kernel: Option<usize>) -> Result<[usize; 3], OnnxError> {
    let list = |name: &str| {
        let found = node.attribute.iter().find(|attribute| attribute.name == name);
        found.map_or(Vec::new(), |found| found.ints.clone())
    };
    let auto_pad = node.attribute.iter().find(|attribute| attribute.name == "auto_pad").map(|found| found.s.as_slice());
    if !matches!(auto_pad, None | Some(b"NOTSET" | b"VALID" | b"")) {
        return refuse(node, "its padding is computed at run time (auto_pad). Give it as a number");
    }
    let one = |name: &str, unsaid: i64| match list(name)[..] {
        [] => Ok(unsaid),
        [n] => Ok(n),
        _ => {
            let shape = words(&reader.axes);
            refuse(
                node,
                format!(
                    "it works over several dimensions of {shape}; lgl2o has layers over one, [batch, channels, times]"
                ),
            )
        }
    };
    let kernel = one("kernel_shape", kernel.map_or(0, |n| i64::try_from(n).unwrap_or(0)))?;
    let (stride, dilation) = (one("strides", 1)?, one("dilations", 1)?);
    if dilation != 1 || int(node, "ceil_mode", 0) != 0 {
        return refuse(
            node,
            format!(
                "dilation {dilation}, ceil_mode {}: lgl2o has dilation 1 and ceil_mode 0",
                int(node, "ceil_mode", 0)
            ),
        );
    }
    let padding = match list("pads")[..] {
        [] => 0,
        [before, after] if before == after => before,
        ref pads => return refuse(node, format!("its padding {pads:?} differs at the two ends. Pad both ends alike")),
    };
    match [kernel, stride, padding].map(usize::try_from) {
        [Ok(kernel), Ok(stride), Ok(padding)] if kernel > 0 && stride > 0 && padding < kernel => {
            Ok([kernel, stride, padding])
        }
        _ => refuse(
            node,
            format!("kernel {kernel}, stride {stride}, padding {padding}: the padding must be below the kernel"),
        ),
    }
}

/// Puts a layer over a series on top.
fn over(
    reader: &mut Reader<'_>,
    node: &Node,
    kind: Kind,
    outputs: usize,
    weights: [Vec<f32>; 2],
) -> Result<(), OnnxError> {
    let Some(windows) = kind.over() else { return Ok(()) };
    let (count, [weights, bias]) = (windows.count(), weights);
    let numbers = windows.time.checked_mul(windows.channels).zip(count.checked_mul(outputs));
    let Some((inputs, all)) = numbers.filter(|(_, all)| *all > 0) else {
        return refuse(
            node,
            format!("its kernel of {} is longer than the {} times that come in", windows.kernel, windows.time),
        );
    };
    reader.push(
        node,
        Built { kind, inputs, outputs: all, activation: Activation::Identity, weights, bias, is_open: false },
    )?;
    reader.axes = vec![Axis::Batch, Axis::Channel(outputs), Axis::Time(count)];
    Ok(())
}

/// Times and channels of what comes in.
fn series_of(reader: &Reader<'_>, node: &Node) -> Result<[usize; 2], OnnxError> {
    let shape = words(&reader.axes);
    series(&reader.axes)
        .map_or_else(|| refuse(node, format!("it takes [batch, channels, times], and this is {shape}")), Ok)
}

fn conv(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let Some((shape, numbers)) = reader.weights(node, 1)? else { return refuse(node, "it has no weights") };
    let [outputs, share, taps] = shape[..] else {
        return refuse(
            node,
            format!(
                "its weights {shape:?} are not those of a Conv1d, [outputs, inputs, kernel], and lgl2o has no other convolution"
            ),
        );
    };
    let [time, channels] = series_of(reader, node)?;
    let bias = reader.weights(node, 2)?.map_or_else(|| vec![0.0; outputs], |(_, bias)| bias);
    let [kernel, stride, padding] = window(reader, node, Some(taps))?;
    let groups = usize::try_from(int(node, "group", 1)).unwrap_or(0);
    if kernel != taps || share.checked_mul(groups) != Some(channels) || bias.len() != outputs || outputs == 0 {
        let (bias, found) = (bias.len(), words(&reader.axes));
        return refuse(
            node,
            format!("weights {shape:?}, bias [{bias}], kernel {kernel} and groups {groups} do not fit {found}"),
        );
    }
    let windows = Over { time, channels, kernel, stride, padding };
    if groups == 1 {
        // [output][channel][time] becomes [output][time][channel].
        let filter = |filter: &[f32]| -> Vec<f32> {
            (0..filter.len()).map(|i| filter[i % channels * kernel + i / channels]).collect()
        };
        let weights = numbers.chunks((channels * kernel).max(1)).flat_map(filter).collect();
        return over(reader, node, Kind::Conv1d(windows), outputs, [weights, bias]);
    }
    if groups != channels || outputs != channels {
        return refuse(
            node,
            format!(
                "{groups} groups of {channels} channels to {outputs}: lgl2o has 1 group, or one for each channel with one output"
            ),
        );
    }
    let weights = (0..numbers.len()).map(|i| numbers[i % channels * kernel + i / channels]).collect();
    over(reader, node, Kind::Depthwise(windows), channels, [weights, bias])
}

fn pool(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let [kernel, stride, padding] = window(reader, node, None)?;
    if stride != kernel || padding != 0 {
        return refuse(
            node,
            format!(
                "windows of {kernel}, {stride} apart, padding {padding}: those of lgl2o neither overlap nor are padded, so use stride {kernel}"
            ),
        );
    }
    pool_by(reader, node, kernel)
}

fn global_pool(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let [time, _] = series_of(reader, node)?;
    pool_by(reader, node, time)
}

fn pool_by(reader: &mut Reader<'_>, node: &Node, kernel: usize) -> Result<(), OnnxError> {
    let [time, channels] = series_of(reader, node)?;
    let windows = Over { time, channels, kernel, stride: kernel, padding: 0 };
    let kind = if node.op_type.ends_with("MaxPool") { Kind::MaxPool(windows) } else { Kind::AveragePool(windows) };
    over(reader, node, kind, channels, [Vec::new(), Vec::new()])
}

/// The mean over time, with or without sides of length 1: `AdaptiveAvgPool1d(1)`, or `x.mean(-1)`.
fn mean(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let before = reader.axes.clone();
    let places = reader.whole(node, "axes", 1).unwrap_or_default();
    let places: Option<Vec<usize>> = places.iter().map(|&axis| place(axis, before.len())).collect();
    let places = places.unwrap_or_default();
    let mut means = places.iter().map(|&at| before[at]).filter(|axis| *axis != Axis::One);
    let (Some(Axis::Time(_)), None) = (means.next(), means.next()) else {
        return refuse(
            node,
            format!(
                "its mean over dimensions {places:?} of {} is not a mean over time. Take the mean over the times of a series",
                words(&before)
            ),
        );
    };
    reader.axes.retain(|axis| *axis != Axis::One);
    if let [Axis::Batch, time @ Axis::Time(_), channels] = reader.axes[..] {
        reader.axes = vec![Axis::Batch, channels, time];
    }
    global_pool(reader, node)?;
    // The same sides as before, one of which is of length 1 now, or gone.
    let kept = int(node, "keepdims", 1) != 0;
    let after = before.iter().enumerate().filter(|(at, _)| kept || !places.contains(at)).map(|(_, axis)| *axis);
    reader.axes = after.map(|axis| if let Axis::Time(_) = axis { Axis::Time(1) } else { axis }).collect();
    Ok(())
}

/// Puts an activation on the last layer. Every one grows with its argument, so that it may change places with a maximum.
fn activate(reader: &mut Reader<'_>, node: &Node, activation: Activation) -> Result<(), OnnxError> {
    let below = reader.layers.iter_mut().rev().find(|layer| !matches!(layer.kind, Kind::MaxPool(_)));
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

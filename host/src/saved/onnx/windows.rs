//! The operators that work on windows of a series or of an image: convolutions and pooling.

use lgl2o::objective::mlp::Activation;

use super::OnnxError;
use super::axes::{Axis, image, series, words};
use super::messages::Node;
use super::reader::{Built, Reader, int, refuse};
use super::shapes::place;
use crate::network::image::Area;
use crate::network::series::{Kind, Over};

/// Kernel, stride and padding, each along every side: one number over a series, two over an image.
type Window = [Vec<usize>; 3];

/// Times and channels, or rows, columns and channels of what comes in.
fn sides(reader: &Reader<'_>, node: &Node) -> Result<Vec<usize>, OnnxError> {
    let shape = words(&reader.axes);
    match (series(&reader.axes), image(&reader.axes)) {
        (Some(sides), _) => Ok(sides.to_vec()),
        (None, Some(sides)) => Ok(sides.to_vec()),
        (None, None) => refuse(
            node,
            format!("it takes [batch, channels, times] or [batch, channels, rows, columns], and this is {shape}"),
        ),
    }
}

/// The window of a node over so many dimensions.
fn window(node: &Node, dimensions: usize, kernel: Option<&[usize]>) -> Result<Window, OnnxError> {
    let list = |name: &str| {
        let found = node.attribute.iter().find(|attribute| attribute.name == name);
        found.map_or(Vec::new(), |found| found.ints.clone())
    };
    let auto_pad = node.attribute.iter().find(|attribute| attribute.name == "auto_pad").map(|found| found.s.as_slice());
    if !matches!(auto_pad, None | Some(b"NOTSET" | b"VALID" | b"")) {
        return refuse(node, "its padding is computed at run time (auto_pad). Give it as a number");
    }
    let whole = |name: &str, unsaid: Vec<i64>| match list(name) {
        found if found.is_empty() => Ok(unsaid),
        found if found.len() == dimensions => Ok(found),
        found => refuse(
            node,
            format!(
                "its {name} {found:?} must have {dimensions} numbers, one for each dimension of its input. Export it again"
            ),
        ),
    };
    let unsaid = kernel.unwrap_or_default().iter().map(|&n| i64::try_from(n).unwrap_or(0)).collect();
    let (kernel, stride) = (whole("kernel_shape", unsaid)?, whole("strides", vec![1; dimensions])?);
    let dilation = whole("dilations", vec![1; dimensions])?;
    if dilation.iter().any(|n| *n != 1) || int(node, "ceil_mode", 0) != 0 {
        let ceil = int(node, "ceil_mode", 0);
        return refuse(
            node,
            format!("dilation {}, ceil_mode {ceil}: lgl2o has dilation 1 and ceil_mode 0", numbers(&dilation)),
        );
    }
    let pads = list("pads");
    let padding = match pads.split_at_checked(dimensions) {
        _ if pads.is_empty() => vec![0; dimensions],
        Some((before, after)) if before == after => before.to_vec(),
        _ => return refuse(node, format!("its padding {pads:?} differs at the two ends. Pad both ends alike")),
    };
    let all = [&kernel, &stride, &padding];
    let sizes = all.map(|list| list.iter().map(|&n| usize::try_from(n).ok()).collect::<Option<Vec<usize>>>());
    if let [Some(kernel), Some(stride), Some(padding)] = sizes
        && kernel.len() == dimensions
        && kernel.iter().zip(&padding).all(|(kernel, padding)| padding < kernel)
        && !stride.contains(&0)
    {
        return Ok([kernel, stride, padding]);
    }
    let [kernel, stride, padding] = all.map(|list| numbers(list));
    refuse(node, format!("kernel {kernel}, stride {stride}, padding {padding}: the padding must be below the kernel"))
}

/// One number, or several as a list.
fn numbers(list: &[i64]) -> String {
    match list {
        [one] => one.to_string(),
        all => format!("{all:?}"),
    }
}

/// A layer over a series, or over an image.
type Kinds = (fn(Over) -> Kind, fn(Area) -> Kind);

/// Puts a layer on top.
fn over(
    reader: &mut Reader<'_>,
    node: &Node,
    kinds: Kinds,
    window: &Window,
    outputs: usize,
    [weights, bias]: [Vec<f32>; 2],
) -> Result<(), OnnxError> {
    let (before, [kernel, stride, padding]) = (sides(reader, node)?, window);
    let both = |list: &[usize]| list.first_chunk::<2>().copied().unwrap_or_default();
    let (kind, after) = match (&before[..], &kernel[..]) {
        (&[time, channels], &[kernel]) => {
            let windows = Over { time, channels, kernel, stride: stride[0], padding: padding[0] };
            ((kinds.0)(windows), vec![Axis::Time(windows.count())])
        }
        (&[height, width, channels], kernel) => {
            let (kernel, stride, padding) = (both(kernel), both(stride), both(padding));
            let area = Area { height, width, channels, kernel, stride, padding };
            let [rows, columns] = area.outputs();
            ((kinds.1)(area), vec![Axis::Height(rows), Axis::Width(columns)])
        }
        _ => return refuse(node, "its kernel does not fit what comes in. Export it again"),
    };
    let product = |sides: &[usize]| sides.iter().try_fold(1usize, |n, side| n.checked_mul(*side));
    let sides: Vec<usize> = after.iter().filter_map(|axis| axis.length()).chain([outputs]).collect();
    let (inputs, all) = (product(&before), product(&sides).filter(|n| *n > 0));
    let (Some(inputs), Some(all)) = (inputs, all) else {
        let (kernel, before) = (lengths(kernel), lengths(&before[..before.len() - 1]));
        let what = if kernel.contains('x') { "pixels" } else { "times" };
        return refuse(node, format!("its kernel of {kernel} is longer than the {before} {what} that come in"));
    };
    let activation = Activation::Identity;
    reader.push(node, Built { kind, inputs, outputs: all, activation, weights, bias, is_open: false })?;
    reader.axes = [vec![Axis::Batch, Axis::Channel(outputs)], after].concat();
    Ok(())
}

/// Sides in words, such as 28x28.
fn lengths(sides: &[usize]) -> String {
    sides.iter().map(usize::to_string).collect::<Vec<_>>().join("x")
}

pub(super) fn conv(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let Some((shape, numbers)) = reader.weights(node, 1)? else { return refuse(node, "it has no weights") };
    let (outputs, share, taps) = match shape[..] {
        [outputs, share, ref taps @ ..] if matches!(taps.len(), 1 | 2) => (outputs, share, taps),
        _ => {
            return refuse(
                node,
                format!(
                    "its weights {shape:?} are those of neither a Conv1d, [outputs, inputs, kernel], nor a Conv2d, [outputs, inputs, \
                     rows, columns], and lgl2o has no other convolution"
                ),
            );
        }
    };
    let before = sides(reader, node)?;
    let (bias, channels) = (reader.weights(node, 2)?, before.last().copied().unwrap_or(0));
    let bias = bias.map_or_else(|| vec![0.0; outputs], |(_, bias)| bias);
    let window = window(node, before.len() - 1, Some(taps))?;
    let groups = usize::try_from(int(node, "group", 1)).unwrap_or(0);
    if window[0] != *taps || share.checked_mul(groups) != Some(channels) || bias.len() != outputs || outputs == 0 {
        let (bias, found, kernel) = (bias.len(), words(&reader.axes), lengths(&window[0]));
        return refuse(
            node,
            format!("weights {shape:?}, bias [{bias}], kernel {kernel} and groups {groups} do not fit {found}"),
        );
    }
    let taps = taps.iter().product::<usize>();
    if groups == 1 {
        let weights = match before.len() {
            2 => by_filters(&numbers, [channels, taps]),
            _ => by_taps(&numbers, [outputs, channels, taps]),
        };
        return over(reader, node, (Kind::Conv1d, Kind::Conv2d), &window, outputs, [weights, bias]);
    }
    if groups != channels || outputs != channels {
        return refuse(
            node,
            format!(
                "{groups} groups of {channels} channels to {outputs}: lgl2o has 1 group, or one for each channel with one output"
            ),
        );
    }
    let weights = by_filters(&numbers, [channels, taps]);
    over(reader, node, (Kind::Depthwise, Kind::Depthwise2d), &window, channels, [weights, bias])
}

/// \[output\]\[channel\]\[tap\] becomes \[output\]\[tap\]\[channel\].
fn by_filters(numbers: &[f32], [channels, taps]: [usize; 2]) -> Vec<f32> {
    let filter = |filter: &[f32]| -> Vec<f32> {
        (0..filter.len()).map(|i| filter[i % channels * taps + i / channels]).collect()
    };
    numbers.chunks((channels * taps).max(1)).flat_map(filter).collect()
}

/// \[output\]\[channel\]\[tap\] becomes \[tap\]\[channel\]\[output\].
fn by_taps(numbers: &[f32], [outputs, channels, taps]: [usize; 3]) -> Vec<f32> {
    let at = |i: usize| {
        let (tap, channel, output) = (i / outputs / channels, i / outputs % channels, i % outputs);
        numbers[(output * channels + channel) * taps + tap]
    };
    (0..numbers.len()).map(at).collect()
}

pub(super) fn pool(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let dimensions = sides(reader, node)?.len() - 1;
    let window = window(node, dimensions, None)?;
    let [kernel, stride, padding] = &window;
    if stride != kernel || padding.iter().any(|n| *n != 0) {
        let [kernel, stride, padding] = window.each_ref().map(|list| lengths(list));
        return refuse(
            node,
            format!(
                "windows of {kernel}, {stride} apart, padding {padding}: those of lgl2o neither overlap nor are padded, so use stride {kernel}"
            ),
        );
    }
    pool_by(reader, node, &kernel.clone())
}

pub(super) fn global_pool(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let before = sides(reader, node)?;
    pool_by(reader, node, &before[..before.len() - 1])
}

fn pool_by(reader: &mut Reader<'_>, node: &Node, kernel: &[usize]) -> Result<(), OnnxError> {
    let channels = sides(reader, node)?.last().copied().unwrap_or(0);
    let kinds: Kinds = match node.op_type.ends_with("MaxPool") {
        true => (Kind::MaxPool, Kind::MaxPool2d),
        false => (Kind::AveragePool, Kind::AveragePool2d),
    };
    let window = [kernel.to_vec(), kernel.to_vec(), vec![0; kernel.len()]];
    over(reader, node, kinds, &window, channels, [Vec::new(), Vec::new()])
}

/// The mean over time, or over all pixels, with or without sides of length 1: `AdaptiveAvgPool1d(1)`, or `x.mean((2, 3))`.
pub(super) fn mean(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let before = reader.axes.clone();
    let places = reader.whole(node, "axes", 1).unwrap_or_default();
    let places: Option<Vec<usize>> = places.iter().map(|&axis| place(axis, before.len())).collect();
    let places = places.unwrap_or_default();
    let mut means: Vec<Axis> = places.iter().map(|&at| before[at]).filter(|axis| *axis != Axis::One).collect();
    means.sort_by_key(|axis| matches!(axis, Axis::Width(_)));
    if !matches!(means[..], [Axis::Time(_)] | [Axis::Height(_), Axis::Width(_)]) {
        return refuse(
            node,
            format!(
                "its mean over dimensions {places:?} of {} is not one over time or over all pixels. Take the mean over the times of a \
                 series, or over the rows and columns of an image",
                words(&before)
            ),
        );
    }
    reader.axes.retain(|axis| *axis != Axis::One);
    let order = |axis: &Axis| match axis {
        Axis::Batch => 0,
        Axis::Channel(_) => 1,
        Axis::Width(_) => 3,
        Axis::One | Axis::Raw(..) | Axis::Time(_) | Axis::Height(_) | Axis::Flat(_) | Axis::Turned { .. } => 2,
    };
    reader.axes.sort_by_key(order);
    global_pool(reader, node)?;
    // The same sides as before, one of which is of length 1 now, or gone.
    let kept = int(node, "keepdims", 1) != 0;
    let after = before.iter().enumerate().filter(|(at, _)| kept || !places.contains(at)).map(|(_, axis)| *axis);
    let shrunk = |axis| match axis {
        Axis::Time(_) => Axis::Time(1),
        Axis::Height(_) => Axis::Height(1),
        Axis::Width(_) => Axis::Width(1),
        other => other,
    };
    reader.axes = after.map(shrunk).collect();
    Ok(())
}

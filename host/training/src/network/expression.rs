//! Networks in words: the shape of the inputs, and the layers as `lgl2o::chain!` names them.
//!
//! ```text
//! 100x6 conv1d(8, 5, 2, 0, Relu), max_pool(4), dense(3)
//! 100x6 gru(12), dense(4)
//! 28x28x1 conv2d(8, 3, 2, 1, Relu), average_pool2d([7, 14]), dense(10)
//! 24 dense(16, Relu), dense(4)
//! ```
//!
//! A shape is so many numbers, times x channels, or rows x columns x channels. The last argument may be an activation. A number of a
//! layer over an image is one for both sides, or `[rows, columns]`.

use lgl2o::objective::mlp::windows::times;
use lgl2o::objective::mlp::{Activation, Shape};

use super::image::Area;
use super::series::{ByValue, Kind, Over, Steps};
use super::{activation, activation_names};
use crate::names;

/// Makes what a layer computes of the layer's numbers, as many as its arguments, and the shape of its inputs; `None` if the layer
/// does not take such inputs.
type Make = fn(&[[usize; 2]], &[usize]) -> Option<Kind>;

/// The layers: names, arguments, and what makes them.
const LAYERS: [(&str, &str, Make); 10] = [
    ("dense", "outputs", |numbers, _| (numbers[0][0] > 0).then_some(Kind::Dense)),
    ("conv1d", "channels, kernel, stride, padding", |numbers, shape| over(&numbers[1..], shape).map(Kind::Conv1d)),
    ("depthwise", "kernel, stride, padding", |numbers, shape| over(numbers, shape).map(Kind::Depthwise)),
    ("max_pool", "width", |numbers, shape| over(&windows(numbers[0]), shape).map(Kind::MaxPool)),
    ("average_pool", "width", |numbers, shape| over(&windows(numbers[0]), shape).map(Kind::AveragePool)),
    ("gru", "units", |_, shape| match *shape {
        [time, channels] => Some(Kind::Gru(Steps { time, channels })),
        _ => None,
    }),
    ("conv2d", "channels, kernel, stride, padding", |numbers, shape| area(&numbers[1..], shape).map(Kind::Conv2d)),
    ("depthwise2d", "kernel, stride, padding", |numbers, shape| area(numbers, shape).map(Kind::Depthwise2d)),
    ("max_pool2d", "side", |numbers, shape| area(&windows(numbers[0]), shape).map(Kind::MaxPool2d)),
    ("average_pool2d", "side", |numbers, shape| area(&windows(numbers[0]), shape).map(Kind::AveragePool2d)),
];

/// Kernel, stride and padding of windows side by side.
const fn windows(side: [usize; 2]) -> [[usize; 2]; 3] {
    [side, side, [0, 0]]
}

/// Windows over times x channels.
fn over(numbers: &[[usize; 2]], shape: &[usize]) -> Option<Over> {
    match (numbers, shape) {
        (&[[kernel, _], [stride, _], [padding, _]], &[time, channels]) => {
            Some(Over { time, channels, kernel, stride, padding })
        }
        _ => None,
    }
}

/// Windows over rows x columns x channels.
fn area(numbers: &[[usize; 2]], shape: &[usize]) -> Option<Area> {
    match (numbers, shape) {
        (&[kernel, stride, padding], &[height, width, channels]) => {
            Some(Area { height, width, channels, kernel, stride, padding })
        }
        _ => None,
    }
}

/// Most numbers that come into a layer.
const MOST: usize = 1 << 20;

/// Layers out of words.
///
/// # Errors
/// What is wrong with them, and what to write.
pub fn read(text: &str) -> Result<Vec<ByValue>, String> {
    let text = text.trim();
    let (shape, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let mut shape = sides(shape)?;
    let mut layers = Vec::new();
    for word in words(rest)? {
        let layer = layer(&word, &shape)?;
        shape = after(&layer);
        layers.push(layer);
    }
    if layers.is_empty() {
        return Err(format!("`{text}` has no layer: {EXAMPLE}"));
    }
    Ok(layers)
}

const EXAMPLE: &str = "write the shape of the inputs and layers, as in `28x28x1 conv2d(8, 3, 2, 1, Relu), dense(10)`";

/// The shape of the inputs.
fn sides(text: &str) -> Result<Vec<usize>, String> {
    let sides: Option<Vec<usize>> = text.split('x').map(|side| side.parse().ok().filter(|n| *n > 0)).collect();
    sides
        .filter(|sides| sides.len() <= 3)
        .ok_or_else(|| format!("`{text}` is no shape of inputs, such as 24, 100x6 or 28x28x1: {EXAMPLE}"))
}

/// Parts between commas that stand in no brackets.
fn words(text: &str) -> Result<Vec<String>, String> {
    let (mut depth, mut parts) = (0i32, vec![String::new()]);
    for c in text.chars() {
        depth += i32::from(matches!(c, '(' | '[')) - i32::from(matches!(c, ')' | ']'));
        if depth < 0 {
            break;
        }
        match parts.last_mut() {
            Some(part) if c != ',' || depth > 0 => part.push(c),
            Some(_) | None => parts.push(String::new()),
        }
    }
    if depth != 0 {
        return Err(format!("the brackets of `{text}` do not match: write each layer as name(numbers)"));
    }
    Ok(parts.iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect())
}

/// A number, or one for rows and one for columns.
fn pair(text: &str) -> Option<[usize; 2]> {
    let inner = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let Some(inner) = inner else { return text.parse().ok().map(|n| [n, n]) };
    let (rows, columns) = inner.split_once(',')?;
    Some([rows.trim().parse().ok()?, columns.trim().parse().ok()?])
}

/// A layer on inputs of a shape.
fn layer(text: &str, shape: &[usize]) -> Result<ByValue, String> {
    let (name, inner) = text
        .strip_suffix(')')
        .and_then(|text| text.split_once('('))
        .ok_or_else(|| format!("`{text}` is no layer: write it as name(numbers), as in dense(10)"))?;
    let Some((name, form, make)) = LAYERS.into_iter().find(|(known, ..)| *known == name.trim()) else {
        let all: Vec<&str> = LAYERS.iter().map(|(name, ..)| *name).collect();
        return Err(names::unknown("layer", name.trim(), &all));
    };
    let mut arguments = words(inner)?;
    let unknown = |word: &str| names::unknown("activation", word, &activation_names());
    let is_name = arguments.last().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_alphabetic()));
    let last = if is_name { arguments.pop() } else { None };
    let act = match last {
        None => Activation::Identity,
        Some(word) => activation(&word.to_lowercase()).ok_or_else(|| unknown(&word))?,
    };
    let wrong = || match name.contains("pool") || name == "gru" {
        true => format!("{text}: it is written {name}({form})"),
        false => format!("{text}: it is written {name}({form}), with an activation behind it where one is wanted"),
    };
    let numbers: Option<Vec<[usize; 2]>> = arguments.iter().map(|word| pair(word)).collect();
    let numbers = numbers.filter(|numbers| numbers.len() == form.split(',').count()).ok_or_else(wrong)?;
    let is_flat = !name.ends_with("2d");
    if is_flat && numbers.iter().any(|[a, b]| a != b) || name == "conv2d" && numbers[0][0] != numbers[0][1] {
        return Err(wrong());
    }
    let inputs = shape.iter().try_fold(1usize, |n, side| n.checked_mul(*side)).filter(|n| *n <= MOST);
    let inputs =
        inputs.ok_or_else(|| format!("{text}: its inputs are too many, more than {MOST}: make the image smaller"))?;
    let kind = make(&numbers, shape).ok_or_else(|| misfit(text, name, shape))?;
    let outputs = outputs(kind, numbers[0][0]).filter(|n| *n > 0).ok_or_else(|| misfit(text, name, shape))?;
    let layer = ByValue { kind, shape: Shape { inputs, outputs, activation: act } };
    if layer.is_sound() { Ok(layer) } else { Err(misfit(text, name, shape)) }
}

/// A layer does not go on what comes in.
fn misfit(text: &str, name: &str, shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    let sides = sides.join("x");
    let takes = match name {
        "gru" => {
            return format!(
                "{text} does not go on {sides}: it takes times x channels, as in `100x6 gru(12)`, and has at least one unit and no activation"
            );
        }
        "dense" => "any numbers, at least one",
        name if name.ends_with("2d") => "rows x columns x channels",
        _ => "times x channels",
    };
    format!(
        "{text} does not go on {sides}: it takes {takes}, its window must not be larger than what comes in, and the padding is below the \
         kernel; pooling has no activation"
    )
}

/// The numbers that a layer of so many outputs returns.
fn outputs(kind: Kind, outputs: usize) -> Option<usize> {
    let count = |[n, kernel, stride, padding]: [usize; 4]| {
        let padded = padding.checked_mul(2)?.checked_add(n)?;
        (padded >= kernel).then(|| times(n, kernel, stride, padding))
    };
    let pixels = |area: Area| {
        let side = |n: usize, i: usize| count([n, area.kernel[i], area.stride[i], area.padding[i]]);
        side(area.height, 0)?.checked_mul(side(area.width, 1)?)
    };
    let all = |over: Over| count([over.time, over.kernel, over.stride, over.padding]);
    match kind {
        Kind::Dense | Kind::Gru(_) => Some(outputs),
        Kind::Conv1d(over) => all(over)?.checked_mul(outputs),
        Kind::Depthwise(over) | Kind::MaxPool(over) | Kind::AveragePool(over) => all(over)?.checked_mul(over.channels),
        Kind::Conv2d(area) => pixels(area)?.checked_mul(outputs),
        Kind::Depthwise2d(area) | Kind::MaxPool2d(area) | Kind::AveragePool2d(area) => {
            pixels(area)?.checked_mul(area.channels)
        }
    }
}

/// The shape that a layer leaves.
fn after(layer: &ByValue) -> Vec<usize> {
    let channels = layer.channels();
    match (layer.kind.over(), layer.kind.on_image()) {
        (Some(over), _) => vec![over.count(), channels],
        (None, Some((_, area))) => [area.outputs().as_slice(), &[channels]].concat(),
        // A dense layer, or a recurrent one, leaves one time, as in `chain!`.
        (None, None) => vec![1, channels],
    }
}

/// The type-level name of an activation; that of the identity is not written.
#[must_use]
pub fn type_name(activation: Activation) -> Option<String> {
    (activation != Activation::Identity).then(|| format!("{activation:?}"))
}

/// Layers in words, which [`read`] reads.
#[must_use]
pub fn written(layers: &[ByValue]) -> String {
    let both = |[rows, columns]: [usize; 2]| match rows == columns {
        true => rows.to_string(),
        false => format!("[{rows}, {columns}]"),
    };
    let filter = |area: Area| [area.kernel, area.stride, area.padding].map(both).join(", ");
    let name = |layer: &ByValue| {
        let act = type_name(layer.shape.activation).map_or(String::new(), |name| format!(", {name}"));
        match layer.kind {
            Kind::Dense => format!("dense({}{act})", layer.shape.outputs),
            Kind::Conv1d(o) => format!("conv1d({}, {}, {}, {}{act})", layer.channels(), o.kernel, o.stride, o.padding),
            Kind::Depthwise(o) => format!("depthwise({}, {}, {}{act})", o.kernel, o.stride, o.padding),
            Kind::MaxPool(o) => format!("max_pool({})", o.kernel),
            Kind::AveragePool(o) => format!("average_pool({})", o.kernel),
            Kind::Gru(_) => format!("gru({})", layer.shape.outputs),
            Kind::Conv2d(area) => format!("conv2d({}, {}{act})", layer.channels(), filter(area)),
            Kind::Depthwise2d(area) => format!("depthwise2d({}{act})", filter(area)),
            Kind::MaxPool2d(area) => format!("max_pool2d({})", both(area.kernel)),
            Kind::AveragePool2d(area) => format!("average_pool2d({})", both(area.kernel)),
        }
    };
    let first = layers.first().map_or(String::new(), |layer| match (layer.kind.steps(), layer.kind.on_image()) {
        (Some(steps), _) => format!("{}x{}", steps.time, steps.channels),
        (None, Some((_, area))) => format!("{}x{}x{}", area.height, area.width, area.channels),
        (None, None) => layer.shape.inputs.to_string(),
    });
    format!("{first} {}", layers.iter().map(name).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for text in [
            "24 dense(16, Relu), dense(4)",
            "100x6 conv1d(8, 5, 2, 0, Relu), depthwise(3, 1, 1), max_pool(4), average_pool(3), dense(3)",
            "100x6 conv1d(8, 5, 2, 0, Relu), gru(12), dense(4)",
            "28x28x1 conv2d(8, 3, 2, 1, Relu), depthwise2d([3, 2], 1, [1, 0], Tanh), max_pool2d([2, 1]), average_pool2d(2), dense(10)",
        ] {
            assert_eq!(read(text).map(|layers| written(&layers)), Ok(text.to_owned()));
        }
        let layers = read("28x28x1 conv2d(8, [3, 5], 2, 1, relu),dense(10)").expect("a network");
        assert_eq!(layers.iter().map(|layer| layer.shape.outputs).collect::<Vec<_>>(), [14 * 13 * 8, 10]);
        assert_eq!(layers[0].parameters(), 3 * 5 * 8 + 8);
    }

    #[test]
    fn what_is_no_network_is_told() {
        for (text, words) in [
            ("", "no shape of inputs"),
            ("28x28x1", "no layer"),
            ("0x4 dense(2)", "no shape of inputs"),
            ("2x3x4x5 dense(2)", "no shape of inputs"),
            ("28x28x1 conv2d(8, 3, 2)", "conv2d(channels, kernel, stride, padding)"),
            ("28x28x1 conv2d(8, 3, 2, 1, Swish)", "unknown activation `Swish`"),
            ("28x28x1 konv2d(8, 3, 2, 1)", "did you mean `conv2d`?"),
            ("28x28x1 conv1d(8, 3, 2, 1)", "times x channels"),
            ("28x28 conv2d(8, 3, 2, 1)", "rows x columns x channels"),
            ("28x28x1 conv2d(8, 3, 0, 1)", "does not go on 28x28x1"),
            ("28x28x1 conv2d(8, 3, 1, 3)", "padding is below the kernel"),
            ("28x28x1 conv2d(8, 31, 1, 0)", "larger than what comes in"),
            ("28x28x1 max_pool2d(2, Relu)", "no activation"),
            ("100x6 gru(12, Tanh)", "no activation"),
            ("100x6 gru(0)", "does not go on 100x6"),
            (
                "28x28x1 gru(12)",
                "takes times x channels, as in `100x6 gru(12)`, and has at least one unit and no activation",
            ),
            ("100x6 gru(12, 2)", "gru(units)"),
            ("100x6 gru(Relu)", "gru(Relu): it is written gru(units)"),
            ("100x6 lstm(12)", "unknown layer `lstm`"),
            ("28x28x1 conv2d(8, 3, 1, 0), dense(3", "brackets"),
            ("8x3 conv1d(2, 18446744073709551615, 1, 18446744073709551614)", "does not go on"),
            ("4x3 conv1d(18446744073709551615, 1, 1, 0)", "does not go on"),
            ("18446744073709551615x3 dense(2)", "too many"),
            ("60000x60000x1 max_pool2d(60000), dense(2)", "too many"),
        ] {
            let error = read(text).expect_err(text);
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}

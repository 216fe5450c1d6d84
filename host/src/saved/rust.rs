//! A module of Rust: statics that a linker puts into flash, and a function that makes an [`lgl2o::Model`] of them.
//!
//! Numbers are written with as many digits as it takes to read the same bits back, so its predictions are those of `lgl2o predict`.

use std::fmt::Write as _;

use lgl2o::objective::mlp::Activation;
use lgl2o::tensors::Tensors as _;

use super::SavedModel;
use crate::network::expression::type_name;
use crate::network::image::Area;
use crate::network::series::{ByValue, Kind};

/// Numbers in a line.
const IN_A_LINE: usize = 8;

/// The module.
#[must_use]
pub fn module(model: &SavedModel) -> String {
    let mut out = head(model);
    let (inputs, classes) = (model.mean.len(), model.classes());
    let mut item = |what: &str, item: &str, value: &str| {
        let _ = writeln!(out, "/// {what}.\npub {item} = {value};\n");
    };
    item("The features, in their order", &format!("static FEATURES: [&str; {inputs}]"), &names(&features(model)));
    if !classes.is_empty() {
        item("The classes", &format!("static CLASSES: [&str; {}]", classes.len()), &names(classes));
    }
    let layers = model.by_value();
    item("The network, for one row at a time", "type Net", &format!("Fixed<{}, 1>", layers_type(&layers)));
    let params: Vec<String> = layers.iter().map(params_type).collect();
    item("Its parameters", "type Params", &nested(&params));
    let values: Vec<String> = (0..layers.len()).map(|l| layer_value(model, l)).collect();
    item("What was learned", "static PARAMS: Params", &nested(&values));
    item("The features' means", &format!("const MEAN: [f32; {inputs}]"), &array(&model.mean, ""));
    item(
        "The features' standard deviations",
        &format!("const DEVIATION: [f32; {inputs}]"),
        &array(&model.deviation, ""),
    );
    let loss = if classes.is_empty() { "SquaredError" } else { "CrossEntropy" };
    let _ = write!(
        out,
        "/// The model; its parameters stay where they are.\n///\n/// # Errors\n/// None: the standardizer was checked when it was written.\n\
         pub fn model() -> Result<Model<Net, &'static Params, Standardizer<[f32; {inputs}]>>, Error> {{\n    \
         Ok(Model::new(Mlp::new(Net::new(), Loss::{loss}), &PARAMS, Standardizer::given(MEAN, DEVIATION)?))\n}}\n"
    );
    out
}

/// What the module says of itself, and what it uses.
fn head(model: &SavedModel) -> String {
    let layers = model.by_value();
    let mut out = format!(
        "//! A model, written by `lgl2o export --to rust`: {}, {} parameters.\n//!\n//! {}\n\n",
        model.shape(),
        model.params.len(),
        if model.classes().is_empty() {
            "`let mut model = model()?; let value = model.values(&row)?[0];` is the value of a row of features."
        } else {
            "`let mut model = model()?; let p = model.predict(&row)?;` predicts from a row of features: `CLASSES[usize::from(p.class)]`."
        }
    );
    // Numbers that happen to be near pi are no mistake, and rows stand as they are.
    out.push_str(
        "#![allow(dead_code, clippy::approx_constant, clippy::excessive_precision)]\n#![cfg_attr(rustfmt, rustfmt_skip)]\n\n",
    );
    let activations: Vec<String> = layers.iter().filter_map(|layer| type_name(layer.shape.activation)).collect();
    let mut used = vec!["Fixed", "Loss", "Mlp"];
    used.extend(activations.iter().map(String::as_str));
    used.extend(layers.iter().flat_map(|layer| types(layer.kind)).flatten());
    if layers.iter().any(|layer| layer.kind.on_image().is_some()) {
        used.push("Image");
    }
    if layers.iter().any(|layer| matches!(layer.kind, Kind::Conv2d(_) | Kind::Depthwise2d(_))) {
        used.push("Filter");
    }
    used.sort_unstable();
    used.dedup();
    let tensors =
        if layers.iter().all(|layer| layer.kind.has_parameters()) { "" } else { "use lgl2o::tensors::Nothing;\n" };
    let chain = if layers.len() > 1 { ", chain" } else { "" };
    let _ = writeln!(out, "use lgl2o::objective::mlp::{{{}}};", used.join(", "));
    let _ = writeln!(out, "use lgl2o::standardize::Standardizer;\n{tensors}use lgl2o::{{Error, Model{chain}}};\n");
    out
}

/// What the features are called.
pub(super) fn features(model: &SavedModel) -> Vec<String> {
    model.columns.features.iter().map(|column| column.reference()).collect()
}

/// The types of a layer and of its parameters.
const fn types(kind: Kind) -> [Option<&'static str>; 2] {
    match kind {
        Kind::Gru(_) => [Some("Gru"), Some("GateParams")],
        Kind::Conv2d(_) => [Some("Conv2d"), Some("Conv2dParams")],
        Kind::Depthwise2d(_) => [Some("Depthwise2d"), Some("Depthwise2dParams")],
        Kind::MaxPool2d(_) => [Some("MaxPool2d"), None],
        Kind::AveragePool2d(_) => [Some("AveragePool2d"), None],
        Kind::Dense => [Some("Dense"), Some("DenseParams")],
        Kind::Conv1d(_) => [Some("Conv1d"), Some("Conv1dParams")],
        Kind::Depthwise(_) => [Some("Depthwise"), Some("DepthwiseParams")],
        Kind::MaxPool(_) => [Some("MaxPool1d"), None],
        Kind::AveragePool(_) => [Some("AveragePool1d"), None],
    }
}

/// Layers as a type.
#[must_use]
pub fn layers_type(layers: &[ByValue]) -> String {
    let types: Vec<String> = layers.iter().map(layer_type).collect();
    if layers.len() > 1 { format!("chain![{}]", types.join(", ")) } else { types.concat() }
}

/// A type with numbers.
fn with(name: Option<&str>, numbers: &[usize], activation: Activation) -> String {
    let name = name.unwrap_or("Nothing");
    let numbers = numbers.iter().map(usize::to_string).chain(type_name(activation));
    let list = numbers.collect::<Vec<_>>().join(", ");
    if list.is_empty() { name.to_owned() } else { format!("{name}<{list}>") }
}

fn layer_type(layer: &ByValue) -> String {
    let (shape, outputs) = (layer.shape, layer.channels());
    let numbers = match layer.kind {
        Kind::Dense => vec![shape.inputs, outputs],
        Kind::Conv1d(o) => vec![o.time, o.channels, o.count(), outputs, o.kernel, o.stride, o.padding],
        Kind::Depthwise(o) => vec![o.time, o.channels, o.count(), o.kernel, o.stride, o.padding],
        Kind::MaxPool(o) | Kind::AveragePool(o) => vec![o.time, o.channels, o.count(), o.kernel],
        Kind::Gru(steps) => vec![steps.time, steps.channels, outputs],
        Kind::Conv2d(area) | Kind::Depthwise2d(area) | Kind::MaxPool2d(area) | Kind::AveragePool2d(area) => {
            return on_image(layer, area);
        }
    };
    with(types(layer.kind)[0], &numbers, shape.activation)
}

/// The type of a layer from one image to another.
fn on_image(layer: &ByValue, area: Area) -> String {
    let Area { height, width, channels, kernel: [kh, kw], stride: [sh, sw], padding: [ph, pw] } = area;
    let ([rows, columns], outputs) = (area.outputs(), layer.channels());
    let rest = match layer.kind.has_parameters() {
        true => format!("Filter<{kh}, {kw}, {sh}, {sw}, {ph}, {pw}>"),
        false => format!("{kh}, {kw}"),
    };
    let activation = type_name(layer.shape.activation).map_or(String::new(), |name| format!(", {name}"));
    let name = types(layer.kind)[0].unwrap_or_default();
    format!("{name}<Image<{height}, {width}, {channels}>, Image<{rows}, {columns}, {outputs}>, {rest}{activation}>")
}

fn params_type(layer: &ByValue) -> String {
    let numbers = match layer.kind {
        Kind::Gru(steps) => {
            let gates = |inputs| with(types(layer.kind)[1], &[inputs, layer.channels()], Activation::Identity);
            return format!("({}, {})", gates(steps.channels), gates(layer.channels()));
        }
        Kind::Dense => vec![layer.shape.inputs, layer.shape.outputs],
        Kind::Conv1d(over) => vec![over.channels, over.kernel, layer.channels()],
        Kind::Depthwise(over) => vec![over.channels, over.kernel],
        Kind::Conv2d(area) => vec![area.kernel[0], area.kernel[1], area.channels, layer.channels()],
        Kind::Depthwise2d(area) => vec![area.kernel[0], area.kernel[1], area.channels],
        Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::MaxPool2d(_) | Kind::AveragePool2d(_) => Vec::new(),
    };
    with(types(layer.kind)[1], &numbers, Activation::Identity)
}

fn layer_value(model: &SavedModel, l: usize) -> String {
    let layer = model.by_value()[l];
    let [weights, bias] = model.tensors(l);
    let weights = match layer.kind {
        Kind::Gru(steps) => {
            let units = layer.channels();
            let gates = [(0, steps.channels), (1, units)].map(|(pair, inputs)| {
                let [weights, bias] = model.pair(l, pair);
                let [weights, bias] = [rows(weights, &[units, inputs], "    "), rows(bias, &[units], "    ")];
                format!("GateParams {{\n    weights: {weights},\n    bias: {bias},\n}}")
            });
            return format!("({})", gates.join(", "));
        }
        Kind::Dense => rows(weights, &[layer.shape.inputs], "    "),
        Kind::Depthwise(over) => rows(weights, &[over.channels], "    "),
        Kind::Conv1d(over) => rows(weights, &[over.kernel, over.channels], "    "),
        Kind::Conv2d(area) => rows(weights, &[area.kernel[1], area.channels, layer.channels()], "    "),
        Kind::Depthwise2d(area) => rows(weights, &[area.kernel[1], area.channels], "    "),
        Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::MaxPool2d(_) | Kind::AveragePool2d(_) => {
            return "Nothing".to_owned();
        }
    };
    let name = types(layer.kind)[1].unwrap_or_default();
    format!("{name} {{\n    weights: {weights},\n    bias: {},\n}}", array(bias, "    "))
}

/// An array of arrays: each of what stands first in `sizes`, and so on; lines after the first begin with `indent`.
fn rows(numbers: &[f32], sizes: &[usize], indent: &str) -> String {
    let inner = format!("{indent}    ");
    let width = sizes.iter().product::<usize>().max(1);
    let part = |part: &[f32]| match sizes {
        [] | [_] => array(part, &inner),
        [_, deeper @ ..] => rows(part, deeper, &inner),
    };
    let parts: Vec<String> = numbers.chunks(width).map(part).collect();
    format!("[\n{inner}{},\n{indent}]", parts.join(&format!(",\n{inner}")))
}

/// `(a, (b, c))`, as a chain of layers is.
fn nested(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [all @ .., last] => all.iter().rev().fold(last.clone(), |rest, part| format!("({part}, {rest})")),
    }
}

/// An array; lines after the first begin with `indent`.
fn array(numbers: &[f32], indent: &str) -> String {
    let lines: Vec<String> = numbers
        .chunks(IN_A_LINE)
        .map(|line| line.iter().map(|x| format!("{x:?}")).collect::<Vec<_>>().join(", "))
        .collect();
    if lines.len() < 2 {
        return format!("[{}]", lines.concat());
    }
    let inner = lines.join(&format!(",\n{indent}    "));
    format!("[\n{indent}    {inner},\n{indent}]")
}

fn names(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("[{}]", quoted.join(", "))
}

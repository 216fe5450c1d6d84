//! Safetensors, written and read with the crate `safetensors`.
//!
//! | from | names | shape of weights |
//! |---|---|---|
//! | this program | `layers.0.weight`, `layers.0.bias`; `standardizer.mean`, `standardizer.deviation` | outputs x inputs |
//! | PyTorch, `nn.Linear` | anything that ends in `.weight` and `.bias` | outputs x inputs |
//! | PyTorch, `nn.Conv1d`, `nn.Conv2d` | the same | as [`orders`] has it |
//! | PyTorch, `nn.GRU` | anything that ends in `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0` | (3 units) x channels, (3 units) x units |
//! | Keras, `Dense` | anything that ends in `kernel` (or `vars/0`) and `bias` (or `vars/1`) | inputs x outputs |
//!
//! A file with convolutions or recurrent layers says neither how long their inputs are nor the strides and paddings. Files of this program
//! have them beside the tensors; for other files the user names the layers.
//!
//! Layers are in the order of their names, in which numbers count as numbers: `net.2` comes before `net.10`, and `dense` before
//! `dense_1`.

use std::collections::{BTreeMap, HashMap};

use lgl2o::objective::mlp::{Activation, Shape};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;

pub use super::import_error::ImportError;
use super::tensor_names::{Part, RECURRENT, Role, is_other_recurrent, parts, role};
use super::{Output, SavedModel, orders};
use crate::container;
use crate::data::table::Columns;
use crate::network::expression;
use crate::network::series::ByValue;

/// The key of what this program adds.
const OWN: &str = "lgl2o";

/// The file's bytes.
#[must_use]
pub fn bytes(model: &SavedModel) -> Vec<u8> {
    let mut all: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let mut add =
        |name: String, shape: &[usize], numbers: &[f32]| all.push((name, shape.to_vec(), container::bytes(numbers)));
    let layers = model.by_value();
    for (l, layer) in layers.iter().enumerate().filter(|(_, layer)| layer.kind.has_parameters()) {
        let before = l.checked_sub(1).map(|l| &layers[l]);
        let ends: &[[&str; 2]] = match layer.kind.pairs() {
            1 => &[["weight", "bias"]],
            _ => &RECURRENT,
        };
        for (pair, [weight, name]) in ends.iter().enumerate() {
            let [weights, bias] = model.pair(l, pair);
            let shape = orders::shape(layer, pair);
            add(format!("layers.{l}.{weight}"), &shape, &orders::outwards(layer, before, weights));
            add(format!("layers.{l}.{name}"), &[bias.len()], bias);
        }
    }
    add("standardizer.mean".to_owned(), &[model.mean.len()], &model.mean);
    add("standardizer.deviation".to_owned(), &[model.deviation.len()], &model.deviation);
    let activations: Vec<Activation> = model.layers().iter().map(|layer| layer.activation).collect();
    let mut own = serde_json::json!({ "activations": activations, "output": model.output, "columns": model.columns });
    if !model.is_dense() {
        own["network"] = expression::written(&layers).into();
    }
    let metadata = HashMap::from([(OWN.to_owned(), own.to_string())]);
    let views = all.iter().filter_map(|(name, shape, bytes)| {
        Some((name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).ok()?))
    });
    safetensors::serialize(views, Some(metadata)).unwrap_or_default()
}

/// What this program writes beside the tensors.
#[derive(Debug, Deserialize)]
struct Own {
    activations: Vec<Activation>,
    output: Output,
    columns: Columns,
    /// The layers in words, where not all of them are dense.
    network: Option<String>,
}

/// What a file of others does not say.
#[derive(Debug, Clone)]
pub struct Unsaid<'a> {
    /// The activation of hidden layers.
    pub hidden: Activation,
    /// Names of the classes; numbers unless given.
    pub classes: Option<&'a [String]>,
    /// Whether the output is a value.
    pub regression: bool,
    /// Names of the layers in their order.
    pub order: &'a [String],
    /// Means and standard deviations of the features; 0 and 1 unless given.
    pub standardizer: Option<[Vec<f32>; 2]>,
    /// The layers, where not all of them are dense.
    pub network: Option<&'a [ByValue]>,
}

/// A layer on the way in: its weights and bias, or those of a recurrent one, from its inputs and from its state.
#[derive(Debug, Default)]
struct Found {
    pairs: [Pair; 3],
}

/// Weights with a bias on the way in.
#[derive(Debug, Default, PartialEq)]
struct Pair {
    /// Their name, their shape, and the numbers: outputs x inputs, or those of a convolution.
    weights: Option<(String, Vec<usize>, Vec<f32>)>,
    bias: Option<Vec<f32>>,
}

/// A model out of a file's bytes.
///
/// # Errors
/// Whatever is wrong with them.
pub fn import(bytes: &[u8], unsaid: &Unsaid<'_>) -> Result<SavedModel, ImportError> {
    let format = |error: safetensors::SafeTensorError| ImportError::Format(error.to_string());
    let file = SafeTensors::deserialize(bytes).map_err(format)?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(format)?;
    let own = metadata.metadata().as_ref().and_then(|all| all.get(OWN));
    let own: Option<Own> =
        own.map(|text| serde_json::from_str(text)).transpose().map_err(|error| ImportError::Own(error.to_string()))?;
    let (mut layers, mut standardizer) = (Named::new(), [None, None]);
    for (name, view) in file.iter() {
        let numbers = numbers(name, &view)?;
        check_numbers(name, &numbers)?;
        match name {
            "standardizer.mean" => standardizer[0] = Some(numbers),
            "standardizer.deviation" => standardizer[1] = Some(numbers),
            _ => put(&mut layers, name, view.shape(), numbers)?,
        }
    }
    let layers = ordered(layers.into_iter().map(|((_, name), dense)| (name, dense)).collect(), unsaid.order)?;
    let network = network(own.as_ref(), unsaid.network)?;
    let inputs = match &network {
        Some(network) => network.first().map(|first| first.shape.inputs),
        None => layers.first().and_then(|(_, first)| first.pairs[0].weights.as_ref()?.1.get(1).copied()),
    };
    let standardizer = match &unsaid.standardizer {
        Some(given) => Some(given.clone()),
        None => whole(standardizer, inputs)?,
    };
    let (layers, params) = match network {
        Some(network) => fill(layers, network)?,
        None => dense(layers, own.as_ref(), unsaid.hidden)?,
    };
    let unsaid = Unsaid { standardizer, ..unsaid.clone() };
    match own {
        Some(own) => {
            let output = unsaid.classes.is_none().then_some(own.output);
            with_columns(&layers, &params, &unsaid, output, Some(own.columns))
        }
        None => with_columns(&layers, &params, &unsaid, None, None),
    }
}

/// Layers on the way in, in the order of their names.
type Named = BTreeMap<(Vec<Part>, String), Found>;

/// Puts a tensor into its layer.
fn put(layers: &mut Named, name: &str, shape: &[usize], numbers: Vec<f32>) -> Result<(), ImportError> {
    let other = || ImportError::Other { name: name.to_owned(), shape: shape.to_vec() };
    if is_other_recurrent(name) {
        return Err(ImportError::Recurrent { name: name.to_owned() });
    }
    let (layer, pair, role) = role(name).ok_or_else(other)?;
    let tensors = &mut layers.entry((parts(layer), layer.to_owned())).or_default().pairs[pair];
    if if role == Role::Bias { tensors.bias.is_some() } else { tensors.weights.is_some() } {
        return Err(ImportError::Twice { layer: layer.to_owned(), name: name.to_owned() });
    }
    match (role, shape) {
        (_, shape) if shape.contains(&0) => return Err(other()),
        (Role::Weight, &[rows, units]) if pair == 2 && units.checked_mul(3) != Some(rows) => {
            return Err(ImportError::NoGru { name: name.to_owned(), found: rows, units });
        }
        (Role::Weight, [_, _] | [_, _, _] | [_, _, _, _]) => {
            tensors.weights = Some((name.to_owned(), shape.to_vec(), numbers));
        }
        (Role::Kernel, &[inputs, outputs]) => {
            let numbers = orders::transposed(&numbers, inputs, outputs);
            tensors.weights = Some((name.to_owned(), vec![outputs, inputs], numbers));
        }
        (Role::Bias, &[_]) => tensors.bias = Some(numbers),
        _ => return Err(other()),
    }
    Ok(())
}

/// The layers that the file, or who asks, says that there are.
fn network(own: Option<&Own>, asked: Option<&[ByValue]>) -> Result<Option<Vec<ByValue>>, ImportError> {
    let own = own.and_then(|own| own.network.as_deref());
    let own = own.map(expression::read).transpose().map_err(ImportError::Own)?;
    match (own, asked) {
        (Some(own), Some(asked)) if own != asked => Err(ImportError::OtherNetwork(expression::written(&own))),
        (Some(own), _) => Ok(Some(own)),
        (None, asked) => Ok(asked.map(<[_]>::to_vec)),
    }
}

/// The parameters of known layers, in their order.
fn fill(all: Vec<(String, Found)>, network: Vec<ByValue>) -> Result<(Vec<ByValue>, Vec<f32>), ImportError> {
    let (expected, found) = (network.iter().filter(|layer| layer.kind.has_parameters()).count(), all.len());
    if expected != found {
        return Err(ImportError::Layers { expected, found });
    }
    let (mut params, mut all) = (Vec::new(), all.into_iter());
    for (l, layer) in network.iter().enumerate().filter(|(_, layer)| layer.kind.has_parameters()) {
        let Some((name, tensors)) = all.next() else { break };
        let before = l.checked_sub(1).map(|l| &network[l]);
        let [plain, of_inputs, of_state] = tensors.pairs;
        let (own, others) = match layer.kind.pairs() {
            1 => (vec![plain], [of_inputs, of_state]),
            _ => (vec![of_inputs, of_state], [plain, Pair::default()]),
        };
        if others != [Pair::default(), Pair::default()] {
            return Err(ImportError::Kind { name, layer: expression::written(std::slice::from_ref(layer)) });
        }
        for (pair, tensors) in own.into_iter().enumerate() {
            params.extend(fill_pair(&name, tensors, (layer, pair), before)?);
        }
    }
    Ok((network, params))
}

/// Weights and bias number `pair` of a known layer.
fn fill_pair(
    name: &str,
    tensors: Pair,
    (layer, pair): (&ByValue, usize),
    before: Option<&ByValue>,
) -> Result<Vec<f32>, ImportError> {
    let none = || match layer.kind.pairs() {
        1 => ImportError::NoWeights { layer: name.to_owned() },
        _ => ImportError::Half { layer: name.to_owned(), lacks: RECURRENT[pair][0] },
    };
    let (tensor, found, weights) = tensors.weights.ok_or_else(none)?;
    let expected = orders::shape(layer, pair);
    if found != expected {
        let layer = expression::written(std::slice::from_ref(layer));
        return Err(ImportError::Shape { name: tensor, found, layer, expected });
    }
    let length = layer.lengths().get(2 * pair + 1).copied().unwrap_or(0);
    let bias = tensors.bias.unwrap_or_else(|| vec![0.0; length]);
    if bias.len() != length {
        return Err(ImportError::Bias { layer: name.to_owned(), expected: length, found: bias.len() });
    }
    Ok([orders::inwards(layer, before, &weights), bias].concat())
}

/// Mean and deviation, if they are there, for so many inputs.
fn whole(found: [Option<Vec<f32>>; 2], inputs: Option<usize>) -> Result<Option<[Vec<f32>; 2]>, ImportError> {
    let both = match found {
        [None, None] => return Ok(None),
        [Some(mean), Some(deviation)] => [mean, deviation],
        [Some(_), None] | [None, Some(_)] => return Err(ImportError::HalfStandardizer),
    };
    let other = |inputs: usize| both.iter().map(Vec::len).find(|found| *found != inputs).map(|found| (inputs, found));
    match inputs.and_then(other) {
        Some((inputs, found)) => Err(ImportError::Standardizer { inputs, found }),
        None => Ok(Some(both)),
    }
}

/// The layers in the order that was asked for.
fn ordered(layers: Vec<(String, Found)>, order: &[String]) -> Result<Vec<(String, Found)>, ImportError> {
    if order.is_empty() {
        return Ok(layers);
    }
    let names: Vec<String> = layers.iter().map(|(name, _)| name.clone()).collect();
    let (known, names) = (names.join(", "), names.iter());
    let mut layers: HashMap<String, Found> = layers.into_iter().collect();
    let mut take = |asked: &String| {
        let layer = layers.remove(asked).map(|dense| (asked.clone(), dense));
        layer.ok_or_else(|| ImportError::NoLayer { asked: asked.clone(), known: known.clone() })
    };
    let taken = order.iter().map(&mut take).collect::<Result<Vec<_>, _>>()?;
    let left: Vec<String> =
        names.filter(|name| layers.contains_key(name.as_str())).map(|name| format!("`{name}`")).collect();
    if left.is_empty() { Ok(taken) } else { Err(ImportError::LeftOut { left: left.join(", "), known }) }
}

/// Dense layers, which say themselves how wide they are, and their parameters.
fn dense(
    all: Vec<(String, Found)>,
    own: Option<&Own>,
    hidden: Activation,
) -> Result<(Vec<ByValue>, Vec<f32>), ImportError> {
    let (mut layers, mut params) = (Vec::<Shape>::new(), Vec::new());
    let last = all.len().saturating_sub(1);
    if let Some(own) = own.filter(|own| own.activations.len() != all.len()) {
        return Err(ImportError::Own(format!("{} activations for {} layers", own.activations.len(), all.len())));
    }
    for (l, (name, tensors)) in all.into_iter().enumerate() {
        let [tensors, recurrent @ ..] = tensors.pairs;
        if recurrent != [Pair::default(), Pair::default()] {
            return Err(ImportError::Times { layer: name });
        }
        let (tensor, shape, weights) = tensors.weights.ok_or_else(|| ImportError::NoWeights { layer: name.clone() })?;
        let [outputs, inputs] = shape[..] else { return Err(ImportError::Other { name: tensor, shape }) };
        let bias = tensors.bias.unwrap_or_else(|| vec![0.0; outputs]);
        if bias.len() != outputs {
            return Err(ImportError::Bias { layer: name, expected: outputs, found: bias.len() });
        }
        if let Some(before) = layers.last().filter(|before| before.outputs != inputs) {
            return Err(ImportError::Chain { layer: name, inputs, outputs: before.outputs });
        }
        let saved = own.and_then(|own| own.activations.get(l).copied());
        let activation = saved.unwrap_or(if l == last { Activation::Identity } else { hidden });
        layers.push(Shape { inputs, outputs, activation });
        params.extend(weights);
        params.extend(bias);
    }
    Ok((layers.into_iter().map(ByValue::from).collect(), params))
}

/// A model of some layers.
pub(super) fn model(layers: &[ByValue], params: &[f32], unsaid: &Unsaid<'_>) -> Result<SavedModel, ImportError> {
    with_columns(layers, params, unsaid, None, None)
}

fn with_columns(
    layers: &[ByValue],
    params: &[f32],
    unsaid: &Unsaid<'_>,
    output: Option<Output>,
    columns: Option<Columns>,
) -> Result<SavedModel, ImportError> {
    let (Some(first), Some(top)) = (layers.first(), layers.last()) else { return Err(ImportError::Empty) };
    let (inputs, outputs) = (first.shape.inputs, top.shape.outputs);
    check_counts(unsaid, inputs, outputs)?;
    // Before there is memory for so many inputs, which a file may claim in a few letters.
    if let Some(columns) = columns.as_ref().filter(|columns| columns.features.len() != inputs) {
        return Err(ImportError::Own(format!("{} columns for {inputs} inputs", columns.features.len())));
    }
    let output = match output {
        Some(output) => output,
        None if unsaid.regression && outputs > 1 => return Err(ImportError::SeveralOutputs(outputs)),
        None if unsaid.regression => Output::Value,
        None if outputs == 1 => return Err(ImportError::OneOutput),
        None => {
            let numbered = || (0..outputs).map(|class| class.to_string()).collect();
            Output::Classes(unsaid.classes.map_or_else(numbered, <[_]>::to_vec))
        }
    };
    let plain = || [vec![0.0; inputs], vec![1.0; inputs]];
    let [mean, deviation] = unsaid.standardizer.clone().unwrap_or_else(plain);
    let columns = columns.unwrap_or_else(|| Columns::plain(inputs));
    SavedModel::of(layers, params, [&mean, &deviation], output, columns).map_err(ImportError::Model)
}

/// Weights are finite, not larger than any training leaves them, and in little-endian order.
pub(super) fn check_numbers(name: &str, numbers: &[f32]) -> Result<(), ImportError> {
    const LARGEST: f32 = 1e18;
    let name = name.to_owned();
    if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
        return Err(ImportError::NotFinite { name, at, value: numbers[at] });
    }
    let huge = numbers.iter().find(|x| x.abs() > LARGEST).or_else(|| is_swapped(numbers).then(|| &numbers[0]));
    huge.map_or(Ok(()), |&value| Err(ImportError::Huge { name, value }))
}

/// Whether all numbers are plain weights once their bytes are in the other order, and most of them are not as they are.
fn is_swapped(numbers: &[f32]) -> bool {
    const FEWEST: usize = 4;
    let is_plain = |x: &f32| (1e-9..1e6).contains(&x.abs());
    let swap = |x: &f32| f32::from_bits(x.to_bits().swap_bytes());
    let numbers = || numbers.iter().filter(|x| x.to_bits() != 0);
    let (all, plain) = (numbers().count(), numbers().filter(|x| is_plain(x)).count());
    all >= FEWEST && 2 * plain < all && numbers().all(|x| is_plain(&swap(x)))
}

/// There is one number for each input, and one name for each output.
fn check_counts(unsaid: &Unsaid<'_>, inputs: usize, outputs: usize) -> Result<(), ImportError> {
    let lengths = unsaid.standardizer.as_ref().map(|both| both.each_ref().map(Vec::len));
    let given = [
        ("--mean", lengths.map(|[mean, _]| mean), inputs, "inputs"),
        ("--deviation", lengths.map(|[_, deviation]| deviation), inputs, "inputs"),
        ("--classes", unsaid.classes.map(<[_]>::len), outputs, "outputs"),
    ];
    for (flag, found, expected, what) in given {
        if let Some(found) = found.filter(|found| *found != expected) {
            return Err(ImportError::Count { flag, found, expected, what });
        }
    }
    Ok(())
}

fn numbers(name: &str, view: &TensorView<'_>) -> Result<Vec<f32>, ImportError> {
    let data = view.data();
    match view.dtype() {
        Dtype::F32 => Ok(container::numbers(data)),
        Dtype::F64 => Ok(data.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32).collect()),
        // The upper half of a float of 32 bits.
        Dtype::BF16 => {
            let wide = |two: &[u8; 2]| f32::from_bits(u32::from(u16::from_le_bytes(*two)) << 16);
            Ok(data.as_chunks().0.iter().map(wide).collect())
        }
        other => Err(ImportError::Type { name: name.to_owned(), kind: format!("{other:?}") }),
    }
}

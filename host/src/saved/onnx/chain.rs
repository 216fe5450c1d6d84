//! From a graph to a chain of layers: one value goes through it, and every node takes it or is a constant.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use lgl2o::objective::mlp::Shape;

use super::axes::{Axis, words};
use super::messages::{Graph, Tensor, Value};
use super::reader::{Built, Reader, label, refuse};
use super::{Chain, OnnxError, operators};
use crate::network::series::ByValue;

/// The layers of a graph.
pub(super) fn read(graph: &Graph, folder: &Path) -> Result<Chain, OnnxError> {
    operators::refuse_recurrent(&graph.node)?;
    let constants: HashMap<&str, &Tensor> = graph.initializer.iter().map(|t| (t.name.as_str(), t)).collect();
    // Old files list their weights among the inputs, too.
    let inputs: Vec<&Value> = graph.input.iter().filter(|value| !constants.contains_key(value.name.as_str())).collect();
    let ([input], [output]) = (&inputs[..], &graph.output[..]) else {
        return Err(OnnxError::Ends { inputs: inputs.len(), outputs: graph.output.len() });
    };
    let mut reader =
        Reader { constants, folder, axes: axes_of(input)?, layers: Vec::new(), parameters: 0, has_ended: false };
    let mut value = input.name.as_str();
    let outputs = graph.node.iter().flat_map(|node| &node.output);
    let computed: HashSet<&String> = outputs.chain([&input.name]).collect();
    for node in &graph.node {
        let constant = node.attribute.iter().find(|attribute| attribute.name == "value").and_then(|a| a.t.as_ref());
        if let ("Constant", Some(tensor), Some(name)) = (node.op_type.as_str(), constant, node.output.first()) {
            reader.constants.insert(name, tensor);
            continue;
        }
        let (name, operator) = (label(node), node.op_type.clone());
        let Some(read) = operators::find(node) else { return Err(OnnxError::Operator { node: name, operator }) };
        let taken = node.input.iter().filter(|name| *name == value).count();
        let mut others = node.input.iter().filter(|name| !name.is_empty() && *name != value);
        // A constant is no branch; what is not computed either was left out of the file.
        let is_computed = |name: &String| computed.contains(name) && reader.constant(name).is_none();
        if taken != 1 || others.any(is_computed) {
            return Err(OnnxError::Branch { node: name, operator });
        }
        if reader.has_ended {
            return refuse(
                node,
                "it is behind a softmax, which must be the last node. Export the network without the softmax",
            );
        }
        read(&mut reader, node)?;
        value = node.output.first().map_or("", String::as_str);
    }
    if value != output.name {
        let (node, operator) = (output.name.clone(), "output".to_owned());
        return Err(OnnxError::Branch { node, operator });
    }
    finish(reader)
}

/// The sides of the input.
fn axes_of(input: &Value) -> Result<Vec<Axis>, OnnxError> {
    let shape = input.kind.as_ref().and_then(|kind| kind.tensor.as_ref()).and_then(|tensor| tensor.shape.as_ref());
    let sides: Vec<i64> = shape.map_or(Vec::new(), |shape| shape.dim.iter().map(|dim| dim.value).collect());
    let wrong = || {
        let words: Vec<String> = sides.iter().map(|&n| if n > 0 { n.to_string() } else { "?".to_owned() }).collect();
        OnnxError::Input { name: input.name.clone(), shape: format!("[{}]", words.join(", ")) }
    };
    let rest = sides.split_first().map(|(_, rest)| rest).filter(|rest| !rest.is_empty()).ok_or_else(wrong)?;
    let raw = |(place, &n): (usize, &i64)| usize::try_from(n).ok().filter(|n| *n > 0).map(|n| Axis::Raw(place, n));
    let rest: Option<Vec<Axis>> = rest.iter().enumerate().map(raw).collect();
    let rest = rest.ok_or_else(wrong)?;
    Ok(match rest[..] {
        [Axis::Raw(_, n)] => vec![Axis::Batch, Axis::Flat(n)],
        _ => [vec![Axis::Batch], rest].concat(),
    })
}

/// The chain, whose output is one row for an example.
fn finish(reader: Reader<'_>) -> Result<Chain, OnnxError> {
    if reader.layers.is_empty() {
        return Err(OnnxError::Import(super::ImportError::Empty));
    }
    if !matches!(reader.axes[..], [Axis::Batch, Axis::Flat(_)]) {
        let (node, operator) = ("output".to_owned(), "output".to_owned());
        let why = format!("it has the shape {}: end the network with a dense layer", words(&reader.axes));
        return Err(OnnxError::Node { node, operator, why });
    }
    let (mut layers, mut params) = (Vec::new(), Vec::new());
    for Built { kind, inputs, outputs, activation, weights, bias, .. } in reader.layers {
        layers.push(ByValue { kind, shape: Shape { inputs, outputs, activation } });
        params.extend(weights);
        params.extend(bias);
    }
    Ok(Chain { layers, params })
}

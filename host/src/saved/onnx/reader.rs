//! What is known of a graph while it is read: its constants, the layers so far, and what the sides of the value mean.

use std::collections::HashMap;
use std::path::Path;

use lgl2o::objective::mlp::Activation;

use super::axes::Axis;
use super::messages::{Node, Tensor};
use super::{OnnxError, numbers};
use crate::network::MOST_PARAMETERS;
use crate::network::series::Kind;

/// A shape, and the numbers of it.
pub(super) type Weights = (Vec<usize>, Vec<f32>);

/// A layer on the way in, with its weights in the order of this program.
pub(super) struct Built {
    pub(super) kind: Kind,
    pub(super) inputs: usize,
    pub(super) outputs: usize,
    pub(super) activation: Activation,
    pub(super) weights: Vec<f32>,
    pub(super) bias: Vec<f32>,
    /// Whether an `Add` may still bring its bias.
    pub(super) is_open: bool,
}

/// A graph on the way in.
pub(super) struct Reader<'a> {
    pub(super) constants: HashMap<&'a str, &'a Tensor>,
    pub(super) folder: &'a Path,
    /// What the sides of the value mean.
    pub(super) axes: Vec<Axis>,
    pub(super) layers: Vec<Built>,
    pub(super) parameters: usize,
    /// Whether a softmax has been there, behind which nothing may be.
    pub(super) has_ended: bool,
}

/// A node is none that a layer can be made of.
pub(super) fn refuse<T>(node: &Node, why: impl Into<String>) -> Result<T, OnnxError> {
    let (node, operator, why) = (label(node), node.op_type.clone(), why.into());
    Err(OnnxError::Node { node, operator, why })
}

/// What a node is called; its output where it has no name.
pub(super) fn label(node: &Node) -> String {
    let output = || node.output.first().cloned().unwrap_or_default();
    if node.name.is_empty() { output() } else { node.name.clone() }
}

/// A whole number of a node.
pub(super) fn int(node: &Node, name: &str, unsaid: i64) -> i64 {
    node.attribute.iter().find(|attribute| attribute.name == name).map_or(unsaid, |attribute| attribute.i)
}

impl<'a> Reader<'a> {
    /// Puts a layer on top, unless there are too many weights by then: several nodes may share theirs.
    pub(super) fn push(&mut self, node: &Node, layer: Built) -> Result<(), OnnxError> {
        self.parameters = self.parameters.saturating_add(layer.weights.len()).saturating_add(layer.bias.len());
        if self.parameters > MOST_PARAMETERS {
            return refuse(
                node,
                format!("the network has more than {MOST_PARAMETERS} weights with it. Make layers narrower"),
            );
        }
        self.layers.push(layer);
        Ok(())
    }

    /// A constant of a name.
    pub(super) fn constant(&self, name: &str) -> Option<&'a Tensor> {
        self.constants.get(name).copied()
    }

    /// The weights that are argument number `i` of a node; none if it is left out.
    pub(super) fn weights(&self, node: &Node, i: usize) -> Result<Option<Weights>, OnnxError> {
        let Some(name) = node.input.get(i).filter(|name| !name.is_empty()) else { return Ok(None) };
        match self.constant(name) {
            Some(tensor) => Ok(Some(numbers::weights(tensor, self.folder)?)),
            None => refuse(node, format!("`{name}` is not in the file. Export the network with its weights")),
        }
    }

    /// Whole numbers: an attribute, or argument number `i`, as which later versions have it.
    pub(super) fn whole(&self, node: &Node, name: &str, i: usize) -> Option<Vec<i64>> {
        let attribute = node.attribute.iter().find(|attribute| attribute.name == name).map(|found| found.ints.clone());
        attribute.or_else(|| numbers::whole(self.constant(node.input.get(i)?)?))
    }
}

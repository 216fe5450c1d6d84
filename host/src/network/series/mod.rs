//! Layers whose sizes are known at run time only: dense ones, those over a series in time, and those over an
//! [image](super::image).

mod layer;

use lgl2o::objective::mlp::layer::Visitor;
use lgl2o::objective::mlp::{Shape, dense};
use serde::{Deserialize, Serialize};

use super::image::{Area, OnImage, Way};
pub use layer::{OnSeries, Over};

/// What a layer computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Every output from every input.
    #[default]
    Dense,
    /// A convolution.
    Conv1d(Over),
    /// A convolution of each channel by itself.
    Depthwise(Over),
    /// The largest number of each window.
    MaxPool(Over),
    /// The mean of each window.
    AveragePool(Over),
    /// A convolution over an image.
    Conv2d(Area),
    /// A convolution of each channel of an image by itself.
    Depthwise2d(Area),
    /// The largest number of each window of an image.
    MaxPool2d(Area),
    /// The mean of each window of an image.
    AveragePool2d(Area),
}

impl Kind {
    /// How many tensors it has: weights and a bias, or none.
    #[must_use]
    pub const fn tensors(&self) -> usize {
        match self {
            Self::Dense | Self::Conv1d(_) | Self::Depthwise(_) | Self::Conv2d(_) | Self::Depthwise2d(_) => 2,
            Self::MaxPool(_) | Self::AveragePool(_) | Self::MaxPool2d(_) | Self::AveragePool2d(_) => 0,
        }
    }

    /// Whether it has parameters.
    #[must_use]
    pub const fn has_parameters(&self) -> bool {
        self.tensors() > 0
    }

    /// What it computes on a series, and on which windows of it, if it does.
    #[must_use]
    pub const fn on_series(&self) -> Option<(Way, Over)> {
        match self {
            Self::Conv1d(over) => Some((Way::Whole, *over)),
            Self::Depthwise(over) => Some((Way::Depthwise, *over)),
            Self::MaxPool(over) => Some((Way::Max, *over)),
            Self::AveragePool(over) => Some((Way::Average, *over)),
            Self::Dense | Self::Conv2d(_) | Self::Depthwise2d(_) | Self::MaxPool2d(_) | Self::AveragePool2d(_) => None,
        }
    }

    /// Its windows on a series, if it has such.
    #[must_use]
    pub const fn over(&self) -> Option<Over> {
        match self.on_series() {
            Some((_, over)) => Some(over),
            None => None,
        }
    }

    /// What it computes on an image, and on which windows of it, if it does.
    #[must_use]
    pub const fn on_image(&self) -> Option<(Way, Area)> {
        match self {
            Self::Conv2d(area) => Some((Way::Whole, *area)),
            Self::Depthwise2d(area) => Some((Way::Depthwise, *area)),
            Self::MaxPool2d(area) => Some((Way::Max, *area)),
            Self::AveragePool2d(area) => Some((Way::Average, *area)),
            Self::Dense | Self::Conv1d(_) | Self::Depthwise(_) | Self::MaxPool(_) | Self::AveragePool(_) => None,
        }
    }
}

/// A layer of any kind whose sizes are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByValue {
    /// What it computes.
    pub kind: Kind,
    /// What goes in and out.
    pub shape: Shape,
}

impl From<Shape> for ByValue {
    fn from(shape: Shape) -> Self {
        Self { kind: Kind::Dense, shape }
    }
}

/// A layer of one of three families.
enum Family {
    Dense(dense::ByValue),
    Series(OnSeries),
    Image(OnImage),
}

impl ByValue {
    fn family(&self) -> Family {
        let shape = self.shape;
        match (self.kind.on_series(), self.kind.on_image()) {
            (Some((way, over)), _) => Family::Series(OnSeries { way, over, shape }),
            (None, Some((way, area))) => Family::Image(OnImage { way, area, shape }),
            (None, None) => Family::Dense(dense::ByValue(shape)),
        }
    }

    /// The channels of its outputs; those of a dense layer are its outputs.
    #[must_use]
    pub fn channels(&self) -> usize {
        match self.family() {
            Family::Dense(_) => self.shape.outputs,
            Family::Series(layer) => layer.channels(),
            Family::Image(layer) => layer.channels(),
        }
    }

    /// Lengths of its tensors: weights and bias, or none. No length is larger than a `usize`.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        match self.family() {
            Family::Dense(_) => vec![self.shape.inputs.saturating_mul(self.shape.outputs), self.shape.outputs],
            Family::Series(layer) => layer.lengths(),
            Family::Image(layer) => layer.lengths(),
        }
    }

    /// Rows and columns of the layer's matrix, as [`Tensors::Bases`](lgl2o::tensors::Tensors::Bases) has them: `None` for a layer that has not
    /// two tensors, 0 for a side that is not one of a matrix.
    #[must_use]
    pub fn matrix(&self) -> Option<[usize; 2]> {
        let [weights, bias] = self.lengths()[..] else { return None };
        let others = weights.checked_div(bias).unwrap_or(0);
        match self.kind {
            Kind::Dense | Kind::Conv1d(_) => Some([bias, others]),
            Kind::Conv2d(_) => Some([0, bias]),
            Kind::Depthwise(_) | Kind::Depthwise2d(_) => Some([0, 0]),
            Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::MaxPool2d(_) | Kind::AveragePool2d(_) => None,
        }
    }

    /// How many parameters it has; no more than a `usize` holds.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.lengths().iter().fold(0, |sum: usize, n| sum.saturating_add(*n))
    }

    /// Products of one example, at most, with one for each output; those of pooling are additions.
    #[must_use]
    pub fn multiply_adds(&self) -> usize {
        let per_output = match (self.kind.on_series(), self.kind.on_image()) {
            (Some((Way::Whole, over)), _) => over.kernel.saturating_mul(over.channels),
            (Some((Way::Depthwise | Way::Max | Way::Average, over)), _) => over.kernel,
            (None, Some((Way::Whole, area))) => area.taps().saturating_mul(area.channels),
            (None, Some((Way::Depthwise | Way::Max | Way::Average, area))) => area.taps(),
            (None, None) => self.shape.inputs,
        };
        (per_output + 1).saturating_mul(self.shape.outputs)
    }

    /// Whether its numbers go together, as the core asks at compile time of a layer whose sizes are types.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        match self.family() {
            Family::Dense(_) => self.shape.inputs > 0 && self.shape.outputs > 0,
            Family::Series(layer) => layer.is_sound(),
            Family::Image(layer) => layer.is_sound(),
        }
    }

    /// Hands it to a visitor; its tensors begin at number `first` of the network's.
    pub fn visit<V: Visitor>(&self, first: usize, visitor: V) -> V::Output {
        match self.family() {
            Family::Dense(layer) => visitor.visit(&layer, first),
            Family::Series(layer) => visitor.visit(&layer, first),
            Family::Image(layer) => visitor.visit(&layer, first),
        }
    }
}

#[cfg(test)]
mod tests;

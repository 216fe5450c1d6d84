//! Layers whose sizes are known at run time only: dense ones, those over a series in time, of which one is recurrent, and those over
//! an [image](super::image).

mod layer;
mod recurrent;

use lgl2o::objective::mlp::layer::Visitor;
use lgl2o::objective::mlp::{Shape, dense};
use serde::{Deserialize, Serialize};

use super::image::{Area, OnImage, Way};
pub use layer::{OnSeries, Over};
pub use recurrent::{OverTime, Steps};

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
    /// A gated recurrent unit.
    Gru(Steps),
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
    /// How many pairs of weights and bias it has: one for its inputs, and for a recurrent layer one more for the state.
    #[must_use]
    pub const fn pairs(&self) -> usize {
        match self {
            Self::Gru(_) => 2,
            Self::Dense | Self::Conv1d(_) | Self::Depthwise(_) | Self::Conv2d(_) | Self::Depthwise2d(_) => 1,
            Self::MaxPool(_) | Self::AveragePool(_) | Self::MaxPool2d(_) | Self::AveragePool2d(_) => 0,
        }
    }

    /// How many tensors it has.
    #[must_use]
    pub const fn tensors(&self) -> usize {
        2 * self.pairs()
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
            Self::Dense
            | Self::Gru(_)
            | Self::Conv2d(_)
            | Self::Depthwise2d(_)
            | Self::MaxPool2d(_)
            | Self::AveragePool2d(_) => None,
        }
    }

    /// Times and channels of the series that goes in; `None` for other inputs.
    #[must_use]
    pub const fn steps(&self) -> Option<Steps> {
        match self {
            Self::Gru(steps) => Some(*steps),
            Self::Conv1d(over) | Self::Depthwise(over) | Self::MaxPool(over) | Self::AveragePool(over) => {
                Some(Steps { time: over.time, channels: over.channels })
            }
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
            Self::Dense
            | Self::Conv1d(_)
            | Self::Depthwise(_)
            | Self::MaxPool(_)
            | Self::AveragePool(_)
            | Self::Gru(_) => None,
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

/// A layer of one of four families.
enum Family {
    Dense(dense::ByValue),
    Series(OnSeries),
    Recurrent(OverTime),
    Image(OnImage),
}

impl ByValue {
    fn family(&self) -> Family {
        let shape = self.shape;
        match self.kind {
            Kind::Dense => Family::Dense(dense::ByValue(shape)),
            Kind::Conv1d(over) => Family::Series(OnSeries { way: Way::Whole, over, shape }),
            Kind::Depthwise(over) => Family::Series(OnSeries { way: Way::Depthwise, over, shape }),
            Kind::MaxPool(over) => Family::Series(OnSeries { way: Way::Max, over, shape }),
            Kind::AveragePool(over) => Family::Series(OnSeries { way: Way::Average, over, shape }),
            Kind::Gru(steps) => Family::Recurrent(OverTime { steps, shape }),
            Kind::Conv2d(area) => Family::Image(OnImage { way: Way::Whole, area, shape }),
            Kind::Depthwise2d(area) => Family::Image(OnImage { way: Way::Depthwise, area, shape }),
            Kind::MaxPool2d(area) => Family::Image(OnImage { way: Way::Max, area, shape }),
            Kind::AveragePool2d(area) => Family::Image(OnImage { way: Way::Average, area, shape }),
        }
    }

    /// The channels of its outputs; those of a dense layer, or of a recurrent one, are its outputs.
    #[must_use]
    pub fn channels(&self) -> usize {
        match self.family() {
            Family::Dense(_) | Family::Recurrent(_) => self.shape.outputs,
            Family::Series(layer) => layer.channels(),
            Family::Image(layer) => layer.channels(),
        }
    }

    /// Lengths of its tensors: two for each of its [pairs](Kind::pairs). No length is larger than a `usize`.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        match self.family() {
            Family::Dense(_) => vec![self.shape.inputs.saturating_mul(self.shape.outputs), self.shape.outputs],
            Family::Series(layer) => layer.lengths(),
            Family::Recurrent(layer) => layer.lengths(),
            Family::Image(layer) => layer.lengths(),
        }
    }

    /// Numbers that an example takes while the network is trained: the outputs, or all states of a recurrent layer.
    #[must_use]
    pub fn activations(&self) -> usize {
        match self.family() {
            Family::Recurrent(layer) => layer.activations(),
            Family::Dense(_) | Family::Series(_) | Family::Image(_) => self.shape.outputs,
        }
    }

    /// For each pair of weights and bias, rows and columns of the matrix, as [`Tensors::Bases`](lgl2o::tensors::Tensors::Bases) has them: 0 for a
    /// side that is not one of a matrix.
    #[must_use]
    pub fn matrices(&self) -> Vec<[usize; 2]> {
        let matrix = |pair: &[usize]| {
            let (bias, others) = (pair[1], pair[0].checked_div(pair[1]).unwrap_or(0));
            match self.kind {
                Kind::Dense | Kind::Conv1d(_) => [bias, others],
                Kind::Conv2d(_) => [0, bias],
                Kind::Depthwise(_) | Kind::Depthwise2d(_) | Kind::Gru(_) => [0, 0],
                Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::MaxPool2d(_) | Kind::AveragePool2d(_) => [0, 0],
            }
        };
        self.lengths().chunks_exact(2).map(matrix).collect()
    }

    /// How many parameters it has; no more than a `usize` holds.
    #[must_use]
    pub fn parameters(&self) -> usize {
        self.lengths().iter().fold(0, |sum: usize, n| sum.saturating_add(*n))
    }

    /// Products of one example, at most, with one for each output; those of pooling are additions.
    #[must_use]
    pub fn multiply_adds(&self) -> usize {
        if let Kind::Gru(Steps { time, channels }) = self.kind {
            let per_gate = channels.saturating_add(self.shape.outputs).saturating_add(2);
            return per_gate.saturating_mul(3).saturating_mul(self.shape.outputs).saturating_mul(time);
        }
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
            Family::Recurrent(layer) => layer.is_sound(),
            Family::Image(layer) => layer.is_sound(),
        }
    }

    /// Hands it to a visitor; its tensors begin at number `first` of the network's.
    pub fn visit<V: Visitor>(&self, first: usize, visitor: V) -> V::Output {
        match self.family() {
            Family::Dense(layer) => visitor.visit(&layer, first),
            Family::Series(layer) => visitor.visit(&layer, first),
            Family::Recurrent(layer) => visitor.visit(&layer, first),
            Family::Image(layer) => visitor.visit(&layer, first),
        }
    }
}

#[cfg(test)]
mod tests;

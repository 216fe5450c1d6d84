//! Layers over a series in time whose sizes are known at run time only, by the core's kernels: the bits are those of
//! [`Conv1d`](lgl2o::objective::mlp::Conv1d), [`Depthwise`](lgl2o::objective::mlp::Depthwise) and
//! [pooling](lgl2o::objective::mlp::pool), whose sizes are types.

use lgl2o::batch::Rows;
use lgl2o::objective::mlp::layer::{Inputs, Motion, Moving, NARROW, Own, OwnMut};
use lgl2o::objective::mlp::pool::{Average, Max, Pooling};
use lgl2o::objective::mlp::windows::{Windows, times};
use lgl2o::objective::mlp::{Activation, Kernels, Layer, Shape, conv1d, dense, depthwise};
use lgl2o::persist::Digest;
use lgl2o::rng::Rng;
use lgl2o::tensors::Tensors;
use serde::{Deserialize, Serialize};

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
}

impl Kind {
    /// How many tensors it has: weights and a bias, or none.
    #[must_use]
    pub const fn tensors(&self) -> usize {
        match self {
            Self::Dense | Self::Conv1d(_) | Self::Depthwise(_) => 2,
            Self::MaxPool(_) | Self::AveragePool(_) => 0,
        }
    }

    /// Whether it has parameters.
    #[must_use]
    pub const fn has_parameters(&self) -> bool {
        self.tensors() > 0
    }

    /// Its windows; a dense layer has none.
    #[must_use]
    pub const fn over(&self) -> Option<Over> {
        match self {
            Self::Dense => None,
            Self::Conv1d(over) | Self::Depthwise(over) | Self::MaxPool(over) | Self::AveragePool(over) => Some(*over),
        }
    }
}

/// Windows on a series: see [`Windows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Over {
    /// Times of the inputs.
    pub time: usize,
    /// Numbers of each time.
    pub channels: usize,
    /// Inputs to a window.
    pub kernel: usize,
    /// Inputs between the beginnings of two windows.
    pub stride: usize,
    /// Zeros before the first input and after the last.
    pub padding: usize,
}

impl Over {
    /// The same for the core.
    #[must_use]
    pub const fn windows(&self) -> Windows {
        let Self { time, channels, kernel, stride, padding } = *self;
        Windows { time, channels, kernel, stride, padding }
    }

    /// Times of the outputs, as many as there are windows.
    #[must_use]
    pub const fn count(&self) -> usize {
        times(self.time, self.kernel, self.stride, self.padding)
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

impl ByValue {
    /// The channels of its outputs; those of a dense layer are its outputs.
    #[must_use]
    pub const fn channels(&self) -> usize {
        match self.kind {
            Kind::Dense => self.shape.outputs,
            Kind::Conv1d(over) => match over.count() {
                0 => 0,
                count => self.shape.outputs / count,
            },
            Kind::Depthwise(over) | Kind::MaxPool(over) | Kind::AveragePool(over) => over.channels,
        }
    }

    /// Lengths of its tensors: weights and bias, or none. No length is larger than a `usize`.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        let bias = self.channels();
        match self.kind {
            Kind::Dense => vec![self.shape.inputs.saturating_mul(bias), bias],
            Kind::Conv1d(over) => vec![over.kernel.saturating_mul(over.channels).saturating_mul(bias), bias],
            Kind::Depthwise(over) => vec![over.kernel.saturating_mul(bias), bias],
            Kind::MaxPool(_) | Kind::AveragePool(_) => Vec::new(),
        }
    }

    /// Rows and columns of the layer's matrix, as [`Tensors::Bases`](lgl2o::tensors::Tensors::Bases) has it: `None` for a layer that has not
    /// two tensors, zeros for one whose weights are no matrix.
    #[must_use]
    pub fn matrix(&self) -> Option<[usize; 2]> {
        let [weights, bias] = self.lengths()[..] else { return None };
        Some(match self.kind {
            Kind::Depthwise(_) => [0, 0],
            Kind::Dense | Kind::Conv1d(_) | Kind::MaxPool(_) | Kind::AveragePool(_) => {
                [bias, weights.checked_div(bias).unwrap_or(0)]
            }
        })
    }

    /// Whether its numbers go together, as the core asks at compile time of a layer whose sizes are types.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        const MOST: usize = u32::MAX as usize;
        let Shape { inputs, outputs, activation } = self.shape;
        let Some(over) = self.kind.over() else { return inputs > 0 && outputs > 0 };
        let Over { time, channels, kernel, stride, padding } = over;
        if [time, channels, kernel, stride, padding].iter().any(|&n| n > MOST) || channels == 0 || outputs == 0 {
            return false;
        }
        let count = over.count();
        let fits = count > 0 && padding < kernel && time.checked_mul(channels) == Some(inputs);
        let pools = stride == kernel && padding == 0 && activation == Activation::Identity;
        let kept = count.checked_mul(channels) == Some(outputs);
        fits && match self.kind {
            Kind::Dense => true,
            Kind::Conv1d(_) => outputs.is_multiple_of(count),
            Kind::Depthwise(_) => kept,
            Kind::MaxPool(_) | Kind::AveragePool(_) => kept && pools,
        }
    }

    /// The dense layer that one window is seen by, with the same weights.
    fn window(&self, inputs: usize) -> dense::ByValue {
        dense::ByValue(Shape { inputs, outputs: self.channels(), activation: self.shape.activation })
    }
}

impl Layer for ByValue {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn tensors(&self) -> usize {
        self.kind.tensors()
    }

    fn parameters(&self) -> usize {
        self.lengths().iter().fold(0, |sum: usize, n| sum.saturating_add(*n))
    }

    fn describe(&self, digest: &mut Digest) {
        let Some(Over { time, channels, kernel, stride, padding }) = self.kind.over() else {
            return dense::ByValue(self.shape).describe(digest);
        };
        let mut put = |name: &str, activation: &[Activation], words: &[usize]| {
            digest.kind(name);
            activation.iter().for_each(|activation| digest.kind(activation.name()));
            words.iter().for_each(|&n| digest.word(n as u32));
        };
        let activation = [self.shape.activation];
        match self.kind {
            Kind::Dense => {}
            Kind::Conv1d(_) => {
                put("conv1d", &activation, &[time, channels, self.channels(), kernel, stride, padding]);
            }
            Kind::Depthwise(_) => put("depthwise", &activation, &[time, channels, kernel, stride, padding]),
            Kind::MaxPool(_) => put(Max::NAME, &[], &[time, channels, kernel]),
            Kind::AveragePool(_) => put(Average::NAME, &[], &[time, channels, kernel]),
        }
    }

    fn initialize<P: Tensors>(&self, own: OwnMut<'_, P>, rng: &mut Rng) {
        match self.kind {
            Kind::Dense => dense::ByValue(self.shape).initialize(own, rng),
            Kind::Conv1d(over) => self.window(over.kernel * over.channels).initialize(own, rng),
            Kind::Depthwise(over) => self.window(over.kernel).initialize(own, rng),
            Kind::MaxPool(_) | Kind::AveragePool(_) => {}
        }
    }

    fn forward<P: Tensors>(&self, kernels: &impl Kernels, own: Own<'_, P>, rows: Rows<'_>, n: usize, out: &mut [f32]) {
        match self.kind {
            Kind::Dense => dense::ByValue(self.shape).forward(kernels, own, rows, n, out),
            Kind::Conv1d(over) => conv1d::forward(&over.windows(), own.tensor(0), own.tensor(1), rows, n, out),
            Kind::Depthwise(over) => depthwise::forward(&over.windows(), own.tensor(0), own.tensor(1), rows, n, out),
            Kind::MaxPool(over) => Max::forward(&over.windows(), rows, n, out),
            Kind::AveragePool(over) => Average::forward(&over.windows(), rows, n, out),
        }
    }

    fn gradient<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        errors: &[f32],
        rows: Rows<'_>,
        n: usize,
        mut own: OwnMut<'_, P>,
    ) {
        match self.kind {
            Kind::Dense => dense::ByValue(self.shape).gradient(kernels, errors, rows, n, own),
            Kind::Conv1d(over) => {
                conv1d::weight_gradient(&over.windows(), errors, rows, n, self.channels(), own.tensor(0));
                kernels.bias_gradient(errors, n * over.count(), own.tensor(1));
            }
            Kind::Depthwise(over) => {
                depthwise::weight_gradient(&over.windows(), errors, rows, n, own.tensor(0));
                kernels.bias_gradient(errors, n * over.count(), own.tensor(1));
            }
            Kind::MaxPool(_) | Kind::AveragePool(_) => {}
        }
    }

    fn input_error<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        match self.kind {
            Kind::Dense => dense::ByValue(self.shape).input_error(kernels, own, errors, n, below, x),
            Kind::Conv1d(over) => {
                conv1d::input_error(&over.windows(), own.tensor(0), errors, n, self.channels(), below, x);
            }
            Kind::Depthwise(over) => depthwise::input_error(&over.windows(), own.tensor(0), errors, n, below, x),
            Kind::MaxPool(over) => Max::input_error(&over.windows(), errors, n, below, x),
            Kind::AveragePool(over) => Average::input_error(&over.windows(), errors, n, below, x),
        }
    }

    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        motion: &impl Motion<K>,
        mut own: Moving<'_, P, K>,
        columns: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        let Some(over) = self.kind.over() else {
            return dense::ByValue(self.shape).descend(errors, inputs, n, motion, own, columns);
        };
        let (windows, outputs) = (over.windows(), self.channels());
        let mut gradient = vec![0.0; self.lengths().first().copied().unwrap_or(0)];
        let mut learn = |rows: Rows<'_>| match self.kind {
            Kind::Conv1d(_) => conv1d::weight_gradient(&windows, errors, rows, n, outputs, &mut gradient),
            Kind::Depthwise(_) => depthwise::weight_gradient(&windows, errors, rows, n, &mut gradient),
            Kind::Dense | Kind::MaxPool(_) | Kind::AveragePool(_) => {}
        };
        match inputs {
            Inputs::Rows(rows) => learn(rows),
            Inputs::Activations { x, below } => {
                learn(Rows::all(x, self.shape.inputs));
                match self.kind {
                    Kind::Dense => {}
                    Kind::Conv1d(_) => {
                        conv1d::input_error(&windows, own.part(0).weights, errors, n, outputs, below, x);
                    }
                    Kind::Depthwise(_) => {
                        depthwise::input_error(&windows, own.part(0).weights, errors, n, below, x);
                    }
                    Kind::MaxPool(_) => Max::input_error(&windows, errors, n, below, x),
                    Kind::AveragePool(_) => Average::input_error(&windows, errors, n, below, x),
                }
            }
        }
        if self.kind.has_parameters() {
            own.part(0).advance(motion, 0, &gradient);
            dense::descend_bias(errors, n * over.count(), motion, own.part(1));
        }
    }

    fn terms(&self) -> usize {
        match self.kind {
            Kind::Dense => dense::ByValue(self.shape).terms(),
            Kind::Conv1d(over) | Kind::Depthwise(over) => over.count(),
            Kind::MaxPool(_) | Kind::AveragePool(_) => 0,
        }
    }

    fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        match self.kind {
            Kind::Dense => dense::ByValue(self.shape).growth(own),
            Kind::Conv1d(over) | Kind::Depthwise(over) => self.window(over.channels).growth(own),
            Kind::MaxPool(_) | Kind::AveragePool(_) => 1.0,
        }
    }
}

#[cfg(test)]
mod tests;

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

use crate::network::image::Way;

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

/// A layer over a series whose sizes are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnSeries {
    /// What it computes.
    pub way: Way,
    /// On which windows.
    pub over: Over,
    /// What goes in and out.
    pub shape: Shape,
}

impl OnSeries {
    /// The channels of its outputs.
    #[must_use]
    pub const fn channels(&self) -> usize {
        match self.way {
            Way::Whole => match self.over.count() {
                0 => 0,
                count => self.shape.outputs / count,
            },
            Way::Depthwise | Way::Max | Way::Average => self.over.channels,
        }
    }

    /// Lengths of its tensors: weights and bias, or none. No length is larger than a `usize`.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        let (over, bias) = (self.over, self.channels());
        match self.way {
            Way::Whole => vec![over.kernel.saturating_mul(over.channels).saturating_mul(bias), bias],
            Way::Depthwise => vec![over.kernel.saturating_mul(bias), bias],
            Way::Max | Way::Average => Vec::new(),
        }
    }

    /// Whether its numbers go together, as the core asks at compile time of a layer whose sizes are types.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        const MOST: usize = u32::MAX as usize;
        let Shape { inputs, outputs, activation } = self.shape;
        let Over { time, channels, kernel, stride, padding } = self.over;
        if [time, channels, kernel, stride, padding].iter().any(|&n| n > MOST) || channels == 0 || outputs == 0 {
            return false;
        }
        let count = self.over.count();
        let fits = count > 0 && padding < kernel && time.checked_mul(channels) == Some(inputs);
        let pools = stride == kernel && padding == 0 && activation == Activation::Identity;
        let kept = count.checked_mul(channels) == Some(outputs);
        fits && match self.way {
            Way::Whole => outputs.is_multiple_of(count),
            Way::Depthwise => kept,
            Way::Max | Way::Average => kept && pools,
        }
    }

    /// The dense layer that one window is seen by, with the same weights.
    const fn window(&self, inputs: usize) -> dense::ByValue {
        dense::ByValue(Shape { inputs, outputs: self.channels(), activation: self.shape.activation })
    }
}

impl Layer for OnSeries {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn tensors(&self) -> usize {
        self.lengths().len()
    }

    fn parameters(&self) -> usize {
        self.lengths().iter().fold(0, |sum: usize, n| sum.saturating_add(*n))
    }

    fn describe(&self, digest: &mut Digest) {
        let Over { time, channels, kernel, stride, padding } = self.over;
        let mut put = |name: &str, activation: &[Activation], words: &[usize]| {
            digest.kind(name);
            activation.iter().for_each(|activation| digest.kind(activation.name()));
            words.iter().for_each(|&n| digest.word(n as u32));
        };
        let activation = [self.shape.activation];
        match self.way {
            Way::Whole => {
                put("conv1d", &activation, &[time, channels, self.channels(), kernel, stride, padding]);
            }
            Way::Depthwise => put("depthwise", &activation, &[time, channels, kernel, stride, padding]),
            Way::Max => put(Max::NAME, &[], &[time, channels, kernel]),
            Way::Average => put(Average::NAME, &[], &[time, channels, kernel]),
        }
    }

    fn initialize<P: Tensors>(&self, own: OwnMut<'_, P>, rng: &mut Rng) {
        match self.way {
            Way::Whole => self.window(self.over.kernel * self.over.channels).initialize(own, rng),
            Way::Depthwise => self.window(self.over.kernel).initialize(own, rng),
            Way::Max | Way::Average => {}
        }
    }

    fn forward<P: Tensors>(&self, _: &impl Kernels, own: Own<'_, P>, rows: Rows<'_>, n: usize, out: &mut [f32]) {
        match self.way {
            Way::Whole => conv1d::forward(&self.over.windows(), own.tensor(0), own.tensor(1), rows, n, out),
            Way::Depthwise => depthwise::forward(&self.over.windows(), own.tensor(0), own.tensor(1), rows, n, out),
            Way::Max => Max::forward(&self.over.windows(), rows, n, out),
            Way::Average => Average::forward(&self.over.windows(), rows, n, out),
        }
    }

    fn gradient<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        _: Own<'_, P>,
        errors: &[f32],
        rows: Rows<'_>,
        n: usize,
        mut gradient: OwnMut<'_, P>,
    ) {
        match self.way {
            Way::Whole => {
                conv1d::weight_gradient(&self.over.windows(), errors, rows, n, self.channels(), gradient.tensor(0));
                kernels.bias_gradient(errors, n * self.over.count(), gradient.tensor(1));
            }
            Way::Depthwise => {
                depthwise::weight_gradient(&self.over.windows(), errors, rows, n, gradient.tensor(0));
                kernels.bias_gradient(errors, n * self.over.count(), gradient.tensor(1));
            }
            Way::Max | Way::Average => {}
        }
    }

    fn input_error<P: Tensors>(
        &self,
        _: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        match self.way {
            Way::Whole => {
                conv1d::input_error(&self.over.windows(), own.tensor(0), errors, n, self.channels(), below, x);
            }
            Way::Depthwise => depthwise::input_error(&self.over.windows(), own.tensor(0), errors, n, below, x),
            Way::Max => Max::input_error(&self.over.windows(), errors, n, below, x),
            Way::Average => Average::input_error(&self.over.windows(), errors, n, below, x),
        }
    }

    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        motion: &impl Motion<K>,
        mut own: Moving<'_, P, K>,
        _: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        let (windows, outputs) = (self.over.windows(), self.channels());
        let mut gradient = vec![0.0; self.lengths().first().copied().unwrap_or(0)];
        let mut learn = |rows: Rows<'_>| match self.way {
            Way::Whole => conv1d::weight_gradient(&windows, errors, rows, n, outputs, &mut gradient),
            Way::Depthwise => depthwise::weight_gradient(&windows, errors, rows, n, &mut gradient),
            Way::Max | Way::Average => {}
        };
        match inputs {
            Inputs::Rows(rows) => learn(rows),
            Inputs::Activations { x, below } => {
                learn(Rows::all(x, self.shape.inputs));
                match self.way {
                    Way::Whole => {
                        conv1d::input_error(&windows, own.part(0).weights, errors, n, outputs, below, x);
                    }
                    Way::Depthwise => {
                        depthwise::input_error(&windows, own.part(0).weights, errors, n, below, x);
                    }
                    Way::Max => Max::input_error(&windows, errors, n, below, x),
                    Way::Average => Average::input_error(&windows, errors, n, below, x),
                }
            }
        }
        if self.tensors() > 0 {
            own.part(0).advance(motion, 0, &gradient);
            dense::descend_bias(errors, n * self.over.count(), motion, own.part(1));
        }
    }

    fn terms<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        match self.way {
            Way::Whole | Way::Depthwise => self.over.count() as f32,
            Way::Max | Way::Average => 0.0,
        }
    }

    fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        match self.way {
            Way::Whole | Way::Depthwise => self.window(self.over.channels).growth(own),
            Way::Max | Way::Average => 1.0,
        }
    }
}

//! Layers over an image whose sizes are known at run time only, by the core's kernels: the bits are those of
//! [`Conv2d`](lgl2o::objective::mlp::Conv2d), [`Depthwise2d`](lgl2o::objective::mlp::Depthwise2d) and
//! [pooling](lgl2o::objective::mlp::pool2d), whose sizes are types.

use lgl2o::batch::Rows;
use lgl2o::objective::mlp::layer::{Inputs, Motion, Moving, NARROW, Own, OwnMut};
use lgl2o::objective::mlp::patches::Patches;
use lgl2o::objective::mlp::pool::{Average, Max};
use lgl2o::objective::mlp::pool2d::Pooling2d;
use lgl2o::objective::mlp::{Activation, Kernels, Layer, Shape, conv2d, dense, depthwise2d};
use lgl2o::persist::Digest;
use lgl2o::rng::Rng;
use lgl2o::tensors::Tensors;
use serde::{Deserialize, Serialize};

/// Windows on an image: see [`Patches`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Rows of the inputs.
    pub height: usize,
    /// Columns of the inputs.
    pub width: usize,
    /// Numbers of each pixel.
    pub channels: usize,
    /// Rows and columns of a window.
    pub kernel: [usize; 2],
    /// Rows and columns between the beginnings of two windows.
    pub stride: [usize; 2],
    /// Rows and columns of zeros on either side.
    pub padding: [usize; 2],
}

impl Area {
    /// The same for the core.
    #[must_use]
    pub const fn patches(&self) -> Patches {
        let Self { height, width, channels, kernel, stride, padding } = *self;
        Patches::new([height, width, channels], kernel, stride, padding)
    }

    /// Rows and columns of the outputs.
    #[must_use]
    pub const fn outputs(&self) -> [usize; 2] {
        let Patches { rows, columns } = self.patches();
        [rows.count(), columns.count()]
    }

    /// Pixels of a window; no number is larger than a `usize`.
    #[must_use]
    pub const fn taps(&self) -> usize {
        self.kernel[0].saturating_mul(self.kernel[1])
    }

    /// Whether its numbers go together, and make so many inputs.
    #[must_use]
    pub fn is_sound(&self, inputs: usize) -> bool {
        const MOST: usize = u16::MAX as usize;
        let Self { height, width, channels, kernel, stride, padding } = *self;
        let all = [[height, width], kernel, stride, padding, [channels, 1]].concat();
        let fits = |side: usize| padding[side] < kernel[side] && stride[side] > 0;
        all.iter().all(|&n| n <= MOST)
            && height.checked_mul(width).and_then(|pixels| pixels.checked_mul(channels)) == Some(inputs)
            && inputs > 0
            && fits(0)
            && fits(1)
            && !self.outputs().contains(&0)
    }
}

/// What a layer computes on an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// A convolution.
    Whole,
    /// A convolution of each channel by itself.
    Depthwise,
    /// The largest number of each window.
    Max,
    /// The mean of each window.
    Average,
}

/// A layer over an image whose sizes are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnImage {
    /// What it computes.
    pub way: Way,
    /// On which windows.
    pub area: Area,
    /// What goes in and out.
    pub shape: Shape,
}

impl OnImage {
    /// The channels of its outputs.
    #[must_use]
    pub fn channels(&self) -> usize {
        match self.way {
            Way::Whole => self.shape.outputs.checked_div(self.pixels()).unwrap_or(0),
            Way::Depthwise | Way::Max | Way::Average => self.area.channels,
        }
    }

    /// Pixels of the outputs.
    fn pixels(&self) -> usize {
        let [rows, columns] = self.area.outputs();
        rows.saturating_mul(columns)
    }

    /// Lengths of its tensors: weights and bias, or none. No length is larger than a `usize`.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        let bias = self.channels();
        match self.way {
            Way::Whole => vec![self.area.taps().saturating_mul(self.area.channels).saturating_mul(bias), bias],
            Way::Depthwise => vec![self.area.taps().saturating_mul(bias), bias],
            Way::Max | Way::Average => Vec::new(),
        }
    }

    /// Whether its numbers go together, as the core asks at compile time of a layer whose sizes are types.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let Shape { inputs, outputs, activation } = self.shape;
        if !self.area.is_sound(inputs) {
            return false;
        }
        let kept = self.pixels().checked_mul(self.area.channels) == Some(outputs);
        let pools =
            self.area.stride == self.area.kernel && self.area.padding == [0, 0] && activation == Activation::Identity;
        match self.way {
            Way::Whole => outputs > 0 && outputs.is_multiple_of(self.pixels()),
            Way::Depthwise => kept,
            Way::Max | Way::Average => kept && pools,
        }
    }
}

impl Layer for OnImage {
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
        let Area { height, width, channels, kernel, stride, padding } = self.area;
        let size = [height, width, channels];
        let mut put = |name: &str, activation: &[Activation], words: &[&[usize]]| {
            digest.kind(name);
            activation.iter().for_each(|activation| digest.kind(activation.name()));
            words.concat().iter().for_each(|&n| digest.word(n as u32));
        };
        let activation = [self.shape.activation];
        match self.way {
            Way::Whole => put("conv2d", &activation, &[&size, &[self.channels()], &kernel, &stride, &padding]),
            Way::Depthwise => put("depthwise2d", &activation, &[&size, &kernel, &stride, &padding]),
            Way::Max => put(<Max as Pooling2d>::NAME, &[], &[&size, &kernel]),
            Way::Average => put(<Average as Pooling2d>::NAME, &[], &[&size, &kernel]),
        }
    }

    fn initialize<P: Tensors>(&self, own: OwnMut<'_, P>, rng: &mut Rng) {
        let inputs = match self.way {
            Way::Whole => self.area.taps() * self.area.channels,
            Way::Depthwise => self.area.taps(),
            Way::Max | Way::Average => return,
        };
        // The dense layer that one window is seen by draws as many.
        let shape = Shape { inputs, outputs: self.channels(), activation: self.shape.activation };
        dense::ByValue(shape).initialize(own, rng);
    }

    fn forward<P: Tensors>(&self, _: &impl Kernels, own: Own<'_, P>, rows: Rows<'_>, n: usize, out: &mut [f32]) {
        let patches = self.area.patches();
        match self.way {
            Way::Whole => conv2d::forward(&patches, own.tensor(0), own.tensor(1), rows, n, out),
            Way::Depthwise => depthwise2d::forward(&patches, own.tensor(0), own.tensor(1), rows, n, out),
            Way::Max => Max::forward(&patches, rows, n, out),
            Way::Average => Average::forward(&patches, rows, n, out),
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
        let patches = self.area.patches();
        match self.way {
            Way::Whole => conv2d::weight_gradient(&patches, errors, rows, n, self.channels(), gradient.tensor(0)),
            Way::Depthwise => depthwise2d::weight_gradient(&patches, errors, rows, n, gradient.tensor(0)),
            Way::Max | Way::Average => return,
        }
        kernels.bias_gradient(errors, n * patches.count(), gradient.tensor(1));
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
        let patches = self.area.patches();
        match self.way {
            Way::Whole => conv2d::input_error(&patches, own.tensor(0), errors, n, self.channels(), below, x),
            Way::Depthwise => depthwise2d::input_error(&patches, own.tensor(0), errors, n, below, x),
            Way::Max => Max::input_error(&patches, errors, n, below, x),
            Way::Average => Average::input_error(&patches, errors, n, below, x),
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
        let (patches, outputs) = (self.area.patches(), self.channels());
        let mut gradient = vec![0.0; self.lengths().first().copied().unwrap_or(0)];
        let mut learn = |rows: Rows<'_>| match self.way {
            Way::Whole => conv2d::weight_gradient(&patches, errors, rows, n, outputs, &mut gradient),
            Way::Depthwise => depthwise2d::weight_gradient(&patches, errors, rows, n, &mut gradient),
            Way::Max | Way::Average => {}
        };
        match inputs {
            Inputs::Rows(rows) => learn(rows),
            Inputs::Activations { x, below } => {
                learn(Rows::all(x, self.shape.inputs));
                match self.way {
                    Way::Whole => conv2d::input_error(&patches, own.part(0).weights, errors, n, outputs, below, x),
                    Way::Depthwise => depthwise2d::input_error(&patches, own.part(0).weights, errors, n, below, x),
                    Way::Max => Max::input_error(&patches, errors, n, below, x),
                    Way::Average => Average::input_error(&patches, errors, n, below, x),
                }
            }
        }
        if self.tensors() > 0 {
            own.part(0).advance(motion, 0, &gradient);
            dense::descend_bias(errors, n * patches.count(), motion, own.part(1));
        }
    }

    fn terms<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        if self.tensors() > 0 { self.pixels() as f32 } else { 0.0 }
    }

    fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        match self.way {
            Way::Whole => conv2d::growth(own.tensor(0), self.area.channels, self.channels()),
            // That of a depthwise convolution has one output for each channel.
            Way::Depthwise => conv2d::growth(own.tensor(0), self.area.channels, 1),
            Way::Max | Way::Average => 1.0,
        }
    }
}

#[cfg(test)]
mod tests;

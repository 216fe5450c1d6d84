//! Networks over an image, in double precision: written out anew from the formulas that the layers' modules state.

use lgl2o::objective::mlp::Activation;

use crate::reference::losses::{Oracle, activate, cross_entropy};

/// A layer. Filters have kernel, stride and padding, each along rows and along columns.
#[derive(Debug, Clone, Copy)]
pub enum Plane64 {
    /// So many outputs.
    Dense(usize, Activation),
    /// So many channels.
    Conv2d(usize, [[usize; 2]; 3], Activation),
    /// As many channels as before.
    Depthwise2d([[usize; 2]; 3], Activation),
    /// The largest of so many rows and columns.
    MaxPool2d([usize; 2]),
    /// The mean of so many rows and columns.
    AveragePool2d([usize; 2]),
    /// The same numbers as an image of so many rows, columns and channels.
    Fold([usize; 3]),
}

/// A network on a batch, with cross-entropy.
#[derive(Debug, Clone)]
pub struct Image64 {
    /// Rows, columns and channels of the inputs.
    pub shape: [usize; 3],
    /// The layers.
    pub layers: Vec<Plane64>,
    /// One row per example.
    pub inputs: Vec<Vec<f64>>,
    /// One label per example.
    pub labels: Vec<u8>,
}

/// What is at hand while an example goes up: its numbers, their shape, and the least distance from a kink.
struct Rising {
    x: Vec<f64>,
    shape: [usize; 3],
    kink: f64,
}

/// Outputs of a side.
fn steps(n: usize, [k, s, p]: [usize; 3]) -> usize {
    (0..).take_while(|t| t * s + k <= n + 2 * p).count()
}

impl Rising {
    /// The number of a row, a column and a channel, zero in the padding.
    fn at(&self, place: [usize; 2], padding: [usize; 2], c: usize) -> f64 {
        let [height, width, channels] = self.shape;
        let (i, j) = (place[0].checked_sub(padding[0]), place[1].checked_sub(padding[1]));
        match (i.filter(|i| *i < height), j.filter(|j| *j < width)) {
            (Some(i), Some(j)) => self.x[(i * width + j) * channels + c],
            _ => 0.0,
        }
    }

    /// A number for each patch and channel of outputs: that of its first row and column, and a channel.
    fn patches(&mut self, [k, s, p]: [[usize; 2]; 3], channels: usize, of: impl Fn(&Self, [usize; 2], usize) -> f64) {
        let rows = steps(self.shape[0], [k[0], s[0], p[0]]);
        let columns = steps(self.shape[1], [k[1], s[1], p[1]]);
        let mut x = Vec::new();
        for (y, t) in (0..rows).flat_map(|y| (0..columns).map(move |t| (y, t))) {
            (0..channels).for_each(|c| x.push(of(self, [y * s[0], t * s[1]], c)));
        }
        (self.x, self.shape) = (x, [rows, columns, channels]);
    }

    fn activate(&mut self, activation: Activation) {
        if activation == Activation::Relu {
            self.kink = self.x.iter().fold(self.kink, |kink, z| kink.min(z.abs()));
        }
        self.x.iter_mut().for_each(|z| *z = activate(activation, *z));
    }

    fn pool(&mut self, sides: [usize; 2], of: impl Fn(Vec<f64>) -> f64) {
        let channels = self.shape[2];
        self.patches([sides, sides, [0, 0]], channels, |all, [i, j], c| {
            let taps = (0..sides[0]).flat_map(|k| (0..sides[1]).map(move |l| [i + k, j + l]));
            of(taps.map(|place| all.at(place, [0, 0], c)).collect())
        });
    }

    fn through(&mut self, layer: Plane64, weights: &[f64], bias: &[f64]) {
        let before = self.shape[2];
        match layer {
            Plane64::Dense(outputs, activation) => {
                let n = self.x.len();
                let z = |o: usize| self.x.iter().zip(&weights[o * n..]).map(|(x, w)| x * w).sum::<f64>() + bias[o];
                (self.x, self.shape) = ((0..outputs).map(z).collect(), [1, 1, outputs]);
                self.activate(activation);
            }
            Plane64::Conv2d(outputs, form @ [kernel, _, padding], activation) => {
                self.patches(form, outputs, |all, [i, j], o| {
                    let mut z = bias[o];
                    for (k, l) in (0..kernel[0]).flat_map(|k| (0..kernel[1]).map(move |l| (k, l))) {
                        for c in 0..before {
                            let w = weights[((k * kernel[1] + l) * before + c) * outputs + o];
                            z += w * all.at([i + k, j + l], padding, c);
                        }
                    }
                    z
                });
                self.activate(activation);
            }
            Plane64::Depthwise2d(form @ [kernel, _, padding], activation) => {
                self.patches(form, before, |all, [i, j], c| {
                    let mut z = bias[c];
                    for (k, l) in (0..kernel[0]).flat_map(|k| (0..kernel[1]).map(move |l| (k, l))) {
                        z += weights[(k * kernel[1] + l) * before + c] * all.at([i + k, j + l], padding, c);
                    }
                    z
                });
                self.activate(activation);
            }
            Plane64::MaxPool2d(sides) => {
                let kink = std::cell::Cell::new(self.kink);
                self.pool(sides, |mut all| {
                    all.sort_by(f64::total_cmp);
                    let last = all.len() - 1;
                    // Of equal numbers, such as the zeros of a ReLU, either may be the largest while none moves.
                    if last > 0 && all[last] != all[last - 1] {
                        kink.set(kink.get().min(all[last] - all[last - 1]));
                    }
                    all[last]
                });
                self.kink = kink.get();
            }
            Plane64::AveragePool2d(sides) => self.pool(sides, |all| all.iter().sum::<f64>() / all.len() as f64),
            Plane64::Fold(shape) => self.shape = shape,
        }
    }
}

impl Image64 {
    fn forward(&self, params: &[Vec<f64>], row: &[f64]) -> Rising {
        let (mut rising, mut params) = (Rising { x: row.to_vec(), shape: self.shape, kink: f64::INFINITY }, params);
        for &layer in &self.layers {
            match layer {
                Plane64::MaxPool2d(_) | Plane64::AveragePool2d(_) | Plane64::Fold(_) => {
                    rising.through(layer, &[], &[]);
                }
                Plane64::Dense(..) | Plane64::Conv2d(..) | Plane64::Depthwise2d(..) => {
                    rising.through(layer, &params[0], &params[1]);
                    params = &params[2..];
                }
            }
        }
        rising
    }

    /// The least distance of any number from a kink, where no difference quotient is a derivative.
    #[must_use]
    pub fn kink(&self, params: &[Vec<f64>]) -> f64 {
        self.inputs.iter().fold(f64::INFINITY, |kink, row| kink.min(self.forward(params, row).kink))
    }
}

impl Oracle for Image64 {
    fn losses(&self, params: &[Vec<f64>]) -> Vec<f64> {
        let loss = |(row, &label): (&Vec<f64>, &u8)| cross_entropy(&self.forward(params, row).x, label);
        self.inputs.iter().zip(&self.labels).map(loss).collect()
    }
}

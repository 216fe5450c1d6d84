//! Networks over a series in time, in double precision: written out anew from the formulas that the layers' modules state.

use lgl2o::objective::mlp::Activation;

use crate::reference::losses::{Oracle, activate, cross_entropy};

/// A layer. Convolutions have kernel, stride and padding.
#[derive(Debug, Clone, Copy)]
pub enum Layer64 {
    /// So many outputs.
    Dense(usize, Activation),
    /// So many channels.
    Conv1d(usize, [usize; 3], Activation),
    /// As many channels as before.
    Depthwise([usize; 3], Activation),
    /// The largest of so many times.
    MaxPool(usize),
    /// The mean of so many times.
    AveragePool(usize),
    /// A gated recurrent unit of so many numbers.
    Gru(usize),
    /// The same numbers as a series of so many channels.
    Fold(usize),
}

/// A network on a batch, with cross-entropy.
#[derive(Debug, Clone)]
pub struct Series64 {
    /// Times and channels of the inputs.
    pub shape: [usize; 2],
    /// The layers.
    pub layers: Vec<Layer64>,
    /// One row per example.
    pub inputs: Vec<Vec<f64>>,
    /// One label per example.
    pub labels: Vec<u8>,
}

/// What is at hand while a row goes up: a number for each time and channel, and the least distance from a kink.
struct Rising {
    x: Vec<Vec<f64>>,
    kink: f64,
}

impl Rising {
    /// The number of a time and a channel, zero in the padding.
    fn at(&self, time: usize, padding: usize, channel: usize) -> f64 {
        time.checked_sub(padding).and_then(|time| self.x.get(time)).map_or(0.0, |x| x[channel])
    }

    fn activate(&mut self, z: Vec<Vec<f64>>, activation: Activation) {
        if activation == Activation::Relu {
            self.kink = z.iter().flatten().fold(self.kink, |kink, z| kink.min(z.abs()));
        }
        self.x = z.into_iter().map(|z| z.into_iter().map(|z| activate(activation, z)).collect()).collect();
    }

    /// A number for each window and channel of outputs: that of the window's first time and a channel.
    fn windows(&self, [k, s, p]: [usize; 3], channels: usize, of: impl Fn(usize, usize) -> f64) -> Vec<Vec<f64>> {
        let starts = (0..).map(|t| t * s).take_while(|start| start + k <= self.x.len() + 2 * p);
        starts.map(|start| (0..channels).map(|c| of(start, c)).collect()).collect()
    }

    fn pool(&mut self, w: usize, of: impl Fn(&mut Vec<f64>) -> f64) {
        let channels = self.x[0].len();
        let column = |start: usize, c: usize| of(&mut (0..w).map(|k| self.at(start + k, 0, c)).collect());
        self.x = self.windows([w, w, 0], channels, column);
    }

    fn through(&mut self, layer: Layer64, weights: &[f64], bias: &[f64]) {
        let before = self.x[0].len();
        match layer {
            Layer64::Dense(outputs, activation) => {
                let flat = self.x.concat();
                let z =
                    |o: usize| flat.iter().zip(&weights[o * flat.len()..]).map(|(x, w)| x * w).sum::<f64>() + bias[o];
                self.activate(vec![(0..outputs).map(z).collect()], activation);
            }
            Layer64::Conv1d(outputs, form @ [kernel, _, padding], activation) => {
                let w = |o: usize, k: usize, c: usize| weights[(o * kernel + k) * before + c];
                let tap = |start: usize, o: usize, k: usize| {
                    (0..before).map(|c| w(o, k, c) * self.at(start + k, padding, c)).sum::<f64>()
                };
                let z = |start: usize, o: usize| (0..kernel).map(|k| tap(start, o, k)).sum::<f64>() + bias[o];
                let z = self.windows(form, outputs, z);
                self.activate(z, activation);
            }
            Layer64::Depthwise(form @ [kernel, _, padding], activation) => {
                let tap = |start: usize, c: usize, k: usize| weights[k * before + c] * self.at(start + k, padding, c);
                let z = |start: usize, c: usize| (0..kernel).map(|k| tap(start, c, k)).sum::<f64>() + bias[c];
                let z = self.windows(form, before, z);
                self.activate(z, activation);
            }
            Layer64::MaxPool(w) => {
                let kink = std::cell::Cell::new(self.kink);
                self.pool(w, |all| {
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
            Layer64::Fold(channels) => self.x = self.x.concat().chunks(channels).map(<[f64]>::to_vec).collect(),
            Layer64::AveragePool(w) => self.pool(w, |all| all.iter().sum::<f64>() / w as f64),
            Layer64::Gru(_) => unreachable!("it has four tensors"),
        }
    }

    /// The last state of a gated recurrent unit.
    fn remember(&mut self, units: usize, [w, b, u, c]: [&[f64]; 4]) {
        let row = |m: &[f64], o: usize, x: &[f64]| -> f64 { m[o * x.len()..].iter().zip(x).map(|(m, x)| m * x).sum() };
        let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
        let last = self.x.iter().fold(vec![0.0; units], |h, x| {
            let (input, state) = (|o: usize| row(w, o, x) + b[o], |o: usize| row(u, o, &h) + c[o]);
            let next = |j: usize| {
                let [r, z] = [j, units + j].map(|o| sigmoid(input(o) + state(o)));
                let n = (input(2 * units + j) + r * state(2 * units + j)).tanh();
                (1.0 - z) * n + z * h[j]
            };
            (0..units).map(next).collect()
        });
        self.x = vec![last];
    }
}

impl Series64 {
    fn forward(&self, params: &[Vec<f64>], row: &[f64]) -> Rising {
        let x = row.chunks(self.shape[1]).map(<[f64]>::to_vec).collect();
        let (mut rising, mut params) = (Rising { x, kink: f64::INFINITY }, params);
        for &layer in &self.layers {
            match layer {
                Layer64::MaxPool(_) | Layer64::AveragePool(_) | Layer64::Fold(_) => rising.through(layer, &[], &[]),
                Layer64::Gru(units) => {
                    rising.remember(units, [&params[0], &params[1], &params[2], &params[3]]);
                    params = &params[4..];
                }
                Layer64::Dense(..) | Layer64::Conv1d(..) | Layer64::Depthwise(..) => {
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

impl Oracle for Series64 {
    fn losses(&self, params: &[Vec<f64>]) -> Vec<f64> {
        let loss = |(row, &label): (&Vec<f64>, &u8)| cross_entropy(&self.forward(params, row).x.concat(), label);
        self.inputs.iter().zip(&self.labels).map(loss).collect()
    }
}

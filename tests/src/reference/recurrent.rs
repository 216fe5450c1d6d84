//! The recurrent learned rules in double precision, written out anew from the formulas at the heads of
//! `lgl2o::learned::coordinate_lstm`, `rnnprop`, `recurrent` and `lstm`.

use crate::reference::learned::{exp2_linear, log2_linear, mean, mean_square};

/// Which of the two rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Andrychowicz et al.
    CoordinateLstm,
    /// Lv et al.
    RnnProp,
}

/// A rule with its weights, H units in a layer, and the state of several tensors.
#[derive(Debug, Clone)]
pub struct Recurrent64 {
    kind: Kind,
    hidden: usize,
    weights: Vec<f64>,
    tensors: Vec<Tensor64>,
    steps: i32,
}

/// What is remembered of one tensor.
#[derive(Debug, Clone)]
struct Tensor64 {
    v: Vec<f64>,
    m: Vec<f64>,
    /// h1, c1, h2, c2 of each parameter.
    cells: Vec<[Vec<f64>; 4]>,
}

/// tanh as a continued fraction, from its innermost term.
fn tanh(x: f64) -> f64 {
    let x = x.clamp(f64::from(-4.97f32), f64::from(4.97f32));
    x / [13.0, 11.0, 9.0, 7.0, 5.0, 3.0, 1.0].into_iter().reduce(|inner, odd| odd + x * x / inner).unwrap()
}

fn sigmoid(x: f64) -> f64 {
    (1.0 + tanh(x / 2.0)) / 2.0
}

fn elu(x: f64) -> f64 {
    if x > 0.0 {
        return x;
    }
    let y = x.max(-16.0) / 16.0;
    ((1.0 + y / 2.0 + y * y / 12.0) / (1.0 - y / 2.0 + y * y / 12.0)).powi(16) - 1.0
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// One step of one parameter in one layer; takes the layer's weights off the front.
fn lstm(weights: &mut &[f64], x: &[f64], h: &mut Vec<f64>, c: &mut [f64]) {
    let (inputs, hidden) = (x.len(), h.len());
    let (u, rest) = weights.split_at(4 * hidden * inputs);
    let (r, rest) = rest.split_at(4 * hidden * hidden);
    let (b, rest) = rest.split_at(4 * hidden);
    *weights = rest;
    let gate = |number: usize, k: usize| {
        let row = number * hidden + k;
        dot(&u[row * inputs..][..inputs], x) + dot(&r[row * hidden..][..hidden], h) + b[row]
    };
    let next = (0..hidden).map(|k| {
        c[k] = sigmoid(gate(1, k)) * c[k] + sigmoid(gate(0, k)) * tanh(gate(2, k));
        sigmoid(gate(3, k)) * tanh(c[k])
    });
    *h = next.collect();
}

impl Recurrent64 {
    /// Fresh state for tensors of these lengths. The weights are in the order of the file.
    #[must_use]
    pub fn new(kind: Kind, hidden: usize, weights: Vec<f64>, lengths: &[usize]) -> Self {
        let count = match kind {
            Kind::CoordinateLstm => 12 * hidden * hidden + 17 * hidden + 5,
            Kind::RnnProp => 16 * hidden * hidden + 12 * hidden + 5,
        };
        assert_eq!(weights.len(), count);
        let blank = |&n: &usize| Tensor64 {
            v: vec![0.0; n],
            m: vec![0.0; n],
            cells: vec![core::array::from_fn(|_| vec![0.0; hidden]); n],
        };
        Self { kind, hidden, weights, tensors: lengths.iter().map(blank).collect(), steps: 0 }
    }

    /// One step of all tensors.
    pub fn step(&mut self, w: &mut [Vec<f64>], gradient: &[Vec<f64>]) {
        self.steps += 1;
        let [of_square, of_mean] = match self.kind {
            Kind::CoordinateLstm => [0.99f32, 0.9],
            Kind::RnnProp => [0.95, 0.95],
        }
        .map(f64::from);
        let (first_square, first_mean) = (1.0 - of_square.powi(self.steps), 1.0 - of_mean.powi(self.steps));
        for (i, (w, g)) in w.iter_mut().zip(gradient).enumerate() {
            let tensor = &mut self.tensors[i];
            tensor.v.iter_mut().zip(g).for_each(|(v, g)| *v = of_square * *v + (1.0 - of_square) * g * g);
            tensor.m.iter_mut().zip(g).for_each(|(m, g)| *m = of_mean * *m + (1.0 - of_mean) * g);
            let level = 7.0 + 0.5 * log2_linear(mean(tensor.v.iter().map(|v| v / first_square)) + 1e-16);
            let rms = (mean_square(&tensor.m) + 1e-16).sqrt();
            for (j, w) in w.iter_mut().enumerate() {
                let tensor = &self.tensors[i];
                let dirs = match self.kind {
                    Kind::CoordinateLstm => {
                        let sign = (f64::from(10f32).exp() * g[j]).clamp(-1.0, 1.0);
                        [(tensor.m[j] / rms).clamp(-8.0, 8.0), sign]
                    }
                    Kind::RnnProp => {
                        let r = 1.0 / (tensor.v[j] / first_square + 1e-16).sqrt();
                        [tensor.m[j] / first_mean * r, g[j] * r]
                    }
                };
                *w -= self.network(i, j, g[j], dirs, level);
            }
        }
    }

    /// What parameter number `j` of tensor number `i` loses.
    fn network(&mut self, i: usize, j: usize, g: f64, dirs: [f64; 2], level: f64) -> f64 {
        let (hidden, mut weights) = (self.hidden, &self.weights[..]);
        let x = match self.kind {
            Kind::CoordinateLstm => {
                let log = log2_linear(g.abs() + f64::from(f32::EPSILON)) * 2f64.ln() / 10.0;
                vec![log.max(-1.0), dirs[1]]
            }
            Kind::RnnProp => {
                let (e, rest) = weights.split_at(2 * hidden);
                let (bias, rest) = rest.split_at(hidden);
                weights = rest;
                e.chunks(2).zip(bias).map(|(row, bias)| elu(dot(row, &dirs) + bias)).collect()
            }
        };
        let [h1, c1, h2, c2] = &mut self.tensors[i].cells[j];
        lstm(&mut weights, &x, h1, c1);
        lstm(&mut weights, h1, h2, c2);
        let (output, numbers) = weights.split_at(hidden);
        let d = dot(output, h2) + numbers[0] + dot(&numbers[1..3], &dirs);
        let d = if self.kind == Kind::RnnProp { tanh(d) } else { d };
        0.01 * d * exp2_linear((numbers[3] + numbers[4] * level).clamp(-12.0, 6.0))
    }
}

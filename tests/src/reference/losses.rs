//! Losses in double precision, written out anew from their definitions, and gradients by central differences.
//!
//! Nothing here shares code with `lgl2o`: the formulas are those that its modules state.

use lgl2o::objective::mlp::{Activation, Shape};
use lgl2o::tensors::Tensors;

/// Parameters in double precision, tensor by tensor.
pub type Params64 = Vec<Vec<f64>>;

/// The numbers of a value, in double precision.
#[must_use]
pub fn widen<P: Tensors>(params: &P) -> Params64 {
    (0..params.count()).map(|i| params.tensor(i).iter().map(|&x| f64::from(x)).collect()).collect()
}

/// A slice in double precision.
#[must_use]
pub fn wide(a: &[f32]) -> Vec<f64> {
    a.iter().map(|&x| f64::from(x)).collect()
}

/// The greatest absolute value.
#[must_use]
pub fn largest(a: &[Vec<f64>]) -> f64 {
    a.iter().flatten().fold(0.0, |m, x| m.max(x.abs()))
}

/// The greatest absolute difference of two values of one shape.
#[must_use]
pub fn distance(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    assert_eq!(a.iter().map(Vec::len).collect::<Vec<_>>(), b.iter().map(Vec::len).collect::<Vec<_>>());
    a.iter().flatten().zip(b.iter().flatten()).fold(0.0, |m, (x, y)| m.max((x - y).abs()))
}

/// An objective over a fixed batch, in double precision.
pub trait Oracle {
    /// The loss of each example.
    fn losses(&self, params: &[Vec<f64>]) -> Vec<f64>;

    /// The mean loss.
    fn loss(&self, params: &[Vec<f64>]) -> f64 {
        let losses = self.losses(params);
        losses.iter().sum::<f64>() / losses.len() as f64
    }

    /// The gradient of the mean loss by central differences, (F(w + h) - F(w - h)) / 2h with h = 1e-5: for numbers of
    /// order 1 the cut-off error is about h^2 and the rounding error about 1e-16 / h, both near 1e-10.
    fn gradient(&self, params: &[Vec<f64>]) -> Params64 {
        const H: f64 = 1e-5;
        let mut at = params.to_vec();
        let mut gradient = params.to_vec();
        for (i, tensor) in params.iter().enumerate() {
            for (j, &w) in tensor.iter().enumerate() {
                at[i][j] = w + H;
                let above = self.loss(&at);
                at[i][j] = w - H;
                let below = self.loss(&at);
                at[i][j] = w;
                gradient[i][j] = (above - below) / (2.0 * H);
            }
        }
        gradient
    }
}

/// Targets of a batch.
#[derive(Debug, Clone)]
pub enum Targets64 {
    /// Labels, compared by softmax cross-entropy.
    Classes(Vec<u8>),
    /// Values, compared by mean squared error.
    Values(Vec<Vec<f64>>),
    /// Labels, compared by softmax cross-entropy with smoothed labels (the share that goes to all classes) and class weights.
    Soft(Vec<u8>, f64, Vec<f64>),
    /// Values, compared by Huber's loss with this delta.
    Huber(Vec<Vec<f64>>, f64),
}

/// A perceptron on a batch.
#[derive(Debug, Clone)]
pub struct Mlp64 {
    /// The layers.
    pub layers: Vec<Shape>,
    /// One row per example.
    pub inputs: Vec<Vec<f64>>,
    /// One target per example.
    pub targets: Targets64,
}

pub(crate) fn activate(activation: Activation, z: f64) -> f64 {
    match activation {
        Activation::Identity => z,
        Activation::Relu => z.max(0.0),
        Activation::Tanh => z.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-z).exp()),
    }
}

/// ln(1 + e^x), for any x.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

impl Mlp64 {
    /// The outputs for one row, and the least distance of a ReLU's argument from its kink.
    fn forward(&self, params: &[Vec<f64>], row: &[f64]) -> (Vec<f64>, f64) {
        let (mut a, mut kink) = (row.to_vec(), f64::INFINITY);
        for (l, layer) in self.layers.iter().enumerate() {
            let (weights, bias) = (&params[2 * l], &params[2 * l + 1]);
            let argument = |o: usize| (0..layer.inputs).map(|i| weights[o * layer.inputs + i] * a[i]).sum::<f64>();
            let z: Vec<f64> = (0..layer.outputs).map(|o| argument(o) + bias[o]).collect();
            if layer.activation == Activation::Relu {
                kink = z.iter().fold(kink, |k, z| k.min(z.abs()));
            }
            a = z.into_iter().map(|z| activate(layer.activation, z)).collect();
        }
        (a, kink)
    }

    /// The outputs for each row.
    #[must_use]
    pub fn outputs(&self, params: &[Vec<f64>]) -> Vec<Vec<f64>> {
        self.inputs.iter().map(|row| self.forward(params, row).0).collect()
    }

    /// The least distance of any ReLU's argument from its kink, where no difference quotient is a derivative.
    #[must_use]
    pub fn kink(&self, params: &[Vec<f64>]) -> f64 {
        self.inputs.iter().fold(f64::INFINITY, |k, row| k.min(self.forward(params, row).1))
    }
}

impl Oracle for Mlp64 {
    fn losses(&self, params: &[Vec<f64>]) -> Vec<f64> {
        let outputs = self.outputs(params);
        match &self.targets {
            Targets64::Classes(labels) => outputs.iter().zip(labels).map(|(a, &t)| cross_entropy(a, t)).collect(),
            Targets64::Values(rows) => outputs.iter().zip(rows).map(|(a, t)| squared_error(a, t)).collect(),
            Targets64::Soft(labels, smoothing, weights) => {
                let loss = |(a, &t): (&Vec<f64>, &u8)| weights[usize::from(t)] * soft_cross_entropy(a, t, *smoothing);
                outputs.iter().zip(labels).map(loss).collect()
            }
            Targets64::Huber(rows, delta) => outputs.iter().zip(rows).map(|(a, t)| huber(a, t, *delta)).collect(),
        }
    }
}

pub(crate) fn cross_entropy(outputs: &[f64], target: u8) -> f64 {
    let top = outputs.iter().fold(f64::NEG_INFINITY, |m, &a| m.max(a));
    outputs.iter().map(|a| (a - top).exp()).sum::<f64>().ln() + top - outputs[usize::from(target)]
}

/// -sum_c q_c ln p_c over the smoothed label q.
fn soft_cross_entropy(outputs: &[f64], target: u8, smoothing: f64) -> f64 {
    let each = smoothing / outputs.len() as f64;
    let q = |c: usize| each + if c == usize::from(target) { 1.0 - smoothing } else { 0.0 };
    (0..outputs.len()).map(|c| q(c) * cross_entropy(outputs, c as u8)).sum()
}

fn huber(outputs: &[f64], targets: &[f64], delta: f64) -> f64 {
    let one = |e: f64| if e.abs() <= delta { e * e / 2.0 } else { delta * (e.abs() - delta / 2.0) };
    outputs.iter().zip(targets).map(|(a, t)| one(a - t)).sum::<f64>() / outputs.len() as f64
}

fn squared_error(outputs: &[f64], targets: &[f64]) -> f64 {
    outputs.iter().zip(targets).map(|(a, t)| (a - t) * (a - t)).sum::<f64>() / outputs.len() as f64
}

/// Where a mu-strongly convex, L-smooth function of n numbers is least, given its gradient: by gradient descent with
/// Nesterov's momentum for such functions (2018, scheme 2.2.22) until the gradient is 1e-11 sqrt(mu) long; then F - F*
/// <= |g|^2 / (2 mu) is below every f32 rounding.
///
/// # Panics
/// If a million steps are too few.
pub fn minimiser(slope: impl Fn(&[f64]) -> Vec<f64>, n: usize, mu: f64, smoothness: f64) -> Vec<f64> {
    let q = (mu / smoothness).sqrt();
    let (mut at, mut ahead) = (vec![0.0; n], vec![0.0; n]);
    for _ in 0..1_000_000 {
        let gradient = slope(&ahead);
        let next: Vec<f64> = ahead.iter().zip(&gradient).map(|(w, g)| w - g / smoothness).collect();
        ahead = next.iter().zip(&at).map(|(n, a)| n + (1.0 - q) / (1.0 + q) * (n - a)).collect();
        at = next;
        if gradient.iter().map(|g| g * g).sum::<f64>() < 1e-22 * mu {
            return at;
        }
    }
    panic!("the minimum was not found");
}

/// Logistic regression with L2 on a batch; parameters are the weights and the bias.
#[derive(Debug, Clone)]
pub struct Logistic64 {
    /// Strength of the regularisation.
    pub l2: f64,
    /// One row per example.
    pub inputs: Vec<Vec<f64>>,
    /// 0 or 1 per example.
    pub labels: Vec<u8>,
}

impl Logistic64 {
    /// The least mean loss; see [`minimiser`].
    #[must_use]
    pub fn minimum(&self) -> f64 {
        let width = self.inputs[0].len();
        let longest = self.inputs.iter().map(|x| x.iter().map(|x| x * x).sum::<f64>()).fold(0.0, f64::max);
        let smoothness = self.l2 + 0.25 * (longest + 1.0);
        let mut at = minimiser(|w| self.slope(w), width + 1, self.l2, smoothness);
        let bias = at.split_off(width);
        self.loss(&[at, bias])
    }

    /// The gradient by its formula, weights and bias in one list.
    #[must_use]
    pub fn slope(&self, params: &[f64]) -> Vec<f64> {
        let width = params.len() - 1;
        let mut gradient: Vec<f64> = params.iter().map(|w| self.l2 * w).collect();
        for (x, &label) in self.inputs.iter().zip(&self.labels) {
            let score = x.iter().zip(params).map(|(x, w)| x * w).sum::<f64>() + params[width];
            let error = (1.0 / (1.0 + (-score).exp()) - f64::from(label)) / self.inputs.len() as f64;
            x.iter().zip(&mut gradient).for_each(|(x, g)| *g += error * x);
            gradient[width] += error;
        }
        gradient
    }
}

impl Oracle for Logistic64 {
    fn losses(&self, params: &[Vec<f64>]) -> Vec<f64> {
        let (w, b) = (&params[0], params[1][0]);
        let penalty = 0.5 * self.l2 * (w.iter().map(|w| w * w).sum::<f64>() + b * b);
        let loss = |x: &Vec<f64>, label: u8| {
            let sign = if label == 1 { 1.0 } else { -1.0 };
            softplus(-sign * (x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>() + b)) + penalty
        };
        self.inputs.iter().zip(&self.labels).map(|(x, &label)| loss(x, label)).collect()
    }
}

/// A quadratic, maybe reflected.
#[derive(Debug, Clone)]
pub struct Quadratic64 {
    /// Eigenvalues.
    pub spectrum: Vec<f64>,
    /// Minimiser.
    pub minimiser: Vec<f64>,
    /// Normal of the reflection; zero for none.
    pub normal: Vec<f64>,
}

impl Quadratic64 {
    /// w - w*, reflected at the plane normal to q: z - 2 q (q.z) / (q.q).
    #[must_use]
    pub fn offset(&self, w: &[f64]) -> Vec<f64> {
        let z: Vec<f64> = w.iter().zip(&self.minimiser).map(|(w, best)| w - best).collect();
        self.reflect(&z)
    }

    fn reflect(&self, z: &[f64]) -> Vec<f64> {
        let length = self.normal.iter().map(|q| q * q).sum::<f64>();
        if length == 0.0 {
            return z.to_vec();
        }
        let along = 2.0 * self.normal.iter().zip(z).map(|(q, z)| q * z).sum::<f64>() / length;
        z.iter().zip(&self.normal).map(|(z, q)| z - along * q).collect()
    }

    /// F(w).
    #[must_use]
    pub fn value(&self, w: &[f64]) -> f64 {
        0.5 * self.offset(w).iter().zip(&self.spectrum).map(|(z, h)| h * z * z).sum::<f64>()
    }

    /// The gradient at w by its formula.
    #[must_use]
    pub fn slope(&self, w: &[f64]) -> Vec<f64> {
        let scaled: Vec<f64> = self.offset(w).iter().zip(&self.spectrum).map(|(z, h)| h * z).collect();
        self.reflect(&scaled)
    }
}

impl Oracle for Quadratic64 {
    fn losses(&self, params: &[Vec<f64>]) -> Vec<f64> {
        vec![self.value(&params[0])]
    }
}

//! Objectives of known constants, in both precisions, each with a bound on what single precision may add.
//!
//! | objective | convex | mu | F\* |
//! |---|---|---|---|
//! | [`Bowl`], a quadratic | strongly | least eigenvalue | 0 |
//! | [`Regression`], logistic with L2 | strongly | l2 | from a long run in f64 |
//! | [`Softmax`], log-sum-exp with L2 | strongly | l2 | from a long run in f64 |
//! | [`Degenerate`], least squares of deficient rank | yes | least eigenvalue of A A^T, in the sense of Polyak and Lojasiewicz | 0 |
//! | [`Wells`], sum of w^2 + 3 sin^2 w | no | 1/32, in the same sense | 0 |
//! | [`Rosenbrock`] | no | none | 0 |

mod bowl;
mod degenerate;
mod plain;
mod regression;
mod rosenbrock;
mod softmax;
mod wells;

pub use bowl::Bowl;
pub use degenerate::Degenerate;
pub use plain::{Function, Plain};
pub use regression::Regression;
pub use rosenbrock::Rosenbrock;
pub use softmax::Softmax;
pub use wells::Wells;

use lgl2o::Objective;
use lgl2o::guard::Unguarded;
use lgl2o::objective::Blank;
use lgl2o::rule::Sgd;
use lgl2o::source::Source;
use lgl2o::tensors::Tensors;

use crate::run;

/// Unit roundoff of f32.
pub const UNIT: f64 = 1.0 / 16_777_216.0;

/// Terms of second order in [`UNIT`], of which there are fewer than a million, and the rounding of f64.
pub const MORE: f64 = 1.01;

/// What is lost where products are too small for normal numbers, in units of F: a hundred times the least of those.
pub const UNDERFLOW: f64 = 1.2e-36;

/// Parameters of a [`Known`] objective.
pub type Params<K> = <<K as Known>::Objective as Objective>::Params;

/// An objective whose constants are known.
///
/// In double precision parameters are one flat list, tensor after tensor.
pub trait Known {
    /// The objective in single precision.
    type Objective: Blank;

    /// The objective in single precision.
    fn objective(&self) -> &Self::Objective;
    /// Its one batch, again and again.
    fn source(&self) -> impl Source<Self::Objective>;
    /// Where a run may start.
    fn start(&self) -> Params<Self>;

    /// mu in |grad F|^2 >= 2 mu (F - F\*): the constant of strong convexity, or Polyak and Lojasiewicz's.
    fn mu(&self) -> f64;
    /// The constant of smoothness, L.
    fn smoothness(&self) -> f64;

    /// F - F\*.
    fn excess(&self, w: &[f64]) -> f64;
    /// The gradient.
    fn slope(&self, w: &[f64]) -> Vec<f64>;

    /// How far the loss in single precision may be from F.
    fn loss_error(&self, w: &[f64]) -> f64;
    /// How far, in length, the gradient in single precision may be from that of F, which is `slope`.
    fn slope_error(&self, w: &[f64], slope: &[f64]) -> f64;
}

/// All numbers of some tensors in double precision, in one list.
pub fn flat<P: Tensors>(params: &P) -> Vec<f64> {
    (0..params.count()).flat_map(|i| params.tensor(i)).map(|&x| f64::from(x)).collect()
}

/// The length of a vector.
#[must_use]
pub fn norm(a: &[f64]) -> f64 {
    a.iter().map(|x| x * x).sum::<f64>().sqrt()
}

/// The product of two vectors.
#[must_use]
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// How many roundings a number meets in a sum of n terms in eight lanes and one tree: one for each further block of
/// eight, and three in the tree.
#[must_use]
pub fn additions(n: usize) -> f64 {
    (n.div_ceil(8) - 1) as f64 + 3.0
}

/// rho = 1 - 2 mu lambda (1 - lambda L / 2) at this rate.
pub fn rho(problem: &impl Known, rate: f32) -> f64 {
    1.0 - 2.0 * problem.mu() * kappa(problem, rate)
}

/// kappa = lambda (1 - lambda L / 2), the decrease that the descent lemma promises per |g|^2.
pub fn kappa(problem: &impl Known, rate: f32) -> f64 {
    f64::from(rate) * (1.0 - 0.5 * f64::from(rate) * problem.smoothness())
}

/// What single precision may add to F in one step of gradient descent from w.
///
/// The candidate is off by e = lambda times the error of the gradient, and the rounding of a product and a difference;
/// on an L-smooth F that adds |grad F(u)| e + L e^2 / 2 at most, u = w - lambda grad F(w).
pub fn step_error(problem: &impl Known, w: &[f64], rate: f64) -> f64 {
    let slope = problem.slope(w);
    let u: Vec<f64> = w.iter().zip(&slope).map(|(w, g)| w - rate * g).collect();
    let e = MORE * (rate * problem.slope_error(w, &slope) + UNIT * (rate * norm(&slope) + norm(&u)));
    norm(&problem.slope(&u)) * e + 0.5 * problem.smoothness() * e * e + UNDERFLOW
}

/// The points of so many steps of gradient descent in single precision, the first one included.
pub fn descent<K: Known>(problem: &K, from: &Params<K>, rate: f32, steps: u32) -> Vec<Vec<f64>> {
    let mut points = vec![flat(from)];
    let guard = Unguarded::new(Sgd::new(rate));
    let mut memory = run::memory(problem.objective(), &guard, from);
    let (mut source, mut trainer) = (problem.source(), lgl2o::Trainer::new(problem.objective(), &guard, &mut memory));
    for _ in 0..steps {
        trainer.round(&mut source).expect("a finite gradient");
        points.push(flat(trainer.params()));
    }
    points
}

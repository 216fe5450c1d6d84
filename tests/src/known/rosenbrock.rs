//! Rosenbrock's valley, not convex and not smooth as a whole, but smooth wherever it is below a given height.
//!
//! ```text
//! F(x, y) = (1 - x)^2 + 100 (y - x^2)^2
//! ```
//!
//! Where F <= F0: |x| <= X = 1 + sqrt(F0) and |y - x^2| <= D = sqrt(F0) / 10, so by the row sums of the Hessian L is at
//! most the greater of 2 + 800 X^2 + 400 D + 400 X and 200 + 400 X. A step of gradient descent at a rate below 2/L from
//! such a point never leaves this set on its way: as long as it is inside, F falls.

use lgl2o::source::{Exact, Source};

use super::{Function, Known, MORE, Plain, UNIT};

/// The function in single precision.
#[derive(Debug, Clone, Copy)]
pub struct Valley;

impl Function<2> for Valley {
    fn value(&self, &[x, y]: &[f32; 2]) -> f32 {
        let (a, b) = (1.0 - x, y - x * x);
        a * a + 100.0 * b * b
    }
    fn gradient(&self, &[x, y]: &[f32; 2]) -> [f32; 2] {
        let (a, b) = (1.0 - x, y - x * x);
        [-2.0 * a - 400.0 * x * b, 200.0 * b]
    }
}

/// The valley below where a run starts.
#[derive(Debug, Clone)]
pub struct Rosenbrock {
    single: Plain<Valley, 2>,
    start: [f32; 2],
}

impl Rosenbrock {
    /// The valley, from this point on.
    #[must_use]
    pub const fn from(start: [f32; 2]) -> Self {
        Self { single: Plain(Valley), start }
    }
}

impl Known for Rosenbrock {
    type Objective = Plain<Valley, 2>;

    fn objective(&self) -> &Self::Objective {
        &self.single
    }
    fn source(&self) -> impl Source<Self::Objective> {
        Exact
    }
    fn start(&self) -> [f32; 2] {
        self.start
    }
    /// None is known.
    fn mu(&self) -> f64 {
        0.0
    }
    fn smoothness(&self) -> f64 {
        let height = self.excess(&self.start.map(f64::from)).sqrt();
        let (x, d) = (1.0 + height, height / 10.0);
        (2.0 + 800.0 * x * x + 400.0 * d + 400.0 * x).max(200.0 + 400.0 * x)
    }
    fn excess(&self, w: &[f64]) -> f64 {
        let (a, b) = (1.0 - w[0], w[1] - w[0] * w[0]);
        a * a + 100.0 * b * b
    }
    fn slope(&self, w: &[f64]) -> Vec<f64> {
        let (a, b) = (1.0 - w[0], w[1] - w[0] * w[0]);
        vec![-2.0 * a - 400.0 * w[0] * b, 200.0 * b]
    }

    /// y - x^2 is off by e, a unit of x^2 and one of itself; the terms by that, and by four roundings.
    fn loss_error(&self, w: &[f64]) -> f64 {
        let b = w[1] - w[0] * w[0];
        let e = UNIT * (w[0] * w[0] + b.abs());
        MORE * (100.0 * (2.0 * b.abs() * e + e * e) + 6.0 * UNIT * self.excess(w))
    }

    /// As above, and five roundings of each term.
    fn slope_error(&self, w: &[f64], _: &[f64]) -> f64 {
        let (a, b) = (1.0 - w[0], w[1] - w[0] * w[0]);
        let e = UNIT * (w[0] * w[0] + b.abs());
        let along = 5.0 * UNIT * (2.0 * a.abs() + 400.0 * (w[0] * b).abs()) + 400.0 * w[0].abs() * e;
        MORE * (along + 200.0 * e + UNIT * 400.0 * b.abs())
    }
}

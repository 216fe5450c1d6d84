//! Logistic regression with L2 on two overlapping clouds: `lgl2o::objective::Logistic`.

use lgl2o::Rng;
use lgl2o::batch::Batch;
use lgl2o::objective::Logistic;
use lgl2o::source::Source;

use super::{Known, MORE, UNIT, additions, norm};
use crate::reference::losses::{Logistic64, Oracle, wide};
use crate::task::Whole;

const EXAMPLES: usize = 24;

/// A logistic regression in three dimensions on 24 examples, with F\*.
#[derive(Debug, Clone)]
pub struct Regression {
    single: Logistic<3, EXAMPLES>,
    double: Logistic64,
    inputs: Vec<f32>,
    minimum: f64,
    start: ([f32; 3], [f32; 1]),
}

impl Regression {
    /// Clouds drawn from a seed, `l2` as strength of the regularisation.
    ///
    /// # Panics
    /// Unless l2 is positive and finite.
    #[must_use]
    pub fn random(seed: u64, l2: f32) -> Self {
        let mut rng = Rng::new(seed);
        let labels: Vec<u8> = (0..EXAMPLES).map(|s| (s % 2) as u8).collect();
        let inputs: Vec<f32> =
            labels.iter().flat_map(|&t| [(); 3].map(|()| rng.normal() + f32::from(t) - 0.5)).collect();
        let start = ([(); 3].map(|()| rng.range(-3.0, 3.0)), [rng.range(-1.0, 1.0)]);
        let double = Logistic64 { l2: l2.into(), inputs: inputs.chunks(3).map(wide).collect(), labels };
        Self { single: Logistic::new(l2).unwrap(), minimum: double.minimum(), double, inputs, start }
    }

    /// For each example: its input's length with the bias's 1, and how far its score may be off: (additions + 4) units of
    /// the products that are added up in it.
    fn scores(&self, w: &[f64]) -> impl Iterator<Item = (f64, f64)> {
        let products = move |x: &[f64]| x.iter().zip(w).map(|(x, w)| (x * w).abs()).sum::<f64>() + w[3].abs();
        self.double.inputs.iter().map(move |x| (dot1(x).sqrt(), UNIT * (additions(3) + 4.0) * products(x)))
    }

    fn losses(&self, w: &[f64]) -> Vec<f64> {
        self.double.losses(&[w[..3].to_vec(), w[3..].to_vec()])
    }
}

/// |x|^2 + 1.
fn dot1(x: &[f64]) -> f64 {
    x.iter().map(|x| x * x).sum::<f64>() + 1.0
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    values.sum::<f64>() / EXAMPLES as f64
}

impl Known for Regression {
    type Objective = Logistic<3, EXAMPLES>;

    fn objective(&self) -> &Self::Objective {
        &self.single
    }
    fn source(&self) -> impl Source<Self::Objective> {
        Whole(Batch::classes(&self.inputs, 3, &self.double.labels))
    }
    fn start(&self) -> ([f32; 3], [f32; 1]) {
        self.start
    }
    fn mu(&self) -> f64 {
        self.double.l2
    }
    fn smoothness(&self) -> f64 {
        self.double.l2 + 0.25 * self.double.inputs.iter().map(|x| dot1(x)).fold(0.0, f64::max)
    }
    fn excess(&self, w: &[f64]) -> f64 {
        mean(self.losses(w).into_iter()) - self.minimum
    }
    fn slope(&self, w: &[f64]) -> Vec<f64> {
        self.double.slope(w)
    }

    /// ln(1 + e^m) is off by as much as m, by at most 6 units for exponential, sum and logarithm of numbers up to 2, and
    /// by a unit of itself; the penalty by (additions + 4) units; both by those of the mean.
    fn loss_error(&self, w: &[f64]) -> f64 {
        let penalty = 0.5 * self.double.l2 * w.iter().map(|w| w * w).sum::<f64>();
        let mean_loss = mean(self.losses(w).into_iter());
        let scores = mean(self.scores(w).map(|(_, error)| error));
        let rest = 6.0 + (additions(EXAMPLES) + 3.0) * mean_loss + (additions(4) + 4.0) * penalty;
        MORE * (scores + UNIT * rest)
    }

    /// A sigmoid is off by a quarter of what its argument is, and by 5 units; sums over examples are running ones.
    fn slope_error(&self, w: &[f64], slope: &[f64]) -> f64 {
        let per_example = |(length, score): (f64, f64)| length * (0.25 * score + (5.0 + EXAMPLES as f64 + 3.0) * UNIT);
        let penalty = 3.0 * UNIT * self.double.l2 * norm(w);
        MORE * (mean(self.scores(w).map(per_example)) + penalty + UNIT * norm(slope))
    }
}

//! The update rules in double precision, written out anew from their formulas.
//!
//! The settings are the rules' own, widened exactly, so that both sides compute the same function.

use lgl2o::rule::{Adam, AdamW, Lion, Momentum, NAdam, Nesterov, Rate, RmsProp, Sgd};

/// Which rule, with its settings.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    /// w - rate g.
    Sgd(Sgd),
    /// Heavy ball.
    Momentum(Momentum),
    /// Nesterov's momentum.
    Nesterov(Nesterov),
    /// RMSProp.
    RmsProp(RmsProp),
    /// Adam.
    Adam(Adam),
    /// Adam with decoupled decay.
    AdamW(AdamW),
    /// Adam with Nesterov's momentum.
    NAdam(NAdam),
    /// Lion.
    Lion(Lion),
}

/// A rule with accumulators for a flat list of parameters.
#[derive(Debug, Clone)]
pub struct Reference {
    which: Which,
    mean: Vec<f64>,
    square: Vec<f64>,
    steps: u32,
    /// Sum of the absolute values of all moves of any one parameter so far, the greatest.
    pub travelled: f64,
    /// How close any sign that was taken came to flipping, relative to what was added up in it.
    pub closest: f64,
    moves: Vec<f64>,
}

fn rate(rate: Rate, i: u32) -> f64 {
    match rate {
        Rate::Constant(rate) => f64::from(rate),
        Rate::Harmonic { c, i0 } => f64::from(c) / (f64::from(i0) + f64::from(i)),
    }
}

impl Reference {
    /// Fresh accumulators for n parameters.
    #[must_use]
    pub fn new(which: Which, n: usize) -> Self {
        let zeros = vec![0.0; n];
        let (mean, square, moves) = (zeros.clone(), zeros.clone(), zeros);
        Self { which, mean, square, steps: 0, travelled: 0.0, closest: f64::INFINITY, moves }
    }

    /// One step.
    pub fn step(&mut self, w: &mut [f64], g: &[f64]) {
        self.steps += 1;
        for j in 0..w.len() {
            let change = self.change(j, w[j], g[j]);
            w[j] -= change;
            self.moves[j] += change.abs();
            self.travelled = self.travelled.max(self.moves[j]);
        }
    }

    /// What parameter number `j` loses in this step.
    fn change(&mut self, j: usize, w: f64, g: f64) -> f64 {
        let before = self.steps - 1;
        let (m, v) = (&mut self.mean[j], &mut self.square[j]);
        match self.which {
            Which::Sgd(rule) => rate(rule.rate, before) * g,
            Which::Momentum(rule) => {
                *m = f64::from(rule.beta) * *m + g;
                rate(rule.rate, before) * *m
            }
            Which::Nesterov(rule) => {
                *m = f64::from(rule.beta) * *m + g;
                rate(rule.rate, before) * (g + f64::from(rule.beta) * *m)
            }
            Which::RmsProp(rule) => {
                let decay = f64::from(rule.decay);
                *v = decay * *v + (1.0 - decay) * g * g;
                rate(rule.rate, before) * g / (v.sqrt() + f64::from(rule.eps))
            }
            Which::Adam(rule) => rate(rule.rate, before) * adam(&rule, m, v, g, self.steps),
            Which::AdamW(AdamW { adam: rule, decay }) => {
                rate(rule.rate, before) * (adam(&rule, m, v, g, self.steps) + f64::from(decay) * w)
            }
            Which::NAdam(NAdam { adam: rule }) => {
                let rate = rate(rule.rate, before);
                let (beta1, t) = (f64::from(rule.beta1), i32::try_from(self.steps).unwrap_or(i32::MAX - 1));
                adam(&rule, m, v, g, self.steps);
                let ahead = beta1 * *m / (1.0 - beta1.powi(t + 1)) + (1.0 - beta1) * g / (1.0 - beta1.powi(t));
                let square = *v / (1.0 - f64::from(rule.beta2).powi(t));
                rate * ahead / (square.sqrt() + f64::from(rule.eps))
            }
            Which::Lion(rule) => {
                let (beta1, beta2) = (f64::from(rule.beta1), f64::from(rule.beta2));
                let (old, new) = (beta1 * *m, (1.0 - beta1) * g);
                self.closest = self.closest.min((old + new).abs() / (old.abs() + new.abs()));
                *m = beta2 * *m + (1.0 - beta2) * g;
                rate(rule.rate, before) * ((old + new).signum() + f64::from(rule.decay) * w)
            }
        }
    }
}

/// m' / (sqrt v' + eps) after taking g in as gradient number t.
fn adam(rule: &Adam, m: &mut f64, v: &mut f64, g: f64, t: u32) -> f64 {
    let (beta1, beta2) = (f64::from(rule.beta1), f64::from(rule.beta2));
    *m = beta1 * *m + (1.0 - beta1) * g;
    *v = beta2 * *v + (1.0 - beta2) * g * g;
    let t = i32::try_from(t).unwrap_or(i32::MAX);
    let (mean, square) = (*m / (1.0 - beta1.powi(t)), *v / (1.0 - beta2.powi(t)));
    mean / (square.sqrt() + f64::from(rule.eps))
}

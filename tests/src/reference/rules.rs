//! The update rules in double precision, written out anew from their formulas.
//!
//! The settings are the rules' own, widened exactly, so that both sides compute the same function.

use lgl2o::Rule;
use lgl2o::rule::{Adam, AdamW, Lion, Momentum, NAdam, Nesterov, Rate, RmsProp, Sgd};

/// Settings, of which a rule takes those that it has.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// The rate.
    pub rate: Rate,
    /// How much of a mean stays.
    pub beta1: f32,
    /// How much of a mean square stays.
    pub beta2: f32,
    /// What is added to a divisor.
    pub eps: f32,
    /// The share of the weights that goes, per unit of rate.
    pub decay: f32,
}

/// What a rule in double precision remembers of one parameter.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// A mean; 0 at first.
    pub mean: f64,
    /// A mean square; 0 at first.
    pub square: f64,
    /// How many gradients there were, with this one.
    pub steps: u32,
    /// How close any sign that was taken came to flipping, relative to what was added up in it.
    pub closest: f64,
}

/// A rule that has a twin in double precision.
pub trait Double: Rule {
    /// The share of the way travelled that rounding may be.
    const ROUNDING: f64 = 1e-5;

    /// The rule with those of these settings that it has.
    fn with(settings: Settings) -> Self;

    /// What a parameter `w` with the gradient `g` loses.
    fn change(&self, memory: &mut Memory, w: f64, g: f64) -> f64;
}

/// The correction 1 - beta2^t at beta2 = 0.9999 has lost 24 - 13 of its 24 bits when t = 1, of which the square root gives half back.
const CORRECTED: f64 = 2e-4;

impl Double for Sgd {
    fn with(Settings { rate, .. }: Settings) -> Self {
        Self { rate }
    }
    fn change(&self, memory: &mut Memory, _: f64, g: f64) -> f64 {
        rate(self.rate, memory) * g
    }
}

impl Double for Momentum {
    fn with(Settings { rate, beta1: beta, .. }: Settings) -> Self {
        Self { rate, beta }
    }
    fn change(&self, memory: &mut Memory, _: f64, g: f64) -> f64 {
        memory.mean = f64::from(self.beta) * memory.mean + g;
        rate(self.rate, memory) * memory.mean
    }
}

impl Double for Nesterov {
    fn with(Settings { rate, beta1: beta, .. }: Settings) -> Self {
        Self { rate, beta }
    }
    fn change(&self, memory: &mut Memory, _: f64, g: f64) -> f64 {
        memory.mean = f64::from(self.beta) * memory.mean + g;
        rate(self.rate, memory) * (g + f64::from(self.beta) * memory.mean)
    }
}

impl Double for RmsProp {
    fn with(Settings { rate, beta2: decay, eps, .. }: Settings) -> Self {
        Self { rate, decay, eps }
    }
    fn change(&self, memory: &mut Memory, _: f64, g: f64) -> f64 {
        let decay = f64::from(self.decay);
        memory.square = decay * memory.square + (1.0 - decay) * g * g;
        rate(self.rate, memory) * g / (memory.square.sqrt() + f64::from(self.eps))
    }
}

impl Double for Adam {
    const ROUNDING: f64 = CORRECTED;
    fn with(Settings { rate, beta1, beta2, eps, .. }: Settings) -> Self {
        Self { rate, beta1, beta2, eps }
    }
    fn change(&self, memory: &mut Memory, _: f64, g: f64) -> f64 {
        rate(self.rate, memory) * adam(self, memory, g)
    }
}

impl Double for AdamW {
    const ROUNDING: f64 = CORRECTED;
    fn with(settings: Settings) -> Self {
        Self { adam: Adam::with(settings), decay: settings.decay }
    }
    fn change(&self, memory: &mut Memory, w: f64, g: f64) -> f64 {
        rate(self.adam.rate, memory) * (adam(&self.adam, memory, g) + f64::from(self.decay) * w)
    }
}

impl Double for NAdam {
    const ROUNDING: f64 = CORRECTED;
    fn with(settings: Settings) -> Self {
        Self { adam: Adam::with(settings) }
    }
    fn change(&self, memory: &mut Memory, _: f64, g: f64) -> f64 {
        let (beta1, t) = (f64::from(self.adam.beta1), i32::try_from(memory.steps).unwrap_or(i32::MAX - 1));
        adam(&self.adam, memory, g);
        let ahead = beta1 * memory.mean / (1.0 - beta1.powi(t + 1)) + (1.0 - beta1) * g / (1.0 - beta1.powi(t));
        let square = memory.square / (1.0 - f64::from(self.adam.beta2).powi(t));
        rate(self.adam.rate, memory) * ahead / (square.sqrt() + f64::from(self.adam.eps))
    }
}

impl Double for Lion {
    fn with(Settings { rate, beta1, beta2, decay, .. }: Settings) -> Self {
        Self { rate, beta1, beta2, decay }
    }
    fn change(&self, memory: &mut Memory, w: f64, g: f64) -> f64 {
        let (beta1, beta2) = (f64::from(self.beta1), f64::from(self.beta2));
        let (old, new) = (beta1 * memory.mean, (1.0 - beta1) * g);
        memory.closest = memory.closest.min((old + new).abs() / (old.abs() + new.abs()));
        memory.mean = beta2 * memory.mean + (1.0 - beta2) * g;
        rate(self.rate, memory) * ((old + new).signum() + f64::from(self.decay) * w)
    }
}

/// The rate of this step; the first has number 0.
fn rate(rate: Rate, memory: &Memory) -> f64 {
    match rate {
        Rate::Constant(rate) => f64::from(rate),
        Rate::Harmonic { c, i0 } => f64::from(c) / (f64::from(i0) + f64::from(memory.steps - 1)),
    }
}

/// m' / (sqrt v' + eps) after taking g in.
fn adam(rule: &Adam, memory: &mut Memory, g: f64) -> f64 {
    let (beta1, beta2) = (f64::from(rule.beta1), f64::from(rule.beta2));
    memory.mean = beta1 * memory.mean + (1.0 - beta1) * g;
    memory.square = beta2 * memory.square + (1.0 - beta2) * g * g;
    let t = i32::try_from(memory.steps).unwrap_or(i32::MAX);
    let (mean, square) = (memory.mean / (1.0 - beta1.powi(t)), memory.square / (1.0 - beta2.powi(t)));
    mean / (square.sqrt() + f64::from(rule.eps))
}

/// A rule with accumulators for a flat list of parameters.
#[derive(Debug, Clone)]
pub struct Reference<R> {
    rule: R,
    memory: Vec<Memory>,
    moves: Vec<f64>,
}

impl<R: Double> Reference<R> {
    /// Fresh accumulators for n parameters.
    #[must_use]
    pub fn new(rule: R, n: usize) -> Self {
        let fresh = Memory { mean: 0.0, square: 0.0, steps: 0, closest: f64::INFINITY };
        Self { rule, memory: vec![fresh; n], moves: vec![0.0; n] }
    }

    /// One step.
    pub fn step(&mut self, w: &mut [f64], g: &[f64]) {
        for (((w, g), memory), moved) in w.iter_mut().zip(g).zip(&mut self.memory).zip(&mut self.moves) {
            memory.steps += 1;
            let change = self.rule.change(memory, *w, *g);
            *w -= change;
            *moved += change.abs();
        }
    }

    /// Sum of the absolute values of all moves of any one parameter so far, the greatest.
    #[must_use]
    pub fn travelled(&self) -> f64 {
        self.moves.iter().copied().fold(0.0, f64::max)
    }

    /// How close any sign that was taken came to flipping.
    #[must_use]
    pub fn closest(&self) -> f64 {
        self.memory.iter().map(|memory| memory.closest).fold(f64::INFINITY, f64::min)
    }
}

//! The outer optimizer: clipping, then Adam, with a warm-up and a [schedule](Schedule) of the rate.
//!
//! A gradient longer than `clip` times the running mean of its length is shortened to that. Clipping comes before Adam:
//! after it, the length of a step is bounded anyway.

use serde::{Deserialize, Serialize};

use super::config::{OuterConfig, Schedule};

/// State of the outer optimizer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outer {
    mean: Vec<f32>,
    square: Vec<f32>,
    steps: u32,
    /// Running mean of the gradient's length; 0 before the first one.
    length: f32,
}

/// What a step was like, for the log.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OuterStep {
    /// Length of the gradient before clipping.
    pub length: f32,
    /// Learning rate.
    pub rate: f32,
}

impl Outer {
    /// At the beginning, for this many weights.
    #[must_use]
    pub fn new(weights: usize) -> Self {
        Self { mean: vec![0.0; weights], square: vec![0.0; weights], steps: 0, length: 0.0 }
    }

    /// How many weights it moves.
    #[must_use]
    pub fn len(&self) -> usize {
        self.mean.len()
    }

    /// Whether it moves none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.mean.is_empty()
    }

    /// Moves the weights by one step.
    pub fn step(&mut self, config: &OuterConfig, weights: &mut [f32], gradient: &mut [f32]) -> OuterStep {
        let length = lgl2o::math::sqrt(lgl2o::sum::squares(gradient));
        if !length.is_finite() {
            return OuterStep { length, rate: 0.0 };
        }
        self.clip(config.clip, length, gradient);
        self.steps += 1;
        let rate = self.rate(config);
        let [beta1, beta2] = config.betas;
        let unbias1 = 1.0 / (1.0 - lgl2o::math::powi(beta1, self.steps));
        let unbias2 = 1.0 / (1.0 - lgl2o::math::powi(beta2, self.steps));
        for (((w, g), m), v) in weights.iter_mut().zip(gradient).zip(&mut self.mean).zip(&mut self.square) {
            *m = beta1 * *m + (1.0 - beta1) * *g;
            *v = beta2 * *v + (1.0 - beta2) * *g * *g;
            *w -= rate * *m * unbias1 / (lgl2o::math::sqrt(*v * unbias2) + 1e-8);
        }
        OuterStep { length, rate }
    }

    fn clip(&mut self, factor: f32, length: f32, gradient: &mut [f32]) {
        let limit = factor * self.length;
        let clipped = if self.length > 0.0 && length > limit { limit } else { length };
        if clipped < length {
            gradient.iter_mut().for_each(|g| *g *= clipped / length);
        }
        self.length = if self.length > 0.0 { 0.95 * self.length + 0.05 * clipped } else { clipped };
    }

    fn rate(&self, config: &OuterConfig) -> f32 {
        let step = self.steps as f32;
        let warm = config.warmup as f32;
        if step < warm {
            return config.rate * step / warm;
        }
        let steps = config.steps as f32;
        match config.schedule {
            Schedule::Cosine => {
                let share = ((step - warm) / (steps - warm).max(1.0)).min(1.0);
                let cosine = 0.5 * (1.0 + lgl2o::math::cos(core::f32::consts::PI * share));
                config.rate * (0.05 + 0.95 * cosine)
            }
            Schedule::Linear => {
                let share = (2.0 * step / steps - 1.0).clamp(0.0, 1.0);
                config.rate * (1.0 - 0.9 * share)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_minimum_of_a_parabola() {
        let config = OuterConfig {
            steps: 500,
            rate: 0.05,
            warmup: 10,
            betas: [0.9, 0.99],
            clip: 2.0,
            average: 0.0,
            schedule: Schedule::Cosine,
        };
        let mut outer = Outer::new(2);
        let mut w = [3.0, -2.0];
        for _ in 0..500 {
            let mut g = w.map(|w| 2.0 * (w - 1.0));
            outer.step(&config, &mut w, &mut g);
        }
        assert!(w.iter().all(|w| (w - 1.0).abs() < 0.02), "{w:?}");
    }

    #[test]
    fn rates_rise_and_fall() {
        let config = |schedule| OuterConfig {
            steps: 100,
            rate: 1.0,
            warmup: 10,
            betas: [0.9, 0.99],
            clip: 2.0,
            average: 0.0,
            schedule,
        };
        let rate = |schedule, steps| Outer { steps, ..Outer::new(1) }.rate(&config(schedule));
        for schedule in [Schedule::Cosine, Schedule::Linear] {
            assert_eq!(rate(schedule, 5), 0.5);
            assert_eq!(rate(schedule, 10), 1.0);
        }
        assert!((rate(Schedule::Cosine, 100) - 0.05).abs() < 1e-6);
        let linear = [50, 75, 100].map(|step| rate(Schedule::Linear, step));
        assert_eq!(linear[0], 1.0);
        assert!((linear[1] - 0.55).abs() < 1e-6 && (linear[2] - 0.1).abs() < 1e-6, "{linear:?}");
    }

    #[test]
    fn a_gradient_that_is_not_finite_moves_nothing() {
        let config = OuterConfig {
            steps: 5,
            rate: 0.05,
            warmup: 0,
            betas: [0.9, 0.99],
            clip: 2.0,
            average: 0.0,
            schedule: Schedule::Cosine,
        };
        let mut outer = Outer::new(1);
        let before = outer.clone();
        let mut w = [1.0];
        outer.step(&config, &mut w, &mut [f32::NAN]);
        assert_eq!((w, outer), ([1.0], before));
    }
}

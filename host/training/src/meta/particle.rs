//! Particles: antithetic pairs of inner training runs, unrolled K steps at a time.
//!
//! With perturbed weights theta + eps and theta - eps, the same data and the same initial parameters, and losses l+ and
//! l- of the valid steps of a truncation:
//!
//! ```text
//! PES        eps is new in each truncation, xi <- xi + eps
//!            g = (D_old xi + D_new eps) / (2 sigma^2 K);  xi <- eps if an episode began inside, else it stays
//! ES-Single  eps is new in each episode
//!            g = (D_old eps_old + D_new eps_new) / (2 sigma^2 K)
//! D          = sum of weight (value(l+) - value(l-)) over the steps before (old) and after (new) the beginning of an
//!              episode
//! ```
//!
//! Vicol, Metz, Sohl-Dickstein, "Unbiased gradient estimation in unrolled computation graphs with persistent evolution
//! strategies", ICML 2021; Vicol, "Low-variance gradient estimation in unrolled computation graphs with ES-Single",
//! ICML 2023.

use std::sync::Arc;

use lgl2o::Rng;
use serde::{Deserialize, Serialize};

use super::config::{EstimatorConfig, EstimatorKind};
use super::problem::{InnerRun, Problem, Workspace};
use super::theta::Theta;
use crate::optimizer::AnyRule;

/// A pair of inner runs on one problem.
#[derive(Debug, Clone)]
pub struct Particle {
    /// The problem it works on.
    pub problem: Arc<Problem>,
    /// Memory to work in; it holds nothing between truncations.
    workspace: Workspace,
    /// Its own stream of random numbers.
    pub rng: Rng,
    /// Runs with theta + eps and theta - eps.
    pub runs: [InnerRun; 2],
    /// Inner steps of the episode done.
    pub done: u32,
    /// Inner steps of the episode.
    pub horizon: u32,
    /// Perturbation of the episode (ES-Single), or its sum over the truncations of the episode (PES).
    pub accumulated: Vec<f32>,
}

/// The result of one truncation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Contribution {
    /// Estimate of the meta-gradient.
    pub gradient: Vec<f32>,
    /// Mean weighted value of a loss over both runs.
    pub meta_loss: f32,
}

impl Particle {
    /// A particle at the beginning of its first episode. That one counts as begun a random number of steps ago, so it
    /// ends early: without that, particles of one horizon would begin and end their episodes together for ever.
    #[must_use]
    pub fn new(problem: &Arc<Problem>, theta: &Theta, config: &EstimatorConfig, seed: u64, number: u64) -> Self {
        let mut rng = Rng::stream(seed, number);
        let workspace = Workspace::new(problem);
        let rule = theta.rule(&theta.weights);
        let run = workspace.begin(problem, &rule, &mut rng);
        let horizon = draw_horizon(config, &mut rng);
        let done = rng.below(horizon);
        let mut particle = Self {
            problem: Arc::clone(problem),
            workspace,
            runs: [run.clone(), run],
            done,
            horizon,
            accumulated: vec![0.0; theta.weights.len()],
            rng,
        };
        if config.kind == EstimatorKind::EsSingle {
            particle.accumulated = particle.draw(theta, config.sigma);
        }
        particle
    }

    fn draw(&mut self, theta: &Theta, sigma: f32) -> Vec<f32> {
        theta.weights.iter().map(|_| sigma * self.rng.normal()).collect()
    }

    /// Begins an episode: the same fresh parameters for both runs.
    fn begin(&mut self, rule: &AnyRule, config: &EstimatorConfig) {
        let run = self.workspace.begin(&self.problem, rule, &mut self.rng);
        self.runs = [run.clone(), run];
        self.done = 0;
        self.horizon = draw_horizon(config, &mut self.rng);
    }

    /// Unrolls K steps.
    pub fn unroll(&mut self, theta: &Theta, config: &EstimatorConfig) -> Contribution {
        let mut eps = match config.kind {
            EstimatorKind::Pes => self.draw(theta, config.sigma),
            EstimatorKind::EsSingle => self.accumulated.clone(),
        };
        if config.kind == EstimatorKind::Pes {
            self.accumulated.iter_mut().zip(&eps).for_each(|(xi, e)| *xi += e);
        }
        let mut pair = theta.perturbed(&eps);
        let mut gradient = vec![0.0; eps.len()];
        let (mut difference, mut meta_loss) = (0.0, 0.0);
        for _ in 0..config.unroll {
            if self.done == self.horizon {
                add_scaled(&mut gradient, difference, &self.accumulated);
                difference = 0.0;
                if config.kind == EstimatorKind::EsSingle {
                    eps = self.draw(theta, config.sigma);
                    pair = theta.perturbed(&eps);
                }
                self.accumulated.clone_from(&eps);
                self.begin(&pair[0], config);
            }
            self.workspace.draw(&self.problem, &mut self.rng);
            let values: [f32; 2] = std::array::from_fn(|sign| {
                let loss = self.workspace.step(&self.problem, &pair[sign], &mut self.runs[sign]);
                self.problem.value(config.objective, loss)
            });
            self.done += 1;
            let weight = config.weighting.of(self.done, self.horizon);
            let clip = config.difference_clip;
            difference += weight * (values[0] - values[1]).clamp(-clip, clip);
            meta_loss += weight * (0.5 * (values[0] + values[1]));
        }
        add_scaled(&mut gradient, difference, &self.accumulated);
        let steps = config.unroll as f32;
        let scale = 1.0 / (2.0 * config.sigma * config.sigma * steps);
        gradient.iter_mut().for_each(|g| *g *= scale);
        Contribution { gradient, meta_loss: meta_loss / steps }
    }
}

/// sum <- sum + a x.
fn add_scaled(sum: &mut [f32], a: f32, x: &[f32]) {
    sum.iter_mut().zip(x).for_each(|(s, x)| *s += a * x);
}

/// Log-uniform between the shortest and the longest horizon.
fn draw_horizon(config: &EstimatorConfig, rng: &mut Rng) -> u32 {
    let [low, high] = config.horizon.map(|h| libm::logf(h as f32));
    (libm::expf(rng.range(low, high)) as u32).clamp(config.horizon[0], config.horizon[1])
}

//! The weights that are trained, and the optimizer that they make.

use std::sync::Arc;

use lgl2o::learned::{CoordinateMlp, Learned};

use super::config::{Kind, OptimizerConfig};
use crate::optimizer::AnyRule;

/// Weights of a learned optimizer of some kind and size.
#[derive(Debug, Clone, PartialEq)]
pub struct Theta {
    config: OptimizerConfig,
    /// The weights, in the order of the weights file.
    pub weights: Vec<f32>,
}

impl Theta {
    /// Where meta-training starts from.
    #[must_use]
    pub fn initial(config: &OptimizerConfig, seed: u64) -> Self {
        let mut rng = lgl2o::Rng::stream(seed, u64::MAX);
        let weights = match (config.kind, config.hidden) {
            (Kind::CoordinateMlp, 4) => flat(&CoordinateMlp::<4>::initial(&mut rng)),
            (Kind::CoordinateMlp, _) => flat(&CoordinateMlp::<8>::initial(&mut rng)),
        };
        Self { config: config.clone(), weights }
    }

    /// The same kind of optimizer with other weights.
    #[must_use]
    pub fn with(&self, weights: Vec<f32>) -> Self {
        Self { config: self.config.clone(), weights }
    }

    /// The optimizer with these weights; weights that are not finite give the untrained one.
    #[must_use]
    pub fn rule(&self, weights: &[f32]) -> AnyRule {
        match self.config.hidden {
            4 => {
                let rule = CoordinateMlp::<4>::from_weights(weights);
                AnyRule::Coordinate4(Arc::new(rule.unwrap_or_else(|_| CoordinateMlp::momentum())))
            }
            _ => {
                let rule = CoordinateMlp::<8>::from_weights(weights);
                AnyRule::Coordinate8(Arc::new(rule.unwrap_or_else(|_| CoordinateMlp::momentum())))
            }
        }
    }

    /// The optimizers with theta + eps and theta - eps.
    #[must_use]
    pub fn perturbed(&self, eps: &[f32]) -> [AnyRule; 2] {
        [1.0, -1.0].map(|sign: f32| {
            let weights: Vec<f32> = self.weights.iter().zip(eps).map(|(w, e)| w + sign * e).collect();
            self.rule(&weights)
        })
    }

    /// The weights file that the core embeds.
    ///
    /// # Errors
    /// If a weight is not finite.
    pub fn to_file(&self) -> Result<Vec<u8>, lgl2o::learned::WeightsError> {
        let mut buffer = vec![0; 64 + 4 * self.weights.len()];
        let length = match self.config.hidden {
            4 => CoordinateMlp::<4>::from_weights(&self.weights)?.write_file(&mut buffer)?.len(),
            _ => CoordinateMlp::<8>::from_weights(&self.weights)?.write_file(&mut buffer)?.len(),
        };
        buffer.truncate(length);
        Ok(buffer)
    }
}

fn flat<L: Learned>(rule: &L) -> Vec<f32> {
    let mut weights = vec![0.0; L::WEIGHTS];
    rule.write_weights(&mut weights);
    weights
}

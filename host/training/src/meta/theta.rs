//! The weights that are trained, and the optimizer that they make.

use anyhow::Result;
use lgl2o::Rng;
use lgl2o::learned::WeightsError;
use lgl2o::rule::Rotated;

use super::config::OptimizerConfig;
use crate::optimizer::AnyRule;
use crate::optimizer::learned::LearnedKind;

/// Weights of a learned optimizer of some kind and size.
#[derive(Debug, Clone)]
pub struct Theta {
    kind: &'static LearnedKind,
    /// Whether the rule runs in eigenbases.
    rotated: bool,
    untrained: AnyRule,
    /// The weights, in the order of the weights file.
    pub weights: Vec<f32>,
}

impl Theta {
    /// Where meta-training starts from.
    ///
    /// # Errors
    /// If there is no such optimizer.
    pub fn initial(config: &OptimizerConfig, seed: u64) -> Result<Self> {
        let kind = config.find()?;
        let weights = (kind.initial)(&mut Rng::stream(seed, u64::MAX));
        let untrained = (kind.rule)(&weights)?;
        Ok(Self { kind, rotated: config.rotated, untrained, weights })
    }

    /// The same kind of optimizer with other weights.
    #[must_use]
    pub fn with(&self, weights: Vec<f32>) -> Self {
        Self { weights, ..self.clone() }
    }

    /// The optimizer with these weights; weights that are not finite give the untrained one.
    #[must_use]
    pub fn rule(&self, weights: &[f32]) -> AnyRule {
        let rule = (self.kind.rule)(weights).unwrap_or_else(|_| self.untrained.clone());
        if self.rotated { AnyRule::Rotated(Box::new(Rotated::new(rule))) } else { rule }
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
    pub fn to_file(&self) -> std::result::Result<Vec<u8>, WeightsError> {
        (self.kind.to_file)(&self.weights)
    }
}

//! A task of the distribution: examples of a family, and what is trained on them how.
//!
//! ```text
//! rows            log-uniform, a quarter of them held out
//! wrong labels    in half of the tasks a share of U(0, 20 %) of all rows gets another label
//! inputs          scaled as `scale` says
//! hidden layers   1, 2 or 3 with 50, 35, 15 %; each width log-uniform 8..64; ReLU, tanh or sigmoid
//! batch           log-uniform 8..128, at most half of the training rows
//! start           the project's own; in half of the tasks all weights times 2^U(-0.6, 0.6)
//! ```

use anyhow::Result;
use lgl2o::Rng;
use lgl2o::objective::mlp::{Activation, Loss, Mlp};
use lgl2o::tensors::Tensors as _;

use super::random::{chance, log_uniform, log_whole, weighted, whole};
use super::{Examples, Family, Sources, scale};
use crate::data::Dataset;
use crate::network::{HeapNetwork, HeapTensors};

/// The activations that hidden layers have.
pub const ACTIVATIONS: [Activation; 3] = [Activation::Relu, Activation::Tanh, Activation::Sigmoid];

/// Hidden layers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Their widths.
    pub hidden: Vec<usize>,
    /// The activation of all of them.
    pub activation: Activation,
}

impl Shape {
    fn draw(rng: &mut Rng) -> Self {
        let depth = 1 + weighted(rng, [0.5, 0.35, 0.15].into_iter());
        let hidden = (0..depth).map(|_| log_whole(rng, 8, 64)).collect();
        Self { hidden, activation: ACTIVATIONS[rng.below(3) as usize] }
    }
}

/// A task with its data.
#[derive(Debug, Clone, PartialEq)]
pub struct DrawnTask {
    /// The family of its examples.
    pub family: &'static str,
    /// What is trained on.
    pub train: Dataset,
    /// What is not.
    pub held_out: Dataset,
    /// The network, for batches of `batch`.
    pub network: HeapNetwork,
    /// Examples in a minibatch.
    pub batch: usize,
    /// Factor of the initial weights.
    pub initial_scale: f32,
    /// Seed of initial weights and minibatches.
    pub seed: u64,
}

/// What tasks are drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Space<'a> {
    /// Families, in proportion to their weights.
    pub families: &'a [Family],
    /// Fewest and most rows.
    pub rows: [usize; 2],
    /// Data of the families.
    pub sources: &'a Sources,
}

impl Space<'_> {
    /// Draws a task; its hidden layers too, unless they are given.
    ///
    /// # Errors
    /// Inputs of a family that are not finite.
    pub fn draw(&self, rng: &mut Rng, shape: Option<Shape>) -> Result<DrawnTask> {
        let family = &self.families[weighted(rng, self.families.iter().map(|family| family.weight))];
        let shape = shape.unwrap_or_else(|| Shape::draw(rng));
        let rows = log_whole(rng, self.rows[0], self.rows[1]);
        let (mut examples, classes) = self.examples(family, rng, rows);
        if chance(rng, 0.5) {
            let share = rng.range(0.0, 0.2);
            mislabel(rng, &mut examples.labels, classes, share);
        }
        scale::apply(rng, &mut examples);
        let Examples { inputs, labels, width } = examples;
        let mut train = Dataset::new(inputs, labels, width, classes, None)?;
        let held_out = train.split_off_tail(train.len() / 4)?;
        let batch = log_whole(rng, 8, 128).min(train.len() / 2);
        let initial_scale = if chance(rng, 0.5) { log_uniform(rng, 0.66, 1.516) } else { 1.0 };
        let mut widths = vec![width];
        widths.extend(shape.hidden);
        widths.push(classes);
        let network = HeapNetwork::new(&widths, shape.activation, batch);
        Ok(DrawnTask { family: family.name, train, held_out, network, batch, initial_scale, seed: rng.next_u64() })
    }

    /// Examples of at least two classes, and how many there are. Few draws of any family have less.
    fn examples(&self, family: &Family, rng: &mut Rng, rows: usize) -> (Examples, usize) {
        loop {
            let mut examples = (family.draw)(rng, rows, self.sources);
            let classes = examples.reindex();
            if classes > 1 {
                return (examples, classes);
            }
        }
    }
}

/// Gives a share of the rows, drawn one by one, one of the other labels.
fn mislabel(rng: &mut Rng, labels: &mut [u8], classes: usize, share: f32) {
    for label in labels {
        if chance(rng, share) {
            *label = ((usize::from(*label) + whole(rng, 1, classes - 1)) % classes) as u8;
        }
    }
}

impl DrawnTask {
    /// The optimizee.
    #[must_use]
    pub fn optimizee(&self) -> Mlp<HeapNetwork> {
        Mlp::new(self.network.clone(), Loss::CrossEntropy)
    }

    /// Fresh initial parameters: always the same ones.
    pub fn initialize(&self, params: &mut HeapTensors) {
        self.optimizee().initialize(params, &mut Rng::stream(self.seed, 0));
        for i in 0..params.count() {
            params.tensor_mut(i).iter_mut().for_each(|w| *w *= self.initial_scale);
        }
    }

    /// Multiply-adds of one training step, about: three for each weight and example, thirty for each weight by the rule.
    #[must_use]
    pub fn work(&self) -> f64 {
        self.optimizee().parameters() as f64 * (3.0 * self.batch as f64 + 30.0)
    }
}

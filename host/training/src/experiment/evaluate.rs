//! Loss and accuracy of parameters on a whole data set.

use lgl2o::batch::{Batch, Rows};
use lgl2o::objective::Blank;
use lgl2o::objective::mlp::{Loss, Mlp, Network};

use crate::data::Dataset;
use crate::network::{HeapNetwork, HeapTensors};

/// How many examples are evaluated at once.
const CHUNK: usize = 256;

/// Evaluates one network on any data of its widths.
#[derive(Debug)]
pub struct Evaluator {
    optimizee: Mlp<HeapNetwork>,
    activations: HeapTensors,
    losses: Vec<f32>,
}

/// Mean loss and share of right answers. A loss that is not finite is `None`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean loss over the examples.
    pub loss: Option<f64>,
    /// Share of the examples whose greatest output is that of their class.
    pub accuracy: Option<f64>,
}

impl Evaluator {
    /// An evaluator for a network.
    #[must_use]
    pub fn new(network: &HeapNetwork) -> Self {
        let optimizee = Mlp::new(network.with_capacity(CHUNK), Loss::CrossEntropy);
        Self { activations: optimizee.blank_scratch(), losses: optimizee.blank_losses(), optimizee }
    }

    /// Scores parameters on the first `limit` examples of a data set.
    pub fn score(&mut self, params: &HeapTensors, data: &Dataset, limit: usize) -> Score {
        let n = data.len().min(limit);
        let (mut loss, mut right) = (0.0f64, 0usize);
        let mut start = 0;
        while start < n {
            let end = n.min(start + CHUNK);
            let inputs = &data.inputs()[start * data.width()..end * data.width()];
            let labels = &data.labels()[start..end];
            let Some((part, hits)) = self.chunk(params, inputs, data.width(), labels) else {
                return Score { loss: None, accuracy: None };
            };
            loss += part;
            right += hits;
            start = end;
        }
        let count = n as f64;
        let loss = loss / count;
        Score { loss: loss.is_finite().then_some(loss), accuracy: Some(right as f64 / count) }
    }

    /// Sum of losses and number of right answers of one chunk; `None` if it does not fit the network.
    fn chunk(&mut self, params: &HeapTensors, inputs: &[f32], width: usize, labels: &[u8]) -> Option<(f64, usize)> {
        let rows = Rows::all(inputs, width);
        let classes = self.optimizee.network().layer(usize::MAX).outputs;
        let outputs = self.optimizee.outputs(&mut self.activations, params, rows).ok()?;
        let hits = outputs.chunks_exact(classes).zip(labels).filter(|(o, l)| greatest(o) == usize::from(**l)).count();
        let (batch, kernels) = (Batch::classes(inputs, width, labels), self.optimizee.network().kernels());
        Loss::CrossEntropy.losses(kernels, outputs, classes, &batch.targets, labels.len(), &mut self.losses);
        let loss = self.losses[..labels.len()].iter().map(|&l| f64::from(l)).sum();
        Some((loss, hits))
    }

    /// The network's outputs for some inputs.
    pub fn outputs(&mut self, params: &HeapTensors, inputs: &[f32], width: usize) -> Vec<f32> {
        let rows = inputs.chunks(CHUNK * width);
        rows.flat_map(|chunk| {
            let outputs = self.optimizee.outputs(&mut self.activations, params, Rows::all(chunk, width));
            outputs.map(|outputs| outputs.to_vec()).unwrap_or_default()
        })
        .collect()
    }

    /// The network's initial parameters for a seed.
    #[must_use]
    pub fn initial(&self, seed: u64) -> HeapTensors {
        let mut params = self.optimizee.blank_params();
        self.optimizee.initialize(&mut params, &mut lgl2o::Rng::stream(seed, 0));
        params
    }
}

/// Index of the greatest output; the first of equal ones.
fn greatest(outputs: &[f32]) -> usize {
    let mut best = 0;
    for (i, x) in outputs.iter().enumerate() {
        if *x > outputs[best] {
            best = i;
        }
    }
    best
}

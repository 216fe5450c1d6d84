//! One `.npy` file for each tensor, as `numpy.load` reads it.

use super::{Files, SavedModel};
use crate::data::table::npy;
use crate::network::series::Kind;

/// Weights are outputs x inputs, as those of `torch.nn.Linear`; of a convolution outputs x times x channels, or times x channels
/// where each channel has its own; over an image rows x columns x channels x outputs, or rows x columns x channels. A recurrent
/// layer has those of `torch.nn.GRU`: for its inputs in the usual files, for its state in two more, `state_weights_0.npy` and
/// `state_bias_0.npy` where it is layer 0.
#[must_use]
pub fn files(model: &SavedModel) -> Files {
    let mut files = Vec::new();
    let mut add = |name: String, shape: &[usize], numbers: &[f32]| files.push((name, npy::write(shape, numbers)));
    for (l, layer) in model.by_value().iter().enumerate() {
        let shape = match layer.kind {
            Kind::Dense => vec![layer.shape.outputs, layer.shape.inputs],
            Kind::Conv1d(over) => vec![layer.channels(), over.kernel, over.channels],
            Kind::Depthwise(over) => vec![over.kernel, over.channels],
            Kind::Conv2d(area) => [&area.kernel[..], &[area.channels, layer.channels()]].concat(),
            Kind::Depthwise2d(area) => [&area.kernel[..], &[area.channels]].concat(),
            Kind::Gru(steps) => vec![3 * layer.channels(), steps.channels],
            Kind::MaxPool(_) | Kind::AveragePool(_) | Kind::MaxPool2d(_) | Kind::AveragePool2d(_) => continue,
        };
        let [weights, bias] = model.tensors(l);
        add(format!("weights_{l}.npy"), &shape, weights);
        add(format!("bias_{l}.npy"), &[bias.len()], bias);
        if let Kind::Gru(_) = layer.kind {
            let [weights, bias] = model.pair(l, 1);
            add(format!("state_weights_{l}.npy"), &[bias.len(), layer.channels()], weights);
            add(format!("state_bias_{l}.npy"), &[bias.len()], bias);
        }
    }
    add("mean.npy".to_owned(), &[model.mean.len()], &model.mean);
    add("deviation.npy".to_owned(), &[model.deviation.len()], &model.deviation);
    files
}

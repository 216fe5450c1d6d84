//! One `.npy` file for each tensor, as `numpy.load` reads it.

use lgl2o::tensors::Tensors as _;

use super::{Files, SavedModel};
use crate::data::table::npy;

/// Weights are outputs x inputs, as those of `torch.nn.Linear`.
#[must_use]
pub fn files(model: &SavedModel) -> Files {
    let mut files = Vec::new();
    let mut add = |name: String, shape: &[usize], numbers: &[f32]| files.push((name, npy::write(shape, numbers)));
    for (l, layer) in model.layers().iter().enumerate() {
        add(format!("weights_{l}.npy"), &[layer.outputs, layer.inputs], model.params.tensor(2 * l));
        add(format!("bias_{l}.npy"), &[layer.outputs], model.params.tensor(2 * l + 1));
    }
    add("mean.npy".to_owned(), &[model.mean.len()], &model.mean);
    add("deviation.npy".to_owned(), &[model.deviation.len()], &model.deviation);
    files
}

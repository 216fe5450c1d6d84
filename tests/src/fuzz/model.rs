//! Models and tensors: `model.lgl2o` and files of safetensors.

use lgl2o::objective::mlp::{Activation, Shape};
use lgl2o_host::data::table::Columns;
use lgl2o_host::saved::tensors::{self, Unsaid};
use lgl2o_host::saved::{Output, SavedModel, c, rust};

use super::{Target, put_right};

pub(super) const TARGET: Target = Target { name: "model", read, examples, memory };

/// Numbers are held a few times; names of the header are values of JSON.
fn memory(bytes: &[u8]) -> usize {
    (1 << 18) + 256 * bytes.len()
}

fn read(bytes: &[u8]) -> bool {
    let mut right = bytes.to_vec();
    let end = right.len().saturating_sub(4);
    put_right(&mut right, 0..end, end);
    let unsaid = Unsaid {
        hidden: Activation::Relu,
        classes: None,
        regression: false,
        order: &[],
        standardizer: None,
        network: None,
    };
    let found =
        [SavedModel::from_bytes(bytes).ok(), SavedModel::from_bytes(&right).ok(), tensors::import(bytes, &unsaid).ok()];
    let mut accepted = false;
    for model in found.into_iter().flatten() {
        accepted = true;
        assert_eq!(SavedModel::from_bytes(&model.to_bytes()).as_ref(), Ok(&model));
        // It predicts, or says that it cannot.
        let mut core = model.model().expect("checked");
        let _ = core.values(&vec![0.5; model.mean.len()]);
        assert!(!rust::module(&model).contains("NaN") && !c::header(&model).contains("inf"));
    }
    accepted
}

fn examples() -> Vec<Vec<u8>> {
    let layer = |inputs, outputs, activation| Shape { inputs, outputs, activation };
    let layers = vec![layer(2, 3, Activation::Tanh), layer(3, 2, Activation::Identity)];
    let classes = Output::Classes(["a", "b"].map(str::to_owned).to_vec());
    let standardizer = [&[1.0, 2.0][..], &[0.5, 0.0]];
    let model = SavedModel::new(layers, &[0.25; 17], standardizer, classes, Columns::plain(2)).expect("a model");
    let one = vec![layer(1, 1, Activation::Identity)];
    let value = SavedModel::new(one, &[2.0, 1.0], [&[0.0], &[1.0]], Output::Value, Columns::plain(1)).expect("a model");
    vec![model.to_bytes(), value.to_bytes(), tensors::bytes(&model), tensors::bytes(&value)]
}

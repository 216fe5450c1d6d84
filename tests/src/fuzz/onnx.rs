//! ONNX files.

use std::path::Path;

use lgl2o::objective::mlp::Activation;
use lgl2o_host::saved::tensors::Unsaid;
use lgl2o_host::saved::{SavedModel, onnx, rust};

use super::Target;

pub(super) const TARGET: Target = Target { name: "onnx", read, examples, memory };

/// Two bytes may stand for a setting, which is some hundred in memory.
fn memory(bytes: &[u8]) -> usize {
    (1 << 20) + 1024 * bytes.len()
}

fn read(bytes: &[u8]) -> bool {
    let mut accepted = false;
    for regression in [false, true] {
        let unsaid = Unsaid {
            hidden: Activation::Relu,
            classes: None,
            regression,
            order: &[],
            standardizer: None,
            network: None,
        };
        // Weights in other files are nowhere.
        let Ok(model) = onnx::import(bytes, Path::new("/nowhere"), &unsaid) else { continue };
        accepted = true;
        assert_eq!(SavedModel::from_bytes(&model.to_bytes()).as_ref(), Ok(&model));
        let mut core = model.model().expect("checked");
        let _ = core.values(&vec![0.5; model.mean.len()]);
        assert!(!rust::module(&model).contains("NaN"));
    }
    accepted
}

fn examples() -> Vec<Vec<u8>> {
    let all: [&[u8]; 6] = [
        include_bytes!("../../fixtures/onnx/conv.onnx"),
        include_bytes!("../../fixtures/onnx/mlp-tanh.onnx"),
        include_bytes!("../../fixtures/onnx/depthwise.onnx"),
        include_bytes!("../../fixtures/onnx/channels-last.onnx"),
        include_bytes!("../../fixtures/onnx/mlp-external.onnx"),
        include_bytes!("../../fixtures/onnx/mlp-float16.onnx"),
    ];
    all.map(<[u8]>::to_vec).to_vec()
}

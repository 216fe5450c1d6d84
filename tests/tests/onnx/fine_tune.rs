//! Networks from PyTorch, imported, exported as a module of Rust, and their heads trained with `auto` on a device's types: the outputs
//! of the network on the heap and of the one whose shape is a type are the same, bit for bit.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use lgl2o::batch::Batch;
use lgl2o::model::AsIs;
use lgl2o::objective::mlp::{Loss, Mlp};
use lgl2o::source::Sampler;
use lgl2o::tensors::Tensors;
use lgl2o::{Memory, Model, Trainer, auto};
use lgl2o_device::imported::{ConvHead, MlpHead, conv, mlp_relu, rows};
use lgl2o_host::saved::rust;

use crate::{assert_near, imported, numbers, outputs};

/// Training steps of the head.
const STEPS: u64 = 300;

/// Where the demonstration `imported` has what comes from these files.
fn demonstration() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/shared/src/imported")
}

/// Holds a file of the demonstration to its text. `LGL2O_RENEW=1` writes it.
fn assert_is_of_today(file: &str, text: &str) {
    let path = demonstration().join(file);
    if std::env::var_os("LGL2O_RENEW").is_some() {
        fs::write(&path, text).expect("written");
    }
    assert_eq!(fs::read_to_string(&path).expect("the file"), text, "{file}; LGL2O_RENEW=1 writes it anew");
}

#[test]
fn the_modules_are_those_of_today() {
    for (name, file) in [("conv", "conv.rs"), ("mlp-relu", "mlp_relu.rs")] {
        assert_is_of_today(file, &rust::module(&imported(name)));
    }
}

#[test]
fn the_rows_are_those_of_pytorch() {
    let mut text =
        "//! Rows that PyTorch has predicted, and its outputs for them: the arrays of `tests/fixtures/onnx`, which \
                    `tests/tests/onnx/fine_tune.rs` writes here.\n\n#![cfg_attr(rustfmt, rustfmt_skip)]\n\
                    #![allow(clippy::approx_constant, clippy::excessive_precision)]\n"
            .to_owned();
    for (name, file, about) in [
        ("CONV_INPUTS", "conv.input.npy", "Rows of 20 times of 3 channels."),
        ("CONV_OUTPUTS", "conv.4.npy", "PyTorch's outputs for them, three for each row."),
        ("MLP_INPUTS", "mlp-relu.input.npy", "Rows of four features."),
        ("MLP_OUTPUTS", "mlp-relu.2.npy", "PyTorch's outputs for them, three for each row."),
    ] {
        let all = numbers(file);
        write!(text, "\n/// {about}\npub static {name}: [f32; {}] = [\n", all.len()).expect("text");
        for line in all.chunks(8) {
            let line: Vec<String> = line.iter().map(|x| format!("{x:?}")).collect();
            writeln!(text, "    {},", line.join(", ")).expect("text");
        }
        text += "];\n";
    }
    assert_is_of_today("rows.rs", &text);
    assert_eq!(rows::CONV_INPUTS.as_slice(), numbers("conv.input.npy"));
}

#[test]
fn a_module_predicts_what_pytorch_does() {
    let (conv_input, conv_output) = (numbers("conv.input.npy"), numbers("conv.4.npy"));
    let mut model = conv::model().expect("a model");
    let heap = imported("conv");
    for (row, expected) in conv_input.chunks(60).zip(conv_output.chunks(3)) {
        let found = model.values(row).expect("outputs").to_vec();
        assert_near(&found, expected, "conv");
        assert_eq!(found, outputs(&heap, 5, row), "the same bits on the heap");
    }
    let mut model = mlp_relu::model().expect("a model");
    for (row, expected) in numbers("mlp-relu.input.npy").chunks(4).zip(numbers("mlp-relu.2.npy").chunks(3)) {
        assert_near(model.values(row).expect("outputs"), expected, "mlp-relu");
    }
}

/// Trains the head on three rows, each of which is to have a class that PyTorch's network does not see in it.
macro_rules! fine_tuned {
    ($net:ident, $name:literal, $last:literal, $width:literal, $head:expr) => {{
        let (rows, before) = (numbers(concat!($name, ".input.npy")), numbers(concat!($name, ".", $last, ".npy")));
        let least = |row: &[f32]| (0..3).min_by(|&a, &b| row[a].total_cmp(&row[b])).expect("three") as u8;
        let labels: Vec<u8> = before.chunks(3).map(least).collect();
        // Each row four times, so that a batch leaves some to check on.
        let (all, answers) = (rows.repeat(4), labels.repeat(4));
        let net = Mlp::new($net::<12>::new(), Loss::CrossEntropy);
        let (guard, mut memory, mut pick, mut used) =
            (auto(), Box::new(Memory::<Mlp<$net<12>>, _>::new()), [0; 4], [0; 1]);
        (0..$head.count()).for_each(|i| memory.params_mut().tensor_mut(i).copy_from_slice($head.tensor(i)));
        let mut batches = Sampler::new(&all, $width, &answers, 1, &mut pick, &mut used).expect("a source");
        let mut trainer = Trainer::new(&net, &guard, &mut memory);
        let batch = Batch::classes(&all, $width, &answers);
        let first = trainer.loss(batch).expect("a loss");
        while trainer.progress().steps < STEPS {
            trainer.round(&mut batches).expect("a round");
        }
        let last = trainer.loss(batch).expect("a loss");
        assert!(last < first / 2.0, "{}: from {first} to {last}", $name);
        let params = trainer.params().clone();
        let mut model = Model::new(Mlp::new($net::<1>::new(), Loss::CrossEntropy), &params, AsIs);
        let heap = {
            let mut heap = imported($name);
            let count = params.len();
            let all = heap.params.as_mut_slice();
            let from = all.len() - count;
            let tensors = (0..params.count()).flat_map(|i| params.tensor(i).iter().copied());
            all[from..].iter_mut().zip(tensors).for_each(|(to, x)| *to = x);
            heap
        };
        for (row, &label) in rows.chunks($width).zip(&labels) {
            assert_eq!(model.predict(row).expect("a class").class, label, "{}", $name);
            let values = model.values(row).expect("outputs").to_vec();
            assert_eq!(values, outputs(&heap, heap.layers().len(), row), "{}: the same bits on the heap", $name);
        }
    }};
}

#[test]
fn heads_learn_on_a_backbone_of_pytorch() {
    fine_tuned!(ConvHead, "conv", "4", 60, conv::PARAMS.1.1.1);
    fine_tuned!(MlpHead, "mlp-relu", "2", 4, mlp_relu::PARAMS.1.1);
}

//! Networks of PyTorch's, imported, exported as a module of Rust, and their heads trained by `auto` on a device's types: the outputs
//! of the network on the heap and of the one whose shape is a type are the same, bit for bit.

use std::fs;

use lgl2o::batch::Batch;
use lgl2o::model::AsIs;
use lgl2o::objective::mlp::frozen::Weights;
use lgl2o::objective::mlp::{
    Conv1d, Conv1dParams, Dense, DenseParams, Fixed, Frozen, Loss, MaxPool1d, Mlp, Relu, Sigmoid, Tanh,
};
use lgl2o::source::Sampler;
use lgl2o::tensors::Tensors;
use lgl2o::{Memory, Model, Trainer, auto, chain};
use lgl2o_host::saved::rust;

use crate::{assert_near, fixtures, imported, numbers, outputs};

/// The modules that `lgl2o export --to rust` writes of two of the networks.
#[path = "../../fixtures/onnx/conv.rs"]
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod conv;
#[path = "../../fixtures/onnx/mlp_relu.rs"]
#[allow(missing_docs, unreachable_pub, clippy::all)]
mod mlp_relu;

/// Training steps of the head.
const STEPS: u64 = 300;

/// The modules of this folder are those that are written today. `LGL2O_RENEW=1` writes them.
#[test]
fn the_modules_are_those_of_today() {
    for (name, file) in [("conv", "conv.rs"), ("mlp-relu", "mlp_relu.rs")] {
        let (module, path) = (rust::module(&imported(name)), fixtures().join(file));
        if std::env::var_os("LGL2O_RENEW").is_some() {
            fs::write(&path, &module).expect("written");
        }
        assert_eq!(fs::read_to_string(&path).expect("the module"), module, "{file}; LGL2O_RENEW=1 writes it anew");
    }
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

/// The first layers of each module, in flash.
struct First;
impl Weights<Conv1dParams<3, 5, 6>> for First {
    fn weights() -> &'static Conv1dParams<3, 5, 6> {
        &conv::PARAMS.0
    }
}
struct Second;
impl Weights<Conv1dParams<6, 3, 4>> for Second {
    fn weights() -> &'static Conv1dParams<6, 3, 4> {
        &conv::PARAMS.1.1.0
    }
}
struct Mlp1;
impl Weights<DenseParams<4, 8>> for Mlp1 {
    fn weights() -> &'static DenseParams<4, 8> {
        &mlp_relu::PARAMS.0
    }
}
struct Mlp2;
impl Weights<DenseParams<8, 6>> for Mlp2 {
    fn weights() -> &'static DenseParams<8, 6> {
        &mlp_relu::PARAMS.1.0
    }
}

type ConvHead<const B: usize> = Fixed<
    chain![
        Frozen<Conv1d<20, 3, 10, 6, 5, 2, 2, Relu>, First>,
        MaxPool1d<10, 6, 5, 2>,
        Frozen<Conv1d<5, 6, 3, 4, 3, 1, 0, Tanh>, Second>,
        Dense<12, 8, Relu>,
        Dense<8, 3>
    ],
    B,
>;
type MlpHead<const B: usize> =
    Fixed<chain![Frozen<Dense<4, 8, Relu>, Mlp1>, Frozen<Dense<8, 6, Sigmoid>, Mlp2>, Dense<6, 3>], B>;

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

//! Frozen layers: a head on a backbone in flash is trained as it would be in the whole network; a checkpoint of it fits no other
//! backbone.

use std::mem::size_of;

use lgl2o::batch::Batch;
use lgl2o::checkpoint::{Buffer, CheckpointError, Fingerprint};
use lgl2o::guard::Unguarded;
use lgl2o::model::AsIs;
use lgl2o::objective::mlp::frozen::Weights;
use lgl2o::objective::mlp::{Conv1dParams, Dense, DenseParams, Descent, Fixed, Frozen, Loss, Mlp, Relu, Tanh};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{Momentum, Sgd};
use lgl2o::source::Sampler;
use lgl2o::tensors::{Tensors, Zeroed};
use lgl2o::{Memory, Model, Rng, Trainer, chain};
use lgl2o_tests::bits;

type ConvParams = Conv1dParams<2, 3, 4>;

/// Numbers that are no round ones.
const fn filters(scale: f32) -> ConvParams {
    let mut params = ConvParams::ZERO;
    let (mut o, mut k) = (0, 0);
    while o < 4 {
        params.weights[o][k] = [scale * (0.3 - 0.1 * (o + k) as f32), scale * 0.07 * (o + 2 * k) as f32];
        params.bias[o] = 0.05 * o as f32;
        k += 1;
        if k == 3 {
            (o, k) = (o + 1, 0);
        }
    }
    params
}

static FILTERS: ConvParams = filters(1.0);
static OTHERS: ConvParams = filters(1.001);

macro_rules! weights {
    ($name:ident, $type:ty, $static:ident) => {
        struct $name;
        impl Weights<$type> for $name {
            fn weights() -> &'static $type {
                &$static
            }
        }
    };
}
weights!(Filters, ConvParams, FILTERS);
weights!(Others, ConvParams, OTHERS);

type Whole = Fixed<chain![10 x 2 => conv1d(4, 3, 1, 1, Relu), average_pool(5), dense(6, Tanh), dense(3)], 4>;
type Head =
    Fixed<chain![10 x 2 => frozen(conv1d(4, 3, 1, 1, Relu), Filters), average_pool(5), dense(6, Tanh), dense(3)], 4>;
type OnOthers =
    Fixed<chain![10 x 2 => frozen(conv1d(4, 3, 1, 1, Relu), Others), average_pool(5), dense(6, Tanh), dense(3)], 4>;

/// Inputs and labels of n examples.
fn examples(n: usize, seed: u64) -> (Vec<f32>, Vec<u8>) {
    let mut rng = Rng::new(seed);
    ((0..n * 20).map(|_| rng.range(-1.0, 1.0)).collect(), (0..n).map(|_| rng.below(3) as u8).collect())
}

/// Losses and gradient of the first 4 examples.
fn evaluate<O>(net: &O, params: &O::Params) -> (Vec<u32>, O::Params)
where
    O: Blank + for<'a> Objective<Batch<'a> = Batch<'a>>,
{
    let (inputs, labels) = examples(4, 5);
    let (mut losses, mut gradient) = (net.blank_losses(), net.blank_params());
    let batch = Batch::classes(&inputs, 20, &labels);
    net.gradient(&mut net.blank_scratch(), params, batch, &mut losses, &mut gradient).unwrap();
    (bits::patterns(losses.as_ref()), gradient)
}

/// A network with some layers frozen has the losses of the whole one, and its gradient in what is left; fewer parameters, and no
/// memory for the others.
#[test]
fn what_is_not_frozen_has_the_gradient_of_the_whole_network() {
    let (whole, head) = (Mlp::new(Whole::new(), Loss::CrossEntropy), Mlp::new(Head::new(), Loss::CrossEntropy));
    let (mut of_whole, mut of_head) = (whole.blank_params(), head.blank_params());
    whole.initialize(&mut of_whole, &mut Rng::new(1));
    of_whole.0 = FILTERS.clone();
    of_head.1 = of_whole.1.clone();
    let ((losses, gradient), (same, of_rest)) = (evaluate(&whole, &of_whole), evaluate(&head, &of_head));
    assert_eq!(losses, same);
    assert_eq!(bits::of(&gradient.1), bits::of(&of_rest.1));
    assert!(gradient.0.squares() > 0.0 && of_rest.squares() > 0.0);
    assert_eq!(head.parameters(), whole.parameters() - ConvParams::ZERO.len());
    assert_eq!(size_of::<Descent<Whole, 1>>() - size_of::<Descent<Head, 1>>(), 2 * size_of::<ConvParams>());
}

/// The same below a frozen layer: errors go through it.
#[test]
fn errors_go_through_a_frozen_layer() {
    static MIDDLE: DenseParams<5, 4> =
        DenseParams { weights: [[0.5, -0.25, 0.75, 0.1, -0.6]; 4], bias: [0.1, 0.2, 0.3, 0.4] };
    weights!(Middle, DenseParams<5, 4>, MIDDLE);
    type All = Fixed<chain![Dense<20, 5, Tanh>, Dense<5, 4, Tanh>, Dense<4, 3>], 4>;
    type Some = Fixed<chain![Dense<20, 5, Tanh>, Frozen<Dense<5, 4, Tanh>, Middle>, Dense<4, 3>], 4>;
    let (all, some) = (Mlp::new(All::new(), Loss::CrossEntropy), Mlp::new(Some::new(), Loss::CrossEntropy));
    let (mut of_all, mut of_some) = (all.blank_params(), some.blank_params());
    all.initialize(&mut of_all, &mut Rng::new(2));
    of_all.1.0 = MIDDLE.clone();
    (of_some.0, of_some.1.1) = (of_all.0.clone(), of_all.1.1.clone());
    let ((losses, gradient), (same, of_rest)) = (evaluate(&all, &of_all), evaluate(&some, &of_some));
    assert_eq!(losses, same);
    assert_eq!(bits::of(&gradient.0), bits::of(&of_rest.0));
    assert_eq!(bits::of(&gradient.1.1), bits::of(&of_rest.1.1));
}

/// A chain of layers can be frozen as one.
#[test]
fn a_frozen_chain_is_its_layers() {
    type Backbone = chain![Dense<20, 5, Relu>, Dense<5, 4, Tanh>];
    static BACKBONE: (DenseParams<20, 5>, DenseParams<5, 4>) = (
        DenseParams { weights: [[0.125; 20]; 5], bias: [0.5, 0.25, 0.0, -0.25, -0.5] },
        DenseParams { weights: [[0.5, -0.25, 0.75, 0.1, -0.6]; 4], bias: [0.1, 0.2, 0.3, 0.4] },
    );
    weights!(Both, (DenseParams<20, 5>, DenseParams<5, 4>), BACKBONE);
    let all = Mlp::new(Fixed::<(Backbone, Dense<4, 3>), 4>::new(), Loss::CrossEntropy);
    let head = Mlp::new(Fixed::<(Frozen<Backbone, Both>, Dense<4, 3>), 4>::new(), Loss::CrossEntropy);
    let mut of_all = all.blank_params();
    all.initialize(&mut of_all, &mut Rng::new(3));
    of_all.0 = BACKBONE.clone();
    let mut of_head = head.blank_params();
    of_head.1 = of_all.1.clone();
    let ((losses, gradient), (same, of_rest)) = (evaluate(&all, &of_all), evaluate(&head, &of_head));
    assert_eq!(losses, same);
    assert_eq!(bits::of(&gradient.1), bits::of(&of_rest.1));
}

/// A head's checkpoint is loaded on its backbone alone, by a trainer and by a model; a difference of a thousandth is seen.
#[test]
fn a_checkpoint_fits_no_other_backbone() {
    let (inputs, labels) = examples(40, 6);
    let (mut pick, mut used) = ([0; 4], [0; 2]);
    let mut batches = Sampler::new(&inputs, 20, &labels, 1, &mut pick, &mut used).unwrap();
    let (net, guard) = (Mlp::new(Head::new(), Loss::CrossEntropy), Unguarded::new(Sgd::new(0.1)));
    let mut memory = Memory::<_, Unguarded<Sgd>>::new();
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    for _ in 0..5 {
        trainer.round(&mut batches).unwrap();
    }
    let mut bytes = [0; 4096];
    let mut checkpoint = Buffer::new(&mut bytes);
    trainer.save(&batches, &mut checkpoint).unwrap();
    // The head's parameters are in it, those of the backbone are not.
    assert!(trainer.checkpoint_len(&batches) < 4 * net.parameters() + 200);

    let mut memory = Memory::<_, Unguarded<Sgd>>::new();
    let mut resumed = Trainer::new(&net, &guard, &mut memory);
    resumed.load(&mut batches, &mut checkpoint.written()).unwrap();
    assert_eq!(bits::of(resumed.params()), bits::of(trainer.params()));
    let mut model = Model::new(net, Mlp::new(Head::new(), Loss::CrossEntropy).blank_params(), AsIs);
    model.load(&mut checkpoint.written()).unwrap();
    assert_eq!(bits::of(model.params()), bits::of(trainer.params()));

    let others = Mlp::new(OnOthers::new(), Loss::CrossEntropy);
    assert_ne!(others.fingerprint(), net.fingerprint());
    let mut memory = Memory::<_, Unguarded<Sgd>>::new();
    let mut trainer = Trainer::new(&others, &guard, &mut memory);
    assert_eq!(trainer.load(&mut batches, &mut checkpoint.written()), Err(CheckpointError::OtherObjective));
    assert_eq!(trainer.load_params(&mut checkpoint.written()), Err(CheckpointError::OtherObjective));
    let mut model = Model::new(others, others.blank_params(), AsIs);
    assert_eq!(model.load(&mut checkpoint.written()), Err(CheckpointError::OtherObjective));
    assert_eq!(model.params().squares(), 0.0);
}

/// Every kind of layer is told from every other, and each of its numbers is.
#[test]
fn layers_are_told_apart_by_their_fingerprints() {
    macro_rules! fingerprints {
        ($($t:literal x $c:literal => $name:ident($($of:tt)*);)+) => {
            [$(Mlp::new(Fixed::<chain![$t x $c => $name($($of)*)], 1>::new(), Loss::SquaredError).fingerprint()),+]
        };
        ($($h:literal x $w:literal x $c:literal => $name:ident($($of:tt)*);)+) => {
            [$(Mlp::new(Fixed::<chain![$h x $w x $c => $name($($of)*)], 1>::new(), Loss::SquaredError).fingerprint()),+]
        };
    }
    let all = fingerprints!(
        12 x 4 => dense(4);
        12 x 4 => dense(4, Relu);
        12 x 4 => conv1d(4, 3, 3, 0);
        12 x 4 => conv1d(4, 3, 3, 0, Relu);
        12 x 4 => conv1d(4, 3, 3, 1);
        12 x 4 => conv1d(4, 3, 4, 0);
        12 x 4 => conv1d(4, 2, 3, 0);
        12 x 4 => conv1d(3, 3, 3, 0);
        6 x 8 => conv1d(4, 3, 3, 0);
        12 x 4 => depthwise(3, 3, 0);
        12 x 4 => max_pool(3);
        12 x 4 => average_pool(3);
        12 x 4 => average_pool(4);
        6 x 8 => average_pool(3);
        12 x 4 => gru(4);
        12 x 4 => gru(3);
        6 x 8 => gru(4);
    );
    let images = fingerprints!(
        4 x 3 x 4 => conv2d(4, 3, 3, [1, 0]);
        4 x 3 x 4 => conv2d(4, 3, 3, [1, 0], Relu);
        4 x 3 x 4 => conv2d(4, 3, 3, [1, 1]);
        4 x 3 x 4 => conv2d(4, 3, 3, [0, 1]);
        4 x 3 x 4 => conv2d(4, 3, [2, 3], [1, 0]);
        4 x 3 x 4 => conv2d(4, 3, [3, 2], [1, 0]);
        4 x 3 x 4 => conv2d(4, [2, 3], 3, [1, 0]);
        4 x 3 x 4 => conv2d(4, [3, 2], 3, [1, 0]);
        4 x 3 x 4 => conv2d(3, 3, 3, [1, 0]);
        3 x 4 x 4 => conv2d(4, 3, 3, [1, 0]);
        4 x 6 x 2 => conv2d(4, 3, 3, [1, 0]);
        4 x 3 x 4 => depthwise2d(3, 3, [1, 0]);
        4 x 3 x 4 => max_pool2d(2);
        4 x 3 x 4 => max_pool2d([2, 1]);
        4 x 3 x 4 => average_pool2d(2);
        3 x 4 x 4 => average_pool2d(2);
    );
    let all = [all.as_slice(), &images].concat();
    let mut different = all.clone();
    different.sort_unstable();
    different.dedup();
    assert_eq!(different.len(), all.len());
}

/// A step without memory for a gradient moves the head alone.
#[test]
fn descent_moves_the_head() {
    let (net, (inputs, labels)) = (Mlp::new(Head::new(), Loss::CrossEntropy), examples(4, 7));
    let mut descent = Descent::<Head, 1>::new();
    net.initialize(descent.params_mut(), &mut Rng::new(1));
    let batch = Batch::classes(&inputs, 20, &labels);
    let first = descent.step(&net, &Momentum::new(0.1), batch).unwrap();
    let last = (0..200).map(|_| descent.step(&net, &Momentum::new(0.1), batch).unwrap()).last().unwrap();
    assert!(last < 0.2 * first, "{first} to {last}");
}

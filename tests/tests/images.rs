//! Layers over an image: convolution, depthwise convolution and pooling in two dimensions. Kernels against their twins, gradients
//! against double precision, shapes, and that such a network learns.

use lgl2o::batch::{Batch, Rows};
use lgl2o::objective::mlp::network::BlankNetwork;
use lgl2o::objective::mlp::patches::Patches;
use lgl2o::objective::mlp::{
    Activation, Conv2d, Dense, Descent, Filter, Fixed, Image, Loss, Mlp, Relu, Sigmoid, Tanh, conv2d, depthwise2d,
};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::Momentum;
use lgl2o::source::Sampler;
use lgl2o::tensors::Tensors;
use lgl2o::{Auto, Memory, Model, Rng, Trainer, auto, chain, model::AsIs};
use lgl2o_tests::bits::patterns;
use lgl2o_tests::reference::image::Plane64::{
    AveragePool2d, Conv2d as Conv, Dense as Full, Depthwise2d as Deep, Fold, MaxPool2d,
};
use lgl2o_tests::reference::image::{Image64, Plane64};
use lgl2o_tests::reference::losses::{Oracle, distance, largest, wide, widen};
use lgl2o_tests::{bits, cases, strategy};
use proptest::collection::vec;
use proptest::prelude::*;

/// Patches on n examples, and numbers enough for everything.
#[derive(Debug, Clone)]
struct Case {
    patches: Patches,
    outputs: usize,
    n: usize,
    numbers: Vec<f32>,
    below: Activation,
}

/// One side of an image: its length, kernel, stride and padding.
fn side() -> impl Strategy<Value = [usize; 4]> {
    let any = (1usize..=9, 1usize..=4, 1usize..=3, 0usize..4);
    any.prop_filter("it fits", |&(n, k, _, p)| p < k && n + 2 * p >= k).prop_map(|(n, k, s, p)| [n, k, s, p])
}

fn case() -> impl Strategy<Value = Case> {
    let activations = prop::sample::select(&Activation::ALL);
    (side(), side(), 1usize..=9, 1usize..=13, 0usize..=2, activations).prop_flat_map(
        |([h, kh, sh, ph], [w, kw, sw, pw], channels, outputs, n, below)| {
            let patches = Patches::new([h, w, channels], [kh, kw], [sh, sw], [ph, pw]);
            let most = [
                n * patches.numbers(),
                outputs * patches.taps() * channels,
                n * patches.count() * outputs.max(channels),
                19,
            ];
            vec(strategy::any_number(), most.into_iter().max().unwrap_or(0) + 4).prop_map(move |numbers| Case {
                patches,
                outputs,
                n,
                numbers,
                below,
            })
        },
    )
}

impl Case {
    /// So many numbers, others for another place.
    fn numbers(&self, place: usize, n: usize) -> &[f32] {
        &self.numbers[place..place + n]
    }

    /// What two kernels write over the same numbers.
    fn both(&self, n: usize, fast: impl FnOnce(&mut [f32]), plain: impl FnOnce(&mut [f32])) -> [Vec<u32>; 2] {
        let (mut a, mut b) = (self.numbers(2, n).to_vec(), self.numbers(2, n).to_vec());
        fast(&mut a);
        plain(&mut b);
        [patterns(&a), patterns(&b)]
    }
}

proptest! {
    #![proptest_config(cases!(400, "images"))]

    /// The kernels of a convolution have the bits of their twins, whatever the shape and the numbers.
    #[test]
    fn convolution_is_its_twin(case in case()) {
        let Case { patches: p, outputs, n, below, .. } = &case;
        let (outputs, n, taps) = (*outputs, *n, outputs * p.taps() * p.channels());
        let (weights, bias) = (case.numbers(0, taps), case.numbers(1, outputs));
        let inputs = Rows::all(case.numbers(3, n * p.numbers()), p.numbers());
        let size = n * p.count() * outputs;
        let [fast, plain] = case.both(
            size,
            |z| conv2d::forward(p, weights, bias, inputs, n, z),
            |z| conv2d::plain::forward(p, weights, bias, inputs, n, z),
        );
        prop_assert_eq!(fast, plain);
        let errors = case.numbers(1, size);
        let [fast, plain] = case.both(
            taps,
            |g| conv2d::weight_gradient(p, errors, inputs, n, outputs, g),
            |g| conv2d::plain::weight_gradient(p, errors, inputs, n, outputs, g),
        );
        prop_assert_eq!(fast, plain);
        let [fast, plain] = case.both(
            n * p.numbers(),
            |x| conv2d::input_error(p, weights, errors, n, outputs, *below, x),
            |x| conv2d::plain::input_error(p, weights, errors, n, outputs, *below, x),
        );
        prop_assert_eq!(fast, plain);
    }

    /// So have those of a depthwise convolution.
    #[test]
    fn depthwise_convolution_is_its_twin(case in case()) {
        let Case { patches: p, n, below, .. } = &case;
        let (n, taps, size) = (*n, p.taps() * p.channels(), n * p.count() * p.channels());
        let (weights, bias, errors) = (case.numbers(0, taps), case.numbers(1, p.channels()), case.numbers(1, size));
        let inputs = Rows::all(case.numbers(3, n * p.numbers()), p.numbers());
        let [fast, plain] = case.both(
            size,
            |z| depthwise2d::forward(p, weights, bias, inputs, n, z),
            |z| depthwise2d::plain::forward(p, weights, bias, inputs, n, z),
        );
        prop_assert_eq!(fast, plain);
        let [fast, plain] = case.both(
            taps,
            |g| depthwise2d::weight_gradient(p, errors, inputs, n, g),
            |g| depthwise2d::plain::weight_gradient(p, errors, inputs, n, g),
        );
        prop_assert_eq!(fast, plain);
        let [fast, plain] = case.both(
            n * p.numbers(),
            |x| depthwise2d::input_error(p, weights, errors, n, *below, x),
            |x| depthwise2d::plain::input_error(p, weights, errors, n, *below, x),
        );
        prop_assert_eq!(fast, plain);
    }
}

/// Single-precision rounding allowed, in units of 2^-24 relative to numbers of order 1: sums of at most 100 terms in up to five
/// layers, there and back.
const TOLERANCE: f64 = 256.0 / 16_777_216.0;

/// Losses and gradients of a network of types are those of its layers in double precision.
fn assert_gradient<N: BlankNetwork + Default>(shape: [usize; 3], layers: &[Plane64], spoil: f64) {
    let mut rng = Rng::new(7);
    let net = Mlp::new(N::default(), Loss::CrossEntropy);
    let (width, outputs) = (shape.iter().product::<usize>(), net.network().layer(usize::MAX).outputs);
    for n in (1..=net.network().capacity()).cycle().take(4) {
        let (params, inputs, oracle) = loop {
            let mut params = net.blank_params();
            net.initialize(&mut params, &mut rng);
            (0..params.count()).for_each(|i| params.tensor_mut(i).iter_mut().for_each(|w| *w += rng.range(-0.1, 0.1)));
            let inputs: Vec<f32> = (0..n * width).map(|_| rng.range(-1.0, 1.0)).collect();
            let labels = (0..n).map(|_| rng.below(outputs as u32) as u8).collect();
            let rows = inputs.chunks(width).map(wide).collect();
            let oracle = Image64 { shape, layers: layers.to_vec(), inputs: rows, labels };
            if oracle.kink(&widen(&params)) > 1e-4 {
                break (params, inputs, oracle);
            }
        };
        let (mut losses, mut gradient) = (net.blank_losses(), net.blank_params());
        gradient.fill(f32::NAN);
        let batch = Batch::classes(&inputs, width, &oracle.labels);
        net.gradient(&mut net.blank_scratch(), &params, batch, &mut losses, &mut gradient).unwrap();
        let error = distance(&[wide(&losses.as_ref()[..n])], &[oracle.losses(&widen(&params))]);
        assert!(error < TOLERANCE, "{layers:?}: losses are off by {error:e}");
        let (expected, mut gradient) = (oracle.gradient(&widen(&params)), widen(&gradient));
        gradient[0][0] += spoil * largest(&expected);
        let error = distance(&gradient, &expected);
        assert!(error < TOLERANCE * (1.0 + largest(&expected)), "{layers:?}: the gradient is off by {error:e}");
    }
}

type Short = Fixed<chain![5 x 6 x 2 => conv2d(4, 3, 2, 1, Tanh), dense(3)], 3>;
type Pooled = Fixed<
    chain![8 x 9 x 2 => conv2d(9, 3, 1, 1, Relu), max_pool2d([2, 3]), conv2d(5, [2, 3], 1, [0, 1], Sigmoid), average_pool2d(2), dense(4)],
    2,
>;
type Separable =
    Fixed<chain![5 x 4 x 9 => depthwise2d(3, 1, 1, Tanh), conv2d(2, 1, 1, 0), dense(5, Tanh), dense(3)], 3>;
type Strided = Fixed<chain![7 x 8 x 2 => max_pool2d(2), depthwise2d([2, 1], [1, 2], 0, Relu), conv2d(3, 2, 4, 1)], 3>;
type Folded = Fixed<
    chain![
        Dense<5, 12, Tanh>,
        Conv2d<Image<3, 2, 2>, Image<3, 2, 3>, Filter<3, 1, 1, 1, 1, 0>, Sigmoid>,
        Dense<18, 2>
    ],
    3,
>;

#[test]
fn gradients_are_the_derivatives_of_their_losses() {
    use Activation::{Identity, Relu, Sigmoid, Tanh};
    let both = |n: usize| [n, n];
    assert_gradient::<Short>([5, 6, 2], &[Conv(4, [both(3), both(2), both(1)], Tanh), Full(3, Identity)], 0.0);
    let pooled = [
        Conv(9, [both(3), both(1), both(1)], Relu),
        MaxPool2d([2, 3]),
        Conv(5, [[2, 3], both(1), [0, 1]], Sigmoid),
        AveragePool2d([2, 2]),
        Full(4, Identity),
    ];
    assert_gradient::<Pooled>([8, 9, 2], &pooled, 0.0);
    let separable = [
        Deep([both(3), both(1), both(1)], Tanh),
        Conv(2, [both(1), both(1), both(0)], Identity),
        Full(5, Tanh),
        Full(3, Identity),
    ];
    assert_gradient::<Separable>([5, 4, 9], &separable, 0.0);
    let strided =
        [MaxPool2d([2, 2]), Deep([[2, 1], [1, 2], both(0)], Relu), Conv(3, [both(2), both(4), both(1)], Identity)];
    assert_gradient::<Strided>([7, 8, 2], &strided, 0.0);
    let folded = [Full(12, Tanh), Fold([3, 2, 2]), Conv(3, [[3, 1], both(1), [1, 0]], Sigmoid), Full(2, Identity)];
    assert_gradient::<Folded>([1, 1, 5], &folded, 0.0);
}

#[test]
#[should_panic(expected = "the gradient is off")]
fn a_gradient_that_is_slightly_wrong_is_noticed() {
    use Activation::{Identity, Tanh};
    assert_gradient::<Short>([5, 6, 2], &[Conv(4, [[3, 3], [2, 2], [1, 1]], Tanh), Full(3, Identity)], 1e-3);
}

/// The formula by hand, on one channel: a filter that sees the pixel itself, that to its right and that below.
#[test]
fn convolution_by_hand() {
    type Net = Fixed<chain![2 x 3 x 1 => conv2d(1, 3, 1, 1)], 1>;
    let mut params = Mlp::new(Net::new(), Loss::SquaredError).blank_params();
    params.weights[1][1] = [[1.0]];
    params.weights[1][2] = [[10.0]];
    params.weights[2][1] = [[100.0]];
    params.bias = [0.5];
    let mut model = Model::new(Mlp::new(Net::new(), Loss::SquaredError), params, AsIs);
    let values = model.values(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(values, [421.5, 532.5, 603.5, 54.5, 65.5, 6.5]);
}

/// The largest, the first of several; a NaN is not lost; what is left at the ends is dropped and has no error.
#[test]
fn pooling_by_hand() {
    type Net = Fixed<chain![Dense<1, 15>, lgl2o::objective::mlp::MaxPool2d<Image<3, 5, 1>, Image<1, 2, 1>, 2, 2>], 1>;
    let net = Mlp::new(Net::new(), Loss::SquaredError);
    let mut params = net.blank_params();
    // The outputs of the dense layer are its biases: three rows of five columns.
    params.0.bias = [3.0, 1.0, -2.0, -4.0, 9.0, 3.0, 2.0, -1.0, -1.0, 9.0, 9.0, 9.0, 9.0, 9.0, 9.0];
    let (mut losses, mut gradient) = (net.blank_losses(), net.blank_params());
    let batch = Batch::values(&[1.0], 1, &[0.0; 2], 2);
    net.gradient(&mut net.blank_scratch(), &params, batch, &mut losses, &mut gradient).unwrap();
    assert_eq!(losses, [(9.0 + 1.0) / 2.0]);
    let mut expected = [0.0; 15];
    (expected[0], expected[7]) = (3.0, -1.0);
    assert_eq!(gradient.0.bias, expected);
    params.0.bias[6] = f32::NAN;
    net.losses(&mut net.blank_scratch(), &params, batch, &mut losses).unwrap();
    assert!(losses[0].is_nan());
}

/// Initial weights are within sqrt(3 / (KH KW C)), sqrt(6 / (KH KW C)) before a ReLU, and fill it.
#[test]
fn initial_parameters_keep_their_bounds() {
    type Net = Fixed<chain![9 x 9 x 8 => conv2d(16, [5, 1], 1, 0, Relu), depthwise2d(3, 1, 0), dense(2)], 1>;
    let net = Mlp::new(Net::new(), Loss::CrossEntropy);
    let mut params = net.blank_params();
    params.fill(f32::NAN);
    net.initialize(&mut params, &mut Rng::new(1));
    for (i, bound, fill) in [(0, (6.0f64 / 40.0).sqrt(), 0.98), (2, (1.0f64 / 3.0).sqrt(), 0.9)] {
        let most = largest(&[wide(params.tensor(i))]);
        assert!(most <= bound * (1.0 + 1e-6) && most > fill * bound, "{most} within {bound}");
        assert!(params.tensor(i + 1).iter().all(|&b| b == 0.0));
    }
}

/// n images of 12 x 12 pixels: a stroke that lies, stands, or leans to either side, anywhere, under noise.
fn strokes(n: usize, seed: u64) -> (Vec<f32>, Vec<u8>) {
    const STEPS: [[i32; 2]; 4] = [[0, 1], [1, 0], [1, 1], [1, -1]];
    let mut rng = Rng::new(seed);
    let labels: Vec<u8> = (0..n).map(|_| rng.below(4) as u8).collect();
    let mut inputs = vec![0.0; n * 144];
    for (image, &label) in inputs.chunks_mut(144).zip(&labels) {
        image.iter_mut().for_each(|x| *x = 0.3 * rng.normal());
        let ([di, dj], at) = (STEPS[usize::from(label)], [3 + rng.below(6) as i32, 3 + rng.below(6) as i32]);
        for k in -3..=3 {
            let (i, j) = (at[0] + k * di, at[1] + k * dj);
            if (0..12).contains(&i) && (0..12).contains(&j) {
                image[(i * 12 + j) as usize] += 1.5;
            }
        }
    }
    (inputs, labels)
}

/// `auto` trains a convolution on images.
#[test]
fn a_convolution_learns_images() {
    type Net<const B: usize> = Fixed<chain![12 x 12 x 1 => conv2d(8, 3, 1, 0, Relu), average_pool2d(10), dense(4)], B>;
    let (net, guard) = (Mlp::new(Net::<16>::new(), Loss::CrossEntropy), auto());
    let ((inputs, labels), (rows, answers)) = (strokes(300, 1), strokes(300, 2));
    let (mut pick, mut used) = ([0; 16], vec![0; labels.len().div_ceil(32)]);
    let mut batches = Sampler::new(&inputs, 144, &labels, 1, &mut pick, &mut used).unwrap();
    let mut memory = Memory::<_, Auto>::blank(&net, &guard);
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    while trainer.progress().steps < 600 {
        trainer.round(&mut batches).unwrap();
    }
    let mut model = Model::blank(Mlp::new(Net::<1>::new(), Loss::CrossEntropy), trainer.params(), AsIs);
    let class = |row| model.predict(row).unwrap().class;
    let right = rows.chunks(144).map(class).zip(answers).filter(|(class, answer)| class == answer).count();
    println!("{right} of 300");
    assert!(right >= 270, "{right} of 300");
}

/// Every kind of layer has the same bits on every machine: here those that the first one had.
#[test]
fn the_bits_are_the_pinned_ones() {
    type Every = Fixed<
        chain![12 x 12 x 1 => conv2d(6, 3, 1, 1, Tanh), max_pool2d(2), depthwise2d(3, 1, 1, Relu), conv2d(9, [3, 2], 1, 0, Sigmoid), average_pool2d(2), dense(4)],
        10,
    >;
    let (net, (inputs, labels)) = (Mlp::new(Every::new(), Loss::CrossEntropy), strokes(100, 3));
    let mut descent = Descent::<Every, 1>::new();
    net.initialize(descent.params_mut(), &mut Rng::new(4));
    for (x, labels) in inputs.chunks(1440).zip(labels.chunks(10)) {
        descent.step(&net, &Momentum::new(0.05), Batch::classes(x, 144, labels)).unwrap();
    }
    assert_eq!(format!("{:016x}", bits::fingerprint(descent.params())), "39b5803a749bdd22");
}

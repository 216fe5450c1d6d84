//! Layers over a series in time: convolution, depthwise convolution and pooling. Kernels against their twins, gradients against
//! double precision, shapes, and that such a network learns.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;
use lgl2o::batch::{Batch, Rows};
use lgl2o::objective::mlp::network::{BlankNetwork, Layers, Network as _};
use lgl2o::objective::mlp::windows::Windows;
use lgl2o::objective::mlp::{
    Activation, Conv1d, Dense, Descent, Fixed, Loss, Mlp, Relu, Sigmoid, Tanh, conv1d, dense, depthwise,
};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::Momentum;
use lgl2o::source::Sampler;
use lgl2o::tensors::Tensors;
use lgl2o::{Auto, Memory, Model, Rng, Trainer, auto, chain, model::AsIs, sum};
use lgl2o_tests::bits::patterns;
use lgl2o_tests::reference::losses::{Oracle, distance, largest, wide, widen};
use lgl2o_tests::reference::series::Layer64::{
    AveragePool, Conv1d as Conv, Dense as Full, Depthwise as Deep, Gru, MaxPool,
};
use lgl2o_tests::reference::series::{Layer64, Series64};
use lgl2o_tests::{bits, cases, strategy};
use proptest::collection::vec;
use proptest::prelude::*;

/// Windows on n examples of a series, and numbers enough for everything.
#[derive(Debug, Clone)]
struct Case {
    windows: Windows,
    outputs: usize,
    n: usize,
    numbers: Vec<f32>,
    pick: Vec<u32>,
    below: Activation,
}

fn case() -> impl Strategy<Value = Case> {
    let shape = (1usize..=13, 1usize..=19, 1usize..=6, 1usize..=4, 0usize..6);
    let fits =
        shape.prop_filter("it fits", |&(time, _, kernel, _, padding)| padding < kernel && time + 2 * padding >= kernel);
    let activations = prop::sample::select(&Activation::ALL);
    (fits, 1usize..=9, 0usize..=3, vec(0u32..3, 3), activations).prop_flat_map(|(shape, outputs, n, pick, below)| {
        let (time, channels, kernel, stride, padding) = shape;
        let windows = Windows { time, channels, kernel, stride, padding };
        let most =
            [n * windows.numbers(), outputs * kernel * channels, n * windows.count() * outputs.max(channels), 19];
        vec(strategy::any_number(), most.into_iter().max().unwrap_or(0) * 2).prop_map(move |numbers| Case {
            windows,
            outputs,
            n,
            numbers,
            pick: pick[..n].to_vec(),
            below,
        })
    })
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
    #![proptest_config(cases!(400, "series"))]

    /// The kernels of a convolution have the bits of their twins, whatever the shape and the numbers.
    #[test]
    fn convolution_is_its_twin(case in case()) {
        let Case { windows: w, outputs, n, below, .. } = &case;
        let (outputs, n, taps) = (*outputs, *n, outputs * w.kernel * w.channels);
        let (weights, bias) = (case.numbers(0, taps), case.numbers(1, outputs));
        let size = (3 * w.numbers()).min(case.numbers.len() - 3);
        for inputs in [Rows::all(case.numbers(3, size), w.numbers()), Rows::picked(case.numbers(3, size), w.numbers(), &case.pick)] {
            // A row that is picked and not there is refused before.
            if (0..n).any(|s| inputs.row(s).is_empty()) {
                continue;
            }
            let size = n * w.count() * outputs;
            let [fast, plain] = case.both(
                size,
                |z| conv1d::forward(w, weights, bias, inputs, n, z),
                |z| conv1d::plain::forward(w, weights, bias, inputs, n, z),
            );
            prop_assert_eq!(&fast, &plain);
            // Both ways of the dense layer over windows that overlap, whichever this processor takes.
            let (whole, row) = (w.whole(), w.count() * outputs);
            for s in 0..n {
                let place = s * row + whole.start * outputs;
                let mut by_lanes = vec![0.0; whole.len() * outputs];
                let mut by_rows = by_lanes.clone();
                dense::by_lanes(weights, bias, w.rows(inputs.row(s)), whole.len(), &mut by_lanes);
                dense::by_rows(sum::dot2, weights, bias, w.rows(inputs.row(s)), whole.len(), &mut by_rows);
                prop_assert_eq!(&patterns(&by_lanes), &plain[place..place + by_lanes.len()]);
                prop_assert_eq!(patterns(&by_lanes), patterns(&by_rows));
            }
            let errors = case.numbers(1, size);
            let [fast, plain] = case.both(
                taps,
                |g| conv1d::weight_gradient(w, errors, inputs, n, outputs, g),
                |g| conv1d::plain::weight_gradient(w, errors, inputs, n, outputs, g),
            );
            prop_assert_eq!(fast, plain);
            let [fast, plain] = case.both(
                n * w.numbers(),
                |x| conv1d::input_error(w, weights, errors, n, outputs, *below, x),
                |x| conv1d::plain::input_error(w, weights, errors, n, outputs, *below, x),
            );
            prop_assert_eq!(fast, plain);
        }
    }

    /// So have those of a depthwise convolution.
    #[test]
    fn depthwise_convolution_is_its_twin(case in case()) {
        let Case { windows: w, n, below, .. } = &case;
        let (n, taps, size) = (*n, w.kernel * w.channels, n * w.count() * w.channels);
        let (weights, bias, errors) = (case.numbers(0, taps), case.numbers(1, w.channels), case.numbers(1, size));
        let inputs = Rows::all(case.numbers(3, n * w.numbers()), w.numbers());
        let [fast, plain] = case.both(
            size,
            |z| depthwise::forward(w, weights, bias, inputs, n, z),
            |z| depthwise::plain::forward(w, weights, bias, inputs, n, z),
        );
        prop_assert_eq!(fast, plain);
        let [fast, plain] = case.both(
            taps,
            |g| depthwise::weight_gradient(w, errors, inputs, n, g),
            |g| depthwise::plain::weight_gradient(w, errors, inputs, n, g),
        );
        prop_assert_eq!(fast, plain);
        let [fast, plain] = case.both(
            n * w.numbers(),
            |x| depthwise::input_error(w, weights, errors, n, *below, x),
            |x| depthwise::plain::input_error(w, weights, errors, n, *below, x),
        );
        prop_assert_eq!(fast, plain);
    }
}

/// Single-precision rounding allowed, in units of 2^-24 relative to numbers of order 1: sums of at most 60 terms in up to five
/// layers, there and back.
const TOLERANCE: f64 = 256.0 / 16_777_216.0;

/// Losses and gradients of a network of types are those of its layers in double precision.
fn assert_gradient<N: BlankNetwork + Default>(shape: [usize; 2], layers: &[Layer64], spoil: f64) {
    let mut rng = Rng::new(7);
    let net = Mlp::new(N::default(), Loss::CrossEntropy);
    let (width, outputs) = (shape[0] * shape[1], net.network().layer(usize::MAX).outputs);
    for n in (1..=net.network().capacity()).cycle().take(6) {
        let (params, inputs, oracle) = loop {
            let mut params = net.blank_params();
            net.initialize(&mut params, &mut rng);
            (0..params.count()).for_each(|i| params.tensor_mut(i).iter_mut().for_each(|w| *w += rng.range(-0.1, 0.1)));
            let inputs: Vec<f32> = (0..n * width).map(|_| rng.range(-1.0, 1.0)).collect();
            let labels = (0..n).map(|_| rng.below(outputs as u32) as u8).collect();
            let rows = inputs.chunks(width).map(wide).collect();
            let oracle = Series64 { shape, layers: layers.to_vec(), inputs: rows, labels };
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

type Short = Fixed<chain![11 x 3 => conv1d(4, 3, 2, 1, Tanh), dense(3)], 3>;
type Pooled = Fixed<
    chain![20 x 2 => conv1d(9, 5, 1, 2, Relu), max_pool(3), conv1d(5, 3, 1, 0, Sigmoid), average_pool(2), dense(4)],
    3,
>;
type Separable = Fixed<chain![9 x 18 => depthwise(3, 1, 1, Tanh), conv1d(2, 1, 1, 0), dense(5, Tanh), dense(3)], 3>;
type Strided = Fixed<chain![12 x 2 => max_pool(2), depthwise(2, 3, 0, Relu), conv1d(3, 2, 4, 1)], 3>;
type Recurrent = Fixed<chain![7 x 3 => conv1d(4, 2, 1, 0, Tanh), gru(5), dense(3)], 3>;
type Twice =
    Fixed<chain![Dense<2, 9, Tanh>, lgl2o::objective::mlp::Gru<3, 3, 4>, lgl2o::objective::mlp::Gru<2, 2, 3>], 3>;
type Folded = Fixed<chain![Dense<5, 12, Tanh>, Conv1d<6, 2, 6, 3, 3, 1, 1, Sigmoid>, Dense<18, 2>], 3>;

#[test]
fn gradients_are_the_derivatives_of_their_losses() {
    use Activation::{Identity, Relu, Sigmoid, Tanh};
    assert_gradient::<Short>([11, 3], &[Conv(4, [3, 2, 1], Tanh), Full(3, Identity)], 0.0);
    let pooled = [Conv(9, [5, 1, 2], Relu), MaxPool(3), Conv(5, [3, 1, 0], Sigmoid), AveragePool(2), Full(4, Identity)];
    assert_gradient::<Pooled>([20, 2], &pooled, 0.0);
    let separable = [Deep([3, 1, 1], Tanh), Conv(2, [1, 1, 0], Identity), Full(5, Tanh), Full(3, Identity)];
    assert_gradient::<Separable>([9, 18], &separable, 0.0);
    let strided = [MaxPool(2), Deep([2, 3, 0], Relu), Conv(3, [2, 4, 1], Identity)];
    assert_gradient::<Strided>([12, 2], &strided, 0.0);
    let recurrent = [Conv(4, [2, 1, 0], Tanh), Gru(5), Full(3, Identity)];
    assert_gradient::<Recurrent>([7, 3], &recurrent, 0.0);
    assert_gradient::<Twice>([1, 2], &[Full(9, Tanh), Layer64::Fold(3), Gru(4), FOLD, Gru(3)], 0.0);
    let folded = [Full(12, Tanh), FOLD, Conv(3, [3, 1, 1], Sigmoid), Full(2, Identity)];
    assert_gradient::<Folded>([1, 5], &folded, 0.0);
}

/// Twelve numbers are six times of two channels.
const FOLD: Layer64 = Layer64::Fold(2);

#[test]
#[should_panic(expected = "the gradient is off")]
fn a_gradient_that_is_slightly_wrong_is_noticed() {
    use Activation::{Identity, Tanh};
    assert_gradient::<Short>([11, 3], &[Conv(4, [3, 2, 1], Tanh), Full(3, Identity)], 1e-3);
}

/// The formulas by hand, on one channel.
#[test]
fn convolution_by_hand() {
    let mut net = Mlp::new(Fixed::<chain![4 x 1 => conv1d(1, 3, 1, 1)], 1>::new(), Loss::SquaredError).blank_params();
    net.weights = [[[1.0], [10.0], [100.0]]];
    net.bias = [0.5];
    let mut model =
        Model::new(Mlp::new(Fixed::<chain![4 x 1 => conv1d(1, 3, 1, 1)], 1>::new(), Loss::SquaredError), net, AsIs);
    assert_eq!(model.values(&[1.0, 2.0, 3.0, 4.0]).unwrap(), [210.5, 321.5, 432.5, 43.5]);
}

/// The largest, the first of several; a NaN is not lost; what is left at the end is dropped and has no error.
#[test]
fn pooling_by_hand() {
    type Net = Fixed<chain![Dense<1, 10>, lgl2o::objective::mlp::MaxPool1d<5, 2, 2, 2>], 1>;
    let net = Mlp::new(Net::new(), Loss::SquaredError);
    let mut params = net.blank_params();
    // The outputs of the dense layer are its biases: five times of two channels.
    params.0.bias = [3.0, 1.0, 3.0, 2.0, -1.0, 5.0, -2.0, 4.0, 9.0, 9.0];
    let (mut losses, mut gradient) = (net.blank_losses(), net.blank_params());
    let batch = Batch::values(&[1.0], 1, &[0.0; 4], 4);
    net.gradient(&mut net.blank_scratch(), &params, batch, &mut losses, &mut gradient).unwrap();
    assert_eq!(losses, [(9.0 + 4.0 + 1.0 + 25.0) / 4.0]);
    assert_eq!(gradient.0.bias, [1.5, 0.0, 0.0, 1.0, -0.5, 2.5, 0.0, 0.0, 0.0, 0.0]);
    params.0.bias[2] = f32::NAN;
    net.losses(&mut net.blank_scratch(), &params, batch, &mut losses).unwrap();
    assert!(losses[0].is_nan());
}

/// Initial weights are within sqrt(3 / (K C)), sqrt(6 / (K C)) before a ReLU, and fill it.
#[test]
fn initial_parameters_keep_their_bounds() {
    let net = Mlp::new(
        Fixed::<chain![9 x 8 => conv1d(16, 5, 1, 0, Relu), depthwise(3, 1, 0), dense(2)], 1>::new(),
        Loss::CrossEntropy,
    );
    let mut params = net.blank_params();
    params.fill(f32::NAN);
    net.initialize(&mut params, &mut Rng::new(1));
    for (i, bound, fill) in [(0, (6.0f64 / 40.0).sqrt(), 0.98), (2, 1.0, 0.9), (4, (3.0f64 / 48.0).sqrt(), 0.9)] {
        let most = largest(&[wide(params.tensor(i))]);
        assert!(most <= bound * (1.0 + 1e-6) && most > fill * bound, "{most} within {bound}");
        assert!(params.tensor(i + 1).iter().all(|&b| b == 0.0));
    }
}

/// n windows of 40 samples of two axes: one of three frequencies, at any phase, under noise.
fn waves(n: usize, seed: u64) -> (Vec<f32>, Vec<u8>) {
    let mut rng = Rng::new(seed);
    let labels: Vec<u8> = (0..n).map(|_| rng.below(3) as u8).collect();
    let mut inputs = Vec::new();
    for &label in &labels {
        let (pace, phase) = ([0.45, 0.8, 1.3][usize::from(label)], rng.range(0.0, std::f32::consts::TAU));
        for t in 0..40 {
            let angle = pace * t as f32 + phase;
            inputs.extend([angle.sin() + 0.4 * rng.normal(), angle.cos() + 0.4 * rng.normal()]);
        }
    }
    (inputs, labels)
}

/// How many of the second examples a network is right about that `auto` has trained on the first.
fn right<L: Layers>(
    steps: u64,
    (inputs, labels): &(Vec<f32>, Vec<u8>),
    (rows, answers): &(Vec<f32>, Vec<u8>),
) -> usize {
    let (net, guard) = (Mlp::new(Fixed::<L, 16>::new(), Loss::CrossEntropy), auto());
    let width = net.network().layer(0).inputs;
    let (mut pick, mut used) = ([0; 16], vec![0; labels.len().div_ceil(32)]);
    let mut batches = Sampler::new(inputs, width, labels, 1, &mut pick, &mut used).unwrap();
    let mut memory = Memory::<_, Auto>::blank(&net, &guard);
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    while trainer.progress().steps < steps {
        trainer.round(&mut batches).unwrap();
    }
    let mut model = Model::blank(Mlp::new(Fixed::<L, 1>::new(), Loss::CrossEntropy), trainer.params(), AsIs);
    let class = |row| model.predict(row).unwrap().class;
    let right = rows.chunks(width).map(class).zip(answers).filter(|(class, answer)| class == *answer).count();
    println!("{right} of {}", answers.len());
    right
}

/// `auto` trains a convolution on windows.
#[test]
fn a_convolution_learns_windows() {
    let right = right::<chain![40 x 2 => conv1d(8, 7, 2, 0, Relu), average_pool(17), dense(3)]>(
        600,
        &waves(150, 1),
        &waves(300, 2),
    );
    assert!(right >= 285, "{right} of 300");
}

/// Japanese vowels: 8 times of 12 coefficients, nine speakers. Where the data are not at hand, nothing is tested.
#[test]
fn a_convolution_learns_speakers() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/tiny/japanesevowels");
    let read = |name: &str, header: usize| {
        let mut bytes = Vec::new();
        GzDecoder::new(File::open(folder.join(name)).ok()?).read_to_end(&mut bytes).expect("whole data");
        Some(bytes.split_off(header))
    };
    let part = |name: &str| {
        let inputs = read(&format!("{name}-images-idx3-ubyte.gz"), 16)?;
        let scaled = inputs.into_iter().map(|x| (f32::from(x) - 127.5) / 64.0).collect();
        Some((scaled, read(&format!("{name}-labels-idx1-ubyte.gz"), 8)?))
    };
    let (Some(train), Some(test)) = (part("train"), part("t10k")) else { return println!("no {}", folder.display()) };
    let right = right::<chain![8 x 12 => conv1d(16, 3, 1, 1, Relu), max_pool(2), dense(9)]>(1000, &train, &test);
    assert!(right >= 144, "{right} of {}", test.1.len());
}

/// Every kind of layer has the same bits on every machine: here those that the first one had.
#[test]
fn the_bits_are_the_pinned_ones() {
    type Every = Fixed<
        chain![40 x 2 => conv1d(6, 5, 2, 1, Tanh), max_pool(2), depthwise(3, 1, 1, Relu), conv1d(4, 3, 1, 0, Sigmoid), average_pool(3), gru(5), dense(3)],
        10,
    >;
    let (net, (inputs, labels)) = (Mlp::new(Every::new(), Loss::CrossEntropy), waves(100, 3));
    let mut descent = Descent::<Every, 1>::new();
    net.initialize(descent.params_mut(), &mut Rng::new(4));
    for _ in 0..5 {
        for (x, labels) in inputs.chunks(800).zip(labels.chunks(10)) {
            descent.step(&net, &Momentum::new(0.05), Batch::classes(x, 80, labels)).unwrap();
        }
    }
    assert_eq!(format!("{:016x}", bits::fingerprint(descent.params())), "4ca1c21b6d341d21");
}

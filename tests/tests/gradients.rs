//! Losses and gradients of every objective against double precision.
//!
//! The oracle states the losses anew in f64 and takes their gradients by central differences, so it shares neither code
//! nor the idea of backpropagation with the crate. Also: a network whose shape is a value gives the bits of the network
//! whose shape is a type.

use lgl2o::batch::Batch;
use lgl2o::objective::mlp::{Activation, Dense, Fixed, Identity, Loss, Mlp, Network, Relu, Shape, Sigmoid, Tanh};
use lgl2o::objective::{Blank, Logistic, Quadratic};
use lgl2o::tensors::Tensors;
use lgl2o::{Rng, chain};
use lgl2o_host::network::{HeapNetwork, HeapTensors};
use lgl2o_tests::reference::losses::{
    Logistic64, Mlp64, Oracle, Params64, Quadratic64, Targets64, distance, largest, wide, widen,
};
use lgl2o_tests::{bits, cases, strategy};
use proptest::prelude::*;

/// Single-precision rounding allowed: 64 units of 2^-24, relative to the size of the numbers that come in (order 1
/// for networks) plus the largest number compared.
///
/// A number of a gradient has passed through at most six sums (three layers, there and back) of at most 13 terms, and
/// as many activations. At half a unit each, if all errors had one sign, that is 6 (13 + 2) / 2 = 45 units; the worst
/// seen is 6. The oracle's own error is 1e-10, a hundredth of a unit.
const TOLERANCE: f64 = 64.0 / 16_777_216.0;

/// How many activations there are.
const A: usize = Activation::ALL.len();
/// Widths on both sides of the multiples of four and eight.
const WIDTHS: [usize; 10] = [1, 2, 3, 5, 6, 7, 9, 10, 11, 13];

/// Every loss, for a network of so many outputs.
fn losses(outputs: usize) -> [Loss; 4] {
    const WEIGHTS: [f32; 13] = [0.5, 2.0, 1.0, 0.25, 3.0, 1.0, 0.0, 1.5, 0.75, 1.0, 4.0, 0.1, 1.25];
    let weights = if outputs.is_multiple_of(2) { &[] } else { &WEIGHTS[..outputs] };
    let soft = Loss::SoftCrossEntropy { smoothing: 0.1 * (outputs % 5) as f32, weights };
    [Loss::CrossEntropy, Loss::SquaredError, soft, Loss::Huber { delta: 0.5 }]
}

fn numbers(rng: &mut Rng, n: usize) -> Vec<f32> {
    (0..n).map(|_| rng.range(-1.0, 1.0)).collect()
}

fn rows(data: &[f32], width: usize) -> Vec<Vec<f64>> {
    data.chunks(width).map(wide).collect()
}

/// Copies all numbers of one value into another of the same lengths but maybe another type.
fn copy<A: Tensors, B: Tensors>(from: &A, to: &mut B) {
    assert_eq!(from.count(), to.count());
    for i in 0..from.count() {
        to.tensor_mut(i).copy_from_slice(from.tensor(i));
    }
}

/// A network of random widths.
fn shape(rng: &mut Rng, depth: usize, hidden: Activation, top: Activation, capacity: usize) -> HeapNetwork {
    let mut width = || WIDTHS[rng.below(WIDTHS.len() as u32) as usize];
    let widths: Vec<usize> = (0..=depth).map(|_| width()).collect();
    let activation = |l| if l + 1 == depth { top } else { hidden };
    let layer = |l: usize| Shape { inputs: widths[l], outputs: widths[l + 1], activation: activation(l) };
    HeapNetwork::from_layers((0..depth).map(layer).collect(), capacity)
}

fn random_params(rng: &mut Rng, shape: &HeapNetwork) -> HeapTensors {
    let mut params = Mlp::new(shape.clone(), Loss::SquaredError).blank_params();
    for i in 0..params.count() {
        let n = params.tensor(i).len();
        params.tensor_mut(i).copy_from_slice(&numbers(rng, n));
    }
    params
}

/// Inputs, labels or target values, and the rows that are picked.
struct Examples {
    inputs: Vec<f32>,
    width: usize,
    labels: Vec<u8>,
    values: Vec<f32>,
    outputs: usize,
    pick: Option<Vec<u32>>,
}

impl Examples {
    fn random(rng: &mut Rng, shape: &HeapNetwork, n: usize, picked: bool) -> Self {
        let (width, outputs) = (shape.layers()[0].inputs, shape.layer(usize::MAX).outputs);
        let labels = (0..n).map(|_| rng.below(outputs as u32) as u8).collect();
        let (inputs, values) = (numbers(rng, n * width), numbers(rng, n * outputs));
        // With replacement: some rows twice, some not at all.
        let pick = picked.then(|| (0..n).map(|_| rng.below(n as u32)).collect());
        Self { inputs, width, labels, values, outputs, pick }
    }

    fn batch(&self, loss: Loss) -> Batch<'_> {
        match (loss.has_classes(), &self.pick) {
            (false, _) => Batch::values(&self.inputs, self.width, &self.values, self.outputs),
            (true, None) => Batch::classes(&self.inputs, self.width, &self.labels),
            (true, Some(pick)) => Batch::picked_classes(&self.inputs, self.width, &self.labels, pick),
        }
    }

    fn oracle(&self, layers: &[Shape], loss: Loss) -> Mlp64 {
        let (all, n) = (rows(&self.inputs, self.width), self.labels.len() as u32);
        let pick = match &self.pick {
            Some(pick) if loss.has_classes() => pick.clone(),
            _ => (0..n).collect(),
        };
        let labels = || pick.iter().map(|&i| self.labels[i as usize]).collect();
        let targets = match loss {
            Loss::CrossEntropy => Targets64::Classes(labels()),
            Loss::SoftCrossEntropy { smoothing, weights } => {
                let weights = if weights.is_empty() { vec![1.0; self.outputs] } else { wide(weights) };
                Targets64::Soft(labels(), f64::from(smoothing), weights)
            }
            Loss::Huber { delta } => Targets64::Huber(rows(&self.values, self.outputs), f64::from(delta)),
            Loss::SquaredError => Targets64::Values(rows(&self.values, self.outputs)),
        };
        let inputs = pick.iter().map(|&i| all[i as usize].clone()).collect();
        Mlp64 { layers: layers.to_vec(), inputs, targets }
    }
}

/// Losses and gradient of an objective in single precision, from memory that is full of junk.
fn evaluate<O: Blank>(objective: &O, params: &O::Params, batch: O::Batch<'_>) -> (Vec<f32>, O::Params) {
    let (mut scratch, mut losses) = (objective.blank_scratch(), objective.blank_losses());
    losses.as_mut().fill(f32::NAN);
    let mut gradient = objective.blank_params();
    gradient.fill(f32::NAN);
    let n = objective.gradient(&mut scratch, params, batch, &mut losses, &mut gradient).unwrap();
    let mut alone = objective.blank_losses();
    assert_eq!(objective.losses(&mut scratch, params, batch, &mut alone), Ok(n));
    assert_eq!(bits::patterns(&alone.as_ref()[..n]), bits::patterns(&losses.as_ref()[..n]), "one loss, two ways");
    (losses.as_ref()[..n].to_vec(), gradient)
}

/// Asserts that single precision is as close to the oracle as its rounding allows, for losses and gradients made from
/// numbers of the size `scale`.
fn assert_close(
    what: &str,
    scale: f64,
    (losses, gradient): &(Vec<f32>, Params64),
    oracle: &impl Oracle,
    params: &Params64,
) {
    let expected = vec![oracle.losses(params)];
    let error = distance(&[wide(losses)], &expected);
    assert!(error <= TOLERANCE * (scale + largest(&expected)), "{what}: losses are off by {error:e}");
    let expected = oracle.gradient(params);
    let error = distance(gradient, &expected);
    assert!(error <= TOLERANCE * (scale + largest(&expected)), "{what}: the gradient is off by {error:e}");
}

/// Backpropagation is the derivative of the loss (Rumelhart, Hinton, Williams 1986): for 1 to 3 layers, every
/// activation below and at the top, all losses, batches of 1 to 9, whole and picked with repetition.
#[test]
fn a_perceptron_gives_the_derivative_of_its_loss() {
    let mut rng = Rng::new(11);
    for case in 0..3 * A * A * 4 * 9 {
        let (depth, rest) = (case % 3 + 1, case / 3);
        let (hidden, top) = (Activation::ALL[rest % A], Activation::ALL[rest / A % A]);
        let n = rest / (4 * A * A) + 1;
        let (shape, params, examples, loss) = loop {
            let shape = shape(&mut rng, depth, hidden, top, n);
            let params = random_params(&mut rng, &shape);
            let examples = Examples::random(&mut rng, &shape, n, case % 2 == 0);
            let loss = losses(examples.outputs)[rest / (A * A) % 4];
            // At the kink of a ReLU there is no derivative, and near it a difference quotient is none.
            if examples.oracle(shape.layers(), loss).kink(&widen(&params)) > 1e-3 {
                break (shape, params, examples, loss);
            }
        };
        let (losses, gradient) = evaluate(&Mlp::new(shape.clone(), loss), &params, examples.batch(loss));
        let (what, oracle) = (format!("{loss:?}, {shape:?}"), examples.oracle(shape.layers(), loss));
        assert_close(&what, 1.0, &(losses, widen(&gradient)), &oracle, &widen(&params));
    }
}

/// The comparison above can fail: one part in a thousand of one number of a gradient is seen.
#[test]
#[should_panic(expected = "the gradient is off")]
fn a_gradient_that_is_slightly_wrong_is_noticed() {
    let mut rng = Rng::new(12);
    let shape = shape(&mut rng, 2, Activation::Tanh, Activation::Identity, 5);
    let (params, loss) = (random_params(&mut rng, &shape), Loss::SquaredError);
    let examples = Examples::random(&mut rng, &shape, 5, false);
    let (losses, gradient) = evaluate(&Mlp::new(shape.clone(), loss), &params, examples.batch(loss));
    let mut gradient = widen(&gradient);
    let last = gradient.len() - 1;
    gradient[last][0] += 1e-3 * largest(&gradient);
    assert_close("spoiled", 1.0, &(losses, gradient), &examples.oracle(shape.layers(), loss), &widen(&params));
}

/// `Mlp::outputs` gives the outputs that the losses are made of.
#[test]
fn outputs_agree_with_double_precision() {
    let mut rng = Rng::new(13);
    for n in 1..=9 {
        let shape = shape(&mut rng, 3, Activation::Sigmoid, Activation::Tanh, 9);
        let (params, loss) = (random_params(&mut rng, &shape), Loss::SquaredError);
        let examples = Examples::random(&mut rng, &shape, n, false);
        let (mlp, batch) = (Mlp::new(shape.clone(), loss), examples.batch(loss));
        let mut scratch = mlp.blank_scratch();
        let outputs = mlp.outputs(&mut scratch, &params, batch.inputs).unwrap();
        let expected = examples.oracle(shape.layers(), loss).outputs(&widen(&params)).concat();
        assert!(distance(&[wide(outputs)], &[expected]) < TOLERANCE);
    }
}

/// Asserts that a network of types and one of values have the same losses and gradients, bit for bit.
fn assert_same_bits<N>(fixed: N, seed: u64)
where
    N: lgl2o::objective::mlp::network::BlankNetwork + Copy,
{
    let mut rng = Rng::new(seed);
    let layers = (0..fixed.depth()).map(|l| fixed.layer(l)).collect();
    let shape = HeapNetwork::from_layers(layers, fixed.capacity() + 3);
    let params = random_params(&mut rng, &shape);
    let mut twin = Mlp::new(fixed, Loss::SquaredError).blank_params();
    copy(&params, &mut twin);
    for n in 1..=fixed.capacity() {
        for loss in losses(fixed.layer(usize::MAX).outputs) {
            let examples = Examples::random(&mut rng, &shape, n, n % 2 == 1);
            let (losses, gradient) = evaluate(&Mlp::new(shape.clone(), loss), &params, examples.batch(loss));
            let (twins, twin_gradient) = evaluate(&Mlp::new(fixed, loss), &twin, examples.batch(loss));
            assert_eq!(bits::patterns(&losses), bits::patterns(&twins), "{loss:?}, {n} examples");
            assert_eq!(bits::of(&gradient), bits::of(&twin_gradient), "{loss:?}, {n} examples");
        }
    }
}

/// Shapes as types and shapes as values are the same function, bit for bit, whatever the memory looks like.
#[test]
fn a_shape_of_types_and_a_shape_of_values_give_the_same_bits() {
    assert_same_bits(Fixed::<Dense<5, 3>, 9>::new(), 1);
    assert_same_bits(Fixed::<chain![Dense<7, 9, Relu>, Dense<9, 4, Identity>], 9>::new(), 2);
    assert_same_bits(Fixed::<chain![Dense<2, 33, Sigmoid>, Dense<33, 10, Tanh>], 6>::new(), 3);
    assert_same_bits(Fixed::<chain![Dense<8, 16, Tanh>, Dense<16, 1, Relu>, Dense<1, 3>], 8>::new(), 4);
    assert_same_bits(Fixed::<((Dense<3, 5, Tanh>, Dense<5, 6, Relu>), Dense<6, 2, Sigmoid>), 5>::new(), 5);
}

/// Initial weights are within LeCun's bound sqrt(3 / in), He's sqrt(6 / in) before a ReLU, and fill it; initial biases
/// are zero.
#[test]
fn initial_parameters_keep_their_bounds() {
    let mlp = Mlp::new(Fixed::<chain![Dense<20, 30, Relu>, Dense<30, 20, Tanh>], 1>::new(), Loss::CrossEntropy);
    let mut params = mlp.blank_params();
    params.fill(f32::NAN);
    mlp.initialize(&mut params, &mut Rng::new(1));
    for (i, bound) in [(0, (6.0f64 / 20.0).sqrt()), (2, (3.0f64 / 30.0).sqrt())] {
        let most = largest(&[wide(params.tensor(i))]);
        assert!(most <= bound * (1.0 + 1e-6) && most > 0.98 * bound, "{most} within {bound}");
        assert!(params.tensor(i + 1).iter().all(|&b| b == 0.0));
    }
}

proptest! {
    #![proptest_config(cases!(200, "gradients"))]

    /// F(w, b) = mean ln(1 + exp(-y (w.x + b))) + l2/2 (|w|^2 + b^2) and its derivative (Nesterov 2018, section 2.1).
    #[test]
    fn logistic_regression_gives_the_derivative_of_its_loss(
        seed: u64,
        n in 1usize..=9,
        l2 in 0.0f32..1.0,
        scale in 0.1f32..6.0,
    ) {
        let mut rng = Rng::new(seed);
        let inputs: Vec<f32> = numbers(&mut rng, 5 * n);
        let labels: Vec<u8> = (0..n).map(|_| rng.below(2) as u8).collect();
        let w: [f32; 5] = core::array::from_fn(|_| rng.range(-scale, scale));
        let params = (w, [rng.range(-scale, scale)]);
        let objective = Logistic::<5, 9>::new(l2).unwrap();
        let (losses, gradient) = evaluate(&objective, &params, Batch::classes(&inputs, 5, &labels));
        let oracle = Logistic64 { l2: f64::from(l2), inputs: rows(&inputs, 5), labels };
        assert_close("logistic", 1.0, &(losses, widen(&gradient)), &oracle, &widen(&params));
    }

    /// F(w) = 1/2 sum h_i z_i^2 with z = Q (w - w*), Q a Householder reflection, and its derivative Q (h z).
    #[test]
    fn a_quadratic_gives_the_derivative_of_its_loss(
        h in prop::array::uniform11(0.01f32..10.0),
        best in prop::array::uniform11(strategy::number()),
        normal in prop::array::uniform11(strategy::number()),
        w in prop::array::uniform11(strategy::number()),
    ) {
        let objective = Quadratic::new(h, best).unwrap().reflected(normal).unwrap();
        let (losses, gradient) = evaluate(&objective, &w, ());
        let oracle = Quadratic64 { spectrum: wide(&h), minimiser: wide(&best), normal: wide(&normal) };
        // h z is made from numbers up to L (|w| + |w*|), h z^2 from that times |w| + |w*|.
        let reach = largest(&[wide(&w)]) + largest(&[wide(&best)]);
        let scale = f64::from(objective.smoothness()) * reach * (1.0 + reach);
        assert_close("quadratic", scale, &(losses, widen(&gradient)), &oracle, &widen(&w));
        prop_assert!(distance(&[oracle.slope(&wide(&w))], &widen(&gradient)) <= TOLERANCE * scale);
    }
}

//! Training without memory for a gradient is training with one, bit for bit, and refuses what it cannot do before it moves
//! anything.

use core::mem::size_of;

use lgl2o::batch::Batch;
use lgl2o::objective::mlp::frozen::Weights;
use lgl2o::objective::mlp::network::BlankNetwork;
use lgl2o::objective::mlp::{Dense, DenseParams, Descent, Fixed, Frozen, Loss, Mlp, Relu, Sigmoid, Tanh};
use lgl2o::objective::{Blank, Objective};
use lgl2o::tensors::Tensors;
use lgl2o::{Error, Rng, chain};
use lgl2o_tests::every_rule::*;
use lgl2o_tests::{bits, every_rule};

/// One layer; a narrow chain; and one whose first layer is wider than a block of the gradient.
type Flat = Fixed<Dense<5, 3>, 9>;
type Narrow = Fixed<chain![Dense<2, 9, Tanh>, Dense<9, 6, Relu>, Dense<6, 3>], 7>;
type Wide = Fixed<chain![Dense<131, 10, Sigmoid>, Dense<10, 7, Tanh>], 6>;

/// Convolutions at the bottom and above, with pooling between, and a recurrent layer; and a frozen layer between two that are trained.
type Series = Fixed<
    chain![13 x 3 => conv1d(9, 4, 2, 1, Tanh), max_pool(2), conv1d(5, 3, 1, 1, Sigmoid), depthwise(2, 1, 0), gru(6), dense(3)],
    5,
>;
/// The same over an image.
type Pictures = Fixed<
    chain![6 x 7 x 2 => conv2d(9, 3, 2, 1, Tanh), max_pool2d([1, 2]), conv2d(4, [2, 1], 1, 0, Sigmoid), depthwise2d([1, 2], 1, 0), dense(3)],
    5,
>;
type Pinned = Fixed<chain![Dense<4, 12, Tanh>, Frozen<Dense<12, 6, Tanh>, Still>, Dense<6, 3>], 5>;
struct Still;
static STILL: DenseParams<12, 6> = DenseParams { weights: [[0.25; 12]; 6], bias: [0.1; 6] };
impl Weights<DenseParams<12, 6>> for Still {
    fn weights() -> &'static DenseParams<12, 6> {
        &STILL
    }
}

/// Inputs, labels and values of n examples.
struct Examples {
    inputs: Vec<f32>,
    labels: Vec<u8>,
    values: Vec<f32>,
    widths: [usize; 2],
}

impl Examples {
    fn random(rng: &mut Rng, n: usize, widths @ [inputs, outputs]: [usize; 2]) -> Self {
        Self {
            inputs: (0..n * inputs).map(|_| rng.range(-1.0, 1.0)).collect(),
            labels: (0..n).map(|_| rng.below(outputs as u32) as u8).collect(),
            values: (0..n * outputs).map(|_| rng.range(-1.0, 1.0)).collect(),
            widths,
        }
    }

    fn batch(&self, loss: Loss) -> Batch<'_> {
        let [inputs, outputs] = self.widths;
        if loss.has_classes() {
            Batch::classes(&self.inputs, inputs, &self.labels)
        } else {
            Batch::values(&self.inputs, inputs, &self.values, outputs)
        }
    }
}

/// Both ways, for three batches of every size that fits and every loss.
fn assert_same<N, R, const K: usize>(rule: &R)
where
    N: BlankNetwork + Default,
    N::Params: Clone,
    R: Coordinatewise<K> + Rule<State<N::Params> = State<N::Params, K>>,
{
    let soft = Loss::SoftCrossEntropy { smoothing: 0.1, weights: &[] };
    for loss in [Loss::CrossEntropy, Loss::SquaredError, soft, Loss::Huber { delta: 0.3 }] {
        let net = Mlp::new(N::default(), loss);
        let shape = net.network();
        let widths = [shape.layer(0).inputs, shape.layer(shape.depth() - 1).outputs];
        let mut descent = Descent::<N, K>::blank(&net);
        net.initialize(descent.params_mut(), &mut Rng::new(1));
        let (mut params, mut state) = (descent.params().clone(), rule.state(descent.params()));
        let (mut scratch, mut losses, mut gradient) = (net.blank_scratch(), net.blank_losses(), net.blank_params());
        let mut rng = Rng::new(2);
        for n in (1..=shape.capacity()).chain((1..=shape.capacity()).rev()).chain([3]) {
            let examples = Examples::random(&mut rng, n, widths);
            let batch = examples.batch(loss);
            net.gradient(&mut scratch, &params, batch, &mut losses, &mut gradient).unwrap();
            let mean = lgl2o::sum::sum(&losses.as_ref()[..n]) / n as f32;
            rule.step(&mut state, &mut params, &gradient, mean, &mut NoProbe);
            let told = descent.step(&net, rule, batch).unwrap();
            assert_eq!(told.to_bits(), mean.to_bits(), "{loss:?}, {n} examples");
            assert_eq!(bits::of(descent.params()), bits::of(&params), "{loss:?}, {n} examples");
            let slots = |state: &State<N::Params, K>| state.slots.each_ref().map(bits::of);
            assert_eq!(slots(descent.state()), slots(&state), "{loss:?}, {n} examples");
            assert_eq!(descent.state().steps, state.steps);
        }
        assert!(params.is_finite() && state.is_finite());
    }
}

/// All coordinatewise rules on all networks.
macro_rules! assert_same_everywhere {
    (coordinatewise { $($plain:tt)+ } packed { $($packed:tt)+ } $($others:tt)*) => {
        assert_same_everywhere! { $($plain)+ $($packed)+ }
    };
    ($($rule:expr => $($($field:ident).+ in $bad:expr),+;)+) => {
        $(
            let rule = $rule;
            assert_same::<Flat, _, _>(&rule);
            assert_same::<Narrow, _, _>(&rule);
            assert_same::<Wide, _, _>(&rule);
            assert_same::<Series, _, _>(&rule);
            assert_same::<Pictures, _, _>(&rule);
            assert_same::<Pinned, _, _>(&rule);
        )+
    };
}

/// `Descent` has the bits of `Objective::gradient` and `Rule::step`, for every rule that moves number by number: losses,
/// parameters, accumulators.
#[test]
fn every_rule_moves_as_with_a_whole_gradient() {
    every_rule!(assert_same_everywhere);
}

/// A batch that is wrong, or whose loss or errors are not finite, is refused before anything has moved.
#[test]
fn what_is_refused_moves_nothing() {
    let net = Mlp::new(Narrow::new(), Loss::SquaredError);
    let mut descent = Descent::<Narrow, 1>::new();
    net.initialize(descent.params_mut(), &mut Rng::new(1));
    let rule = Momentum::new(0.1);
    let good = Examples::random(&mut Rng::new(2), 7, [2, 3]);
    descent.step(&net, &rule, good.batch(Loss::SquaredError)).unwrap();
    let before = (bits::of(descent.params()), bits::of(&descent.state().slots[0]), descent.state().steps);
    let mut refused = |examples: &Examples, error: Option<Error>| {
        let result = descent.step(&net, &rule, examples.batch(Loss::SquaredError));
        assert_eq!(result, Err(error.unwrap_or(Error::NonFiniteGradient)));
        let after = (bits::of(descent.params()), bits::of(&descent.state().slots[0]), descent.state().steps);
        assert_eq!(after, before);
    };
    let many = Examples::random(&mut Rng::new(2), 8, [2, 3]);
    refused(&many, Some(Error::BatchTooLarge { examples: 8, capacity: 7 }));
    for bad in [f32::NAN, f32::INFINITY] {
        let mut examples = Examples::random(&mut Rng::new(2), 7, [2, 3]);
        examples.inputs[0] = bad;
        refused(&examples, None);
    }
    // A loss that overflows.
    let mut far = Examples::random(&mut Rng::new(2), 7, [2, 3]);
    far.values[4] = 1e30;
    refused(&far, None);
}

/// A gradient that overflows behind a loss that does not: 1e38 x 1e-38 is a modest output, 1e38 x 1e3 no gradient.
#[test]
fn a_gradient_that_overflows_is_refused() {
    let net = Mlp::new(Flat::new(), Loss::SquaredError);
    let mut descent = Descent::<Flat, 0>::new();
    descent.params_mut().fill(1e-38);
    let mut wild = Examples::random(&mut Rng::new(2), 9, [5, 3]);
    wild.inputs.fill(1e38);
    wild.values.fill(1e3);
    assert_eq!(descent.step(&net, &Sgd::new(0.1), wild.batch(Loss::SquaredError)), Err(Error::NonFiniteGradient));
    assert_eq!((descent.params().tensor(0)[7], descent.state().steps), (1e-38, 0));
}

/// Errors that overflow on their way down, behind a loss and a last gradient that do not: 1e10 through a weight of 1e30.
#[test]
fn errors_that_overflow_below_are_refused() {
    let net = Mlp::new(Fixed::<chain![Dense<2, 9, Tanh>, Dense<9, 3>], 7>::new(), Loss::SquaredError);
    let mut descent = Descent::<_, 1>::blank(&net);
    descent.params_mut().tensor_mut(2).fill(1e30);
    let mut far = Examples::random(&mut Rng::new(2), 7, [2, 3]);
    far.values.fill(1e10);
    let before = bits::of(descent.params());
    let result = descent.step(&net, &Momentum::new(0.1), far.batch(Loss::SquaredError));
    assert_eq!((result, descent.state().steps), (Err(Error::NonFiniteGradient), 0));
    assert_eq!(
        (bits::of(descent.params()), bits::of(&descent.state().slots[0])),
        (before.clone(), vec![0; before.len()])
    );
    // Through weights of a usual size they do not.
    descent.params_mut().tensor_mut(2).fill(0.1);
    assert!(descent.step(&net, &Momentum::new(0.1), far.batch(Loss::SquaredError)).is_ok());
}

/// (1 + K) P + B A + 8 B numbers, and the rule's count and memo.
#[test]
fn the_size_is_the_documented_formula() {
    const P: usize = 131 * 10 + 10 + 10 * 7 + 7;
    const A: usize = 10 + 7;
    assert_eq!(size_of::<Descent<Wide, 0>>(), 4 * (P + 6 * A + 8 * 6) + 8);
    assert_eq!(size_of::<Descent<Wide, 2>>(), 4 * (3 * P + 6 * A + 8 * 6) + 8);
}

//! Every fast kernel gives the bits of its slow twin: for any width, any number of examples and any numbers at all.
//!
//! That is what "one fixed summation order" means: eight partial sums, element i in sum i mod 8, one fixed tree at the
//! end; sums over examples and over outputs in their order. NaNs count as equal.

use lgl2o::batch::Rows;
use lgl2o::objective::mlp::dense::Part;
use lgl2o::objective::mlp::{Activation, Kernels, Portable, dense};
use lgl2o::rule::{Coordinatewise as _, Momentum};
use lgl2o::sum;
use lgl2o_tests::bits::{pattern, patterns};
use lgl2o_tests::{cases, strategy};
use lgl2o_vectors::Vectors;
use proptest::collection::vec;
use proptest::prelude::*;

/// Inputs and outputs of a layer, examples, and enough numbers for everything.
#[derive(Debug, Clone)]
struct Layer {
    inputs: usize,
    outputs: usize,
    n: usize,
    weights: Vec<f32>,
    bias: Vec<f32>,
    /// n x inputs.
    x: Vec<f32>,
    /// n x outputs.
    e: Vec<f32>,
    pick: Vec<u32>,
}

fn layer() -> impl Strategy<Value = Layer> {
    (0usize..=70, 0usize..=20, 0usize..=11).prop_flat_map(|(inputs, outputs, n)| {
        let numbers = |n| vec(strategy::any_number(), n);
        let parts = (numbers(inputs * outputs), numbers(outputs), numbers(n * inputs), numbers(n * outputs));
        (parts, vec(0..(n.max(1) as u32), n)).prop_map(move |((weights, bias, x, e), pick)| Layer {
            inputs,
            outputs,
            n,
            weights,
            bias,
            x,
            e,
            pick,
        })
    })
}

/// A forward kernel: weights, bias, inputs, examples, outputs.
type Forward = fn(&[f32], &[f32], Rows<'_>, usize, &mut [f32]);

fn activation() -> impl Strategy<Value = Activation> {
    prop::sample::select(&Activation::ALL)
}

/// What two kernels write over the same junk.
fn both(size: usize, fast: impl FnOnce(&mut [f32]), plain: impl FnOnce(&mut [f32])) -> (Vec<u32>, Vec<u32>) {
    let (mut a, mut b) = (vec![7.25; size], vec![7.25; size]);
    fast(&mut a);
    plain(&mut b);
    (patterns(&a), patterns(&b))
}

/// The documented order, written down anew: element i in sum i mod 8, then s\[i\] + s\[i + 4\], then those two apart, then
/// the last two.
fn in_order(a: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    a.iter().enumerate().for_each(|(i, x)| sums[i % 8] += x);
    for half in [4, 2, 1] {
        for i in 0..half {
            sums[i] += sums[i + half];
        }
    }
    sums[0]
}

proptest! {
    #![proptest_config(cases!(600, "kernels"))]

    /// Sums are in the documented order, twins and all: they share the tree, so that a change of it shows here only.
    #[test]
    fn sums_are_in_the_documented_order(pairs in vec((strategy::any_number(), strategy::any_number()), 0..=70)) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let products: Vec<f32> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
        prop_assert_eq!(pattern(sum::sum(&a)), pattern(in_order(&a)));
        prop_assert_eq!(pattern(sum::dot(&a, &b)), pattern(in_order(&products)));
    }

    /// `sum`, `dot` and `squares` are their twins.
    #[test]
    fn reductions_agree(pairs in vec((strategy::any_number(), strategy::any_number()), 0..=70)) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        prop_assert_eq!(pattern(sum::sum(&a)), pattern(sum::plain::sum(&a)));
        prop_assert_eq!(pattern(sum::dot(&a, &b)), pattern(sum::plain::dot(&a, &b)));
        prop_assert_eq!(pattern(sum::squares(&a)), pattern(sum::plain::squares(&a)));
    }

    /// |a - b|^2 and the second moment about c are sums of squares of differences, in the same order.
    #[test]
    fn differences_are_taken_first(
        pairs in vec((strategy::any_number(), strategy::any_number()), 0..=70),
        center in strategy::any_number(),
    ) {
        let (a, b): (Vec<f32>, Vec<f32>) = pairs.into_iter().unzip();
        let differences: Vec<f32> = a.iter().zip(&b).map(|(x, y)| x - y).collect();
        prop_assert_eq!(pattern(sum::squared_distance(&a, &b)), pattern(sum::plain::squares(&differences)));
        let offsets: Vec<f32> = a.iter().map(|x| x - center).collect();
        prop_assert_eq!(pattern(sum::squares_about(&a, center)), pattern(sum::plain::squares(&offsets)));
    }

    /// Two or four products in one pass are as many products; of unequal lengths the shortest counts.
    #[test]
    fn four_dots_are_four_dots(rows in vec(vec(strategy::any_number(), 0..=70), 5), even: bool) {
        let shortest = rows.iter().map(Vec::len).min().unwrap_or(0);
        let cut = |i: usize| if even { &rows[i][..shortest] } else { &rows[i][..] };
        let four = sum::dot4(cut(0), [cut(1), cut(2), cut(3), cut(4)]);
        let one = |i: usize| pattern(sum::plain::dot(&rows[0][..shortest], &rows[i][..shortest]));
        let expected: Vec<u32> = (1..5).map(one).collect();
        prop_assert_eq!(patterns(&four), expected);
        let two = sum::dot2(cut(0), [cut(1), cut(2)]);
        if even {
            prop_assert_eq!(patterns(&two), patterns(&four[..2]));
        }
    }

    /// Z = X W^T + b.
    #[test]
    fn forward_agrees(l in layer(), picked: bool) {
        let x = if picked { Rows::picked(&l.x, l.inputs, &l.pick) } else { Rows::all(&l.x, l.inputs) };
        let ways: [Forward; 4] = [
            dense::forward,
            |w, b, x, n, z| dense::by_lanes(w, b, x, n, z),
            |w, b, x, n, out| dense::by_rows(sum::dot2, w, b, x, n, out),
            |w, b, x, n, out| dense::by_rows(sum::dot4, w, b, x, n, out),
        ];
        for vectors in Vectors::all() {
            let (fast, plain) = both(
                l.n * l.outputs,
                |out| vectors.forward(&l.weights, &l.bias, x, l.n, out),
                |out| dense::plain::forward(&l.weights, &l.bias, x, l.n, out),
            );
            prop_assert_eq!(fast, plain, "{}", vectors.name());
        }
        for forward in ways {
            let (fast, plain) = both(
                l.n * l.outputs,
                |out| forward(&l.weights, &l.bias, x, l.n, out),
                |out| dense::plain::forward(&l.weights, &l.bias, x, l.n, out),
            );
            prop_assert_eq!(fast, plain);
        }
    }

    /// G = E^T X.
    #[test]
    fn weight_gradient_agrees(l in layer(), picked: bool) {
        let x = if picked { Rows::picked(&l.x, l.inputs, &l.pick) } else { Rows::all(&l.x, l.inputs) };
        let gradients = [
            dense::weight_gradient,
            dense::weight_gradient_by::<1>,
            dense::weight_gradient_by::<2>,
            dense::weight_gradient_by::<4>,
        ];
        for vectors in Vectors::all() {
            let (fast, plain) = both(
                l.inputs * l.outputs,
                |g| vectors.weight_gradient(&l.e, x, l.n, l.outputs, g),
                |g| dense::plain::weight_gradient(&l.e, x, l.n, l.outputs, g),
            );
            prop_assert_eq!(fast, plain, "{}", vectors.name());
        }
        for gradient in gradients {
            let (fast, plain) = both(
                l.inputs * l.outputs,
                |g| gradient(&l.e, x, l.n, l.outputs, g),
                |g| dense::plain::weight_gradient(&l.e, x, l.n, l.outputs, g),
            );
            prop_assert_eq!(fast, plain);
        }
    }

    /// A layer's gradient that is used part by part moves weights, bias and accumulators as a whole one does.
    #[test]
    fn descend_agrees(l in layer(), picked: bool) {
        let x = if picked { Rows::picked(&l.x, l.inputs, &l.pick) } else { Rows::all(&l.x, l.inputs) };
        let rule = Momentum::new(0.25);
        let motion = rule.motion(0);
        let (mut g, mut h) = (vec![0.0; l.inputs * l.outputs], vec![0.0; l.outputs]);
        dense::plain::weight_gradient(&l.e, x, l.n, l.outputs, &mut g);
        dense::plain::bias_gradient(&l.e, l.n, &mut h);
        for (start, gradient, is_bias) in [(&l.weights, &g, false), (&l.bias, &h, true)] {
            let (mut fast, mut plain) = (start.clone(), start.clone());
            let mut momenta = [vec![0.5; start.len()], vec![0.5; start.len()]];
            let [m, n] = &mut momenta;
            motion(&mut plain, [m], gradient);
            let part = Part { weights: &mut fast, slots: [n] };
            if is_bias {
                dense::descend_bias(&l.e, l.n, &motion, part);
            } else {
                dense::descend(&l.e, x, l.n, l.outputs, &motion, part);
            }
            prop_assert_eq!(patterns(&fast), patterns(&plain));
            prop_assert_eq!(patterns(&momenta[0]), patterns(&momenta[1]));
        }
    }

    /// On its way through a layer it leaves the errors of the layer below, by the weights as they were.
    #[test]
    fn descend_through_agrees(l in layer(), below in activation()) {
        let rule = Momentum::new(0.25);
        let motion = rule.motion(0);
        let mut g = vec![0.0; l.inputs * l.outputs];
        dense::plain::weight_gradient(&l.e, Rows::all(&l.x, l.inputs), l.n, l.outputs, &mut g);
        let (mut fast, mut plain) = (l.weights.clone(), l.weights.clone());
        let (mut x, mut errors) = (l.x.clone(), l.x.clone());
        let mut momenta = [vec![0.5; g.len()], vec![0.5; g.len()]];
        let [m, n] = &mut momenta;
        dense::plain::input_error(&l.weights, &l.e, l.n, l.inputs, l.outputs, below, &mut errors);
        motion(&mut plain, [m], &g);
        let mut columns: [_; dense::NARROW] = std::array::from_fn(|_| vec![0.0; l.n]);
        let part = Part { weights: &mut fast, slots: [n] };
        let shape = [l.n, l.inputs, l.outputs];
        dense::descend_through(&l.e, &mut x, below, shape, &motion, part, columns.each_mut().map(|c| &mut c[..]));
        prop_assert_eq!(patterns(&x), patterns(&errors));
        prop_assert_eq!(patterns(&fast), patterns(&plain));
        prop_assert_eq!(patterns(&momenta[0]), patterns(&momenta[1]));
    }

    /// g = sum_s E\[s\].
    #[test]
    fn bias_gradient_agrees(l in layer()) {
        let (fast, plain) = both(
            l.outputs,
            |g| dense::bias_gradient(&l.e, l.n, g),
            |g| dense::plain::bias_gradient(&l.e, l.n, g),
        );
        prop_assert_eq!(&fast, &plain);
        for vectors in Vectors::all() {
            let (fast, _) = both(l.outputs, |g| vectors.bias_gradient(&l.e, l.n, g), |_| ());
            prop_assert_eq!(&fast, &plain, "{}", vectors.name());
        }
    }

    /// D = (E W) * act'(X), over X.
    #[test]
    fn input_error_agrees(l in layer(), below in activation()) {
        let mut plain = l.x.clone();
        dense::plain::input_error(&l.weights, &l.e, l.n, l.inputs, l.outputs, below, &mut plain);
        let shape = [l.inputs, l.outputs];
        for error in [dense::input_error, dense::input_error_by::<4>, dense::input_error_by::<16>, dense::input_error_by::<32>] {
            let mut fast = l.x.clone();
            error(&l.weights, &l.e, l.n, shape, below, &mut fast);
            prop_assert_eq!(patterns(&fast), patterns(&plain));
        }
        for vectors in Vectors::all() {
            let mut fast = l.x.clone();
            vectors.input_error(&l.weights, &l.e, l.n, shape, below, &mut fast);
            prop_assert_eq!(patterns(&fast), patterns(&plain), "{}", vectors.name());
        }
    }

    /// Activations and exponentials of any numbers are the core's.
    #[test]
    fn functions_agree(x in vec(strategy::any_number(), 0..=40)) {
        for vectors in Vectors::all() {
            prop_assert_eq!(unequal(vectors, &x), None, "{}", vectors.name());
        }
    }
}

/// The first of some numbers whose exponential or activation is not the core's, if there is one.
fn unequal(vectors: Vectors, x: &[f32]) -> Option<f32> {
    let [mut ours, mut theirs] = [x.to_vec(), x.to_vec()];
    vectors.exp(&mut ours);
    Portable.exp(&mut theirs);
    let mut wrong = differing(x, &ours, &theirs);
    for activation in Activation::ALL {
        ours.copy_from_slice(x);
        theirs.copy_from_slice(x);
        vectors.activate(activation, &mut ours);
        Portable.activate(activation, &mut theirs);
        wrong = wrong.or(differing(x, &ours, &theirs));
    }
    wrong
}

/// The first argument for which two results differ.
fn differing(x: &[f32], ours: &[f32], theirs: &[f32]) -> Option<f32> {
    x.iter().zip(ours.iter().zip(theirs)).find(|(_, (a, b))| pattern(**a) != pattern(**b)).map(|(x, _)| *x)
}

/// Holds every so manieth of all numbers of 32 bits against the core's functions.
fn functions_of_every(stride: usize) {
    for vectors in Vectors::all() {
        let mut bits = (0..=u32::MAX).step_by(stride).peekable();
        while bits.peek().is_some() {
            let x: Vec<f32> = bits.by_ref().take(4096).map(f32::from_bits).collect();
            if let Some(x) = unequal(vectors, &x) {
                panic!("{}: {x:e}, of bits {:08x}", vectors.name(), x.to_bits());
            }
        }
    }
}

/// The vectors' exp, tanh and logistic function have the core's bits at four million arguments of every sign and size.
#[test]
fn functions_agree_everywhere() {
    functions_of_every(1021);
}

/// The vectors' exp has the core's bits at every argument from -80 to -112: where results become subnormal, and then 0.
#[test]
fn exponentials_agree_down_to_zero() {
    let all: Vec<f32> = ((-80.0f32).to_bits()..=(-112.0f32).to_bits()).map(f32::from_bits).collect();
    let mut theirs = all.clone();
    Portable.exp(&mut theirs);
    assert!(theirs.iter().any(|y| y.is_subnormal()) && theirs.contains(&0.0));
    for vectors in Vectors::all() {
        let mut ours = all.clone();
        vectors.exp(&mut ours);
        assert_eq!(differing(&all, &ours, &theirs), None, "{}", vectors.name());
    }
}

/// [`functions_agree_everywhere`] at all arguments there are: a quarter of an hour.
#[test]
#[ignore = "takes minutes"]
fn functions_agree_at_every_argument() {
    functions_of_every(1);
}

/// The comparison can fail: summed from left to right, some of these sums have other bits.
#[test]
fn another_order_has_other_bits() {
    let mut rng = lgl2o::Rng::new(4);
    let different = (0..100).filter(|_| {
        let a: Vec<f32> = (0..40).map(|_| rng.normal()).collect();
        sum::sum(&a).to_bits() != a.iter().fold(0.0f32, |s, x| s + x).to_bits()
    });
    assert!(different.count() > 50);
}

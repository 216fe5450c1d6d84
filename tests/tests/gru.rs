//! The gated recurrent unit: its kernels against their twins, its formulas by hand, and that it learns what needs a memory, also over a
//! restart.

use lgl2o::batch::{Batch, Rows};
use lgl2o::checkpoint::Buffer;
use lgl2o::objective::mlp::frozen::Weights;
use lgl2o::objective::mlp::gru::{MOST, ROOM, Recurrence, Sizes, plain};
use lgl2o::objective::mlp::layer::{Inputs, Own, OwnMut};
use lgl2o::objective::mlp::{Activation, Descent, Fixed, GateParams, GruParams, Loss, Mlp, Portable};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::Sgd;
use lgl2o::source::Sampler;
use lgl2o::tensors::{Tensors, Zeroed};
use lgl2o::{Auto, Error, Memory, Model, Rng, Trainer, auto, chain, model::AsIs};
use lgl2o_tests::bits::{self, patterns};
use lgl2o_tests::{cases, strategy};
use proptest::collection::vec;
use proptest::prelude::*;

/// The kernels on n examples have the bits of their twins: states, gradient, errors of the layer below.
fn check_twins<const T: usize, const C: usize, const H: usize>(
    numbers: &[f32],
    n: usize,
    below: Activation,
) -> Result<(), TestCaseError> {
    let (sizes, mut params, mut room) = (Sizes { time: T, channels: C, units: H }, GruParams::<C, H>::ZERO, [0.0; 200]);
    let mut rest = numbers.iter().copied().cycle();
    (0..4).for_each(|i| params.tensor_mut(i).iter_mut().zip(&mut rest).for_each(|(w, x)| *w = x));
    let inputs: Vec<f32> = rest.by_ref().take(n * T * C).collect();
    let errors: Vec<f32> = rest.by_ref().take(n * H).collect();
    let room = &mut room[..ROOM * H];
    let pass = Recurrence { sizes, kernels: &Portable, own: Own::new(&params, 0) };

    let (mut out, mut states) = (vec![f32::NAN; n * T * H], vec![0.0; n * T * H]);
    pass.forward(Rows::all(&inputs, T * C), n, &mut out, room);
    let tensors: [&[f32]; 4] = core::array::from_fn(|i| params.tensor(i));
    for (x, states) in inputs.chunks(T * C).zip(states.chunks_mut(T * H)) {
        plain::forward(&sizes, tensors, x, states);
    }
    let last = states.chunks(T * H).flat_map(|states| states[(T - 1) * H..].to_vec());
    let before = states.chunks(T * H).flat_map(|states| states[..(T - 1) * H].to_vec());
    prop_assert_eq!(patterns(&out), patterns(&last.chain(before).collect::<Vec<_>>()));

    out[..n * H].copy_from_slice(&errors);
    let (mut fast, mut slow) = ((GruParams::<C, H>::ZERO, inputs.clone()), (GruParams::<C, H>::ZERO, inputs.clone()));
    let x = Inputs::Activations { x: &mut fast.1, below };
    pass.backward(&out, x, n, Some(&mut OwnMut::new(&mut fast.0, 0)), room);
    for s in 0..n {
        let (mut e, mut df) = (errors[s * H..(s + 1) * H].to_vec(), vec![0.0; 6 * H]);
        let x = &mut slow.1[s * T * C..(s + 1) * T * C];
        let (GateParams { weights: w, bias: b }, GateParams { weights: u, bias: c }) = &mut slow.0;
        let flat = [w.as_flattened_mut().as_flattened_mut(), b.as_flattened_mut()];
        let ([w, b], [u, c]) = (flat, [u.as_flattened_mut().as_flattened_mut(), c.as_flattened_mut()]);
        plain::backward((&sizes, tensors, &states[s * T * H..]), below, x, [&mut e, &mut df], [w, b, u, c]);
    }
    prop_assert_eq!(bits::of(&fast.0), bits::of(&slow.0));
    prop_assert_eq!(patterns(&fast.1), patterns(&slow.1));

    // The gradient alone and the errors alone are the same.
    let (mut gradient, mut alone) = (GruParams::<C, H>::ZERO, inputs.clone());
    let rows = Inputs::Rows(Rows::all(&inputs, T * C));
    pass.backward(&out, rows, n, Some(&mut OwnMut::new(&mut gradient, 0)), room);
    let x = Inputs::Activations { x: &mut alone, below };
    pass.backward(&out, x, n, None::<&mut OwnMut<'_, GruParams<C, H>>>, room);
    prop_assert_eq!((bits::of(&gradient), patterns(&alone)), (bits::of(&fast.0), patterns(&fast.1)));
    Ok(())
}

proptest! {
    #![proptest_config(cases!(400, "gru"))]

    #[test]
    fn the_kernels_are_their_twins(
        numbers in vec(strategy::any_number(), 257),
        n in 0usize..=3,
        below in prop::sample::select(&Activation::ALL),
    ) {
        check_twins::<1, 1, 1>(&numbers, n, below)?;
        check_twins::<2, 3, 5>(&numbers, n, below)?;
        check_twins::<5, 2, 8>(&numbers, n, below)?;
        check_twins::<3, 19, 9>(&numbers, n, below)?;
        check_twins::<4, 9, 21>(&numbers, n, below)?;
    }
}

/// Two times of one channel, one unit: the formulas by hand.
#[test]
fn the_states_by_hand() {
    type Net = Fixed<chain![2 x 1 => gru(1)], 1>;
    let net = Mlp::new(Net::new(), Loss::SquaredError);
    let mut params = net.blank_params();
    params.0 = GateParams { weights: [[[1.0]], [[-1.0]], [[2.0]]], bias: [[0.1], [0.2], [0.3]] };
    params.1 = GateParams { weights: [[[0.5]], [[0.25]], [[-0.5]]], bias: [[-0.1], [0.0], [0.4]] };
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let step = |x: f64, h: f64| {
        let r = sigmoid(x + 0.1 + 0.5 * h - 0.1);
        let z = sigmoid(-x + 0.2 + 0.25 * h);
        let n = (2.0 * x + 0.3 + r * (-0.5 * h + 0.4)).tanh();
        (1.0 - z) * n + z * h
    };
    let expected = step(-0.4, step(0.7, 0.0));
    let mut model = Model::new(net, params, AsIs);
    let found = f64::from(model.values(&[0.7, -0.4]).unwrap()[0]);
    assert!((found - expected).abs() < 1e-6, "{found}, by hand {expected}");
}

/// All initial parameters are within 1 / sqrt(H), and fill it.
#[test]
fn initial_parameters_keep_their_bounds() {
    let net = Mlp::new(Fixed::<chain![9 x 8 => gru(16)], 1>::new(), Loss::SquaredError);
    let mut params = net.blank_params();
    params.fill(f32::NAN);
    net.initialize(&mut params, &mut Rng::new(1));
    for i in 0..4 {
        let most = params.tensor(i).iter().fold(0.0f32, |most, w| if w.abs() > most { w.abs() } else { most });
        assert!((0.22..=0.25).contains(&most), "tensor {i}: {most}");
    }
}

/// A state that doubles its error at every time, 40 times: the gradient is cut, not infinite, and `Descent` takes it.
#[test]
fn an_error_that_explodes_is_cut() {
    type Net = Fixed<chain![40 x 1 => gru(1)], 1>;
    let net = Mlp::new(Net::new(), Loss::SquaredError);
    let mut params = net.blank_params();
    // z is nearly 0, and n nearly the tangent of 2 q around 0: h' = tanh(2 h).
    params.0.bias[1] = [-20.0];
    params.0.bias[0] = [20.0];
    params.1.weights[2] = [[2.0]];
    let batch = Batch::values(&[0.0; 40], 40, &[1.0], 1);
    let (mut losses, mut gradient) = (net.blank_losses(), net.blank_params());
    net.gradient(&mut net.blank_scratch(), &params, batch, &mut losses, &mut gradient).unwrap();
    // The error of the last state is -2, and those of the 40 times are its doubles, to at most MOST times that.
    let doubles: f32 = (0..40).map(|t| 2.0f32.powi(t + 1)).map(|e| if e > 2.0 * MOST { 2.0 * MOST } else { e }).sum();
    let found = gradient.0.bias[2][0];
    assert!((found + doubles).abs() < 1e-3 * doubles, "{found}, and {doubles}");
    let mut descent = Descent::<Net, 0>::new();
    descent.params_mut().copy_from(&params);
    assert_eq!(descent.step(&net, &Sgd::new(1e-4), batch), Ok(1.0));
    // Weights so large that sums may overflow are refused before anything has moved.
    descent.params_mut().copy_from(&params);
    descent.params_mut().1.weights[0] = [[1e37]];
    assert_eq!(descent.step(&net, &Sgd::new(1e-4), batch), Err(Error::NonFiniteGradient));
    assert_eq!(descent.params().0.bias[2], [0.0]);
}

/// n windows of 20 times: a pulse on each of two channels, under noise. Which of them was first?
fn pulses(n: usize, seed: u64) -> (Vec<f32>, Vec<u8>) {
    let mut rng = Rng::new(seed);
    let (mut inputs, mut labels) = (Vec::new(), Vec::new());
    for _ in 0..n {
        let first = rng.below(15);
        let (second, label) = (first + 2 + rng.below(18 - first - 1), rng.below(2) as u8);
        let at = if label == 0 { [first, second] } else { [second, first] };
        inputs.extend((0..40).map(|i| f32::from(u8::from(i / 2 == at[i as usize % 2])) + 0.1 * rng.normal()));
        labels.push(label);
    }
    (inputs, labels)
}

type Memorizing = chain![20 x 2 => gru(8), dense(2)];
type Net = Mlp<Fixed<Memorizing, 16>>;

/// `auto` trains a recurrent layer on what no single time shows; a run that was saved and taken up again has the bits of one that
/// was not; and the trained layer does the same from flash.
#[test]
fn which_pulse_was_first_is_learned_over_a_restart() {
    let ((inputs, labels), (rows, answers)) = (pulses(200, 1), pulses(300, 2));
    let (net, guard) = (Net::new(Fixed::new(), Loss::CrossEntropy), auto());
    let (mut picks, mut used) = ([[0; 16]; 2], [[0; 7]; 2]);
    let ([pick, other_pick], [bits, other_bits]) = (picks.each_mut(), used.each_mut());
    let mut batches = Sampler::new(&inputs, 40, &labels, 1, pick, bits).unwrap();
    let mut others = Sampler::new(&inputs, 40, &labels, 1, other_pick, other_bits).unwrap();
    let mut memory = Memory::<Net, Auto>::blank(&net, &guard);
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    while trainer.progress().steps < 300 {
        trainer.round(&mut batches).unwrap();
    }
    let mut bytes = vec![0; 1 << 16];
    let mut checkpoint = Buffer::new(&mut bytes);
    trainer.save(&batches, &mut checkpoint).unwrap();

    let mut memory = Memory::<Net, Auto>::blank(&net, &guard);
    let mut resumed = Trainer::new(&net, &guard, &mut memory);
    resumed.load(&mut others, &mut checkpoint.written()).unwrap();
    while trainer.progress().steps < 1500 {
        let verdicts = [trainer.round(&mut batches), resumed.round(&mut others)].map(|verdict| format!("{verdict:?}"));
        assert_eq!(verdicts[0], verdicts[1]);
    }
    assert_eq!(bits::of(trainer.params()), bits::of(resumed.params()));

    let mut model = Model::blank(Mlp::new(Fixed::<Memorizing, 1>::new(), Loss::CrossEntropy), trainer.params(), AsIs);
    let classes: Vec<u8> = rows.chunks(40).map(|row| model.predict(row).unwrap().class).collect();
    let right = classes.iter().zip(&answers).filter(|(class, answer)| class == answer).count();
    println!("{right} of {}", answers.len());
    assert!(right >= 285, "{right} of 300");
}

/// A frozen unit below a head has the losses of the whole network and the gradient of what is left, and errors go through one.
#[test]
fn a_unit_in_flash_is_not_trained() {
    const fn some<const I: usize>(scale: f32) -> GateParams<I, 3> {
        let mut all = GateParams { weights: [[[0.0; I]; 3]; 3], bias: [[0.1; 3], [-0.2; 3], [0.3; 3]] };
        let mut i = 0;
        while i < 9 * I {
            all.weights[i % 3][i / 3 % 3][i / 9] = scale * (0.5 - 0.1 * (i % 11) as f32);
            i += 1;
        }
        all
    }
    static UNIT: GruParams<2, 3> = (some(1.0), some(0.7));
    struct Flash;
    impl Weights<GruParams<2, 3>> for Flash {
        fn weights() -> &'static GruParams<2, 3> {
            &UNIT
        }
    }
    type Whole = Fixed<chain![6 x 1 => conv1d(2, 2, 1, 0), gru(3), dense(2)], 2>;
    type Head = Fixed<chain![6 x 1 => conv1d(2, 2, 1, 0), frozen(gru(3), Flash), dense(2)], 2>;
    let (whole, head) = (Mlp::new(Whole::new(), Loss::CrossEntropy), Mlp::new(Head::new(), Loss::CrossEntropy));
    assert_eq!(whole.parameters() - head.parameters(), UNIT.len());
    let (mut of_whole, mut of_head) = (whole.blank_params(), head.blank_params());
    whole.initialize(&mut of_whole, &mut Rng::new(1));
    of_whole.1.0 = UNIT.clone();
    (of_head.0, of_head.1.1) = (of_whole.0.clone(), of_whole.1.1.clone());
    let inputs: Vec<f32> = (0..12).map(|i| (i as f32).sin()).collect();
    let batch = Batch::classes(&inputs, 6, &[0, 1]);
    let (mut losses, mut gradient) = ([[0.0; 2]; 2], (whole.blank_params(), head.blank_params()));
    whole.gradient(&mut whole.blank_scratch(), &of_whole, batch, &mut losses[0], &mut gradient.0).unwrap();
    head.gradient(&mut head.blank_scratch(), &of_head, batch, &mut losses[1], &mut gradient.1).unwrap();
    assert_eq!(losses[0], losses[1]);
    assert_eq!(bits::of(&gradient.0.0), bits::of(&gradient.1.0));
    assert_eq!(bits::of(&gradient.0.1.1), bits::of(&gradient.1.1.1));
    assert!(gradient.1.0.squares() > 0.0);
}

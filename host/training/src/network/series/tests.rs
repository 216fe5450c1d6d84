use super::*;
use crate::network::HeapNetwork;
use lgl2o::Rng;
use lgl2o::batch::Batch;
use lgl2o::chain;
use lgl2o::objective::mlp::Activation;
use lgl2o::objective::mlp::AveragePool1d;
use lgl2o::objective::mlp::network::BlankNetwork as _;
use lgl2o::objective::mlp::{
    Conv1d, Dense, Depthwise, Descent, Fixed, Gru, Loss, MaxPool1d, Mlp, Network as _, Relu, Tanh,
};
use lgl2o::objective::{Blank as _, Objective as _};
use lgl2o::persist::Fingerprint as _;
use lgl2o::rule::{Adam, NoProbe, Rotated, Rule as _, Sgd};
use lgl2o::tensors::Tensors as _;

type Same = Fixed<
    chain![
        Conv1d<12, 2, 6, 3, 4, 2, 1, Relu>,
        Depthwise<6, 3, 6, 3, 1, 1, Tanh>,
        MaxPool1d<6, 3, 3, 2>,
        Depthwise<3, 3, 3, 1, 1, 0>,
        Gru<3, 3, 4>,
        Gru<2, 2, 3>,
        AveragePool1d<1, 3, 1, 1>,
        Dense<3, 2>
    ],
    5,
>;

fn layers() -> Vec<ByValue> {
    let over = |[time, channels, kernel, stride, padding]: [usize; 5]| Over { time, channels, kernel, stride, padding };
    let layer = |kind, [inputs, outputs]: [usize; 2], activation| ByValue {
        kind,
        shape: Shape { inputs, outputs, activation },
    };
    vec![
        layer(Kind::Conv1d(over([12, 2, 4, 2, 1])), [24, 18], Activation::Relu),
        layer(Kind::Depthwise(over([6, 3, 3, 1, 1])), [18, 18], Activation::Tanh),
        layer(Kind::MaxPool(over([6, 3, 2, 2, 0])), [18, 9], Activation::Identity),
        layer(Kind::Depthwise(over([3, 3, 1, 1, 0])), [9, 9], Activation::Identity),
        layer(Kind::Gru(Steps { time: 3, channels: 3 }), [9, 4], Activation::Identity),
        layer(Kind::Gru(Steps { time: 2, channels: 2 }), [4, 3], Activation::Identity),
        layer(Kind::AveragePool(over([1, 3, 1, 1, 0])), [3, 3], Activation::Identity),
        layer(Kind::Dense, [3, 2], Activation::Identity),
    ]
}

#[test]
fn layers_on_the_heap_have_the_bits_of_those_whose_sizes_are_types() {
    assert!(layers().iter().all(ByValue::is_sound));
    let heap = Mlp::new(HeapNetwork::of(&layers(), 5), Loss::CrossEntropy);
    let fixed = Mlp::new(Same::new(), Loss::CrossEntropy);
    assert_eq!((heap.parameters(), heap.fingerprint()), (fixed.parameters(), fixed.fingerprint()));
    (0..8).for_each(|l| assert_eq!(heap.network().layer(l), fixed.network().layer(l)));
    let mut rng = Rng::new(1);
    let inputs: Vec<f32> = (0..5 * 24).map(|_| rng.normal()).collect();
    let batch = Batch::classes(&inputs, 24, &[0, 1, 1, 0, 1]);
    let (mut a, mut b) = (heap.blank_params(), fixed.blank_params());
    heap.initialize(&mut a, &mut Rng::new(2));
    fixed.initialize(&mut b, &mut Rng::new(2));
    assert_eq!([a.layers(), a.count()], [b.layers(), b.count()]);
    let (mut ga, mut gb) = (heap.blank_params(), fixed.blank_params());
    let (mut la, mut lb) = (heap.blank_losses(), fixed.blank_losses());
    heap.gradient(&mut heap.blank_scratch(), &a, batch, &mut la, &mut ga).expect("a gradient");
    fixed.gradient(&mut fixed.blank_scratch(), &b, batch, &mut lb, &mut gb).expect("a gradient");
    assert_eq!(la, lb);
    for i in 0..a.count() {
        assert_eq!((a.tensor(i), ga.tensor(i)), (b.tensor(i), gb.tensor(i)), "tensor {i}");
    }
    let (mut c, mut d) = (Descent::<HeapNetwork, 0>::blank(&heap), Descent::<Same, 0>::new());
    c.params_mut().copy_from(&a);
    d.params_mut().copy_from(&b);
    for _ in 0..3 {
        let rule = Sgd::new(0.1);
        assert_eq!(c.step(&heap, &rule, batch), d.step(&fixed, &rule, batch));
    }
    for i in 0..a.count() {
        assert_eq!(c.params_mut().tensor(i), d.params_mut().tensor(i), "tensor {i} after three steps");
    }
    assert_eq!(heap.network().blank_params().as_slice().len(), heap.parameters());
}

/// What a kind says of itself is what its layer has.
#[test]
fn a_kind_has_as_many_tensors_as_its_layer() {
    for layer in layers() {
        assert_eq!(
            (layer.kind.tensors(), layer.kind.has_parameters()),
            (layer.lengths().len(), !layer.lengths().is_empty()),
            "{layer:?}"
        );
    }
    let network = HeapNetwork::of(&layers(), 1);
    let firsts: Vec<usize> = (0..8).map(|l| network.first_tensor(l)).collect();
    assert_eq!(firsts, [0, 2, 4, 4, 6, 10, 14, 14]);
}

#[test]
fn what_no_type_could_be_is_not_sound() {
    let hurt = |l: usize, change: fn(&mut ByValue)| {
        let mut layer = layers()[l];
        change(&mut layer);
        layer.is_sound()
    };
    let wide = |layer: &mut ByValue| {
        layer.kind = Kind::MaxPool(Over { time: usize::MAX, channels: 3, kernel: 2, stride: 2, padding: 0 });
    };
    let padded = |layer: &mut ByValue| {
        layer.kind = Kind::Conv1d(Over { time: 12, channels: 2, kernel: 4, stride: 2, padding: 4 });
    };
    assert!(!hurt(2, wide) && !hurt(0, padded));
    assert!(!hurt(0, |layer| layer.shape.outputs = 17) && !hurt(1, |layer| layer.shape.outputs = 12));
    assert!(!hurt(2, |layer| layer.shape.activation = Activation::Relu) && !hurt(6, |layer| layer.shape.inputs = 8));
    assert!(!hurt(4, |layer| layer.shape.inputs = 8) && !hurt(4, |layer| layer.shape.outputs = 0));
    assert!(!hurt(4, |layer| layer.shape.activation = Activation::Tanh) && !hurt(7, |layer| layer.shape.inputs = 0));
}

/// A rule in eigenbases makes the same steps with both: dense layers and a convolution are turned, a depthwise one and a recurrent one are not, nor is a side of
/// 129 inputs.
#[test]
fn bases_on_the_heap_are_those_of_types() {
    macro_rules! compare {
        ($layers:expr, $fixed:expr) => {{
            let layers: &[ByValue] = $layers;
            let heap = Mlp::new(HeapNetwork::of(layers, 5), Loss::CrossEntropy);
            let fixed = Mlp::new($fixed, Loss::CrossEntropy);
            let (mut a, mut b) = (heap.blank_params(), fixed.blank_params());
            heap.initialize(&mut a, &mut Rng::new(2));
            fixed.initialize(&mut b, &mut Rng::new(2));
            let rule = Rotated::new(Adam::new(0.03));
            let (mut sa, mut sb) = (rule.state(&a), rule.state(&b));
            let (mut ga, mut gb) = (heap.blank_params(), fixed.blank_params());
            let (mut la, mut lb) = (heap.blank_losses(), fixed.blank_losses());
            let mut rng = Rng::new(1);
            for _ in 0..40 {
                let inputs: Vec<f32> = (0..5 * layers[0].shape.inputs).map(|_| rng.normal()).collect();
                let batch = Batch::classes(&inputs, layers[0].shape.inputs, &[0, 1, 1, 0, 1]);
                heap.gradient(&mut heap.blank_scratch(), &a, batch, &mut la, &mut ga).expect("a gradient");
                fixed.gradient(&mut fixed.blank_scratch(), &b, batch, &mut lb, &mut gb).expect("a gradient");
                rule.step(&mut sa, &mut a, &ga, 0.5, &mut NoProbe);
                rule.step(&mut sb, &mut b, &gb, 0.5, &mut NoProbe);
            }
            (0..a.count()).for_each(|i| assert_eq!(a.tensor(i), b.tensor(i), "tensor {i}"));
        }};
    }
    // Without optimization the states take more of the stack than a test's thread has.
    let all = || {
        compare!(&layers(), Same::new());
        let long = [
            Shape { inputs: 129, outputs: 4, activation: Activation::Tanh },
            Shape { inputs: 4, outputs: 2, activation: Activation::Identity },
        ];
        compare!(&long.map(ByValue::from), Fixed::<chain![Dense<129, 4, Tanh>, Dense<4, 2>], 5>::new());
    };
    std::thread::Builder::new().stack_size(1 << 24).spawn(all).expect("a thread").join().expect("the same steps");
}

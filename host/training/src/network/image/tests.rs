use super::*;
use crate::network::HeapNetwork;
use crate::network::series::{ByValue, Kind};
use lgl2o::batch::Batch;
use lgl2o::chain;
use lgl2o::objective::mlp::{Descent, Fixed, Loss, Mlp, Network as _, Relu, Tanh};
use lgl2o::objective::{Blank as _, Objective as _};
use lgl2o::persist::Fingerprint as _;
use lgl2o::rule::Sgd;

type Same = Fixed<
    chain![6 x 7 x 2 => conv2d(9, [4, 3], [2, 1], 1, Relu), depthwise2d(3, 1, 1, Tanh), max_pool2d([1, 2]), average_pool2d([3, 1]), dense(2)],
    5,
>;

fn layers() -> Vec<ByValue> {
    let area = |[height, width, channels]: [usize; 3], kernel, stride, padding| Area {
        height,
        width,
        channels,
        kernel,
        stride,
        padding,
    };
    let layer = |kind, [inputs, outputs]: [usize; 2], activation| ByValue {
        kind,
        shape: Shape { inputs, outputs, activation },
    };
    let (relu, tanh, none) = (Activation::Relu, Activation::Tanh, Activation::Identity);
    vec![
        layer(Kind::Conv2d(area([6, 7, 2], [4, 3], [2, 1], [1, 1])), [84, 189], relu),
        layer(Kind::Depthwise2d(area([3, 7, 9], [3, 3], [1, 1], [1, 1])), [189, 189], tanh),
        layer(Kind::MaxPool2d(area([3, 7, 9], [1, 2], [1, 2], [0, 0])), [189, 81], none),
        layer(Kind::AveragePool2d(area([3, 3, 9], [3, 1], [3, 1], [0, 0])), [81, 27], none),
        layer(Kind::Dense, [27, 2], none),
    ]
}

#[test]
fn layers_on_the_heap_have_the_bits_of_those_whose_sizes_are_types() {
    assert!(layers().iter().all(ByValue::is_sound));
    let heap = Mlp::new(HeapNetwork::of(&layers(), 5), Loss::CrossEntropy);
    let fixed = Mlp::new(Same::new(), Loss::CrossEntropy);
    assert_eq!((heap.parameters(), heap.fingerprint()), (fixed.parameters(), fixed.fingerprint()));
    (0..5).for_each(|l| assert_eq!(heap.network().layer(l), fixed.network().layer(l)));
    let mut rng = Rng::new(1);
    let inputs: Vec<f32> = (0..5 * 84).map(|_| rng.normal()).collect();
    let batch = Batch::classes(&inputs, 84, &[0, 1, 1, 0, 1]);
    let (mut a, mut b) = (heap.blank_params(), fixed.blank_params());
    heap.initialize(&mut a, &mut Rng::new(2));
    fixed.initialize(&mut b, &mut Rng::new(2));
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
}

#[test]
fn what_no_type_could_be_is_not_sound() {
    let hurt = |l: usize, change: fn(&mut Area)| {
        let layer = layers()[l];
        let (way, mut area) = layer.kind.on_image().expect("on an image");
        change(&mut area);
        OnImage { way, area, shape: layer.shape }.is_sound()
    };
    assert!(hurt(0, |_| ()) && hurt(3, |_| ()));
    assert!(!hurt(0, |area| area.padding = [4, 1]) && !hurt(0, |area| area.stride = [0, 1]));
    assert!(!hurt(0, |area| area.height = usize::MAX) && !hurt(0, |area| area.width = 6));
    assert!(!hurt(0, |area| area.kernel = [9, 3]) && !hurt(0, |area| area.channels = 0));
    assert!(!hurt(2, |area| area.stride = [1, 1]) && !hurt(3, |area| area.kernel = [2, 1]));
    let mut odd = layers()[0];
    odd.shape.outputs = 188;
    assert!(!odd.is_sound());
}

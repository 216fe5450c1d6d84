//! What both benchmarks measure: kernels of each layer, updates by rules, decisions of the guard. Each is there twice, by the
//! core's portable code and by this machine's vectors, which the host program uses.
//!
//! A part is a closure over memory of its own that was called once: calling it again is what is measured.

use std::fmt;
use std::sync::Arc;

use lgl2o::batch::{Batch, Rows};
use lgl2o::objective::Blank as _;
use lgl2o::objective::mlp::network::BlankNetwork;
use lgl2o::objective::mlp::{Activation, Dense, Fixed, Kernels, Loss, Mlp, Portable, Relu, Sigmoid, Tanh};
use lgl2o::oracle::{Oracle, Paired};
use lgl2o::rule::{Adam, Adam16, Momentum, Ngn, NoProbe, Rule, Sgd};
use lgl2o::{Rng, chain, learned};
use lgl2o_host::network::{HeapNetwork, HeapTensors};
use lgl2o_host::optimizer::AnyRule;
use lgl2o_host::task::BATCH;
use lgl2o_vectors::Vectors;

/// What is measured: called once more, it does the same work again.
pub(crate) type Part = Box<dyn FnMut()>;

/// Whose code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// The core's, for any processor of this family.
    Portable,
    /// The host's, for the vectors that this processor has.
    Vectors,
}

impl Code {
    /// Both, to stand side by side.
    pub(crate) const BOTH: [Self; 2] = [Self::Portable, Self::Vectors];

    fn kernels(self) -> Box<dyn Kernels> {
        match self {
            Self::Portable => Box::new(Portable),
            Self::Vectors => Box::new(Vectors::new()),
        }
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Portable => f.write_str("portable"),
            Self::Vectors => f.write_str(&Vectors::new().name().to_lowercase()),
        }
    }
}

/// The networks of `lgl2o bench`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Net {
    /// 2-32-32-2 tanh.
    S1,
    /// 784-20-10 sigmoid.
    S2,
    /// 784-128-10 ReLU.
    S3,
}

impl Net {
    /// All of them.
    pub(crate) const ALL: [Self; 3] = [Self::S1, Self::S2, Self::S3];

    fn shape(self) -> (&'static [usize], Activation) {
        match self {
            Self::S1 => (&[2, 32, 32, 2], Activation::Tanh),
            Self::S2 => (&[784, 20, 10], Activation::Sigmoid),
            Self::S3 => (&[784, 128, 10], Activation::Relu),
        }
    }

    fn on_heap(self) -> HeapNetwork {
        let (widths, hidden) = self.shape();
        HeapNetwork::new(widths, hidden, BATCH)
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths: Vec<String> = self.shape().0.iter().map(usize::to_string).collect();
        write!(f, "{self:?} {}", widths.join("-"))
    }
}

/// A layer of a network, by its number from 0 on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layer(pub(crate) Net, pub(crate) usize);

impl Layer {
    /// The layers of all networks.
    pub(crate) fn all() -> Vec<Self> {
        Net::ALL.into_iter().flat_map(|net| (1..net.shape().0.len()).map(move |next| Self(net, next - 1))).collect()
    }

    /// Inputs and outputs.
    fn shape(self) -> [usize; 2] {
        let widths = self.0.shape().0;
        [widths[self.1], widths[self.1 + 1]]
    }

    /// Whether errors go on to a layer below.
    pub(crate) fn has_below(self) -> bool {
        self.1 > 0
    }

    /// Multiply-adds of each kernel for a batch.
    pub(crate) fn multiply_adds(self) -> usize {
        self.shape().into_iter().product::<usize>() * BATCH
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [inputs, outputs] = self.shape();
        write!(f, "{:?} {inputs}-{outputs}", self.0)
    }
}

/// So many numbers in (0, 1), as a sigmoid's are.
fn numbers(n: usize) -> Vec<f32> {
    let mut rng = Rng::new(7);
    (0..n).map(|_| rng.range(0.0, 1.0)).collect()
}

/// Called once, so that its memory was touched.
fn warm(mut part: impl FnMut() + 'static) -> Part {
    part();
    Box::new(part)
}

/// Outputs of a layer, before the activation.
pub(crate) fn forward(layer: Layer, code: Code) -> Part {
    let (kernels, [inputs, outputs]) = (code.kernels(), layer.shape());
    let (weights, bias, x) = (numbers(inputs * outputs), numbers(outputs), numbers(BATCH * inputs));
    let mut out = vec![0.0; BATCH * outputs];
    warm(move || kernels.forward(&weights, &bias, Rows::all(&x, inputs), BATCH, &mut out))
}

/// Gradient of a layer's weights.
pub(crate) fn weight_gradient(layer: Layer, code: Code) -> Part {
    let (kernels, [inputs, outputs]) = (code.kernels(), layer.shape());
    let (errors, x) = (numbers(BATCH * outputs), numbers(BATCH * inputs));
    let mut gradient = vec![0.0; inputs * outputs];
    warm(move || kernels.weight_gradient(&errors, Rows::all(&x, inputs), BATCH, outputs, &mut gradient))
}

/// What a layer hands down: errors of its inputs, written over them.
pub(crate) struct InputError {
    layer: Layer,
    kernels: Box<dyn Kernels>,
    weights: Vec<f32>,
    errors: Vec<f32>,
}

impl InputError {
    pub(crate) fn new(layer: Layer, code: Code) -> Self {
        let [inputs, outputs] = layer.shape();
        Self { layer, kernels: code.kernels(), weights: numbers(inputs * outputs), errors: numbers(BATCH * outputs) }
    }

    /// The layer's inputs. Written over again and again, a sigmoid's would fade to numbers that the processor is slow with:
    /// each call is to have new ones.
    pub(crate) fn inputs(&self) -> Vec<f32> {
        numbers(BATCH * self.layer.shape()[0])
    }

    pub(crate) fn write_over(&self, inputs: &mut [f32]) {
        let below = self.layer.0.shape().1;
        self.kernels.input_error(&self.weights, &self.errors, BATCH, self.layer.shape(), below, inputs);
    }
}

/// The rules whose updates are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Update {
    Sgd,
    Momentum,
    Adam,
    Adam16,
    Ngn,
    Lean,
    L2o,
}

impl Update {
    /// All of them.
    pub(crate) const ALL: [Self; 7] =
        [Self::Sgd, Self::Momentum, Self::Adam, Self::Adam16, Self::Ngn, Self::Lean, Self::L2o];
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sgd => "sgd",
            Self::Momentum => "momentum",
            Self::Adam => "adam",
            Self::Adam16 => "adam16",
            Self::Ngn => "ngn",
            Self::Lean => "lean",
            Self::L2o => "l2o",
        })
    }
}

/// Numbers that an update moves: the parameters of S2.
pub(crate) const PARAMETERS: usize = 15_910;

/// One update by a rule; learned ones have the weights that are shipped.
pub(crate) fn update(update: Update, code: Code) -> Part {
    match update {
        Update::Sgd => by(code, Sgd::new(0.1), AnyRule::Sgd),
        Update::Momentum => by(code, Momentum::new(0.1), AnyRule::Momentum),
        Update::Adam => by(code, Adam::new(0.001), AnyRule::Adam),
        Update::Adam16 => by(code, Adam16::new(0.001), AnyRule::Adam16),
        Update::Ngn => by(code, Ngn::new(), AnyRule::Ngn),
        Update::Lean => by(code, learned::lean().clone(), |rule| AnyRule::LeanScaleFree(Arc::new(rule))),
        Update::L2o => by(code, learned::ngn().clone(), |rule| AnyRule::LearnedNgn(Arc::new(rule))),
    }
}

/// An update by a rule, or by the host's form of it, which is compiled for vectors.
fn by<R: Rule + 'static>(code: Code, rule: R, any: impl FnOnce(R) -> AnyRule) -> Part {
    match code {
        Code::Portable => updates(rule),
        Code::Vectors => updates(any(rule)),
    }
}

fn updates<R: Rule + 'static>(rule: R) -> Part {
    let net = Mlp::new(Net::S2.on_heap(), Loss::CrossEntropy);
    let (mut params, mut gradient) = (net.blank_params(), net.blank_params());
    assert_eq!(params.as_slice().len(), PARAMETERS);
    net.initialize(&mut params, &mut Rng::new(1));
    let mut rng = Rng::new(2);
    gradient.as_mut_slice().iter_mut().for_each(|g| *g = 1e-3 * rng.normal());
    let mut state: R::State<HeapTensors> = rule.state(&params);
    warm(move || rule.step(&mut state, &mut params, &gradient, 1.0, &mut NoProbe))
}

/// One decision of the guard on one check batch: paired losses of both candidates and of the current parameters.
pub(crate) fn decision(net: Net, code: Code) -> Part {
    match (code, net) {
        (Code::Vectors, net) => decisions(net, net.on_heap()),
        (Code::Portable, Net::S1) => {
            decisions(net, Fixed::<chain![Dense<2, 32, Tanh>, Dense<32, 32, Tanh>, Dense<32, 2>], BATCH>::new())
        }
        (Code::Portable, Net::S2) => {
            decisions(net, Fixed::<chain![Dense<784, 20, Sigmoid>, Dense<20, 10>], BATCH>::new())
        }
        (Code::Portable, Net::S3) => {
            decisions(net, Fixed::<chain![Dense<784, 128, Relu>, Dense<128, 10>], BATCH>::new())
        }
    }
}

fn decisions<N: BlankNetwork + 'static>(of: Net, network: N) -> Part {
    let net = Mlp::new(network, Loss::CrossEntropy);
    let widths = of.shape().0;
    let (width, classes) = (widths[0], widths[widths.len() - 1]);
    let inputs = numbers(BATCH * width);
    let labels: Vec<u8> = (0..BATCH).map(|i| (i % classes) as u8).collect();
    // On the heap, for shapes that are types are large values.
    let (mut params, mut candidate) = (Box::new(net.blank_params()), Box::new(net.blank_params()));
    net.initialize(&mut params, &mut Rng::new(1));
    net.initialize(&mut candidate, &mut Rng::new(2));
    let mut scratch = Box::new(net.blank_scratch());
    let mut losses = Box::new([net.blank_losses(), net.blank_losses()]);
    warm(move || {
        let batch = Batch::classes(&inputs, width, &labels);
        let mut paired = Paired::default();
        let mut oracle = Oracle::new(&net, &mut scratch, &mut losses);
        oracle.compare(&params, &candidate, Some(&params), batch, &mut paired).expect("a batch that fits");
        std::hint::black_box(&paired);
    })
}

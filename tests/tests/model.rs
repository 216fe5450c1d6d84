//! Models: what a checkpoint of any guard holds is what is predicted with, and nothing else is taken.

use lgl2o::batch::Rows;
use lgl2o::checkpoint::format::{HEADER, TRAILER};
use lgl2o::checkpoint::{CheckpointError, Fingerprint, Persist, Sink, SlotError, Slots};
use lgl2o::guard::LossGuard;
use lgl2o::model::{AsIs, Model};
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{Averaged, Momentum, Ngn};
use lgl2o::source::{Sampler, Source};
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::tensors::Zeroed;
use lgl2o::{Auto, Error, Guard, Memory, Trainer, auto, auto_lean, chain, learned};
use lgl2o_tests::flash::Flash;
use lgl2o_tests::task::{BATCH, Data, SmallMlp, small_mlp, start};
use lgl2o_tests::{bits, with_every_guard};

type One = Fixed<chain![Dense<2, 8, Tanh>, Dense<8, 2>], 1>;
type Params = <SmallMlp as Objective>::Params;
type Own = Model<One, Params, Standardizer<[f32; 2]>>;
type Batches<'a> = Standardized<Sampler<'a>, [f32; 2]>;

const fn net() -> Mlp<One> {
    Mlp::new(One::new(), Loss::CrossEntropy)
}

const fn own() -> Own {
    Model::new(net(), Params::ZERO, Standardizer::new(1))
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = core::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// Calls with a source and its standardizer, over 64 points that are as far from 0 as sensors may be.
fn with_batches<T>(then: impl FnOnce(Batches<'_>) -> T) -> T {
    let mut data = Data::disk(64, 5);
    let mut standardizer = Standardizer::new(64);
    for row in data.inputs.chunks_mut(2) {
        (row[0], row[1]) = (1000.0 + 30.0 * row[0], 0.01 * row[1]);
        standardizer.observe(row).unwrap();
    }
    data.inputs.chunks_mut(2).for_each(|row| standardizer.apply(row).unwrap());
    let (mut pick, mut used) = ([0; BATCH], [0; 2]);
    let source = Sampler::new(&data.inputs, 2, &data.labels, 3, &mut pick, &mut used).unwrap();
    then(Standardized { source, standardizer })
}

/// A run of some rounds; returns its parameters, its standardizer and its checkpoint.
fn run<G>(guard: &G) -> (Params, Standardizer<[f32; 2]>, Vec<u8>)
where
    G: Guard + Fingerprint,
    G::Memory<Params>: Persist,
{
    with_batches(|mut source| {
        let objective = small_mlp();
        let mut memory = Memory::blank(&objective, guard);
        *memory.params_mut() = start(&objective, 4);
        let mut trainer = Trainer::new(&objective, guard, &mut memory);
        for _ in 0..12 {
            trainer.round(&mut source).unwrap();
        }
        let mut bytes = Bytes::default();
        let Ok(()) = trainer.save(&source, &mut bytes);
        (trainer.params().clone(), source.standardizer, bytes.0)
    })
}

/// A model that is loaded from a checkpoint of this guard has the run's accepted parameters and its standardizer.
fn assert_loads<G>(name: &str, guard: &G)
where
    G: Guard + Fingerprint,
    G::Memory<Params>: Persist,
{
    let (params, standardizer, checkpoint) = run(guard);
    assert_ne!(bits::of(&params), bits::of(&start(&small_mlp(), 4)), "{name}: the run has moved");
    let mut model = own();
    model.load(&mut &checkpoint[..]).unwrap();
    assert_eq!(bits::of(model.params()), bits::of(&params), "{name}");
    assert_eq!(model.inputs(), &standardizer);
}

#[test]
fn a_model_loads_from_a_checkpoint_of_any_guard() {
    assert_loads("auto", &auto());
    assert_loads("auto, lean", &auto_lean());
    assert_loads("auto, handed over", &auto().exact(true).race(2).hand_over(4));
    assert_loads("averages", &LossGuard::new(Averaged::new(learned::ngn()), Averaged::new(Ngn::new())));
    with_every_guard!(assert_loads, learned::ngn(), Momentum::new(0.1));
}

/// Softmax in double precision.
fn softmax(outputs: &[f32]) -> Vec<f64> {
    let powers: Vec<f64> = outputs.iter().map(|&a| f64::from(a).exp()).collect();
    let total: f64 = powers.iter().sum();
    powers.iter().map(|p| p / total).collect()
}

/// A borrowing model beside a trainer, and one of its own: both predict what the network says of the standardized row.
#[test]
fn predictions_are_the_networks() {
    let (params, standardizer, checkpoint) = run(&auto());
    let mut loaded = own();
    loaded.load(&mut &checkpoint[..]).unwrap();
    let mut borrowed = Model::new(net(), &params, &standardizer);
    let objective = small_mlp();
    let mut scratch = objective.blank_scratch();
    let mut seen = [false; 2];
    for point in Data::disk(50, 9).inputs.chunks(2) {
        let raw = [1000.0 + 30.0 * point[0], 0.01 * point[1]];
        let mut row = raw;
        standardizer.apply(&mut row).unwrap();
        let outputs = objective.outputs(&mut scratch, &params, Rows::all(&row, 2)).unwrap().to_vec();
        assert_eq!(bits::patterns(loaded.values(&raw).unwrap()), bits::patterns(&outputs));
        let class = u8::from(outputs[1] > outputs[0]);
        seen[usize::from(class)] = true;
        for prediction in [loaded.predict(&raw).unwrap(), borrowed.predict(&raw).unwrap()] {
            assert_eq!(prediction.class, class);
            assert_eq!(prediction.probability(), prediction.probabilities[usize::from(class)]);
            let exact = softmax(&outputs);
            assert!(prediction.probabilities.iter().zip(exact).all(|(&p, q)| (f64::from(p) - q).abs() < 1e-6));
        }
    }
    assert_eq!(seen, [true; 2], "both classes were predicted");
}

/// Equal outputs are the first class; huge ones are no NaN.
#[test]
fn ties_go_to_the_first_class_and_nothing_overflows() {
    let mut params = Params::ZERO;
    params.1.bias = [1e30, 1e30];
    let mut model = Model::new(net(), &params, AsIs);
    let prediction = model.predict(&[0.5, 0.5]).unwrap();
    assert_eq!((prediction.class, prediction.probabilities), (0, &[0.5, 0.5][..]));
    params.1.bias = [-1e30, 1e30];
    let mut model = Model::new(net(), &params, AsIs);
    let prediction = model.predict(&[0.5, 0.5]).unwrap();
    assert_eq!((prediction.class, prediction.probabilities), (1, &[0.0, 1.0][..]));
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let width = |result: Result<_, Error>| matches!(result, Err(Error::ShapeMismatch { expected: 2, .. }));
    let mut model = Model::new(net(), Params::ZERO, AsIs);
    assert!(width(model.predict(&[1.0]).map(|_| ())) && width(model.values(&[1.0; 3]).map(|_| ())));
    assert!(width(own().predict(&[1.0; 3]).map(|_| ())) && width(own().values(&[]).map(|_| ())));
    for bad in [f32::NAN, f32::INFINITY] {
        assert_eq!(model.predict(&[bad, 1.0]).map(|_| ()), Err(Error::NonFiniteInput));
    }
    model.params_mut().1.bias = [f32::MAX, f32::NAN];
    assert_eq!(model.predict(&[1.0, 1.0]).map(|_| ()), Err(Error::NonFiniteOutput));
    let mut values = Model::new(Mlp::new(One::new(), Loss::SquaredError), Params::ZERO, AsIs);
    assert_eq!(values.predict(&[1.0, 1.0]).map(|_| ()), Err(Error::NoClasses));
    assert_eq!(values.values(&[1.0, 1.0]), Ok(&[0.0, 0.0][..]));
}

/// An index of a row that is not there is an error, not the biases.
#[test]
fn outputs_of_a_row_that_is_not_there_are_an_error() {
    let objective = small_mlp();
    let (mut scratch, params) = (objective.blank_scratch(), start(&objective, 1));
    let rows = [0.5; 6];
    assert!(objective.outputs(&mut scratch, &params, Rows::picked(&rows, 2, &[0, 2])).is_ok());
    for pick in [[0, 3], [u32::MAX, 0]] {
        let found = objective.outputs(&mut scratch, &params, Rows::picked(&rows, 2, &pick)).map(|_| ());
        assert_eq!(found, Err(Error::ShapeMismatch { what: "an input row", expected: 2, found: 0 }));
    }
}

/// What does not load leaves the model as it was.
#[test]
fn what_is_wrong_is_refused_and_changes_nothing() {
    let (_, _, good) = run(&auto_lean());
    let refusal = |bytes: &[u8]| {
        let mut model = own();
        model.params_mut().1.bias = [3.0, 4.0];
        let before = (bits::of(model.params()), model.inputs().clone());
        let refusal = model.load(&mut &bytes[..]).err();
        assert_eq!(refusal.is_some(), (bits::of(model.params()), model.inputs().clone()) == before);
        refusal
    };
    assert_eq!(refusal(&good), None);
    for byte in HEADER..good.len() {
        let mut bad = good.clone();
        bad[byte] ^= 1 << (byte % 8);
        assert_eq!(refusal(&bad), Some(CheckpointError::Damaged), "byte {byte}");
    }
    for found in [0, HEADER, good.len() - 1] {
        assert!(matches!(refusal(&good[..found]), Some(CheckpointError::Length { .. })));
    }
    type Wider = Fixed<chain![Dense<2, 9, Tanh>, Dense<9, 2>], 1>;
    let mut wider = Model::new(Mlp::new(Wider::new(), Loss::CrossEntropy), Zeroed::ZERO, AsIs);
    assert_eq!(own_params::<Wider>(&mut wider, &good), Err(CheckpointError::OtherObjective));
    let mut bare = Model::new(net(), Params::ZERO, AsIs);
    let found = good_standardizer();
    assert_eq!(bare.load(&mut &good[..]), Err(CheckpointError::OtherStandardizer { expected: 0, found }));
    let mut more = Model::new(net(), Params::ZERO, Standardizer::<[f32; 3]>::new(1));
    let expected = found + 8;
    assert_eq!(more.load(&mut &good[..]), Err(CheckpointError::OtherStandardizer { expected, found }));
}

fn own_params<N: lgl2o::objective::mlp::Network>(
    model: &mut Model<N, N::Params, AsIs>,
    checkpoint: &[u8],
) -> Result<(), CheckpointError>
where
    N::Activations: Zeroed,
{
    model.load(&mut &checkpoint[..])
}

/// Two columns: two numbers each, two counts and a switch.
const fn good_standardizer() -> usize {
    2 * 2 * 4 + 2 * 4 + 1
}

/// A checkpoint of a source without a standardizer has the bytes that it had before there were models.
#[test]
fn a_run_without_a_standardizer_is_saved_as_before() {
    let objective = small_mlp();
    let guard = auto();
    let mut memory = Memory::<_, Auto>::new();
    *memory.params_mut() = start(&objective, 4);
    let mut trainer = Trainer::new(&objective, &guard, &mut memory);
    let bytes = Data::disk(64, 5).sampling(BATCH, 3, |source| {
        trainer.round(source).unwrap();
        let mut bytes = Bytes::default();
        let Ok(()) = trainer.save(source, &mut bytes);
        assert_eq!(Source::<SmallMlp>::left(source), u32::MAX);
        bytes.0
    });
    assert_eq!(bytes[..8], *b"L2OR\x01\0\0\0");
    let mut model = Model::new(net(), Params::ZERO, AsIs);
    model.load(&mut &bytes[..]).unwrap();
    assert_eq!(bits::of(model.params()), bits::of(trainer.params()));
    let found = 0;
    let expected = good_standardizer();
    assert_eq!(own().load(&mut &bytes[..]), Err(CheckpointError::OtherStandardizer { expected, found }));
}

/// From slots the newest one that fits is loaded, with a model's memory alone.
#[test]
fn a_model_loads_from_flash() {
    let flash = Flash::<4, 4, 1024>::new(16);
    assert!(matches!(Slots::new(flash, 0..16 * 1024).unwrap().load_model(&mut own()), Err(SlotError::NoneLoads(_))));
    let (flash, params) = with_batches(|mut source| {
        let (objective, guard) = (small_mlp(), auto());
        let mut memory = Memory::<_, Auto>::new();
        *memory.params_mut() = start(&objective, 4);
        let mut trainer = Trainer::new(&objective, &guard, &mut memory);
        let mut slots = Slots::new(Flash::<4, 4, 1024>::new(16), 0..16 * 1024).unwrap();
        for _ in 0..3 {
            trainer.round(&mut source).unwrap();
            slots.save(&trainer, &source).unwrap();
        }
        (slots.release(), trainer.params().clone())
    });
    let mut model = own();
    assert_eq!(Slots::new(flash, 0..16 * 1024).unwrap().load_model(&mut model), Ok(3));
    assert_eq!(bits::of(model.params()), bits::of(&params));
}

/// A model takes its parameters, one row's outputs of each layer, and three numbers a column; a checkpoint of it that is
/// loaded is many times as long.
#[test]
fn a_model_takes_no_memory_for_a_trainer() {
    let (params, outputs, columns) = (size_of::<Params>(), 4 * (8 + 2), 3 * 4 * 2);
    // Rows and limit, the switch and its padding.
    assert!(size_of::<Own>() <= params + outputs + columns + 12 + size_of::<Loss>() + 8, "{}", size_of::<Own>());
    assert!(run(&auto()).2.len() > 6 * size_of::<Own>() + HEADER + TRAILER);
}

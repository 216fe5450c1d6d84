//! Held-out checks: what is checked on is never trained on, and the accepted parameters are the best on it.

use lgl2o::batch::{Batch, Targets};
use lgl2o::checkpoint::{Digest, Fingerprint};
use lgl2o::guard::RelayGuard;
use lgl2o::held_out::HeldOut;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::objective::{Objective, Quadratic};
use lgl2o::replay::{Ring, Values};
use lgl2o::rule::{Probe, State};
use lgl2o::source::{Exact, Sampler, Source};
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::tensors::Tensors;
use lgl2o::{Auto, Error, Guard, Memory, Rng, Rule, Trainer, auto, auto_lean, chain};
use lgl2o_tests::run;
use lgl2o_tests::task::{BATCH, Data, SmallMlp, small_mlp, start};

type SmallParams = <SmallMlp as Objective>::Params;

/// Calls with a source over the first rows whose checks are on the others.
fn sampling<T>(data: &Data, held_out: usize, then: impl FnOnce(HeldOut<'_, Sampler<'_>>) -> T) -> T {
    let rows = data.labels.len() - held_out;
    let (mut pick, mut used) = (vec![0; BATCH], vec![0; rows.div_ceil(32)]);
    let sampler = Sampler::new(&data.inputs[..2 * rows], 2, &data.labels[..rows], 3, &mut pick, &mut used).unwrap();
    then(HeldOut::new(sampler, &data.inputs[2 * rows..], 2, &data.labels[rows..], BATCH).unwrap())
}

fn first_inputs(batch: &Batch<'_>) -> Vec<f32> {
    (0..batch.examples()).map(|s| batch.inputs.row(s)[0]).collect()
}

/// 40 rows to train on and 20 to check on, in batches of 8: checks of 8, 8 and 4 rows, again and again.
#[test]
fn checks_go_round_the_held_out_rows_and_training_never_sees_them() {
    let data = Data::disk(60, 1);
    let place = |x: f32| data.inputs.chunks(2).position(|row| row[0] == x).unwrap();
    sampling(&data, 20, |mut source| {
        let source: &mut dyn Source<SmallMlp> = &mut source;
        for _ in 0..2 {
            for rows in [40..48, 48..56, 56..60] {
                let found = first_inputs(&source.check().unwrap());
                assert_eq!(found.into_iter().map(place).collect::<Vec<_>>(), rows.collect::<Vec<_>>());
            }
        }
        let mut parts = Vec::new();
        while let Some(part) = source.objective(parts.len()).unwrap() {
            parts.push(part.examples());
        }
        assert_eq!(parts, [8, 8, 4]);
        assert_eq!(source.room(), u32::MAX, "a round may train on all of its examples");
        for _ in 0..20 {
            assert!(first_inputs(&source.train().unwrap()).into_iter().map(place).all(|row| row < 40));
        }
    });
}

#[test]
fn rows_that_do_not_fit_are_refused() {
    let (rows, labels) = ([0.0; 6], [0; 3]);
    assert!(HeldOut::new(Exact, &rows, 2, &labels, 2).is_ok());
    assert_eq!(HeldOut::new(Exact, &[], 2, &[], 2).err(), Some(Error::EmptyBatch));
    assert_eq!(HeldOut::new(Exact, &rows, 2, &labels, 0).err(), Some(Error::EmptyBatch));
    assert!(matches!(
        HeldOut::new(Exact, &rows[..5], 2, &labels, 2).err(),
        Some(Error::ShapeMismatch { expected: 6, found: 5, .. })
    ));
}

/// Five rows of two numbers and three values each, in checks of two; another number of values is another source.
#[test]
fn values_are_checked_on_like_labels() {
    let (rows, values): (Vec<f32>, Vec<f32>) =
        ((0..10u8).map(f32::from).collect(), (0..15u8).map(|i| f32::from(100 + i)).collect());
    let mut held_out = HeldOut::values(Ending, &rows, 2, &values, 3, 2).unwrap();
    let of = |batch: &Batch<'_>| {
        let Targets::Values(values) = batch.targets else { panic!("values") };
        (0..batch.examples()).map(|s| [batch.inputs.row(s).to_vec(), values.row(s).to_vec()].concat()).collect()
    };
    let row = |i: u8| [2 * i, 2 * i + 1, 100 + 3 * i, 101 + 3 * i, 102 + 3 * i].map(f32::from).to_vec();
    let checks: Vec<Vec<Vec<f32>>> = (0..4).map(|_| of(&Source::<SmallMlp>::check(&mut held_out).unwrap())).collect();
    assert_eq!(checks, [vec![row(0), row(1)], vec![row(2), row(3)], vec![row(4)], vec![row(0), row(1)]]);
    let part =
        |source: &mut HeldOut<'_, Ending>, i| Source::<SmallMlp>::objective(source, i).unwrap().map(|batch| of(&batch));
    let parts: Vec<Vec<Vec<f32>>> = (0..).map_while(|i| part(&mut held_out, i)).collect();
    assert_eq!(parts, checks[..3]);
    assert!(Source::<SmallMlp>::objective(&mut held_out, usize::MAX).unwrap().is_none());
    let refused =
        |rows: &[f32], values: &[f32], outputs, size| HeldOut::values(Ending, rows, 2, values, outputs, size).err();
    assert_eq!(refused(&[], &[], 3, 2), Some(Error::EmptyBatch));
    assert_eq!(refused(&rows, &values, 3, 0), Some(Error::EmptyBatch));
    let of_values = |expected, found| Some(Error::ShapeMismatch { what: "the held-out values", expected, found });
    assert_eq!(refused(&rows, &values[..14], 3, 2), of_values(15, 14));
    assert_eq!(refused(&rows, &values[..12], 3, 2), of_values(15, 12));
    assert_eq!(refused(&rows, &[], 3, 2), of_values(15, 0));
    let none = HeldOut::values(Ending, &[], 0, &values, 3, 2).err();
    for error in [none, refused(&rows, &values, 0, 2), refused(&rows, &[], 0, 2)] {
        assert!(matches!(error, Some(Error::InvalidSetting { what }) if what.contains("at least one")), "{error:?}");
    }
    let inputs = Error::ShapeMismatch { what: "the held-out inputs", expected: 10, found: 9 };
    assert_eq!(refused(&rows[..9], &values, 3, 2), Some(inputs));
    let names = [
        HeldOut::values(Exact, &rows[..6], 2, &values[..3], 1, 2).unwrap().fingerprint(),
        HeldOut::values(Exact, &rows[..6], 2, &values[..6], 2, 2).unwrap().fingerprint(),
        HeldOut::new(Exact, &rows[..6], 2, &[0; 3], 2).unwrap().fingerprint(),
    ];
    assert!(names[0] != names[1] && names[1] != names[2] && names[0] != names[2]);
}

/// `auto` keeps the parameters whose values were nearest on rows that were held out: an epoch on noise never makes them worse.
#[test]
fn the_accepted_parameters_are_the_best_on_held_out_values() {
    type Net = Mlp<Fixed<chain![Dense<1, 12, Tanh>, Dense<12, 2>], 8>>;
    let mut rng = Rng::new(4);
    let angles: Vec<f32> = (0..60).map(|_| rng.range(-3.0, 3.0)).collect();
    let noisy: Vec<[f32; 2]> =
        angles.iter().map(|x| [x.sin() + 0.4 * rng.normal(), x.cos() + 0.4 * rng.normal()]).collect();
    let (mut rows, mut kept, mut pick, mut used) = ([0.0; 20], [0.0; 40], [0; 8], [0; 1]);
    let mut ring = Ring::new(&mut rows, 1, Values::new(&mut kept, 2), 1, &mut pick, &mut used).unwrap();
    angles.iter().zip(&noisy).take(20).for_each(|(x, y)| assert!(ring.push(&[*x], y).unwrap()));
    let mut source = HeldOut::values(ring, &angles[20..], 1, noisy[20..].as_flattened(), 2, 8).unwrap();
    let (net, guard) = (Net::new(Fixed::new(), Loss::SquaredError), auto().held_out(true));
    let mut memory = Memory::<Net, Auto>::new();
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    let mut losses = Vec::new();
    while trainer.progress().steps < 3000 {
        let part = |i: usize| {
            Batch::values(&angles[20 + 8 * i..28 + 8 * i], 1, noisy[20 + 8 * i..28 + 8 * i].as_flattened(), 2)
        };
        losses.push((0..5).map(|i| trainer.loss(part(i)).unwrap()).sum::<f32>() / 5.0);
        trainer.round(&mut source).unwrap();
    }
    assert!(losses.windows(2).all(|pair| pair[1] <= pair[0] * 1.0001), "{losses:?}");
    assert!(losses[losses.len() - 1] < 0.5 * losses[0], "{losses:?}");
}

/// A source that has 7 steps left.
struct Ending;

impl Source<Quadratic<1>> for Ending {
    fn left(&self) -> u32 {
        7
    }
    fn room(&self) -> u32 {
        5
    }
    fn epoch(&self) -> u32 {
        3
    }
    fn train(&mut self) -> Result<(), Error> {
        Ok(())
    }
    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

impl Source<SmallMlp> for Ending {
    fn left(&self) -> u32 {
        7
    }
    fn epoch(&self) -> u32 {
        3
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Err(Error::NoBatch)
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Err(Error::NoBatch)
    }
}

#[test]
fn sources_around_a_source_know_its_epoch_and_how_many_steps_are_left() {
    let standardized = Standardized { source: Ending, standardizer: Standardizer::<[f32; 2]>::new(4) };
    assert_eq!(Source::<Quadratic<1>>::left(&standardized), 7);
    assert_eq!(Source::<Quadratic<1>>::room(&standardized), 5);
    assert_eq!(Source::<Quadratic<1>>::epoch(&standardized), 3);
    let held_out = HeldOut::new(Ending, &[0.0; 2], 2, &[0], 1).unwrap();
    assert_eq!(Source::<SmallMlp>::left(&held_out), 7);
    assert_eq!(Source::<SmallMlp>::epoch(&held_out), 3);
    // A last batch that is not full counts.
    let data = Data::disk(33, 1);
    data.sampling(16, 1, |sampler| assert_eq!(Source::<SmallMlp>::epoch(sampler), 3));
}

/// Every seventh training label is wrong, so that longer training is worse on the held-out rows, which are right.
fn noisy() -> Data {
    let mut data = Data::disk(96, 5);
    data.labels[..64].iter_mut().step_by(7).for_each(|label| *label = 1 - *label);
    data
}

/// Mean loss over the last 32 rows.
fn held_out_loss<G: Guard>(data: &Data, trainer: &mut Trainer<'_, SmallMlp, G>) -> f32 {
    let parts = (64..96).step_by(BATCH).map(|at| {
        let batch = Batch::classes(&data.inputs[2 * at..2 * (at + BATCH)], 2, &data.labels[at..at + BATCH]);
        trainer.loss(batch).unwrap()
    });
    parts.sum::<f32>() / 4.0
}

macro_rules! the_best_is_kept {
    ($($name:ident: $guard:expr, $checked:ident;)+) => {$(
        #[test]
        fn $name() {
            let (data, net, guard) = (noisy(), small_mlp(), $guard.$checked(true));
            let [mut best, mut windows] = [f32::INFINITY, 0.0];
            sampling(&data, 32, |mut source| {
                let mut memory = run::memory(&net, &guard, &start(&net, 2));
                let mut trainer = Trainer::new(&net, &guard, &mut memory);
                while trainer.progress().steps < 3000 {
                    trainer.round(&mut source).unwrap();
                    let loss = held_out_loss(&data, &mut trainer);
                    // The guard adds the parts in another order.
                    assert!(loss <= best * 1.00001, "{loss} after {best}");
                    windows += f32::from(u8::from(loss < best));
                    best = loss;
                }
            });
            let trained = Data { inputs: data.inputs[..128].to_vec(), labels: data.labels[..64].to_vec() };
            let unchecked = trained.sampling(BATCH, 3, |source| {
                let mut memory = run::memory(&net, &$guard, &start(&net, 2));
                let guard = $guard;
                let mut trainer = Trainer::new(&net, &guard, &mut memory);
                while trainer.progress().steps < 3000 {
                    trainer.round(source).unwrap();
                }
                held_out_loss(&data, &mut trainer)
            });
            assert!(windows > 2.0 && best < 0.95 * unchecked, "{windows} windows, {best} against {unchecked}");
        }
    )+};
}

the_best_is_kept! {
    the_best_on_held_out_rows_is_kept: auto(), held_out;
    and_in_less_memory: auto_lean(), held_out;
    without_scaling_the_last_layer: auto(), exact;
}

/// Makes steps that change nothing.
#[derive(Debug, Clone, Copy)]
struct Still;

impl Fingerprint for Still {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("still");
    }
}

impl Rule for Still {
    type State<P: Tensors> = State<P, 0>;
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }
    fn step<P: Tensors>(&self, _: &mut State<P, 0>, _: &mut P, _: &P, _: f32, _: &mut impl Probe<P>) {}
    fn observe<P: Tensors>(&self, _: &mut State<P, 0>, _: &P, _: &P, _: f32) {}
}

/// What 3,000 steps that change nothing leave.
fn still_from(data: &Data, start: &SmallParams, guard: &RelayGuard<Still, Still>) -> SmallParams {
    let net = small_mlp();
    sampling(data, 32, |mut source| {
        let mut memory = run::memory(&net, guard, start);
        let mut trainer = Trainer::new(&net, guard, &mut memory);
        while trainer.progress().steps < 3000 {
            trainer.round(&mut source).unwrap();
        }
        trainer.params().clone()
    })
}

/// A network that is trained, and then 16 times as sure, and sides that change nothing: what a guard without held-out rows leaves as it is.
#[test]
fn a_last_layer_that_is_too_sure_is_scaled_down_and_no_other() {
    let (data, net) = (noisy(), small_mlp());
    let mut sure = start(&net, 2);
    sampling(&data, 32, |mut source| {
        let guard = auto().held_out(true);
        let mut memory = run::memory(&net, &guard, &sure);
        let mut trainer = Trainer::new(&net, &guard, &mut memory);
        while trainer.progress().steps < 500 {
            trainer.round(&mut source).unwrap();
        }
        sure.copy_from(trainer.params());
    });
    let last = [2, 3];
    last.iter().for_each(|&i| sure.tensor_mut(i).iter_mut().for_each(|w| *w *= 16.0));
    let scaled = |c: f32| {
        let mut params = sure.clone();
        last.iter().for_each(|&i| params.tensor_mut(i).iter_mut().for_each(|w| *w *= c));
        params
    };
    let loss_at = |params: &_| {
        let guard = RelayGuard::new(Still, Still);
        let mut memory = run::memory(&net, &guard, params);
        held_out_loss(&data, &mut Trainer::new(&net, &guard, &mut memory))
    };
    assert_eq!(still_from(&data, &sure, &RelayGuard::new(Still, Still).exact(true)), sure, "nothing is better");
    let kept = still_from(&data, &sure, &RelayGuard::new(Still, Still).held_out(true));
    assert_eq!((kept.tensor(0), kept.tensor(1)), (sure.tensor(0), sure.tensor(1)));
    let c = kept.tensor(2)[0] / sure.tensor(2)[0];
    let best = (1..64).map(|i| loss_at(&scaled(i as f32 / 64.0))).fold(f32::INFINITY, f32::min);
    assert!(c < 0.25 && loss_at(&kept) < 1.02 * best, "{c}: {} where {best} can be had", loss_at(&kept));
    // A network that is not sure enough stays as it is: a few rows that are all right would make it sure without end.
    let unsure = scaled(0.01);
    assert_eq!(still_from(&data, &unsure, &RelayGuard::new(Still, Still).held_out(true)), unsure);
}

//! Held-out checks: what is checked on is never trained on, and the accepted parameters are the best on it.

use lgl2o::batch::Batch;
use lgl2o::held_out::HeldOut;
use lgl2o::objective::Quadratic;
use lgl2o::source::{Exact, Sampler, Source};
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::{Error, Guard, Trainer, auto, auto_lean};
use lgl2o_tests::run;
use lgl2o_tests::task::{BATCH, Data, SmallMlp, small_mlp, start};

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
    ($($name:ident: $guard:expr,)+) => {$(
        #[test]
        fn $name() {
            let (data, net, guard) = (noisy(), small_mlp(), $guard.exact(true));
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
    the_best_on_held_out_rows_is_kept: auto(),
    and_in_less_memory: auto_lean(),
}

//! Where a run's minibatches come from: all training examples, or four fifths of them and checks on the others.

use std::borrow::Cow;

use lgl2o::batch::Batch;
use lgl2o::checkpoint::{Digest, Fingerprint, Origin, Persist, Sink};
use lgl2o::held_out::HeldOut;
use lgl2o::shuffle::Shuffle;
use lgl2o::source::{Sampler, Source};
use lgl2o::{Error, Objective, Rng};

use crate::data::Dataset;
use crate::optimizer::Method;

/// One of so many training examples is held out.
const HELD_OUT: usize = 5;

/// How many of so many training examples a method checks on and does not train on.
#[must_use]
pub fn held_out(method: &Method, rows: usize) -> usize {
    if method.holds_out() { (rows / HELD_OUT).max(1) } else { 0 }
}

/// The training examples of one run.
#[derive(Debug)]
pub struct Examples<'a> {
    inputs: Cow<'a, [f32]>,
    labels: Cow<'a, [u8]>,
    width: usize,
    /// Rows that are trained on; the others are checked on.
    trained: usize,
    pick: Vec<u32>,
    used: Vec<u32>,
    seed: u64,
}

impl<'a> Examples<'a> {
    /// Those of a run with this method and seed. Which ones are held out depends on the seed alone.
    #[must_use]
    pub fn new(train: &'a Dataset, method: &Method, batch: usize, seed: u64) -> Self {
        let (rows, width) = (train.len(), train.width());
        let (pick, used) = (vec![0; batch], vec![0; rows.div_ceil(32)]);
        if !method.holds_out() {
            let (inputs, labels) = (Cow::Borrowed(train.inputs()), Cow::Borrowed(train.labels()));
            return Self { inputs, labels, width, trained: rows, pick, used, seed };
        }
        let order = Shuffle::new(rows as u32, &mut Rng::stream(seed, 3));
        let (mut inputs, mut labels) = (Vec::with_capacity(rows * width), Vec::with_capacity(rows));
        for i in 0..rows as u32 {
            let (input, label) = train.row(order.at(i) as usize);
            inputs.extend_from_slice(input);
            labels.push(label);
        }
        let trained = rows - held_out(method, rows);
        Self { inputs: Cow::Owned(inputs), labels: Cow::Owned(labels), width, trained, pick, used, seed }
    }

    /// Their minibatches.
    ///
    /// # Errors
    /// Those of [`Sampler::new`].
    pub fn source(&mut self) -> Result<Minibatches<'_>, Error> {
        let Self { inputs, labels, width, trained, pick, used, seed } = self;
        let ((inputs, checked_inputs), (labels, checked)) =
            (inputs.split_at(*trained * *width), labels.split_at(*trained));
        let size = pick.len();
        let sampler = Sampler::new(inputs, *width, labels, *seed, pick, used)?;
        if checked.is_empty() {
            return Ok(Minibatches::All(sampler));
        }
        Ok(Minibatches::HeldOut(HeldOut::new(sampler, checked_inputs, *width, checked, size)?))
    }
}

/// The source of a run.
#[derive(Debug)]
pub enum Minibatches<'a> {
    /// Trains and checks on all examples.
    All(Sampler<'a>),
    /// Checks on examples that it never trains on.
    HeldOut(HeldOut<'a, Sampler<'a>>),
}

/// Calls a method of whichever source is there.
macro_rules! each {
    ($self:expr, $source:ident => $call:expr) => {
        match $self {
            Minibatches::All($source) => $call,
            Minibatches::HeldOut($source) => $call,
        }
    };
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Minibatches<'_> {
    fn begin_round(&mut self) {
        each!(self, source => Source::<O>::begin_round(source));
    }
    fn room(&self) -> u32 {
        each!(self, source => Source::<O>::room(source))
    }
    fn left(&self) -> u32 {
        each!(self, source => Source::<O>::left(source))
    }
    fn epoch(&self) -> u32 {
        each!(self, source => Source::<O>::epoch(source))
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        each!(self, source => Source::<O>::train(source))
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        each!(self, source => Source::<O>::check(source))
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        each!(self, source => Source::<O>::objective(source, i))
    }
}

impl Persist for Minibatches<'_> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        each!(self, source => source.save(sink))
    }
    fn load<F: Origin>(&mut self, origin: &mut F) -> Result<(), F::Error> {
        each!(self, source => source.load(origin))
    }
}

impl Fingerprint for Minibatches<'_> {
    fn describe(&self, digest: &mut Digest) {
        each!(self, source => source.describe(digest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::HeapNetwork;
    use crate::optimizer::{Tuned, parse};
    use lgl2o::objective::Mlp;

    fn method(name: &str) -> Method {
        parse(name, &Tuned::default()).expect("an optimizer").method
    }

    /// Inputs of the rows that a run's source trains on in an epoch, and of those that it checks on.
    fn rows(data: &Dataset, name: &str, seed: u64) -> [Vec<u32>; 2] {
        let mut examples = Examples::new(data, &method(name), 4, seed);
        let mut source = examples.source().expect("it fits");
        let source: &mut dyn Source<Mlp<HeapNetwork>> = &mut source;
        let inputs =
            |batch: Batch<'_>| -> Vec<u32> { (0..batch.examples()).map(|s| batch.inputs.row(s)[0] as u32).collect() };
        let mut trained: Vec<u32> = (0..5).flat_map(|_| inputs(source.train().expect("a batch"))).collect();
        let mut checked = Vec::new();
        for i in 0.. {
            match source.objective(i).expect("there is one") {
                Some(part) => checked.extend(inputs(part)),
                None => break,
            }
        }
        trained.sort_unstable();
        trained.dedup();
        checked.sort_unstable();
        [trained, checked]
    }

    #[test]
    fn a_fifth_is_held_out_by_the_seed_where_the_method_wants_it() {
        let inputs = (0..25).map(|i| i as f32).collect();
        let data = Dataset::new(inputs, (0..25).map(|i| i % 2).collect(), 1, 2, None).expect("data");
        let [trained, checked] = rows(&data, "auto(held-out)", 1);
        assert_eq!((trained.len(), checked.len()), (20, 5));
        assert!(checked.iter().all(|row| !trained.contains(row)));
        assert_ne!(rows(&data, "auto(held-out)", 2)[1], checked);
        assert_eq!(rows(&data, "auto", 1)[1], (0..25).collect::<Vec<u32>>());
        assert_eq!([3, 25].map(|rows| held_out(&method("auto-lean(held-out)"), rows)), [1, 5], "never none");
        assert_eq!(held_out(&method("auto"), 25), 0);
    }
}

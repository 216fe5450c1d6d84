//! Times of the parts of a training step, by the core's portable code and by this machine's vectors.
//!
//! Kernels are those of each layer of the networks of `lgl2o bench`, for a batch of 128; an item is a multiply-add. An update
//! moves the 15,910 parameters of S2; an item is one of them. A decision is the guard's on one check batch.
//!
//! ```console
//! $ cargo bench -p lgl2o-host --bench parts                         # all, in some seconds
//! $ cargo bench -p lgl2o-host --bench parts -- 'forward.*S3'        # what has this in its name
//! $ cargo bench -p lgl2o-host --bench parts -- --sort location      # portable code first
//! $ cargo bench -p lgl2o-host --bench parts -- --sample-count 1000  # longer
//! ```
//!
//! Where other programs run, too, the fastest call and the median say more than the mean.

mod shared;

use std::fmt;

use divan::Bencher;
use divan::counter::ItemsCount;
use shared::{Code, InputError, Layer, Net, PARAMETERS, Update};

/// A part by one of the two codes.
#[derive(Clone, Copy)]
struct By<T>(T, Code);

impl<T: fmt::Display> fmt::Display for By<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.0, self.1)
    }
}

/// Each by both codes, side by side.
fn by_both<T: Copy>(all: impl IntoIterator<Item = T>) -> impl Iterator<Item = By<T>> {
    all.into_iter().flat_map(|part| Code::BOTH.map(|code| By(part, code)))
}

fn main() {
    divan::main();
}

#[divan::bench(args = by_both(Layer::all()))]
fn forward(bencher: Bencher<'_, '_>, By(layer, code): By<Layer>) {
    bencher.counter(ItemsCount::new(layer.multiply_adds())).bench_local(shared::forward(layer, code));
}

#[divan::bench(args = by_both(Layer::all()))]
fn weight_gradient(bencher: Bencher<'_, '_>, By(layer, code): By<Layer>) {
    bencher.counter(ItemsCount::new(layer.multiply_adds())).bench_local(shared::weight_gradient(layer, code));
}

#[divan::bench(args = by_both(Layer::all().into_iter().filter(|layer| layer.has_below())))]
fn input_error(bencher: Bencher<'_, '_>, By(layer, code): By<Layer>) {
    let part = InputError::new(layer, code);
    bencher
        .counter(ItemsCount::new(layer.multiply_adds()))
        .with_inputs(|| part.inputs())
        .bench_local_refs(|inputs| part.write_over(inputs));
}

#[divan::bench(args = by_both(Update::ALL))]
fn update(bencher: Bencher<'_, '_>, By(update, code): By<Update>) {
    bencher.counter(ItemsCount::new(PARAMETERS)).bench_local(shared::update(update, code));
}

#[divan::bench(args = by_both(Net::ALL))]
fn decision(bencher: Bencher<'_, '_>, By(net, code): By<Net>) {
    bencher.bench_local(shared::decision(net, code));
}

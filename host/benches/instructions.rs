//! Instructions that the parts of a training step take, counted by valgrind's callgrind: the same in every run, so that a
//! change of a hundredth shows where times would not show it.
//!
//! Kernels are those of each layer of the networks of `lgl2o bench`, for a batch of 128. An update moves the 15,910
//! parameters of S2. A decision is the guard's on one check batch. Each is counted by the core's portable code and then by the
//! host's code for vectors. The line below compares them, portable first: 3.79x says that the portable code takes 3.79 times
//! as many.
//!
//! The host chooses its vectors when it runs, and valgrind is a processor of its own: it has AVX2 where the machine has it,
//! and no AVX-512. With `--nocapture` each count says which were chosen. Instructions are not times: one of AVX2 does the work
//! of two of SSE2, and not always in the time of one.
//!
//! ```console
//! $ cargo install gungraun-runner --version 0.20.0 --locked  # once, of the version that gungraun has in Cargo.lock
//! $ cargo bench -p lgl2o-host --features callgrind --bench instructions
//! $ cargo bench -p lgl2o-host --features callgrind --bench instructions -- '*update*'
//! ```
//!
//! It needs valgrind, too. All take less than a minute.

// Modules that gungraun makes have no documentation.
#![allow(missing_docs)]

// Names and lists of parts are for the other benchmark.
#[allow(dead_code)]
mod shared;

use std::hint::black_box;

use gungraun::{
    Callgrind, EventKind, LibraryBenchmarkConfig, OutputFormat, library_benchmark, library_benchmark_group, main,
};
use shared::{Code, InputError, Layer, Net, Part, Update};

/// A group of parts by both codes; a part is named by what it is of.
macro_rules! group {
    ($group:ident: $portable:ident, $vectors:ident, $part:path, $($id:ident = $of:expr,)+) => {
        #[library_benchmark]
        $(#[bench::$id(portable($part, $of))])+
        fn $portable(part: Part) -> Part {
            again(part)
        }

        #[library_benchmark]
        $(#[bench::$id(vectors($part, $of))])+
        fn $vectors(part: Part) -> Part {
            again(part)
        }

        library_benchmark_group!(name = $group; compare_by_id = true; benchmarks = $portable, $vectors);
    };
}

fn portable<T>(part: fn(T, Code) -> Part, of: T) -> Part {
    part(of, Code::Portable)
}

/// Says which vectors were chosen; that is shown with `--nocapture`.
fn vectors<T>(part: fn(T, Code) -> Part, of: T) -> Part {
    println!("by {}", Code::Vectors);
    part(of, Code::Vectors)
}

/// Does the work once more; gives it back, so that its memory is not freed while instructions are counted.
#[inline(always)]
fn again(mut part: Part) -> Part {
    part();
    black_box(part)
}

/// What a layer hands down, once, after a call that is not counted.
fn input_error(layer: Layer, code: Code) -> Part {
    let part = InputError::new(layer, code);
    let mut inputs = part.inputs();
    part.write_over(&mut inputs.clone());
    Box::new(move || part.write_over(&mut inputs))
}

group!(forward: forward_portable, forward_vectors, shared::forward,
    s1_2_32 = Layer(Net::S1, 0),
    s1_32_32 = Layer(Net::S1, 1),
    s1_32_2 = Layer(Net::S1, 2),
    s2_784_20 = Layer(Net::S2, 0),
    s2_20_10 = Layer(Net::S2, 1),
    s3_784_128 = Layer(Net::S3, 0),
    s3_128_10 = Layer(Net::S3, 1),
);

group!(weight_gradient: weight_gradient_portable, weight_gradient_vectors, shared::weight_gradient,
    s1_2_32 = Layer(Net::S1, 0),
    s1_32_32 = Layer(Net::S1, 1),
    s1_32_2 = Layer(Net::S1, 2),
    s2_784_20 = Layer(Net::S2, 0),
    s2_20_10 = Layer(Net::S2, 1),
    s3_784_128 = Layer(Net::S3, 0),
    s3_128_10 = Layer(Net::S3, 1),
);

group!(input_error: input_error_portable, input_error_vectors, input_error,
    s1_32_32 = Layer(Net::S1, 1),
    s1_32_2 = Layer(Net::S1, 2),
    s2_20_10 = Layer(Net::S2, 1),
    s3_128_10 = Layer(Net::S3, 1),
);

group!(update: update_portable, update_vectors, shared::update,
    sgd = Update::Sgd,
    momentum = Update::Momentum,
    adam = Update::Adam,
    adam16 = Update::Adam16,
    ngn = Update::Ngn,
    lean = Update::Lean,
    l2o = Update::L2o,
);

group!(decision: decision_portable, decision_vectors, shared::decision,
    s1 = Net::S1,
    s2 = Net::S2,
    s3 = Net::S3,
);

main!(
    config = LibraryBenchmarkConfig::default()
        .tool(Callgrind::with_args(["--cache-sim=no"]).format([EventKind::Ir]))
        .output_format(OutputFormat::default().truncate_description(Some(0)));
    library_benchmark_groups = forward, weight_gradient, input_error, update, decision
);

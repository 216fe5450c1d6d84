//! Step times of candle and burn on the networks of `lgl2o bench`: run both, one right after the other, on the same machine.
//!
//! ```console
//! $ cd tests/peers && RAYON_NUM_THREADS=1 taskset -c 0 cargo run --release
//! ```
//!
//! One thread, batches of 128 that lie in memory, the same one in each step. A figure is the median of seven runs of 300
//! steps, in microseconds a step on the processor, as in `tests/peers/peers.py`.

mod burn_peer;
mod candle_peer;

/// Examples in a batch.
const BATCH: usize = 128;
const RUNS: usize = 7;
const STEPS: usize = 300;

/// The activations of the hidden layers.
#[derive(Debug, Clone, Copy)]
enum Act {
    Tanh,
    Sigmoid,
    Relu,
}

/// What moves the parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rule {
    Sgd,
    Adam,
}

/// Microseconds a step, of one run.
fn time<E>(mut step: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    step()?;
    let start = cpu_time::ProcessTime::now();
    for _ in 0..STEPS {
        step()?;
    }
    Ok(start.elapsed().as_secs_f64() * 1e6 / STEPS as f64)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

/// The inputs of the one batch: some numbers in \[0, 1).
fn inputs(width: usize) -> Vec<f32> {
    (0..BATCH * width).map(|i| (i * 7919 % 1000) as f32 / 1000.0).collect()
}

/// Weights between a layer of so many inputs and the next: some numbers in +-sqrt(3 / in).
fn weights(inputs: usize, outputs: usize) -> Vec<f32> {
    let bound = (3.0 / inputs as f32).sqrt();
    (0..inputs * outputs).map(|i| bound * ((i * 7907 % 1999) as f32 / 999.0 - 1.0)).collect()
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let networks: [(&str, &[usize], Act); 3] = [
        ("S1", &[2, 32, 32, 2], Act::Tanh),
        ("S2", &[784, 20, 10], Act::Sigmoid),
        ("S3", &[784, 128, 10], Act::Relu),
    ];
    for (name, widths, act) in networks {
        for rule in [Rule::Sgd, Rule::Adam] {
            let candle = (0..RUNS).map(|_| candle_peer::run(widths, act, rule)).collect::<Result<Vec<_>, _>>()?;
            let burn = (0..RUNS).map(|_| burn_peer::run(widths, act, rule)).collect();
            println!("{name} {rule:?}: candle {:.1}, burn {:.1}", median(candle), median(burn));
        }
    }
    Ok(())
}

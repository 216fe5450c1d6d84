//! An alarm for a machine without labelled data: an autoencoder that keeps learning what is normal.
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::{Memory, Model, Rng, Trainer, anomaly::Monitor, anomaly::State, auto, chain};
use lgl2o::{replay::Reconstruction, replay::Ring, standardize::Standardized, standardize::Standardizer};

type Layers = chain![Dense<12, 4, Tanh>, Dense<4, 12>];
static NET: Mlp<Fixed<Layers, 16>> = Mlp::new(Fixed::new(), Loss::SquaredError);
const ONE: Mlp<Fixed<Layers, 1>> = Mlp::new(Fixed::new(), Loss::SquaredError);

fn main() -> Result<(), lgl2o::Error> {
    // All memory; on a device, in statics. The monitor keeps 128 held-out scores, and lets 5 windows vote.
    let (mut rows, mut pick, mut used) = ([0.0; 12 * 200], [0; 16], [0; 7]);
    let source = Ring::new(&mut rows, 12, Reconstruction, 1, &mut pick, &mut used)?;
    let mut batches = Standardized { source, standardizer: Standardizer::<[f32; 12]>::new(100) };
    let (guard, mut memory, mut monitor, mut sensor) =
        (auto(), Memory::new(), Monitor::<128, 5>::new(300), Rng::new(3));
    NET.initialize(memory.params_mut(), &mut Rng::new(2));
    let mut trainer = Trainer::new(&NET, &guard, &mut memory);
    for window in 0..2000 {
        let mut row = measure(&mut sensor, window);
        // The score first: held-out errors are those of windows that were not trained on. A broken sensor's window is bad.
        let model = &mut Model::new(ONE, trainer.params(), &batches.standardizer);
        let score = model.reconstruction_error(&row).unwrap_or(f32::INFINITY);
        if monitor.watch(score) == State::Alarm {
            println!("alarm at window {window}: error {score:.3}, threshold {:?}", monitor.threshold());
            break;
        }
        if batches.push(&mut row, ())? && batches.source.len() >= 32 {
            trainer.round(&mut batches)?;
        }
    }
    Ok(())
}

/// The sensor: twelve features that follow the load, in units of their own; from window 1,800 on one no longer does.
fn measure(rng: &mut Rng, window: u32) -> [f32; 12] {
    let (load, broken) = (rng.range(0.5, 1.5), window >= 1800);
    let follows = |i: usize| if broken && i == 3 { 1.0 } else { load };
    core::array::from_fn(|i| [0.01, 1.0, 40.0, 1e4][i % 4] * (follows(i) + 0.05 * rng.normal()))
}

//! A pump monitor that learns while the pump runs: 24 features of a vibration sensor, four states, the rare ones kept.
use lgl2o::metrics::Confusion;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::replay::{Classes, Reservoir};
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::{Auto, Memory, Model, Rng, Trainer, auto, chain};

type Layers = chain![Dense<24, 16, Tanh>, Dense<16, 4>];
static NET: Mlp<Fixed<Layers, 16>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
const ONE: Mlp<Fixed<Layers, 1>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
static GUARD: Auto = auto();

fn main() -> Result<(), lgl2o::Error> {
    // All memory; on a device, in statics.
    let (mut rows, mut labels, mut seen, mut pick, mut used) = ([0.0; 24 * 400], [0; 400], [0; 4], [0; 16], [0; 13]);
    let source = Reservoir::new(&mut rows, 24, Classes::new(&mut labels, 4), &mut seen, 1, &mut pick, &mut used)?;
    let mut batches = Standardized { source, standardizer: Standardizer::<[f32; 24]>::new(100) };
    let (mut memory, mut sensor, mut confusion) = (Memory::new(), Rng::new(3), Confusion::<4>::new());
    NET.initialize(memory.params_mut(), &mut Rng::new(2));
    let mut trainer = Trainer::new(&NET, &GUARD, &mut memory);
    for window in 0..1500 {
        let (mut row, state) = measure(&mut sensor);
        if window >= 1000 {
            confusion.count(state, Model::new(ONE, trainer.params(), &batches.standardizer).predict(&row)?.class)?;
        }
        if batches.push(&mut row, state)? && batches.source.len() >= 32 {
            trainer.round(&mut batches)?;
        }
    }
    println!("{:?}, balanced accuracy {:?}", confusion.counts(), confusion.balanced_accuracy());
    Ok(())
}

/// The sensor: every feature has a unit of its own; each fault raises some of them by half.
fn measure(rng: &mut Rng) -> ([f32; 24], u8) {
    let state = (rng.below(20) as usize).saturating_sub(14).div_ceil(2);
    let unit = |i: usize| [0.001, 0.02, 1.0, 30.0, 1e3, 5e4][i % 6];
    let raise = |i: usize| if i % 3 + 1 == state { 1.5 } else { 1.0 };
    (core::array::from_fn(|i| unit(i) * raise(i) * (1.0 + 0.3 * rng.normal())), state as u8)
}

//! Gestures from raw windows of an accelerometer: convolutions find their own features, and there is no number to set.
use lgl2o::objective::mlp::{Fixed, Loss, Mlp, Relu};
use lgl2o::{Auto, Memory, Model, Rng, Trainer, auto, chain, metrics::Confusion, model::AsIs, source::Sampler};

// 64 samples of 3 axes, the axes of a sample side by side.
type Layers = chain![64 x 3 => conv1d(8, 7, 2, 3, Relu), conv1d(8, 3, 2, 1, Relu), average_pool(16), dense(4)];
static NET: Mlp<Fixed<Layers, 16>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
const ONE: Mlp<Fixed<Layers, 1>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
static GUARD: Auto = auto();

fn main() -> Result<(), lgl2o::Error> {
    let (mut sensor, mut rows, mut labels) = (Rng::new(3), [0.0; 192 * 200], [0; 200]);
    for (row, label) in rows.chunks_mut(192).zip(&mut labels) {
        *label = measure(&mut sensor, row);
    }
    let (mut pick, mut used, mut row) = ([0; 16], [0; 7], [0.0; 192]);
    let mut batches = Sampler::new(&rows, 192, &labels, 1, &mut pick, &mut used)?;
    let (mut memory, mut confusion) = (Memory::new(), Confusion::<4>::new());
    NET.initialize(memory.params_mut(), &mut Rng::new(2));
    let mut trainer = Trainer::new(&NET, &GUARD, &mut memory);
    while trainer.progress().steps < 600 {
        trainer.round(&mut batches)?;
    }
    for _ in 0..400 {
        let gesture = measure(&mut sensor, &mut row);
        confusion.count(gesture, Model::new(ONE, trainer.params(), AsIs).predict(&row)?.class)?;
    }
    println!("{:?}, balanced accuracy {:?}", confusion.counts(), confusion.balanced_accuracy());
    Ok(())
}

/// One of four gestures, which swing at their own rates in their own planes, at any phase; under noise.
fn measure(rng: &mut Rng, row: &mut [f32]) -> u8 {
    let (gesture, phase) = (rng.below(4) as u8, rng.range(0.0, core::f32::consts::TAU));
    let turn = |i: usize| [0.3, 0.3, 0.6, 0.6][usize::from(gesture)] * (i / 3) as f32 + phase;
    let swing = |i: usize| if i % 3 == usize::from(gesture % 2) { turn(i).sin() } else { 0.3 * turn(i).cos() };
    row.iter_mut().enumerate().for_each(|(i, x)| *x = swing(i) + 0.3 * rng.normal());
    gesture
}

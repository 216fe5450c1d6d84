//! Classes from rows with units of their own: standardize, train, predict, and count what was right.
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
use lgl2o::{Memory, Model, Rng, Trainer, auto, chain, metrics::Confusion, source::Sampler, standardize::Standardizer};

type Layers = chain![Dense<3, 12, Relu>, Dense<12, 3>];

fn main() -> Result<(), lgl2o::Error> {
    // 240 rows of a pressure in pascals, a temperature in degrees and a flow: to train on, in memory of the caller.
    let (mut sensor, mut rows, mut labels) = (Rng::new(5), [[0.0; 3]; 240], [0; 240]);
    let mut standardizer = Standardizer::<[f32; 3]>::new(240);
    for (row, label) in rows.iter_mut().zip(&mut labels) {
        (*row, *label) = measure(&mut sensor);
        standardizer.observe(row)?;
    }
    for row in &mut rows {
        standardizer.apply(row)?;
    }
    let (mut pick, mut used) = ([0; 16], [0; 8]);
    let mut batches = Sampler::new(rows.as_flattened(), 3, &labels, 1, &mut pick, &mut used)?;
    let (net, guard, mut memory) = (Mlp::new(Fixed::<Layers, 16>::new(), Loss::CrossEntropy), auto(), Memory::new());
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    while trainer.progress().steps < 300 {
        trainer.round(&mut batches)?;
    }
    // The model takes raw rows: the standardizer is part of it.
    let (mut model, mut confusion) = (Model::new(net, trainer.params(), standardizer), Confusion::<3>::new());
    for (row, label) in core::iter::repeat_with(|| measure(&mut sensor)).take(300) {
        confusion.count(label, model.predict(&row)?.class)?;
    }
    println!("{:?}, accuracy {:?}", confusion.counts(), confusion.accuracy());
    Ok(())
}

/// A pipe that is fine, blocked or leaking.
fn measure(rng: &mut Rng) -> ([f32; 3], u8) {
    let (state, [p, t, f]) = (rng.below(3) as usize, [rng.normal(), rng.normal(), rng.normal()]);
    let (pressure, flow) = ([1.01e5, 1.06e5, 0.98e5][state], [2.0, 0.8, 2.6][state]);
    ([pressure + 1.5e3 * p, 20.0 + 5.0 * t, flow + 0.4 * f], state as u8)
}

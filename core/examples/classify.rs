//! Which of three growers a wine is from, by recorded measurements in units of their own (`data/README.md`).
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
use lgl2o::{Memory, Model, Rng, Trainer, auto, chain, metrics::Confusion, source::Sampler, standardize::Standardizer};

type Layers = chain![Dense<13, 12, Relu>, Dense<12, 3>];

fn main() -> Result<(), lgl2o::Error> {
    // Two rows of three are to train on, in memory of the caller.
    let (mut rows, mut labels) = ([[0.0; 13]; 118], [0; 118]);
    let mut standardizer = Standardizer::<[f32; 13]>::new(118);
    for ((row, label), (measured, grower)) in rows.iter_mut().zip(&mut labels).zip(recorded(|i| i % 3 > 0)) {
        (*row, *label) = (measured, grower);
        standardizer.observe(row)?;
    }
    for row in &mut rows {
        standardizer.apply(row)?;
    }
    let (mut pick, mut used) = ([0; 16], [0; 4]);
    let mut batches = Sampler::new(rows.as_flattened(), 13, &labels, 1, &mut pick, &mut used)?;
    let (net, guard, mut memory) = (Mlp::new(Fixed::<Layers, 16>::new(), Loss::CrossEntropy), auto(), Memory::new());
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    while trainer.progress().steps < 100 {
        trainer.round(&mut batches)?;
    }
    // The model takes raw rows: the standardizer is part of it.
    let (mut model, mut confusion) = (Model::new(net, trainer.params(), standardizer), Confusion::<3>::new());
    for (row, grower) in recorded(|i| i % 3 == 0) {
        confusion.count(grower, model.predict(&row)?.class)?;
    }
    println!("{:?}, accuracy {:?}", confusion.counts(), confusion.accuracy());
    Ok(())
}

/// Measurements and grower of the rows that are asked for.
fn recorded(is_asked: fn(usize) -> bool) -> impl Iterator<Item = ([f32; 13], u8)> {
    let lines = include_str!("data/wine.csv").lines().skip(1).enumerate().filter(move |(i, _)| is_asked(*i));
    let cell = |line: &str, i: usize| line.split(',').nth(i).and_then(|cell| cell.parse().ok()).unwrap_or(f32::NAN);
    lines.map(move |(_, line)| (core::array::from_fn(|i| cell(line, i)), cell(line, 13) as u8))
}

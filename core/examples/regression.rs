//! A value instead of a class: the state of charge of a battery from voltage, current and temperature.
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::replay::{Ring, Values};
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::{Memory, Model, Rng, Trainer, auto, chain, metrics::Regression};

type Layers = chain![Dense<3, 12, Tanh>, Dense<12, 1>];

fn main() -> Result<(), lgl2o::Error> {
    // The latest 200 measurements, standardized as they come in; the target is one number of about size 1.
    let (mut rows, mut values, mut pick, mut used) = ([0.0; 3 * 200], [0.0; 200], [0; 16], [0; 7]);
    let source = Ring::new(&mut rows, 3, Values::new(&mut values, 1), 1, &mut pick, &mut used)?;
    let mut batches = Standardized { source, standardizer: Standardizer::<[f32; 3]>::new(50) };
    // Huber's loss, so that an outlier does not pull too hard.
    let net = Mlp::new(Fixed::<Layers, 16>::new(), Loss::Huber { delta: 0.2 });
    let (guard, mut memory, mut battery) = (auto(), Memory::new(), Rng::new(3));
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    for _ in 0..1000 {
        let (mut row, charge) = measure(&mut battery);
        if batches.push(&mut row, &[charge])? && batches.source.len() >= 32 {
            trainer.round(&mut batches)?;
        }
    }
    let (mut model, mut errors) = (Model::new(net, trainer.params(), &batches.standardizer), Regression::new());
    for (row, charge) in core::iter::repeat_with(|| measure(&mut battery)).take(300) {
        errors.count(charge, model.values(&row)?.first().copied().unwrap_or(f32::NAN))?;
    }
    println!("mean absolute error {:?}, R^2 {:?}", errors.mean_absolute_error(), errors.r2());
    Ok(())
}

/// The voltage falls with the charge, under load, and in the cold.
fn measure(rng: &mut Rng) -> ([f32; 3], f32) {
    let (charge, current, celsius) = (rng.range(0.0, 1.0), rng.range(0.0, 4.0), rng.range(-10.0, 40.0));
    let volts = 3.2 + 0.8 * charge + 0.2 * charge * charge - current * (0.06 - 5e-4 * celsius);
    ([volts + 0.01 * rng.normal(), current, celsius], charge)
}

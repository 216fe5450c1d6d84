use lgl2o::batch::Sampler;
use lgl2o::guard::LossGuard;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::{Memory, Rng, Trainer, chain, learned, rule::Sgd};

fn main() -> Result<(), lgl2o::Error> {
    // 2-16-2 with tanh units for batches of 16: shapes are types, a mismatch does not compile.
    let net = Mlp::new(Fixed::<chain![Dense<2, 16, Tanh>, Dense<16, 2>], 16>::new(), Loss::CrossEntropy);
    // The learned optimizer proposes, SGD guards: two training and two check batches a round.
    let guard = LossGuard::new(learned::tiny(), Sgd::new(0.5)).batches(2, 2);
    let mut memory = Memory::new(); // all of it; on a device, a `static`
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    // Is a point inside the unit circle?
    let mut rng = Rng::new(2);
    let points: [f32; 512] = core::array::from_fn(|_| rng.range(-1.5, 1.5));
    let labels: [u8; 256] = core::array::from_fn(|i| u8::from(points[2 * i].powi(2) + points[2 * i + 1].powi(2) < 1.0));
    let (mut pick, mut used) = ([0; 16], [0; 8]);
    let mut batches = Sampler::new(&points, 2, &labels, 3, &mut pick, &mut used)?;
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    let first = trainer.round(&mut batches)?;
    for _ in 0..100 {
        trainer.round(&mut batches)?;
    }
    let last = trainer.round(&mut batches)?;
    assert!(last.train_loss < 0.5 * first.train_loss);
    Ok(())
}

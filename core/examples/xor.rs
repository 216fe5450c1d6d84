//! The smallest example: XOR, with no number to set. README shows it.
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::{Memory, Rng, Trainer, auto, batch::Batch, chain, source::Sampler};

fn main() -> Result<(), lgl2o::Error> {
    let (points, labels) = ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [0, 1, 1, 0]);
    let (mut pick, mut used) = ([0; 2], [0; 1]);
    let mut batches = Sampler::new(&points, 2, &labels, 1, &mut pick, &mut used)?;
    // Shapes are types: layers that do not fit do not compile.
    let net = Mlp::new(Fixed::<chain![Dense<2, 8, Tanh>, Dense<8, 2>], 4>::new(), Loss::CrossEntropy);
    let (guard, mut memory) = (auto(), Memory::new()); // on a device, in statics
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    while trainer.progress().steps < 300 {
        trainer.round(&mut batches)?;
    }
    println!("XOR is learned: loss {:.4}", trainer.loss(Batch::classes(&points, 2, &labels))?);
    Ok(())
}

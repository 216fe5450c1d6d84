//! Weights from elsewhere: a network that PyTorch has trained predicts, then goes on learning. `lgl2o import` reads whole files.
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
use lgl2o::tensors::{Tensors, Zeroed, all_finite};
use lgl2o::{Error, Memory, Model, Trainer, auto, batch::Batch, chain, model::AsIs, source::Sampler};

/// `[p.flatten().tolist() for p in net.state_dict().values()]`: weights and biases, a layer at a time, a row for each output.
static STATE_DICT: [&[f32]; 4] = [&[0.9, 1.1, 1.0, 0.9], &[0.1, -0.9], &[0.0, 0.1, 1.1, -1.9], &[0.5, 0.0]];
type Net = Mlp<Fixed<chain![Dense<2, 2, Relu>, Dense<2, 2>], 4>>;

fn main() -> Result<(), Error> {
    let (net, mut params) = (Net::new(Fixed::new(), Loss::CrossEntropy), Zeroed::ZERO);
    import(&mut params)?;
    let (points, labels) = ([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0], [0, 1, 1, 0]);
    let mut model = Model::new(net, &params, AsIs);
    let mut is_right = |(x, &y): (&[f32], &u8)| model.predict(x).is_ok_and(|prediction| prediction.class == y);
    let right = points.chunks(2).zip(&labels).filter(|&example| is_right(example)).count();
    let (guard, mut memory, mut pick, mut used) = (auto(), Memory::<Net, _>::new(), [0; 2], [0; 1]);
    memory.params_mut().copy_from(&params);
    let mut batches = Sampler::new(&points, 2, &labels, 1, &mut pick, &mut used)?;
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    let before = trainer.loss(Batch::classes(&points, 2, &labels))?;
    while trainer.progress().steps < 200 {
        trainer.round(&mut batches)?;
    }
    let after = trainer.loss(Batch::classes(&points, 2, &labels))?;
    println!("{right} of 4 right as imported; loss {before:.3}, after 200 steps {after:.3}");
    Ok(())
}

/// Copies tensor by tensor; a file of another shape, or with a NaN, is refused.
fn import(params: &mut impl Tensors) -> Result<(), Error> {
    for (i, from) in STATE_DICT.iter().enumerate() {
        let to = params.tensor_mut(i);
        if to.len() != from.len() || !all_finite(from) {
            return Err(Error::InvalidSetting { what: "tensors must be finite, and of the network's shape" });
        }
        to.copy_from_slice(from);
    }
    Ok(())
}

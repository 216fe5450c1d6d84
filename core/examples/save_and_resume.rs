//! A reset in the middle: a run that goes on from its checkpoint ends with the bits of one that was never interrupted.
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
use lgl2o::{Auto, Memory, Rng, Trainer, auto, chain, checkpoint::Buffer, source::Sampler, tensors::Tensors};

type Net = Mlp<Fixed<chain![Dense<2, 8, Relu>, Dense<8, 2>], 16>>;
static NET: Net = Net::new(Fixed::new(), Loss::CrossEntropy);
static GUARD: Auto = auto();

fn main() -> Result<(), lgl2o::Error> {
    let (mut rng, mut rows, mut labels) = (Rng::new(3), [0.0; 2 * 64], [0; 64]);
    for (row, label) in rows.chunks_mut(2).zip(&mut labels) {
        row.fill_with(|| rng.range(-1.0, 1.0));
        *label = u8::from(row.iter().sum::<f32>() > 0.0);
    }
    let (mut pick, mut used, mut flash) = ([0; 16], [0; 2], [0; 4096]);
    let mut memory = Memory::<Net, Auto>::new();
    NET.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&NET, &GUARD, &mut memory);
    let mut batches = Sampler::new(&rows, 2, &labels, 1, &mut pick, &mut used)?;
    (0..50).try_for_each(|_| trainer.round(&mut batches).map(drop))?;
    // Parameters, the guard's memory, progress, and the place in the data; on a device, into `Slots`, which survive a cut.
    let mut checkpoint = Buffer::new(&mut flash);
    trainer.save(&batches, &mut checkpoint).expect("room for checkpoint_len() bytes");
    (0..50).try_for_each(|_| trainer.round(&mut batches).map(drop))?;
    let uninterrupted = trainer.params().clone();

    // The reset: memory is as new, and so is the source.
    let (mut pick, mut used, mut memory) = ([0; 16], [0; 2], Memory::<Net, Auto>::new());
    let mut batches = Sampler::new(&rows, 2, &labels, 1, &mut pick, &mut used)?;
    let mut trainer = Trainer::new(&NET, &GUARD, &mut memory);
    let length = checkpoint.written().len();
    trainer.load(&mut batches, &mut checkpoint.written())?;
    (0..50).try_for_each(|_| trainer.round(&mut batches).map(drop))?;
    let bits = |i| trainer.params().tensor(i).iter().map(|x| x.to_bits());
    let is_same = (0..4).all(|i| bits(i).eq(uninterrupted.tensor(i).iter().map(|x| x.to_bits())));
    println!("{length} bytes saved; the same bits after the reset: {is_same}");
    Ok(())
}

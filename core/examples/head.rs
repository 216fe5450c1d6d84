//! A backbone for all users is trained at the factory and frozen in flash; at home, a head learns its user's gestures on it.
use lgl2o::objective::mlp::{Dense, Fixed, Frozen, Loss, Mlp, Relu, frozen::Weights, network::Layers};
use lgl2o::{Error, Memory, Model, Rng, Trainer, auto, chain, model::AsIs, source::Sampler};

type Backbone = chain![40 x 2 => conv1d(12, 9, 2, 0, Relu), average_pool(16)];
type Params = <Backbone as Layers>::Params;
type Home = (Frozen<Backbone, Flash>, Dense<12, 2>);
struct Flash;
impl Weights<Params> for Flash {
    fn weights() -> &'static Params {
        // On a device, a `static` with the numbers from the factory.
        static FLASH: std::sync::OnceLock<Params> = std::sync::OnceLock::new();
        FLASH.get_or_init(|| train::<(Backbone, Dense<12, 4>)>(&[0.2, 0.5, 0.9, 1.4], 200, 600).expect("examples").0)
    }
}

fn main() -> Result<(), Error> {
    let (gestures, net) = ([0.35, 0.7], Mlp::new(Fixed::<Home, 1>::new(), Loss::CrossEntropy));
    let mut model = Model::new(net, train::<Home>(&gestures, 48, 300)?, AsIs);
    let mut is_right = |i| model.predict(&window(&gestures, i)).is_ok_and(|p| u64::from(p.class) == i % 2);
    println!("{} of 300 right by {} parameters", (1000..1300).filter(|&i| is_right(i)).count(), net.parameters());
    Ok(())
}
fn train<L: Layers>(gestures: &[f32], examples: u64, steps: u64) -> Result<L::Params, Error> {
    let labels: Vec<u8> = (0..examples).map(|i| (i % gestures.len() as u64) as u8).collect();
    let rows: Vec<f32> = (0..examples).flat_map(|i| window(gestures, i)).collect();
    let (net, guard) = (Mlp::new(Fixed::<L, 8>::new(), Loss::CrossEntropy), auto());
    let (mut memory, mut pick, mut used) = (Memory::blank(&net, &guard), [0; 8], vec![0; labels.len().div_ceil(32)]);
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut batches = Sampler::new(&rows, 80, &labels, 1, &mut pick, &mut used)?;
    while memory.progress().steps < steps {
        Trainer::new(&net, &guard, &mut memory).round(&mut batches)?;
    }
    Ok(memory.params().clone())
}
fn window(gestures: &[f32], i: u64) -> [f32; 80] {
    let (mut rng, rate) = (Rng::new(i), gestures[i as usize % gestures.len()]);
    let phase = rng.range(0.0, core::f32::consts::TAU);
    core::array::from_fn(|j| (rate * (j / 2) as f32 + phase + (j % 2) as f32).sin() + 0.4 * rng.normal())
}

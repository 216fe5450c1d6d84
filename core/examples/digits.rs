//! Digits of 8 rows of 8 pixels, drawn anywhere and under noise: convolutions find their own features, and there is no number to set.
use lgl2o::objective::mlp::{Fixed, Loss, Mlp, Relu};
use lgl2o::{Auto, Memory, Model, Rng, Trainer, auto, chain, metrics::Confusion, model::AsIs, source::Sampler};

type Layers = chain![8 x 8 x 1 => conv2d(8, 3, 1, 1, Relu), max_pool2d(2), conv2d(12, 3, 1, 0, Relu), dense(4)];
static NET: Mlp<Fixed<Layers, 16>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
const ONE: Mlp<Fixed<Layers, 1>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
static GUARD: Auto = auto();
// Five rows of three pixels each, the upper left one first.
const DIGITS: [[u8; 5]; 4] = [[7, 5, 5, 5, 7], [2, 6, 2, 2, 7], [7, 1, 7, 4, 7], [5, 5, 7, 1, 1]];

fn main() -> Result<(), lgl2o::Error> {
    let (mut rng, mut rows, mut labels) = (Rng::new(3), [0.0; 64 * 500], [0; 500]);
    for (row, label) in rows.chunks_mut(64).zip(&mut labels) {
        *label = draw(&mut rng, row);
    }
    let (mut pick, mut used, mut row) = ([0; 16], [0; 16], [0.0; 64]);
    let mut batches = Sampler::new(&rows, 64, &labels, 1, &mut pick, &mut used)?;
    let (mut memory, mut confusion) = (Memory::new(), Confusion::<4>::new());
    NET.initialize(memory.params_mut(), &mut Rng::new(2));
    let mut trainer = Trainer::new(&NET, &GUARD, &mut memory);
    while trainer.progress().steps < 1000 {
        trainer.round(&mut batches)?;
    }
    for _ in 0..400 {
        let digit = draw(&mut rng, &mut row);
        confusion.count(digit, Model::new(ONE, trainer.params(), AsIs).predict(&row)?.class)?;
    }
    println!("{:?}, balanced accuracy {:?}", confusion.counts(), confusion.balanced_accuracy());
    Ok(())
}

/// One of 0, 1, 2 and 4, anywhere in the image, under noise.
fn draw(rng: &mut Rng, row: &mut [f32]) -> u8 {
    let (digit, top, left) = (rng.below(4) as u8, rng.below(4) as usize, rng.below(6) as usize);
    let ink = |i: usize, j: usize| i < 5 && j < 3 && DIGITS[usize::from(digit)][i] >> (2 - j) & 1 == 1;
    let at = |p: usize| ink((p / 8).wrapping_sub(top), (p % 8).wrapping_sub(left));
    row.iter_mut().enumerate().for_each(|(p, x)| *x = f32::from(u8::from(at(p))) + 0.2 * rng.normal());
    digit
}

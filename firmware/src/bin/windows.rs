//! What small products ask for, measured: training on windows of inertial sensors by a convolution, with no number to set, in the
//! RAM of a small Cortex-M4F; with the feature `predicts`, the outputs of 24-16-4 for one example and nothing else.
//!
//! Windows are those of activity recognition (128 times of 9 channels, 6 classes) and drawn in place: noise, and a sine whose
//! frequency is that of its class.
#![no_std]
#![no_main]

use core::mem::size_of_val;

use embedded_io::Write as _;
use lgl2o::batch::Batch;
use lgl2o::model::{AsIs, Model};
use lgl2o::objective::mlp::{Dense, DenseParams, Fixed, Loss, Mlp, Relu};
use lgl2o::source::Source;
use lgl2o::tensors::Zeroed;
use lgl2o::{Auto, Error, Memory, Rng, Trainer, auto, chain, math};
use lgl2o_device::cost::{Cost, Counter as _, Item};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_firmware::board::{self, Meter, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

const TIMES: usize = 128;
const CHANNELS: usize = 9;
const CLASSES: u32 = 6;
const BATCH: usize = 8;
const WINDOW: usize = TIMES * CHANNELS;
const STEPS: u64 = 300;

type Windows = Mlp<Fixed<chain![128 x 9 => conv1d(8, 5, 2, 0, Relu), max_pool(4), dense(6)], BATCH>>;
type Small = Fixed<chain![Dense<24, 16, Relu>, Dense<16, 4>], 1>;

static GUARD: Auto = auto();
static MEMORY: ConstStaticCell<Memory<Windows, Auto>> = ConstStaticCell::new(Memory::new());
static INPUTS: ConstStaticCell<[f32; BATCH * WINDOW]> = ConstStaticCell::new([0.0; BATCH * WINDOW]);

/// Where the board starts.
#[entry]
fn main() -> ! {
    let Some(mut board) = Board::take() else { board::exit(program::FAILED) };
    let result = if cfg!(feature = "predicts") { predict(&mut board) } else { train() };
    let Some(summary) = result else { board::exit(program::FAILED) };
    defmt::info!("done");
    program::send(&mut board.uart, &FromDevice::Summary(summary));
    let Ok(()) = board.uart.flush();
    board::exit(0)
}

/// Predicts; says how many instructions one example takes, and all memory of the model.
#[inline(never)]
fn predict(board: &mut Board) -> Option<Summary> {
    static MODEL: ConstStaticCell<Model<Small, DenseMemory>> =
        ConstStaticCell::new(Model::new(Mlp::new(Small::new(), Loss::CrossEntropy), DenseMemory::ZERO, AsIs));
    let model = MODEL.try_take()?;
    Mlp::new(Small::new(), Loss::CrossEntropy).initialize(model.params_mut(), &mut Rng::new(1));
    let mut rng = Rng::new(2);
    let row: [f32; 24] = core::array::from_fn(|_| rng.range(-1.0, 1.0));
    let (mut counter, mut class) = (Meter::start(), None);
    let instructions = counter.count(&mut || class = model.values(&row).ok().map(<[f32]>::len));
    class?;
    program::send(
        &mut board.uart,
        &FromDevice::Cost(Cost { workload: 0, item: Item::Inference, parameters: 468, instructions }),
    );
    Some(Summary { loss: 0, steps: 1, learned: 0, memory: size_of_val(model) as u32, stack: board::high_water() })
}

type DenseMemory = (DenseParams<24, 16>, DenseParams<16, 4>);

/// Trains; says the mean loss of the last batches, and all memory of training, with the batch.
#[inline(never)]
fn train() -> Option<Summary> {
    let (memory, inputs) = (MEMORY.try_take()?, INPUTS.try_take()?);
    let net = Windows::new(Fixed::new(), Loss::CrossEntropy);
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let bytes = size_of_val(memory) + size_of_val(inputs);
    let mut source = Drawn { rng: Rng::new(2), inputs, labels: [0; BATCH] };
    let mut trainer = Trainer::new(&net, &GUARD, memory);
    while trainer.progress().steps < STEPS {
        trainer.round(&mut source).ok()?;
    }
    let mut loss = 0.0;
    for _ in 0..8 {
        loss += trainer.loss(source.draw()).ok()? / 8.0;
    }
    let (steps, learned) = (trainer.progress().steps as u32, trainer.progress().learned);
    Some(Summary { loss: loss.to_bits(), steps, learned, memory: bytes as u32, stack: board::high_water() })
}

/// Windows that are drawn one batch after the other.
struct Drawn {
    rng: Rng,
    inputs: &'static mut [f32; BATCH * WINDOW],
    labels: [u8; BATCH],
}

impl Drawn {
    /// The next batch, over the one before.
    fn draw(&mut self) -> Batch<'_> {
        for (window, label) in self.inputs.chunks_exact_mut(WINDOW).zip(&mut self.labels) {
            let class = self.rng.below(CLASSES);
            *label = class as u8;
            let (phase, frequency) = (self.rng.range(0.0, 6.0), 0.1 + 0.15 * class as f32);
            for (t, sample) in (0..).zip(window.chunks_exact_mut(CHANNELS)) {
                let sine = math::sin(frequency * t as f32 + phase);
                for x in sample {
                    *x = sine + self.rng.range(-0.5, 0.5);
                }
            }
        }
        Batch::classes(&*self.inputs, WINDOW, &self.labels)
    }
}

impl Source<Windows> for Drawn {
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.draw())
    }

    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.draw())
    }
}

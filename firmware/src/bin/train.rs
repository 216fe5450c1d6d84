//! Trains somebody's own network on somebody's own rows: `lgl2o train --emulate BOARD`, which writes both as a file of Rust, named by
//! `LGL2O_TRAIN` in the environment. Every round goes to the host, which has made the same ones; instructions are counted.
#![no_std]
#![no_main]

use core::mem::size_of;

use embedded_io::Write as _;
use lgl2o::batch::Batch;
use lgl2o::objective::mlp::{Fixed, Mlp};
use lgl2o::source::Source;
use lgl2o::{Auto, Error, Memory, Rng, Trainer, auto};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_device::record::{RoundRecord, Trace};
use lgl2o_device::table::{Bounded, Minibatches, Room};
use lgl2o_firmware::board::{self, Meter, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

/// What is trained, and on what.
#[allow(unused_imports, long_running_const_eval)]
mod task {
    include!(env!("LGL2O_TRAIN"));
}

type Net = Mlp<Fixed<task::Layers, { task::BATCH }>>;

/// All training memory.
static MEMORY: ConstStaticCell<Memory<Net, Auto>> = ConstStaticCell::new(Memory::new());
/// The rows that are trained on; on a device that learns they come from its sensor.
static INPUTS: ConstStaticCell<[f32; task::ROWS * task::WIDTH]> = ConstStaticCell::new([0.0; task::ROWS * task::WIDTH]);
static LABELS: ConstStaticCell<[u8; task::LABELS]> = ConstStaticCell::new([0; task::LABELS]);
static VALUES: ConstStaticCell<[f32; task::VALUES]> = ConstStaticCell::new([0.0; task::VALUES]);
static USED: ConstStaticCell<[u32; task::ROWS.div_ceil(32)]> = ConstStaticCell::new([0; task::ROWS.div_ceil(32)]);
static PICK: ConstStaticCell<[u32; task::BATCH]> = ConstStaticCell::new([0; task::BATCH]);

/// Little-endian numbers as such, when the program is compiled.
const fn floats<const N: usize>(bytes: &[u8]) -> [f32; N] {
    let (mut numbers, mut i) = ([0.0; N], 0);
    while i < N {
        let four = [bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]];
        numbers[i] = f32::from_bits(u32::from_le_bytes(four));
        i += 1;
    }
    numbers
}

/// Where the board starts.
#[entry]
fn main() -> ! {
    let Some(mut board) = Board::take() else { board::exit(program::FAILED) };
    let outcome = room().zip(MEMORY.try_take()).map(|(room, memory)| train(&mut board, memory, room));
    let Ok(()) = board.uart.flush();
    match outcome {
        Some(Ok(())) => board::exit(0),
        Some(Err(error)) => defmt::error!("{}", error),
        None => defmt::error!("memory was taken"),
    }
    board::exit(program::FAILED)
}

fn room() -> Option<Room<'static>> {
    let (inputs, labels, values) = (INPUTS.try_take()?, LABELS.try_take()?, VALUES.try_take()?);
    Some(Room { inputs, labels, values, pick: PICK.try_take()?, used: USED.try_take()? })
}

fn train(Board { uart, .. }: &mut Board, memory: &mut Memory<Net, Auto>, room: Room<'static>) -> Result<(), Error> {
    let (net, guard) = (Net::new(Fixed::new(), task::LOSS), auto().held_out(task::CHECK.is_some()));
    let source = Minibatches::new(task::TRAIN, task::CHECK, task::SEED, room)?;
    let mut metered = Metered { source, meter: Meter::start() };
    net.initialize(memory.params_mut(), &mut Rng::stream(task::SEED, 0));
    let (mut trainer, mut trace) = (Trainer::new(&net, &guard, memory), Trace::EMPTY);
    let mut loss = f32::NAN;
    while trainer.progress().steps < task::STEPS {
        let left = task::STEPS - trainer.progress().steps;
        // Nothing between rounds is counted.
        metered.meter.skip();
        let verdict = trainer.round(&mut Bounded { source: &mut metered, left })?;
        metered.meter.lap();
        loss = verdict.train_loss;
        let round = RoundRecord::new(trainer.progress().rounds, &verdict, &mut trace);
        program::send(uart, &FromDevice::Round(round));
    }
    let progress = trainer.progress();
    let (rounds, params) = (progress.rounds, Trace::of_tensors(trainer.params()));
    let summary = Summary {
        loss: loss.to_bits(),
        steps: u32::try_from(progress.steps).unwrap_or(u32::MAX),
        learned: progress.learned,
        memory: size_of::<Memory<Net, Auto>>() as u32,
        stack: board::high_water(),
    };
    defmt::info!("{=u32} rounds, parameters {=u64:016x}", rounds, params);
    program::send(uart, &FromDevice::Spent { count: metered.meter.total() });
    program::send(uart, &FromDevice::Done { rounds, params });
    program::send(uart, &FromDevice::Summary(summary));
    Ok(())
}

/// A source that looks at the counter whenever a batch is asked for, so that it never goes round unseen.
struct Metered<S> {
    source: S,
    meter: Meter,
}

impl<S: Source<Net>> Source<Net> for Metered<S> {
    fn begin_round(&mut self) {
        self.source.begin_round();
    }
    fn room(&self) -> u32 {
        self.source.room()
    }
    fn left(&self) -> u32 {
        self.source.left()
    }
    fn epoch(&self) -> u32 {
        self.source.epoch()
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        self.meter.lap();
        self.source.train()
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        self.meter.lap();
        self.source.check()
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        self.meter.lap();
        self.source.objective(i)
    }
}

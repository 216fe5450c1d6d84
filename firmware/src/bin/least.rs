//! Trains W3 and does nothing else, so that what it takes of flash and stack is what training takes.
//!
//! Plain SGD, without memory for a gradient. A feature chooses another way: `whole-gradient` keeps the gradient and a
//! candidate; `by-adam` moves by Adam; `by-l2o` by the built-in learned optimizer, averaged, without a guard;
//! `by-auto-lean` and `by-auto-rotated` are guarded training with no number to set. Batches are drawn in place: there is no data in flash.
#![no_std]
#![no_main]

use core::mem::size_of_val;

use embedded_io::Write as _;
use lgl2o::batch::Batch;
use lgl2o::guard::{Guard, Unguarded};
use lgl2o::learned::{self, LearnedNgn};
use lgl2o::objective::mlp::{Descent, Loss, Mlp};
use lgl2o::rule::{Adam, Averaged, Coordinatewise, Rule as _, Sgd};
use lgl2o::source::Source;
use lgl2o::{AutoLean, AutoRotated, Error, Memory, Rng, Trainer, auto_lean, auto_rotated};
use lgl2o_device::cost::W3;
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

const STEPS: u32 = 100;
const BATCH: usize = 16;
const WIDTH: usize = 196;
const CLASSES: u32 = 10;

static INPUTS: ConstStaticCell<[f32; BATCH * WIDTH]> = ConstStaticCell::new([0.0; BATCH * WIDTH]);

/// All zero, in a static; there is one of each.
macro_rules! memory {
    ($type:ty) => {{
        static MEMORY: ConstStaticCell<$type> = ConstStaticCell::new(<$type>::new());
        MEMORY.try_take()
    }};
}

/// Where the board starts.
#[entry]
fn main() -> ! {
    let Some(mut board) = Board::take() else { board::exit(program::FAILED) };
    let Some(inputs) = INPUTS.try_take() else { board::exit(program::FAILED) };
    let mut noise = Noise { rng: Rng::new(2), inputs, labels: [0; BATCH] };
    let Some((loss, memory)) = train(&mut noise) else { board::exit(program::FAILED) };
    let summary = Summary { loss: loss.to_bits(), steps: STEPS, learned: 0, memory, stack: board::high_water() };
    defmt::info!("trained");
    program::send(&mut board.uart, &FromDevice::Summary(summary));
    let Ok(()) = board.uart.flush();
    board::exit(0)
}

/// Trains in the chosen way; returns the last loss, and the bytes of all training memory.
// This and what it calls is what training takes, but for `draw`; `main` is the board's. So neither is inlined.
#[inline(never)]
fn train(noise: &mut Noise) -> Option<(f32, u32)> {
    type Guarded<G> = Memory<Mlp<W3>, G>;
    type L2o = Unguarded<Averaged<&'static LearnedNgn>>;
    let net = Mlp::new(W3::new(), Loss::CrossEntropy);
    let sgd = Sgd::new(0.3);
    if cfg!(feature = "by-auto-lean") {
        guarded(memory!(Guarded<AutoLean>)?, &net, &auto_lean(), noise)
    } else if cfg!(feature = "by-auto-rotated") {
        guarded(memory!(Guarded<AutoRotated>)?, &net, &auto_rotated(), noise)
    } else if cfg!(feature = "by-l2o") {
        guarded(memory!(Guarded<L2o>)?, &net, &L2o::learned(learned::ngn().averaged()), noise)
    } else if cfg!(feature = "by-adam") {
        descended(memory!(Descent<W3, 2>)?, &net, &Adam::new(0.01), noise)
    } else if cfg!(feature = "whole-gradient") {
        guarded(memory!(Guarded<Unguarded<Sgd>>)?, &net, &Unguarded::new(sgd), noise)
    } else {
        descended(memory!(Descent<W3, 0>)?, &net, &sgd, noise)
    }
}

fn descended<const K: usize>(
    memory: &mut Descent<W3, K>,
    net: &Mlp<W3>,
    rule: &impl Coordinatewise<K>,
    noise: &mut Noise,
) -> Option<(f32, u32)> {
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut loss = f32::INFINITY;
    for _ in 0..STEPS {
        loss = memory.step(net, rule, noise.draw()).ok()?;
    }
    Some((loss, size_of_val(memory) as u32))
}

fn guarded<G: Guard>(
    memory: &mut Memory<Mlp<W3>, G>,
    net: &Mlp<W3>,
    guard: &G,
    noise: &mut Noise,
) -> Option<(f32, u32)> {
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let bytes = size_of_val(memory) as u32;
    let mut trainer = Trainer::new(net, guard, memory);
    let mut loss = f32::INFINITY;
    while trainer.progress().steps < u64::from(STEPS) {
        loss = trainer.round(noise).ok()?.train_loss;
    }
    Some((loss, bytes))
}

/// Examples that are noise, but for one number of each row: that of its class stands out.
struct Noise {
    rng: Rng,
    inputs: &'static mut [f32; BATCH * WIDTH],
    labels: [u8; BATCH],
}

impl Noise {
    /// The next batch, over the one before.
    #[inline(never)]
    fn draw(&mut self) -> Batch<'_> {
        for (row, label) in self.inputs.chunks_exact_mut(WIDTH).zip(&mut self.labels) {
            let class = self.rng.below(CLASSES);
            *label = class as u8;
            for (i, x) in (0..).zip(row) {
                *x = self.rng.range(-0.5, 0.5) + if i == class { 3.0 } else { 0.0 };
            }
        }
        Batch::classes(&*self.inputs, WIDTH, &self.labels)
    }
}

impl Source<Mlp<W3>> for Noise {
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.draw())
    }

    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Ok(self.draw())
    }
}

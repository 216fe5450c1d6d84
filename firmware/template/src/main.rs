//! A pump monitor that learns while the pump runs, and whose model survives a power cut.
//!
//! Three things are yours: the sensor (`sensor.rs`), the network (here), the board (`board/`). README.md says more.
#![no_std]
#![no_main]

#[cfg_attr(feature = "nrf52840-dk", path = "board/nrf52840_dk.rs")]
#[cfg_attr(feature = "mps2-an386", path = "board/mps2_an386.rs")]
mod board;
mod sensor;
mod words;

use board::log;
use lgl2o::checkpoint::Slots;
use lgl2o::metrics::Confusion;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::replay::{Classes, Reservoir};
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::{Auto, Error, Memory, Model, Rng, Trainer, auto, chain};
use sensor::{CLASSES, FEATURES, Sensor, Simulated, Window};
use static_cell::ConstStaticCell;

// The model: what the network is, trained in batches of 16, asked for one window at a time.
type Layers = chain![Dense<FEATURES, 16, Tanh>, Dense<16, CLASSES>];
static NET: Mlp<Fixed<Layers, 16>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
const ONE: Mlp<Fixed<Layers, 1>> = Mlp::new(Fixed::new(), Loss::CrossEntropy);
static GUARD: Auto = auto();
/// Named windows that are kept to train on, equally many of each state.
const KEPT: usize = 200;
/// Rounds from one checkpoint to the next.
const SAVE_EVERY: u32 = 100;
static ROWS: ConstStaticCell<[f32; FEATURES * KEPT]> = ConstStaticCell::new([0.0; FEATURES * KEPT]);
static MEMORY: ConstStaticCell<Memory<Mlp<Fixed<Layers, 16>>, Auto>> = ConstStaticCell::new(Memory::new());

#[cortex_m_rt::entry]
fn main() -> ! {
    match monitor(&mut Simulated::new(), board::start()) {
        Ok(()) => log!("no more windows"),
        Err(error) => log!("stopped: {}", error),
    }
    board::end()
}

/// Tells the state of every window, learns from those whose state is known, and saves all of it every now and then.
fn monitor(sensor: &mut impl Sensor, flash: board::Flash) -> Result<(), Error> {
    let mut slots = Slots::new(flash, board::CHECKPOINTS)?;
    let (mut labels, mut seen, mut pick, mut used) = ([0; KEPT], [0; CLASSES], [0; 16], [0; KEPT.div_ceil(32)]);
    let (memory, classes, mut right) = (MEMORY.take(), Classes::new(&mut labels, CLASSES), Confusion::<CLASSES>::new());
    let source = Reservoir::new(ROWS.take(), FEATURES, classes, &mut seen, 1, &mut pick, &mut used)?.with_examples();
    let mut batches = Standardized { source, standardizer: Standardizer::<[f32; FEATURES]>::new(100) };
    NET.initialize(memory.params_mut(), &mut Rng::new(2));
    let mut trainer = Trainer::new(&NET, &GUARD, memory);
    let found = slots.load(&mut trainer, &mut batches);
    words::begins(&found, trainer.progress().rounds);
    while let Some(Window { mut features, state: named }) = sensor.window() {
        let mut model = Model::new(ONE, trainer.params(), &batches.standardizer);
        match (model.predict(&features).map(|prediction| prediction.class), named) {
            (Err(error), _) => log!("a window is left out: {}", error),
            (Ok(state), None) => log!("state {}", state),
            (Ok(state), Some(named)) => {
                right.count(named, state)?;
                batches.push(&mut features, named)?;
                if batches.source.len() >= 32 {
                    trainer.round(&mut batches)?;
                    if trainer.progress().rounds.is_multiple_of(SAVE_EVERY) {
                        words::saved(slots.save(&trainer, &batches), right.balanced_accuracy());
                        right = Confusion::new();
                    }
                }
            }
        }
    }
    Ok(())
}

//! The demonstration `sensor` on this machine.

use anyhow::{Context, Result};
use lgl2o_device::sensor::replay::Replay;
use lgl2o_device::sensor::window::Windows;
use lgl2o_device::sensor::{Memory, NAME, SEED, TESTED, run, script};

use super::spirals::DemoRun;

/// The run that every board has to make.
///
/// # Errors
/// If the run fails.
pub fn reference() -> Result<DemoRun> {
    let mut windows = Windows::new(Replay::new(script, SEED)).context("the recording")?;
    let mut rounds = Vec::new();
    let ran = run(&mut Box::new(Memory::new()), &mut windows, |_| {}, |round| rounds.push(*round));
    let (outcome, recognised) = ran.context("the run on this machine")?;
    let accuracy = Some(f64::from(recognised.after) / f64::from(TESTED));
    Ok(DemoRun { network: NAME, rounds, outcome, memory: size_of::<Memory>(), accuracy, outputs: Vec::new() })
}

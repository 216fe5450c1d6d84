//! The demonstration `spirals` on this machine: the same core, network, data and order of operations.

use anyhow::{Context, Result};
use lgl2o::Memory;
use lgl2o_device::imported::Outputs;
use lgl2o_device::record::RoundRecord;
use lgl2o_device::spirals::{Demo, Large, Outcome, RunMemory, Small, run};

use super::board::Board;

/// A whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct DemoRun {
    /// The network in words.
    pub network: &'static str,
    /// All rounds.
    pub rounds: Vec<RoundRecord>,
    /// How they ended.
    pub outcome: Outcome,
    /// The training memory in bytes; a `usize` is as wide as here.
    pub memory: usize,
    /// Share of held-out examples that are recognised in the end, where that is asked.
    pub accuracy: Option<f64>,
    /// Outputs of networks, where a program tells of them.
    pub outputs: Vec<Outputs>,
}

/// The run that a board has to make.
///
/// # Errors
/// If the run fails.
pub fn reference(board: &Board) -> Result<DemoRun> {
    if board.fits("large") {
        run_here::<Large>(|| Box::new(Memory::new()))
    } else {
        run_here::<Small>(|| Box::new(Memory::new()))
    }
}

fn run_here<N: Demo>(memory: impl FnOnce() -> Box<RunMemory<N>>) -> Result<DemoRun> {
    let mut rounds = Vec::new();
    let outcome = run::<N>(&mut memory(), |_| {}, |round| rounds.push(*round)).context("the run on this machine")?;
    Ok(DemoRun {
        network: N::NAME,
        rounds,
        outcome,
        memory: size_of::<RunMemory<N>>(),
        accuracy: None,
        outputs: Vec::new(),
    })
}

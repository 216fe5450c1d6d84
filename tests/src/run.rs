//! Runs that end in parameters and verdicts.

use lgl2o::objective::Blank;
use lgl2o::oracle::Cost;
use lgl2o::source::Source;
use lgl2o::tensors::Tensors;
use lgl2o::{Error, Guard, Memory, Trainer, Verdict};

/// Where a run has ended.
#[derive(Debug, Clone)]
pub struct Run<P> {
    /// The accepted parameters.
    pub params: P,
    /// One verdict per round.
    pub verdicts: Vec<Verdict>,
    /// What the whole run has spent.
    pub spent: Cost,
}

/// Memory at the beginning of a run from these parameters.
pub fn memory<O: Blank, G: Guard>(objective: &O, guard: &G, start: &O::Params) -> Memory<O, G> {
    let mut memory = Memory::blank(objective, guard);
    memory.params_mut().copy_from(start);
    memory
}

/// So many rounds from these parameters.
///
/// # Errors
/// Whatever the first round that fails says.
pub fn rounds<O: Blank, G: Guard>(
    objective: &O,
    guard: &G,
    source: &mut impl Source<O>,
    start: &O::Params,
    rounds: u32,
) -> Result<Run<O::Params>, Error> {
    let mut memory = memory(objective, guard, start);
    let mut trainer = Trainer::new(objective, guard, &mut memory);
    // A loop, where `collect` would have five more functions compiled for each guard and source.
    let mut verdicts = Vec::new();
    for _ in 0..rounds {
        verdicts.push(trainer.round(source)?);
    }
    Ok(Run { params: trainer.params().clone(), spent: trainer.progress().spent, verdicts })
}

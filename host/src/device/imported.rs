//! The demonstration `imported` on this machine.

use anyhow::{Context, Result};
use lgl2o_device::imported::{Memory, NAME, Outputs, run};

use super::spirals::DemoRun;

/// The run that every board has to make.
///
/// # Errors
/// If the run fails.
pub fn reference() -> Result<DemoRun> {
    let mut rounds = Vec::new();
    let ran = run(&mut Box::new(Memory::new()), |_| {}, |round| rounds.push(*round));
    let (outcome, outputs) = ran.context("the run on this machine")?;
    let (tuned, right) = (outputs.iter().filter(|said| said.tuned), |said: &&Outputs| said.has_learned());
    let accuracy = Some(tuned.clone().filter(right).count() as f64 / tuned.count() as f64);
    Ok(DemoRun { network: NAME, rounds, outcome, memory: size_of::<Memory>(), accuracy, outputs: outputs.to_vec() })
}

/// The largest difference of outputs before training from those of PyTorch; `None` where there are none.
#[must_use]
pub fn from_pytorch(outputs: &[Outputs]) -> Option<f32> {
    let pairs = outputs.iter().filter_map(|said| Some((said.bits.map(f32::from_bits), said.of_pytorch()?)));
    let all = pairs.flat_map(|(found, expected)| found.into_iter().zip(expected));
    // A NaN is as far as can be.
    all.map(|(found, expected)| (found - expected).abs())
        .map(|distance| if distance.is_nan() { f32::INFINITY } else { distance })
        .reduce(f32::max)
}

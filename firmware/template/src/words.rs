//! What the program says of its checkpoints.

use crate::board::log;
use lgl2o::checkpoint::{Resumed, SlotError};

/// Where the program begins: how many rounds are behind it, and from which checkpoint.
pub fn begins(found: &Result<Resumed, SlotError>, rounds: u32) {
    match found {
        Ok(Resumed { sequence: Some(number), .. }) => {
            log!("goes on after {} rounds, from checkpoint {}", rounds, number)
        }
        Ok(Resumed { sequence: None, .. }) => log!("begins: there is no checkpoint in flash"),
        Err(error) => log!("begins anew: {}", error),
    }
}

/// Whether a checkpoint was written, and the balanced accuracy since the one before it.
pub fn saved(saved: Result<u32, SlotError>, accuracy: Option<f32>) {
    match saved {
        Ok(number) => log!("checkpoint {} is written", number),
        Err(error) => log!("no checkpoint is written: {}", error),
    }
    if let Some(accuracy) = accuracy {
        log!("balanced accuracy: {} %", (100.0 * accuracy) as u32);
    }
}

//! What errors say: each something of its own, with the numbers that it carries.

use std::collections::BTreeSet;

use embedded_storage::nor_flash::NorFlashErrorKind;
use lgl2o::Error;
use lgl2o::checkpoint::{CheckpointError, SlotError, SlotState};
use lgl2o::learned::WeightsError;

/// Every message is another one, is more than a word or two, and names what it was given.
fn assert_told(messages: &[(String, &[&str])]) {
    let different: BTreeSet<&String> = messages.iter().map(|(message, _)| message).collect();
    assert_eq!(different.len(), messages.len(), "{messages:#?}");
    for (message, details) in messages {
        assert!(message.len() > 15, "{message}");
        for detail in *details {
            assert!(message.contains(detail), "{detail} is not in: {message}");
        }
    }
}

#[test]
fn errors_of_calls() {
    let checkpoint = CheckpointError::OtherSource;
    assert_told(&[
        (Error::EmptyBatch.to_string(), &["at least one example"]),
        (Error::BatchTooLarge { examples: 17, capacity: 16 }.to_string(), &["17", "16", "smaller batches"]),
        (Error::ShapeMismatch { what: "the labels", expected: 5, found: 4 }.to_string(), &["the labels", "5", "4"]),
        (Error::LabelOutOfRange { label: 12, classes: 10 }.to_string(), &["12", "10"]),
        (Error::WrongTargets.to_string(), &["labels", "values"]),
        (Error::NonFiniteGradient.to_string(), &["look for NaN"]),
        (Error::NonFiniteOutput.to_string(), &["output", "parameters"]),
        (Error::NoClasses.to_string(), &["its values"]),
        (Error::Diverged.to_string(), &["lower the rate"]),
        (Error::NoBatch.to_string(), &["source"]),
        (Error::NothingToCheck.to_string(), &["training batches"]),
        (Error::NothingHeldOut.to_string(), &["keep more examples", "`with_held_out`"]),
        (Error::NoObjective.to_string(), &["source"]),
        (Error::InvalidSetting { what: "beta below 1" }.to_string(), &["beta below 1"]),
        (Error::from(WeightsError::Checksum).to_string(), &["weights", &WeightsError::Checksum.to_string()]),
        (Error::from(checkpoint).to_string(), &["checkpoint", &checkpoint.to_string()]),
        (Error::from(SlotError::NotWritten).to_string(), &["flash: ", &SlotError::NotWritten.to_string()]),
    ]);
}

#[test]
fn errors_of_weights() {
    assert_told(&[
        (WeightsError::Foreign.to_string(), &["L2OW"]),
        (WeightsError::Version { found: 7, known: 1 }.to_string(), &["7"]),
        (WeightsError::OtherOptimizer { kind: 3, hidden: 9 }.to_string(), &["kind 3", "9 hidden"]),
        (WeightsError::Length { expected: 620, found: 600 }.to_string(), &["620", "600"]),
        (WeightsError::Checksum.to_string(), &["damaged"]),
        (WeightsError::Reserved.to_string(), &["later version"]),
        (WeightsError::NotFinite.to_string(), &["finite"]),
    ]);
}

#[test]
fn errors_of_checkpoints() {
    assert_told(&[
        (CheckpointError::Foreign.to_string(), &["L2OR"]),
        (CheckpointError::Version { found: 7, known: 1 }.to_string(), &["7"]),
        (CheckpointError::Damaged.to_string(), &["checksum"]),
        (CheckpointError::Length { expected: 620, found: 600 }.to_string(), &["620", "600"]),
        (CheckpointError::OtherObjective.to_string(), &["another objective"]),
        (CheckpointError::OtherOptimizer.to_string(), &["`load_params`"]),
        (CheckpointError::OtherSource.to_string(), &["source of minibatches", "`load_params`"]),
        (CheckpointError::OtherStandardizer { expected: 25, found: 0 }.to_string(), &["25", "0", "standardizer"]),
        (CheckpointError::Unreadable.to_string(), &["cannot be read"]),
        (CheckpointError::Interrupted.to_string(), &["load again"]),
    ]);
}

#[test]
fn errors_of_slots() {
    let refused = SlotState::Refused { sequence: 41, why: CheckpointError::Damaged };
    let none = |first, second| SlotError::NoneLoads([first, second]).to_string();
    assert_told(&[
        (SlotError::Region { sector: 4096, capacity: 65_536 }.to_string(), &["4096", "65536"]),
        (SlotError::TooSmall { needed: 5000, slot: 4096 }.to_string(), &["5000", "4096", "larger"]),
        (SlotError::Buffer { needed: 5000, found: 4096 }.to_string(), &["5000", "4096", "longer"]),
        (none(refused, SlotState::Blank), &["first slot: number 41, refused", "second slot: blank", "checksum"]),
        (none(SlotState::Unreadable, SlotState::Uncommitted), &["slot: unreadable", "slot: not committed"]),
        (
            none(SlotState::Loaded { sequence: 3 }, SlotState::Committed { sequence: 2 }),
            &["first slot: number 3, loaded", "second slot: number 2)"],
        ),
        (SlotError::NotWritten.to_string(), &["write-protected"]),
        (SlotError::Flash(NorFlashErrorKind::OutOfBounds).to_string(), &["flash"]),
    ]);
}

//! What a training needs to go on: settings, the curve so far and the core's checkpoint, in one file.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use serde::{Deserialize, Serialize};

use super::Settings;
use crate::container::{self, Kind};
use crate::files::write_atomically;

/// The file of a training.
pub const KIND: Kind = Kind { magic: *b"L2OT", version: 1, name: "a training of `lgl2o train`" };
/// What it is called.
pub const NAME: &str = "train.checkpoint";

/// Losses at a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Steps done.
    pub step: u64,
    /// Mean loss of the first rows that are trained on; none where it is not finite.
    pub train: Option<f32>,
    /// Mean loss of the first of those that are checked on.
    pub check: Option<f32>,
    /// Mean loss of the first of those that are tested on.
    pub test: Option<f32>,
}

/// A training between two rounds.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// What decides it.
    pub settings: Settings,
    /// Steps done.
    pub steps: u64,
    /// The curve so far.
    pub curve: Vec<Point>,
    /// The core's checkpoint.
    pub checkpoint: Vec<u8>,
    /// Whether the model beside it is what this training had come to when it was interrupted, and not one that was finished.
    pub unfinished: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Header {
    settings: Settings,
    steps: u64,
    curve: Vec<Point>,
    #[serde(default)]
    unfinished: bool,
}

impl Kept {
    /// Writes it.
    ///
    /// # Errors
    /// If that fails.
    pub fn write(&self, path: &Path) -> Result<()> {
        let Self { settings, steps, curve, unfinished, .. } = self;
        let header =
            Header { settings: settings.clone(), steps: *steps, curve: curve.clone(), unfinished: *unfinished };
        write_atomically(path, &container::write(KIND, &header, &self.checkpoint))
    }

    /// Reads one that goes with these settings.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or has other settings; those are named.
    pub fn read(path: &Path, settings: &Settings) -> Result<Self> {
        let bytes = container::bytes_of(path)?;
        let read = container::read::<Header>(KIND, &bytes);
        let (header, checkpoint) =
            read.with_context(|| format!("cannot resume from {}; --restart starts over", path.display()))?;
        let differences = header.settings.differences(settings);
        if !differences.is_empty() {
            bail!(
                "{} is of another training: {}. Use the same settings, or start over with --restart",
                path.display(),
                differences.join(", ")
            );
        }
        let Header { settings, steps, curve, unfinished } = header;
        Ok(Self { settings, steps, curve, checkpoint: checkpoint.to_vec(), unfinished })
    }
}

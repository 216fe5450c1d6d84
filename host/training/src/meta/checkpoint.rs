//! Checkpoints of meta-training: everything that the rest of a run depends on.
//!
//! ```text
//! "L2OC" | version u8 | CRC-32 of the rest u32 | postcard of the state
//! ```
//!
//! A resumed run gives the same weights as an uninterrupted one, bit for bit. A file is written beside its place and
//! moved there, so that a crash leaves the old one.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use lgl2o::Rng;
use lgl2o::learned::file::crc32;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::outer::Outer;
use super::particle::Particle;
use super::problem::Rescale;
use crate::files::{read_bounded, write_atomically};
use crate::optimizer::parts::Parts as _;

const MAGIC: &[u8; 4] = b"L2OC";
const VERSION: u8 = 3;
const HEADER: usize = 9;
/// No checkpoint is larger, in bytes.
const LARGEST: u64 = 1 << 30;

/// A state that can be written to a file and read again.
pub trait Saved: Serialize + DeserializeOwned {
    /// Writes it; an interruption leaves the file that was there before.
    ///
    /// # Errors
    /// If the file cannot be written.
    fn write(&self, path: &Path) -> Result<()> {
        write_atomically(path, &self.to_bytes()?)
    }

    /// Reads one.
    ///
    /// # Errors
    /// If the file is not there, foreign or damaged.
    fn read(path: &Path) -> Result<Self> {
        let shown = path.display();
        let bytes = read_bounded(path, LARGEST).context("the checkpoint")?;
        Self::from_bytes(&bytes).with_context(|| format!("cannot use {shown}"))
    }

    /// The bytes of its file.
    ///
    /// # Errors
    /// None that is known.
    fn to_bytes(&self) -> Result<Vec<u8>> {
        let body = postcard::to_stdvec(self)?;
        let mut bytes = Vec::with_capacity(HEADER + body.len());
        bytes.extend_from_slice(MAGIC);
        bytes.push(VERSION);
        bytes.extend_from_slice(&crc32(&body).to_le_bytes());
        bytes.extend_from_slice(&body);
        Ok(bytes)
    }

    /// What the bytes of a file hold.
    ///
    /// # Errors
    /// If they are foreign or damaged.
    fn from_bytes(bytes: &[u8]) -> Result<Self> {
        if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
            bail!(
                "it is not a checkpoint of meta-training (it does not start with \"L2OC\"); remove it, or start again with --restart"
            );
        }
        ensure!(
            bytes[4] == VERSION,
            "it is of version {}, and this program reads version {VERSION}: use the program that wrote it, or start again with --restart",
            bytes[4]
        );
        let (header, body) = bytes.split_at(HEADER);
        ensure!(
            header[5..] == crc32(body).to_le_bytes(),
            "it is damaged: its checksum does not fit; remove it, or start again with --restart"
        );
        let (checkpoint, rest) = postcard::take_from_bytes(body).context("it cannot be decoded")?;
        ensure!(rest.is_empty(), "it is longer than it should be");
        Ok(checkpoint)
    }
}

impl Saved for Checkpoint {}

/// The state of a run between two outer steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The configuration that the run was started with, as TOML.
    pub config: String,
    /// The seed of the training that runs.
    pub seed: u64,
    /// Outer steps done of it.
    pub done: u32,
    /// Inner steps done of it.
    pub inner: u64,
    /// Minutes that it took so far.
    pub minutes: f64,
    /// The weights.
    pub weights: Vec<f32>,
    /// Their running mean.
    pub average: Vec<f32>,
    /// The outer optimizer.
    pub outer: Outer,
    /// The best snapshot of all seeds so far.
    pub best: Option<Snapshot>,
    /// Mean meta-loss since the last line of the log, as sum and count.
    pub pending: (f64, u32),
    /// The logs so far.
    pub logs: [String; 2],
    /// The particles.
    pub particles: Vec<ParticleState>,
}

/// Weights with their validation score, and when they were there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Validation score, lower is better.
    pub score: f64,
    /// Seed of the training.
    pub seed: u64,
    /// Outer step of the training.
    pub step: u32,
    /// The weights.
    pub weights: Vec<f32>,
}

/// A particle, without its problem.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParticleState {
    rng: Rng,
    done: u32,
    horizon: u32,
    accumulated: Vec<f32>,
    lanes: [InnerRunState; 2],
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct InnerRunState {
    params: Vec<f32>,
    slots: Vec<Vec<f32>>,
    steps: u32,
    numbers: Vec<f32>,
    rescale: Rescale,
    broken: bool,
}

impl ParticleState {
    /// What a particle consists of.
    #[must_use]
    pub fn of(particle: &Particle) -> Self {
        let lanes = particle.runs.each_ref().map(|lane| InnerRunState {
            params: lane.params.as_slice().to_vec(),
            slots: lane.state.slot_list().iter().map(|slot| slot.as_slice().to_vec()).collect(),
            steps: lane.state.steps(),
            numbers: lane.state.numbers(),
            rescale: lane.rescale.clone(),
            broken: lane.broken,
        });
        Self {
            rng: particle.rng.clone(),
            done: particle.done,
            horizon: particle.horizon,
            accumulated: particle.accumulated.clone(),
            lanes,
        }
    }

    /// Puts it back into a particle of the same problem.
    ///
    /// # Errors
    /// If the sizes are not the problem's.
    pub fn restore(&self, particle: &mut Particle) -> Result<()> {
        ensure!(self.accumulated.len() == particle.accumulated.len(), "weights of another size");
        particle.rng = self.rng.clone();
        (particle.done, particle.horizon) = (self.done, self.horizon);
        particle.accumulated.clone_from(&self.accumulated);
        for (lane, saved) in particle.runs.iter_mut().zip(&self.lanes) {
            fill(lane.params.as_mut_slice(), &saved.params)?;
            ensure!(lane.state.set_numbers(saved.steps, &saved.numbers), "a state of another rule");
            let mut slots = lane.state.slot_list_mut();
            ensure!(slots.len() == saved.slots.len(), "a state of another rule");
            for (slot, saved) in slots.iter_mut().zip(&saved.slots) {
                fill(slot.as_mut_slice(), saved)?;
            }
            lane.rescale.clone_from(&saved.rescale);
            lane.broken = saved.broken;
        }
        Ok(())
    }
}

fn fill(to: &mut [f32], from: &[f32]) -> Result<()> {
    ensure!(to.len() == from.len(), "parameters of another size");
    to.copy_from_slice(from);
    Ok(())
}

//! What an experiment is, and an experiment with its tasks.

use std::path::PathBuf;

use anyhow::Result;

use super::claims::Claim;
use super::finding::Finding;
use super::pictures::Picture;
use super::tasks::{Part, Scale};
use crate::report::overview::Table;

/// One experiment; [`experiments`](super::experiments) lists all.
#[derive(Debug)]
pub struct Experiment {
    /// How the command line names it, and its folder.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it asks, in a sentence.
    pub question: &'static str,
    /// What it runs on, for the help.
    pub tasks: &'static str,
    /// Its runs: for each task what is run on it. The folders are IDX files of one's own.
    pub parts: fn(&Scale, &[PathBuf]) -> Vec<Part>,
    /// What is claimed of a finding.
    pub claims: fn(&Finding) -> Vec<Claim>,
    /// The pictures of a finding.
    pub pictures: fn(&Finding) -> Result<Vec<Picture>>,
    /// The sentences on what a finding shows.
    pub words: fn(&Finding) -> Vec<String>,
    /// Tables of a finding besides that of all losses.
    pub tables: fn(&Finding) -> Vec<Table>,
}

/// An experiment that is to be run.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Its place in the list, from 1.
    pub number: usize,
    /// The experiment.
    pub experiment: &'static Experiment,
    /// Its tasks.
    pub parts: Vec<Part>,
}

impl Planned {
    /// The name of its folder.
    #[must_use]
    pub fn folder(&self) -> String {
        format!("{}-{}", self.number, self.experiment.name)
    }
}

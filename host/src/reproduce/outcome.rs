//! What a reproduction found, for the report.

use super::claims::Claim;
use super::experiment::Planned;
use super::finding::Finding;
use super::tasks::Scale;

/// What was run, and what came out of it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// The experiments that were run.
    pub experiments: &'a [Planned],
    /// What came out of each of their parts, in the same order.
    pub findings: &'a [Finding],
    /// What is claimed of them.
    pub claims: &'a [Claim],
    /// How much of everything.
    pub scale: &'a Scale,
    /// What was left out and why.
    pub notes: &'a [String],
    /// The command line.
    pub command: &'a str,
}

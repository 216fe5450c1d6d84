//! Experiment `horizon`: the task of `in-distribution` far beyond the horizon of meta-training.

use super::against_baselines;
use crate::data::Variant;
use crate::reproduce::experiment::Experiment;
use crate::reproduce::tasks::{mnist, slow};

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "horizon",
    title: "A longer horizon",
    question: "What happens far beyond the horizon of meta-training?",
    tasks: "MNIST, 50,000 steps",
    parts: |scale, _| vec![against_baselines::part(slow(mnist(scale, "mnist-long", Variant::Plain, 50_000)))],
    ..against_baselines::DEFAULTS
};

//! Experiment `spirals`: few points in the plane, with another network.

use super::against_baselines;
use crate::reproduce::experiment::Experiment;
use crate::reproduce::tasks;

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "spirals",
    title: "Other data, another network",
    question: "How does it do on few points in the plane, with another network?",
    tasks: "Spirals, 2-32-32-2 tanh",
    parts: |scale, _| vec![against_baselines::part_for_all(tasks::spirals(scale))],
    ..against_baselines::DEFAULTS
};

//! Experiment `networks`: MNIST with other units, with more layers, and with a layer 16 times as wide.

use lgl2o::objective::mlp::Activation;

use super::against_baselines;
use crate::data::Variant;
use crate::reproduce::experiment::Experiment;
use crate::reproduce::tasks::{Scale, TaskPlan, mnist, mnist_deep, slow};

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "networks",
    title: "Another network",
    question: "Does the guard hold when the network is wider, deeper or has other units?",
    tasks: "MNIST with ReLU units, deeper, 16 times as wide",
    parts: |scale, _| [relu(scale), mnist_deep(scale), wide(scale)].map(against_baselines::part).to_vec(),
    ..against_baselines::DEFAULTS
};

fn relu(scale: &Scale) -> TaskPlan {
    let task = mnist(scale, "mnist-relu", Variant::Plain, 2000);
    TaskPlan { hidden: vec![64, 64], activation: Activation::Relu, ..task }
}

fn wide(scale: &Scale) -> TaskPlan {
    slow(TaskPlan { hidden: vec![320], ..mnist(scale, "mnist-wide", Variant::Plain, 1000) })
}

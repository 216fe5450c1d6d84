//! A small made-up experiment for the tests: two plain rules, one of which diverges, a learned rule, and a
//! guarded one.

use super::{Boundaries, Boundary};
use crate::record::{Point, Results, Run, Summary, VERSION, Verdicts, Winner};

/// The evaluated steps.
pub(super) const STEPS: [u64; 8] = [0, 1, 10, 50, 100, 300, 1000, 3000];

/// Four optimizers, two seeds. One of the two runs of `sgd:9` diverges.
pub(super) fn results() -> Results {
    let names = ["sgd:1", "sgd:9", "l2o", "lgl2o(l2o,sgd:1)"];
    let runs: Vec<Run> = names.iter().enumerate().flat_map(|(i, name)| [1, 2].map(|seed| run(name, i, seed))).collect();
    let summary = names.iter().flat_map(|name| (0..STEPS.len()).map(|at| summarize(&runs, name, at))).collect();
    Results {
        version: VERSION,
        task: "spirals".to_owned(),
        model: "2-8-2 tanh, softmax cross-entropy".to_owned(),
        parameters: 42,
        batch: 16,
        runs,
        summary,
    }
}

/// Two fields over a small grid; the second has no value anywhere.
pub(super) fn boundaries() -> Boundaries {
    let field = |optimizer: &str, probability: Vec<f32>| Boundary {
        optimizer: optimizer.to_owned(),
        resolution: 8,
        extent: 1.0,
        probability,
    };
    Boundaries {
        points: vec![([0.5, 0.5], 1), ([-0.5, 0.25], 0)],
        fields: vec![
            field("sgd:1", (0..64).map(|i| (i % 8) as f32 / 7.0).collect()),
            field("sgd:9", vec![f32::NAN; 64]),
        ],
    }
}

fn run(name: &str, index: usize, seed: u64) -> Run {
    let guarded = index == 3;
    let verdicts = [(Winner::Learned, 40), (Winner::Neither, 50), (Winner::Fallback, 3000)]
        .map(|(winner, until)| Verdicts { winner, until });
    Run {
        optimizer: name.to_owned(),
        seed,
        learned_share: [0.0, 0.0, 1.0, 0.125][index],
        learned_steps_share: [0.0, 0.0, 1.0, 0.25][index],
        curve: STEPS.map(|step| point(index, seed, step)).to_vec(),
        verdicts: if guarded { verdicts.to_vec() } else { Vec::new() },
    }
}

fn point(index: usize, seed: u64, step: u64) -> Point {
    let lost = index == 1 && seed == 1 && step >= 100;
    let speed = 1.0 + 0.02 * (index as f64 + 1.0) * step as f64;
    let value = |scale: f64| (!lost).then_some(scale * (0.6 + 0.1 * seed as f64) / speed);
    Point {
        step,
        cost: step as f64 * [3.0, 3.0, 3.0, 5.0][index],
        train_loss: value(0.9),
        test_loss: value(1.0),
        test_accuracy: (!lost).then_some(1.0 - 0.5 / speed),
    }
}

fn summarize(runs: &[Run], name: &str, at: usize) -> Summary {
    let points: Vec<Point> = runs.iter().filter(|r| r.optimizer == name).map(|r| r.curve[at]).collect();
    let losses: Option<Vec<f64>> = points.iter().map(|p| p.test_loss).collect();
    let mean = losses.as_ref().map(|l| (l[0] + l[1]) / 2.0);
    Summary {
        optimizer: name.to_owned(),
        step: points[0].step,
        cost: points[0].cost,
        test_loss_mean: mean,
        test_loss_std: losses.map(|l| (l[0] - l[1]).abs() / 2.0_f64.sqrt()),
        test_accuracy_mean: mean.and(points[0].test_accuracy),
    }
}

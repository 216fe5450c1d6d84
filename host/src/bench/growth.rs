//! How the time of a step grows: with the width of a network, with its depth, and with the batch.
//!
//! Each starts from 784-64-10 ReLU in batches of 128, on the data of S2 and S3, and changes one thing.

use lgl2o::objective::mlp::Activation;

use super::{IMAGE, Kept, measure, prototypes};
use crate::optimizer::Optimizer;
use crate::report::{Growth, Plot};
use crate::task::{BATCH, Task};

/// The hidden layer that is there unless it is what grows.
const WIDTH: usize = 64;
/// Hidden units of the one hidden layer.
const WIDTHS: [usize; 6] = [8, 16, 32, 64, 128, 256];
/// Hidden layers of [`WIDTH`] units.
const DEPTHS: [usize; 4] = [1, 2, 4, 8];
/// Examples in a batch; of the largest, there is one more batch to check with.
const BATCHES: [usize; 6] = [1, 4, 16, 32, 64, 128];

/// How many measurements [`growth`] makes of each optimizer and round.
pub const SIZES: usize = WIDTHS.len() + DEPTHS.len() + BATCHES.len();

/// Median microseconds of a step at each size; tells each run to `advance`.
///
/// # Errors
/// As [`measure`].
pub fn growth(optimizers: &[Optimizer], runs: [u32; 2], kept: &Kept, advance: &dyn Fn()) -> anyhow::Result<Growth> {
    let plot = |title: &str, sizes: &[usize], hidden: &dyn Fn(usize) -> Vec<usize>, batch: &dyn Fn(usize) -> usize| {
        let mut costs = vec![Vec::new(); optimizers.len()];
        for &size in sizes {
            let task = Task::new("growth", prototypes(IMAGE)?, &hidden(size), Activation::Relu, batch(size));
            let figures = measure("growth", &task, optimizers, runs, kept, advance)?;
            costs.iter_mut().zip(figures).for_each(|(line, figure)| line.push(figure.step.median));
        }
        let sizes = sizes.iter().map(|&size| size as f64).collect();
        anyhow::Ok(Plot { title: title.to_owned(), sizes, costs })
    };
    let plots = vec![
        plot("Hidden units", &WIDTHS, &|width| vec![width], &|_| BATCH)?,
        plot("Hidden layers", &DEPTHS, &|depth| vec![WIDTH; depth], &|_| BATCH)?,
        plot("Examples in a batch", &BATCHES, &|_| vec![WIDTH], &|batch| batch)?,
    ];
    Ok(Growth {
        subject: format!("784-{WIDTH}-10 ReLU, batch of {BATCH}, except for what grows"),
        explanation: "Both axes logarithmic, so that what grows in proportion runs along a decade's diagonal."
            .to_owned(),
        names: optimizers.iter().map(|optimizer| optimizer.name.clone()).collect(),
        plots,
    })
}

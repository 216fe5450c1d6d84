//! How the time of a step grows: with the width of a network, with its depth, and with the batch.
//!
//! Each starts from 784-64-10 ReLU in batches of 128, on the data of S2 and S3, and changes one thing.

use lgl2o::objective::mlp::Activation;

use super::{IMAGE, measure, prototypes};
use crate::data::DataError;
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

/// Why growth was not measured.
#[derive(Debug, thiserror::Error)]
pub enum GrowthError {
    /// Built-in data that do not fit together.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Settings out of range.
    #[error(transparent)]
    Run(#[from] lgl2o::Error),
}

/// Median microseconds of a step at each size; tells each run to `advance`.
///
/// # Errors
/// Settings out of range.
pub fn growth(optimizers: &[Optimizer], runs: [u32; 2], advance: impl Fn()) -> Result<Growth, GrowthError> {
    let plot = |title: &str, sizes: &[usize], hidden: &dyn Fn(usize) -> Vec<usize>, batch: &dyn Fn(usize) -> usize| {
        let mut costs = vec![Vec::new(); optimizers.len()];
        for &size in sizes {
            let task = Task::new("growth", prototypes(IMAGE)?, &hidden(size), Activation::Relu, batch(size));
            let figures = measure("growth", &task, optimizers, runs, &advance)?;
            costs.iter_mut().zip(figures).for_each(|(line, figure)| line.push(figure.step.median));
        }
        let sizes = sizes.iter().map(|&size| size as f64).collect();
        Ok::<_, GrowthError>(Plot { title: title.to_owned(), sizes, costs })
    };
    let plots = vec![
        plot("Hidden units", &WIDTHS, &|width| vec![width], &|_| BATCH)?,
        plot("Hidden layers", &DEPTHS, &|depth| vec![WIDTH; depth], &|_| BATCH)?,
        plot("Examples in a batch", &BATCHES, &|_| vec![WIDTH], &|batch| batch)?,
    ];
    Ok(Growth {
        subject: format!("784-{WIDTH}-10 ReLU, batch of {BATCH}, but for what grows"),
        explanation: "Both axes logarithmic, so that what grows in proportion runs along a decade's diagonal."
            .to_owned(),
        names: optimizers.iter().map(|optimizer| optimizer.name.clone()).collect(),
        plots,
    })
}

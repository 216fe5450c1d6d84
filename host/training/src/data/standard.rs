//! Standardizes a data set with the core's [`Standardizer`]: each column gets mean 0 and variance 1 over the first
//! [`STANDARD_ROWS`] training rows. A column that does not vary there becomes 0.

use lgl2o::standardize::Standardizer;

use super::{DataError, DataSets, Dataset};
use crate::network::HeapTensors;

/// Training rows that means and variances are taken from: as many as a device would look at before it begins.
pub const STANDARD_ROWS: usize = 256;

/// The same data through the core's standardizer, which has observed the first training rows.
///
/// # Errors
/// If an input is not finite.
pub fn standardized(sets: DataSets) -> Result<DataSets, DataError> {
    let width = sets.train.width();
    let mut standardizer = Standardizer::blank(&HeapTensors::zeros([width]), STANDARD_ROWS as u32);
    // Both refuse rows of another width, and the first one rows that are not finite: a data set has neither.
    for row in sets.train.inputs().chunks_exact(width) {
        let _ = standardizer.observe(row);
    }
    let part = |data: &Dataset| {
        let mut inputs = data.inputs().to_vec();
        for row in inputs.chunks_exact_mut(width) {
            let _ = standardizer.apply(row);
        }
        Dataset::new(inputs, data.labels().to_vec(), width, data.classes(), data.image())
    };
    Ok(DataSets { train: part(&sets.train)?, test: part(&sets.test)?, name: sets.name })
}

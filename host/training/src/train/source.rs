//! A table as the rows that [`lgl2o_device::table`] trains on, and memory on the heap for them.

use lgl2o::Error;
use lgl2o_device::table::{Answers, Room, Rows};

use crate::data::table::{Table, Target};

/// The rows of a table.
///
/// # Errors
/// [`Error::WrongTargets`] for a table without targets.
pub fn rows(table: &Table) -> Result<Rows<'_>, Error> {
    let answers = match &table.target {
        Target::Classes { labels, names } => Answers::Classes { labels, classes: names.len() },
        Target::Values(values) => Answers::Values(values),
        Target::Unknown => return Err(Error::WrongTargets),
    };
    Ok(Rows { inputs: &table.inputs, width: table.width(), answers })
}

/// Memory of the rows that are trained on.
#[derive(Debug)]
pub struct Memory {
    inputs: Vec<f32>,
    labels: Vec<u8>,
    values: Vec<f32>,
    pick: Vec<u32>,
    used: Vec<u32>,
}

impl Memory {
    /// Memory for a table, in batches of this size, not larger than the table.
    #[must_use]
    pub fn new(table: &Table, batch: usize) -> Self {
        let rows = table.rows();
        let (labels, values) = match table.target {
            Target::Classes { .. } => (vec![0; rows], Vec::new()),
            Target::Values(_) | Target::Unknown => (Vec::new(), vec![0.0; rows]),
        };
        let (pick, used) = (vec![0; batch.min(rows)], vec![0; rows.div_ceil(32)]);
        Self { inputs: vec![0.0; table.inputs.len()], labels, values, pick, used }
    }

    /// The same as the core takes it.
    pub fn room(&mut self) -> Room<'_> {
        let Self { inputs, labels, values, pick, used } = self;
        Room { inputs, labels, values, pick, used }
    }
}

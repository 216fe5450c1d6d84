//! Tables: rows of features with one target each, from a CSV file, a `.npy` file or a folder of IDX files.
//!
//! | module | does |
//! |---|---|
//! | [`error`] | [`TableError`]: everything that can be wrong with a table, with file, line and column |
//! | [`columns`] | which columns are features and which one is the target |
//! | [`gather`] | takes rows in, checked one by one |
//! | [`text`] | CSV: finds delimiter and header |
//! | [`npy`] | arrays of NumPy's, read and written |
//! | [`target`] | labels become classes in order, or values |
//! | [`folder`] | the two halves of a folder of IDX files |
//!
//! Nothing is guessed that would change the data in silence: a cell that is not a number is an error, unless rows with missing
//! values are to be left out, and then it is said how many were.

pub mod column;
pub mod columns;
pub mod error;
pub mod folder;
pub mod gather;
pub mod npy;
pub mod target;
pub mod text;

#[cfg(test)]
mod tests;

use std::path::Path;

use crate::files::read_bounded;

pub use column::Column;
pub use columns::Columns;
pub use error::{At, Place, TableError};
pub use target::{Target, class_name};

/// The largest file that is read, in bytes: 4 GB.
const LARGEST: u64 = 4 << 30;

/// What to do about a row that lacks a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Missing {
    /// Refuse the file.
    #[default]
    Refuse,
    /// Leave the row out.
    Drop,
}

/// What a target is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind<'a> {
    /// Classes, which the table names.
    Classes,
    /// Classes with these names, and no others.
    Known(&'a [String]),
    /// Values.
    Values,
}

/// How a table is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The target, by name or by number from 1; the last column unless said otherwise.
    pub target: Option<&'a str>,
    /// Columns that are left out.
    pub drop: &'a [String],
    /// What the target is.
    pub kind: Kind<'a>,
    /// What to do about missing values.
    pub missing: Missing,
    /// Whether the first line holds names; found out unless said.
    pub header: Option<bool>,
    /// What stands between two cells; found out unless said.
    pub delimiter: Option<u8>,
    /// For an array without labels in it: the file that holds them.
    pub labels: Option<&'a Path>,
    /// The columns of an earlier table, whose features this one is to have.
    pub like: Option<&'a Columns>,
    /// With [`like`](Self::like): whether there must be a target; else it is not looked at.
    pub needs_target: bool,
}

impl Default for Reading<'_> {
    fn default() -> Self {
        Self {
            target: None,
            drop: &[],
            kind: Kind::Classes,
            missing: Missing::Refuse,
            header: None,
            delimiter: None,
            labels: None,
            like: None,
            needs_target: true,
        }
    }
}

/// Rows of finite features, and what they are to be mapped to.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// What its columns are.
    pub columns: Columns,
    /// All features, row by row.
    pub inputs: Vec<f32>,
    /// One target for each row, or none at all.
    pub target: Target,
    /// How many rows were left out because a value was missing.
    pub dropped: u64,
}

impl Table {
    /// Features in a row; at least one.
    #[must_use]
    pub fn width(&self) -> usize {
        self.columns.features.len()
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.inputs.len().checked_div(self.width()).unwrap_or(0)
    }

    /// Row number `i`; empty where there is none.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f32] {
        let start = i.saturating_mul(self.width());
        self.inputs.get(start..start.saturating_add(self.width())).unwrap_or(&[])
    }

    /// The rows of these numbers, all below [`rows`](Self::rows).
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        Self {
            columns: self.columns.clone(),
            inputs: rows.iter().flat_map(|&i| self.row(i)).copied().collect(),
            target: self.target.pick(rows),
            dropped: 0,
        }
    }

    /// A feature that has the same value in every row, with that value; none in a table of one row.
    #[must_use]
    pub fn constant(&self) -> Option<(&Column, f32)> {
        let first = self.row(0);
        let mut varies = vec![self.rows() < 2; self.width()];
        for row in self.inputs.chunks_exact(self.width().max(1)) {
            varies.iter_mut().zip(row.iter().zip(first)).for_each(|(varies, (x, first))| *varies |= x != first);
        }
        let place = varies.iter().position(|varies| !varies)?;
        Some((&self.columns.features[place], first[place]))
    }
}

/// Reads a CSV or `.npy` file, whichever it is by its first bytes.
///
/// # Errors
/// Whatever is wrong with the file, and where.
pub fn read(file: &Path, reading: &Reading<'_>) -> Result<Table, TableError> {
    let bytes = read_bounded(file, LARGEST).map_err(|error| TableError::Unreadable(format!("{error:#}")))?;
    parse(file, &bytes, reading)
}

/// [`read`] of bytes that are in memory; messages name the file.
///
/// # Errors
/// Whatever is wrong with them, and where.
pub fn parse(file: &Path, bytes: &[u8], reading: &Reading<'_>) -> Result<Table, TableError> {
    if bytes.starts_with(npy::MAGIC) {
        if reading.header.is_some() || reading.delimiter.is_some() {
            return Err(TableError::OfText { file: file.to_owned(), what: "a .npy file" });
        }
        return npy::table(file, bytes, reading);
    }
    if reading.labels.is_some() {
        return Err(TableError::LabelsBesideText { file: file.to_owned() });
    }
    text::table(file, bytes, reading)
}

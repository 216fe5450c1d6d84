//! What files of images and of labels hold.

use std::path::{Path, PathBuf};

/// Numbers of a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// Unsigned bytes: inputs are their 255ths.
    Bytes(Vec<u8>),
    /// Numbers of any other type, finite; inputs are they themselves.
    Numbers(Vec<f32>),
}

impl Values {
    /// How many numbers there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Numbers(numbers) => numbers.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The content of one file of images, or of table rows.
#[derive(Debug, Clone, PartialEq)]
pub struct Images {
    pub(super) file: PathBuf,
    pub(super) dims: Vec<usize>,
    pub(super) values: Values,
}

impl Images {
    /// The file it was read from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The dimensions, count first; none is zero.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Number of images or rows.
    #[must_use]
    pub fn count(&self) -> usize {
        self.dims[0]
    }

    /// The shape of one example: `[rows, cols]`, or `[cols]`.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.dims[1..]
    }

    /// The values, last dimension fastest.
    #[must_use]
    pub fn values(&self) -> &Values {
        &self.values
    }

    pub(super) fn inputs(&self) -> Vec<f32> {
        match &self.values {
            Values::Bytes(bytes) => bytes.iter().map(|&v| f32::from(v) / 255.0).collect(),
            Values::Numbers(numbers) => numbers.clone(),
        }
    }
}

/// The content of one file of labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labels {
    pub(super) file: PathBuf,
    pub(super) values: Vec<u8>,
}

impl Labels {
    /// The file it was read from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Number of labels, at least one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.values.len()
    }

    /// The labels.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values
    }
}

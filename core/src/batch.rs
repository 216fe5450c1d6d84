//! Minibatches over borrowed slices.
//!
//! A [`Batch`] copies nothing: it names rows of a caller's array, either all of them or those of an index list. A
//! [source](crate::source) hands batches out.

use crate::error::Error;

/// Row `i` of a row-major matrix of the given width; empty where there is none.
#[inline]
pub(crate) fn row(data: &[f32], i: usize, width: usize) -> &[f32] {
    let start = i.saturating_mul(width);
    data.get(start..start.saturating_add(width)).unwrap_or(&[])
}

/// [`row`], to write to.
#[inline]
pub(crate) fn row_mut(data: &mut [f32], i: usize, width: usize) -> &mut [f32] {
    let start = i.saturating_mul(width);
    data.get_mut(start..start.saturating_add(width)).unwrap_or(&mut [])
}

/// The first `wide` numbers of S rows from number `i` on, where they are there.
#[inline]
pub(crate) fn several<const S: usize>(data: &[f32], i: usize, width: usize, wide: usize) -> Option<[&[f32]; S]> {
    let mut rest = data.get(i.checked_mul(width)?..)?;
    let mut rows: [&[f32]; S] = [&[]; S];
    for (k, row) in rows.iter_mut().enumerate() {
        // Behind the last row there may be none.
        rest = if k == 0 { rest } else { rest.get(width..)? };
        *row = rest.get(..wide)?;
    }
    Some(rows)
}

/// A borrowed matrix, row by row, however its rows lie in memory.
pub trait Matrix<'a>: Copy {
    /// Numbers in a row.
    fn width(&self) -> usize;

    /// Row number `s`; empty where there is none.
    fn row(&self, s: usize) -> &'a [f32];

    /// `wide` numbers from `column` on of the S rows from number `s` on, where all of that is there.
    fn several<const S: usize>(&self, s: usize, column: usize, wide: usize) -> Option<[&'a [f32]; S]>;
}

/// Rows of a borrowed row-major matrix: all of them, or those that an index list names.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    data: &'a [f32],
    width: usize,
    pick: Option<&'a [u32]>,
}

impl<'a> Rows<'a> {
    /// All rows of `data`, each `width` numbers long; an incomplete last row is ignored.
    #[must_use]
    pub const fn all(data: &'a [f32], width: usize) -> Self {
        Self { data, width, pick: None }
    }

    /// The rows number `pick[0]`, `pick[1]`, ... of `data`.
    #[must_use]
    pub const fn picked(data: &'a [f32], width: usize, pick: &'a [u32]) -> Self {
        Self { data, width, pick: Some(pick) }
    }

    /// Numbers in a row.
    #[must_use]
    pub const fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    #[must_use]
    pub fn count(&self) -> usize {
        match self.pick {
            Some(pick) => pick.len(),
            None => self.data.len().checked_div(self.width).unwrap_or(0),
        }
    }

    /// Row number `s`; empty where the number, or the index behind it, is out of range.
    #[must_use]
    #[inline]
    pub fn row(&self, s: usize) -> &'a [f32] {
        let i = match self.pick {
            Some(pick) => pick.get(s).map_or(usize::MAX, |&i| i as usize),
            None => s,
        };
        row(self.data, i, self.width)
    }

    /// Checks that every row is there and `width` numbers long.
    pub(crate) fn check(&self, what: &'static str, width: usize) -> Result<(), Error> {
        if self.width != width {
            return Err(Error::ShapeMismatch { what, expected: width, found: self.width });
        }
        // Of all rows none can be missing.
        if self.pick.is_none() {
            return Ok(());
        }
        for s in 0..self.count() {
            let found = self.row(s).len();
            if found != width {
                return Err(Error::ShapeMismatch { what, expected: width, found });
            }
        }
        Ok(())
    }
}

impl<'a> Matrix<'a> for Rows<'a> {
    #[inline]
    fn width(&self) -> usize {
        self.width
    }
    #[inline]
    fn row(&self, s: usize) -> &'a [f32] {
        Rows::row(self, s)
    }
    #[inline]
    fn several<const S: usize>(&self, s: usize, column: usize, wide: usize) -> Option<[&'a [f32]; S]> {
        let data = self.data.get(column..)?;
        let Some(pick) = self.pick else { return several(data, s, self.width, wide) };
        let mut rows: [&[f32]; S] = [&[]; S];
        for (row, &i) in rows.iter_mut().zip(pick.get(s..)?.first_chunk::<S>()?) {
            *row = data.get((i as usize).checked_mul(self.width)?..)?.get(..wide)?;
        }
        Some(rows)
    }
}

/// What the optimizee should answer.
#[derive(Debug, Clone, Copy)]
pub enum Targets<'a> {
    /// One class label per example, for cross-entropy.
    Classes(Labels<'a>),
    /// One row of values per example, for squared error or Huber's loss.
    Values(Rows<'a>),
}

/// Class labels of examples: all of a slice, or those that an index list names.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a> {
    data: &'a [u8],
    pick: Option<&'a [u32]>,
}

impl Labels<'_> {
    /// How many labels there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.pick.map_or(self.data.len(), <[u32]>::len)
    }

    /// The label of example `s`; `None` where the number, or the index behind it, is out of range.
    #[must_use]
    pub fn get(&self, s: usize) -> Option<u8> {
        let i = match self.pick {
            Some(pick) => *pick.get(s)? as usize,
            None => s,
        };
        self.data.get(i).copied()
    }
}

/// A minibatch: inputs and targets of some examples, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// One row per example.
    pub inputs: Rows<'a>,
    /// One target per example.
    pub targets: Targets<'a>,
}

impl<'a> Batch<'a> {
    /// Inputs (n rows of `width` numbers) with n class labels.
    #[must_use]
    pub const fn classes(inputs: &'a [f32], width: usize, labels: &'a [u8]) -> Self {
        Self { inputs: Rows::all(inputs, width), targets: Targets::Classes(Labels { data: labels, pick: None }) }
    }

    /// The examples number `pick[0]`, `pick[1]`, ... of inputs with class labels.
    #[must_use]
    pub const fn picked_classes(inputs: &'a [f32], width: usize, labels: &'a [u8], pick: &'a [u32]) -> Self {
        Self {
            inputs: Rows::picked(inputs, width, pick),
            targets: Targets::Classes(Labels { data: labels, pick: Some(pick) }),
        }
    }

    /// Inputs (n rows of `width` numbers) with n rows of `outputs` target values.
    #[must_use]
    pub const fn values(inputs: &'a [f32], width: usize, targets: &'a [f32], outputs: usize) -> Self {
        Self { inputs: Rows::all(inputs, width), targets: Targets::Values(Rows::all(targets, outputs)) }
    }

    /// Part `i` of all examples, `size` in each and in the last one what is left; `None` after that.
    pub(crate) fn part((inputs, width, labels): (&'a [f32], usize, &'a [u8]), size: usize, i: usize) -> Option<Self> {
        let start = i.saturating_mul(size);
        let end = start.saturating_add(size).min(labels.len());
        let labels = labels.get(start..end).filter(|part| !part.is_empty())?;
        Some(Self::classes(inputs.get(start * width..end * width).unwrap_or(&[]), width, labels))
    }

    /// The same of rows with values: each list of numbers with those in a row.
    pub(crate) fn part_of_values([inputs, values]: [(&'a [f32], usize); 2], size: usize, i: usize) -> Option<Self> {
        let start = i.saturating_mul(size);
        let part = |(numbers, width): (&'a [f32], usize)| {
            let end = start.saturating_add(size).saturating_mul(width).min(numbers.len());
            numbers.get(start.saturating_mul(width)..end).filter(|part| !part.is_empty())
        };
        Some(Self::values(part(inputs)?, inputs.1, part(values)?, values.1))
    }

    /// How many examples there are.
    #[must_use]
    pub fn examples(&self) -> usize {
        self.inputs.count()
    }

    /// Checks shapes, counts and labels against an optimizee.
    // On a device once, for all objectives.
    #[cfg_attr(target_os = "none", inline(never))]
    pub(crate) fn check(&self, inputs: usize, outputs: usize, capacity: usize) -> Result<usize, Error> {
        let n = self.examples();
        if n == 0 {
            return Err(Error::EmptyBatch);
        }
        if n > capacity {
            return Err(Error::BatchTooLarge { examples: n, capacity });
        }
        self.inputs.check("an input row", inputs)?;
        let found = match self.targets {
            Targets::Classes(labels) => labels.count(),
            Targets::Values(rows) => {
                rows.check("a target row", outputs)?;
                rows.count()
            }
        };
        if found != n {
            return Err(Error::ShapeMismatch { what: "the list of targets", expected: n, found });
        }
        if let Targets::Classes(labels) = self.targets {
            for s in 0..n {
                let Some(label) = labels.get(s) else {
                    return Err(Error::ShapeMismatch { what: "the list of labels", expected: n, found: s });
                };
                if usize::from(label) >= outputs {
                    return Err(Error::LabelOutOfRange { label, classes: outputs });
                }
            }
        }
        Ok(n)
    }
}

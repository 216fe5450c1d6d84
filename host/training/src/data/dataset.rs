//! Examples in memory: rows of inputs with one class label each, checked once when they are made.
//!
//! Average pooling by a factor f replaces each f x f block of an image by its mean:
//! `out[r][c] = (1/f^2) sum_{i,j < f} in[f r + i][f c + j]`, summed row by row.

use std::ops::Range;

use sha2::{Digest as _, Sha256};

use super::DataError;

/// Labelled examples: `len()` rows of `width()` finite inputs, row-major, each with a label
/// below `classes()`. A `Dataset` always has at least one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    inputs: Vec<f32>,
    labels: Vec<u8>,
    width: usize,
    classes: usize,
    image: Option<(usize, usize)>,
}

/// The two halves of a task: examples to train on, and examples held out for the final test.
#[derive(Debug, Clone, PartialEq)]
pub struct DataSets {
    /// The name of the task: "mnist", "spirals", or a folder's name.
    pub name: String,
    /// Examples to train on.
    pub train: Dataset,
    /// Examples never trained on.
    pub test: Dataset,
}

impl DataSets {
    /// The training examples alone: the last sixth of them takes the place of the test examples, for tuning and
    /// selection, which must not see those.
    ///
    /// # Errors
    ///
    /// If there are too few training examples to split.
    pub fn for_selection(mut self) -> Result<Self, DataError> {
        self.test = self.train.split_off_tail(self.train.len() / 6)?;
        Ok(self)
    }

    /// The first digits of a digest of all examples, by which results are known that were made of them.
    #[must_use]
    pub fn digest(&self) -> String {
        digest_of([&self.train, &self.test])
    }
}

/// The first digits of a digest of all examples of two sets.
#[must_use]
pub fn digest_of(sets: [&Dataset; 2]) -> String {
    let mut hash = Sha256::new();
    for data in sets {
        for inputs in data.inputs.chunks(1 << 16) {
            let bytes: Vec<u8> = inputs.iter().flat_map(|x| x.to_le_bytes()).collect();
            hash.update(&bytes);
        }
        hash.update(&data.labels);
    }
    hash.finalize().iter().take(10).map(|byte| format!("{byte:02x}")).collect()
}

impl Dataset {
    /// Checks and takes `labels.len()` rows of `width` inputs, row-major. `image` holds rows and
    /// columns where each row is a grey image.
    ///
    /// # Errors
    ///
    /// Refuses zero rows, lengths that do not match, an image that does not fill a row, a label
    /// at or above `classes`, and an input that is NaN or infinite (naming its row).
    pub fn new(
        inputs: Vec<f32>,
        labels: Vec<u8>,
        width: usize,
        classes: usize,
        image: Option<(usize, usize)>,
    ) -> Result<Self, DataError> {
        check_lengths(inputs.len(), labels.len(), width, image)?;
        check_labels(&labels, classes, || "labels".to_owned())?;
        check_finite(&inputs, width)?;
        Ok(Self { inputs, labels, width, classes, image })
    }

    /// Takes rows that are valid by construction; nothing is checked in a release build.
    pub(super) fn from_parts(inputs: Vec<f32>, labels: Vec<u8>, width: usize, classes: usize) -> Self {
        debug_assert!(check_lengths(inputs.len(), labels.len(), width, None).is_ok());
        Self { inputs, labels, width, classes, image: None }
    }

    /// Number of rows; never zero.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are no rows; always false, as a `Dataset` without rows cannot be made.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All inputs, `len() x width()`, row-major.
    #[must_use]
    pub fn inputs(&self) -> &[f32] {
        &self.inputs
    }

    /// All labels, one for each row, each below `classes()`.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// Number of inputs in a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of classes.
    #[must_use]
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows and columns of an image, where each row is one.
    #[must_use]
    pub fn image(&self) -> Option<(usize, usize)> {
        self.image
    }

    /// The inputs and the label of row `i`.
    ///
    /// # Panics
    ///
    /// As indexing a slice does, when `i` is not below `len()`.
    #[must_use]
    pub fn row(&self, i: usize) -> (&[f32], u8) {
        let label = self.labels[i];
        (&self.inputs[i * self.width..(i + 1) * self.width], label)
    }

    /// Removes the last `n` rows and returns them; used to hold out training rows for validation.
    ///
    /// # Errors
    ///
    /// Refuses an `n` of 0 or of all rows, as either side would be left empty.
    pub fn split_off_tail(&mut self, n: usize) -> Result<Self, DataError> {
        let len = self.len();
        if n == 0 || n >= len {
            return Err(DataError::BadRange {
                start: len.saturating_sub(n),
                end: len,
                len,
                rule: "both the tail and the rest must keep at least one row",
            });
        }
        Ok(Self {
            inputs: self.inputs.split_off((len - n) * self.width),
            labels: self.labels.split_off(len - n),
            ..*self
        })
    }

    /// A copy of the rows in `range`.
    ///
    /// # Errors
    ///
    /// Refuses an empty range and one that reaches beyond the last row.
    pub fn subset(&self, range: Range<usize>) -> Result<Self, DataError> {
        let Range { start, end } = range;
        if start >= end || end > self.len() {
            return Err(DataError::BadRange {
                start,
                end,
                len: self.len(),
                rule: "a subset needs at least one row and ends within the data set",
            });
        }
        Ok(Self {
            inputs: self.inputs[start * self.width..end * self.width].to_vec(),
            labels: self.labels[start..end].to_vec(),
            ..*self
        })
    }

    /// The same images, smaller: each `factor x factor` block becomes its mean.
    ///
    /// # Errors
    ///
    /// Refuses rows that are not images, and a factor that is 0 or does not divide both sides.
    pub fn average_pool(&self, factor: usize) -> Result<Self, DataError> {
        let image = self.image;
        let (rows, cols) = image
            .filter(|&(r, c)| factor > 0 && r % factor == 0 && c % factor == 0)
            .ok_or(DataError::NotPoolable { factor, image })?;
        let (rows, cols) = (rows / factor, cols / factor);
        let mut inputs = Vec::with_capacity(self.len() * rows * cols);
        for picture in self.inputs.chunks_exact(self.width) {
            pool_one(picture, (rows, cols), factor, &mut inputs);
        }
        Ok(Self {
            inputs,
            labels: self.labels.clone(),
            width: rows * cols,
            classes: self.classes,
            image: Some((rows, cols)),
        })
    }
}

/// Appends the pooled form, `rows x cols`, of one image to `out`.
fn pool_one(picture: &[f32], (rows, cols): (usize, usize), factor: usize, out: &mut Vec<f32>) {
    let stride = cols * factor;
    let area = (factor * factor) as f32;
    for r in 0..rows {
        for c in 0..cols {
            let mut sum = 0.0;
            for i in 0..factor {
                let start = (r * factor + i) * stride + c * factor;
                for &x in &picture[start..start + factor] {
                    sum += x;
                }
            }
            out.push(sum / area);
        }
    }
}

/// Refuses zero rows, and inputs or images that do not fill the rows.
fn check_lengths(inputs: usize, rows: usize, width: usize, image: Option<(usize, usize)>) -> Result<(), DataError> {
    if rows == 0 {
        return Err(DataError::NoRows);
    }
    if width == 0 || rows.checked_mul(width) != Some(inputs) {
        return Err(DataError::LengthMismatch { inputs, rows, width });
    }
    match image {
        Some((rows, cols)) if rows.checked_mul(cols) != Some(width) => Err(DataError::ImageShape { rows, cols, width }),
        _ => Ok(()),
    }
}

/// Refuses a label at or above `classes`; `origin` says where the labels come from.
pub(super) fn check_labels(labels: &[u8], classes: usize, origin: impl FnOnce() -> String) -> Result<(), DataError> {
    match labels.iter().position(|&l| usize::from(l) >= classes) {
        Some(row) => Err(DataError::LabelOutOfRange { origin: origin(), row, label: labels[row], classes }),
        None => Ok(()),
    }
}

/// Refuses NaN and infinity, naming the first.
fn check_finite(inputs: &[f32], width: usize) -> Result<(), DataError> {
    match inputs.iter().position(|x| !x.is_finite()) {
        Some(at) => Err(DataError::NotFinite { row: at / width, column: at % width, value: inputs[at] }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Four images of 2 x 4 with the inputs 0, 1, 2, ... and the labels 0, 1, 0, 1.
    fn four() -> Dataset {
        let inputs = (0u8..32).map(f32::from).collect();
        Dataset::new(inputs, vec![0, 1, 0, 1], 8, 2, Some((2, 4))).unwrap()
    }

    #[test]
    fn rows_are_where_they_belong() {
        let data = four();
        assert_eq!((data.len(), data.width(), data.classes()), (4, 8, 2));
        assert!(!data.is_empty());
        let (inputs, label) = data.row(1);
        assert_eq!((inputs[0], inputs[7], label), (8.0, 15.0, 1));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let new = |n: usize, labels: &[u8], width, image| {
            Dataset::new(vec![0.0; n], labels.to_vec(), width, 2, image).unwrap_err()
        };
        assert!(matches!(new(0, &[], 3, None), DataError::NoRows));
        let short = new(5, &[0, 1], 3, None);
        assert!(short.to_string().contains("5 inputs do not make 2 rows"));
        assert!(matches!(new(0, &[0], 0, None), DataError::LengthMismatch { .. }));
        assert!(matches!(new(6, &[0, 1], 3, Some((2, 2))), DataError::ImageShape { .. }));
        let label = new(6, &[1, 2], 3, None).to_string();
        assert!(label.contains("label of row 1 is 2"), "{label}");
    }

    #[test]
    fn the_first_input_that_is_no_number_is_named() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
            let inputs = vec![0.0, 1.0, 2.0, bad, bad, 0.0];
            let error = Dataset::new(inputs, vec![0, 1, 0], 2, 2, None).unwrap_err();
            assert!(matches!(error, DataError::NotFinite { row: 1, column: 1, .. }));
        }
    }

    #[test]
    fn a_tail_and_a_rest_make_the_whole() {
        let mut rest = four();
        let tail = rest.split_off_tail(1).unwrap();
        assert_eq!(rest, four().subset(0..3).unwrap());
        assert_eq!(tail, four().subset(3..4).unwrap());
        assert_eq!(tail.image(), Some((2, 4)));
    }

    #[test]
    fn a_cut_that_leaves_nothing_is_refused_and_changes_nothing() {
        for n in [0, 4, 5, usize::MAX] {
            let mut data = four();
            let error = data.split_off_tail(n).unwrap_err();
            assert!(matches!(error, DataError::BadRange { .. }));
            assert_eq!(data, four());
        }
        for (start, end) in [(0, 0), (3, 2), (0, 5), (4, 5)] {
            let error = four().subset(start..end).unwrap_err().to_string();
            assert!(error.contains(&format!("{start}..{end} of 4")), "{error}");
        }
    }

    #[test]
    fn pooling_takes_the_mean_of_each_block() {
        let pooled = four().average_pool(2).unwrap();
        assert_eq!((pooled.image(), pooled.width()), (Some((1, 2)), 2));
        // Image 0 is [0 1 2 3 / 4 5 6 7]: (0 + 1 + 4 + 5) / 4 and (2 + 3 + 6 + 7) / 4.
        assert_eq!(pooled.row(0), (&[2.5, 4.5][..], 0));
        assert_eq!(pooled.row(3), (&[26.5, 28.5][..], 1));
        assert_eq!(four().average_pool(1).unwrap(), four());
    }

    #[test]
    fn pooling_refuses_what_it_cannot_divide() {
        for factor in [0, 3, 4] {
            let error = four().average_pool(factor).unwrap_err().to_string();
            assert!(error.contains("2 x 4 does not divide evenly"), "{error}");
        }
        let flat = Dataset::new(vec![0.0; 4], vec![0], 4, 2, None).unwrap();
        let error = flat.average_pool(2).unwrap_err().to_string();
        assert!(error.contains("not images"), "{error}");
    }
}

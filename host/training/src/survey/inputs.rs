//! What becomes of a data set's inputs before a network sees them.
//!
//! | name | inputs are |
//! |---|---|
//! | `plain` | as they were loaded, in \[0, 1\] |
//! | `xF` | multiplied by F: `x0.1`, `x10` |
//! | `inverted` | 1 - x |
//! | `raw` | in units such as a sensor has: a + b x in each column, with b = 10^U(-2, 3) and a = b U(-2, 2) |

use lgl2o::Rng;

use crate::data::{DataError, DataSets, Dataset, Variant};

/// A treatment of the inputs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Inputs {
    /// As they are.
    Plain,
    /// All multiplied by one number.
    Scaled(f32),
    /// One minus each.
    Inverted,
    /// A unit and an offset of its own for each column.
    Raw,
}

/// A name that is no treatment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown inputs `{0}`; known: plain, xF with a positive number F as in x0.1 or x10, inverted, raw")]
pub struct UnknownInputs(String);

impl Inputs {
    /// A treatment by name.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn parse(name: &str) -> Result<Self, UnknownInputs> {
        let factor = |text: &str| text.parse::<f32>().ok().filter(|x| *x > 0.0 && x.is_finite());
        match name {
            "plain" => Ok(Self::Plain),
            "inverted" => Ok(Self::Inverted),
            "raw" => Ok(Self::Raw),
            other => {
                let factor = other.strip_prefix('x').and_then(factor);
                factor.map(Self::Scaled).ok_or_else(|| UnknownInputs(other.to_owned()))
            }
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> String {
        match self {
            Self::Plain => "plain".to_owned(),
            Self::Scaled(factor) => format!("x{factor}"),
            Self::Inverted => "inverted".to_owned(),
            Self::Raw => "raw".to_owned(),
        }
    }

    /// What it makes of a data set; `seed` is the data set's own, for what is drawn.
    ///
    /// # Errors
    /// If an input is not finite any more.
    pub fn of(self, sets: DataSets, seed: u64) -> Result<DataSets, DataError> {
        match self {
            Self::Plain => Ok(sets),
            Self::Scaled(factor) => each_column(sets, |_| (0.0, factor)),
            Self::Inverted => Variant::Inverted.of(sets),
            Self::Raw => {
                let mut rng = Rng::new(seed);
                let columns: Vec<(f32, f32)> = (0..sets.train.width()).map(|_| unit(&mut rng)).collect();
                each_column(sets, |column| columns[column])
            }
        }
    }
}

/// Offset and factor of a column in units of its own.
fn unit(rng: &mut Rng) -> (f32, f32) {
    let factor = libm::powf(10.0, rng.range(-2.0, 3.0));
    (factor * rng.range(-2.0, 2.0), factor)
}

/// Each input x of a column becomes offset + factor x, in both parts.
fn each_column(sets: DataSets, column: impl Fn(usize) -> (f32, f32)) -> Result<DataSets, DataError> {
    let part = |data: &Dataset| {
        let rows = data.inputs().chunks_exact(data.width());
        let treated = |(i, x): (usize, &f32)| {
            let (offset, factor) = column(i);
            offset + factor * x
        };
        let inputs = rows.flat_map(|row| row.iter().enumerate().map(treated)).collect();
        Dataset::new(inputs, data.labels().to_vec(), data.width(), data.classes(), None)
    };
    Ok(DataSets { train: part(&sets.train)?, test: part(&sets.test)?, name: sets.name })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::standardized;

    fn sets() -> DataSets {
        let part = |inputs: &[f32]| Dataset::new(inputs.to_vec(), vec![0, 1], 2, 2, None).unwrap();
        DataSets { name: "two".to_owned(), train: part(&[0.0, 0.5, 1.0, 0.5]), test: part(&[0.5, 0.5, 0.25, 1.0]) }
    }

    #[test]
    fn names_are_read_back() {
        for name in ["plain", "x0.1", "x10", "inverted", "raw"] {
            assert_eq!(Inputs::parse(name).unwrap().name(), name);
        }
        for name in ["x", "x0", "x-1", "xinf", "Raw", ""] {
            assert!(Inputs::parse(name).unwrap_err().to_string().contains("known: plain"), "{name}");
        }
    }

    #[test]
    fn inputs_by_hand() {
        let of = |inputs: Inputs| inputs.of(sets(), 1).unwrap();
        assert_eq!(of(Inputs::Plain), sets());
        assert_eq!(of(Inputs::Scaled(10.0)).test.inputs(), [5.0, 5.0, 2.5, 10.0]);
        assert_eq!(of(Inputs::Inverted).test.inputs(), [0.5, 0.5, 0.75, 0.0]);
    }

    #[test]
    fn raw_columns_have_units_of_their_own_and_standardised_ones_have_none() {
        let raw = Inputs::Raw.of(sets(), 1).unwrap();
        assert_eq!(raw, Inputs::Raw.of(sets(), 1).unwrap());
        assert_ne!(raw, Inputs::Raw.of(sets(), 2).unwrap());
        // The first column is 0 and 1 in training: mean 1/2, deviation 1/2. The second does not vary.
        let plain = standardized(sets()).unwrap();
        assert_eq!(
            (plain.train.inputs(), plain.test.inputs()),
            (&[-1.0, 0.0, 1.0, 0.0][..], &[0.0, 0.0, -0.5, 0.0][..])
        );
        let both = standardized(raw).unwrap();
        for (a, b) in both.train.inputs().iter().zip(plain.train.inputs()) {
            assert!((a - b).abs() < 1e-4, "{a} {b}");
        }
    }
}

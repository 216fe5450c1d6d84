//! Targets: labels, text or numbers, become classes in order; or values stay what they are.
//!
//! Classes are in the order of their numbers if all labels are numbers, else in that of their letters. Whole numbers are one
//! class however programs write them: `1`, `1.0`, `01` and `1.000e+00`. All else is a class as it is written: `1.1` and `1.10`
//! are two, as are `100` and `1e2`.

use std::collections::HashMap;

use super::columns::some;
use super::{At, Kind, TableError};

/// Most classes: a label is a byte.
pub const MOST_CLASSES: usize = 256;

/// One target for each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// Nothing is known.
    Unknown,
    /// Classes.
    Classes {
        /// The class of each row.
        labels: Vec<u8>,
        /// The names of the classes.
        names: Vec<String>,
    },
    /// Finite values.
    Values(Vec<f32>),
}

impl Target {
    /// Those of some rows.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Classes { labels, names } => {
                Self::Classes { labels: rows.iter().map(|&i| labels[i]).collect(), names: names.clone() }
            }
            Self::Values(values) => Self::Values(rows.iter().map(|&i| values[i]).collect()),
        }
    }
}

/// From here on not every whole number is an `f64`, so that two serial numbers could become one class.
const INEXACT: f64 = 9_007_199_254_740_992.0;

/// The name of the class that a label stands for: whole numbers that are equal have one name, if they are written as programs
/// write numbers.
#[must_use]
pub fn class_name(label: &str) -> String {
    match label.parse::<f64>() {
        // Zero has one sign.
        Ok(number) if number.abs() < INEXACT && number.fract() == 0.0 && is_plain(label) => (number + 0.0).to_string(),
        _ => label.to_owned(),
    }
}

/// Whether a number has no exponent, or a fraction and an exponent with a sign, as NumPy's `savetxt` writes all numbers.
fn is_plain(number: &str) -> bool {
    match number.split_once(['e', 'E']) {
        Some((digits, exponent)) => digits.contains('.') && exponent.starts_with(['+', '-']),
        None => true,
    }
}

/// Labels, row by row, and the classes in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Labels {
    rows: Vec<u8>,
    numbers: HashMap<String, u8>,
    /// Names, and the first cell that is a number with a fraction.
    names: Vec<String>,
    fraction: Option<(At, String)>,
    is_text: bool,
}

impl Labels {
    /// Labels of known classes.
    pub(super) fn known(classes: &[String]) -> Self {
        let numbers = classes.iter().map(|class| class_name(class)).zip(0..=u8::MAX).collect();
        Self { numbers, names: classes.to_vec(), ..Self::default() }
    }

    /// Takes a label in.
    pub(super) fn push(&mut self, label: &str, at: impl Fn() -> At, kind: Kind<'_>) -> Result<(), TableError> {
        let name = class_name(label);
        if let Some(&number) = self.numbers.get(&name) {
            self.rows.push(number);
            return Ok(());
        }
        if let Kind::Known(classes) = kind {
            let known: Vec<String> = classes.iter().map(|class| format!("`{class}`")).collect();
            return Err(TableError::UnknownClass { at: at(), found: label.to_owned(), known: some(&known) });
        }
        let number = name.parse::<f64>().ok().filter(|number| number.is_finite());
        self.is_text |= number.is_none();
        if self.fraction.is_none() && number.is_some_and(|number| number.fract() != 0.0) {
            self.fraction = Some((at(), label.to_owned()));
        }
        let next = u8::try_from(self.names.len());
        let next = next.map_err(|_| match self.fraction.take().filter(|_| !self.is_text) {
            Some((at, found)) => TableError::Fraction { at, found },
            None => TableError::ManyClasses { at: at(), found: label.to_owned() },
        })?;
        self.numbers.insert(name.clone(), next);
        self.names.push(name);
        self.rows.push(next);
        Ok(())
    }

    /// The classes in order.
    pub(super) fn finish(self, kind: Kind<'_>) -> Result<Target, TableError> {
        if matches!(kind, Kind::Known(_)) {
            return Ok(Target::Classes { labels: self.rows, names: self.names });
        }
        if let Some((at, found)) = self.fraction.filter(|_| !self.is_text) {
            return Err(TableError::Fraction { at, found });
        }
        let mut order: Vec<(String, u8)> = self.names.into_iter().zip(0..=u8::MAX).collect();
        if self.is_text {
            order.sort();
        } else {
            let number = |name: &str| name.parse::<f64>().unwrap_or(f64::NAN);
            order.sort_by(|a, b| number(&a.0).total_cmp(&number(&b.0)).then_with(|| a.0.cmp(&b.0)));
        }
        let mut place = [0; MOST_CLASSES];
        order.iter().zip(0..=u8::MAX).for_each(|((_, old), new)| place[usize::from(*old)] = new);
        let labels = self.rows.into_iter().map(|old| place[usize::from(old)]).collect();
        Ok(Target::Classes { labels, names: order.into_iter().map(|(name, _)| name).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_name_where_they_are_exact() {
        assert_eq!(["1", "1.0", "01", "-0"].map(class_name), ["1", "1", "1", "0"]);
        assert_eq!(["1.000000000000000000e+00", "1.20e+01"].map(class_name), ["1", "12"]);
        let written = ["1.1", "1.10", "1e2", "1e15", "0.5", "low"];
        assert_eq!(written.map(class_name), written);
        let serials = ["9007199254740992", "9007199254740993", "1e999", "nan"];
        assert_eq!(serials.map(class_name), serials);
    }
}

//! Takes the rows of a table in, each cell checked where it stands.

use std::path::Path;

use super::target::Labels;
use super::{At, Column, Columns, Kind, Missing, Place, Reading, Table, TableError, Target};

/// What says that there is no value, in small letters.
const NOTHING: [&str; 7] = ["", "na", "n/a", "#n/a", "nan", "null", "?"];

/// What stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    /// Text, which may be a number.
    Text(&'a str),
    /// A number.
    Number(f64),
}

impl Cell<'_> {
    /// Whether there is no value.
    #[must_use]
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Text(text) => text.len() < 5 && NOTHING.contains(&text.to_ascii_lowercase().as_str()),
            Self::Number(number) => number.is_nan(),
        }
    }

    /// The number, if it is one; it may be infinite.
    #[must_use]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Text(text) => text.parse().ok().filter(|number: &f64| !number.is_nan()),
            Self::Number(number) => Some(*number),
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => (*text).to_owned(),
            Self::Number(number) => number.to_string(),
        }
    }

    /// As much of it as a message needs.
    fn shown(&self) -> String {
        self.text().chars().take(40).collect()
    }
}

/// The targets so far.
enum Answers {
    None,
    Labels(Labels),
    Values(Vec<f32>),
}

/// What a table is read for: it decides what helps against a bad cell.
#[derive(Clone, Copy)]
enum Purpose {
    Training,
    Scoring,
    Predicting,
}

impl Purpose {
    fn of(reading: &Reading<'_>) -> Self {
        match (reading.like, reading.needs_target) {
            (None, _) => Self::Training,
            (Some(_), true) => Self::Scoring,
            (Some(_), false) => Self::Predicting,
        }
    }

    fn on_missing(self) -> &'static str {
        match self {
            Self::Training | Self::Scoring => "leave out such rows with --missing drop",
            Self::Predicting => "take the row out of the file",
        }
    }

    /// Against text in columns that are features.
    fn on_text(self, columns: &str) -> String {
        match self {
            Self::Training => format!(", or leave out what holds text with --drop {}", crate::say::word(columns)),
            Self::Scoring | Self::Predicting => ", as in the table that the model was trained on".to_owned(),
        }
    }

    fn on_text_value(self) -> &'static str {
        match self {
            Self::Training => "Leave --regression out to train on classes, or name another column with --target",
            Self::Scoring | Self::Predicting => "The model predicts values: name their column with --target",
        }
    }
}

/// A table that rows come into.
pub(super) struct Gather<'a> {
    file: &'a Path,
    columns: Columns,
    kind: Kind<'a>,
    missing: Missing,
    purpose: Purpose,
    inputs: Vec<f32>,
    /// Of each feature.
    ranges: Vec<Range>,
    answers: Answers,
    dropped: u64,
}

/// The range of a column, before its values become floats of 32 bits.
#[derive(Clone, Copy)]
struct Range {
    least: f64,
    greatest: f64,
    /// Whether a value was rounded.
    rounded: bool,
}

/// So many steps of a float of 32 bits a column's values have to span, if any is rounded.
const STEPS: f64 = 4096.0;

impl Range {
    const NONE: Self = Self { least: f64::INFINITY, greatest: f64::NEG_INFINITY, rounded: false };

    fn take(&mut self, number: f64) {
        if number < self.least {
            self.least = number;
        }
        if number > self.greatest {
            self.greatest = number;
        }
        self.rounded |= f64::from(number as f32) != number;
    }

    /// Whether the values differ by so little that rounding takes much of it.
    fn is_coarse(&self) -> bool {
        let (span, size) = (self.greatest - self.least, self.greatest.abs().max(self.least.abs()));
        self.rounded && span > 0.0 && span < STEPS * f64::from(f32::EPSILON) * size
    }
}

impl<'a> Gather<'a> {
    pub(super) fn new(file: &'a Path, columns: Columns, reading: &Reading<'a>) -> Self {
        let answers = match (&columns.target, reading.kind) {
            (None, _) => Answers::None,
            (Some(_), Kind::Classes) => Answers::Labels(Labels::default()),
            (Some(_), Kind::Known(classes)) => Answers::Labels(Labels::known(classes)),
            (Some(_), Kind::Values) => Answers::Values(Vec::new()),
        };
        let (kind, missing, purpose) = (reading.kind, reading.missing, Purpose::of(reading));
        let ranges = vec![Range::NONE; columns.features.len()];
        Self { file, columns, kind, missing, purpose, inputs: Vec::new(), ranges, answers, dropped: 0 }
    }

    /// Takes a row in; `cell` returns what stands at a place in it.
    pub(super) fn row<'c>(&mut self, place: Place, cell: impl Fn(usize) -> Cell<'c>) -> Result<(), TableError> {
        let target = self.columns.target.iter().filter(|_| !matches!(self.answers, Answers::None));
        let mut all = self.columns.features.iter().chain(target);
        if let Some(column) = all.find(|column| cell(column.place).is_missing()) {
            if self.missing == Missing::Drop {
                self.dropped += 1;
                return Ok(());
            }
            return Err(TableError::Missing { at: at(self.file, place, column), advice: self.purpose.on_missing() });
        }
        for (i, column) in self.columns.features.iter().enumerate() {
            let found = cell(column.place);
            let number = found.number().ok_or_else(|| self.no_number(place, column, &cell))?;
            if let Some(range) = self.ranges.get_mut(i) {
                range.take(number);
            }
            self.inputs.push(finite(number, || at(self.file, place, column))?);
        }
        let Some(column) = &self.columns.target else { return Ok(()) };
        let found = cell(column.place);
        match &mut self.answers {
            Answers::None => {}
            Answers::Labels(labels) => labels.push(&found.text(), || at(self.file, place, column), self.kind)?,
            Answers::Values(values) => {
                let number = found.number().ok_or_else(|| {
                    let (at, found) = (at(self.file, place, column), found.shown());
                    comma(&at, &found).unwrap_or(TableError::TextValue {
                        at,
                        found,
                        advice: self.purpose.on_text_value(),
                    })
                })?;
                values.push(finite(number, || at(self.file, place, column))?);
            }
        }
        Ok(())
    }

    /// The error of a feature that is no number; it names all such columns of the row.
    fn no_number<'c>(&self, place: Place, column: &Column, cell: &impl Fn(usize) -> Cell<'c>) -> TableError {
        let texts = self.columns.features.iter().filter(|column| cell(column.place).number().is_none());
        let names: Vec<String> = texts.map(Column::reference).collect();
        let (at, found) = (at(self.file, place, column), cell(column.place).shown());
        let advice = match place {
            Place::Line(1) => ", or say with --header yes that the first line holds names".to_owned(),
            _ => self.purpose.on_text(&names.join(",")),
        };
        comma(&at, &found).unwrap_or(TableError::Text { at, found, advice })
    }

    /// The whole table.
    pub(super) fn finish(self) -> Result<Table, TableError> {
        let target = match self.answers {
            Answers::None => Target::Unknown,
            Answers::Labels(labels) => labels.finish(self.kind)?,
            Answers::Values(values) => Target::Values(values),
        };
        if self.inputs.is_empty() {
            return Err(TableError::NoRows { file: self.file.to_owned(), dropped: self.dropped });
        }
        let mut ranges = self.columns.features.iter().zip(&self.ranges);
        let training = matches!(self.purpose, Purpose::Training);
        if let Some((column, range)) = ranges.find(|(_, range)| training && range.is_coarse()) {
            let [least, greatest] = [range.least, range.greatest].map(|number| number.to_string());
            return Err(TableError::Coarse { file: self.file.to_owned(), column: column.clone(), least, greatest });
        }
        Ok(Table { columns: self.columns, inputs: self.inputs, target, dropped: self.dropped })
    }
}

fn at(file: &Path, place: Place, column: &Column) -> At {
    At { file: file.to_owned(), place, column: column.clone() }
}

/// The error of a number with a decimal comma or with separators of thousands, if that is what it is.
fn comma(at: &At, found: &str) -> Option<TableError> {
    is_foreign(found).then(|| TableError::DecimalComma { at: at.clone(), found: found.to_owned() })
}

/// Whether a text is a number that is written with a comma: 1,5 or 1.234,5 or 1,234.5 or 1,234,567.
pub(super) fn is_foreign(found: &str) -> bool {
    let begins = found.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == ',');
    let plain = match (found.find('.'), found.rfind(',')) {
        (Some(point), Some(comma)) if point < comma => found.replace('.', "").replacen(',', ".", 1),
        (Some(_), Some(_)) => found.replace(',', ""),
        (None, Some(comma)) if found.find(',') == Some(comma) => found.replacen(',', ".", 1),
        (None, Some(_)) => found.replace(',', ""),
        (_, None) => return false,
    };
    begins && plain.parse::<f64>().is_ok()
}

/// A number in 32 bits.
fn finite(number: f64, at: impl Fn() -> At) -> Result<f32, TableError> {
    let narrow = number as f32;
    // Not with all of its digits.
    if narrow.is_finite() { Ok(narrow) } else { Err(TableError::NotFinite { at: at(), found: format!("{number:e}") }) }
}

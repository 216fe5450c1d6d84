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

/// A table that rows come into.
pub(super) struct Gather<'a> {
    file: &'a Path,
    columns: Columns,
    kind: Kind<'a>,
    missing: Missing,
    inputs: Vec<f32>,
    answers: Answers,
    dropped: u64,
}

impl<'a> Gather<'a> {
    pub(super) fn new(file: &'a Path, columns: Columns, reading: &Reading<'a>) -> Self {
        let answers = match (&columns.target, reading.kind) {
            (None, _) => Answers::None,
            (Some(_), Kind::Classes) => Answers::Labels(Labels::default()),
            (Some(_), Kind::Known(classes)) => Answers::Labels(Labels::known(classes)),
            (Some(_), Kind::Values) => Answers::Values(Vec::new()),
        };
        let (kind, missing) = (reading.kind, reading.missing);
        Self { file, columns, kind, missing, inputs: Vec::new(), answers, dropped: 0 }
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
            return Err(TableError::Missing { at: at(self.file, place, column) });
        }
        for column in &self.columns.features {
            let found = cell(column.place);
            let number = found.number().ok_or_else(|| self.no_number(place, column, &cell))?;
            self.inputs.push(finite(number, || at(self.file, place, column))?);
        }
        let Some(column) = &self.columns.target else { return Ok(()) };
        let found = cell(column.place);
        match &mut self.answers {
            Answers::None => {}
            Answers::Labels(labels) => labels.push(&found.text(), || at(self.file, place, column), self.kind)?,
            Answers::Values(values) => {
                let number = found.number().ok_or_else(|| text(self.file, place, column, &found, String::new()))?;
                values.push(finite(number, || at(self.file, place, column))?);
            }
        }
        Ok(())
    }

    /// The error of a feature that is no number; it names all such columns of the row.
    fn no_number<'c>(&self, place: Place, column: &Column, cell: &impl Fn(usize) -> Cell<'c>) -> TableError {
        let texts = self.columns.features.iter().filter(|column| cell(column.place).number().is_none());
        let names: Vec<String> = texts.map(Column::reference).collect();
        text(self.file, place, column, &cell(column.place), crate::say::word(&names.join(",")))
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
        Ok(Table { columns: self.columns, inputs: self.inputs, target, dropped: self.dropped })
    }
}

fn at(file: &Path, place: Place, column: &Column) -> At {
    At { file: file.to_owned(), place, column: column.clone() }
}

fn text(file: &Path, place: Place, column: &Column, cell: &Cell<'_>, drop: String) -> TableError {
    let (at, found) = (at(file, place, column), cell.shown());
    if found.replacen(',', ".", 1).parse::<f64>().is_ok() {
        return TableError::DecimalComma { at, found };
    }
    if drop.is_empty() { TableError::TextValue { at, found } } else { TableError::Text { at, found, drop } }
}

/// A number in 32 bits.
fn finite(number: f64, at: impl Fn() -> At) -> Result<f32, TableError> {
    let narrow = number as f32;
    if narrow.is_finite() { Ok(narrow) } else { Err(TableError::NotFinite { at: at(), found: number.to_string() }) }
}

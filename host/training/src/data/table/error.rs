//! Everything that can be wrong with a table. A message names file, line and column, and says what to do.

use std::fmt;
use std::path::PathBuf;

use super::Column;

/// Where a row stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A line of a text file, from 1.
    Line(u64),
    /// A row of an array, from 1.
    Row(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(n) => write!(f, "line {n}"),
            Self::Row(n) => write!(f, "row {n}"),
        }
    }
}

/// A cell of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct At {
    /// The file.
    pub file: PathBuf,
    /// The row.
    pub place: Place,
    /// The column.
    pub column: Column,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}, {}", self.file.display(), self.place, self.column)
    }
}

/// What went wrong while a table was read or checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read; the message names it.
    #[error("{0}")]
    Unreadable(String),
    /// The file is of another format.
    #[error("{}: not a table: it is {what}. Name a CSV or .npy file, or a folder of IDX files.", .file.display())]
    OtherFormat {
        /// The file.
        file: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The text is not in UTF-8.
    #[error("{}, line {line}: the text is not UTF-8. Save the file as UTF-8 (in a spreadsheet: \"CSV UTF-8\").", .file.display())]
    Encoding {
        /// The file.
        file: PathBuf,
        /// The first line that is not.
        line: u64,
    },
    /// A line has another number of cells than the first one.
    #[error(
        "{}, line {line}: {found} cells where the first line has {expected}. Is a cell missing, a quotation mark left open, or a \
         delimiter inside a cell that is not in quotation marks? The delimiter is {delimiter}; --delimiter sets another.",
        .file.display()
    )]
    Ragged {
        /// The file.
        file: PathBuf,
        /// The line that the row begins in.
        line: u64,
        /// Cells in the first line.
        expected: u64,
        /// Cells in this one.
        found: u64,
        /// The delimiter, in words.
        delimiter: &'static str,
    },
    /// A line of the file is a comment.
    #[error(
        "{}, line {line}: it begins with # and is no row of the table, so it looks like a comment, which a CSV file has no place for. \
         Take such lines out, as `grep -v '^#'` does.",
        .file.display()
    )]
    Comment {
        /// The file.
        file: PathBuf,
        /// The line.
        line: u64,
    },
    /// The first line tells a spreadsheet the delimiter.
    #[error("{}, line 1: it tells a spreadsheet the delimiter and is no row of the table. Take the line out.", .file.display())]
    Separator {
        /// The file.
        file: PathBuf,
    },
    /// A quotation mark is not closed where its cell ends.
    #[error(
        "{}, line {line}: the quotation mark that begins here is not closed at the end of its cell. Close it. Inside a cell, write a quotation \
         mark twice, as in \"5\"\" pipe\".",
        .file.display()
    )]
    Quotes {
        /// The file.
        file: PathBuf,
        /// The line that it begins in.
        line: u64,
    },
    /// Nothing can be learned from no row.
    #[error("{}: there is no row of data in it.{}", .file.display(), left_out(*.dropped))]
    NoRows {
        /// The file.
        file: PathBuf,
        /// Rows that were left out.
        dropped: u64,
    },
    /// A target, but nothing to predict it from.
    #[error(
        "{}: there is no column to learn from besides the target. Cells are separated by a comma, semicolon, tab or bar; --delimiter \
         names another character.",
        .file.display()
    )]
    NoFeatures {
        /// The file.
        file: PathBuf,
    },
    /// A column was asked for that is not there.
    #[error("{}: there is no column `{asked}`. The columns are {columns}; one may also be given by its number, from 1.", .file.display())]
    NoColumn {
        /// The file.
        file: PathBuf,
        /// What was asked for.
        asked: String,
        /// The names of all.
        columns: String,
    },
    /// Two columns have the name that was asked for.
    #[error("{}: two columns are called `{asked}`. {advice}", .file.display())]
    TwoColumns {
        /// The file.
        file: PathBuf,
        /// The name.
        asked: String,
        /// What to do.
        advice: &'static str,
    },
    /// A cell is empty or says that there is no value.
    #[error("{at}: the value is missing. Fill it in, or {advice}.")]
    Missing {
        /// The cell.
        at: At,
        /// What else helps.
        advice: &'static str,
    },
    /// A cell of a feature is no number.
    #[error("{at}: `{found}` is not a number. Features are numbers: replace the text with numbers{advice}.")]
    Text {
        /// The cell.
        at: At,
        /// What it holds.
        found: String,
        /// What else helps.
        advice: String,
    },
    /// A target that is to be a value is no number.
    #[error("{at}: the target `{found}` is not a number. {advice}.")]
    TextValue {
        /// The cell.
        at: At,
        /// What it holds.
        found: String,
        /// What else helps.
        advice: &'static str,
    },
    /// No row has a value in the column.
    #[error(
        "{}, {column}: no row has a value there. Leave the column out with --drop {drop}, or fill it in; a delimiter at the end of every \
         line makes such a column.",
        .file.display()
    )]
    EmptyColumn {
        /// The file.
        file: PathBuf,
        /// The column.
        column: Column,
        /// What to write behind `--drop`.
        drop: String,
    },
    /// A cell is a number with a decimal comma, or with separators of thousands.
    #[error("{at}: `{found}` has a decimal comma or separators of thousands. Write numbers plainly, as 1234.5.")]
    DecimalComma {
        /// The cell.
        at: At,
        /// What it holds.
        found: String,
    },
    /// A cell is infinite, or too large for a float of 32 bits.
    #[error("{at}: {found} is not a finite number below 3.4e38. Correct it, or leave the row out of the file.")]
    NotFinite {
        /// The cell.
        at: At,
        /// What it holds.
        found: String,
    },
    /// A column whose values spread too far for a float of 32 bits.
    #[error("{}, {column}: its values spread too far to be standardized. Divide the column by a constant, or correct a value that lies far from all others.", .file.display())]
    Spread {
        /// The file.
        file: PathBuf,
        /// The column.
        column: Column,
    },
    /// A column whose values differ by less than a float of 32 bits can tell apart.
    #[error(
        "{}, {column}: its values, {least} to {greatest}, are too close together for their size: in single precision their \
         differences would be lost. Subtract a constant from the column, such as {least}, in every table of the model.",
        .file.display()
    )]
    Coarse {
        /// The file.
        file: PathBuf,
        /// The column.
        column: Column,
        /// The least value.
        least: String,
        /// The greatest one.
        greatest: String,
    },
    /// A label is a number with a fraction.
    #[error(
        "{at}: the target {found} is no whole number, so it looks like a value and not like a class. Train on values with \
         --regression, or write the classes as whole numbers or words."
    )]
    Fraction {
        /// The cell.
        at: At,
        /// What it holds.
        found: String,
    },
    /// All labels are the same.
    #[error(
        "{}, {column}: all targets are `{class}`. Two classes are needed at least: add examples of another one, or name another \
         column with --target.",
        .file.display()
    )]
    OneClass {
        /// The file.
        file: PathBuf,
        /// The target.
        column: Column,
        /// The class.
        class: String,
    },
    /// All values are the same.
    #[error("{}, {column}: all targets are {value}. Values that do not vary cannot be learned; name another column with --target.", .file.display())]
    OneValue {
        /// The file.
        file: PathBuf,
        /// The target.
        column: Column,
        /// The value, in words.
        value: String,
    },
    /// There are more classes than a label can name.
    #[error(
        "{at}: with `{found}` there are more than 256 classes, the most there may be. If the target is a value, train with \
         --regression; else name another column with --target."
    )]
    ManyClasses {
        /// The cell.
        at: At,
        /// The first class too many.
        found: String,
    },
    /// A label that the model does not know.
    #[error(
        "{at}: the model has no class `{found}`. Its classes are {known}. Correct the label, or train again with it."
    )]
    UnknownClass {
        /// The cell.
        at: At,
        /// The label.
        found: String,
        /// The classes.
        known: String,
    },
    /// A feature that does not vary.
    #[error(
        "{}, {column}: all {rows} rows have the value {value}, so nothing can be learned from it. Leave it out with --drop {drop}, or \
         keep it with --allow-constant; the network then sees 0 there.",
        .file.display()
    )]
    Constant {
        /// The file.
        file: PathBuf,
        /// The column.
        column: Column,
        /// How many rows there are.
        rows: usize,
        /// The value, in words.
        value: String,
        /// What to write behind `--drop`.
        drop: String,
    },
    /// Features of a model are not in the table.
    #[error("{}: the model needs {wanted}, and there is no such column. The columns are {columns}.", .file.display())]
    Absent {
        /// The file.
        file: PathBuf,
        /// Names of the features that are not there.
        wanted: String,
        /// The names of all columns.
        columns: String,
    },
    /// A table without names has another number of columns than the model's.
    #[error(
        "{}: it has {found} columns; the model was trained on {total}, {features} of them features. Give the table those columns in \
         that order, or a first line with their names.",
        .file.display()
    )]
    Count {
        /// The file.
        file: PathBuf,
        /// Its columns.
        found: usize,
        /// The columns of the table that the model was trained on.
        total: usize,
        /// The model's features.
        features: usize,
    },
    /// Predictions can be compared with nothing.
    #[error("{}: the targets are not in it, so predictions cannot be scored. Name their column with --target, or use `lgl2o predict`.", .file.display())]
    NoTarget {
        /// The file.
        file: PathBuf,
    },
    /// An array that cannot be read.
    #[error("{}: {what}", .file.display())]
    Array {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what to do.
        what: String,
    },
    /// A file of labels beside a table that has its own.
    #[error("{}: --labels goes with a .npy file; the target of a CSV file is one of its columns, which --target names.", .file.display())]
    LabelsBesideText {
        /// The table.
        file: PathBuf,
    },
    /// What is said about a CSV file, of another one.
    #[error("{}: it is {what}, and --header and --delimiter are for CSV files. Leave them out.", .file.display())]
    OfText {
        /// The table.
        file: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// A column is left out twice, or is also the target.
    #[error("{}: --drop leaves `{asked}` out, which is also {other}. Name each column once.", .file.display())]
    Twice {
        /// The file.
        file: PathBuf,
        /// The column, as it was asked for.
        asked: String,
        /// What else it is.
        other: String,
    },
    /// There are too few rows to hold some out.
    #[error(
        "{}: {rows} rows are too few: {train} would be left to train on, {check} to check on and {test} to test on, and each part that is \
         asked for needs one row, the training part two. Add rows, or lower --test-share and --check-on.",
        .file.display()
    )]
    TooFew {
        /// The file.
        file: PathBuf,
        /// All rows.
        rows: usize,
        /// Rows to train on.
        train: usize,
        /// Rows to check on.
        check: usize,
        /// Rows to test on.
        test: usize,
    },
}

fn left_out(rows: u64) -> String {
    if rows > 0 { format!(" {rows} rows were left out because values are missing.") } else { String::new() }
}

//! CSV files, read with the crate `csv`: quotation marks as in RFC 4180, a delimiter that is found out, names in the first line or
//! none.
//!
//! The delimiter is the one of `, ; tab |` that cuts the first lines into most cells, as many in each. The first line holds names
//! if a column is asked for by one of them, or if some column has text there and a number, or nothing, in the second line; an only line
//! does if all of it is text.

use std::io::Read as _;
use std::path::Path;

use csv::{ByteRecord, ErrorKind, ReaderBuilder, Trim};

use super::gather::{Cell, Gather, is_foreign};
use super::{Column, Columns, Place, Reading, Table, TableError};
use crate::first_bytes;

/// Delimiters that are tried, with their names.
const DELIMITERS: [(u8, &str); 4] = [(b',', "a comma"), (b';', "a semicolon"), (b'\t', "a tab"), (b'|', "a bar")];
/// So much of a file is looked at to find its delimiter: bytes, and lines.
const LOOKED_AT: usize = 1 << 16;
const LINES: usize = 50;
/// Most bytes that a packed file may have, unpacked.
const UNPACKED: u64 = 4 << 30;

/// Reads a table out of the bytes of a file, which may be packed by gzip.
///
/// # Errors
/// Whatever is wrong with it, and where.
pub(super) fn table(file: &Path, bytes: &[u8], reading: &Reading<'_>) -> Result<Table, TableError> {
    if bytes.starts_with(b"\x1f\x8b") {
        let inside = unpacked(file, bytes)?;
        if inside.starts_with(b"\x1f\x8b") {
            return Err(TableError::OtherFormat { file: file.to_owned(), what: "compressed by gzip twice" });
        }
        return table(file, &inside, reading);
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    check_format(file, bytes)?;
    check_separator(file, bytes)?;
    let delimiter = reading.delimiter.unwrap_or_else(|| delimiter(bytes));
    check_comment(file, bytes, delimiter)?;
    check_quotes(file, bytes, delimiter)?;
    let header = reading.header.unwrap_or_else(|| has_header(bytes, delimiter, reading));
    let mut rows = reader(bytes, delimiter, false);
    let mut record = ByteRecord::new();
    let mut next = |record: &mut ByteRecord| match rows.read_byte_record(record) {
        Ok(more) => Ok(more),
        Err(error) => Err(ragged(file, bytes, &error, delimiter)),
    };
    if !next(&mut record)? {
        return Err(TableError::NoRows { file: file.to_owned(), dropped: 0 });
    }
    let name = |cell: &[u8]| header.then(|| String::from_utf8(cell.to_vec())).transpose();
    let all = record.iter().enumerate().map(|(place, cell)| Ok(Column { place, name: name(cell)? }));
    let all = all.collect::<Result<Vec<Column>, std::string::FromUtf8Error>>();
    let first = record.position().map_or(1, csv::Position::line);
    let all = all.map_err(|_| TableError::Encoding { file: file.to_owned(), line: first })?;
    let columns = Columns::of(file, &all, reading)?;
    let empty = |error| if reading.like.is_none() { empty(error, bytes, delimiter, header, &columns) } else { error };
    let mut gather = Gather::new(file, columns.clone(), reading);
    let mut more = if header { next(&mut record)? } else { true };
    while more {
        let line = record.position().map_or(0, csv::Position::line);
        let cells: Result<Vec<&str>, _> = record.iter().map(std::str::from_utf8).collect();
        let cells = cells.map_err(|_| TableError::Encoding { file: file.to_owned(), line })?;
        gather.row(Place::Line(line), |place| Cell::Text(cells.get(place).copied().unwrap_or(""))).map_err(empty)?;
        more = next(&mut record)?;
    }
    gather.finish().map_err(empty)
}

/// The error about a missing value, or, where no row has one in that column, about the whole column.
fn empty(error: TableError, bytes: &[u8], delimiter: u8, header: bool, columns: &Columns) -> TableError {
    let (file, suspects) = match &error {
        TableError::Missing { at, .. } => (at.file.clone(), vec![at.column.clone()]),
        TableError::NoRows { file, dropped: 1.. } => (file.clone(), columns.features.clone()),
        _ => return error,
    };
    let is_empty = |column: &Column| {
        let mut rows =
            reader(bytes, delimiter, true).into_byte_records().map_while(Result::ok).skip(usize::from(header));
        rows.all(|row| Cell::Text(&String::from_utf8_lossy(row.get(column.place).unwrap_or_default())).is_missing())
    };
    match suspects.into_iter().find(is_empty) {
        Some(column) if columns.features.contains(&column) => {
            let drop = crate::say::word(&column.reference());
            TableError::EmptyColumn { file, column, drop }
        }
        _ => error,
    }
}

/// Refuses the line by which a spreadsheet is told the delimiter: it is no row.
fn check_separator(file: &Path, bytes: &[u8]) -> Result<(), TableError> {
    let first = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    match first {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', _] => Err(TableError::Separator { file: file.to_owned() }),
        _ => Ok(()),
    }
}

fn reader(bytes: &[u8], delimiter: u8, flexible: bool) -> csv::Reader<&[u8]> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).delimiter(delimiter).flexible(flexible).trim(Trim::All).from_reader(bytes)
}

/// What a gzip file holds.
fn unpacked(file: &Path, bytes: &[u8]) -> Result<Vec<u8>, TableError> {
    let mut inside = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(bytes).take(UNPACKED + 1).read_to_end(&mut inside);
    let shown = file.display();
    read.map_err(|error| {
        TableError::Unreadable(format!("{shown}: the gzip data is damaged ({error}). Fetch the file again."))
    })?;
    if inside.len() as u64 > UNPACKED {
        return Err(TableError::Unreadable(format!("{shown}: it holds more than {UNPACKED} bytes. Cut it.")));
    }
    Ok(inside)
}

/// Refuses what is not text.
fn check_format(file: &Path, bytes: &[u8]) -> Result<(), TableError> {
    if bytes.is_empty() {
        return Err(TableError::NoRows { file: file.to_owned(), dropped: 0 });
    }
    if first_bytes::is_wide(&bytes[..bytes.len().min(first_bytes::LOOKED_AT as usize)]) {
        return Err(TableError::Encoding { file: file.to_owned(), line: 1 });
    }
    match first_bytes::name(bytes) {
        first_bytes::TEXT => Ok(()),
        // The line that is in another encoding is told by whoever reads it.
        what if first_bytes::is_unknown(what) && !bytes[..bytes.len().min(1 << 12)].contains(&0) => Ok(()),
        what => Err(TableError::OtherFormat { file: file.to_owned(), what }),
    }
}

/// Refuses a file that begins with a comment: with a line that begins with #, and has another number of cells than the line after
/// it, or stands above one that holds names.
fn check_comment(file: &Path, bytes: &[u8], delimiter: u8) -> Result<(), TableError> {
    let mut lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let [Some(first), Some(second)] = [lines.next(), lines.next()] else { return Ok(()) };
    let cells = |line: &[u8]| line.iter().filter(|byte| **byte == delimiter).count();
    let is_text = |cell: &[u8]| Cell::Text(String::from_utf8_lossy(cell).trim()).number().is_none();
    let is_comment = second.starts_with(b"#")
        || cells(first) != cells(second)
        || second.split(|byte| *byte == delimiter).all(is_text);
    if first.starts_with(b"#") && is_comment {
        return Err(TableError::Comment { file: file.to_owned(), line: 1 });
    }
    Ok(())
}

/// Refuses a quotation mark that is never closed, or closed in the middle of a cell: lines behind it would be taken for text.
fn check_quotes(file: &Path, bytes: &[u8], delimiter: u8) -> Result<(), TableError> {
    let (mut line, mut at, mut begins) = (1, 0, true);
    while let Some(&byte) = bytes.get(at) {
        at += 1;
        if byte != b'"' || !begins {
            begins = byte == delimiter || byte == b'\n' || byte == b'\r';
            line += u64::from(byte == b'\n');
            continue;
        }
        let opened = line;
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| *byte == b'"') else {
                return Err(TableError::Quotes { file: file.to_owned(), line: opened });
            };
            line += rest[..length].iter().filter(|byte| **byte == b'\n').count() as u64;
            at += length + 1;
            if bytes.get(at) != Some(&b'"') {
                break;
            }
            at += 1;
        }
        let rest = bytes.get(at..).unwrap_or_default();
        let next = rest.iter().find(|byte| !matches!(byte, b' ' | b'\t') || **byte == delimiter);
        if !next.is_none_or(|next| *next == delimiter || *next == b'\r' || *next == b'\n') {
            return Err(TableError::Quotes { file: file.to_owned(), line: opened });
        }
        begins = false;
    }
    Ok(())
}

/// Numbers of cells in the first lines.
fn counts(bytes: &[u8], delimiter: u8) -> Vec<usize> {
    let start = &bytes[..bytes.len().min(LOOKED_AT)];
    let mut counts: Vec<usize> = reader(start, delimiter, true)
        .byte_records()
        .take(LINES + 1)
        .map_while(Result::ok)
        .map(|row| row.len())
        .collect();
    // The last one may be cut.
    if counts.len() > 1 && (counts.len() > LINES || start.len() < bytes.len()) {
        counts.pop();
    }
    counts
}

fn delimiter(bytes: &[u8]) -> u8 {
    let score = |delimiter: u8| {
        let counts = counts(bytes, delimiter);
        let first = counts.first().copied().unwrap_or(0);
        let alike = counts.iter().all(|count| *count == first);
        (first > 1 && alike, first)
    };
    let decimal = DELIMITERS.iter().map(|(delimiter, _)| *delimiter).find(|one| has_decimal_commas(bytes, *one));
    let scored = DELIMITERS.map(|(delimiter, _)| (score(delimiter), delimiter));
    // Of equal ones the first.
    let best = scored.into_iter().rev().max_by_key(|(score, _)| *score).map_or(b',', |(_, delimiter)| delimiter);
    decimal.filter(|_| best == b',').unwrap_or(best)
}

/// Whether a delimiter other than the comma cuts the first lines into as many cells each, and each cell with a comma is a number with
/// a decimal comma.
fn has_decimal_commas(bytes: &[u8], delimiter: u8) -> bool {
    let counts = counts(bytes, delimiter);
    let first = counts.first().copied().unwrap_or(0);
    if delimiter == b',' || first < 2 || counts.iter().any(|count| *count != first) {
        return false;
    }
    let rows = reader(&bytes[..bytes.len().min(LOOKED_AT)], delimiter, true).into_byte_records();
    let cells = rows.take(counts.len()).map_while(Result::ok).flat_map(|row| {
        let commas: Vec<bool> = row.iter().filter(|cell| cell.contains(&b',')).map(is_decimal_comma).collect();
        commas
    });
    let all: Vec<bool> = cells.collect();
    !all.is_empty() && all.iter().all(|is_decimal| *is_decimal)
}

/// Whether a cell is a number with a decimal comma.
fn is_decimal_comma(cell: &[u8]) -> bool {
    let text = String::from_utf8_lossy(cell);
    text.contains(',') && text.trim().replacen(',', ".", 1).parse::<f64>().is_ok()
}

/// Whether the first line holds names.
fn has_header(bytes: &[u8], delimiter: u8, reading: &Reading<'_>) -> bool {
    let mut rows = reader(bytes, delimiter, true).into_byte_records().map_while(Result::ok);
    let Some(first) = rows.next() else { return false };
    let is_text = |cell: &[u8]| {
        let text = String::from_utf8_lossy(cell);
        let cell = Cell::Text(&text);
        cell.number().is_none() && !cell.is_missing() && !is_foreign(&text)
    };
    let mut asked = reading.target.into_iter().chain(reading.drop.iter().map(String::as_str));
    if asked.any(|name| is_text(name.as_bytes()) && first.iter().any(|cell| cell == name.as_bytes())) {
        return true;
    }
    let Some(second) = rows.next() else { return first.iter().all(is_text) };
    first.iter().zip(second.iter()).any(|(name, cell)| is_text(name) && !is_text(cell))
}

fn ragged(file: &Path, bytes: &[u8], error: &csv::Error, delimiter: u8) -> TableError {
    let name = DELIMITERS.iter().find(|(known, _)| *known == delimiter).map_or("the one given", |(_, name)| name);
    match error.kind() {
        ErrorKind::UnequalLengths { pos: Some(pos), .. } if bytes.get(pos.byte() as usize) == Some(&b'#') => {
            TableError::Comment { file: file.to_owned(), line: pos.line() }
        }
        ErrorKind::UnequalLengths { pos, expected_len, len } => TableError::Ragged {
            file: file.to_owned(),
            line: pos.as_ref().map_or(0, csv::Position::line),
            expected: *expected_len,
            found: *len,
            delimiter: name,
        },
        _ => TableError::Unreadable(format!("{}: {error}", file.display())),
    }
}

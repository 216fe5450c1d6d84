//! Documents of the repository: figures in them that are made from files or types, held or written anew.
//!
//! A block of figures stands between two comments that a reader of the rendered page does not see:
//!
//! ```text
//! <!-- figures: NAME -->
//! whatever a test makes
//! <!-- end -->
//! ```
//!
//! `LGL2O_RENEW=1 cargo test -p lgl2o-tests --test documents --test memory` writes all blocks; without it the tests compare.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::{env, fs};

/// The root of the repository.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A file of the repository.
///
/// # Panics
/// If it is not there.
#[must_use]
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands before a block of a text, in it, and behind it.
///
/// # Errors
/// Which mark is missing.
pub fn split<'a>(text: &'a str, name: &str) -> Result<[&'a str; 3], String> {
    let begin = format!("<!-- figures: {name} -->\n");
    let at = text.find(&begin).ok_or_else(|| format!("no `{}`", begin.trim()))? + begin.len();
    let length = text[at..].find("<!-- end -->").ok_or_else(|| format!("no end of the figures `{name}`"))?;
    Ok([&text[..at], &text[at..at + length], &text[at + length..]])
}

/// Only one test at a time writes a document.
static WRITING: Mutex<()> = Mutex::new(());

/// Holds a block of a document to what it should be; with `LGL2O_RENEW` in the environment, writes it.
///
/// # Panics
/// If it differs.
#[track_caller]
pub fn hold(document: &str, name: &str, figures: &str) {
    let figures = format!("{}\n", figures.trim_end());
    let _one = WRITING.lock();
    let text = read(document);
    let [before, found, behind] = split(&text, name).unwrap_or_else(|problem| panic!("{document}: {problem}"));
    if env::var_os("LGL2O_RENEW").is_some() {
        fs::write(root().join(document), [before, &figures, behind].concat()).expect("a document to write");
        return;
    }
    assert!(
        found == figures,
        "{document}: the figures `{name}` should be\n{figures}but are\n{found}\
         LGL2O_RENEW=1 cargo test -p lgl2o-tests --test documents --test memory writes them anew"
    );
}

/// A line of a table in Markdown.
#[must_use]
pub fn row(cells: impl IntoIterator<Item = String>) -> String {
    let cells: Vec<String> = cells.into_iter().collect();
    format!("| {} |", cells.join(" | "))
}

/// A whole number in groups of three digits with some separator, for numbers of five digits or more.
#[must_use]
pub fn grouped(number: u64, separator: &str) -> String {
    let digits = number.to_string();
    if digits.len() < 5 {
        return digits;
    }
    let first = (digits.len() - 1) % 3 + 1;
    let rest = digits.as_bytes()[first..].chunks(3).map(|group| String::from_utf8_lossy(group).into_owned());
    std::iter::once(digits[..first].to_owned()).chain(rest).collect::<Vec<_>>().join(separator)
}

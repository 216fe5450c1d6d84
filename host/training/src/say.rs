//! What the program says: results on standard output, the rest on standard error.
//!
//! Nobody need be listening. Where standard output is closed or full, the work goes on, since its results stand in files
//! too, and [`all_said`] tells at its end. What is said on a closed standard error is not missed.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Mutex;

/// Why something could not be written to standard output, the first time.
static TROUBLE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Says a line of the results.
pub fn line(text: impl Display) {
    let Ok(mut trouble) = TROUBLE.lock() else { return };
    if trouble.is_some() {
        return;
    }
    let mut out = io::stdout().lock();
    // At once, so that the line is there when the program is killed.
    if let Err(error) = writeln!(out, "{text}").and_then(|()| out.flush()) {
        *trouble = Some(error);
    }
}

/// Says how it goes.
pub fn note(text: impl Display) {
    // Nobody listens to complaints about standard error either.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether everything was said.
///
/// # Errors
/// Why standard output has not taken all of it.
pub fn all_said() -> anyhow::Result<()> {
    let trouble = TROUBLE.lock().ok().and_then(|mut trouble| trouble.take());
    trouble.map_or(Ok(()), |error| Err(untold(&error)))
}

/// Why standard output has not taken all that was said.
#[must_use]
pub fn untold(error: &io::Error) -> anyhow::Error {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return anyhow::anyhow!("standard output was closed before everything was written to it");
    }
    anyhow::anyhow!("cannot write to standard output: {error}")
}

/// An error with its causes, each told once: many name their cause in their own message. What a terminal would obey, such as
/// in a file's name, becomes a space.
#[must_use]
pub fn told(error: &anyhow::Error) -> String {
    let obeyed = |c: char| c.is_control() && c != '\n';
    whole(error).chars().map(|c| if obeyed(c) { ' ' } else { c }).collect()
}

fn whole(error: &anyhow::Error) -> String {
    error.chain().fold(String::new(), |mut text, cause| {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(cause.trim_end_matches('.')) {
            text.push_str(": ");
            text.push_str(&cause);
        }
        text
    })
}

/// A word of a command line, in quotation marks where a shell needs them.
#[must_use]
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) { text.to_owned() } else { quoted(text) }
}

/// A path as a word of a command line.
#[must_use]
pub fn path(path: &Path) -> String {
    word(&typed(path))
}

/// A path as it can be typed: one that begins with a dash would be taken for an option.
#[must_use]
pub fn typed(path: &Path) -> String {
    let text = path.to_string_lossy();
    if text.starts_with('-') { format!("./{text}") } else { text.into_owned() }
}

/// A word of a command line in quotation marks.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A name of a user's in one line: line ends and what a terminal would obey become spaces.
#[must_use]
pub fn in_a_line(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use anyhow::anyhow;

    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_not_told() {
        assert_eq!(told(&anyhow!("cannot read a\u{1b}[31m\r.csv\nnext")), "cannot read a [31m .csv\nnext");
    }

    #[test]
    fn a_cause_is_told_once() {
        let io = || io::Error::other("no space left");
        let error = anyhow!("no space left").context("cannot write x: no space left").context("it failed");
        assert_eq!(told(&error), "it failed: cannot write x: no space left");
        assert_eq!(told(&anyhow::Error::new(io()).context("cannot write x")), "cannot write x: no space left");
        assert_eq!(told(&anyhow!("alone")), "alone");
    }

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        assert_eq!(word("a/b-1.5"), "a/b-1.5");
        assert_eq!(word("my data"), "'my data'");
        assert_eq!(word("it's"), "'it'\\''s'");
        assert_eq!(word(""), "''");
        assert_eq!([path(Path::new("-t.csv")), path(Path::new("a b"))], ["./-t.csv", "'a b'"]);
    }
}

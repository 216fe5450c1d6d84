//! Parts of messages about data that are longer than a line.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Why images cannot be pooled.
pub(super) fn pooling_fault(image: &Option<(usize, usize)>) -> String {
    match image {
        Some((r, c)) => format!("an image of {r} x {c} does not divide evenly"),
        None => "the rows are not images".to_owned(),
    }
}

/// One indented line for each path.
pub(super) fn list(paths: &[PathBuf]) -> String {
    paths.iter().fold(String::new(), |mut text, path| {
        // Writing to a `String` cannot fail.
        let _ = write!(text, "\n  {}", path.display());
        text
    })
}

/// The whole story of a failed download: what was tried, and how to do without.
pub(super) fn download_message(
    file: &str,
    attempts: &[(String, String)],
    folder: &Path,
    by_hand: &[(&'static str, &'static str)],
) -> String {
    let mut text = format!("cannot download {file}. Tried:");
    for (address, cause) in attempts {
        let _ = write!(text, "\n  {address}: {cause}");
    }
    let _ = write!(
        text,
        "\nCheck the network, or place these files by hand (as .gz or decompressed) in {}:",
        folder.display()
    );
    for (name, sha256) in by_hand {
        let _ = write!(text, "\n  {name}.gz  (decompressed SHA-256 {sha256})");
    }
    text
}

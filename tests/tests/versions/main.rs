//! Files of every released version load in this one, and mean what they meant.
//!
//! `tests/fixtures/VERSION/` holds small files as that version wrote them. They are never written again: if a test here fails, the
//! program has to change, or the next version is one that may break files (CONTRIBUTING, "What a version promises"). Before a
//! release that adds a format or a guard, its number comes into [`VERSIONS`], and one command makes its files:
//!
//! ```text
//! LGL2O_FIXTURES=0.2 cargo test -p lgl2o-tests --test versions -- --ignored
//! ```
//!
//! - `device`: checkpoints of each guard, two slots of a flash, weights.
//! - `program`: a model and a survey's record, which the host program writes.

mod device;
#[cfg(feature = "host")]
mod program;

use std::fs;
use std::path::PathBuf;

/// The versions whose files are kept.
const VERSIONS: [&str; 1] = ["0.1"];

/// The folder of a version's files.
fn folder(version: &str) -> PathBuf {
    lgl2o_tests::documents::root().join("tests/fixtures").join(version)
}

/// A file of a version.
fn read(version: &str, name: &str) -> Vec<u8> {
    let path = folder(version).join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Writes a file of the version that `LGL2O_FIXTURES` names, unless it is there.
fn keep(name: &str, bytes: &[u8]) {
    let version = std::env::var("LGL2O_FIXTURES").expect("LGL2O_FIXTURES=VERSION says which files to make");
    assert!(VERSIONS.contains(&version.as_str()), "VERSIONS does not have {version}");
    let path = folder(&version).join(name);
    fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    if !path.exists() {
        fs::write(&path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

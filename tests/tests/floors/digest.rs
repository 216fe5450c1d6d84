//! Kept runs are found by a digest of the sources that decide them (`host/training/build.rs`).
//!
//! What a source in the digest imports is in the digest, too, or is listed here with the reason why it decides nothing.

use std::fs;

use super::{Crate, Names, module, order, root, sources};

/// Modules that decide no result of a run.
const DECIDE_NOTHING: [(&str, &str); 16] = [
    ("container", "a format of files"),
    ("files", "files are read and written"),
    ("first_bytes", "words"),
    ("interrupt", "when work stops, not what it finds"),
    ("lock", "who writes where"),
    ("memory", "what is refused"),
    ("meta::distribution", "the key has what was drawn"),
    ("meta::full_horizon::config", "the key has what is run; weights of a score are applied to what is kept"),
    ("names", "words"),
    ("ranks", "who does a unit, not what comes of it"),
    ("record", "what is kept, which has a number of its format"),
    ("say", "words"),
    ("store", "where units are kept"),
    ("survey::inputs", "the key has a digest of the treated data"),
    ("survey::shape", "the key has the network"),
    ("survey::task", "the key has network, batch and a digest of the data"),
];

/// The sources of the digest, as modules of the host.
fn listed() -> Vec<Names> {
    let text = fs::read_to_string(root().join("host/training/build.rs")).expect("build.rs");
    let (_, list) = text.split_once("const SOURCES").expect("a list");
    let (list, _) = list.split_once("];").expect("its end");
    let paths = list.split('"').skip(1).step_by(2).filter_map(|path| path.strip_prefix("src/"));
    paths.map(module).collect()
}

#[test]
fn what_decides_a_kept_run_is_in_its_digest() {
    let mut sources = sources(&root().join("host/training/src"));
    sources.retain(|(path, _)| path != "main.rs" && !path.ends_with("/tests.rs"));
    let lib = sources.iter().find(|(path, _)| path == "lib.rs").expect("the root").1.clone();
    let (all, listed) = (Crate::new(&sources), listed());
    assert!(listed.len() > 8, "{listed:?}");
    for one in &listed {
        assert!(
            all.0.keys().any(|module| module.starts_with(one)),
            "host/training/build.rs: there is no {}",
            one.join("/")
        );
    }
    let is_listed = |module: &Names| listed.iter().any(|one| module.starts_with(one));
    let decides = |module: &Names| {
        let name = module.join("::");
        let is_of = |known: &str| name == known || name.starts_with(&format!("{known}::"));
        !DECIDE_NOTHING.iter().any(|(known, _)| is_of(known))
    };
    let mut left_out: Vec<String> = Vec::new();
    for (module, file) in all.0.iter().filter(|(module, _)| is_listed(module)) {
        for target in file.imports.iter().map(|path| all.resolve(path)) {
            // The folder's own file lists its parts.
            if !target.is_empty() && !is_listed(&target) && decides(&target) && !module.starts_with(&target) {
                left_out.push(format!("{} imports {}", module.join("::"), target.join("::")));
            }
        }
    }
    left_out.sort();
    left_out.dedup();
    assert_eq!(left_out, [""; 0], "not in the digest of host/training/build.rs");
    assert!(order(&lib).len() > 20);
}

//! `CONTRIBUTING.md` names every place that an addition touches.
//!
//! A source file or a document that names all of some things of one kind has a list of that kind, to which the next one
//! is to be added. The section on such additions names it, or a folder that it is in. Paths of these sections are there,
//! and what they call a list is in the file that they name before.

use std::fs;

use super::{files, root};

/// The title of a section, and some things of the kind, each in one or more spellings.
type Kind = (&'static str, &'static [&'static [&'static str]]);

const KINDS: [Kind; 14] = [
    ("Adding an update rule", &[&["NAdam", "nadam"], &["Lion", "lion"], &["RmsProp", "rmsprop"]]),
    ("Adding a guard", &[&["Blend", "blend"], &["ResidualGuard", "gl2o"], &["RelayGuard", "relay"]]),
    (
        "Adding an activation",
        &[&["Identity", "identity"], &["Relu", "relu"], &["Tanh", "tanh"], &["Sigmoid", "sigmoid"]],
    ),
    (
        "Adding a loss",
        &[&["Huber", "Huber's"], &["SoftCrossEntropy", "cross-entropy"], &["SquaredError", "squared error"]],
    ),
    (
        "Adding a layer",
        &[&["Conv1d", "conv1d"], &["Depthwise", "depthwise"], &["MaxPool", "MaxPool1d", "max_pool", "pooling"]],
    ),
    (
        "Adding a layer",
        &[&["Conv2d", "conv2d"], &["Depthwise2d", "depthwise2d"], &["MaxPool2d", "max_pool2d", "pool2d"]],
    ),
    ("Adding an objective", &[&["Logistic"], &["Quadratic"], &["Mlp"]]),
    ("Adding a program for boards", &[&["resume"], &["sensor"], &["stream"], &["spirals"]]),
    ("Adding an example or a chapter", &[&["own_network", "xor"], &["porting", "classify"], &["head", "regression"]]),
    ("Adding a task", &[&["rings"], &["teachers"], &["mixtures"]]),
    ("Adding an experiment", &[&["horizon"], &["ablation"], &["pairs"]]),
    (
        "Adding a command",
        &[&["Doctor", "doctor"], &["MetaTrain", "meta-train"], &["Bench", "bench"], &["Survey", "survey"]],
    ),
    ("Adding a board", &[&["microbit"], &["mps2-an386"], &["riscv-virt"], &["nrf52840-dk"]]),
    ("Adding a learned rule", &[&["RnnProp", "rnnprop"], &["LearnedNgn", "l2o"], &["CoordinateLstm", "lstm"]]),
];

fn contributing() -> String {
    fs::read_to_string(root().join("CONTRIBUTING.md")).expect("CONTRIBUTING.md")
}

/// A section of the text, without its title.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let (_, rest) = text.split_once(&format!("\n## {title}\n")).unwrap_or_else(|| panic!("no section `{title}`"));
    rest.split("\n## ").next().unwrap_or(rest)
}

/// What stands between backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// Whether a text has a word that nothing of a name stands beside.
fn has_word(text: &str, word: &str) -> bool {
    let is_name = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| !is_name(text[..at].chars().next_back()) && !is_name(text[at + word.len()..].chars().next()))
}

/// Files that name all things of a kind and that a section leaves out.
fn left_out<'a>(section: &str, things: &[&[&str]], sources: &'a [(String, String)]) -> Vec<&'a str> {
    let named = quoted(section);
    let has_all = |text: &str| things.iter().all(|names| names.iter().any(|name| has_word(text, name)));
    let listed = |path: &str| named.iter().any(|name| *name == path || name.ends_with('/') && path.starts_with(name));
    let all = sources.iter().filter(|(path, text)| !listed(path) && has_all(text));
    all.map(|(path, _)| path.as_str()).collect()
}

/// All source files and documents, without this one.
fn all_sources() -> Vec<(String, String)> {
    let folders = ["core", "host", "firmware", "tests"];
    let of = |folder: &str| {
        let inside = files(&root().join(folder), &["rs", "toml", "md"]);
        inside.into_iter().map(|(path, text)| (format!("{folder}/{path}"), text)).collect::<Vec<_>>()
    };
    let readme = fs::read_to_string(root().join("README.md")).expect("README.md");
    let all = folders.iter().flat_map(|folder| of(folder)).chain([("README.md".to_owned(), readme)]);
    all.filter(|(path, _)| !path.ends_with("floors/lists.rs")).collect()
}

#[test]
fn every_list_is_named() {
    let (text, sources) = (contributing(), all_sources());
    let missing = |(title, things): (&'static str, &[&[&str]])| {
        let left_out = left_out(section(&text, title), things, &sources);
        left_out.into_iter().map(|path| format!("{title}: `{path}`")).collect::<Vec<_>>()
    };
    let missing: Vec<String> = KINDS.into_iter().flat_map(missing).collect();
    assert_eq!(missing, [""; 0], "missing in CONTRIBUTING.md");
}

/// An empty section would be found wanting: there are lists of every kind.
#[test]
fn every_kind_has_a_list() {
    let sources = all_sources();
    for (title, things) in KINDS {
        assert!(!left_out("", things, &sources).is_empty(), "no source names {things:?}, of `{title}`");
    }
}

/// Each path is there, with `NAME` for a name of one's own, and each list is in the file that was named last before it.
#[test]
fn what_is_named_is_there() {
    let text = contributing();
    for (title, _) in KINDS {
        let mut file = String::new();
        for name in quoted(section(&text, title)) {
            let is_path = name.contains('/') && !name.contains(' ');
            let path = root().join(name.split("NAME").next().unwrap_or(name));
            let is_list =
                name.len() > 4 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_') || name.ends_with('!');
            if is_path && name.contains("NAME") {
                let folder = if path.to_string_lossy().ends_with('/') { path } else { path.parent().unwrap().into() };
                assert!(folder.is_dir(), "{title}: `{name}`");
            } else if is_path {
                assert!(path.exists(), "{title}: `{name}`");
                file = if path.is_file() { fs::read_to_string(path).unwrap() } else { String::new() };
            } else if is_list {
                let word = name.trim_end_matches('!');
                assert!(has_word(&file, word), "{title}: `{name}` is not in the file named before it");
            }
        }
    }
}

#[test]
fn a_list_that_is_left_out_is_found() {
    let sources = [("a/list.rs", "Foo, bar"), ("a/other.rs", "Foo, bars"), ("b/list.rs", "foo Bar")];
    let sources = sources.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let things: &[&[&str]] = &[&["Foo", "foo"], &["Bar", "bar"]];
    assert_eq!(left_out("`a/`", things, &sources), ["b/list.rs"]);
    assert_eq!(left_out("`b/list.rs`", things, &sources), ["a/list.rs"]);
    assert_eq!(left_out("a/list.rs", things, &sources), ["a/list.rs", "b/list.rs"]);
    assert_eq!(left_out("`a/list.rs`, `b/`", things, &sources), [""; 0]);
}

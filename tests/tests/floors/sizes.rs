//! Sizes: files of at most 400 lines, functions of at most 60, tests included. A module with files of its own is a folder with a
//! `mod.rs`.

use std::iter;

use super::{root, sources};

/// Most lines of a file.
const FILE: usize = 400;
/// Most lines of a function, from its name to its last brace.
const FUNCTION: usize = 60;

/// The functions of a file as rustfmt leaves it, each with its name and its lines.
fn functions<'a>(text: &'a str) -> Vec<(&'a str, usize)> {
    let lines: Vec<&'a str> = text.lines().collect();
    let function = |(i, line): (usize, &&'a str)| {
        let name = name(line)?;
        let indent = &line[..line.len() - line.trim_start().len()];
        let ends = |line: &&str| line.strip_prefix(indent).is_some_and(|rest| rest.starts_with('}'));
        let is_whole = line.ends_with('}') || line.ends_with(';');
        let length = if is_whole { 1 } else { lines[i..].iter().position(ends)? + 1 };
        Some((name, length))
    };
    lines.iter().enumerate().filter_map(function).collect()
}

/// The name of the function that begins in a line.
fn name(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let at = if line.starts_with("fn ") { 0 } else { line.find(" fn ")? + 1 };
    let known = ["pub", "const", "async", "unsafe", "extern", "\"C\""];
    let is_known = |word: &str| known.contains(&word) || word.starts_with("pub(") || word.ends_with(')');
    line[..at].split_whitespace().all(is_known).then(|| line[at + 3..].split(['(', '<']).next())?
}

/// What is too long in a file.
fn faults(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().count();
    let file = (lines > FILE).then(|| format!("{path}: {lines} lines, of at most {FILE}; cut it at a joint"));
    let long = functions(text).into_iter().filter(|(_, length)| *length > FUNCTION);
    let function = |(name, length)| format!("{path}: {length} lines in `{name}`, of at most {FUNCTION}");
    iter::empty().chain(file).chain(long.map(function)).collect()
}

#[test]
fn files_and_functions_are_short() {
    for folder in ["core", "host", "firmware", "tests"] {
        let all = sources(&root().join(folder));
        let functions: usize = all.iter().map(|(_, text)| functions(text).len()).sum();
        assert!(functions > 200, "only {functions} functions were seen in {folder}");
        let faults: Vec<String> =
            all.iter().flat_map(|(path, text)| faults(&format!("{folder}/{path}"), text)).collect();
        assert_eq!(faults, [""; 0]);
    }
}

/// Files `NAME.rs` beside a folder `NAME`.
fn beside_folders<'a>(paths: &[&'a str]) -> Vec<&'a str> {
    let is_folder =
        |name: &str| paths.iter().any(|path| path.strip_prefix(name).is_some_and(|rest| rest.starts_with('/')));
    paths.iter().copied().filter(|path| path.strip_suffix(".rs").is_some_and(is_folder)).collect()
}

#[test]
fn modules_with_files_of_their_own_are_folders() {
    for folder in ["core", "host", "firmware", "tests"] {
        let all = sources(&root().join(folder));
        let paths: Vec<&str> = all.iter().map(|(path, _)| path.as_str()).collect();
        assert_eq!(beside_folders(&paths), [""; 0], "in {folder}: move NAME.rs to NAME/mod.rs");
    }
    assert_eq!(beside_folders(&["a.rs", "a/b.rs", "c/mod.rs", "c/d.rs", "e.rs", "ef/g.rs"]), ["a.rs"]);
}

#[test]
fn what_is_too_long_is_found() {
    let body = "        x();\n".repeat(FUNCTION - 1);
    for head in ["fn long()", "pub(crate) const fn long<T>(\n        a: T,\n    )", "pub(in crate::a) unsafe fn long()"]
    {
        let text = format!("mod a {{\n    {head} {{\n{body}    }}\n    fn short() {{}}\n    fn other();\n}}\n");
        let found = faults("a.rs", &text);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("lines in `long`"), "{found:?}");
    }
    assert_eq!(faults("a.rs", &"x\n".repeat(FILE)), [""; 0]);
    assert_eq!(faults("a.rs", &"x\n".repeat(FILE + 1)).len(), 1);
    assert_eq!(functions("// no fn here\nlet f: fn () = g;\n\"fn\";").len(), 0);
}

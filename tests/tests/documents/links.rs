//! Every relative link of every document leads to a file, and every anchor to a heading.

use std::fs;
use std::path::{Path, PathBuf};

use lgl2o_tests::documents::root;

/// Folders that hold no documents of the repository.
const OTHER: [&str; 3] = ["target", "out", ".git"];

/// All documents, as paths from the root.
fn documents() -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![PathBuf::new()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).expect("a folder").map(|entry| entry.expect("an entry")) {
            let path = folder.join(entry.file_name());
            if entry.path().is_dir() {
                folders.extend((!OTHER.iter().any(|other| path.ends_with(other))).then_some(path));
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A text without its blocks and pieces of code.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let is_prose = |line: &&str| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !is_fence
    };
    let lines = text.lines().filter(is_prose).collect::<Vec<_>>().join("\n");
    // What stands between backticks has no links, but a link's words may have some.
    lines.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// Where the links of a text lead.
fn targets(text: &str) -> Vec<String> {
    let prose = prose(text);
    let inline = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let named = prose.lines().filter_map(|line| line.trim_start().strip_prefix('[')?.split_once("]: ").map(|l| l.1));
    inline.chain(named).map(str::to_owned).collect()
}

/// The anchors of a text, as GitHub makes them.
fn anchors(text: &str) -> Vec<String> {
    let mut is_code = false;
    let mut found: Vec<String> = Vec::new();
    for line in text.lines() {
        is_code ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if is_code || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let anchor = kept.collect::<String>().to_lowercase().replace(' ', "-");
        let same = found.iter().filter(|other| **other == anchor).count();
        found.push(if same > 0 { format!("{anchor}-{same}") } else { anchor });
    }
    found
}

/// What is wrong with the links of a document. Links to items of the code are rustdoc's to check.
fn faults(document: &Path, text: &str) -> Vec<String> {
    let is_item = |target: &str| target.contains("::") || !target.contains(['.', '/', '#']);
    let fault = |target: String| {
        if target.contains("://") || target.starts_with("mailto:") || is_item(&target) {
            return None;
        }
        let (path, anchor) = target.split_once('#').unwrap_or((&target, ""));
        let file = if path.is_empty() { document.to_owned() } else { document.parent()?.join(path) };
        let whole = root().join(&file);
        if !whole.exists() {
            return Some(format!("{}: `{target}` leads nowhere", document.display()));
        }
        let is_there = anchor.is_empty()
            || fs::read_to_string(whole).is_ok_and(|text| anchors(&text).iter().any(|known| known == anchor));
        (!is_there).then(|| format!("{}: `{target}` has no such heading", document.display()))
    };
    targets(text).into_iter().filter_map(fault).collect()
}

#[test]
fn every_relative_link_leads_somewhere() {
    let all: Vec<(PathBuf, String)> = documents()
        .into_iter()
        .map(|path| {
            let text = fs::read_to_string(root().join(&path)).expect("a document");
            (path, text)
        })
        .collect();
    let links: usize = all.iter().map(|(_, text)| targets(text).len()).sum();
    assert!(links > 60, "only {links} links were seen in {} documents", all.len());
    let faults: Vec<String> = all.iter().flat_map(|(path, text)| faults(path, text)).collect();
    assert_eq!(faults, [""; 0]);
}

#[test]
fn a_broken_link_is_found() {
    let found = |text: &str| faults(Path::new("firmware/NONE.md"), text).len();
    for good in
        ["[a](COSTS.md)", "[a](../README.md#two-commands)", "[`a`](https://x.y/z)", "`[a](gone.md)`", "![a](build)"]
    {
        assert_eq!(found(good), 0, "{good}");
    }
    for bad in ["[a](gone.md)", "[a](../README.md#no-such-thing)", "![a](gone.svg)", "[`a`](gone.md)\n", "[a]: gone.md"]
    {
        assert_eq!(found(bad), 1, "{bad}");
    }
    assert_eq!(found("```\n[a](gone.md)\n```\n[a](gone.md)"), 1);
    assert_eq!(anchors("# A b: `c`!\n```\n# d\n```\n## A b c"), ["a-b-c", "a-b-c-1"]);
}

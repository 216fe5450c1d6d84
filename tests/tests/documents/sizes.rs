//! README has at most 1,000 words, a chapter of the guide 300 to 700, an example at most 40 lines; each example is named. The guide's
//! code fits beside the sidebar of its pages.

use std::collections::BTreeMap;
use std::fs;

use lgl2o_tests::documents::{read, root};

/// Most lines of an example.
const EXAMPLE: usize = 40;
/// Most words of README as `wc -w` counts them, code and tables too.
const README: usize = 1000;
/// Fewest and most words of a chapter, without code and drawings.
const CHAPTER: [usize; 2] = [300, 700];

/// The files of a folder with an extension, by name.
fn files(folder: &str, extension: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(root().join(folder)).expect("a folder").map(|entry| entry.expect("an entry").path());
    let of_kind = entries.filter(|path| path.extension().is_some_and(|found| found == extension));
    let name = |path: &std::path::Path| path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    of_kind.map(|path| (name(&path), fs::read_to_string(&path).expect("a text"))).collect()
}

/// Most characters of a line of code in the guide: so many a page of 1,280 pixels shows.
const CODE: usize = 94;

/// Words of a text, of letters or digits.
fn words(text: &str) -> usize {
    text.split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

/// The text without its blocks of code.
fn without_code(text: &str) -> String {
    text.split("```").step_by(2).collect()
}

#[test]
fn readme_is_short() {
    let words = read("README.md").split_whitespace().count();
    assert!(words <= README, "{words} words");
}

#[test]
fn chapters_are_short_and_built() {
    let (chapters, module) = (files("core/guide", "md"), read("core/src/guide.rs"));
    assert!(chapters.len() >= 12, "only {} chapters", chapters.len());
    for (name, text) in &chapters {
        let words = words(&without_code(text));
        assert!((CHAPTER[0]..=CHAPTER[1]).contains(&words), "{name}: {words} words");
        assert!(module.contains(&format!("include_str!(\"../guide/{name}.md\")")), "{name} is in no module");
    }
    for name in files("core/guide", "svg").keys() {
        assert!(module.contains(&format!("include_str!(\"../guide/{name}.svg\")")), "{name} is drawn nowhere");
    }
}

/// What would be cut on a page: lines of code, but for those that rustdoc hides.
fn cut(text: &str) -> Vec<&str> {
    let code = text.split("```").skip(1).step_by(2).flat_map(str::lines);
    code.filter(|line| line.chars().count() > CODE && !line.starts_with("# ")).collect()
}

#[test]
fn code_of_the_guide_is_not_cut() {
    let long = "x".repeat(CODE + 1);
    assert_eq!(cut(&format!("{long}\n```rust\n{long}\n# {long}\nshort\n```\n{long}\n")), [&long]);
    for (name, text) in files("core/guide", "md") {
        assert_eq!(cut(&text), Vec::<&str>::new(), "{name}");
    }
}

#[test]
fn examples_are_short_named_and_run() {
    let (readme, tests) = (read("README.md"), read("tests/tests/examples.rs"));
    let examples = files("core/examples", "rs");
    assert!(examples.len() >= 11, "only {} examples", examples.len());
    for (name, text) in &examples {
        let lines = text.lines().count();
        assert!(lines <= EXAMPLE, "{name}: {lines} lines");
        assert!(text.starts_with("//! "), "{name} does not say what it is");
        assert!(readme.contains(&format!("core/examples/{name}.rs")), "{name} is not in README");
        assert!(tests.contains(&format!("\"{name}\"")), "no test runs {name}");
    }
}

/// The example in README is the one to run.
#[test]
fn readme_shows_the_first_example() {
    let (readme, example) = (read("README.md"), read("core/examples/xor.rs"));
    let shown = readme.split("```rust\n").nth(1).and_then(|rest| rest.split("```").next()).expect("code");
    let code: String =
        example.lines().filter(|line| !line.starts_with("//!")).map(|line| format!("{line}\n")).collect();
    assert_eq!(shown, code);
}

//! Every `lgl2o` command of a document, and those that help and program recommend, is one that the command line accepts.

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use lgl2o_host::cli::{Cli, NEXT};
use lgl2o_tests::documents::{read, root};

const DOCUMENTS: [&str; 4] = ["README.md", "host/RESULTS.md", "firmware/README.md", "firmware/COSTS.md"];
/// What a command begins with, as one types it.
const STARTS: [&str; 3] = ["cargo run --release -- ", "target/release/lgl2o ", "lgl2o "];
/// Commands of the first and the second kind.
const LEAST: usize = 15;

/// The words of a command, as a shell splits them; what follows a `#` that stands alone is a comment.
fn words(command: &str) -> Vec<String> {
    let (mut words, mut word, mut is_quoted) = (Vec::new(), String::new(), false);
    for c in command.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => words.extend(Some(std::mem::take(&mut word)).filter(|word| !word.is_empty())),
            c => word.push(c),
        }
    }
    words.push(word);
    let end = words.iter().position(|word| word == "#").unwrap_or(words.len());
    words[..end].iter().filter(|word| !word.is_empty()).cloned().collect()
}

/// The commands of a text: lines that begin with `$`, and code that begins as a command does.
fn commands(text: &str) -> Vec<String> {
    let typed = text.lines().filter_map(|line| line.trim_start().strip_prefix("$ ")).map(str::to_owned);
    let whole: String = text.split("```").step_by(2).collect();
    let code = whole.split('`').skip(1).step_by(2).map(|code| code.split_whitespace().collect::<Vec<_>>().join(" "));
    let all: Vec<String> = typed.chain(code.collect::<Vec<_>>()).collect();
    let arguments = |command: String| {
        let command = command.strip_prefix("mpirun -n 4 ").unwrap_or(&command);
        STARTS.iter().find_map(|start| command.strip_prefix(start)).map(str::to_owned)
    };
    all.into_iter().filter_map(arguments).collect()
}

/// Why the command line does not accept some arguments. A command that a sentence only names may lack some.
fn refusal(arguments: &str) -> Option<String> {
    let words = words(arguments).into_iter().map(|word| if word == "NAME" { "microbit".to_owned() } else { word });
    let parsed = Cli::try_parse_from(std::iter::once("lgl2o".to_owned()).chain(words));
    let fine = [ErrorKind::DisplayHelp, ErrorKind::MissingRequiredArgument];
    parsed.err().filter(|error| !fine.contains(&error.kind())).map(|error| format!("lgl2o {arguments}: {error}"))
}

#[test]
fn every_command_of_a_document_is_accepted() {
    let mut documents: Vec<String> = DOCUMENTS.iter().map(|&path| read(path)).collect();
    let guide =
        std::fs::read_dir(root().join("core/guide")).expect("the guide").map(|entry| entry.expect("one").path());
    documents.extend(
        guide
            .filter(|path| path.extension().is_some_and(|e| e == "md"))
            .map(|path| std::fs::read_to_string(path).expect("a chapter")),
    );
    let all: Vec<String> = documents.iter().flat_map(|text| commands(text)).collect();
    assert!(all.len() >= LEAST, "only {all:?}");
    let refused: Vec<String> = all.iter().filter_map(|arguments| refusal(arguments)).collect();
    assert_eq!(refused, [""; 0]);
}

#[test]
fn what_to_do_next_is_accepted() {
    let lines: Vec<&str> =
        NEXT.lines().skip(1).map(|line| line.trim().split("  ").next().unwrap_or_default()).collect();
    assert!(lines.len() >= 4);
    assert!(lines.iter().all(|line| line.starts_with("lgl2o ")), "{lines:?}");
    let refused: Vec<String> = lines.iter().filter_map(|line| refusal(&line["lgl2o ".len()..])).collect();
    assert_eq!(refused, [""; 0]);
}

/// Examples in the help, which end where a description begins.
#[test]
fn examples_in_the_help_are_accepted() {
    let cli = Cli::command();
    let texts = std::iter::once(&cli).chain(cli.get_subcommands()).flat_map(|command| {
        [command.get_before_help(), command.get_after_help()]
            .map(|text| text.map_or(String::new(), ToString::to_string))
    });
    let lines: Vec<String> = texts.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    let command = |line: &String| Some(line.trim().strip_prefix("lgl2o ")?.split("  ").next()?.to_owned());
    let all: Vec<String> = lines.iter().filter_map(command).collect();
    assert!(all.len() > 40, "only {all:?}");
    let refused: Vec<String> = all.iter().filter_map(|arguments| refusal(arguments)).collect();
    assert_eq!(refused, [""; 0]);
}

#[test]
fn a_wrong_command_is_refused() {
    assert!(refusal("compare --tsak mnist").is_some() && refusal("compare --task mnist # some words").is_none());
    assert_eq!(
        commands("```console\n$ cargo run --release -- survey  # x\n```\nSay `lgl2o\n  doctor`."),
        ["survey  # x", "doctor"]
    );
}

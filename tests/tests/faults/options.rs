//! Every option of every command, found in the command line itself: one that names a path is tried by some test, and one that takes a
//! number has bounds. A new option fails here until it has.

use std::any::TypeId;
use std::fs;
use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{Arg, Command, CommandFactory as _, Parser as _};
use lgl2o_host::cli::Cli;

use crate::commands::COMMANDS;

/// All options, each with the words that come before it: a command, or a command and what it does.
fn options() -> Vec<(Vec<String>, Arg)> {
    let own = |words: &[&str], command: &Command| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        command.get_arguments().map(|arg| (words.clone(), arg.clone())).collect::<Vec<_>>()
    };
    let cli = Cli::command();
    let mut all = own(&[], &cli);
    for command in cli.get_subcommands() {
        all.extend(own(&[command.get_name()], command));
        for inner in command.get_subcommands() {
            all.extend(own(&[command.get_name(), inner.get_name()], inner));
        }
    }
    all
}

fn is_of<T: 'static>(arg: &Arg) -> bool {
    arg.get_value_parser().type_id() == TypeId::of::<T>()
}

/// An option that names a path is in [`COMMANDS`], and no other one is.
#[test]
fn every_path_is_tried() {
    let listed = |command: &str| {
        let case = COMMANDS.iter().find(|case| case.name == command).expect("a line in COMMANDS");
        let inputs = case.inputs.iter().map(|(option, _)| *option);
        let mut all: Vec<&str> = inputs.chain(case.outputs.iter().copied()).collect();
        all.extend(case.elsewhere.iter().map(|(option, ..)| *option));
        all.sort_unstable();
        all
    };
    for case in &COMMANDS {
        let paths = options()
            .into_iter()
            .filter(|(words, arg)| words.first().is_some_and(|word| word == case.name) && is_of::<PathBuf>(arg));
        let mut paths: Vec<String> = paths.map(|(_, arg)| arg.get_id().to_string()).collect();
        paths.sort_unstable();
        paths.dedup();
        assert_eq!(paths, listed(case.name), "options of `{}` that name a path", case.name);
        for (option, _) in case.inputs {
            assert!(case.short.contains(&format!("--{option} in")), "{}: --{option} is not in its call", case.name);
        }
        for (option, file, words) in case.elsewhere {
            let text =
                fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(file)).expect("a test");
            assert!(text.contains(words), "{} --{option}: `{words}` is not in {file}", case.name);
        }
    }
    assert!(options().iter().filter(|(_, arg)| is_of::<PathBuf>(arg)).all(|(words, _)| !words.is_empty()));
}

/// What is no number, or beyond all bounds, is refused as the value that it is.
#[test]
fn every_number_is_bounded() {
    const NEVER: [&str; 7] = ["", "x", "1e99", "nan", "inf", "0x10", "1,5x"];
    const WHOLE: [&str; 5] = ["-1", "1.5", "18446744073709551616", "1e3", "99999999999999999999999"];
    let mut seen = 0;
    for (words, arg) in options() {
        let is_whole = is_of::<u64>(&arg) || is_of::<u32>(&arg) || is_of::<usize>(&arg);
        if !is_whole && !is_of::<f64>(&arg) && !is_of::<f32>(&arg) {
            continue;
        }
        seen += 1;
        let option = arg.get_long().expect("numbers have long options");
        for bad in NEVER.iter().chain(WHOLE.iter().filter(|_| is_whole)) {
            let line = ["lgl2o".to_owned()].into_iter().chain(words.clone()).chain([format!("--{option}={bad}")]);
            let error = Cli::try_parse_from(line).expect_err("refused");
            let kinds = [ErrorKind::ValueValidation, ErrorKind::InvalidValue];
            assert!(kinds.contains(&error.kind()), "{words:?} --{option} {bad}: {error}");
            let said = error.to_string();
            let has_bound = said.contains("needed")
                || said.contains("known: ")
                || said.contains("is not in")
                || said.contains("a value is required");
            assert!(has_bound, "{words:?} --{option} {bad}: {said}");
        }
    }
    assert!(seen >= 30, "only {seen} options with numbers were seen");
}

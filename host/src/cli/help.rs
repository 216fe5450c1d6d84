//! How the text below the options is laid out, whatever the width of the terminal.
//!
//! In the sources a text has lines of any length. A paragraph becomes one line, which clap wraps at the terminal's width. An entry
//! begins with spaces, and may have a description after two spaces or more, and more of it on further lines below: the description
//! is wrapped within its column. A line without a description, such as an example, stays as it is, since it is there to be copied.

use clap::Command;
use clap::builder::StyledStr;

/// Columns of a wide terminal, and where there is none.
const WIDEST: usize = 100;
/// Columns of a narrow one.
const NARROWEST: usize = 60;
/// An entry that is further in than this is the description of the line above.
const DEEP: usize = 12;
/// A command, and those within it, with texts that are laid out for the terminal.
pub(super) fn for_terminal(command: Command) -> Command {
    laid_out_all(command, columns())
}

/// Columns of the terminal, between what can be read and what can be read at a glance.
fn columns() -> usize {
    #[cfg(unix)]
    let found = rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
    #[cfg(not(unix))]
    let found = None;
    found.filter(|columns| *columns > 0).map_or(WIDEST, |columns: usize| columns.clamp(NARROWEST, WIDEST))
}

fn laid_out_all(command: Command, width: usize) -> Command {
    let text = |styled: Option<&StyledStr>| styled.map(|text| laid_out(&text.to_string(), width));
    let [before, after] = [text(command.get_before_help()), text(command.get_after_help())];
    let command = command.term_width(width).mut_subcommands(|command| laid_out_all(command, width));
    let command = before.into_iter().fold(command, Command::before_help);
    after.into_iter().fold(command, Command::after_help)
}

/// A text with its paragraphs in a line each and its descriptions in columns.
fn laid_out(text: &str, width: usize) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines() {
        match lines.last_mut() {
            Some(last) if goes_on(last, line) => *last = format!("{last} {}", line.trim_start()),
            _ => lines.push(line.to_owned()),
        }
    }
    let lines = lines.iter().map(|line| if line.starts_with(' ') { entry(line, width) } else { line.clone() });
    lines.collect::<Vec<_>>().join("\n")
}

/// Whether a line continues the one above.
fn goes_on(last: &str, line: &str) -> bool {
    let is_plain = |text: &str| !text.is_empty() && !text.starts_with(' ');
    let continues_column =
        indent(line) >= DEEP && column(last) == Some(indent(line)) && column(line) == Some(indent(line));
    is_plain(last) && is_plain(line) || continues_column
}

/// Spaces that a line begins with.
fn indent(line: &str) -> usize {
    line.chars().take_while(|c| *c == ' ').count()
}

/// Where the description of an entry begins: after two spaces or more; of a line that is far in, where it begins.
fn column(line: &str) -> Option<usize> {
    let start = indent(line);
    if start >= DEEP {
        return Some(start);
    }
    let chars: Vec<char> = line.chars().collect();
    (start..chars.len()).rev().find(|&i| i >= 2 && chars[i] != ' ' && chars[i - 2..i] == [' ', ' '] && i > start)
}

/// An entry, its description wrapped within its column.
fn entry(line: &str, width: usize) -> String {
    let (Some(column), false) = (column(line), line.chars().count() <= width) else { return line.to_owned() };
    let name: String = line.chars().take(column).collect();
    let (mut out, mut used, mut is_first) = (name, column, true);
    let description: String = line.chars().skip(column).collect();
    for word in description.split(' ').filter(|word| !word.is_empty()) {
        let length = word.chars().count();
        if !is_first && used + 1 + length > width {
            out.push_str(&format!("\n{}", " ".repeat(column)));
            (used, is_first) = (column, true);
        }
        if !is_first {
            out.push(' ');
            used += 1;
        }
        out.push_str(word);
        (used, is_first) = (used + length, false);
    }
    out
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::super::Cli;
    use super::*;

    /// What examples begin with.
    const PROGRAMS: [&str; 2] = ["lgl2o ", "mpirun "];

    #[test]
    fn paragraphs_are_lines_and_descriptions_stay_in_their_column() {
        let text = "One line\nand its end.\n\nNames:\n  a    what it is,\n       and more\n  b c  short\n\nExamples:\n  lgl2o b";
        let laid = laid_out(text, 80);
        assert_eq!(
            laid,
            "One line and its end.\n\nNames:\n  a    what it is,\n       and more\n  b c  short\n\nExamples:\n  lgl2o b"
        );
        let deep = format!("  a             {}\n                end", "word ".repeat(20).trim_end());
        let wrapped = laid_out(&deep, 80);
        let lines: Vec<&str> = wrapped.lines().collect();
        assert_eq!(lines.len(), 2, "{wrapped}");
        assert!(lines[1].starts_with(&format!("{}word", " ".repeat(16))) && lines[1].ends_with("end"), "{wrapped}");
        assert!(lines.iter().all(|line| line.chars().count() <= 80));
    }

    /// Lines of the text below the options that ended too early or too late at a width of the terminal.
    fn ragged(command: &Command, width: usize) -> Vec<String> {
        let help = command.clone().term_width(width).max_term_width(width).render_long_help().to_string();
        let Some(below) = command.get_after_help().map(ToString::to_string) else { return Vec::new() };
        let first: Vec<&str> = below.lines().next().unwrap_or_default().split(' ').take(3).collect();
        let first = first.join(" ");
        let start = help.rfind(&first).unwrap_or_else(|| panic!("{first} in {help}"));
        let lines: Vec<&str> = help[start..].lines().collect();
        let is_plain = |line: &str| !line.is_empty() && !line.starts_with(' ');
        let fits = |pair: &&[&str]| {
            let next = pair[1].split(' ').next().map_or(0, |word| word.chars().count());
            is_plain(pair[0]) && is_plain(pair[1]) && pair[0].chars().count() + 1 + next <= width
        };
        let too_early = lines.windows(2).filter(fits).map(|pair| pair.join(" / "));
        let is_example = |line: &str| PROGRAMS.iter().any(|program| line.trim_start().starts_with(program));
        let too_late =
            lines.iter().filter(|line| line.starts_with(' ') && !is_example(line) && line.chars().count() > width);
        too_early.chain(too_late.map(|line| (*line).to_owned())).collect()
    }

    /// At 80 columns and at 100 no paragraph has a line that ends before the next word had to go, and nothing leaves its column.
    #[test]
    fn no_help_is_ragged() {
        for width in [80, 100] {
            let all = laid_out_all(Cli::command(), width);
            let commands: Vec<&Command> = std::iter::once(&all).chain(all.get_subcommands()).collect();
            assert!(commands.iter().filter(|command| command.get_after_help().is_some()).count() > 10);
            for command in commands {
                assert_eq!(ragged(command, width), Vec::<String>::new(), "{} at {width}", command.get_name());
            }
        }
        // The same texts as they stand in the sources are.
        let raw = Cli::command();
        assert!(raw.get_subcommands().any(|command| !ragged(command, 100).is_empty()));
    }
}

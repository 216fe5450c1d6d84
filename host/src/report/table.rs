//! The table of the report: one row per optimizer, for Markdown, for the terminal and for the page.

use super::number::{grouped, percent, significant};
use super::series::{self, Series};
use super::steps;
use crate::record::{Results, Summary};

/// What a cell without a value holds.
const NONE: &str = "-";

/// A table, not yet laid out.
pub(super) struct Table {
    /// Titles of the columns after the first, which holds the optimizers.
    pub(super) head: Vec<String>,
    /// One row per optimizer.
    pub(super) rows: Vec<Row>,
}

/// The results of one optimizer.
pub(super) struct Row {
    /// The optimizer.
    pub(super) name: String,
    /// One cell per title.
    pub(super) cells: Vec<Cell>,
}

/// One cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// What it says.
    pub(super) text: String,
    /// Whether its mean is the best of the column, or prints like the best.
    pub(super) best: bool,
}

/// A column before the best is marked: what each cell says, and the mean that it competes with.
struct Column {
    title: String,
    cells: Vec<(String, Option<f64>)>,
    lowest_wins: bool,
}

/// The table for the terminal: columns aligned with spaces, `*` after the best mean of each column.
pub fn table(results: &Results) -> String {
    let table = build(results);
    let mut rows = vec![[vec!["optimizer".to_owned()], marked(&table.head, " ")].concat()];
    for row in &table.rows {
        let cells = row.cells.iter();
        let cells = cells.map(|c| format!("{}{}", c.text, if c.best { "*" } else { " " }));
        rows.push(std::iter::once(printable(&row.name)).chain(cells).collect());
    }
    let mut out = intro(results, "A star").join("\n");
    out.push_str("\n\n");
    out.push_str(&aligned(&rows));
    out
}

/// The table as Markdown, with the best mean of each column in bold.
pub(super) fn markdown(results: &Results) -> String {
    let table = build(results);
    let mut out = intro(results, "Bold").join("\n\n");
    out.push_str("\n\n");
    out.push_str(&format!("| optimizer | {} |\n", table.head.join(" | ")));
    out.push_str(&format!("|:---|{}\n", "---:|".repeat(table.head.len())));
    for row in &table.rows {
        let cells: Vec<String> = row.cells.iter().map(bold).collect();
        out.push_str(&format!("| {} | {} |\n", code(&row.name), cells.join(" | ")));
    }
    out
}

/// What one must know to read the table, a sentence or two per paragraph; `mark` is what the best one carries.
pub(super) fn intro(results: &Results, mark: &str) -> Vec<String> {
    let seeds = series::seeds(results);
    let spread = if seeds.len() > 1 {
        "mean over the seeds ± sample standard deviation"
    } else {
        "one seed, so without a spread"
    };
    vec![
        format!(
            "Task: {}. Model: {}, {} parameters. Batch: {}. {}.",
            printable(&results.task),
            printable(&results.model),
            grouped(results.parameters as u64),
            results.batch,
            seed_list(&seeds),
        ),
        format!(
            "Held-out loss after each number of steps, {spread}, and held-out accuracy after the last one. {mark} marks \
             the lowest mean loss and the highest mean accuracy; values that print alike are tied, and all marked."
        ),
        "Cost: forward passes of one minibatch, a gradient counts as 3. Learned steps: share of the training steps \
         that are the learned side's; 0 where the guard kept the fallback's all along, which is no fault."
            .to_owned(),
    ]
}

/// Builds the table and marks the best.
pub(super) fn build(results: &Results) -> Table {
    let all = series::series(results);
    let steps = steps::chosen(results);
    let last = results.summary.iter().map(|s| s.step).max();
    let mut columns: Vec<Column> = steps.iter().map(|&step| loss_column(results, &all, step)).collect();
    columns.extend(last.map(|step| accuracy_column(results, &all, step)));
    columns.push(column("cost/step", &all, |s| cost_per_step(results, s)));
    columns.push(column("learned steps %", &all, |s| s.learned_steps_share().map_or(NONE.to_owned(), percent)));
    let marked: Vec<Vec<Cell>> = columns.iter().map(mark_best).collect();
    let rows = all.iter().enumerate().map(|(i, one)| Row {
        name: one.name.to_owned(),
        cells: marked.iter().map(|cells| cells[i].clone()).collect(),
    });
    Table { rows: rows.collect(), head: columns.into_iter().map(|c| c.title).collect() }
}

fn loss_column(results: &Results, all: &[Series<'_>], step: u64) -> Column {
    let seeds = series::seeds(results).len();
    let cell = |one: &Series<'_>| match summary(results, one.name, step) {
        None => (NONE.to_owned(), None),
        Some(s) => match (s.test_loss_mean.filter(|m| m.is_finite()), s.test_loss_std) {
            (None, _) => ("diverged".to_owned(), None),
            (Some(mean), Some(std)) if seeds > 1 && std.is_finite() => {
                let text = format!("{} ± {}", significant(mean), significant(std));
                (text, Some(mean))
            }
            (Some(mean), _) => (significant(mean), Some(mean)),
        },
    };
    Column { title: format!("loss at {step}"), cells: all.iter().map(cell).collect(), lowest_wins: true }
}

fn accuracy_column(results: &Results, all: &[Series<'_>], step: u64) -> Column {
    let cell = |one: &Series<'_>| match summary(results, one.name, step) {
        None => (NONE.to_owned(), None),
        Some(s) => match s.test_accuracy_mean.filter(|m| m.is_finite()) {
            None => ("diverged".to_owned(), None),
            Some(mean) => (percent(mean), Some(mean)),
        },
    };
    Column { title: "accuracy %".to_owned(), cells: all.iter().map(cell).collect(), lowest_wins: false }
}

/// A column without competition.
fn column(title: &str, all: &[Series<'_>], cell: impl Fn(&Series<'_>) -> String) -> Column {
    Column { title: title.to_owned(), cells: all.iter().map(|s| (cell(s), None)).collect(), lowest_wins: true }
}

fn cost_per_step(results: &Results, one: &Series<'_>) -> String {
    let own = results.summary.iter().filter(|s| s.optimizer == one.name);
    match own.max_by_key(|s| s.step) {
        Some(s) if s.step > 0 => format!("{:.1}", s.cost / s.step as f64),
        _ => NONE.to_owned(),
    }
}

fn mark_best(column: &Column) -> Vec<Cell> {
    let print = |mean: f64| {
        if column.lowest_wins { significant(mean) } else { percent(mean) }
    };
    let means = column.cells.iter().filter_map(|(_, mean)| *mean);
    let best = if column.lowest_wins { means.min_by(f64::total_cmp) } else { means.max_by(f64::total_cmp) };
    let best = best.map(print);
    let cells = column
        .cells
        .iter()
        .map(|(text, mean)| Cell { text: text.clone(), best: best.is_some() && mean.map(print) == best });
    cells.collect()
}

fn summary<'a>(results: &'a Results, name: &str, step: u64) -> Option<&'a Summary> {
    let mut all = results.summary.iter();
    all.find(|s| s.optimizer == name && s.step == step)
}

fn seed_list(seeds: &[u64]) -> String {
    match seeds {
        [one] => format!("Seed: {one}"),
        [first, .., last] if seeds.len() > 8 => {
            format!("Seeds: {}, from {first} to {last}", seeds.len())
        }
        _ => {
            let list: Vec<String> = seeds.iter().map(u64::to_string).collect();
            format!("Seeds: {} ({})", seeds.len(), list.join(", "))
        }
    }
}

fn bold(cell: &Cell) -> String {
    if cell.best { format!("**{}**", cell.text) } else { cell.text.clone() }
}

/// An optimizer as Markdown code; a pipe would end the cell even there.
fn code(name: &str) -> String {
    let name = printable(name).replace('|', "\\|");
    if name.contains('`') { format!("`` {name} ``") } else { format!("`{name}`") }
}

fn printable(text: &str) -> String {
    text.replace(|c: char| c.is_control(), "\u{fffd}")
}

fn marked(titles: &[String], mark: &str) -> Vec<String> {
    titles.iter().map(|t| format!("{t}{mark}")).collect()
}

/// Lays out rows: the first column to the left, the others to the right, a rule below the head.
fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let widest = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(widest).collect();
    let mut out = String::new();
    for (i, row) in rows.iter().enumerate() {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(c, (text, &width))| if c == 0 { format!("{text:<width$}") } else { format!("{text:>width$}") });
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
        if i == 0 {
            let total: usize = widths.iter().sum::<usize>() + 2 * columns.saturating_sub(1);
            out.push_str(&"-".repeat(total));
            out.push('\n');
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_head_names_the_chosen_steps() {
        let head = build(&sample::results()).head;
        let expected = [
            "loss at 50",
            "loss at 100",
            "loss at 300",
            "loss at 1000",
            "loss at 3000",
            "accuracy %",
            "cost/step",
            "learned steps %",
        ];
        assert_eq!(head, expected);
    }

    #[test]
    fn the_best_is_marked_in_every_form_and_a_diverged_run_is_named() {
        let results = sample::results();
        let (text, markdown) = (table(&results), markdown(&results));
        let find = |text: &str, name: &str| {
            let line = text.lines().find(|l| l.contains(name));
            line.expect("has a row").to_owned()
        };
        assert!(find(&markdown, "| `lgl2o(l2o,sgd:1)`").contains("**0.00311 ± 0.000293**"));
        assert!(find(&text, "lgl2o(").contains("0.00311 ± 0.000293*"));
        let lost = find(&markdown, "`sgd:9`");
        assert_eq!(lost.matches("diverged").count(), 5, "four losses and the accuracy: {lost}");
        assert!(!lost.contains("**"));
        assert!(find(&markdown, "`sgd:1`").ends_with("| 3.0 | - |"));
        assert!(find(&markdown, "`lgl2o").ends_with("| 5.0 | 25.0 |"));
    }

    #[test]
    fn values_that_print_alike_are_tied() {
        let mut results = sample::results();
        for s in &mut results.summary {
            let close = if s.optimizer == "sgd:1" { 0.100_01 } else { 0.1 };
            s.test_loss_mean = s.test_loss_mean.map(|_| close);
        }
        let rows = build(&results).rows;
        let best: Vec<bool> = rows.iter().map(|r| r.cells[4].best).collect();
        assert_eq!(best, [true, false, true, true]);
    }

    #[test]
    fn terminal_columns_line_up() {
        let text = table(&sample::results());
        let rule = text.lines().find(|l| l.starts_with("---")).expect("has a rule");
        for line in text.lines().skip_while(|l| !l.starts_with("optimizer")) {
            assert!(line.chars().count() <= rule.len(), "{line}");
        }
    }

    #[test]
    fn pipes_and_backticks_do_not_break_the_markdown() {
        assert_eq!(code("a|b"), "`a\\|b`");
        assert_eq!(code("a`b"), "`` a`b ``");
        assert_eq!(code("lgl2o(l2o,sgd:1)"), "`lgl2o(l2o,sgd:1)`");
    }

    #[test]
    fn one_seed_has_no_spread() {
        let mut results = sample::results();
        results.runs.retain(|r| r.seed == 1);
        assert!(!build(&results).rows[0].cells[0].text.contains('±'));
        assert!(intro(&results, "bold")[1].contains("one seed"));
    }
}

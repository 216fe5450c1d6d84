//! The page: everything in one HTML file that opens from disk, with no script and nothing to fetch.

use super::Extras;
use super::number::{grouped, percent, significant};
use super::series::Series;
use super::table::{self, Cell, Table};
use super::text::escape;
use crate::record::{Point, Results, Run};

pub(super) const STYLE: &str = include_str!("page.css");

/// The rendered pictures.
pub(super) struct Pictures {
    /// Loss by training step.
    pub(super) by_step: String,
    /// Loss by cost.
    pub(super) by_cost: String,
    /// Who won the rounds.
    pub(super) verdicts: String,
    /// What each optimizer learned, for a task in the plane.
    pub(super) boundary: Option<String>,
}

/// The words of the page, with what they mean.
const WORDS: [(&str, &str); 7] = [
    ("learned optimizer", "an update rule whose own weights were trained beforehand, on tasks of some kind."),
    ("fallback", "the hand-designed rule that carries the guarantee, such as gradient descent."),
    ("guard", "what decides, round by round, whether the step of the learned optimizer or of the fallback is kept."),
    ("round", "both sides propose from the same parameters; fresh minibatches judge the proposals; one is kept."),
    (
        "verdict",
        "who won a round: the learned side, the fallback, or neither, which leaves the parameters as they were.",
    ),
    (
        "cost",
        "the work done, in forward passes of one minibatch. A gradient counts as 3, so plain gradient descent \
         costs 3 a step. The checks of a guard are included.",
    ),
    (
        "learned steps",
        "the share of the training steps that are the learned side's: those of its proposals that were kept; 100 % for a \
         learned optimizer without a guard. Rounds differ in length, so it is not the share of the rounds that it won. 0 % is no fault: the \
         guard kept the fallback's steps all along, since the learned side's were not better there.",
    ),
];

/// Renders the page.
pub(super) fn page(results: &Results, all: &[Series<'_>], extras: &Extras<'_>, pictures: &Pictures) -> String {
    let title = format!("Optimizers compared: {}", results.task);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{0}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
        escape(&title)
    );
    out.push_str(&introduction(results, all, extras));
    out.push_str(&result_table(&table::build(results), &table::intro(results, "Bold")));
    out.push_str(&all_figures(pictures));
    out.push_str(&words());
    out.push_str(&every_run(results));
    out.push_str(
        "<h2>Data</h2>\n<p>Everything on this page is drawn from \
         <a href=\"results.json\"><code>results.json</code></a> in the same folder: every run with its losses, \
         costs and verdicts. The table is also there as <a href=\"table.md\"><code>table.md</code></a>, and \
         every picture as an SVG file.</p>\n</main>\n</body>\n</html>\n",
    );
    out
}

fn introduction(results: &Results, all: &[Series<'_>], extras: &Extras<'_>) -> String {
    let mut out = format!(
        "<p class=\"lead\">{} · {} · {} parameters · batches of {}</p>\n",
        escape(&results.task),
        escape(&results.model),
        grouped(results.parameters as u64),
        results.batch
    );
    let found = findings(results, all);
    if !found.is_empty() {
        out.push_str(&format!("<p>{}</p>\n", found.join(" ")));
    }
    out.push_str(
        "<p>How to read this: each optimizer trained the same model from the same starting points, once per seed. \
         Lower loss is better. The first picture compares what a training step achieves, the second what the same \
         amount of computation achieves; a guarded optimizer pays for its checks only in the second. Differences \
         smaller than the spread over the seeds mean little.</p>\n",
    );
    if !extras.command.is_empty() {
        let command = escape(extras.command);
        out.push_str(&format!("<p>Produced by:</p>\n<pre><code>{command}</code></pre>\n"));
    }
    if !extras.notes.is_empty() {
        let items: String = extras.notes.iter().map(|n| format!("<li>{}</li>\n", escape(n))).collect();
        out.push_str(&format!("<ul>\n{items}</ul>\n"));
    }
    out
}

/// Sentences about the outcome, as HTML: the lowest loss, and who diverged.
fn findings(results: &Results, all: &[Series<'_>]) -> Vec<String> {
    let mut out = Vec::new();
    let last = results.summary.iter().map(|s| s.step).max().unwrap_or(0);
    let ends = results.summary.iter().filter(|s| s.step == last);
    let finite = ends.filter_map(|s| Some((s, s.test_loss_mean.filter(|m| m.is_finite())?)));
    if let Some((best, mean)) = finite.min_by(|a, b| a.1.total_cmp(&b.1)) {
        out.push(format!(
            "After {} steps the lowest mean held-out loss is {}, reached by <code>{}</code>.",
            grouped(last),
            significant(mean),
            escape(&best.optimizer)
        ));
    }
    for one in all.iter().filter(|s| s.diverged() > 0) {
        out.push(format!(
            "<code>{}</code> diverged for {} of {} seeds.",
            escape(one.name),
            one.diverged(),
            one.runs.len()
        ));
    }
    out
}

fn result_table(table: &Table, intro: &[String]) -> String {
    let head: String = table.head.iter().map(|t| format!("<th scope=\"col\">{}</th>", escape(t))).collect();
    let mut out = format!(
        "<h2>Results</h2>\n<div class=\"scroll\">\n<table>\n\
         <thead><tr><th scope=\"col\">optimizer</th>{head}</tr></thead>\n<tbody>\n"
    );
    for row in &table.rows {
        let cells: String = row.cells.iter().map(table_cell).collect();
        let name = breakable(&row.name);
        out.push_str(&format!("<tr><th scope=\"row\"><code>{name}</code></th>{cells}</tr>\n"));
    }
    out.push_str("</tbody>\n</table>\n</div>\n");
    let notes: String = intro[1..].iter().map(|p| format!("<p class=\"small\">{}</p>\n", escape(p))).collect();
    out.push_str(&notes);
    out
}

/// An escaped name that a narrow column may break where it reads well.
fn breakable(name: &str) -> String {
    escape(name).replace(',', ",<wbr/>").replace('(', "(<wbr/>")
}

fn table_cell(cell: &Cell) -> String {
    let text = escape(&cell.text);
    // The spread goes on a line of its own, so that more columns fit on a page.
    let text = match text.split_once(" ± ") {
        Some((mean, spread)) => format!("{mean} <span class=\"spread\">± {spread}</span>"),
        None => text,
    };
    match cell.text.as_str() {
        "diverged" => format!("<td class=\"bad\">{text}</td>"),
        _ if cell.best => format!("<td class=\"best\">{text}</td>"),
        _ => format!("<td>{text}</td>"),
    }
}

fn all_figures(pictures: &Pictures) -> String {
    let mut out = String::from("<h2>Pictures</h2>\n");
    out.push_str(&figure(
        &pictures.by_step,
        "Held-out loss after each number of training steps. Both axes are logarithmic; the loss before \
         the first step is not shown.",
    ));
    out.push_str(&figure(
        &pictures.by_cost,
        "The same losses against the computation spent. A line that ends further left was cheaper \
         for the same number of steps.",
    ));
    out.push_str(&figure(
        &pictures.verdicts,
        "Which side the guard kept, along the training. A band that turns from blue to orange is a \
         guard that stops trusting the learned optimizer.",
    ));
    if let Some(boundary) = &pictures.boundary {
        out.push_str(&figure(
            boundary,
            "The trained classifiers, one seed each. The better the line separates the two kinds of points, \
             the better the training went.",
        ));
    }
    out
}

/// A picture with its caption, which is HTML.
pub(super) fn figure(picture: &str, caption: &str) -> String {
    format!("<figure>\n<div class=\"scroll\">\n{picture}</div>\n<figcaption>{caption}</figcaption>\n</figure>\n")
}

fn words() -> String {
    let items: String = WORDS.iter().map(|(word, meaning)| format!("<dt>{word}</dt><dd>{meaning}</dd>\n")).collect();
    format!("<h2>Words</h2>\n<dl>\n{items}</dl>\n")
}

/// The last values of every run, folded away.
fn every_run(results: &Results) -> String {
    let mut out = String::from(
        "<h2>Every run</h2>\n<details>\n<summary>Final values of each seed</summary>\n\
         <div class=\"scroll\">\n<table>\n\
         <thead><tr><th scope=\"col\">optimizer</th>",
    );
    for title in ["seed", "steps", "cost", "training loss", "held-out loss", "accuracy %", "learned steps %"] {
        out.push_str(&format!("<th scope=\"col\">{title}</th>"));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
    for run in &results.runs {
        out.push_str(&run_row(run));
    }
    out.push_str("</tbody>\n</table>\n</div>\n</details>\n");
    out
}

fn run_row(run: &Run) -> String {
    let last = run.curve.last();
    let text = |value: Option<String>| Cell { text: value.unwrap_or_else(|| "-".to_owned()), best: false };
    let loss = |of: fn(&Point) -> Option<f64>| last.map(|p| of(p).map_or_else(|| "diverged".to_owned(), significant));
    let accuracy = last.and_then(|p| p.test_accuracy).map(percent);
    let plain = run.verdicts.is_empty() && run.learned_share == 0.0;
    let cells = [
        Some(run.seed.to_string()),
        last.map(|p| grouped(p.step)),
        last.map(|p| grouped(libm::round(p.cost) as u64)),
        loss(|p| p.train_loss),
        loss(|p| p.test_loss),
        accuracy,
        (!plain).then(|| percent(run.learned_steps_share)),
    ];
    let cells: String = cells.map(|c| table_cell(&text(c))).concat();
    let name = breakable(&run.optimizer);
    format!("<tr><th scope=\"row\"><code>{name}</code></th>{cells}</tr>\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{render, sample};

    fn rendered(results: &Results, extras: &Extras<'_>) -> String {
        let files = render(results, extras).expect("renders");
        let page = files.into_iter().find(|f| f.name == "report.html");
        page.expect("has a page").content
    }

    fn parse(page: &str) -> roxmltree::Document<'_> {
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        roxmltree::Document::parse_with_options(page, options).expect("well-formed")
    }

    #[test]
    fn the_page_is_well_formed_and_stands_alone() {
        let boundaries = sample::boundaries();
        let extras = Extras { boundaries: Some(&boundaries), ..Extras::default() };
        let page = rendered(&sample::results(), &extras);
        let doc = parse(&page);
        let count = |tag: &str| doc.descendants().filter(|e| e.tag_name().name() == tag).count();
        assert_eq!((count("figure"), count("table"), count("script"), count("img")), (4, 2, 0, 0));
        assert!(!page.contains("src=") && !page.contains("@import") && !page.contains("url("));
        let links = doc.descendants().filter_map(|e| e.attribute("href"));
        assert!(links.into_iter().all(|l| !l.contains(':')));
    }

    #[test]
    fn command_notes_and_names_are_shown_escaped() {
        let mut results = sample::results();
        results.runs[0].optimizer = "<b>&\"".to_owned();
        let notes = ["rates <tuned> & kept".to_owned()];
        let extras = Extras { command: "lgl2o compare --optimizers 'a<b'", boundaries: None, notes: &notes };
        let page = rendered(&results, &extras);
        parse(&page);
        assert!(page.contains("lgl2o compare --optimizers &#39;a&lt;b&#39;"));
        assert!(page.contains("rates &lt;tuned&gt; &amp; kept"));
        assert!(page.contains("&lt;b&gt;&amp;&quot;") && !page.contains("<b>"));
    }

    #[test]
    fn divergence_and_the_best_are_said_in_words() {
        let page = rendered(&sample::results(), &Extras::default());
        assert!(page.contains("<code>sgd:9</code> diverged for 1 of 2 seeds."));
        assert!(page.contains("<td class=\"best\">0.00311 <span class=\"spread\">± 0.000293</span></td>"));
        assert!(page.contains("reached by <code>lgl2o(l2o,sgd:1)</code>"));
        assert!(page.contains("<td class=\"bad\">diverged</td>"));
    }

    #[test]
    fn every_run_has_a_row() {
        let results = sample::results();
        let page = rendered(&results, &Extras::default());
        let (_, runs) = page.split_once("Every run").expect("has the part");
        assert_eq!(runs.matches("scope=\"row\"").count(), results.runs.len());
    }
}

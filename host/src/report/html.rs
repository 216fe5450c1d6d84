//! The page: everything in one HTML file that opens from disk, with nothing to fetch; a small script sorts its tables.

use super::Extras;
use super::headline;
use super::number::{grouped, percent, significant};
use super::series::Series;
use super::table::{self, Cell, Table};
use super::text::escape;
use crate::record::{Point, Results, Run};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The beginning of a page: all before what it says.
pub(super) fn head(title: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <title>{0}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{0}</h1>\n",
        escape(title)
    )
}

/// The end of a page.
pub(super) fn foot() -> String {
    format!("</main>\n<script>\n//<![CDATA[\n{SCRIPT}//]]>\n</script>\n</body>\n</html>\n")
}

/// The command that makes a page again.
pub(super) fn command(line: &str) -> String {
    let line = escape(line);
    format!("<h2>Make it again</h2>\n<pre><code>{line}</code></pre>\n")
}

/// The rendered pictures.
pub(super) struct Pictures {
    /// Loss by training step.
    pub(super) by_step: String,
    /// Loss by cost.
    pub(super) by_cost: String,
    /// Who won the rounds; or why that would show nothing, as a sentence.
    pub(super) verdicts: Result<String, String>,
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
    let mut out = head(&format!("Optimizers compared: {}", results.task));
    out.push_str(&introduction(results, all));
    out.push_str(&first_figure(pictures, all));
    out.push_str(&result_table(&table::build(results), &table::intro(results, "Bold")));
    out.push_str(&other_figures(pictures));
    out.push_str(&words());
    out.push_str(&every_run(results));
    if !extras.command.is_empty() {
        out.push_str(&command(extras.command));
    }
    if !extras.notes.is_empty() {
        let items: String = extras.notes.iter().map(|n| format!("<li>{}</li>\n", escape(n))).collect();
        out.push_str(&format!("<ul>\n{items}</ul>\n"));
    }
    out.push_str(
        "<h2>Data</h2>\n<p>Everything on this page is drawn from \
         <a href=\"results.json\"><code>results.json</code></a> in the same folder: every run with its losses, \
         costs and verdicts. The table is also there as <a href=\"table.md\"><code>table.md</code></a>, and \
         every picture as an SVG file.</p>\n",
    );
    out + &foot()
}

fn introduction(results: &Results, all: &[Series<'_>]) -> String {
    let mut out = format!(
        "<p class=\"lead\">{} · {} · {} parameters · batches of {}</p>\n",
        escape(&results.task),
        escape(&results.model),
        grouped(results.parameters as u64),
        results.batch
    );
    let found = headline::findings(results, all);
    if !found.is_empty() {
        out.push_str(&format!("<p class=\"headline\">{}</p>\n", found.join(" ")));
    }
    out.push_str(
        "<p>Each optimizer trained the same model from the same starting points, once per seed. Lower loss is better; \
         differences smaller than the spread over the seeds mean little.</p>\n",
    );
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

/// The picture that the page begins with.
fn first_figure(pictures: &Pictures, all: &[Series<'_>]) -> String {
    let mut caption =
        "Held-out loss after each number of training steps. Both axes are logarithmic; the loss before the \
                       first step is not shown. A guarded optimizer has the colour of its fallback; controls are grey."
            .to_owned();
    if let Some(said) = headline::of_curves(all) {
        caption.push_str(&format!(" {}", escape(&said)));
    }
    figure(&pictures.by_step, &caption)
}

fn other_figures(pictures: &Pictures) -> String {
    let mut out = String::from("<h2>More pictures</h2>\n");
    out.push_str(&figure(
        &pictures.by_cost,
        "The same losses against the computation spent, with the checks of the guards. A line that ends further left was \
         cheaper for the same number of steps.",
    ));
    out.push_str(&match &pictures.verdicts {
        Ok(picture) => figure(
            picture,
            "Which side the guard kept, along the training. A band that turns from blue to orange is a guard that stops \
             trusting the learned optimizer.",
        ),
        Err(why) => format!("<p>{}</p>\n", escape(why)),
    });
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
    format!(
        "<figure>\n<div class=\"scroll\">\n{picture}</div>\n<figcaption>{caption} <span class=\"narrow\">Tap the picture \
         to enlarge it.</span></figcaption>\n</figure>\n"
    )
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
        assert_eq!((count("figure"), count("table"), count("script"), count("img")), (4, 2, 1, 0));
        assert!(!page.contains("src=") && !page.contains("@import") && !page.contains("url("));
        let links = doc.descendants().filter_map(|e| e.attribute("href"));
        assert!(links.into_iter().all(|l| !l.contains(':')));
    }

    #[test]
    fn command_notes_and_names_are_shown_escaped() {
        let mut results = sample::results();
        results.runs[0].optimizer = "<i>&\"".to_owned();
        let notes = ["rates <tuned> & kept".to_owned()];
        let extras = Extras { command: "lgl2o compare --optimizers 'a<b'", boundaries: None, notes: &notes };
        let page = rendered(&results, &extras);
        parse(&page);
        assert!(page.contains("lgl2o compare --optimizers &#39;a&lt;b&#39;"));
        assert!(page.contains("rates &lt;tuned&gt; &amp; kept"));
        assert!(page.contains("&lt;i&gt;&amp;&quot;") && !page.contains("<i>"));
    }

    #[test]
    fn divergence_and_the_best_are_said_in_words() {
        let page = rendered(&sample::results(), &Extras::default());
        assert!(page.contains("<code>sgd:9</code> diverged for 1 of 2 seeds."));
        assert!(page.contains("<td class=\"best\">0.00311 <span class=\"spread\">± 0.000293</span></td>"));
        assert!(
            page.contains(
                "<code>lgl2o(l2o,sgd:1)</code> has a mean held-out loss of <b>0.00311</b>. No other is lower."
            )
        );
        assert!(page.contains("<td class=\"bad\">diverged</td>"));
    }

    #[test]
    fn the_picture_comes_before_the_table_and_the_command_last() {
        let page = rendered(&sample::results(), &Extras { command: "lgl2o compare", ..Extras::default() });
        let at = |part: &str| page.find(part).unwrap_or_else(|| panic!("{part}"));
        let places =
            ["class=\"headline\"", "<figure>", "<table>", "More pictures", "Make it again", "<script>"].map(at);
        assert!(places.is_sorted(), "{places:?}");
    }

    #[test]
    fn a_picture_that_would_show_nothing_is_left_out_with_a_sentence() {
        let mut results = sample::results();
        for run in &mut results.runs {
            run.verdicts.iter_mut().for_each(|one| one.winner = crate::record::Winner::Learned);
        }
        let page = rendered(&results, &Extras::default());
        assert_eq!(page.matches("<figure>").count(), 2);
        assert!(page.contains("<p>In every round of every guarded run the learned side won"));
        results.runs.iter_mut().for_each(|run| run.verdicts.clear());
        assert!(rendered(&results, &Extras::default()).contains("<p>No optimizer here has a guard"));
    }

    #[test]
    fn every_run_has_a_row() {
        let results = sample::results();
        let page = rendered(&results, &Extras::default());
        let (_, runs) = page.split_once("Every run").expect("has the part");
        assert_eq!(runs.matches("scope=\"row\"").count(), results.runs.len());
    }
}

//! What `lgl2o bench` measured, as a table and a page: who is how much slower than the first optimizer of the list.

use super::{Measurement, Time};
use crate::report::overview::{Overview, Section, Table};
use crate::report::{Dots, ReportError, Row, dots};

/// The optimizer that the headline is about; without it, the last of the list.
const PRODUCT: &str = "auto";

/// How the figures were made.
#[derive(Debug, Clone, Copy)]
pub struct Setting<'a> {
    /// Runs of each optimizer.
    pub rounds: u32,
    /// Training steps of a run.
    pub steps: u32,
    /// What S2 and S3 learn.
    pub images: &'a str,
    /// The command line that makes the figures again.
    pub command: &'a str,
}

/// One table of all networks, without pictures.
#[must_use]
pub fn markdown(all: &[Measurement], setting: Setting<'_>) -> String {
    let networks = networks(all);
    let rows = networks.iter().flat_map(|network| {
        let first = network.first().map_or(String::new(), name);
        network.iter().map(move |figure| [vec![first.clone()], row(figure, network)].concat())
    });
    let table = Table {
        caption: CAPTION.to_owned(),
        head: ["network"].iter().chain(&HEAD).map(|&title| title.to_owned()).collect(),
        rows: rows.collect(),
        words: false,
    };
    Overview { title: "step times".to_owned(), lead: vec![lead(setting)], table, ..Overview::default() }.markdown()
}

/// The page; with the picture of how times grow, if that was measured.
///
/// # Errors
/// [`ReportError::Picture`] if the picture cannot be drawn.
pub fn page(all: &[Measurement], setting: Setting<'_>, growth: Option<String>) -> Result<String, ReportError> {
    let baseline = all.first().map_or("", |figure| &figure.optimizer);
    let caption = format!(
        "Time of a training step, divided by that of {baseline} on the same network. What a guard spends on races and checks is \
         included."
    );
    let none = "One optimizer was timed, so there is no picture of one beside another.".to_owned();
    let section = |title: String, level| Section { title, level, ..Section::default() };
    let grown = |svg| {
        let caption = "Microseconds a step where one thing grows and the rest stays; all axes are logarithmic.";
        let pictures = vec![(svg, caption.to_owned())];
        Section { pictures, ..section("How the time of a step grows".to_owned(), 2) }
    };
    let results = Section { text: vec![CAPTION.to_owned()], ..section("Results".to_owned(), 2) };
    let tables = networks(all).into_iter().map(|network| {
        let rows = network.iter().map(|figure| row(figure, network)).collect();
        let table = Table { head: HEAD.map(str::to_owned).to_vec(), rows, ..Table::default() };
        Section { tables: vec![table], ..section(network.first().map_or(String::new(), name), 3) }
    });
    Ok(Overview {
        title: "lgl2o: step times".to_owned(),
        lead: vec![headline(all).unwrap_or(none), lead(setting)],
        picture: beside(all)?.map(|picture| (picture, caption)),
        sections: [results].into_iter().chain(tables).chain(growth.map(grown)).collect(),
        command: setting.command.to_owned(),
        ..Overview::default()
    }
    .html())
}

/// A network's name and shape.
fn name(figure: &Measurement) -> String {
    let shape = figure.model.split(',').next().unwrap_or_default();
    format!("{}: {shape}", figure.workload)
}

/// Networks in their order, each with its measurements.
fn networks(all: &[Measurement]) -> Vec<&[Measurement]> {
    all.chunk_by(|one, next| one.workload == next.workload).collect()
}

/// Times a step takes beside the first optimizer of its network.
fn ratio(figure: &Measurement, network: &[Measurement]) -> f64 {
    network.first().map_or(f64::NAN, |first| figure.step.median / first.step.median)
}

/// How the product did beside the first optimizer, from the best network to the worst.
fn headline(all: &[Measurement]) -> Option<String> {
    let networks = networks(all);
    let first = networks.first()?;
    let [baseline, _, ..] = first else { return None };
    let others = || first.iter().skip(1);
    let one = others().find(|figure| figure.optimizer == PRODUCT).or_else(|| others().next_back())?;
    let ratios = networks.iter().filter_map(|network| {
        let figure = network.iter().find(|figure| figure.optimizer == one.optimizer)?;
        Some((ratio(figure, network), figure.workload))
    });
    let mut ratios: Vec<(f64, &str)> = ratios.collect();
    ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
    let ((least, best), (most, worst)) = (*ratios.first()?, *ratios.last()?);
    let times = if ratios.len() == 1 {
        format!("**{most:.2} times** as long as one of `{}` on {worst}", baseline.optimizer)
    } else {
        format!(
            "**{least:.2} times** (on {best}) to **{most:.2} times** (on {worst}) as long as one of `{}`",
            baseline.optimizer
        )
    };
    Some(format!("A step of `{}` takes {times}.", one.optimizer))
}

fn lead(setting: Setting<'_>) -> String {
    format!(
        "Medians of {} runs of {} steps, on one thread, and in brackets the shortest and the longest; images: {}. Times depend on \
         the machine: compare ratios only.",
        setting.rounds, setting.steps, setting.images
    )
}

const HEAD: [&str; 5] = ["optimizer", "step, us", "ratio", "update alone, us", "learned steps %"];
const CAPTION: &str = "Microseconds on the processor for a training step, all included, and for an update alone; the ratio is to the \
    first optimizer.";

/// The cells of an optimizer.
fn row(figure: &Measurement, network: &[Measurement]) -> Vec<String> {
    let show = |time: &Time| format!("{:.1} ({:.1} to {:.1})", time.median, time.least, time.greatest);
    vec![
        format!("`{}`", figure.optimizer),
        show(&figure.step),
        format!("{:.2}", ratio(figure, network)),
        figure.update.as_ref().map_or("-".to_owned(), show),
        format!("{:.0}", 100.0 * figure.learned_steps_share),
    ]
}

/// A row for each network, a dot for each optimizer at its ratio; nothing if there is one optimizer only.
fn beside(all: &[Measurement]) -> Result<Option<String>, ReportError> {
    let networks = networks(all);
    let Some(first @ [baseline, _, ..]) = networks.first().copied() else { return Ok(None) };
    // Without the activation, for which there is no room.
    let short =
        |figure: &Measurement| name(figure).rsplit_once(' ').map_or(String::new(), |(short, _)| short.to_owned());
    let row = |network: &&[Measurement]| Row {
        name: network.first().map_or(String::new(), short),
        values: vec![network.iter().map(|figure| ratio(figure, network)).collect()],
    };
    let picture = Dots {
        subject: "Medians, on one thread".to_owned(),
        explanation: "A dot for each optimizer; further left is faster.".to_owned(),
        names: first.iter().map(|figure| figure.optimizer.clone()).collect(),
        titles: vec![format!("Time of a step, times that of {}", baseline.optimizer)],
        rows: networks.iter().map(row).collect(),
    };
    dots("Step times", &picture).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: Setting<'_> =
        Setting { rounds: 3, steps: 20, images: "prototypes", command: "lgl2o bench --networks 'S1,S2'" };

    fn figure(workload: &'static str, optimizer: &str, median: f64) -> Measurement {
        let step = Time { median, least: 0.9 * median, greatest: 1.1 * median };
        Measurement {
            workload,
            model: "2-3-2 tanh, softmax cross-entropy".to_owned(),
            parameters: 17,
            optimizer: optimizer.to_owned(),
            step,
            update: None,
            learned_steps_share: 0.5,
        }
    }

    #[test]
    fn the_page_names_what_the_product_costs_and_shows_it() {
        let all = [
            figure("S1", "sgd:1", 10.0),
            figure("S1", "auto", 12.5),
            figure("S1", "adam:1", 11.0),
            figure("S2", "sgd:1", 100.0),
            figure("S2", "auto", 108.0),
            figure("S2", "adam:1", 101.0),
        ];
        let html =
            page(&all, SETTING, Some("<svg xmlns=\"http://www.w3.org/2000/svg\"/>\n".to_owned())).expect("drawn");
        let options = roxmltree::ParsingOptions { allow_dtd: true, ..Default::default() };
        let doc = roxmltree::Document::parse_with_options(&html, options).expect("well-formed");
        assert_eq!(doc.descendants().filter(|e| e.tag_name().name() == "figure").count(), 2);
        for part in [
            "A step of <code>auto</code> takes <b>1.08 times</b> (on S2) to <b>1.25 times</b> (on S1) as long as one of <code>sgd:1</code>.",
            "S2: 2-3-2 tanh",
            "S2: 2-3-2\n</text>",
            "lgl2o bench --networks &#39;S1,S2&#39;",
            "10.0 (9.0 to 11.0)",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        assert!(
            markdown(&all, SETTING).contains("| S2: 2-3-2 tanh | `auto` | 108.0 (97.2 to 118.8) | 1.08 | - | 50 |")
        );
    }

    #[test]
    fn one_optimizer_has_no_picture_but_a_sentence() {
        let html = page(&[figure("S1", "auto", 12.5)], SETTING, None).expect("a page");
        assert!(!html.contains("<svg") && html.contains("One optimizer was timed"), "{html}");
        let two = [figure("S1", "sgd:1", 10.0), figure("S1", "lean", 12.0)];
        let html = page(&two, SETTING, None).expect("a page");
        assert!(html.contains(
            "A step of <code>lean</code> takes <b>1.20 times</b> as long as one of <code>sgd:1</code> on S1."
        ));
    }
}

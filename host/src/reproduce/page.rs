//! Writes findings down: a folder with `results.json` and pictures for each, one page and one table for all.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::claims::Claim;
use super::experiment::Planned;
use super::finding::Finding;
use super::outcome::Outcome;
use super::pictures::Picture;
use super::words;
use crate::files::write_atomically;
use crate::record::Summary;
use crate::report::number::{percent, significant};
use crate::report::overview::{Overview, Section, Table};

/// Checkpoints that the tables show, as far as a run goes; its last step is one more.
const COLUMNS: [u64; 9] = [25, 50, 100, 200, 300, 1000, 3000, 10_000, 30_000];

/// Writes everything into a directory; returns the path of the page.
///
/// # Errors
/// A picture that cannot be drawn, a file that cannot be written.
pub fn write(out: &Path, outcome: &Outcome<'_>) -> Result<PathBuf> {
    let mut overview = Overview {
        title: "lgl2o: the experiments reproduced".to_owned(),
        lead: words::lead(outcome),
        table: claim_table(outcome.claims),
        command: outcome.command.to_owned(),
        ..Overview::default()
    };
    for planned in outcome.experiments {
        let Planned { number, experiment, parts } = planned;
        overview.sections.push(Section {
            title: format!("{number}. {}", experiment.title),
            level: 2,
            text: vec![experiment.question.to_owned()],
            ..Section::default()
        });
        let own = outcome.findings.iter().filter(|finding| finding.experiment == *number);
        for (finding, part) in own.zip(parts) {
            let folder = format!("{}/{}", planned.folder(), finding.task);
            let pictures = (experiment.pictures)(finding)?;
            store(&out.join(&folder), finding, &pictures)?;
            let mut text = vec![words::task(finding, part)];
            text.extend((experiment.words)(finding));
            overview.sections.push(Section {
                title: finding.task.clone(),
                level: 3,
                text,
                tables: std::iter::once(loss_table(finding)).chain((experiment.tables)(finding)).collect(),
                pictures: pictures.into_iter().map(|picture| (picture.svg, picture.caption)).collect(),
                more: Some([format!("{folder}/results.json"), "Every run and every point".to_owned()]),
            });
        }
    }
    write_atomically(&out.join("report.md"), overview.markdown().as_bytes())?;
    let page = out.join("report.html");
    write_atomically(&page, overview.html().as_bytes())?;
    Ok(page)
}

fn store(dir: &Path, finding: &Finding, pictures: &[Picture]) -> Result<()> {
    std::fs::create_dir_all(dir)?;
    write_atomically(&dir.join("results.json"), (serde_json::to_string(&finding.results)? + "\n").as_bytes())?;
    pictures.iter().try_for_each(|picture| write_atomically(&dir.join(&picture.file), picture.svg.as_bytes()))
}

/// The claims, for the report and the terminal.
fn claim_table(claims: &[Claim]) -> Table {
    let row = |claim: &Claim| {
        let reached = match claim.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "-",
        };
        [&format!("{}. {}", claim.experiment, claim.claim), &claim.target, &claim.measured, reached]
            .map(|cell: &str| cell.to_owned())
            .to_vec()
    };
    Table {
        caption: "Claims, each with its experiment. Losses are means over the seeds on held-out data.".to_owned(),
        head: ["claim", "target", "measured", "reached?"].map(str::to_owned).to_vec(),
        rows: claims.iter().map(row).collect(),
        words: true,
    }
}

/// A loss with the rate that it belongs to, where each step has its own.
type Loss<'a> = Option<(&'a Summary, Option<&'a str>)>;
/// A name, its losses, and the last columns.
type Row<'a> = (String, Vec<Loss<'a>>, [String; 3]);

/// One row per baseline at its best rate for each checkpoint, then one per optimizer of the plan.
fn loss_table(finding: &Finding) -> Table {
    let steps: Vec<u64> = COLUMNS.into_iter().filter(|step| *step < finding.steps).chain([finding.steps]).collect();
    let summary = |name: &str, step| finding.results.summary.iter().find(|s| s.optimizer == name && s.step == step);
    let mut rows: Vec<Row<'_>> = Vec::new();
    for rule in finding.rules() {
        let cell = |&step: &u64| {
            let choice = finding.baseline(rule, step)?;
            Some((summary(&choice.name, step)?, choice.name.split_once(':').map(|(_, rate)| rate)))
        };
        let cells = steps.iter().map(cell).collect();
        let last = finding.baseline(rule, finding.steps).map_or("", |choice| &choice.name);
        rows.push((format!("{rule}, best rate for each step"), cells, last_columns(finding, last)));
    }
    for (_, name) in &finding.names {
        let cells = steps.iter().map(|&step| summary(name, step).map(|s| (s, None))).collect();
        rows.push((format!("`{name}`"), cells, last_columns(finding, name)));
    }
    let means = |i: usize| rows.iter().filter_map(move |(_, cells, _)| cells[i].and_then(|(s, _)| s.test_loss_mean));
    let best: Vec<Option<String>> =
        (0..steps.len()).map(|i| means(i).min_by(f64::total_cmp).map(significant)).collect();
    let row = |(name, cells, rest): &Row<'_>| {
        let losses = cells.iter().zip(&best).map(|(cell, best)| loss_cell(*cell, best.as_deref()));
        std::iter::once(name.clone()).chain(losses).chain(rest.iter().cloned()).collect()
    };
    let head = steps.iter().map(|step| format!("loss at {step}"));
    let rest = ["accuracy %", "cost/step", "learned steps %"].map(str::to_owned);
    let mut caption =
        "Held-out loss, mean ± standard deviation over the seeds; the lowest of each column is bold.".to_owned();
    if !finding.baselines.is_empty() {
        caption.push_str(" In parentheses: the rate, where it is another one for each step.");
    }
    Table {
        caption,
        head: std::iter::once("optimizer".to_owned()).chain(head).chain(rest).collect(),
        rows: rows.iter().map(row).collect(),
        words: false,
    }
}

fn loss_cell(cell: Loss<'_>, best: Option<&str>) -> String {
    let Some((summary, rate)) = cell else { return "-".to_owned() };
    let rate = rate.map_or_else(String::new, |rate| format!(" ({rate})"));
    let Some(mean) = summary.test_loss_mean else { return format!("diverged{rate}") };
    let mean = significant(mean);
    let text = match summary.test_loss_std {
        Some(std) if std > 0.0 => format!("{mean} ± {}{rate}", significant(std)),
        _ => format!("{mean}{rate}"),
    };
    if best == Some(&mean) { format!("**{text}**") } else { text }
}

/// Accuracy and cost per step at the end, and the share of the steps that are the learned side's.
fn last_columns(finding: &Finding, name: &str) -> [String; 3] {
    let last = finding.results.summary.iter().find(|s| s.optimizer == name && s.step == finding.steps);
    let accuracy = last.and_then(|s| s.test_accuracy_mean).map_or_else(|| "-".to_owned(), percent);
    let cost = last.map_or_else(|| "-".to_owned(), |s| format!("{:.1}", s.cost / s.step as f64));
    let learned = finding.learned_steps_share(name).map_or_else(|| "-".to_owned(), percent);
    [accuracy, cost, learned]
}

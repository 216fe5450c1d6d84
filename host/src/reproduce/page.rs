//! Writes findings down: a folder with `results.json` and pictures for each, one page and one table for all.

use std::path::{Path, PathBuf};

use anyhow::Result;

use super::claims::Claim;
use super::finding::Finding;
use super::plan::{DUELS, Experiment, FALLBACKS, LEARNED, Part, Scale, averaged};
use super::words;
use crate::files::write_atomically;
use crate::record::Summary;
use crate::report::number::{percent, significant};
use crate::report::overview::{Overview, Section, Table};
use crate::report::{self, HeatCell, HeatMap, heat_map};

/// Checkpoints that the tables show, as far as a run goes; its last step is one more.
const COLUMNS: [u64; 9] = [25, 50, 100, 200, 300, 1000, 3000, 10_000, 30_000];

/// What was run, and what came out of it.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<'a> {
    /// The experiments that were run.
    pub experiments: &'a [Experiment],
    /// What came out of each of their parts, in the same order.
    pub findings: &'a [Finding],
    /// What is claimed of them.
    pub claims: &'a [Claim],
    /// How much of everything.
    pub scale: &'a Scale,
    /// The command line, and what was left out and why.
    pub notes: &'a [String],
}

/// A picture with the name of its file and its caption.
struct Picture {
    file: String,
    svg: String,
    caption: String,
}

/// Writes everything into a directory; gives the path of the page.
///
/// # Errors
/// A picture that cannot be drawn, a file that cannot be written.
pub fn write(out: &Path, outcome: &Outcome<'_>) -> Result<PathBuf> {
    let mut overview = Overview {
        title: "lgl2o: the experiments reproduced".to_owned(),
        lead: words::lead(outcome),
        table: claim_table(outcome.claims),
        sections: Vec::new(),
    };
    for experiment in outcome.experiments {
        overview.sections.push(Section {
            title: format!("{}. {}", experiment.number, experiment.title),
            level: 2,
            text: vec![experiment.question.to_owned()],
            ..Section::default()
        });
        let own = outcome.findings.iter().filter(|finding| finding.experiment == experiment.number);
        for (finding, part) in own.zip(&experiment.parts) {
            let folder = format!("{}/{}", experiment.folder, finding.task);
            let pictures = pictures(finding)?;
            store(&out.join(&folder), finding, &pictures)?;
            overview.sections.push(section(finding, part, pictures, &folder));
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

fn section(finding: &Finding, part: &Part, pictures: Vec<Picture>, folder: &str) -> Section {
    let mut text = vec![words::task(finding, part)];
    text.extend(words::shows(finding));
    Section {
        title: finding.task.clone(),
        level: 3,
        text,
        tables: tables(finding),
        pictures: pictures.into_iter().map(|picture| (picture.svg, picture.caption)).collect(),
        more: Some([format!("{folder}/results.json"), "Every run and every point".to_owned()]),
    }
}

/// The losses, and what becomes of a changed guard.
fn tables(finding: &Finding) -> Vec<Table> {
    let changed = if finding.experiment == 8 { words::ablation_table(finding) } else { None };
    std::iter::once(loss_table(finding)).chain(changed).collect()
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
    if !finding.choices.is_empty() {
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
    let learned = words::learned_steps_share(finding, name).map_or_else(|| "-".to_owned(), percent);
    [accuracy, cost, learned]
}

fn pictures(finding: &Finding) -> Result<Vec<Picture>> {
    match finding.experiment {
        6 => {
            let all: Result<Vec<Vec<Picture>>> =
                DUELS.iter().map(|fallback| duel_pictures(finding, fallback)).collect();
            Ok(all?.into_iter().flatten().collect())
        }
        7 => Ok(vec![pair_picture(finding)?]),
        _ => curves(finding, |_| true, ""),
    }
}

/// Loss by step and by cost, and verdicts; `suffix` tells the files of several selections apart.
fn curves(finding: &Finding, shown: impl Fn(&str) -> bool, suffix: &str) -> Result<Vec<Picture>> {
    let drawn = report::pictures(&finding.shown(shown))?;
    let all = [
        ("loss-by-step", Some(drawn.by_step), "Held-out loss by training step; both axes are logarithmic."),
        ("loss-by-cost", Some(drawn.by_cost), "The same losses by cost: what the guard's checks add counts here."),
        ("verdicts", drawn.verdicts, "Which side the guard kept, along the training."),
    ];
    let picture = |(name, svg, caption): (&str, Option<String>, &str)| {
        Some(Picture { file: format!("{name}{suffix}.svg"), svg: svg?, caption: caption.to_owned() })
    };
    Ok(all.into_iter().filter_map(picture).collect())
}

/// The two sides alone and every guard with one fallback.
fn duel_pictures(finding: &Finding, fallback: &str) -> Result<Vec<Picture>> {
    let shown = |name: &str| {
        let inside = [format!("l2o,{fallback})"), format!("l2o,{fallback},")];
        ["l2o", "avg-l2o", fallback].contains(&name) || inside.iter().any(|part| name.contains(part.as_str()))
    };
    let mut all = curves(finding, shown, &format!("-{fallback}"))?;
    // A band of verdicts for each of eight guards says less than the column of shares in the table.
    all.truncate(2);
    Ok(all)
}

/// Final loss and share of learned steps of every pair.
fn pair_picture(finding: &Finding) -> Result<Picture> {
    let learned: Vec<&str> = LEARNED.into_iter().filter(|name| finding.name(&averaged(name)).is_some()).collect();
    let end = |expression: &str| finding.mean_of(expression, finding.steps);
    let alone = |name: &str| {
        let loss = end(name).map_or_else(|| "diverges".to_owned(), significant);
        [name.to_owned(), format!("alone: {loss}")]
    };
    let cell = |learned: &str, fallback: &str| {
        let pair = format!("lgl2o({},{fallback})", averaged(learned));
        let Some(name) = finding.name(&pair) else { return HeatCell::default() };
        let (loss, fallback) = (end(&pair), end(fallback));
        let share = words::learned_steps_share(finding, name).unwrap_or(0.0);
        HeatCell {
            ratio: Some(loss.zip(fallback).map_or(f64::INFINITY, |(loss, fallback)| loss / fallback)),
            lines: vec![
                loss.map_or_else(|| "diverged".to_owned(), significant),
                format!("{} % learned steps", percent(share)),
            ],
        }
    };
    let map = HeatMap {
        rows: learned.iter().map(|name| alone(&averaged(name))).collect(),
        columns: FALLBACKS.iter().map(|name| alone(name)).collect(),
        cells: learned.iter().map(|l| FALLBACKS.iter().map(|f| cell(l, f)).collect()).collect(),
    };
    let title = format!("Every pair: held-out loss after {} steps", finding.steps);
    Ok(Picture {
        file: "pairs.svg".to_owned(),
        svg: heat_map(&title, &finding.results, &map)?,
        caption:
            "Guarded pairs: the loss at the end, coloured by its ratio to the fallback's alone; below it the share \
                  of the steps that are the learned side's."
                .to_owned(),
    })
}

//! What is said about a training or a model: tables for the terminal, `metrics.json`, pictures, one page.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use super::pictures;
use super::score::{Class, Metrics};
use crate::files::write_atomically;
use crate::report::number::{percent, significant};
use crate::report::overview::{Overview, Section, Table};
use crate::say::in_a_line;

pub use super::findings::{Findings, VERSION};

/// Classes whose whole matrix is printed.
const PRINTED: usize = 16;
/// The files of a training, beside the model and the checkpoint.
pub const FILES: [&str; 6] =
    ["metrics.json", "loss.svg", "confusion.svg", "calibration.svg", "values.svg", "report.html"];

/// A share in percent, or a dash.
fn share(share: Option<f32>) -> String {
    share.map_or_else(|| "-".to_owned(), |share| percent(share.into()))
}

fn value(value: Option<f32>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| significant(value.into()))
}

/// One line for each part of the rows.
#[must_use]
pub fn summary(parts: &[(String, Metrics)]) -> Table {
    let row = |(name, metrics): &(String, Metrics)| match metrics {
        Metrics::Classes { rows, accuracy, balanced_accuracy, .. } => {
            vec![name.clone(), rows.to_string(), share(*accuracy), share(*balanced_accuracy)]
        }
        Metrics::Values { rows, mean_absolute_error, root_mean_squared_error, r2, .. } => {
            let r2 = r2.map_or_else(|| "-".to_owned(), |r2| format!("{r2:.3}"));
            vec![name.clone(), rows.to_string(), value(*mean_absolute_error), value(*root_mean_squared_error), r2]
        }
    };
    let head: &[&str] = match parts.first() {
        Some((_, Metrics::Values { .. })) => {
            &["rows", "number", "mean absolute error", "root mean squared error", "R2"]
        }
        _ => &["rows", "number", "accuracy %", "balanced accuracy %"],
    };
    let head = head.iter().map(|&title| title.to_owned()).collect();
    Table { caption: String::new(), head, rows: parts.iter().map(row).collect(), words: false }
}

/// Recall and precision of each class, and what it is predicted as; no rows for values.
#[must_use]
pub fn classes(metrics: &Metrics) -> Table {
    let Metrics::Classes { classes, .. } = metrics else { return Table::default() };
    let is_whole = classes.len() <= PRINTED;
    let mut head: Vec<String> = ["class", "rows", "recall %", "precision %"].map(str::to_owned).to_vec();
    if is_whole {
        head.extend(classes.iter().map(|class| format!("as {}", in_a_line(&class.name))));
    }
    let row = |class: &Class| {
        let mut cells =
            vec![in_a_line(&class.name), class.rows.to_string(), share(class.recall), share(class.precision)];
        if is_whole {
            cells.extend(class.predicted.iter().map(u32::to_string));
        }
        cells
    };
    Table { caption: String::new(), head, rows: classes.iter().map(row).collect(), words: false }
}

/// What is printed.
#[must_use]
pub fn text(parts: &[(String, Metrics)]) -> String {
    let last = parts.last().map_or(String::new(), |(name, metrics)| {
        let table = Table { caption: format!("Rows {name}:"), ..classes(metrics) };
        table.markdown()
    });
    format!("{}{last}", summary(parts).markdown()).trim_end().to_owned()
}

/// Writes everything into a directory; returns the path of the page.
///
/// # Errors
/// A picture that cannot be drawn, a file that cannot be written.
pub fn write(out: &Path, findings: &Findings) -> Result<PathBuf> {
    write_atomically(&out.join("metrics.json"), (serde_json::to_string_pretty(findings)? + "\n").as_bytes())?;
    let mut pictures = Vec::new();
    for (file, picture, caption) in pictures::all(findings) {
        let path = out.join(file);
        if let Some(picture) = picture.transpose()? {
            write_atomically(&path, picture.as_bytes())?;
            pictures.push((picture, caption.to_owned()));
        } else if path.is_file() {
            // Of an earlier training in this folder.
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    let page = out.join("report.html");
    write_atomically(&page, overview(findings, pictures).html().as_bytes())?;
    Ok(page)
}

/// What the shares of the rounds say that the learned side won, and that nobody did.
fn who_won(learned: f32, neither: f32) -> String {
    let fallback = (1.0 - f64::from(learned) - f64::from(neither)).max(0.0);
    if learned > 0.0 {
        return format!(
            "Two optimizers took part, and the guard kept what was better: the learned one won {} % of the rounds, the \
             fallback {} %. In the others nothing better was found, or nothing was compared yet.",
            percent(learned.into()),
            percent(fallback)
        );
    }
    if fallback > 1e-6 {
        return "The guard kept steps of the fallback optimizer alone, since those of the learned one were not better here. That \
                is no fault: it is what the guard is for."
            .to_owned();
    }
    "The guard found no step better than the parameters at the start.".to_owned()
}

/// Last loss over lowest loss from which the network is said to be overfitted.
const OVERFITTED: f32 = 1.5;

/// What is to be said where the loss on rows that were not trained on has risen again.
#[must_use]
pub fn overfitted(findings: &Findings) -> Option<String> {
    let tested: Vec<(u64, f32)> = findings
        .curve
        .iter()
        .filter(|point| point.step > 0)
        .filter_map(|point| Some((point.step, point.test?)))
        .collect();
    let (step, lowest) = tested.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let (_, last) = *tested.last()?;
    if last <= OVERFITTED * lowest {
        return None;
    }
    let is_checked = findings.parts.iter().any(|(name, _)| name == "checked on");
    Some(format!(
        "On the rows tested on, the loss was lowest at step {step}, {}, and is {} now: the network overfits its training \
         rows. {}",
        significant(lowest.into()),
        significant(last.into()),
        if is_checked {
            format!("Try more rows, or fewer steps (`--steps {step}`).")
        } else {
            format!(
                "Try `--check-on 0.2`, which keeps what is best on rows held out, or fewer steps (`--steps {step}`)."
            )
        }
    ))
}

/// How good the model is on the rows that say most, beside a guess that needs no model.
fn headline(parts: &[(String, Metrics)]) -> Option<String> {
    let (name, metrics) = parts.last()?;
    match metrics {
        Metrics::Classes { rows, accuracy, classes, .. } => {
            let most = classes.iter().map(|class| class.rows).max()?;
            let guess = percent(most as f64 / (*rows).max(1) as f64);
            Some(format!(
                "**{} %** of the {rows} rows {name} are predicted correctly. Always predicting the most frequent class would be \
                 correct for {guess} %.",
                percent(f64::from((*accuracy)?))
            ))
        }
        Metrics::Values { rows, root_mean_squared_error, r2, .. } => {
            let (error, r2) = (f64::from((*root_mean_squared_error)?), f64::from((*r2)?));
            let guess = (r2 < 1.0).then(|| error / libm::sqrt(1.0 - r2));
            let guess = guess.map(|guess| format!(" Always predicting the mean would give {}.", significant(guess)));
            Some(format!(
                "The root mean squared error on the {rows} rows {name} is **{}**.{}",
                significant(error),
                guess.unwrap_or_default()
            ))
        }
    }
}

/// Which pictures are left out, and why.
fn left_out(findings: &Findings) -> Vec<String> {
    let mut all = Vec::new();
    if findings.curve.iter().filter(|point| point.step > 0).count() < 2 {
        all.push("The losses were measured only once, so there is no picture of their course.".to_owned());
    }
    if let Some((_, Metrics::Classes { calibration, .. })) = findings.parts.last()
        && let [one] = calibration.as_slice()
    {
        all.push(format!(
            "All predictions are about equally sure ({} %), so there is no picture of how sure they are.",
            percent(one.probability.into())
        ));
    }
    all
}

fn overview(findings: &Findings, pictures: Vec<(String, String)>) -> Overview {
    let mut pictures = pictures.into_iter();
    let first = pictures.next();
    let section = |title: &str| Section { title: title.to_owned(), level: 2, ..Section::default() };
    let lead = format!(
        "{}: a network {} with {} parameters, trained for {} steps. {}",
        findings.data,
        findings.model,
        findings.parameters,
        findings.steps,
        who_won(findings.learned_share, findings.neither_share)
    );
    let classes = findings.parts.last().map(|(_, metrics)| classes(metrics)).unwrap_or_default();
    let (pictures, text): (Vec<_>, _) = (pictures.collect(), left_out(findings));
    let is_empty = pictures.is_empty() && text.is_empty();
    let more = (!is_empty).then(|| Section { pictures, text, ..section("More pictures") });
    let title = if classes.rows.is_empty() { "More" } else { "Class by class" };
    Overview {
        title: "lgl2o: a trained network".to_owned(),
        lead: headline(&findings.parts).into_iter().chain(overfitted(findings)).chain([lead]).collect(),
        picture: first,
        table: summary(&findings.parts),
        sections: more
            .into_iter()
            .chain([Section {
                tables: vec![classes],
                more: Some(["metrics.json", "All numbers"].map(str::to_owned)),
                ..section(title)
            }])
            .collect(),
        command: findings.command.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::Point;
    use super::*;

    #[test]
    fn the_headline_has_a_guess_beside_it() {
        let class = |rows| Class { name: String::new(), rows, recall: None, precision: None, predicted: Vec::new() };
        let classes = Metrics::Classes {
            rows: 40,
            accuracy: Some(0.9),
            balanced_accuracy: None,
            expected_calibration_error: None,
            calibration: Vec::new(),
            classes: vec![class(30), class(10)],
        };
        let said = headline(&[("tested on".to_owned(), classes)]).unwrap();
        assert!(said.contains("**90.0 %** of the 40 rows tested on") && said.contains("75.0 %"), "{said}");
        let values = Metrics::Values {
            rows: 9,
            mean_absolute_error: None,
            root_mean_squared_error: Some(0.5),
            r2: Some(0.75),
            pairs: Vec::new(),
        };
        let said = headline(&[("tested on".to_owned(), values)]).unwrap();
        assert!(said.contains("is **0.500**") && said.contains("would give 1.00."), "{said}");
        assert_eq!(headline(&[]), None);
    }

    #[test]
    fn a_fallback_that_held_the_run_is_no_fault() {
        assert!(who_won(0.0, 0.5).contains("no fault") && !who_won(0.0, 0.5).contains('%'));
        let both = who_won(0.25, 0.5);
        assert!(both.contains("won 25.0 % of the rounds") && both.contains("fallback 25.0 %"), "{both}");
        assert!(who_won(0.0, 1.0).contains("no step better"));
    }

    #[test]
    fn a_loss_that_has_risen_again_is_told() {
        let point = |step, test| Point { step, train: Some(0.1), check: None, test: Some(test) };
        let findings = |last| Findings {
            version: VERSION,
            command: String::new(),
            data: "t.csv".to_owned(),
            model: "2-2".to_owned(),
            parameters: 6,
            steps: 2000,
            learned_share: 0.1,
            neither_share: 0.1,
            parts: Vec::new(),
            curve: vec![point(0, 0.01), point(40, 0.2), point(2000, last)],
        };
        let said = overfitted(&findings(0.4)).unwrap();
        assert!(
            said.contains("lowest at step 40, 0.200, and is 0.400 now") && said.contains("--check-on 0.2"),
            "{said}"
        );
        assert_eq!(overfitted(&findings(0.29)), None);
    }
}

//! The pictures of a survey's report.

use super::record::{FlatPoint, FlatRecord, OptimizerRecord, Survey};
use super::words::middle;
use crate::report::{Dots, Growth, Plot, Profiles, ReportError, Row, dots, growth, profiles};

/// A picture with the name of its file and its caption.
pub(super) struct Picture {
    pub(super) file: &'static str,
    pub(super) svg: String,
    pub(super) caption: String,
}

/// Draws them.
pub(super) fn pictures(survey: &Survey) -> Result<Vec<Picture>, ReportError> {
    let mut all = vec![
        Picture {
            file: "profile.svg",
            svg: profile(survey)?,
            caption:
                "Performance profile: on what share of the tasks an optimizer is within a factor of the best of 15 \
                      settings tuned for the task. Left of 1 it is better than that."
                    .to_owned(),
        },
        Picture {
            file: "groups.svg",
            svg: groups(survey)?,
            caption:
                "Geometric mean of the factor on parts of the tasks. A rule that knows one kind of task has dots far \
                      apart."
                    .to_owned(),
        },
    ];
    if let Some(flat) = &survey.flat {
        let caption = format!(
            "Loss against the rate of SGD, geometric mean over the tasks, one seed. Alone it is a U; the flatter the \
             guarded line, the less the rate matters. Failed runs, from the smallest rate to the largest: alone {}, \
             guarded {}.",
            failed(&flat.alone),
            failed(&flat.guarded)
        );
        all.push(Picture { file: "flat.svg", svg: flat_line(survey, flat)?, caption });
    }
    Ok(all)
}

fn names(survey: &Survey) -> Vec<String> {
    survey.optimizers.iter().map(|one| one.name.clone()).collect()
}

fn subject(survey: &Survey) -> String {
    format!("{} tasks after {} steps", survey.tasks.len(), middle(survey))
}

fn profile(survey: &Survey) -> Result<String, ReportError> {
    let place = survey.steps.len() / 2;
    let lines = |of: fn(&super::record::OnTask) -> &Vec<f64>| -> Vec<Vec<f64>> {
        let line = |one: &OptimizerRecord| one.tasks.iter().filter_map(|task| of(task).get(place).copied()).collect();
        survey.optimizers.iter().map(line).collect()
    };
    let plots = vec![
        ("Training loss, factor to the oracle".to_owned(), lines(|task| &task.train_factors)),
        ("Held-out loss, factor to the oracle".to_owned(), lines(|task| &task.held_out_factors)),
    ];
    let explanation = "Share of the tasks on which the factor is at most x: further up and left is better.".to_owned();
    profiles("Performance profile", &Profiles { subject: subject(survey), explanation, names: names(survey), plots })
}

fn groups(survey: &Survey) -> Result<String, ReportError> {
    let first = survey.optimizers.first().map_or(&[][..], |one| &one.groups);
    let mut rows: Vec<Row> = Vec::new();
    let mut by = "";
    for (i, group) in first.iter().enumerate() {
        // What does not differ shows nothing.
        if first.iter().filter(|other| other.by == group.by).count() < 2 {
            continue;
        }
        if group.by != by {
            by = &group.by;
            rows.push(Row { name: by.to_owned(), values: Vec::new() });
        }
        let values =
            |of: fn(&super::record::Group) -> f64| survey.optimizers.iter().map(|one| of(&one.groups[i])).collect();
        let values = vec![values(|group| group.train), values(|group| group.held_out)];
        rows.push(Row { name: format!("{} ({})", group.name, group.tasks), values });
    }
    let all = Dots {
        subject: subject(survey),
        explanation: "Geometric mean of the factor to the oracle; the number of tasks in parentheses. Left is better."
            .to_owned(),
        names: names(survey),
        titles: ["Training loss", "Held-out loss"].map(|loss| format!("{loss}, factor to the oracle")).to_vec(),
        rows,
    };
    dots("Factor by activation, batch and data set", &all)
}

fn flat_line(survey: &Survey, flat: &FlatRecord) -> Result<String, ReportError> {
    let plot = |title: &str, of: fn(&FlatPoint) -> f64| Plot {
        title: title.to_owned(),
        sizes: flat.rates.clone(),
        costs: [&flat.alone, &flat.guarded].map(|line| line.iter().map(of).collect()).to_vec(),
    };
    let all = Growth {
        subject: format!("{} tasks after {} steps", survey.tasks.len(), survey.steps.last().copied().unwrap_or(0)),
        explanation: "Geometric mean over the tasks; a run that diverged counts as 1000. Both axes logarithmic."
            .to_owned(),
        names: vec!["sgd alone".to_owned(), format!("lgl2o({},sgd)", flat.learned)],
        plots: vec![
            plot("Rate of SGD; training loss", |point| point.train),
            plot("Rate of SGD; held-out loss", |point| point.held_out),
        ],
    };
    growth("How much the fallback's rate matters", "Loss", &all)
}

fn failed(points: &[FlatPoint]) -> String {
    points.iter().map(|point| point.failed.to_string()).collect::<Vec<_>>().join(" ")
}

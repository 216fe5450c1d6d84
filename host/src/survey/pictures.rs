//! The pictures of a survey's report.

use super::flat::bounded_mean;
use super::record::{FlatPoint, FlatRecord, Group, OptimizerRecord, RatedRule, Survey};
use super::words::middle;
use crate::report::headline::coincidences;
use crate::report::{Dots, Growth, Plot, Profiles, ReportError, Row, dots, growth, profiles};

/// A picture with the name of its file and its caption.
pub(super) struct Picture {
    pub(super) file: &'static str,
    pub(super) svg: String,
    pub(super) caption: String,
}

/// The files of all pictures that there can be.
pub(super) const FILES: [&str; 3] = ["profile.svg", "groups.svg", "flat.svg"];

/// Draws those that show something.
pub(super) fn pictures(survey: &Survey) -> Result<Vec<Picture>, ReportError> {
    let mut all = Vec::new();
    if survey.tasks.len() > 1 {
        let caption = format!(
            "Performance profile: on what share of the tasks an optimizer is within a factor of the best of {} settings tuned for the \
             task. Left of 1 the optimizer is better than those settings. A guarded optimizer has the colour of its fallback; controls are grey.",
            survey.oracle.len()
        );
        let (svg, coincide) = profile(survey)?;
        let caption = std::iter::once(caption).chain(coincide).collect::<Vec<_>>().join(" ");
        all.push(Picture { file: "profile.svg", svg, caption });
    }
    if parts(survey).next().is_some() {
        let caption = "Geometric mean of the factor on parts of the tasks. A rule that knows one kind of task has dots far apart.";
        all.push(Picture { file: "groups.svg", svg: groups(survey)?, caption: caption.to_owned() });
    }
    if let Some(flat) = &survey.flat {
        let caption = format!(
            "Loss at the end against the learning rate, geometric mean over the tasks, one seed. A rule alone needs the right rate: \
             its line is a U. {}SGD as the fallback of a guard takes over only where the learned optimizer is worse: the \
             flatter that line, the less the rate matters. Failed runs of SGD, from the smallest rate to the largest: alone {}, \
             guarded {}.",
            if without_rate(survey).is_some() { "The optimizer auto has no rate: its line is level. " } else { "" },
            failed(&flat.alone),
            failed(&flat.guarded)
        );
        all.push(Picture { file: "flat.svg", svg: flat_line(survey, flat)?, caption });
    }
    Ok(all)
}

/// Which pictures are left out, and why.
pub(super) fn left_out(survey: &Survey) -> Vec<String> {
    let mut all = Vec::new();
    if survey.tasks.len() < 2 {
        all.push("There is one task, so there is no picture of shares of the tasks.".to_owned());
    }
    if parts(survey).next().is_none() {
        all.push("The tasks are all of one kind, so there is no picture of kinds of tasks.".to_owned());
    }
    all
}

/// The parts of the tasks that differ in something, by their place among the groups.
fn parts(survey: &Survey) -> impl Iterator<Item = (usize, &Group)> {
    let groups = survey.optimizers.first().map_or(&[][..], |one| &one.groups);
    // What does not differ shows nothing.
    groups.iter().enumerate().filter(move |(_, one)| groups.iter().filter(|other| other.by == one.by).count() > 1)
}

fn names(survey: &Survey) -> Vec<String> {
    survey.optimizers.iter().map(|one| one.name.clone()).collect()
}

fn subject(survey: &Survey) -> String {
    format!("{} tasks after {} steps", survey.tasks.len(), middle(survey))
}

/// The picture, and which of its lines coincide.
fn profile(survey: &Survey) -> Result<(String, Option<String>), ReportError> {
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
    let both = |i: usize| plots.iter().flat_map(|(_, lines)| lines[i].iter().copied()).collect();
    let lines: Vec<(String, Vec<f64>)> =
        names(survey).into_iter().enumerate().map(|(i, name)| (name, both(i))).collect();
    let coincide = coincidences(&lines);
    let all = Profiles { subject: subject(survey), explanation, names: names(survey), plots };
    Ok((profiles("Performance profile", &all)?, coincide))
}

fn groups(survey: &Survey) -> Result<String, ReportError> {
    let mut rows: Vec<Row> = Vec::new();
    let mut by = "";
    for (i, group) in parts(survey) {
        if group.by != by {
            by = &group.by;
            rows.push(Row { name: by.to_owned(), values: Vec::new() });
        }
        let values = |of: fn(&Group) -> f64| survey.optimizers.iter().map(|one| of(&one.groups[i])).collect();
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

/// `auto`, if it was surveyed: the mean of its losses after the last step, over the tasks and all seeds.
fn without_rate(survey: &Survey) -> Option<FlatPoint> {
    let auto = survey.optimizers.iter().find(|one| one.name == "auto")?;
    let last: Vec<_> = auto.tasks.iter().map(|task| task.by_step.last().copied().unwrap_or_default()).collect();
    Some(FlatPoint {
        train: bounded_mean(last.iter().map(|loss| loss.train), survey.floor),
        held_out: bounded_mean(last.iter().map(|loss| loss.held_out), survey.floor),
        failed: auto.failed,
    })
}

/// Every rate of a rule, rising.
fn all_rates(flat: &FlatRecord) -> Vec<f64> {
    let mut all: Vec<f64> = flat.others.iter().flat_map(|rule| &rule.rates).chain(&flat.rates).copied().collect();
    all.sort_by(f64::total_cmp);
    all.dedup();
    all
}

fn flat_line(survey: &Survey, flat: &FlatRecord) -> Result<String, ReportError> {
    let (rates, auto) = (all_rates(flat), without_rate(survey));
    // Where a rule was not run there is no point, which a loss of 0 stands for.
    let along = |own: &[f64], losses: &[f64]| -> Vec<f64> {
        let at = |rate: &f64| own.iter().position(|other| other == rate).and_then(|i| losses.get(i)).copied();
        rates.iter().map(|rate| at(rate).unwrap_or(0.0)).collect()
    };
    let plot = |title: &str, of: fn(&FlatPoint) -> f64, of_rule: fn(&RatedRule) -> &[f64]| {
        let line = |points: &[FlatPoint]| along(&flat.rates, &points.iter().map(of).collect::<Vec<_>>());
        let level = auto.iter().map(|point| vec![of(point); rates.len()]);
        let others = flat.others.iter().map(|rule| along(&rule.rates, of_rule(rule)));
        let costs = level.chain([line(&flat.guarded), line(&flat.alone)]).chain(others).collect();
        Plot { title: title.to_owned(), sizes: rates.clone(), costs }
    };
    let mut names: Vec<String> = auto.iter().map(|_| "no rate: auto".to_owned()).collect();
    names.push(format!("SGD as the fallback of a guard: relay({},sgd)", flat.learned));
    names.push("alone: sgd".to_owned());
    names.extend(flat.others.iter().map(|rule| format!("alone: {}", rule.name)));
    let all = Growth {
        subject: format!("{} tasks after {} steps", survey.tasks.len(), survey.steps.last().copied().unwrap_or(0)),
        explanation: "Geometric mean over the tasks; a run that diverged counts as 1000. Both axes logarithmic."
            .to_owned(),
        names,
        plots: vec![
            plot("Learning rate; training loss", |point| point.train, |rule| &rule.train),
            plot("Learning rate; held-out loss", |point| point.held_out, |rule| &rule.held_out),
        ],
    };
    growth("How much the learning rate matters", "Loss", &all)
}

fn failed(points: &[FlatPoint]) -> String {
    points.iter().map(|point| point.failed.to_string()).collect::<Vec<_>>().join(" ")
}

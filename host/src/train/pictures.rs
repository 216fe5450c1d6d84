//! The pictures of a training.

use anyhow::Result;

use super::findings::Findings;
use super::kept::Point;
use super::score::{Metrics, Sure};
use crate::report::number::percent;
use crate::report::{Bin, Growth, Matrix, Plot, calibration, confusion, growth, scatter};
use crate::say::in_a_line;

/// One of the losses at a point.
type LossOf = fn(&Point) -> Option<f32>;

/// A picture: its file, the picture where it shows something, its caption.
type Picture = (&'static str, Option<Result<String>>, &'static str);

/// All pictures that there can be.
pub(super) fn all(findings: &Findings) -> [Picture; 4] {
    let of = |draw: fn(&Findings, &str, &Metrics) -> Option<Result<String>>| {
        findings.parts.last().and_then(|(name, metrics)| draw(findings, name, metrics))
    };
    [
        ("loss.svg", curve(findings), "Mean losses along the training."),
        ("confusion.svg", of(picture), "What is predicted as what."),
        ("calibration.svg", of(reliance), "How sure the network is, and how often it is right."),
        (
            "values.svg",
            of(values),
            "Predicted values against true ones. The closer the dots lie to the line, the better.",
        ),
    ]
}

/// Losses along the training, where there are two points at least.
fn curve(findings: &Findings) -> Option<Result<String>> {
    let points: Vec<&Point> = findings.curve.iter().filter(|point| point.step > 0).collect();
    if points.len() < 2 {
        return None;
    }
    let lines: [(&str, LossOf); 3] =
        [("trained on", |p| p.train), ("checked on", |p| p.check), ("tested on", |p| p.test)];
    let costs = |of: LossOf| -> Vec<f64> { points.iter().map(|point| of(point).map_or(0.0, f64::from)).collect() };
    let shown: Vec<(&str, Vec<f64>)> =
        lines.into_iter().map(|(name, of)| (name, costs(of))).filter(|(_, all)| all.iter().any(|x| *x > 0.0)).collect();
    let all = Growth {
        subject: format!("{} · {}", findings.data, findings.model),
        explanation: format!("Mean {} by the kind of rows; both axes logarithmic.", loss(findings)),
        names: shown.iter().map(|(name, _)| (*name).to_owned()).collect(),
        plots: vec![Plot {
            title: "Training step".to_owned(),
            sizes: points.iter().map(|point| point.step as f64).collect(),
            costs: shown.into_iter().map(|(_, costs)| costs).collect(),
        }],
    };
    Some(growth("Loss", "Loss", &all).map_err(Into::into))
}

/// What the loss is.
fn loss(findings: &Findings) -> &'static str {
    match findings.parts.first() {
        Some((_, Metrics::Values { .. })) => "squared error of the standardized target",
        Some((_, Metrics::Classes { .. })) => "cross-entropy",
        None => "loss",
    }
}

/// The confusion matrix, where there are classes.
fn picture(findings: &Findings, name: &str, metrics: &Metrics) -> Option<Result<String>> {
    let Metrics::Classes { classes, .. } = metrics else { return None };
    let matrix = Matrix {
        subject: format!("{} · {} · rows {name}", findings.data, findings.model),
        names: classes.iter().map(|class| in_a_line(&class.name)).collect(),
        counts: classes.iter().map(|class| class.predicted.clone()).collect(),
    };
    Some(confusion("What is predicted as what", &matrix).map_err(Into::into))
}

/// How far the probabilities can be relied on, where there are classes and not all predictions are equally sure.
fn reliance(findings: &Findings, name: &str, metrics: &Metrics) -> Option<Result<String>> {
    let Metrics::Classes { calibration: all, expected_calibration_error: error, .. } = metrics else { return None };
    let bin = |sure: &Sure| Bin { rows: sure.rows, probability: sure.probability, right: sure.accuracy };
    let bins: Vec<Bin> = all.iter().map(bin).collect();
    if bins.len() < 2 {
        return None;
    }
    let error = error.map_or_else(|| "-".to_owned(), |error| percent(error.into()));
    let subject = format!("{} · {} · rows {name} · mean gap {error} %", findings.data, findings.model);
    Some(calibration("How sure it is", &subject, &bins).map_err(Into::into))
}

/// Predicted values against true ones, where there are values.
fn values(findings: &Findings, name: &str, metrics: &Metrics) -> Option<Result<String>> {
    let Metrics::Values { pairs, .. } = metrics else { return None };
    if pairs.is_empty() {
        return None;
    }
    let subject = format!("{} · {} · rows {name}", findings.data, findings.model);
    Some(scatter("Predicted against true values", &subject, pairs).map_err(Into::into))
}

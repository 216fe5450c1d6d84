//! Held-out loss against steps or cost: one line per optimizer, a band over the seeds, both axes logarithmic.
//!
//! The visible losses end at three times the initial loss. What leaves the picture, or ends in no finite
//! loss, is marked at its upper edge; failures are shown, not dropped.

use super::ReportError;
use super::axis::{draw_axes, log_axis};
use super::canvas::{self, Area, BELOW_HEADING, Heading, PX, WIDTH};
use super::departures::draw_departures;
use super::labels::{BEFORE_LABEL, LINE_HEIGHT, draw_labels, labels};
use super::palette::styles;
use super::series::{self, Kind, Series};
use super::text::{width, wrap};
use super::trace::{By, Trace, draw_band, draw_lines, draw_markers, trace};
use crate::record::Results;

/// Names may take this many pixels of a line beside the plot.
const LABEL_ROOM: f64 = 250.0;
/// The plot begins this far down, leaving a strip for the marks of what left it.
const TOP: i32 = BELOW_HEADING + 26 * PX;
/// Room for tick labels and title below the plot.
const BELOW: i32 = 49 * PX;

/// The plot: its place, the range of its axes.
#[derive(Debug, Clone, Copy)]
struct Plot {
    area: Area,
    x: (f64, f64),
    y: (f64, f64),
}

/// Draws the picture.
pub(super) fn picture(results: &Results, all: &[Series<'_>], by: By) -> Result<String, ReportError> {
    let names: Vec<Vec<String>> = all.iter().map(|s| wrap(s.name, LABEL_ROOM, 14.0, 3)).collect();
    let plot = lay_out(all, &names, by);
    let (title, axis_title) = by.titles();
    let heading = Heading { title, subject: &canvas::subject(results), explanation: &explanation(results, all) };
    let area = plot.area;
    canvas::picture(&heading, area.bottom + BELOW + 10 * PX, |sheet| {
        let (x, y) = (log_axis(plot.x.0, plot.x.1), log_axis(plot.y.0, plot.y.1));
        let mut chart = canvas::chart(sheet, area, BELOW).build_cartesian_2d(x, y)?;
        draw_axes(&mut chart, axis_title, Some("Held-out loss"))?;
        // A loss of zero has no place on the axis; it stands at its low end.
        let place = |x: f64, loss: f64| chart.backend_coord(&(x, loss.max(plot.y.0)));
        let styles = styles(&all.iter().map(|s| s.name).collect::<Vec<_>>());
        let traces: Vec<Trace<'_>> = all.iter().zip(styles).map(|(s, style)| trace(s, style, by, place)).collect();
        traces.iter().try_for_each(|t| draw_band(sheet, area, t))?;
        traces.iter().try_for_each(|t| draw_lines(sheet, area, t))?;
        canvas::outline(sheet, area)?;
        traces.iter().try_for_each(|t| draw_markers(sheet, area, t))?;
        draw_departures(sheet, area.top, &traces)?;
        draw_labels(sheet, area, &labels(area, &traces, names))
    })
}

fn explanation(results: &Results, all: &[Series<'_>]) -> String {
    let mut text = match series::seeds(results).len() {
        1 => "One seed.".to_owned(),
        seeds => format!("Mean of {seeds} seeds, shaded from the lowest to the highest."),
    };
    if all.iter().any(|s| s.kind == Kind::Guarded) {
        text.push_str(" Thick lines: guarded.");
    }
    text
}

/// Chooses the size of the plot, so that every name has a place beside it, and the range of the axes.
fn lay_out(all: &[Series<'_>], names: &[Vec<String>], by: By) -> Plot {
    let longest = names.iter().flatten().map(|l| l.chars().count()).max();
    let column = width(longest.unwrap_or(0).max(18), 14.0) as i32 * PX + BEFORE_LABEL + 12 * PX;
    let lines: usize = names.iter().map(|n| n.len() + 1).sum();
    let height = (lines as i32 * LINE_HEIGHT + 40 * PX).max(410 * PX);
    let points = all.iter().flat_map(|s| &s.points);
    let places = points.map(|p| by.of(p)).filter(|x| *x > 0.0 && x.is_finite());
    let (low, high) = range(places).unwrap_or((1.0, 10.0));
    // A little air on both sides keeps the markers of the first and last step off the outline.
    let air = libm::pow(high / low, 0.02).max(1.01);
    Plot {
        area: Area { left: 84 * PX, top: TOP, right: WIDTH - column, bottom: TOP + height },
        x: (low / air, high * air),
        y: losses(all),
    }
}

/// The visible losses: from the lowest of any seed to the highest, or to three times the initial one.
fn losses(all: &[Series<'_>]) -> (f64, f64) {
    let points = || all.iter().flat_map(|s| &s.points);
    let shown = || points().filter(|p| p.step > 0 && p.alive > 0);
    let positive = |l: &f64| *l > 0.0;
    let initial: Vec<f64> = all.iter().filter_map(|s| s.points.first()?.mean).collect();
    let limit = range(initial.into_iter().filter(positive)).map_or(f64::INFINITY, |r| 3.0 * r.1);
    let Some((low, high)) = range(shown().flat_map(|p| [p.low, p.high]).filter(positive)) else {
        return (0.1, 1.0);
    };
    let high = if limit > low { high.min(limit) } else { high };
    // Beyond ten decades a few lucky seeds would squeeze all the others into a line.
    let low = low.max(high * 1e-10);
    let air = libm::pow(high / low, 0.03).max(1.01);
    (low / air, high * air)
}

fn range(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |range, v| {
        let (low, high) = range.unwrap_or((v, v));
        Some((f64::min(low, v), f64::max(high, v)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn drawn(results: &Results, by: By) -> String {
        picture(results, &series::series(results), by).expect("drawn")
    }

    #[test]
    fn every_optimizer_is_named_and_the_axes_have_units() {
        let results = sample::results();
        let text = drawn(&results, By::Cost);
        let texts = canvas::texts(&text);
        for part in
            ["sgd:1", "sgd:9", "l2o", "lgl2o(l2o,sgd:1)", "a gradient counts as 3", "Held-out loss", "spirals", "1k"]
        {
            assert!(texts.iter().any(|t| t.contains(part)), "{part}");
        }
    }

    #[test]
    fn a_diverged_seed_is_marked_and_counted() {
        let results = sample::results();
        let texts = canvas::texts(&drawn(&results, By::Step));
        for part in ["diverged", "1 of 2 seeds diverged"] {
            assert!(texts.iter().any(|t| t == part), "{part}");
        }
    }

    #[test]
    fn step_zero_is_not_drawn() {
        let mut results = sample::results();
        results.runs.truncate(1);
        let all = series::series(&results);
        let style = styles(&["sgd:1"])[0];
        assert_eq!(trace(&all[0], style, By::Step, |_, _| (0, 0)).whole.len(), sample::STEPS.len() - 1);
    }

    #[test]
    fn the_visible_range_ends_at_three_times_the_initial_loss() {
        let mut results = sample::results();
        results.runs[0].curve[3].test_loss = Some(1e6);
        let all = series::series(&results);
        let (low, high) = losses(&all);
        assert!(high < 3.2 && low > 1e-4, "{low} {high}");
        assert!(canvas::texts(&drawn(&results, By::Step)).iter().any(|t| t == "off the scale"));
    }

    #[test]
    fn zero_losses_and_no_losses_are_drawn() {
        let mut results = sample::results();
        results.runs.iter_mut().for_each(|r| r.curve[7].test_loss = Some(0.0));
        assert!(!drawn(&results, By::Step).contains("NaN"));
        for point in results.runs.iter_mut().flat_map(|r| &mut r.curve) {
            point.test_loss = None;
        }
        let text = drawn(&results, By::Step);
        assert!(!text.contains("NaN") && !text.contains("inf"));
    }
}

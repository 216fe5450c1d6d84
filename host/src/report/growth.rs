//! How a cost grows: one plot for each thing that grows, side by side, a line for each optimizer, all axes logarithmic.
//!
//! A cost that is proportional to what grows is a straight line from corner to corner of a decade; the plots share the
//! vertical axis.

use plotters::prelude::*;

use super::ReportError;
use super::axis::{draw_axes, log_axis};
use super::canvas::{self, Area, BELOW_HEADING, Drawn, Heading, LEFT, PX, Sheet, WIDTH};
use super::legend;
use super::palette::{Style, styles};

/// What stands below the heading: the plots, this high.
const TOP: i32 = BELOW_HEADING + 10 * PX;
const HEIGHT: i32 = 330 * PX;
/// Room for ticks and titles below.
const BELOW: i32 = 49 * PX;
/// Room for ticks and title of the vertical axis, and between plots.
const BEFORE: i32 = 66 * PX;
const GAP: i32 = 26 * PX;

/// What grows, and what it costs.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Growth {
    /// What the plots have in common, for the heading.
    pub subject: String,
    /// How to read them, in one line.
    pub explanation: String,
    /// Names of the lines.
    pub names: Vec<String>,
    /// The plots.
    pub plots: Vec<Plot>,
}

/// One plot.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plot {
    /// What grows.
    pub title: String,
    /// How far it has grown, at each point.
    pub sizes: Vec<f64>,
    /// What it costs there, line by line.
    pub costs: Vec<Vec<f64>>,
}

/// Draws the growth of a cost that is called `axis`.
///
/// # Errors
/// [`ReportError::Picture`] if it cannot be drawn.
pub fn growth(title: &str, axis: &str, all: &Growth) -> Result<String, ReportError> {
    let heading = Heading { title, subject: &all.subject, explanation: &all.explanation };
    let (bottom, styles) = (TOP + HEIGHT, styles(&all.names));
    canvas::picture(&heading, bottom + BELOW + legend::height(&all.names), |sheet| {
        let (low, high) = range(all.plots.iter().flat_map(|plot| plot.costs.iter().flatten()));
        let count = all.plots.len().max(1) as i32;
        let width = (WIDTH - 2 * LEFT - BEFORE - GAP * (count - 1)) / count;
        for (i, plot) in all.plots.iter().enumerate() {
            let left = LEFT + BEFORE + (width + GAP) * i as i32;
            let area = Area { left, top: TOP, right: left + width, bottom };
            draw_plot(sheet, (area, &styles), plot, (low / 1.3, high * 1.3), (i == 0).then_some(axis))?;
        }
        legend::draw(sheet, bottom + BELOW, &all.names)
    })
}

/// The least and the greatest of some positive numbers.
pub(super) fn range<'a>(numbers: impl Iterator<Item = &'a f64>) -> (f64, f64) {
    let positive = numbers.copied().filter(|x| *x > 0.0 && x.is_finite());
    let (low, high) = positive.fold((f64::INFINITY, 0.0), |(low, high), x| (x.min(low), x.max(high)));
    if low <= high { (low, high) } else { (1.0, 10.0) }
}

/// Draws one plot with its lines' styles; its vertical axis has labels if it has a title.
fn draw_plot(
    sheet: &Sheet<'_>,
    (area, styles): (Area, &[Style]),
    plot: &Plot,
    costs: (f64, f64),
    beside: Option<&str>,
) -> Drawn {
    let sizes = range(plot.sizes.iter());
    let (x, y) = (log_axis(sizes.0 / 1.2, sizes.1 * 1.2), log_axis(costs.0, costs.1));
    let mut chart = canvas::chart(sheet, area, BELOW);
    let chart = chart.margin_left(area.left - BEFORE).set_label_area_size(LabelAreaPosition::Left, BEFORE);
    let mut chart = chart.build_cartesian_2d(x, y)?;
    draw_axes(&mut chart, &plot.title, beside)?;
    canvas::outline(sheet, area)?;
    for (costs, style) in plot.costs.iter().zip(styles) {
        let places = plot.sizes.iter().zip(costs).filter(|(_, cost)| **cost > 0.0);
        let places: Vec<_> = places.map(|(&size, &cost)| chart.backend_coord(&(size, cost))).collect();
        canvas::line(sheet, &places, style.colour.stroke_width(18), style.dash)?;
        places.iter().try_for_each(|place| style.mark(sheet, *place))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_and_axis_has_its_name() {
        let plot = |title: &str| Plot {
            title: title.to_owned(),
            sizes: vec![8.0, 64.0, 512.0],
            costs: vec![vec![10.0, 60.0, 500.0], vec![20.0, 90.0, 0.0]],
        };
        let all = Growth {
            subject: "64-w-10".to_owned(),
            explanation: String::new(),
            names: vec!["sgd".to_owned(), "adam".to_owned()],
            plots: vec![plot("Width"), plot("Depth")],
        };
        let texts = canvas::texts(&growth("Growth", "Microseconds", &all).unwrap());
        for part in ["Growth", "64-w-10", "sgd", "adam", "Width", "Depth"] {
            assert!(texts.iter().any(|text| text == part), "{part}: {texts:?}");
        }
        // The vertical axis is labelled once.
        assert_eq!(texts.iter().filter(|text| *text == "1k").count(), 0);
        assert_eq!(texts.iter().filter(|text| *text == "10").count(), 3, "{texts:?}");
        assert!(growth("Nothing", "None", &Growth::default()).is_ok());
    }
}

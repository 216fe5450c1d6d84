//! A logarithmic axis: plotters' own, with ticks where that has none.
//!
//! plotters labels powers of ten, which leaves short ranges with one label or none, and it marks nothing
//! before the first of them.

use plotters::chart::{ChartContext, MeshStyle};
use plotters::coord::combinators::WithKeyPoints;
use plotters::coord::ranged1d::{BoldPoints, Ranged};
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::{
    BindKeyPoints, Cartesian2d, Color as _, DrawingBackend, IntoLogRange, LogCoord, RGBColor, SVGBackend,
};

use super::canvas::{Drawn, FRAME, INK, PX, letters};
use super::number::tick;

/// At most this many powers of ten carry a label.
const MOST: usize = 9;

/// A logarithmic axis.
pub(super) type LogAxis = WithKeyPoints<LogCoord<f64>>;

/// A chart both of whose axes are logarithmic.
pub(super) type Chart<'a, 'b> = ChartContext<'a, SVGBackend<'b>, Cartesian2d<LogAxis, LogAxis>>;

/// The colours of the grid: its labelled lines, and the others.
pub(super) const MAJOR: RGBColor = RGBColor(0xD0, 0xD0, 0xD0);
pub(super) const MINOR: RGBColor = RGBColor(0xEF, 0xEF, 0xEF);

/// Lines and letters of a grid.
pub(super) fn grid<'m, 'a, 'b, X: Ranged, Y: Ranged, D: DrawingBackend>(
    mesh: &'m mut MeshStyle<'a, 'b, X, Y, D>,
) -> &'m mut MeshStyle<'a, 'b, X, Y, D> {
    let width = PX.unsigned_abs();
    mesh.bold_line_style(MAJOR.stroke_width(width))
        .light_line_style(MINOR.stroke_width(width))
        .axis_style(FRAME.stroke_width(width))
        .set_all_tick_mark_size(4 * PX)
        .label_style(letters(14, INK))
        .axis_desc_style(letters(15, INK))
}

/// Draws grid, ticks and titles; a vertical axis without a title has no labels either.
pub(super) fn draw_axes(chart: &mut Chart<'_, '_>, below: &str, beside: Option<&str>) -> Drawn {
    let label = |v: &f64| if beside.is_some() { tick(*v) } else { String::new() };
    grid(&mut chart.configure_mesh())
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&label)
        .x_desc(below)
        .y_desc(beside.unwrap_or_default())
        .draw()
}

/// An axis from `low` to `high`. Both must be positive; an empty range is widened.
pub(super) fn log_axis(low: f64, high: f64) -> LogAxis {
    let high = if high > low * 1.000_001 { high } else { low * 2.0 };
    let (major, minor) = ticks(low, high);
    (low..high).log_scale().with_key_points(major).with_light_points(minor)
}

/// The ticks with a label, and all others: decades where the range has three or more, else 1-2-5 steps, else
/// equal steps.
fn ticks(low: f64, high: f64) -> (Vec<f64>, Vec<f64>) {
    // plotters begins at the first power of ten in the range, which rounding may lose.
    let axis = LogCoord::from((power_below(low) * 0.999..high).log_scale());
    let points = |most: usize| {
        let mut points = axis.key_points(BoldPoints(most));
        points.retain(|v| *v >= low * (1.0 - 1e-9) && *v <= high * (1.0 + 1e-9));
        points.dedup_by(|next, last| *next < *last * (1.0 + 1e-9));
        points
    };
    // Ten times as many are enough for every digit in every decade, unless there are too many decades.
    let (decades, all) = (points(MOST), points(10 * MOST));
    if decades.len() >= 3 {
        return (decades, all);
    }
    let some: Vec<f64> = all.iter().copied().filter(|v| matches!(first_digit(*v), 1 | 2 | 5)).collect();
    if some.len() >= 3 { (some, all) } else { (RangedCoordf64::from(low..high).key_points(BoldPoints(5)), Vec::new()) }
}

fn first_digit(value: f64) -> u8 {
    libm::round(value / power_below(value)) as u8
}

/// The power of ten at or below a positive value, rounding forgiven.
fn power_below(value: f64) -> f64 {
    libm::pow(10.0, libm::floor(libm::log10(value.max(f64::MIN_POSITIVE)) + 1e-9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::number::tick;

    fn labels(low: f64, high: f64) -> Vec<String> {
        log_axis(low, high).bold_points().iter().map(|v| tick(*v)).collect()
    }

    #[test]
    fn long_ranges_are_labelled_at_decades() {
        assert_eq!(labels(1.0, 10_000.0), ["1", "10", "100", "1k", "10k"]);
        assert_eq!(labels(0.008, 3.0), ["0.01", "0.1", "1"]);
    }

    #[test]
    fn short_ranges_get_more_labels() {
        assert_eq!(labels(0.04, 1.2), ["0.05", "0.1", "0.2", "0.5", "1"]);
        assert!((2..7).contains(&labels(0.61, 0.72).len()), "{:?}", labels(0.61, 0.72));
    }

    #[test]
    fn very_long_ranges_skip_decades() {
        assert!(labels(1e-20, 1.0).len() <= MOST + 1);
    }

    #[test]
    fn the_part_before_the_first_decade_has_minor_ticks() {
        assert_eq!(first_digit(log_axis(0.0035, 2.0).light_points()[0]), 4);
    }

    #[test]
    fn values_run_from_end_to_end_even_over_an_empty_range() {
        assert_eq!([1.0, 10.0, 100.0].map(|v| log_axis(1.0, 100.0).map(&v, (0, 200))), [0, 100, 200]);
        assert_eq!(log_axis(5.0, 5.0).map(&5.0, (0, 1)), 0);
    }
}

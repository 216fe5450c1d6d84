//! Performance profiles: for each optimizer the share of the tasks on which its factor is at most x (Dolan and More,
//! "Benchmarking optimization software with performance profiles", Mathematical Programming 2002).
//!
//! Two plots side by side, one for each loss; the further up and to the left a line is, the better.

use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;

use super::ReportError;
use super::axis::{LogAxis, grid, log_axis};
use super::canvas::{self, Area, BELOW_HEADING, Drawn, FRAME, Heading, LEFT, PX, Sheet, WIDTH};
use super::growth::range;
use super::legend;
use super::number::tick;
use super::palette::{Style, styles};

const TOP: i32 = BELOW_HEADING + 10 * PX;
const HEIGHT: i32 = 360 * PX;
const BELOW: i32 = 49 * PX;
const BEFORE: i32 = 66 * PX;
const GAP: i32 = 26 * PX;
/// Factors that are shown at most, as far as there are any.
const SHOWN: [f64; 2] = [0.05, 30.0];

/// What a picture of profiles shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profiles {
    /// What the factors are of.
    pub subject: String,
    /// How to read it, in one line.
    pub explanation: String,
    /// Names of the lines.
    pub names: Vec<String>,
    /// Title of the horizontal axis, and the factors of each line on every task; for each plot.
    pub plots: Vec<(String, Vec<Vec<f64>>)>,
}

/// Draws profiles.
///
/// # Errors
/// [`ReportError::Picture`] if they cannot be drawn.
pub fn profiles(title: &str, all: &Profiles) -> Result<String, ReportError> {
    let heading = Heading { title, subject: &all.subject, explanation: &all.explanation };
    let (bottom, styles) = (TOP + HEIGHT, styles(&all.names));
    canvas::picture(&heading, bottom + BELOW + legend::height(&all.names), |sheet| {
        let count = all.plots.len().max(1) as i32;
        let width = (WIDTH - 2 * LEFT - BEFORE - GAP * (count - 1)) / count;
        for (i, (title, lines)) in all.plots.iter().enumerate() {
            let left = LEFT + BEFORE + (width + GAP) * i as i32;
            let area = Area { left, top: TOP, right: left + width, bottom };
            draw_plot(sheet, (area, &styles), (title, lines), (i == 0).then_some("Share of the tasks, %"))?;
        }
        legend::draw(sheet, bottom + BELOW, &all.names)
    })
}

fn draw_plot(
    sheet: &Sheet<'_>,
    (area, styles): (Area, &[Style]),
    (title, lines): (&str, &[Vec<f64>]),
    beside: Option<&str>,
) -> Drawn {
    let (low, high) = range(lines.iter().flatten());
    let (low, high) = (low.clamp(SHOWN[0], 0.8) / 1.1, high.clamp(1.25, SHOWN[1]) * 1.1);
    let mut chart = canvas::chart(sheet, area, BELOW);
    let chart = chart.margin_left(area.left - BEFORE).set_label_area_size(LabelAreaPosition::Left, BEFORE);
    let y = RangedCoordf64::from(0.0..103.0);
    let mut chart: ChartContext<'_, SVGBackend<'_>, Cartesian2d<LogAxis, RangedCoordf64>> =
        chart.build_cartesian_2d(log_axis(low, high), y)?;
    let label = |v: &f64| if beside.is_some() { tick(*v) } else { String::new() };
    grid(&mut chart.configure_mesh())
        .y_max_light_lines(1)
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&label)
        .x_desc(title)
        .y_desc(beside.unwrap_or_default())
        .draw()?;
    let one: Vec<_> = [0.0, 103.0].map(|y| chart.backend_coord(&(1.0, y))).to_vec();
    canvas::line(sheet, &one, FRAME.stroke_width(18), None)?;
    canvas::outline(sheet, area)?;
    for (i, (factors, style)) in lines.iter().zip(styles).enumerate() {
        let places: Vec<_> =
            stairs(factors, low, high).into_iter().map(|(x, share)| chart.backend_coord(&(x, 100.0 * share))).collect();
        canvas::line(sheet, &places, style.colour.stroke_width(20), style.dash)?;
        // Markers tell lines apart without their colour.
        let marks = places.len() / 6 + 1;
        places.iter().skip(marks / 2 + i % marks).step_by(2 * marks).try_for_each(|place| style.mark(sheet, *place))?;
    }
    Ok(())
}

/// The corners of the line of some factors between two ends.
fn stairs(factors: &[f64], low: f64, high: f64) -> Vec<(f64, f64)> {
    let mut sorted = factors.to_vec();
    sorted.sort_by(f64::total_cmp);
    let share = |count: usize| count as f64 / sorted.len().max(1) as f64;
    let before = sorted.partition_point(|factor| *factor <= low);
    let mut corners = vec![(low, share(before))];
    for (i, &factor) in sorted.iter().enumerate().skip(before).take_while(|(_, factor)| **factor <= high) {
        corners.extend([(factor, share(i)), (factor, share(i + 1))]);
    }
    let end = corners.last().map_or(0.0, |(_, share)| *share);
    corners.push((high, end));
    corners
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stairs_by_hand() {
        let corners = stairs(&[4.0, 0.5, 1.0, 100.0], 0.8, 10.0);
        assert_eq!(corners, [(0.8, 0.25), (1.0, 0.25), (1.0, 0.5), (4.0, 0.5), (4.0, 0.75), (10.0, 0.75)]);
        assert_eq!(stairs(&[], 0.5, 2.0), [(0.5, 0.0), (2.0, 0.0)]);
    }

    #[test]
    fn every_line_and_axis_has_its_name() {
        let plot = |title: &str| (title.to_owned(), vec![vec![0.5, 1.0, 2.0], vec![1e3, 3.0, 0.9]]);
        let all = Profiles {
            subject: "3 tasks".to_owned(),
            explanation: "Up and left is better.".to_owned(),
            names: vec!["sgd".to_owned(), "adam".to_owned()],
            plots: vec![plot("Training"), plot("Held-out")],
        };
        let texts = canvas::texts(&profiles("Profile", &all).unwrap());
        for part in ["Profile", "3 tasks", "sgd", "adam", "Training", "Held-out", "Share of the tasks, %"] {
            assert!(texts.iter().any(|text| text == part), "{part}: {texts:?}");
        }
        assert!(profiles("Nothing", &Profiles::default()).is_ok());
    }
}

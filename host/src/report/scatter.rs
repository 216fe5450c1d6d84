//! Predicted values against true ones, as a picture: on the diagonal both are the same.

use plotters::prelude::*;

use super::ReportError;
use super::axis::grid;
use super::canvas::{self, Area, BELOW_HEADING, Drawn, FRAME, Heading, PX, Sheet};
use super::number::tick;
use super::palette::LEARNED;

/// The plot: as wide as high, so that the diagonal is one.
const PLOT: Area =
    Area { left: 120 * PX, top: BELOW_HEADING + 10 * PX, right: 540 * PX, bottom: BELOW_HEADING + 430 * PX };
const BELOW: i32 = 49 * PX;
/// Room that no point takes, as a share of the range, on each side.
const AROUND: f64 = 0.04;
/// Radius of a point.
const RADIUS: i32 = 25;

/// Draws pairs of a true value and what was predicted for it.
///
/// # Errors
/// [`ReportError::Picture`] if it cannot be drawn.
pub fn scatter(title: &str, subject: &str, pairs: &[[f32; 2]]) -> Result<String, ReportError> {
    let explanation = "A dot for each row. Dashed: predicted as it is. Above the line the prediction is too high.";
    let heading = Heading { title, subject, explanation };
    let (low, high) = range(pairs);
    canvas::picture(&heading, PLOT.bottom + BELOW + 10 * PX, |sheet| draw(sheet, pairs, (low, high)))
}

/// What both axes show.
fn range(pairs: &[[f32; 2]]) -> (f64, f64) {
    let finite = pairs.iter().flatten().map(|&x| f64::from(x)).filter(|x| x.is_finite());
    let (low, high) = finite.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    if low > high {
        return (0.0, 1.0);
    }
    // A single value stands in the middle.
    let width = if high > low { high - low } else { libm::fabs(high).max(1.0) };
    (low - AROUND * width, high + AROUND * width)
}

fn draw(sheet: &Sheet<'_>, pairs: &[[f32; 2]], (low, high): (f64, f64)) -> Drawn {
    let mut chart = canvas::chart(sheet, PLOT, BELOW);
    let mut chart = chart.build_cartesian_2d(low..high, low..high)?;
    grid(&mut chart.configure_mesh())
        .x_labels(6)
        .y_labels(6)
        .max_light_lines(2)
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&|v| tick(*v))
        .x_desc("True value")
        .y_desc("Predicted value")
        .draw()?;
    let at = |x: f64, y: f64| chart.backend_coord(&(x, y));
    let ends = [at(low, low), at(high, high)];
    canvas::line(sheet, &ends, FRAME.stroke_width(PX.unsigned_abs()), Some([6 * PX, 4 * PX]))?;
    canvas::outline(sheet, PLOT)?;
    let finite = pairs.iter().filter(|pair| pair.iter().all(|x| x.is_finite()));
    finite
        .map(|&[x, y]| at(x.into(), y.into()))
        .try_for_each(|place| sheet.draw(&Circle::new(place, RADIUS, LEARNED.mix(0.6).filled())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_a_dot_and_the_axes_are_alike() {
        let picture = scatter("Values", "t.csv", &[[0.0, 1.0], [10.0, 8.0], [5.0, f32::NAN]]).expect("drawn");
        assert_eq!(picture.matches("<circle").count(), 2);
        let texts = canvas::texts(&picture);
        for part in ["Values", "t.csv", "True value", "Predicted value"] {
            assert!(texts.iter().any(|text| text == part), "{part}: {texts:?}");
        }
        assert_eq!(texts.iter().filter(|text| *text == "10").count(), 2, "{texts:?}");
        let few: [&[[f32; 2]]; 3] = [&[], &[[3.0, 3.0]], &[[0.0, 0.0]]];
        for few in few {
            assert!(scatter("Few", "", few).is_ok());
        }
        assert!(range(&[[3.0, 3.0]]).0 < 3.0 && range(&[[3.0, 3.0]]).1 > 3.0);
    }
}

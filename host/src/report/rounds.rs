//! The rounds of one run on two machines: loss by training step, one line over the other, and who won.

use plotters::prelude::*;

use super::ReportError;
use super::axis::log_axis;
use super::canvas::{self, Area, BELOW_HEADING, FRAME, Heading, INK, PX, SOFT, WIDTH, letters, write};
use super::number::tick;
use super::palette::{FALLBACK, LEARNED, NEITHER};
use crate::record::{Results, VERSION, Winner};

const PLOT: Area =
    Area { left: 84 * PX, top: BELOW_HEADING + 30 * PX, right: WIDTH - 24 * PX, bottom: BELOW_HEADING + 380 * PX };
const BELOW: i32 = 49 * PX;
/// The line below is so wide, the one above so narrow, that both can be seen where they are the same.
const WIDTHS: [i32; 2] = [5 * PX, 15];

/// One round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RoundPoint {
    /// Training steps done.
    pub step: u64,
    /// The loss.
    pub loss: Option<f64>,
    /// Who won.
    pub winner: Winner,
}

/// Draws the rounds of two sides, each with its name.
///
/// # Errors
/// [`ReportError::Picture`] if they cannot be drawn.
pub fn rounds_picture(
    title: &str,
    explanation: &str,
    sides: &[(&str, Vec<RoundPoint>); 2],
) -> Result<String, ReportError> {
    let results = Results {
        version: VERSION,
        task: sides[0].0.to_owned(),
        model: sides[1].0.to_owned(),
        parameters: 0,
        batch: 0,
        runs: Vec::new(),
        summary: Vec::new(),
    };
    let heading = Heading { title, subject: &canvas::subject(&results), explanation };
    let losses = || sides.iter().flat_map(|(_, rounds)| rounds.iter().filter_map(|r| r.loss)).filter(|l| *l > 0.0);
    let (low, high) = losses().fold((f64::INFINITY, 0.0f64), |(low, high), loss| (low.min(loss), high.max(loss)));
    let (low, high) = if low < high { (low, high) } else { (0.1, 1.0) };
    let last = sides.iter().filter_map(|(_, rounds)| rounds.last()).map(|r| r.step).max().unwrap_or(1);
    canvas::picture(&heading, PLOT.bottom + BELOW + 10 * PX, |sheet| {
        let colours = [FALLBACK, LEARNED];
        for (i, ((name, _), colour)) in sides.iter().zip(colours).enumerate() {
            let left = PLOT.left + 200 * PX * i as i32;
            let y = BELOW_HEADING + 8 * PX;
            let swatch = Area { left, top: y - WIDTHS[i] / 2, right: left + 22 * PX, bottom: y + WIDTHS[i] / 2 };
            canvas::fill(sheet, swatch, colour)?;
            write(sheet, (left + 30 * PX, y), name, &letters(14, INK))?;
        }
        let mut chart = canvas::chart(sheet, PLOT, BELOW).build_cartesian_2d(0.0..last as f64, log_axis(low, high))?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(FRAME.mix(0.3).stroke_width(8))
            .axis_style(FRAME.stroke_width(10))
            .set_all_tick_mark_size(4 * PX)
            .x_label_style(letters(14, INK))
            .y_label_style(letters(14, INK))
            .x_label_formatter(&|v| tick(*v))
            .y_label_formatter(&|v| tick(*v))
            .x_desc("training step")
            .axis_desc_style(letters(14, SOFT))
            .draw()?;
        for (((_, rounds), colour), width) in sides.iter().zip(colours).zip(WIDTHS) {
            let line = rounds.iter().filter_map(|r| Some((r.step as f64, r.loss.filter(|l| *l > 0.0)?)));
            let line: Vec<(f64, f64)> = line.collect();
            if line.len() > 1 {
                chart.draw_series([PathElement::new(line, colour.stroke_width(width.unsigned_abs()))])?;
            }
        }
        let dots = sides[0].1.iter().filter(|r| r.winner != Winner::Fallback).filter_map(|r| {
            let colour = if r.winner == Winner::Learned { LEARNED } else { NEITHER };
            Some(Circle::new((r.step as f64, r.loss.filter(|l| *l > 0.0)?), 4 * PX, colour.filled()))
        });
        chart.draw_series(dots)?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_named_and_odd_losses_are_no_trouble() {
        let point = |step, loss| RoundPoint { step, loss, winner: Winner::Learned };
        let some = vec![point(20, Some(0.7)), point(21, None), point(22, Some(0.0)), point(23, Some(0.1))];
        let drawn = rounds_picture("Rounds", "one over the other", &[("device", some.clone()), ("host", some)]);
        let texts = canvas::texts(&drawn.expect("drawn"));
        for part in ["Rounds", "device", "host", "training step"] {
            assert!(texts.iter().any(|text| text == part), "{part}: {texts:?}");
        }
        assert!(rounds_picture("Nothing", "", &[("device", Vec::new()), ("host", Vec::new())]).is_ok());
    }
}

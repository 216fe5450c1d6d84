//! How far a classifier's probabilities can be relied on, as a picture: for predictions of about the same probability, the share
//! that is right. On the diagonal both are the same.

use plotters::style::Color as _;

use super::ReportError;
use super::canvas::{
    self, Area, BELOW_HEADING, CENTRED, Drawn, ENDING, FRAME, Heading, INK, PX, SOFT, Sheet, bold, letters, line, write,
};
use super::palette::LEARNED;

/// The plot.
const PLOT: Area =
    Area { left: 120 * PX, top: BELOW_HEADING + 10 * PX, right: 560 * PX, bottom: BELOW_HEADING + 330 * PX };
/// Half the width of a mark.
const MARK: i32 = 5 * PX;

/// Predictions whose probabilities lie close together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// How many there are.
    pub rows: u32,
    /// Their mean probability.
    pub probability: f32,
    /// The share of them that is right.
    pub right: f32,
}

/// Draws bins in the order of their probabilities; empty ones are left out.
///
/// # Errors
/// [`ReportError::Picture`] if it cannot be drawn.
pub fn calibration(title: &str, subject: &str, bins: &[Bin]) -> Result<String, ReportError> {
    let explanation =
        "Share that is right of the predictions at a probability, and how many they are. Dashed: as often as said.";
    let heading = Heading { title, subject, explanation };
    canvas::picture(&heading, PLOT.bottom + 70 * PX, |sheet| {
        canvas::outline(sheet, PLOT)?;
        draw_axes(sheet)?;
        line(sheet, &[at(0.0, 0.0), at(1.0, 1.0)], FRAME.stroke_width(PX.unsigned_abs()), Some([6 * PX, 4 * PX]))?;
        let full: Vec<&Bin> = bins.iter().filter(|bin| bin.rows > 0).collect();
        let places: Vec<(i32, i32)> = full.iter().map(|bin| at(bin.probability, bin.right)).collect();
        line(sheet, &places, LEARNED.stroke_width(18), None)?;
        for (bin, (x, y)) in full.iter().zip(places) {
            let mark = Area { left: x - MARK, top: y - MARK, right: x + MARK, bottom: y + MARK };
            canvas::fill(sheet, mark, LEARNED)?;
            // Below the mark where there is no room above it.
            let side = if y - PLOT.top < 24 * PX { 16 * PX } else { -16 * PX };
            write(sheet, (x, y + side), &bin.rows.to_string(), &letters(12, SOFT).pos(CENTRED))?;
        }
        Ok(())
    })
}

/// Where a probability and a share stand.
fn at(probability: f32, right: f32) -> (i32, i32) {
    let along = |share: f32, from: i32, to: i32| from + libm::roundf(share * (to - from) as f32) as i32;
    (along(probability, PLOT.left, PLOT.right), along(right, PLOT.bottom, PLOT.top))
}

fn draw_axes(sheet: &Sheet<'_>) -> Drawn {
    for percent in [0u8, 25, 50, 75, 100] {
        let (x, y) = at(f32::from(percent) / 100.0, f32::from(percent) / 100.0);
        let text = format!("{percent} %");
        write(sheet, (x, PLOT.bottom + 14 * PX), &text, &letters(13, INK).pos(CENTRED))?;
        write(sheet, (PLOT.left - 8 * PX, y), &text, &letters(13, INK).pos(ENDING))?;
    }
    let middle = (PLOT.left + PLOT.right) / 2;
    write(sheet, (middle, PLOT.bottom + 42 * PX), "Probability of the predicted class", &bold(13, INK).pos(CENTRED))?;
    write(sheet, (PLOT.right + 14 * PX, PLOT.top + 10 * PX), "Share that is right", &bold(13, INK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_that_has_rows_is_drawn() {
        let bin = |rows, probability, right| Bin { rows, probability, right };
        let bins = [bin(0, 0.0, 0.0), bin(17, 0.62, 0.5), bin(240, 0.98, 1.0)];
        let texts = canvas::texts(&calibration("Calibration", "t.csv", &bins).expect("drawn"));
        for part in ["17", "240", "100 %", "t.csv"] {
            assert!(texts.iter().any(|text| text == part), "{part}: {texts:?}");
        }
        assert!(!texts.iter().any(|text| text == "0"));
        assert!(calibration("Nothing", "", &[]).is_ok());
        assert_eq!((at(0.0, 0.0), at(1.0, 1.0)), ((PLOT.left, PLOT.bottom), (PLOT.right, PLOT.top)));
    }
}

//! A confusion matrix as a picture: one row for each class, one column for each predicted one, darker the larger the share of the
//! row is.

use plotters::style::RGBColor;

use super::ReportError;
use super::canvas::{
    self, Area, BELOW_HEADING, CENTRED, Drawn, ENDING, Heading, INK, LEFT, PX, SOFT, Sheet, WIDTH, bold, letters, write,
};
use super::palette::LEARNED;
use super::text::wrap;

/// Where the cells begin.
const CELLS_LEFT: i32 = 170 * PX;
const CELLS_TOP: i32 = BELOW_HEADING + 40 * PX;
/// The largest height of a row.
const ROW: i32 = 44 * PX;
/// Names and counts are written up to so many classes.
const NAMED: usize = 24;

/// What is predicted as what.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Matrix {
    /// What was scored.
    pub subject: String,
    /// Names of the classes.
    pub names: Vec<String>,
    /// One row of counts for each class.
    pub counts: Vec<Vec<u32>>,
}

/// Draws a confusion matrix.
///
/// # Errors
/// [`ReportError::Picture`] if it cannot be drawn.
pub fn confusion(title: &str, matrix: &Matrix) -> Result<String, ReportError> {
    let explanation = "Rows: what an example is. Columns: what it is predicted as. Colour: share of the row.";
    let heading = Heading { title, subject: &matrix.subject, explanation };
    let n = matrix.names.len().max(1) as i32;
    let width = (WIDTH - LEFT - CELLS_LEFT) / n;
    let row = ROW.min(width);
    canvas::picture(&heading, CELLS_TOP + row * n + 20 * PX, |sheet| {
        let is_named = matrix.names.len() <= NAMED;
        for (c, name) in matrix.names.iter().enumerate().filter(|_| is_named) {
            let at = (CELLS_LEFT + width * c as i32 + width / 2, CELLS_TOP - 14 * PX);
            write(sheet, at, &fitted(name, width), &bold(13, INK).pos(CENTRED))?;
        }
        for (r, counts) in matrix.counts.iter().enumerate() {
            let top = CELLS_TOP + row * r as i32;
            if let Some(name) = matrix.names.get(r).filter(|_| is_named) {
                let at = (CELLS_LEFT - 12 * PX, top + row / 2);
                write(sheet, at, &fitted(name, CELLS_LEFT - LEFT - 12 * PX), &bold(13, INK).pos(ENDING))?;
            }
            let total: u64 = counts.iter().map(|&n| u64::from(n)).sum();
            for (c, &count) in counts.iter().enumerate() {
                let left = CELLS_LEFT + width * c as i32;
                let area = Area { left, top, right: left + width - PX, bottom: top + row - PX };
                draw_cell(sheet, area, count, f64::from(count) / total.max(1) as f64, is_named)?;
            }
        }
        Ok(())
    })
}

/// A name as far as it fits.
fn fitted(name: &str, room: i32) -> String {
    wrap(name, f64::from(room / PX), 13.0, 1).concat()
}

fn draw_cell(sheet: &Sheet<'_>, area: Area, count: u32, share: f64, is_named: bool) -> Drawn {
    canvas::fill(sheet, area, colour(share))?;
    if !is_named {
        return Ok(());
    }
    let style = if count == 0 { letters(13, SOFT) } else { bold(13, INK) };
    let middle = ((area.left + area.right) / 2, (area.top + area.bottom) / 2);
    write(sheet, middle, &count.to_string(), &style.pos(CENTRED))
}

/// From almost white to a blue that black letters can be read on.
fn colour(share: f64) -> RGBColor {
    let mix = |end: u8| libm::round(246.0 + (f64::from(end) - 246.0) * 0.6 * share) as u8;
    RGBColor(mix(LEARNED.0), mix(LEARNED.1), mix(LEARNED.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_count_is_there() {
        let names = ["a<b".to_owned(), "second".to_owned()].to_vec();
        let matrix = Matrix { subject: "t.csv".to_owned(), names, counts: vec![vec![17, 3], vec![0, 25]] };
        let texts = canvas::texts(&confusion("Confusion", &matrix).unwrap());
        for part in ["a<b", "second", "17", "3", "0", "25", "t.csv"] {
            assert!(texts.iter().any(|text| text == part), "{part}: {texts:?}");
        }
        assert_eq!(texts.iter().filter(|text| *text == "second").count(), 2);
    }

    #[test]
    fn many_classes_are_drawn_without_names() {
        let names: Vec<String> = (0..256).map(|class| format!("class {class}")).collect();
        let counts = vec![vec![1; 256]; 256];
        let texts = canvas::texts(&confusion("Confusion", &Matrix { names, counts, ..Matrix::default() }).unwrap());
        assert!(!texts.iter().any(|text| text == "class 7"));
        assert!(confusion("Nothing", &Matrix::default()).is_ok());
    }

    #[test]
    fn a_larger_share_is_darker() {
        let sum = |share| u32::from(colour(share).0) + u32::from(colour(share).1);
        assert!(sum(0.0) > sum(0.5) && sum(0.5) > sum(1.0));
    }
}

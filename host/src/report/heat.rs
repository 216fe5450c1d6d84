//! A heat map of pairs: a row per learned optimizer, a column per fallback, a value in each cell.
//!
//! The colour is the logarithm of a ratio, so that half and twice are equally far from white.

use super::ReportError;
use super::canvas::{
    self, Area, BELOW_HEADING, CENTRED, Drawn, ENDING, Heading, INK, LEFT, PX, SOFT, Sheet, WIDTH, bold, letters, write,
};
use super::palette::{LEVELS, MISSING, level_colour};
use super::text::wrap;
use crate::record::Results;

/// Where the cells begin.
const CELLS_LEFT: i32 = 170 * PX;
const CELLS_TOP: i32 = BELOW_HEADING + 62 * PX;
/// Height of a row.
const ROW: i32 = 72 * PX;
/// The ratio that has the last colour; its inverse has the first.
const END: f64 = 4.0;

/// What a heat map shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeatMap {
    /// Names of the rows, each with a line below it.
    pub rows: Vec<[String; 2]>,
    /// Names of the columns, each with a line below it.
    pub columns: Vec<[String; 2]>,
    /// Row by row; a cell without a value is grey.
    pub cells: Vec<Vec<HeatCell>>,
}

/// One cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeatCell {
    /// What colours it: below 1 is good, 1 neutral.
    pub ratio: Option<f64>,
    /// Its lines; the first one is bold.
    pub lines: Vec<String>,
}

/// Draws a heat map for some results.
///
/// # Errors
/// [`ReportError::Picture`] if it cannot be drawn.
pub fn heat_map(title: &str, results: &Results, map: &HeatMap) -> Result<String, ReportError> {
    let explanation = "Colour: loss at the end against the fallback's alone. Share: steps that are the learned side's.";
    let heading = Heading { title, subject: &canvas::subject(results), explanation };
    let bottom = CELLS_TOP + ROW * map.rows.len() as i32;
    canvas::picture(&heading, bottom + 66 * PX, |sheet| {
        let width = (WIDTH - LEFT - CELLS_LEFT) / map.columns.len().max(1) as i32;
        for (c, names) in map.columns.iter().enumerate() {
            let middle = CELLS_LEFT + width * c as i32 + width / 2;
            write_pair(sheet, (middle, CELLS_TOP - 34 * PX), names, f64::from(width / PX), true)?;
        }
        for (r, (names, cells)) in map.rows.iter().zip(&map.cells).enumerate() {
            let top = CELLS_TOP + ROW * r as i32;
            let room = f64::from((CELLS_LEFT - LEFT) / PX);
            write_pair(sheet, (CELLS_LEFT - 12 * PX, top + ROW / 2 - 9 * PX), names, room, false)?;
            for (c, cell) in cells.iter().enumerate() {
                let left = CELLS_LEFT + width * c as i32;
                draw_cell(sheet, Area { left, top, right: left + width - PX, bottom: top + ROW - PX }, cell)?;
            }
        }
        draw_legend(sheet, bottom + 16 * PX)
    })
}

/// A name and the line below it, centred or ending at a place.
fn write_pair(sheet: &Sheet<'_>, (x, y): (i32, i32), names: &[String; 2], room: f64, centred: bool) -> Drawn {
    let place = if centred { CENTRED } else { ENDING };
    let fitted = |text: &str, size: f64| wrap(text, room, size, 1).concat();
    write(sheet, (x, y), &fitted(&names[0], 15.0), &bold(15, INK).pos(place))?;
    write(sheet, (x, y + 18 * PX), &fitted(&names[1], 13.0), &letters(13, SOFT).pos(place))
}

fn draw_cell(sheet: &Sheet<'_>, area: Area, cell: &HeatCell) -> Drawn {
    canvas::fill(sheet, area, cell.ratio.map_or(MISSING, |ratio| level_colour(level(ratio))))?;
    let middle = (area.left + area.right) / 2;
    let first = (area.top + area.bottom) / 2 - 9 * PX * (cell.lines.len() as i32 - 1);
    for (i, text) in cell.lines.iter().enumerate() {
        let style = if i == 0 { bold(16, INK) } else { letters(13, INK) };
        write(sheet, (middle, first + 18 * PX * i as i32), text, &style.pos(CENTRED))?;
    }
    Ok(())
}

/// The level of a ratio: 1 lies in the middle, whatever is beyond the ends has their colour.
fn level(ratio: f64) -> u8 {
    let share = 0.5 + 0.5 * libm::log(ratio) / libm::log(END);
    let level = libm::floor(share * f64::from(LEVELS));
    if level >= f64::from(LEVELS) || level.is_nan() { LEVELS - 1 } else { level.max(0.0) as u8 }
}

/// All levels in a strip, with what its ends and its middle mean.
fn draw_legend(sheet: &Sheet<'_>, top: i32) -> Drawn {
    let step = 40 * PX;
    let left = CELLS_LEFT;
    for level in 0..LEVELS {
        let x = left + step * i32::from(level);
        canvas::fill(sheet, Area { left: x, top, right: x + step, bottom: top + 14 * PX }, level_colour(level))?;
    }
    let width = step * i32::from(LEVELS);
    let texts = [(0, format!("1/{END}")), (width / 2, "1".to_owned()), (width, format!("{END} times the fallback's"))];
    texts
        .iter()
        .try_for_each(|(x, text)| write(sheet, (left + x, top + 28 * PX), text, &letters(13, SOFT).pos(CENTRED)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn half_and_twice_are_equally_far_from_the_middle() {
        assert_eq!((level(0.01), level(100.0)), (0, LEVELS - 1));
        assert_eq!(level(0.51) + level(1.96), LEVELS - 1);
        assert_eq!((level(0.99), level(1.01)), (LEVELS / 2 - 1, LEVELS / 2));
        assert_eq!((level(f64::INFINITY), level(0.0), level(f64::NAN)), (LEVELS - 1, 0, LEVELS - 1));
    }

    #[test]
    fn every_name_and_value_is_there() {
        let pair = |name: &str| [name.to_owned(), format!("{name} alone")];
        let cell = |text: &str, ratio| HeatCell { ratio, lines: vec![text.to_owned(), "won".to_owned()] };
        let map = HeatMap {
            rows: vec![pair("l2o"), pair("lstm")],
            columns: vec![pair("sgd"), pair("adam")],
            cells: vec![
                vec![cell("0.1", Some(0.5)), cell("0.2", None)],
                vec![cell("0.3", Some(2.0)), HeatCell::default()],
            ],
        };
        let texts = canvas::texts(&heat_map("Pairs", &sample::results(), &map).unwrap());
        for part in ["l2o", "lstm alone", "sgd", "adam alone", "0.1", "0.2", "0.3"] {
            assert!(texts.iter().any(|text| text == part), "{part}");
        }
        assert!(heat_map("Nothing", &sample::results(), &HeatMap::default()).is_ok());
    }
}

//! The legend below pictures of many optimizers: each name behind a piece of its line, with its marker.

use plotters::prelude::Color as _;

use super::canvas::{self, Drawn, INK, LEFT, PX, Sheet, WIDTH, letters};
use super::palette::styles;
use super::text::{width, wrap};

/// At most so many names stand in a row.
const IN_A_ROW: usize = 3;
const ROW: i32 = 22 * PX;
/// What the piece of a line before a name takes, and the gap after the name, in pixels.
const AROUND: f64 = 56.0;
/// The size of the letters.
const SIZE: f64 = 14.0;

/// How many names stand in a row, so that none is cut.
fn in_a_row(names: &[String]) -> usize {
    let longest = names.iter().map(|name| width(name.chars().count(), SIZE)).fold(0.0, f64::max);
    let fit = f64::from((WIDTH - 2 * LEFT) / PX) / (longest + AROUND);
    (fit as usize).clamp(1, IN_A_ROW)
}

/// How much room names take.
pub(super) fn height(names: &[String]) -> i32 {
    names.len().div_ceil(in_a_row(names)) as i32 * ROW + 24 * PX
}

/// Names below the plots, each behind a piece of its line.
pub(super) fn draw(sheet: &Sheet<'_>, top: i32, names: &[String]) -> Drawn {
    let top = top + 20 * PX;
    let columns = in_a_row(names);
    let column = (WIDTH - 2 * LEFT) / columns as i32;
    for (i, (name, style)) in names.iter().zip(styles(names)).enumerate() {
        let x = LEFT + column * (i % columns) as i32;
        let y = top + ROW * (i / columns) as i32;
        canvas::line(sheet, &[(x, y), (x + 36 * PX, y)], style.colour.stroke_width(18), style.dash)?;
        style.mark(sheet, (x + 18 * PX, y))?;
        let room = f64::from(column / PX) - AROUND;
        canvas::write(sheet, (x + 44 * PX, y), &wrap(name, room, SIZE, 1).concat(), &letters(14, INK))?;
    }
    Ok(())
}

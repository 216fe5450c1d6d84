//! The legend below pictures of many optimizers: each name behind a piece of its line, with its marker.

use plotters::prelude::Color as _;

use super::canvas::{self, Drawn, INK, LEFT, PX, Sheet, WIDTH, letters};
use super::palette::style;
use super::text::wrap;

/// So many names stand in a row.
const IN_A_ROW: usize = 3;
const ROW: i32 = 22 * PX;

/// How much room names take.
pub(super) fn height(names: &[String]) -> i32 {
    names.len().div_ceil(IN_A_ROW) as i32 * ROW + 24 * PX
}

/// Names below the plots, each behind a piece of its line.
pub(super) fn draw(sheet: &Sheet<'_>, top: i32, names: &[String]) -> Drawn {
    let top = top + 20 * PX;
    let column = (WIDTH - 2 * LEFT) / IN_A_ROW as i32;
    for (i, name) in names.iter().enumerate() {
        let (style, x) = (style(i), LEFT + column * (i % IN_A_ROW) as i32);
        let y = top + ROW * (i / IN_A_ROW) as i32;
        canvas::line(sheet, &[(x, y), (x + 36 * PX, y)], style.colour.stroke_width(18), style.dash)?;
        style.mark(sheet, (x + 18 * PX, y))?;
        let room = f64::from(column / PX) - 56.0;
        canvas::write(sheet, (x + 44 * PX, y), &wrap(name, room, 14.0, 1).concat(), &letters(14, INK))?;
    }
    Ok(())
}

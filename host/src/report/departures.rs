//! Marks above the plot: where an optimizer lost a seed, or left the visible range.

use plotters::prelude::*;

use super::canvas::{At, Drawn, INK, PX, Sheet, letters, line, write};
use super::clip::departure;
use super::text::width;
use super::trace::Trace;

/// A mark: where it stands, what it says, its colour.
#[derive(Debug, Clone, Copy)]
struct Mark {
    x: i32,
    lost: bool,
    colour: RGBColor,
}

impl Mark {
    fn word(self) -> &'static str {
        if self.lost { "diverged" } else { "off the scale" }
    }

    /// Draws a cross, or an arrow pointing up.
    fn draw(self, sheet: &Sheet<'_>, (x, y): At) -> Drawn {
        let style = self.colour.stroke_width(24);
        if self.lost {
            return sheet.draw(&Cross::new((x, y), 45, style));
        }
        line(sheet, &[(x - 45, y), (x, y - 50), (x + 45, y)], style, None)?;
        line(sheet, &[(x, y - 50), (x, y + 50)], style, None)
    }
}

/// Draws the marks of all optimizers above `top`, side by side where they would meet.
pub(super) fn draw_departures(sheet: &Sheet<'_>, top: i32, traces: &[Trace<'_>]) -> Drawn {
    let mut marks: Vec<Mark> = traces.iter().filter_map(|t| mark(top, t)).collect();
    marks.sort_by_key(|m| m.x);
    let y = top - 11 * PX;
    let mut free = 0;
    for (i, mark) in marks.iter().enumerate() {
        let x = mark.x.max(free);
        free = x + 15 * PX;
        mark.draw(sheet, (x, y))?;
        // One word serves marks of one kind that stand close together.
        let end = x + width(mark.word().len() + 1, 13.0) as i32 * PX + 10 * PX;
        let next = marks.get(i + 1);
        if next.is_none_or(|next| next.lost != mark.lost || next.x > end) {
            write(sheet, (x + 9 * PX, y), mark.word(), &letters(13, INK))?;
            free = end;
        }
    }
    Ok(())
}

fn mark(top: i32, trace: &Trace<'_>) -> Option<Mark> {
    let leaves = || departure(&trace.means(), top).map(|x| (x, false));
    let (x, lost) = trace.lost.map(|x| (x, true)).or_else(leaves)?;
    Some(Mark { x, lost, colour: trace.style.colour })
}

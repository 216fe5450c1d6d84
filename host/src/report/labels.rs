//! Names beside a plot: as near as possible to the ends of their lines, and never on top of each other.

use plotters::prelude::*;

use super::canvas::{Area, Drawn, INK, PX, Sheet, WARNING, letters, line, write};
use super::trace::Trace;

/// From the plot to a name: a leader, a gap, a piece of the line.
pub(super) const BEFORE_LABEL: i32 = 78 * PX;
/// From one line of text to the next.
pub(super) const LINE_HEIGHT: i32 = 17 * PX;

/// The name of an optimizer beside the plot.
pub(super) struct Label<'a> {
    trace: &'a Trace<'a>,
    lines: Vec<String>,
    note: Option<String>,
}

/// The labels in the order in which the lines end, from top to bottom.
pub(super) fn labels<'a>(area: Area, traces: &'a [Trace<'a>], names: Vec<Vec<String>>) -> Vec<Label<'a>> {
    let label = |(trace, lines)| Label { trace, lines, note: note(area, trace) };
    let mut labels: Vec<Label<'_>> = traces.iter().zip(names).map(label).collect();
    labels.sort_by_key(|l| l.trace.end().map_or(i32::MIN, |p| p.1));
    labels
}

fn note(area: Area, trace: &Trace<'_>) -> Option<String> {
    let (lost, all) = (trace.series.diverged(), trace.series.runs.len());
    if lost == all {
        Some("diverged".to_owned())
    } else if lost > 0 {
        Some(format!("{lost} of {all} seeds diverged"))
    } else {
        let above = trace.end().is_some_and(|p| p.1 < area.top);
        above.then(|| "off the scale".to_owned())
    }
}

/// Draws the labels.
pub(super) fn draw_labels(sheet: &Sheet<'_>, area: Area, labels: &[Label<'_>]) -> Drawn {
    let wanted = labels.iter().map(|l| {
        let end = l.trace.end().map_or(area.top, |p| p.1);
        let lines = l.lines.len() + usize::from(l.note.is_some());
        (end.clamp(area.top, area.bottom), lines as i32 * LINE_HEIGHT + 6 * PX)
    });
    let places = spread(&wanted.collect::<Vec<_>>(), area.top - 12 * PX, area.bottom + 12 * PX);
    labels.iter().zip(places).try_for_each(|(label, y)| draw_label(sheet, area, label, y))
}

/// Draws a leader from the end of the line, a piece of the line, the name and the note.
fn draw_label(sheet: &Sheet<'_>, area: Area, label: &Label<'_>, y: i32) -> Drawn {
    let Label { trace, lines, note } = label;
    let left = area.right + BEFORE_LABEL;
    if let Some((x, end)) = trace.end() {
        let end = end.clamp(area.top, area.bottom);
        let faint = trace.style.colour.mix(0.55).stroke_width(10);
        line(sheet, &[(x, end), (area.right, end)], faint, Some([10, 50]))?;
        line(sheet, &[(area.right, end), (left - 50 * PX, y), (left - 44 * PX, y)], faint, None)?;
    }
    line(sheet, &[(left - 44 * PX, y), (left - 8 * PX, y)], trace.stroke(), trace.style.dash)?;
    trace.style.mark(sheet, (left - 26 * PX, y))?;
    let (ink, warning) = (letters(14, INK), letters(13, WARNING));
    let rows = lines.iter().map(|l| (l, &ink)).chain(note.iter().map(|n| (n, &warning)));
    let rows: Vec<(&String, &TextStyle<'_>)> = rows.collect();
    let mut row = y - (rows.len() as i32 - 1) * LINE_HEIGHT / 2;
    for (words, style) in rows {
        write(sheet, (left, row), words, style)?;
        row += LINE_HEIGHT;
    }
    Ok(())
}

/// Chooses the middles of labels stacked between `top` and `bottom`, each near the place it asks for.
///
/// `wanted` holds a middle and a height per label, in the order from top to bottom. Labels are pushed down
/// just far enough not to overlap, then those that fell below `bottom` are pushed up again.
fn spread(wanted: &[(i32, i32)], top: i32, bottom: i32) -> Vec<i32> {
    let mut uppers = Vec::with_capacity(wanted.len());
    let mut free = top;
    for &(middle, height) in wanted {
        let upper = (middle - height / 2).max(free);
        free = upper + height;
        uppers.push(upper);
    }
    let mut limit = bottom;
    for (upper, &(_, height)) in uppers.iter_mut().zip(wanted).rev() {
        *upper = (*upper).min(limit - height);
        limit = *upper;
    }
    let middles = uppers.into_iter().zip(wanted);
    middles.map(|(upper, &(_, height))| upper + height / 2).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_with_room_stay_where_they_want() {
        assert_eq!(spread(&[(20, 10), (60, 10)], 0, 100), [20, 60]);
    }

    #[test]
    fn crowded_labels_never_overlap_and_stay_inside() {
        let wanted: Vec<(i32, i32)> = (0..9).map(|i| (95 + i / 5, 10)).collect();
        let places = spread(&wanted, 0, 100);
        assert!(places.windows(2).all(|w| w[1] - w[0] > 9));
        assert!(places[0] >= 5 && places[8] <= 95);
    }
}

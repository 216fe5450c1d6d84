//! What each optimizer learned to tell apart in the plane: small multiples of the probability of class 1.

use plotters::prelude::*;

use super::ReportError;
use super::canvas::{
    self, Area, At, BELOW_HEADING, CENTRED, Drawn, ENDING, Heading, INK, LEFT, PX, Sheet, WARNING, WIDTH, bold,
    letters, line, write,
};
use super::field::{Boundary, Grid};
use super::palette::{CLASS_0, CLASS_1, LEVELS, MISSING, level_colour};
use super::text::wrap;
use crate::record::Results;

/// At most this many training points are drawn, half of them for each class.
const POINTS: usize = 200;
const COLUMNS: usize = 4;
const GAP: i32 = 20 * PX;
const LINE_HEIGHT: i32 = 17 * PX;
/// The classes and the colours of their points.
const CLASSES: [(u8, RGBColor); 2] = [(0, CLASS_0), (1, CLASS_1)];
/// The line where both classes are equally likely.
const DECISION: RGBColor = RGBColor(0x11, 0x11, 0x11);
/// Stretches of the heat map are so much too high at both ends that no seam shows between two rows.
const OVERLAP: i32 = PX / 2;

/// The fields of several optimizers, and the points they were trained on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Boundaries {
    /// Training points with their class, 0 or 1.
    pub points: Vec<([f32; 2], u8)>,
    /// One field per optimizer.
    pub fields: Vec<Boundary>,
}

/// One field, ready to be drawn.
struct Panel<'a> {
    name: Vec<String>,
    grid: Grid,
    field: &'a Boundary,
}

/// Draws the picture.
pub(super) fn picture(results: &Results, all: &Boundaries) -> Result<String, ReportError> {
    let side = side(all.fields.len());
    let panels = all.fields.iter().map(|field| panel(field, side)).collect::<Result<Vec<_>, _>>()?;
    let head = |row: &[Panel<'_>]| row.iter().map(|p| p.name.len() as i32 * LINE_HEIGHT).max().unwrap_or(0);
    let rows: i32 = panels.chunks(COLUMNS).map(|row| head(row) + side + GAP + 6 * PX).sum();
    let legend = BELOW_HEADING + rows;
    let heading = Heading {
        title: "What each optimizer learned",
        subject: &canvas::subject(results),
        explanation: &explanation(all),
    };
    canvas::picture(&heading, legend + 34 * PX, |sheet| {
        let mut top = BELOW_HEADING;
        for row in panels.chunks(COLUMNS) {
            top += head(row) + 4 * PX;
            for (panel, left) in row.iter().zip((LEFT..).step_by((side + GAP).unsigned_abs() as usize)) {
                let area = Area { left, top, right: left + side, bottom: top + side };
                draw_panel(sheet, area, panel, &all.points)?;
            }
            top += side + GAP + 2 * PX;
        }
        draw_legend(sheet, legend + 8 * PX)
    })
}

fn panel(field: &Boundary, side: i32) -> Result<Panel<'_>, ReportError> {
    let name = wrap(&field.optimizer, f64::from(side / PX), 14.0, 3);
    Ok(Panel { name, grid: Grid::new(field)?, field })
}

/// How wide a panel is: a full row fills the picture, fewer panels are a little larger.
fn side(fields: usize) -> i32 {
    let columns = if fields < COLUMNS { 3 } else { COLUMNS as i32 };
    ((WIDTH - 2 * LEFT + GAP) / columns - GAP).min(280 * PX)
}

fn explanation(all: &Boundaries) -> String {
    let drawn: usize = [0, 1].map(|class| chosen(&all.points, class).len()).iter().sum();
    format!(
        "Probability of class 1 over the plane after training, with {drawn} of {} training points.",
        all.points.len()
    )
}

/// The points of a class that are drawn, evenly spread over their order.
fn chosen(points: &[([f32; 2], u8)], class: u8) -> Vec<[f32; 2]> {
    let all: Vec<[f32; 2]> = points.iter().filter(|p| p.1.min(1) == class).map(|p| p.0).collect();
    let drawn = all.len().min(POINTS / 2);
    (0..drawn).map(|i| all[i * all.len() / drawn]).collect()
}

fn draw_panel(sheet: &Sheet<'_>, area: Area, panel: &Panel<'_>, points: &[([f32; 2], u8)]) -> Drawn {
    for (i, words) in panel.name.iter().rev().enumerate() {
        write(sheet, (area.left, area.top - 11 * PX - LINE_HEIGHT * i as i32), words, &bold(14, INK))?;
    }
    draw_field(sheet, area, &panel.grid)?;
    draw_points(sheet, area, panel.field.extent, points)?;
    if panel.grid.diverged() {
        let middle = (i32::midpoint(area.left, area.right), area.top + 19 * PX);
        write(sheet, middle, "diverged", &bold(14, WARNING).pos(CENTRED))?;
    }
    canvas::outline(sheet, area)
}

/// Draws the heat map and the decision line.
fn draw_field(sheet: &Sheet<'_>, area: Area, grid: &Grid) -> Drawn {
    let colour = |level: Option<u8>| level.map_or(MISSING, level_colour);
    let cell = f64::from(area.right - area.left) / grid.side.max(1) as f64;
    let place = |x: f64, y: f64| {
        let along = |cells: f64| libm::round(cells * cell) as i32;
        (area.left + along(x), area.top + along(y))
    };
    for s in grid.stretches() {
        let (left, top) = place(s.columns.0 as f64, s.rows.0 as f64);
        let (right, bottom) = place(s.columns.1 as f64, s.rows.1 as f64);
        let (top, bottom) = ((top - OVERLAP).max(area.top), (bottom + OVERLAP).min(area.bottom));
        canvas::fill(sheet, Area { left, top, right, bottom }, colour(s.level))?;
    }
    let lines = grid.decision_lines(place);
    lines.iter().try_for_each(|points| line(sheet, points, DECISION.stroke_width(18), None))
}

/// Draws the training points that lie in the panel, each class with a white rim around all of its marks.
fn draw_points(sheet: &Sheet<'_>, area: Area, extent: f32, points: &[([f32; 2], u8)]) -> Drawn {
    let half = f64::from(area.right - area.left) / 2.0;
    let place = |v: f32| libm::round(half * f64::from(v / extent)) as i32;
    let middle = (i32::midpoint(area.left, area.right), i32::midpoint(area.top, area.bottom));
    for (class, colour) in CLASSES {
        let chosen = chosen(points, class);
        let inside = chosen.iter().filter(|p| p.iter().all(|v| (v / extent).abs() <= 1.0));
        let places: Vec<At> = inside.map(|p| (middle.0 + place(p[0]), middle.1 - place(p[1]))).collect();
        places.iter().try_for_each(|&at| draw_dot(sheet, at, class, 30, WHITE))?;
        places.iter().try_for_each(|&at| draw_dot(sheet, at, class, 21, colour))?;
    }
    Ok(())
}

/// Draws a disc for class 0, a square for class 1, that reaches this far.
fn draw_dot(sheet: &Sheet<'_>, (x, y): At, class: u8, reach: i32, colour: RGBColor) -> Drawn {
    if class == 0 {
        return sheet.draw(&Circle::new((x, y), reach, colour.filled()));
    }
    let r = reach - 3;
    canvas::fill(sheet, Area { left: x - r, top: y - r, right: x + r, bottom: y + r }, colour)
}

/// Draws the scale of colours and what the marks mean.
fn draw_legend(sheet: &Sheet<'_>, y: i32) -> Drawn {
    let (first, step) = (LEFT + 176 * PX, 16 * PX);
    let edge = |level: u8| first + step * i32::from(level);
    for level in 0..LEVELS {
        let swatch = Area { left: edge(level), top: y - 8 * PX, right: edge(level + 1), bottom: y + 8 * PX };
        canvas::fill(sheet, swatch, level_colour(level))?;
    }
    let ink = letters(14, INK);
    write(sheet, (LEFT, y), "probability of class 1:", &ink)?;
    write(sheet, (first - 8 * PX, y), "0", &ink.pos(ENDING))?;
    write(sheet, (edge(LEVELS) + 8 * PX, y), "1", &ink)?;
    line(sheet, &[(470 * PX, y), (500 * PX, y)], DECISION.stroke_width(18), None)?;
    write(sheet, (506 * PX, y), "decision line, 0.5", &ink)?;
    for ((class, colour), x) in CLASSES.into_iter().zip([668 * PX, 760 * PX]) {
        draw_dot(sheet, (x, y), class, 40, colour)?;
        write(sheet, (x + 12 * PX, y), &format!("class {class}"), &ink)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::canvas::texts;
    use crate::report::sample;

    #[test]
    fn a_field_of_the_wrong_size_is_refused_by_name() {
        let mut all = sample::boundaries();
        all.fields[0].probability.pop();
        let error = picture(&sample::results(), &all).expect_err("refused");
        assert!(error.to_string().contains("`sgd:1` holds 63 values"));
    }

    #[test]
    fn every_panel_is_named_and_a_diverged_one_says_so() {
        let texts = texts(&picture(&sample::results(), &sample::boundaries()).expect("drawn"));
        let count = |text: &str| texts.iter().filter(|t| *t == text).count();
        assert_eq!((count("sgd:1"), count("sgd:9"), count("diverged")), (1, 1, 1));
    }

    #[test]
    fn nine_fine_fields_stay_small() {
        let value = |i: usize| ((i % 200) as f32 / 9.0).sin() * ((i / 200) as f32 / 7.0).cos() / 2.0 + 0.5;
        let field = Boundary {
            optimizer: "x".to_owned(),
            resolution: 200,
            extent: 1.0,
            probability: (0..40_000).map(value).collect(),
        };
        let all = Boundaries {
            points: (0..5000).map(|i| ([(i as f32).sin(), (i as f32).cos()], (i % 2) as u8)).collect(),
            fields: vec![field; 9],
        };
        let text = picture(&sample::results(), &all).expect("drawn");
        assert!(text.len() < 1_100_000, "{}", text.len());
    }
}

//! Dots: one row for each part of the tasks, a dot for each optimizer at its factor, two plots side by side.

use plotters::prelude::*;

use super::ReportError;
use super::axis::{grid, log_axis};
use super::canvas::{
    self, Area, BELOW_HEADING, Drawn, ENDING, FRAME, Heading, INK, LEFT, PX, Sheet, WIDTH, bold, letters, write,
};
use super::growth::range;
use super::legend;
use super::number::tick;
use super::palette::{Style, styles};
use super::text::wrap;

const TOP: i32 = BELOW_HEADING + 10 * PX;
/// Height of a row, and room for the names of the rows.
const ROW: i32 = 22 * PX;
const BEFORE: i32 = 176 * PX;
const GAP: i32 = 26 * PX;
const BELOW: i32 = 49 * PX;
/// Factors that are shown at most; those beyond stand at the edge.
const SHOWN: [f64; 2] = [0.02, 50.0];

/// What a picture of dots shows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dots {
    /// What the factors are of.
    pub subject: String,
    /// How to read it, in one line.
    pub explanation: String,
    /// Names of the optimizers.
    pub names: Vec<String>,
    /// Titles of the plots.
    pub titles: Vec<String>,
    /// The rows.
    pub rows: Vec<Row>,
}

/// A row.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// Its name; one without values is a heading.
    pub name: String,
    /// For each plot the values of the optimizers.
    pub values: Vec<Vec<f64>>,
}

/// Draws dots.
///
/// # Errors
/// [`ReportError::Picture`] if they cannot be drawn.
pub fn dots(title: &str, all: &Dots) -> Result<String, ReportError> {
    let heading = Heading { title, subject: &all.subject, explanation: &all.explanation };
    let (bottom, styles) = (TOP + ROW * all.rows.len().max(1) as i32, styles(&all.names));
    canvas::picture(&heading, bottom + BELOW + legend::height(&all.names), |sheet| {
        let count = all.titles.len().max(1) as i32;
        let width = (WIDTH - 2 * LEFT - BEFORE - GAP * (count - 1)) / count;
        for (i, title) in all.titles.iter().enumerate() {
            let left = LEFT + BEFORE + (width + GAP) * i as i32;
            let area = Area { left, top: TOP, right: left + width, bottom };
            draw_plot(sheet, (area, &styles), (title, i), &all.rows)?;
        }
        for (i, row) in all.rows.iter().enumerate() {
            let y = TOP + ROW * i as i32 + ROW / 2;
            let style = if row.values.is_empty() { bold(14, INK) } else { letters(14, INK) };
            let room = f64::from((BEFORE - 10 * PX) / PX);
            let text = wrap(&row.name, room, 14.0, 1).concat();
            write(sheet, (LEFT + BEFORE - 8 * PX, y), &text, &style.pos(ENDING))?;
        }
        legend::draw(sheet, bottom + BELOW, &all.names)
    })
}

fn draw_plot(sheet: &Sheet<'_>, (area, styles): (Area, &[Style]), (title, plot): (&str, usize), rows: &[Row]) -> Drawn {
    let (low, high) = range(rows.iter().filter_map(|row| row.values.get(plot)).flatten());
    let (low, high) = (low.clamp(SHOWN[0], 0.8) / 1.1, high.clamp(1.25, SHOWN[1]) * 1.1);
    let mut chart = canvas::chart(sheet, area, BELOW);
    let chart = chart.margin_left(area.left).set_label_area_size(LabelAreaPosition::Left, 0);
    let mut chart = chart.build_cartesian_2d(log_axis(low, high), 0.0..rows.len().max(1) as f64)?;
    grid(&mut chart.configure_mesh())
        .disable_y_mesh()
        .disable_y_axis()
        .x_label_formatter(&|v| tick(*v))
        .x_desc(title)
        .draw()?;
    let place = |value: f64| chart.backend_coord(&(value.clamp(low, high), 0.0)).0;
    canvas::line(sheet, &[(place(1.0), area.top), (place(1.0), area.bottom)], FRAME.stroke_width(18), None)?;
    canvas::outline(sheet, area)?;
    for (i, row) in rows.iter().enumerate() {
        let y = area.top + ROW * i as i32 + ROW / 2;
        for (value, style) in row.values.get(plot).into_iter().flatten().zip(styles) {
            style.mark(sheet, (place(*value), y))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_and_name_is_there() {
        let row = |name: &str, values: &[f64]| Row { name: name.to_owned(), values: vec![values.to_vec(); 2] };
        let all = Dots {
            subject: "9 tasks".to_owned(),
            explanation: "Left is better.".to_owned(),
            names: vec!["sgd".to_owned(), "adam".to_owned()],
            titles: vec!["Training".to_owned(), "Held-out".to_owned()],
            rows: vec![
                Row { name: "activation".to_owned(), values: Vec::new() },
                row("relu", &[0.5, 1e3]),
                row("tanh", &[1.0, 0.9]),
            ],
        };
        let texts = canvas::texts(&dots("Factor", &all).unwrap());
        for part in ["Factor", "9 tasks", "sgd", "adam", "Training", "Held-out", "activation", "relu", "tanh"] {
            assert!(texts.iter().any(|text| text == part), "{part}: {texts:?}");
        }
        assert!(dots("Nothing", &Dots::default()).is_ok());
    }
}

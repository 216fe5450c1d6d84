//! What all pictures have in common: a white sheet that plotters draws on, a heading, texts and lines.
//!
//! plotters places and measures in whole units. A unit is a tenth of a pixel here, which keeps lines smooth
//! and lets them be 1.8 pixels wide; the root element scales the sheet back.

use std::io;

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::ReportError;
use super::text::{escape, printable, wrap};
use crate::record::Results;

/// A pixel, in the units of plotters.
pub(super) const PX: i32 = 10;
/// The width of every picture: it fills the column of a page, and stays legible when that column is narrower.
pub(super) const WIDTH: i32 = 960 * PX;
/// Where headings begin.
pub(super) const LEFT: i32 = 20 * PX;
/// Where the part below the heading may begin.
pub(super) const BELOW_HEADING: i32 = 84 * PX;

/// The colour of texts.
pub(super) const INK: RGBColor = RGBColor(0x22, 0x22, 0x22);
/// The colour of texts that explain.
pub(super) const SOFT: RGBColor = RGBColor(0x55, 0x55, 0x55);
/// The colour of texts that warn.
pub(super) const WARNING: RGBColor = RGBColor(0xA3, 0x30, 0x00);
/// The colour of outlines and axes.
pub(super) const FRAME: RGBColor = RGBColor(0x88, 0x88, 0x88);

/// Text that ends where it is placed.
pub(super) const ENDING: Pos = Pos { h_pos: HPos::Right, v_pos: VPos::Center };
/// Text whose middle is where it is placed.
pub(super) const CENTRED: Pos = Pos { h_pos: HPos::Center, v_pos: VPos::Center };
const BEGINNING: Pos = Pos { h_pos: HPos::Left, v_pos: VPos::Center };

const FONTS: &str = "Helvetica, Arial, sans-serif";
/// plotters writes a font size divided by this.
const FONT_SCALE: f64 = 1.24;
/// Attributes that say what is so without them; a picture of thousands of dots is much smaller without.
const NEEDLESS: [&str; 3] = [r#" stroke="none" stroke-width="1""#, r#" stroke="none""#, r#" opacity="1""#];

/// What a picture is drawn on.
pub(super) type Sheet<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// The result of drawing.
pub(super) type Drawn = Result<(), DrawingAreaErrorKind<io::Error>>;
/// A place on the sheet, y pointing down.
pub(super) type At = (i32, i32);

/// A rectangle on the sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    /// Left edge.
    pub(super) left: i32,
    /// Upper edge.
    pub(super) top: i32,
    /// Right edge.
    pub(super) right: i32,
    /// Lower edge.
    pub(super) bottom: i32,
}

/// What stands above a picture.
pub(super) struct Heading<'a> {
    /// What is shown.
    pub(super) title: &'a str,
    /// Of what, such as a task and its model.
    pub(super) subject: &'a str,
    /// How to read it, in one line.
    pub(super) explanation: &'a str,
}

/// The subject of pictures of an experiment.
pub(super) fn subject(results: &Results) -> String {
    format!("{} · {}", results.task, results.model)
}

/// Draws a picture of this height: the heading, then what `draw` adds.
pub(super) fn picture(
    heading: &Heading<'_>,
    height: i32,
    draw: impl FnOnce(&Sheet<'_>) -> Drawn,
) -> Result<String, ReportError> {
    let mut text = String::new();
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let sheet = SVGBackend::with_string(&mut text, size).into_drawing_area();
    let headed = sheet.fill(&WHITE).and_then(|()| draw_heading(&sheet, heading));
    let drawn = headed.and_then(|()| draw(&sheet)).and_then(|()| sheet.present());
    drop(sheet);
    match drawn {
        Ok(()) => Ok(described(&text, height, heading)),
        Err(e) => Err(ReportError::Picture { name: heading.title.to_owned(), reason: e.to_string() }),
    }
}

/// Replaces the root element by one that names the picture, for readers that cannot see it, and scales it.
fn described(text: &str, height: i32, heading: &Heading<'_>) -> String {
    let Heading { title, subject, .. } = heading;
    let name = escape(&format!("{title}: {subject}"));
    let body = text.split_once('\n').map_or("", |(_, body)| body).to_owned();
    let body = NEEDLESS.iter().fold(body, |body, needless| body.replace(needless, ""));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"{name}\" stroke-linejoin=\"round\">\n<title>{name}</title>\n{body}",
        WIDTH / PX,
        height / PX
    )
}

fn draw_heading(sheet: &Sheet<'_>, heading: &Heading<'_>) -> Drawn {
    write(sheet, (LEFT, 24 * PX), heading.title, &bold(19, INK))?;
    for (line, y) in [(heading.subject, 47 * PX), (heading.explanation, 66 * PX)] {
        let room = f64::from((WIDTH - 2 * LEFT) / PX);
        write(sheet, (LEFT, y), &wrap(line, room, 14.0, 1).concat(), &letters(14, SOFT))?;
    }
    Ok(())
}

/// Letters of this size in pixels and of this colour.
pub(super) fn letters(size: i32, colour: RGBColor) -> TextStyle<'static> {
    styled(size, FontStyle::Normal, colour)
}

/// Bold letters of this size in pixels and of this colour.
pub(super) fn bold(size: i32, colour: RGBColor) -> TextStyle<'static> {
    styled(size, FontStyle::Bold, colour)
}

fn styled(size: i32, style: FontStyle, colour: RGBColor) -> TextStyle<'static> {
    let font = FontDesc::new(FontFamily::Name(FONTS), f64::from(size * PX) * FONT_SCALE, style);
    TextStyle { font, color: colour.to_backend_color(), pos: BEGINNING }
}

/// Writes one line of text; `at` is half way up.
pub(super) fn write(sheet: &Sheet<'_>, at: At, text: &str, style: &TextStyle<'_>) -> Drawn {
    sheet.draw_text(&printable(text), style, at)
}

/// Draws a line through points, with dashes and gaps of these lengths if they are given.
pub(super) fn line(sheet: &Sheet<'_>, points: &[At], style: ShapeStyle, dash: Option<[i32; 2]>) -> Drawn {
    match dash {
        Some([dash, gap]) => sheet.draw(&DashedPathElement::new(points.iter().copied(), dash, gap, style)),
        None if points.len() > 1 => sheet.draw(&PathElement::new(points, style)),
        None => Ok(()),
    }
}

/// Fills a rectangle.
pub(super) fn fill(sheet: &Sheet<'_>, area: Area, colour: RGBColor) -> Drawn {
    sheet.draw(&Rectangle::new([(area.left, area.top), (area.right, area.bottom)], colour.filled()))
}

/// Draws the outline of a plot.
pub(super) fn outline(sheet: &Sheet<'_>, area: Area) -> Drawn {
    let Area { left, top, right, bottom } = area;
    let around = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
    line(sheet, &around, FRAME.stroke_width(PX.unsigned_abs()), None)
}

/// A chart that fills `area`, with room for labels on the left, and for `below` under it.
pub(super) fn chart<'a, 'b, 'c>(sheet: &'a Sheet<'b>, area: Area, below: i32) -> ChartBuilder<'a, 'c, SVGBackend<'b>> {
    let (width, height) = sheet.dim_in_pixel();
    let mut builder = ChartBuilder::on(sheet);
    builder
        .margin_top(area.top)
        .margin_right(width.saturating_sub(area.right.unsigned_abs()))
        .margin_bottom(height.saturating_sub((area.bottom + below).unsigned_abs()))
        .margin_left(12 * PX)
        .set_label_area_size(LabelAreaPosition::Left, area.left - 12 * PX)
        .set_label_area_size(LabelAreaPosition::Bottom, below);
    builder
}

/// The texts of a picture, in order, as a reader meets them.
#[cfg(test)]
pub(super) fn texts(picture: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(picture).expect("well-formed");
    let texts = document.descendants().filter(|e| e.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    texts.filter_map(|e| e.text()).map(|text| text.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn a_picture_is_well_formed_and_names_itself() {
        let mut results = sample::results();
        results.task = "a < b".to_owned();
        let heading = Heading { title: "Title", subject: &subject(&results), explanation: &"long ".repeat(99) };
        let drawn = picture(&heading, 50 * PX, |sheet| write(sheet, (0, 0), "<&>\u{1}", &bold(13, INK)));
        let drawn = drawn.expect("drawn");
        let doc = roxmltree::Document::parse(&drawn).expect("well-formed");
        let root = doc.root_element();
        assert_eq!(root.attribute("aria-label"), Some(format!("Title: a < b · {}", results.model).as_str()));
        assert_eq!((root.attribute("width"), root.attribute("height")), (Some("960"), Some("50")));
        assert!(doc.descendants().all(|e| e.attribute("id").is_none()));
        let texts = texts(&drawn);
        assert_eq!((texts[0].as_str(), texts[3].as_str()), ("Title", "<&>\u{fffd}"));
        assert!(texts[2].ends_with('…'), "a long line is cut");
        assert!(drawn.contains("font-size=\"130\""), "sizes are whole");
    }
}

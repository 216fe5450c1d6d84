//! Colours, dashes and markers: safe for colour-blind readers, and told apart without colour too.
//!
//! The colours are those of Okabe and Ito ("Color Universal Design", 2008) without their yellow, which
//! white paper swallows.

use plotters::element::{DynElement, IntoDynElement};
use plotters::prelude::*;

use super::canvas::{At, Drawn, Sheet};

/// Rounds that the learned side won.
pub(super) const LEARNED: RGBColor = RGBColor(0x00, 0x72, 0xB2);
/// Rounds that the fallback won.
pub(super) const FALLBACK: RGBColor = RGBColor(0xE6, 0x9F, 0x00);
/// Rounds without a winner.
pub(super) const NEITHER: RGBColor = RGBColor(0x99, 0x99, 0x99);
/// Training points of class 0.
pub(super) const CLASS_0: RGBColor = RGBColor(0x00, 0x45, 0x6B);
/// Training points of class 1.
pub(super) const CLASS_1: RGBColor = RGBColor(0x8A, 0x3D, 0x00);
/// Where a field has no value.
pub(super) const MISSING: RGBColor = RGBColor(0xD9, 0xD9, 0xD9);
/// Levels of the heat map.
pub(super) const LEVELS: u8 = 12;

/// Blue, vermillion, green, purple, orange, sky blue, black.
const LINES: [RGBColor; 7] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x00, 0x00, 0x00),
];

/// One dash pattern for each turn through the colours; the first is a solid line.
const DASHES: [Option<[i32; 2]>; 3] = [None, Some([90, 40]), Some([30, 30])];

/// The shape drawn at each evaluated step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle standing on its base.
    Up,
    /// A square on its corner.
    Diamond,
    /// A triangle standing on its tip.
    Down,
}

/// How the line of one optimizer looks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Style {
    /// Colour of line, band and marker.
    pub(super) colour: RGBColor,
    /// Length of dashes and gaps; none for a solid line.
    pub(super) dash: Option<[i32; 2]>,
    /// Shape of the markers.
    pub(super) marker: Marker,
    /// Whether the markers are filled or white inside.
    pub(super) filled: bool,
}

/// The style of the optimizer with this index.
///
/// The first 35 differ in colour or marker, the first 21 in colour or dash.
pub(super) fn style(index: usize) -> Style {
    use Marker::{Circle, Diamond, Down, Square, Up};
    Style {
        colour: LINES[index % LINES.len()],
        dash: DASHES[index / LINES.len() % DASHES.len()],
        marker: [Circle, Square, Up, Diamond, Down][index % 5],
        filled: (index / 5).is_multiple_of(2),
    }
}

impl Style {
    /// Draws a marker.
    pub(super) fn mark(self, sheet: &Sheet<'_>, at: At) -> Drawn {
        let (outer, inner) = self.marker.radii();
        sheet.draw(&self.marker.shape(at, outer, self.colour))?;
        if self.filled { Ok(()) } else { sheet.draw(&self.marker.shape(at, inner, WHITE)) }
    }
}

impl Marker {
    /// How far it reaches, and its white inside; chosen so that all look equally large.
    fn radii(self) -> (i32, i32) {
        match self {
            Self::Circle => (41, 27),
            Self::Square => (36, 22),
            Self::Up | Self::Down => (56, 28),
            Self::Diamond => (52, 32),
        }
    }

    fn shape<'a>(self, (x, y): At, r: i32, colour: RGBColor) -> DynElement<'static, SVGBackend<'a>, At> {
        let style = colour.filled();
        match self {
            Self::Circle => Circle::new((x, y), r, style).into_dyn(),
            Self::Square => Rectangle::new([(x - r, y - r), (x + r, y + r)], style).into_dyn(),
            Self::Up => TriangleMarker::new((x, y), r, style).into_dyn(),
            Self::Down => TriangleMarker::new((x, y), -r, style).into_dyn(),
            Self::Diamond => Polygon::new([(x, y - r), (x + r, y), (x, y + r), (x - r, y)], style).into_dyn(),
        }
    }
}

/// The colour of a level of the heat map, from blue (0) through white to orange (`LEVELS - 1`).
pub(super) fn level_colour(level: u8) -> RGBColor {
    const BLUE: [f64; 3] = [74.0, 152.0, 200.0];
    const ORANGE: [f64; 3] = [236.0, 148.0, 56.0];
    let share = (f64::from(level) + 0.5) / f64::from(LEVELS);
    let (end, strength) = if share < 0.5 { (BLUE, 1.0 - 2.0 * share) } else { (ORANGE, 2.0 * share - 1.0) };
    let [r, g, b] = end.map(|c| libm::round(255.0 + (c - 255.0) * strength) as u8);
    RGBColor(r, g, b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twelve_optimizers_differ_in_more_than_colour() {
        let styles: Vec<Style> = (0..12).map(style).collect();
        for (i, a) in styles.iter().enumerate() {
            for b in &styles[..i] {
                assert_ne!(a, b);
                assert!(a.colour != b.colour || a.dash != b.dash);
                assert!(a.marker != b.marker || a.filled != b.filled || a.dash != b.dash);
            }
        }
    }

    #[test]
    fn the_heat_map_is_blue_then_orange_and_pale_in_the_middle() {
        let first = level_colour(0);
        assert!(first.2 > first.0, "low levels are blue");
        let last = level_colour(LEVELS - 1);
        assert!(last.0 > last.2, "high ones orange");
        let RGBColor(r, g, b) = level_colour(LEVELS / 2);
        assert!([r, g, b].iter().all(|c| *c > 200), "the middle is pale");
    }
}

//! Colours, dashes and markers: safe for colour-blind readers, and told apart without colour too.
//!
//! The colours are those of Okabe and Ito ("Color Universal Design", 2008) without their yellow, which
//! white paper swallows.

use plotters::element::{DynElement, IntoDynElement};
use plotters::prelude::*;

use super::canvas::{At, Drawn, Sheet};
use crate::optimizer::guards;

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

/// Blue, vermillion, green, purple, orange, sky blue, black; then brown, crimson and dark cyan, which are not theirs.
const LINES: [RGBColor; 10] = [
    RGBColor(0x00, 0x72, 0xB2),
    RGBColor(0xD5, 0x5E, 0x00),
    RGBColor(0x00, 0x9E, 0x73),
    RGBColor(0xCC, 0x79, 0xA7),
    RGBColor(0xE6, 0x9F, 0x00),
    RGBColor(0x56, 0xB4, 0xE9),
    RGBColor(0x00, 0x00, 0x00),
    RGBColor(0x7B, 0x3F, 0x00),
    RGBColor(0xAD, 0x14, 0x57),
    RGBColor(0x00, 0x60, 0x64),
];

/// One dash pattern for each turn through the colours; the first is a solid line.
const DASHES: [Option<[i32; 2]>; 3] = [None, Some([90, 40]), Some([30, 30])];

/// The colour of controls, which are there for comparison alone.
const CONTROL: RGBColor = RGBColor(0x80, 0x80, 0x80);
/// Guards and learned rules that are there for comparison alone.
const CONTROLS: [&str; 4] = ["gl2o", "blend", "lstm", "rnnprop"];
/// Guards with a fallback that their names do not say, and this fallback.
const SHORT: [(&str, &str); 3] = [("auto", "ngn"), ("auto-lean", "ngn"), ("auto-rotated", "ngn")];

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

/// The styles of optimizers: a guarded one has the hue of its fallback, and is solid; controls are grey. What stands before `: ` in a
/// name is words.
///
/// Lines of one hue differ in their dashes, up to three, and neighbours in their markers.
pub(super) fn styles<S: AsRef<str>>(names: &[S]) -> Vec<Style> {
    use Marker::{Circle, Diamond, Down, Square, Up};
    let names: Vec<&str> = names.iter().map(|name| expression(name.as_ref())).collect();
    let mut hues: Vec<&str> = Vec::new();
    let style = |i: usize| {
        let hue = hue(names[i], &names);
        let place = hues.iter().position(|known| *known == hue).unwrap_or_else(|| {
            hues.push(hue);
            hues.len() - 1
        });
        let colour = if is_control(names[i]) { CONTROL } else { LINES[place % LINES.len()] };
        let marker = [Circle, Square, Up, Diamond, Down][i % 5];
        Style { colour, dash: None, marker, filled: (i / 5).is_multiple_of(2) }
    };
    let mut all: Vec<Style> = (0..names.len()).map(style).collect();
    // The guarded ones first: they are to be solid.
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_by_key(|&i| fallback(names[i]).is_none());
    for (done, &i) in order.iter().enumerate() {
        let same = order[..done].iter().filter(|&&other| all[other].colour == all[i].colour).count();
        all[i].dash = DASHES[same % DASHES.len()];
    }
    all
}

/// The expression in a name.
fn expression(name: &str) -> &str {
    name.rsplit_once(": ").map_or(name, |(_, expression)| expression)
}

/// A rule's name, without its averaging and its settings.
fn rule(name: &str) -> &str {
    let name = name.trim().trim_start_matches("avg-");
    name.split([':', '(', ',']).next().unwrap_or(name)
}

fn is_control(name: &str) -> bool {
    CONTROLS.contains(&rule(name))
}

/// The fallback of a guarded optimizer.
fn fallback(name: &str) -> Option<&str> {
    let own = rule(name);
    if let Some((_, fallback)) = SHORT.iter().find(|(short, _)| *short == own) {
        return Some(fallback);
    }
    // Its second argument.
    let arguments = guards::find(own).is_some().then(|| name.split_once('('))??.1.trim_end_matches(')');
    let mut depth = 0_u32;
    let mut outside = arguments.split(|c| {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    outside.nth(1).map(str::trim)
}

/// What gives a name its hue: a guard's fallback as it stands among the names, or else its rule.
fn hue<'a>(name: &'a str, names: &[&'a str]) -> &'a str {
    let Some(fallback) = fallback(name) else { return name };
    let plain = || names.iter().filter(|other| self::fallback(other).is_none() && !is_control(other));
    let same = plain().find(|other| **other == fallback);
    let alike = || plain().find(|other| rule(other) == rule(fallback));
    same.or_else(alike).copied().unwrap_or_else(|| rule(fallback))
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
        let names: Vec<String> = (0..12).map(|i| format!("rule-{i}")).collect();
        let styles = styles(&names);
        for (i, a) in styles.iter().enumerate() {
            for b in &styles[..i] {
                assert_ne!(a, b);
                assert!(a.colour != b.colour || a.dash != b.dash);
                assert!(a.marker != b.marker || a.filled != b.filled || a.dash != b.dash);
            }
        }
    }

    #[test]
    fn a_guarded_run_has_the_hue_of_its_fallback_and_controls_are_grey() {
        let names = [
            "sgd:1",
            "adam:0.1",
            "lgl2o(avg-l2o,sgd:1,nt=3)",
            "relay(l2o,adam:0.3)",
            "auto",
            "avg-ngn",
            "gl2o(l2o,sgd:1)",
            "rnnprop",
            "lgl2o(l2o,lion:1)",
            "SGD behind a guard: relay(l2o,sgd)",
        ];
        let all = styles(&names);
        let is_same = |a: usize, b: usize| all[a].colour == all[b].colour && all[a].dash != all[b].dash;
        assert!(is_same(1, 3), "the same rule with another rate");
        assert!(is_same(4, 5), "auto falls back to ngn");
        assert!(is_same(0, 2) && all[0].colour == all[9].colour && all[0].colour != all[1].colour);
        assert!([6, 7].iter().all(|&i| all[i].colour == CONTROL) && all[8].colour != CONTROL);
        assert!([3, 4, 8].iter().all(|&i| all[i].dash.is_none()), "guarded lines are solid");
        assert_eq!(fallback("lgl2o(rule(1,2),adam:1/(2+i),nt=3)"), Some("adam:1/(2+i)"));
        for guard in guards::GUARDS {
            assert_eq!(fallback(&format!("{}(l2o,sgd:1)", guard.name)), Some("sgd:1"), "{}", guard.name);
        }
        assert_eq!([fallback("sgd:1"), fallback("lgl2o"), fallback("relay(l2o)")], [None; 3]);
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

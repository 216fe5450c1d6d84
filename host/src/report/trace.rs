//! The way of one optimizer through the plot: its line, the band around it, its markers.

use plotters::prelude::*;

use super::canvas::{Area, At, Drawn, PX, Sheet, line};
use super::clip::{held_down, visible};
use super::palette::Style;
use super::series::{Kind, Series, Stat};

/// What the horizontal axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Training steps.
    Step,
    /// Forward passes of one minibatch.
    Cost,
}

impl By {
    /// Where a point stands on the axis.
    pub(super) fn of(self, point: &Stat) -> f64 {
        match self {
            Self::Step => point.step as f64,
            Self::Cost => point.cost,
        }
    }

    /// The titles of the picture and of the axis.
    pub(super) fn titles(self) -> (&'static str, &'static str) {
        match self {
            Self::Step => ("Held-out loss by training step", "Training step"),
            Self::Cost => ("Held-out loss by cost", "Cost: forward passes of one minibatch (a gradient counts as 3)"),
        }
    }
}

/// Where one optimizer runs through the plot.
pub(super) struct Trace<'a> {
    /// Whose way it is.
    pub(super) series: &'a Series<'a>,
    /// How it looks.
    pub(super) style: Style,
    /// Mean, upper and lower edge of the band, as long as every seed has a finite loss.
    pub(super) whole: Vec<[At; 3]>,
    /// Mean of the seeds that are left, from the last whole point on.
    pub(super) partial: Vec<At>,
    /// Where the first seed lost its loss.
    pub(super) lost: Option<i32>,
}

/// Follows an optimizer through the plot; `place` knows where a step or cost and a loss stand.
pub(super) fn trace<'a>(series: &'a Series<'a>, style: Style, by: By, place: impl Fn(f64, f64) -> At) -> Trace<'a> {
    let mut trace = Trace { series, style, whole: Vec::new(), partial: Vec::new(), lost: None };
    for point in series.points.iter().filter(|p| by.of(p) > 0.0) {
        let at = |loss: f64| place(by.of(point), loss);
        if point.diverged > 0 && trace.lost.is_none() {
            trace.lost = Some(at(1.0).0);
            trace.partial.extend(trace.whole.last().map(|p| p[0]));
        }
        match (point.mean, trace.lost) {
            (Some(mean), None) => trace.whole.push([mean, point.high, point.low].map(at)),
            (Some(mean), Some(_)) => trace.partial.push(at(mean)),
            (None, _) => {}
        }
    }
    trace
}

impl Trace<'_> {
    /// The line as long as every seed has a finite loss.
    pub(super) fn means(&self) -> Vec<At> {
        self.whole.iter().map(|p| p[0]).collect()
    }

    /// The last point that is drawn; `None` if nothing is left at the end.
    pub(super) fn end(&self) -> Option<At> {
        let gone = self.series.points.last().is_none_or(|p| p.alive == 0);
        let last = self.partial.last().copied().or_else(|| self.whole.last().map(|p| p[0]));
        last.filter(|_| !gone)
    }

    /// How the line looks; guarded optimizers stand out.
    pub(super) fn stroke(&self) -> ShapeStyle {
        self.style.colour.stroke_width(match self.series.kind {
            Kind::Guarded => 32,
            Kind::Learned => 22,
            Kind::Plain => 18,
        })
    }
}

/// Draws the band from the lowest to the highest seed.
pub(super) fn draw_band(sheet: &Sheet<'_>, area: Area, trace: &Trace<'_>) -> Drawn {
    if trace.series.runs.len() < 2 || trace.whole.len() < 2 {
        return Ok(());
    }
    let edge = |of: usize| held_down(&trace.whole.iter().map(|p| p[of]).collect::<Vec<At>>(), area.top);
    let around: Vec<At> = edge(1).into_iter().chain(edge(2).into_iter().rev()).collect();
    sheet.draw(&Polygon::new(around, trace.style.colour.mix(0.13)))
}

/// Draws the line, faint where seeds are missing, and its way out where the first one is lost.
pub(super) fn draw_lines(sheet: &Sheet<'_>, area: Area, trace: &Trace<'_>) -> Drawn {
    let Style { colour, dash, .. } = trace.style;
    let draw = |points: &[At], style: ShapeStyle| {
        visible(points, area.top).iter().try_for_each(|part| line(sheet, part, style, dash))
    };
    draw(&trace.means(), trace.stroke())?;
    draw(&trace.partial, colour.mix(0.45).stroke_width(14))?;
    match (trace.lost, trace.whole.last()) {
        (Some(x), Some(last)) => draw(&[last[0], (x, area.top)], colour.stroke_width(14)),
        _ => Ok(()),
    }
}

/// Draws markers on the line, where it is visible and they do not crowd.
pub(super) fn draw_markers(sheet: &Sheet<'_>, area: Area, trace: &Trace<'_>) -> Drawn {
    let mut free = i32::MIN;
    for at in trace.means() {
        if at.0 >= free && at.1 >= area.top {
            trace.style.mark(sheet, at)?;
            free = at.0 + 9 * PX;
        }
    }
    Ok(())
}

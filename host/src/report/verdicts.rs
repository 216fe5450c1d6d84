//! Who won the rounds: one band per guarded optimizer, the share of each side by training step.
//!
//! Steps are gathered into bins that are equally wide on a logarithmic axis. The height of a colour in a bin
//! is the share of its steps, over all seeds, that belong to rounds with that verdict.

use plotters::prelude::*;

use super::ReportError;
use super::axis::log_axis;
use super::canvas::{
    self, Area, BELOW_HEADING, Drawn, ENDING, FRAME, Heading, INK, PX, SOFT, Sheet, WIDTH, bold, letters, write,
};
use super::number::{percent, tick};
use super::palette::{FALLBACK, LEARNED, NEITHER};
use super::series::{self, Kind, Series};
use super::text::wrap;
use crate::record::{Results, Run, Winner};

/// At most this many bins.
const BINS: u32 = 90;
/// Height of a band, and from one band to the next.
const BAND: i32 = 76 * PX;
const PITCH: i32 = BAND + 44 * PX;
const PLOT_LEFT: i32 = 84 * PX;
const PLOT_RIGHT: i32 = WIDTH - 24 * PX;
/// The first band begins here, below the legend.
const FIRST: i32 = BELOW_HEADING + 58 * PX;
/// Room for tick labels and title below the last band.
const BELOW: i32 = 49 * PX;
/// Where no run has a verdict.
const EMPTY: RGBColor = RGBColor(0xF4, 0xF4, 0xF4);

/// Why a picture would show nothing, as a sentence.
fn needless(guarded: &[&Series<'_>]) -> Option<String> {
    let stretches = guarded.iter().flat_map(|s| &s.runs).flat_map(|run| &run.verdicts);
    let mut winners: Vec<Winner> = stretches.map(|one| one.winner).collect();
    winners.dedup();
    let words = match winners.as_slice() {
        [] => return Some("No optimizer here has a guard, so there are no rounds to show.".to_owned()),
        [Winner::Learned] => "the learned side won",
        [Winner::Fallback] => "the fallback won",
        [Winner::Neither] => "neither side won",
        _ => return None,
    };
    Some(format!("In every round of every guarded run {words}, so there is no picture of who won when."))
}

/// Draws the picture; where it would show nothing, says why.
pub(super) fn picture(results: &Results, all: &[Series<'_>]) -> Result<Result<String, String>, ReportError> {
    let guarded: Vec<&Series<'_>> = all.iter().filter(|s| s.kind == Kind::Guarded).collect();
    match needless(&guarded) {
        Some(why) => Ok(Err(why)),
        None => draw(results, &guarded).map(Ok),
    }
}

fn draw(results: &Results, guarded: &[&Series<'_>]) -> Result<String, ReportError> {
    let explanation = match series::seeds(results).len() {
        1 => "Share of the training steps in rounds with each verdict, one seed.".to_owned(),
        seeds => format!("Share of the training steps in rounds with each verdict, over {seeds} seeds."),
    };
    let heading =
        Heading { title: "Who won the rounds", subject: &canvas::subject(results), explanation: &explanation };
    let before = guarded.len().saturating_sub(1);
    let top = |i: usize| FIRST + PITCH * i as i32;
    canvas::picture(&heading, top(before) + BAND + BELOW + 10 * PX, |sheet| {
        draw_legend(sheet, BELOW_HEADING + 9 * PX)?;
        let edges = edges(last_step(guarded));
        for (i, one) in guarded.iter().enumerate() {
            let area = Area { left: PLOT_LEFT, top: top(i), right: PLOT_RIGHT, bottom: top(i) + BAND };
            draw_band(sheet, area, &edges, one, if i == before { BELOW } else { 0 })?;
            draw_name(sheet, area, one)?;
        }
        Ok(())
    })
}

fn draw_legend(sheet: &Sheet<'_>, y: i32) -> Drawn {
    let entries = [(LEARNED, "learned side won"), (NEITHER, "neither: parameters kept"), (FALLBACK, "fallback won")];
    for ((colour, words), left) in entries.into_iter().zip([PLOT_LEFT, 290 * PX, 530 * PX]) {
        let swatch = Area { left, top: y - 7 * PX, right: left + 22 * PX, bottom: y + 7 * PX };
        canvas::fill(sheet, swatch, colour)?;
        write(sheet, (left + 30 * PX, y), words, &letters(14, INK))?;
    }
    Ok(())
}

/// Draws the shares as three staircases, the tallest first, so that no seams show between the bins, and a grid
/// over them; `below` is the room for an axis.
fn draw_band(sheet: &Sheet<'_>, area: Area, edges: &[u64], one: &Series<'_>, below: i32) -> Drawn {
    let end = edges.last().map_or(2.0, |e| *e as f64);
    let mut chart = canvas::chart(sheet, area, below).build_cartesian_2d(log_axis(1.0, end), 0.0..1.0)?;
    chart.plotting_area().fill(&EMPTY)?;
    let shares = shares(&one.runs, edges);
    let sums = [(FALLBACK, [1.0, 1.0, 1.0]), (NEITHER, [1.0, 1.0, 0.0]), (LEARNED, [1.0, 0.0, 0.0])];
    for (colour, weights) in sums {
        let steps = shares.iter().zip(edges.windows(2)).flat_map(|(bin, e)| {
            let height: f64 = bin.iter().zip(weights).map(|(share, weight)| share * weight).sum();
            [e[0], e[1]].map(|edge| (edge as f64, height.min(1.0)))
        });
        chart.draw_series(AreaSeries::new(steps, 0.0, colour.filled()))?;
    }
    chart
        .configure_mesh()
        .y_labels(3)
        .bold_line_style(WHITE.mix(0.5).stroke_width(8))
        .light_line_style(TRANSPARENT)
        .axis_style(FRAME.stroke_width(10))
        .set_all_tick_mark_size(4 * PX)
        .x_label_style(letters(14, INK))
        .y_label_style(letters(13, SOFT))
        .axis_desc_style(letters(15, INK))
        .x_label_formatter(&|v| tick(*v))
        .y_label_formatter(&|v| format!("{:.0} %", v * 100.0))
        .x_desc("Training step")
        .draw()?;
    canvas::outline(sheet, area)
}

/// Writes the name of an optimizer and the share of its learned side above its band.
fn draw_name(sheet: &Sheet<'_>, area: Area, one: &Series<'_>) -> Drawn {
    let y = area.top - 14 * PX;
    let room = f64::from((PLOT_RIGHT - PLOT_LEFT) / PX) - 290.0;
    write(sheet, (area.left, y), &wrap(one.name, room, 15.0, 1).concat(), &bold(15, INK))?;
    let Some(share) = one.learned_steps_share() else { return Ok(()) };
    let words = format!("{} % learned steps", percent(share));
    write(sheet, (area.right, y), &words, &letters(14, INK).pos(ENDING))
}

/// The last step with a verdict.
fn last_step(guarded: &[&Series<'_>]) -> u64 {
    let runs = guarded.iter().flat_map(|s| &s.runs);
    let stretches = runs.flat_map(|r| &r.verdicts);
    stretches.map(|v| v.until).max().unwrap_or(1).max(1)
}

/// Where the bins begin, from step 1, and where the last one ends: whole steps, about equally far apart on a
/// logarithmic axis.
fn edges(last: u64) -> Vec<u64> {
    let span = libm::log(last as f64 + 1.0);
    let edge = |k: u32| libm::round(libm::exp(span * f64::from(k) / f64::from(BINS))) as u64;
    let mut edges: Vec<u64> = (0..=BINS).map(edge).collect();
    edges.dedup();
    edges
}

/// For each bin, the shares of learned, neither and fallback; all zero where no run has a verdict.
fn shares(runs: &[&Run], edges: &[u64]) -> Vec<[f64; 3]> {
    let mut counts = vec![[0_u64; 3]; edges.len() - 1];
    for run in runs {
        let mut from = 1;
        for stretch in &run.verdicts {
            let side = match stretch.winner {
                Winner::Learned => 0,
                Winner::Neither => 1,
                Winner::Fallback => 2,
            };
            add(&mut counts, edges, (from, stretch.until.saturating_add(1)), side);
            from = from.max(stretch.until.saturating_add(1));
        }
    }
    let normed = counts.into_iter().map(|bin| {
        let total: u64 = bin.iter().sum();
        bin.map(|c| if total == 0 { 0.0 } else { c as f64 / total as f64 })
    });
    normed.collect()
}

/// Adds the steps from `from` up to but not including `to` to the bins they fall into.
fn add(counts: &mut [[u64; 3]], edges: &[u64], (from, to): (u64, u64), side: usize) {
    let first = edges.partition_point(|&e| e <= from).saturating_sub(1);
    for (bin, pair) in counts.iter_mut().zip(edges.windows(2)).skip(first) {
        if pair[0] >= to {
            break;
        }
        bin[side] += to.min(pair[1]).saturating_sub(from.max(pair[0]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Verdicts;
    use crate::report::sample;

    #[test]
    fn bins_cover_every_step_once() {
        for last in [1, 2, 50, 3000, 1_000_000] {
            let edges = edges(last);
            assert_eq!((edges[0], edges[edges.len() - 1]), (1, last + 1));
            assert!(edges.windows(2).all(|w| w[0] < w[1]));
        }
    }

    #[test]
    fn shares_add_up_to_one_and_agree_with_counting() {
        let mut run = sample::results().runs.remove(6);
        let winners = [Winner::Learned, Winner::Fallback, Winner::Neither];
        run.verdicts = (0..40).map(|i| Verdicts { winner: winners[i % 3], until: (i * i + 1) as u64 }).collect();
        let edges = edges(1522);
        let winner_of = |step: u64| run.verdicts.iter().find(|v| v.until >= step).map(|v| v.winner);
        for (bin, pair) in shares(&[&run], &edges).iter().zip(edges.windows(2)) {
            assert!((bin.iter().sum::<f64>() - 1.0).abs() < 1e-12);
            let learned = (pair[0]..pair[1]).filter(|&s| winner_of(s) == Some(Winner::Learned));
            let expected = learned.count() as f64 / (pair[1] - pair[0]) as f64;
            assert!((bin[0] - expected).abs() < 1e-12, "{pair:?}");
        }
    }

    #[test]
    fn bands_name_their_optimizer_and_its_share() {
        let results = sample::results();
        let drawn = picture(&results, &series::series(&results)).expect("drawn").expect("a picture");
        let texts = canvas::texts(&drawn);
        for part in ["lgl2o(l2o,sgd:1)", "25.0 % learned steps", "50 %", "100 %", "1k"] {
            assert!(texts.iter().any(|t| t == part), "{part}: {texts:?}");
        }
        assert!(!texts.iter().any(|t| t == "sgd:9"));
    }

    #[test]
    fn without_a_guard_or_with_one_winner_a_sentence_says_so() {
        let mut results = sample::results();
        let said =
            |results: &Results| picture(results, &series::series(results)).expect("no fault").expect_err("a sentence");
        for run in &mut results.runs {
            run.verdicts.iter_mut().for_each(|one| one.winner = Winner::Fallback);
        }
        assert!(said(&results).contains("every guarded run the fallback won"));
        results.runs.iter_mut().for_each(|r| r.verdicts.clear());
        assert!(said(&results).contains("No optimizer here has a guard"));
    }
}

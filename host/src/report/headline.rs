//! What a comparison found out, in sentences: what the product did, what it lost to and what it beat; which curves coincide.

use super::number::{grouped, significant};
use super::series::{Kind, Series};
use super::text::escape;
use crate::record::Results;

/// The optimizer that the headline is about.
const PRODUCT: &str = "auto";
/// So many names are listed; of the others the number.
const LISTED: usize = 4;
/// Curves that are nowhere further apart than this share of their height look like one.
const ALIKE: f64 = 2e-3;

/// An optimizer and its mean loss after the last step.
type End<'a> = (&'a str, f64);

/// Sentences about the outcome, as HTML: the product beside all others, and who diverged.
pub(super) fn findings(results: &Results, all: &[Series<'_>]) -> Vec<String> {
    let last = results.summary.iter().map(|s| s.step).max().unwrap_or(0);
    let ends = results.summary.iter().filter(|s| s.step == last);
    let mut ends: Vec<End<'_>> =
        ends.filter_map(|s| Some((s.optimizer.as_str(), s.test_loss_mean.filter(|mean| mean.is_finite())?))).collect();
    ends.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut out: Vec<String> = outcome(&ends, subject(all), last).into_iter().collect();
    for one in all.iter().filter(|s| s.diverged() > 0) {
        out.push(format!("{} diverged for {} of {} seeds.", code(one.name), one.diverged(), one.runs.len()));
    }
    out
}

/// Whom the headline is about: `auto`, or else the first guarded optimizer.
fn subject<'a>(all: &[Series<'a>]) -> Option<&'a str> {
    let product = all.iter().find(|s| s.name == PRODUCT);
    product.or_else(|| all.iter().find(|s| s.kind == Kind::Guarded)).map(|s| s.name)
}

/// How the subject did beside the others; without one, who was the best. `ends` begins with the lowest loss.
fn outcome(ends: &[End<'_>], subject: Option<&str>, last: u64) -> Option<String> {
    let steps = grouped(last);
    let Some(own) = subject.and_then(|name| ends.iter().find(|end| end.0 == name)) else {
        let (best, mean) = ends.first()?;
        return Some(format!(
            "After {steps} steps the lowest mean held-out loss is {}, reached by {}.",
            significant(*mean),
            code(best)
        ));
    };
    let printed = significant(own.1);
    let (alike, others): (Vec<&End<'_>>, Vec<&End<'_>>) =
        ends.iter().filter(|end| end.0 != own.0).partition(|end| significant(end.1) == printed);
    let (better, worse): (Vec<&End<'_>>, Vec<&End<'_>>) = others.into_iter().partition(|end| end.1 < own.1);
    let mut text = format!("After {steps} steps {} has a mean held-out loss of <b>{printed}</b>.", code(own.0));
    text.push_str(&match better.len() {
        0 if ends.len() > 1 => " No other is lower.".to_owned(),
        0 => String::new(),
        _ => format!(" It lost to {}.", list(&better)),
    });
    if !alike.is_empty() {
        text.push_str(&format!(" Level with it: {}.", list(&alike)));
    }
    if !worse.is_empty() {
        text.push_str(&format!(" It beat {}.", list(&worse)));
    }
    Some(text)
}

fn list(ends: &[&End<'_>]) -> String {
    let shown: Vec<String> =
        ends.iter().take(LISTED).map(|(name, mean)| format!("{} ({})", code(name), significant(*mean))).collect();
    match ends.len().saturating_sub(LISTED) {
        0 => shown.join(", "),
        1 => format!("{} and one other", shown.join(", ")),
        more => format!("{} and {more} others", shown.join(", ")),
    }
}

fn code(name: &str) -> String {
    format!("<code>{}</code>", escape(name))
}

/// Names the lines of a picture that look like one, if there are any.
pub(crate) fn coincidences<S: AsRef<str>>(lines: &[(S, Vec<f64>)]) -> Option<String> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (i, (_, line)) in lines.iter().enumerate() {
        match groups.iter_mut().find(|group| are_alike(&lines[group[0]].1, line)) {
            Some(group) => group.push(i),
            None => groups.push(vec![i]),
        }
    }
    let names = |group: Vec<usize>| group.into_iter().map(|i| lines[i].0.as_ref()).collect::<Vec<_>>().join(" and ");
    let groups: Vec<String> = groups.into_iter().filter(|group| group.len() > 1).map(names).collect();
    (!groups.is_empty())
        .then(|| format!("Lines that coincide, so that the last hides the others: {}.", groups.join("; ")))
}

fn are_alike(a: &[f64], b: &[f64]) -> bool {
    let close = |(a, b): (&f64, &f64)| a.to_bits() == b.to_bits() || (a - b).abs() <= ALIKE * a.abs().max(b.abs());
    a.len() == b.len() && a.len() > 1 && a.iter().zip(b).all(close)
}

/// [`coincidences`] of the curves of losses. An optimizer whose rounds are longer has fewer points.
pub(super) fn of_curves(all: &[Series<'_>]) -> Option<String> {
    let curve = |one: &Series<'_>| -> Vec<f64> {
        one.points.iter().filter(|p| p.step > 0).flat_map(|p| [p.step as f64, p.mean.unwrap_or(f64::NAN)]).collect()
    };
    coincidences(&all.iter().map(|one| (one.name, curve(one))).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{sample, series};

    #[test]
    fn the_headline_says_what_the_product_did_and_what_it_lost_to() {
        let ends = [("a", 0.1), ("auto", 0.2), ("b", 0.2001), ("c", 0.3), ("d<", 0.4)];
        let said = outcome(&ends, Some("auto"), 3000).unwrap();
        for part in ["After 3000 steps <code>auto</code>", "<b>0.200</b>", "lost to <code>a</code> (0.100).", "Level"] {
            assert!(said.contains(part), "{part}: {said}");
        }
        assert!(said.contains("beat <code>c</code> (0.300), <code>d&lt;</code> (0.400)."), "{said}");
        let best = outcome(&ends[1..], Some("auto"), 10).unwrap();
        assert!(best.contains("No other is lower.") && !best.contains("lost to"), "{best}");
        assert!(outcome(&ends, None, 10).unwrap().contains("reached by <code>a</code>"));
        assert!(outcome(&[], Some("auto"), 10).is_none());
    }

    #[test]
    fn long_lists_are_cut_with_a_number() {
        let all: Vec<(String, f64)> = (0..7).map(|i| (format!("r{i}"), f64::from(i))).collect();
        let ends: Vec<End<'_>> = all.iter().map(|(name, mean)| (name.as_str(), *mean)).collect();
        assert!(list(&ends.iter().collect::<Vec<_>>()).ends_with("and 3 others"));
        assert!(list(&ends[..5].iter().collect::<Vec<_>>()).ends_with("and one other"));
    }

    #[test]
    fn lines_that_coincide_are_named() {
        let lines = [("a", vec![1.0, 2.0]), ("b", vec![1.5, 2.0]), ("c", vec![1.0, 2.001]), ("d", vec![1.0])];
        assert!(coincidences(&lines).unwrap().ends_with(": a and c."));
        assert_eq!(coincidences(&lines[..2]), None);
        let results = sample::results();
        assert_eq!(of_curves(&series::series(&results)), None);
    }
}

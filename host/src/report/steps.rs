//! Which of the evaluated steps get a column in the table.

use crate::record::Results;

/// Steps that make a good column, if they were evaluated.
const PREFERRED: [u64; 5] = [50, 100, 300, 1000, 3000];
/// At most so many columns.
const MOST: usize = 5;
/// At least so many, if as many steps were evaluated.
const FEWEST: usize = 3;

/// The preferred steps, where there are too few of them those farthest from the others, and always the last.
pub(super) fn chosen(results: &Results) -> Vec<u64> {
    let mut known: Vec<u64> = results.summary.iter().map(|s| s.step).collect();
    known.retain(|&s| s > 0);
    known.sort_unstable();
    known.dedup();
    let Some(last) = known.pop() else {
        return Vec::new();
    };
    let mut chosen = vec![last];
    let preferred = PREFERRED.iter().rev().filter(|s| known.contains(s));
    chosen.extend(preferred.take(MOST - 1));
    while chosen.len() < FEWEST.min(known.len() + 1) {
        let nearest = |s: u64| {
            let apart = |&c: &u64| libm::fabs(libm::log(s as f64 / c as f64));
            chosen.iter().map(apart).fold(f64::INFINITY, f64::min)
        };
        let far = known.iter().max_by(|a, b| nearest(**a).total_cmp(&nearest(**b)));
        chosen.extend(far.copied());
    }
    chosen.sort_unstable();
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn the_preferred_steps_and_the_last_are_chosen() {
        assert_eq!(chosen(&sample::results()), [50, 100, 300, 1000, 3000]);
    }

    #[test]
    fn few_steps_are_filled_up_and_the_last_is_always_there() {
        let mut results = sample::results();
        results.summary.retain(|s| s.step <= 10);
        assert_eq!(chosen(&results), [1, 10]);
        for (i, s) in results.summary.iter_mut().enumerate() {
            s.step = [7, 20, 30, 40][i % 4];
        }
        assert_eq!(chosen(&results), [7, 20, 40]);
    }

    #[test]
    fn a_longer_run_drops_the_earliest_steps() {
        let mut results = sample::results();
        results.summary[0].step = 10_000;
        assert_eq!(chosen(&results), [100, 300, 1000, 3000, 10_000]);
    }

    #[test]
    fn without_a_summary_there_is_nothing_to_choose() {
        let mut results = sample::results();
        results.summary.clear();
        assert!(chosen(&results).is_empty());
    }
}

//! What is claimed of the guard and the learned optimizers, held against what was measured.
//!
//! A claim that fails stays in the report; one that cannot be measured, because a run is too short or was left out,
//! says so. What is claimed stands with each experiment. All losses are means over the seeds on held-out data.

use super::finding::Finding;
use crate::report::number::significant;

/// A claim with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Number of the experiment in the list.
    pub experiment: usize,
    /// What is claimed.
    pub claim: String,
    /// What would be reached.
    pub target: String,
    /// What was measured.
    pub measured: String,
    /// Whether it was; `None` if it could not be measured.
    pub reached: Option<bool>,
}

/// The guarded mean may be this many times the fallback's.
pub const NO_WORSE: f64 = 1.05;

/// A claim on a finding, worded and judged.
pub(super) fn claim(finding: &Finding, claim: String, target: String, measured: Option<(String, bool)>) -> Claim {
    let (measured, reached) = match measured {
        Some((text, reached)) => (text, Some(reached)),
        None => ("nothing: the runs are too short, or one of them was left out".to_owned(), None),
    };
    Claim { experiment: finding.experiment, claim, target, measured, reached }
}

/// The checkpoints from a tenth of the horizon on.
pub(super) fn late(finding: &Finding) -> impl Iterator<Item = u64> + use<> {
    let steps = finding.steps;
    finding.checkpoints().into_iter().filter(move |step| step * 10 >= steps)
}

/// The largest ratio of two mean losses, and where it is.
pub(super) struct Worst {
    /// Infinite if the first diverged.
    pub(super) ratio: f64,
    /// The step.
    pub(super) step: u64,
}

impl Worst {
    /// The worse of two, the first of equals.
    pub(super) fn or(self, other: Self) -> Self {
        if other.ratio > self.ratio { other } else { self }
    }

    /// The ratio in words, and whether it is within a limit.
    pub(super) fn judged(&self, limit: f64) -> (String, bool) {
        let text = match self.ratio.is_finite() {
            true => format!("at worst {} times, at step {}", significant(self.ratio), self.step),
            false => format!("diverged by step {}", self.step),
        };
        (text, self.ratio <= limit)
    }
}

/// The worst ratio over some steps at which the second optimizer has a loss.
pub(super) fn worst_ratio(
    finding: &Finding,
    own: &str,
    other: &str,
    steps: impl IntoIterator<Item = u64>,
) -> Option<Worst> {
    let ratios = steps.into_iter().filter_map(|step| {
        let theirs = finding.mean(other, step)?;
        Some(Worst { ratio: finding.ratio(own, step, theirs)?, step })
    });
    ratios.reduce(Worst::or)
}

/// A loss in words.
pub(super) fn loss_or_diverged(loss: Option<f64>) -> String {
    loss.map_or_else(|| "diverged".to_owned(), significant)
}

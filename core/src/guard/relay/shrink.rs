//! The scale of the last layer, which held-out rows choose.
//!
//! ```text
//! y    the running point x with all parameters of its last layer multiplied by c, c = 1, 3/4, 1/2, 3/8, 1/4, ...
//! At the end of a window y is compared with S in the place of x. Then the next c on one side is tried, too: if its loss on the
//! held-out rows is lower, it becomes c; if not, the next window tries the other side. A run that begins afresh has c = 1.
//! ```
//!
//! A network that fits all of its training examples is too confident about others: most of its loss on held-out rows
//! comes not from a wrong class but from a probability too close to 0. One factor for all of the last layer, and so for
//! the values before the softmax, corrects that (temperature scaling: Guo, Pleiss, Sun, Weinberger 2017, "On Calibration
//! of Modern Neural Networks", arXiv 1706.04599). Here the factor is part of the accepted parameters, so prediction knows
//! nothing of it. The running point keeps its own scale. c never exceeds 1: with a few rows that are all classified
//! correctly it would grow without limit.
//!
//! y is kept only where its loss is below that of S, so every promise about S still holds. It costs one more forward pass
//! of the held-out rows at the end of a window, two more where c changes.

use crate::error::Error;
use crate::math::exp2_linear;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::persist::Persist;
use crate::source::Source;
use crate::tensors::Tensors;

/// c is never below 2^-16.
const MOST_STEPS: u32 = 32;

/// How far the last layer is scaled down; zero at the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub(super) struct Shrink {
    /// c is this many steps below 1: each two of them halve it.
    steps: u32,
    /// Whether a larger c is tried next.
    grows: bool,
}

impl Persist for Shrink {
    crate::persist_fields!(steps, grows);
}

impl Shrink {
    pub(super) const ZERO: Self = Self { steps: 0, grows: false };

    /// Whether c is 1.
    pub(super) const fn is_one(self) -> bool {
        self.steps == 0
    }

    /// The next c to try. At 1 there is only a smaller one.
    pub(super) fn next(self) -> Self {
        let grows = self.grows && self.steps > 0 || self.steps >= MOST_STEPS;
        Self { steps: if grows { self.steps.saturating_sub(1) } else { self.steps + 1 }, grows }
    }

    /// The same c after an unsuccessful try: the next one is on the other side.
    pub(super) const fn turned(self, tried: Self) -> Self {
        Self { steps: self.steps, grows: !tried.grows }
    }

    /// c; a straight line between two powers of 2.
    fn factor(self) -> f32 {
        exp2_linear(-0.5 * self.steps as f32)
    }

    /// Multiplies the last layer by c.
    pub(super) fn apply<P: Tensors>(self, params: &mut P) {
        if self.is_one() {
            return;
        }
        let (factor, last) = (self.factor(), params.layers().saturating_sub(1));
        for i in params.layer(last) {
            params.tensor_mut(i).iter_mut().for_each(|w| *w *= factor);
        }
    }
}

/// The mean loss over all rows of the full objective.
pub(super) fn full_loss<O: Objective>(
    params: &O::Params,
    oracle: &mut Oracle<'_, O>,
    source: &mut impl Source<O>,
) -> Result<f32, Error> {
    let (mut mean, mut rows, mut part) = (0.0, 0.0, 0);
    while let Some(batch) = source.objective(part)? {
        let before = oracle.spent().forwards;
        let loss = oracle.loss(params, batch)?;
        let new = oracle.spent().forwards.saturating_sub(before) as f32;
        rows += new;
        mean += (loss - mean) * (new / rows);
        part = part.saturating_add(1);
    }
    Ok(mean)
}

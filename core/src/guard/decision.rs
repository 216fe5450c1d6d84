//! How a [`LossGuard`](super::LossGuard) decides between two candidates.
//!
//! u is the fallback's candidate, v the learned one, D = loss(v) - loss(u), paired on the same examples:
//!
//! ```text
//! lower                D < 0 on the check batches
//! margin z             D < -z SE(D) on the check batches
//! growing margin       the same with z_i = sqrt(4 ln(i + 1)) in round i = 1, 2, ...
//! full objective       F(v) < F(u) on everything that the source declares to be the objective
//! sufficient decrease  loss(v) <= loss(w) - kappa |g(w)|^2 on the check batches
//! ```
//!
//! *Lower* is the paper's practical form (arXiv 2201.12426); with minibatches a wrong winner costs at most D and has a
//! probability of at most exp(-n D^2 / (2 s^2)), so the run has a noise floor. With the *growing margin* the chances of
//! wrong acceptance, at most 1 / (i + 1)^2, have a finite sum, and the 1/i rate of SGD survives, if the guard does not
//! [trust](super::LossGuard::trust): a trusted side wins ties. *Full objective* is
//! what the theorem is about. *Sufficient decrease* is Armijo's condition on the proposal; with exact losses and
//! kappa = rate (1 - rate L / 2) it has the fallback's own bound without looking at the fallback's candidate.

use crate::persist::{Digest, Fingerprint};

/// How two candidates are compared.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Decision {
    /// The lower mean check loss wins. Costs 2 n_c forwards per round.
    Lower,
    /// The learned candidate must be lower by z standard errors. Costs 2 n_c forwards per round.
    Margin {
        /// How many standard errors, at least 0.
        z: f32,
    },
    /// As `Margin`, with z growing as sqrt(4 ln(i + 1)) in round i. Costs 2 n_c forwards per round.
    GrowingMargin,
    /// The lower full objective wins. Costs two forwards of every example of the objective per round.
    FullObjective,
    /// The learned candidate must decrease the check loss by kappa times the squared gradient norm. Costs 2 n_c
    /// forwards per round; with n_t = 1 the fallback's step is computed only when the learned one is refused.
    SufficientDecrease {
        /// Decrease asked for per squared gradient norm, at least 0.
        kappa: f32,
    },
}

impl Fingerprint for Decision {
    fn describe(&self, digest: &mut Digest) {
        let (name, number) = match *self {
            Self::Lower => ("lower", 0.0),
            Self::Margin { z } => ("margin", z),
            Self::GrowingMargin => ("growing-margin", 0.0),
            Self::FullObjective => ("full-objective", 0.0),
            Self::SufficientDecrease { kappa } => ("sufficient-decrease", kappa),
        };
        digest.kind(name);
        digest.numbers([number]);
    }
}

impl Decision {
    /// Standard errors that the learned candidate must be ahead in round `i`, counted from 1.
    pub(super) fn margin(self, i: u32) -> f32 {
        match self {
            Self::Margin { z } => z,
            Self::GrowingMargin => crate::math::sqrt(4.0 * crate::math::ln(i as f32 + 1.0)),
            Self::Lower | Self::FullObjective | Self::SufficientDecrease { .. } => 0.0,
        }
    }

    /// Whether the squared gradient norm at the round's start is needed.
    pub(super) const fn asks_for_gradient(self) -> bool {
        matches!(self, Self::SufficientDecrease { .. })
    }

    /// Whether the settings are in range.
    pub(super) fn is_valid(self) -> bool {
        match self {
            Self::Margin { z: x } | Self::SufficientDecrease { kappa: x } => x >= 0.0 && x.is_finite(),
            Self::Lower | Self::GrowingMargin | Self::FullObjective => true,
        }
    }
}

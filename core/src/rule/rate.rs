//! Learning rates: constant, or falling as c / (i0 + i), the schedule of the stochastic convergence theorem.
//!
//! With c > 1/mu and c / i0 <= 1/L, SGD on a mu-strongly convex, L-smooth objective has an expected error of O(1/i)
//! (Bottou, Curtis, Nocedal, "Optimization methods for large-scale machine learning", 2018, theorem 4.7).

use super::range;
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};

/// A learning rate as a function of the step.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Rate {
    /// The same in every step.
    Constant(f32),
    /// c / (i0 + i) in step i = 0, 1, 2, ...
    Harmonic {
        /// Numerator c.
        c: f32,
        /// Offset i0, positive.
        i0: f32,
    },
}

impl Rate {
    /// The rate in the step number `i`, counted from 0.
    #[must_use]
    pub fn at(self, i: u32) -> f32 {
        match self {
            Self::Constant(rate) => rate,
            Self::Harmonic { c, i0 } => c / (i0 + i as f32),
        }
    }
}

impl Rate {
    /// Whether the rate is finite and positive in every step.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] if it is not.
    pub fn check(self) -> Result<(), Error> {
        let what =
            "a learning rate must be positive and finite, and so must c and i0 of one that falls as c / (i0 + i)";
        match self {
            Self::Constant(rate) => range::positive(rate, what),
            Self::Harmonic { c, i0 } => [c, i0, c / i0].iter().try_for_each(|&x| range::positive(x, what)),
        }
    }
}

impl Fingerprint for Rate {
    fn describe(&self, digest: &mut Digest) {
        match *self {
            Self::Constant(rate) => {
                digest.kind("constant");
                digest.numbers([rate]);
            }
            Self::Harmonic { c, i0 } => {
                digest.kind("harmonic");
                digest.numbers([c, i0]);
            }
        }
    }
}

impl From<f32> for Rate {
    fn from(rate: f32) -> Self {
        Self::Constant(rate)
    }
}

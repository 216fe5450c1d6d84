//! Whether the settings of a rule are in their ranges.

use crate::error::Error;

fn check(is_good: bool, what: &'static str) -> Result<(), Error> {
    if is_good { Ok(()) } else { Err(Error::InvalidSetting { what }) }
}

/// Whether a setting is finite and above 0.
///
/// # Errors
/// [`Error::InvalidSetting`], in these words, if it is not.
pub(crate) fn positive(x: f32, what: &'static str) -> Result<(), Error> {
    check(x > 0.0 && x.is_finite(), what)
}

/// Whether a setting is finite and not negative.
///
/// # Errors
/// [`Error::InvalidSetting`], in these words, if it is not.
pub(crate) fn not_negative(x: f32, what: &'static str) -> Result<(), Error> {
    check(x >= 0.0 && x.is_finite(), what)
}

/// Whether shares, of what stays of a mean, are in \[0, 1).
///
/// # Errors
/// [`Error::InvalidSetting`] if one is not.
pub(crate) fn shares(all: &[f32]) -> Result<(), Error> {
    let what = "how much of a mean or a velocity stays must be at least 0 and below 1";
    check(all.iter().all(|share| (0.0..1.0).contains(share)), what)
}

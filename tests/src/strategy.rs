//! What property tests draw from.

use proptest::prelude::*;
use proptest::test_runner::{FileFailurePersistence, RngSeed};

/// What the draws start from, unless the environment's `PROPTEST_RNG_SEED` says another number.
const SEED: u64 = 2026;

/// Settings of a property test: how many cases, and the file that failing ones are kept in.
///
/// `cases!(64, "kernels")` keeps them in `tests/kernels.regressions`, beside `tests/kernels.rs`. The number is that of
/// `LGL2O_DRAWS=all` in the environment, as `tests/run.sh --all` has it; without, it is a tenth (see [`draws`]). The environment's
/// `PROPTEST_CASES` goes before both.
///
/// Every run makes the same draws, so that a change passes or fails by what it changes. `PROPTEST_RNG_SEED=7` makes others.
#[macro_export]
macro_rules! cases {
    ($cases:expr, $name:literal) => {
        $crate::strategy::config($cases, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/", $name, ".regressions"))
    };
}

/// What [`cases!`](crate::cases) expands to.
#[must_use]
pub fn config(cases: u32, file: &'static str) -> ProptestConfig {
    let failure_persistence: Option<Box<dyn proptest::test_runner::FailurePersistence>> =
        Some(Box::new(FileFailurePersistence::Direct(file)));
    proptest::test_runner::contextualize_config(ProptestConfig {
        cases: draws(cases, is_all()),
        failure_persistence,
        rng_seed: RngSeed::Fixed(SEED),
        ..ProptestConfig::default()
    })
}

/// Whether everything is tried that a law names: all draws, all seeds, a cut at each byte; `LGL2O_DRAWS=all` in the environment.
///
/// # Panics
/// If it says anything else.
#[must_use]
pub fn is_all() -> bool {
    means_all(std::env::var("LGL2O_DRAWS").ok().as_deref())
}

fn means_all(environment: Option<&str>) -> bool {
    match environment {
        Some("all") => true,
        None => false,
        Some(other) => panic!("LGL2O_DRAWS is `{other}`; it may be `all`, or not be there"),
    }
}

/// How many cases are drawn of so many: all of them, or a tenth, but no fewer than 24.
#[must_use]
pub fn draws(cases: u32, all: bool) -> u32 {
    if all { cases } else { cases.min(24.max(cases / 10)) }
}

/// How many runs, each from a seed of its own, a mean is taken over, of so many: all of them, or a tenth, but no fewer than 8.
#[must_use]
pub fn seeds(runs: u64, all: bool) -> u64 {
    if all { runs } else { runs.min(8.max(runs / 10)) }
}

/// Any number at all: ordinary ones, both zeros, denormals, huge ones, infinities and NaN.
pub fn any_number() -> impl Strategy<Value = f32> {
    prop_oneof![
        12 => -4.0f32..4.0,
        2 => prop_oneof![Just(0.0f32), Just(-0.0f32)],
        1 => (0u32..0x0080_0000, any::<bool>()).prop_map(|(bits, minus)| f32::from_bits(bits | u32::from(minus) << 31)),
        1 => prop_oneof![Just(1e30f32), Just(-1e30), Just(f32::MAX), Just(f32::MIN), Just(1e-30)],
        1 => prop_oneof![
            8 => Just(1.0f32),
            1 => Just(f32::INFINITY),
            1 => Just(f32::NEG_INFINITY),
            1 => Just(f32::NAN),
        ],
    ]
}

/// Ordinary numbers and both zeros.
pub fn number() -> impl Strategy<Value = f32> {
    prop_oneof![8 => -4.0f32..4.0, 1 => Just(0.0f32), 1 => Just(-0.0f32)]
}

/// A gradient's number: from 1e-3 to 1e3 in size, either sign.
pub fn slope() -> impl Strategy<Value = f32> {
    (-3.0f32..3.0, any::<bool>()).prop_map(|(power, minus)| if minus { -10f32.powf(power) } else { 10f32.powf(power) })
}

#[cfg(test)]
mod tests {
    use super::{draws, means_all, seeds};

    #[test]
    fn draws_are_all_or_a_tenth() {
        assert_eq!([2000, 400, 100, 24, 16].map(|cases| draws(cases, true)), [2000, 400, 100, 24, 16]);
        assert_eq!([2000, 400, 100, 24, 16].map(|cases| draws(cases, false)), [200, 40, 24, 24, 16]);
        assert_eq!([100, 40, 5].map(|runs| seeds(runs, true)), [100, 40, 5]);
        assert_eq!([100, 40, 5].map(|runs| seeds(runs, false)), [10, 8, 5]);
        assert_eq!([Some("all"), None].map(means_all), [true, false]);
    }

    #[test]
    #[should_panic(expected = "LGL2O_DRAWS is `few`")]
    fn other_words_are_refused() {
        means_all(Some("few"));
    }
}

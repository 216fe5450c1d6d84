//! Every hand-designed rule, and what each of its settings may not be.
//!
//! Laws that hold for all rules take the table [`every_rule!`](crate::every_rule!), and names from here:
//! `use lgl2o_tests::every_rule::*`.

pub use lgl2o::rule::*;

/// What no rate may be.
pub const RATES: [Rate; 8] = [
    Rate::Constant(0.0),
    Rate::Constant(-0.1),
    Rate::Constant(f32::NAN),
    Rate::Constant(f32::INFINITY),
    Rate::Harmonic { c: 1.0, i0: 0.0 },
    Rate::Harmonic { c: -1.0, i0: 5.0 },
    Rate::Harmonic { c: f32::NAN, i0: 1.0 },
    Rate::Harmonic { c: f32::MAX, i0: 1e-3 },
];
/// What no positive number may be.
pub const SIZES: [f32; 4] = [0.0, -1.0, f32::NAN, f32::INFINITY];
/// What no number from 0 on may be.
pub const AMOUNTS: [f32; 3] = [-1.0, f32::NAN, f32::INFINITY];
/// What no number in \[0, 1) may be.
pub const SHARES: [f32; 4] = [-0.1, 1.0, f32::NAN, f32::INFINITY];
/// What no number in (0, 1) may be.
pub const INNER: [f32; 4] = [0.0, 1.0, f32::NAN, -0.5];
/// What no factor from 1 on may be.
pub const FACTORS: [f32; 3] = [0.9, f32::NAN, f32::INFINITY];

/// Calls a macro with all rules, each as `rule => setting in values out of range, ...;`. First come the coordinatewise
/// ones of plain numbers, which [`reference::rules`](mod@crate::reference::rules) has in double precision, then
/// coordinatewise ones of packed numbers, then the others.
///
/// ```
/// macro_rules! names {
///     ($($kind:ident { $($rule:expr => $($($setting:ident).+ in $bad:expr),+;)+ })+) => {
///         [$($(stringify!($rule)),+),+]
///     };
/// }
/// assert!(lgl2o_tests::every_rule!(names).len() > 10);
/// ```
#[macro_export]
macro_rules! every_rule {
    ($then:ident) => {
        $then! {
            coordinatewise {
                Sgd::new(0.1) => rate in RATES;
                Momentum::new(0.1) => rate in RATES, beta in SHARES;
                Nesterov::new(0.1) => rate in RATES, beta in SHARES;
                RmsProp::new(0.1) => rate in RATES, decay in SHARES, eps in SIZES;
                Adam::new(0.1) => rate in RATES, beta1 in SHARES, beta2 in SHARES, eps in SIZES;
                AdamW::new(0.1) => adam.rate in RATES, adam.beta1 in SHARES, adam.beta2 in SHARES, adam.eps in SIZES, decay in AMOUNTS;
                NAdam::new(0.1) => adam.rate in RATES, adam.beta1 in SHARES, adam.beta2 in SHARES, adam.eps in SIZES;
                Lion::new(0.1) => rate in RATES, beta1 in SHARES, beta2 in SHARES, decay in AMOUNTS;
            }
            packed {
                Adam16::new(0.1) => adam.rate in RATES, adam.beta1 in SHARES, adam.beta2 in SHARES, adam.eps in SIZES;
            }
            other {
                Ngn::new() => sigma in SIZES, beta in SHARES, beta2 in SHARES;
                PlainNgn::new(0.3) => sigma in SIZES;
                ScaleFree::new() => eta in SIZES, kappa in AMOUNTS, cap in AMOUNTS, beta1 in SHARES, beta2 in SHARES;
                ScaleFreeMomentum::new() => eta in SIZES, kappa in AMOUNTS, cap in AMOUNTS, beta in SHARES;
                Armijo::new(1.0).unwrap() => largest in SIZES, slope in INNER, shrink in INNER, growth in FACTORS, trials in [0];
            }
        }
    };
}

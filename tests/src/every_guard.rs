//! Every guard, around any two rules.
//!
//! Laws that hold for all guards take the table [`every_guard!`](crate::every_guard!), and names from here:
//! `use lgl2o_tests::every_guard::*`.

pub use lgl2o::guard::*;
pub use lgl2o::rule::{Rotated, Rule};

/// Calls a macro with all guards, each as `"name" => |learned, fallback| guard;`, where the two names stand for rules.
/// First come those that hold one rule, which have no use for a fallback, then those that hold both, then some of them
/// with other settings. Extra tokens go before the table.
///
/// ```
/// macro_rules! names {
///     ($($kind:ident { $($name:literal => |$l:ident, $f:ident| $guard:expr;)+ })+) => { [$($($name),+),+] };
/// }
/// assert!(lgl2o_tests::every_guard!(names).len() > 5);
/// ```
#[macro_export]
macro_rules! every_guard {
    ($then:ident $(, $($given:tt)*)?) => {
        $then! {
            $($($given)*)?
            one_rule {
                "unguarded" => |learned, fallback| Unguarded::new(learned);
            }
            both_rules {
                "loss" => |learned, fallback| LossGuard::new(learned, fallback);
                "residual" => |learned, fallback| ResidualGuard::new(learned, fallback);
                "blend" => |learned, fallback| Blend::new(learned, fallback, 0.5).unwrap();
                "relay" => |learned, fallback| RelayGuard::<_, _>::new(learned, fallback);
            }
            with_settings {
                "unguarded, by averages" => |learned, fallback| Unguarded::new(learned.averaged());
                "loss, as in the paper" => |learned, fallback| LossGuard::paper(learned, fallback).batches(2, 1);
                "loss, rewinding" => |learned, fallback| LossGuard::paper(learned, fallback).batches(3, 2).policy::<Rewind>();
                "loss, following" => |learned, fallback| LossGuard::new(learned, fallback).policy::<Follow>();
                "relay, rotated" => |learned, fallback| RelayGuard::<_, _>::new(Rotated::new(learned).averaged(), fallback);
                "relay, lean" => |learned, fallback| RelayGuard::<_, _>::new(learned, fallback).lean();
            }
        }
    };
}

/// Calls a function of a name and a guard with each guard around two rules that can be copied.
///
/// ```
/// use lgl2o::Guard;
/// use lgl2o::rule::{Adam, Rule, Sgd};
///
/// fn size<G: Guard>(name: &str, _: &G) {
///     assert!(!name.is_empty() && size_of::<G>() > 0);
/// }
/// lgl2o_tests::with_every_guard!(size, Adam::new(0.1), Sgd::new(0.1));
/// ```
#[macro_export]
macro_rules! with_every_guard {
    (@each $then:ident $rules:tt $($kind:ident { $($name:literal => |$l:ident, $f:ident| $guard:expr;)+ })+) => {
        $($($crate::with_every_guard!(@one $then $rules $name |$l, $f| $guard);)+)+
    };
    (@one $then:ident ($learned:expr, $fallback:expr) $name:literal |$l:ident, $f:ident| $guard:expr) => {{
        use $crate::every_guard::*;
        #[allow(unused_variables)]
        let ($l, $f) = ($learned, $fallback);
        $then($name, &$guard);
    }};
    ($then:ident, $learned:expr, $fallback:expr) => {{
        use $crate::with_every_guard as each;
        $crate::every_guard!(each, @each $then ($learned, $fallback));
    }};
}

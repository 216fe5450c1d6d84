//! The hand-designed rules that expressions name: one line each, from which parser, messages and tests are made.

use lgl2o::rule::{
    Adam, Adam16, AdamW, Armijo, Lion, Momentum, NAdam, Nesterov, Ngn, PlainNgn, Rate, RmsProp, ScaleFree,
    ScaleFreeMomentum, Sgd,
};

use super::AnyRule;
use super::rule::AVERAGED;

/// Rates to search, a factor of about sqrt 10 apart.
pub type Grid = [f32; 9];

const LARGE: Grid = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];
const MIDDLE: Grid = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
const SMALL: Grid = [0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0];
const SMALLEST: Grid = [0.000_03, 0.000_1, 0.000_3, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3];

/// What a rule's number is where an expression has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Usual {
    /// The rate that a search of this grid found for the rule on the task.
    Searched(&'static Grid),
    /// The rate that was found for the rule of this name.
    Like(&'static str),
    /// One number for all tasks.
    Always(f32),
}

/// A rule with one number: a rate, or what stands for it.
#[derive(Debug, Clone, Copy)]
pub struct HandMade {
    /// How expressions name it.
    pub name: &'static str,
    /// Its number where an expression has none.
    pub usual: Usual,
    /// The rule with that number, or what is wrong with it.
    pub make: fn(Rate) -> Result<AnyRule, String>,
}

/// A rule whose rate may fall.
macro_rules! falling {
    ($name:literal, $usual:expr, $variant:ident) => {
        HandMade { name: $name, usual: $usual, make: |rate| Ok(AnyRule::$variant($variant::new(rate))) }
    };
}

/// A rule whose number is a constant.
macro_rules! constant {
    ($name:literal, $usual:expr, $number:ident => $rule:expr) => {
        HandMade {
            name: $name,
            usual: $usual,
            make: |rate| match rate {
                Rate::Constant($number) => $rule,
                Rate::Harmonic { .. } => Err("its number does not fall by itself; write one number".to_owned()),
            },
        }
    };
}

/// All of them.
pub static HAND_MADE: [HandMade; 14] = [
    falling!("sgd", Usual::Searched(&LARGE), Sgd),
    falling!("momentum", Usual::Searched(&MIDDLE), Momentum),
    falling!("nesterov", Usual::Searched(&MIDDLE), Nesterov),
    falling!("rmsprop", Usual::Searched(&SMALL), RmsProp),
    falling!("adam", Usual::Searched(&SMALL), Adam),
    falling!("adam16", Usual::Like("adam"), Adam16),
    falling!("adamw", Usual::Searched(&SMALL), AdamW),
    falling!("nadam", Usual::Like("adam"), NAdam),
    falling!("lion", Usual::Searched(&SMALLEST), Lion),
    constant!("armijo", Usual::Always(10.0), largest => {
        Armijo::new(largest).map(AnyRule::Armijo).map_err(|error| error.to_string())
    }),
    constant!("plain-ngn", Usual::Always(3.0), sigma => Ok(AnyRule::PlainNgn(PlainNgn::new(sigma)))),
    constant!("ngn", Usual::Always(Ngn::new().sigma), sigma => Ok(AnyRule::Ngn(Ngn { sigma, ..Ngn::new() }))),
    constant!("scale-free", Usual::Always(ScaleFree::new().eta), eta => {
        Ok(AnyRule::ScaleFree(ScaleFree { eta, ..ScaleFree::new() }))
    }),
    constant!("scale-free-momentum", Usual::Always(ScaleFreeMomentum::new().eta), eta => {
        Ok(AnyRule::ScaleFreeMomentum(ScaleFreeMomentum { eta, ..ScaleFreeMomentum::new() }))
    }),
];

/// A rule by name.
#[must_use]
pub fn find(name: &str) -> Option<&'static HandMade> {
    HAND_MADE.iter().find(|rule| rule.name == name)
}

/// The names of all of them.
pub fn names() -> impl Iterator<Item = &'static str> {
    HAND_MADE.iter().map(|rule| rule.name)
}

/// The rules whose rate is searched, with their grids.
pub fn searched() -> impl Iterator<Item = (&'static str, &'static Grid)> {
    HAND_MADE.iter().filter_map(|rule| match rule.usual {
        Usual::Searched(grid) => Some((rule.name, grid)),
        Usual::Like(_) | Usual::Always(_) => None,
    })
}

/// The rates that are searched for a rule, averaged or not.
#[must_use]
pub fn grid(rule: &str) -> Option<&'static Grid> {
    let plain = rule.strip_prefix(AVERAGED).unwrap_or(rule);
    searched().find(|(name, _)| *name == plain).map(|(_, grid)| grid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_borrowed_rate_is_of_a_rule_that_is_searched_and_grids_rise() {
        for rule in &HAND_MADE {
            if let Usual::Like(other) = rule.usual {
                assert!(grid(other).is_some() && grid(rule.name).is_none(), "{}", rule.name);
            }
        }
        for (name, grid) in searched() {
            assert!(grid.is_sorted_by(|a, b| 2.9 * a < *b && *b < 3.4 * a), "{name}");
        }
        assert_eq!((grid("avg-sgd"), grid("ngn"), grid("nothing")), (Some(&LARGE), None, None));
    }
}

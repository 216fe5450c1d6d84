//! The hand-designed rules that expressions name: parser, help, messages and tests are made from their table.

use lgl2o::rule::{self, Rate};

use super::AnyRule;
use super::rule::{AVERAGED, hand_designed};

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
    /// What it does.
    pub what: &'static str,
    /// Its number where an expression has none.
    pub usual: Usual,
    /// The rule with that number, or what is wrong with it.
    pub make: fn(Rate) -> Result<AnyRule, String>,
}

/// A rule by its rate, which may fall, or by its number, which is a constant.
macro_rules! make {
    ($variant:ident $rule:ty) => {
        |rate| Ok(AnyRule::$variant(<$rule>::new(rate)))
    };
    ($variant:ident $rule:ty, $number:ident => $made:expr) => {
        |rate| match rate {
            Rate::Constant($number) => $made,
            Rate::Harmonic { .. } => Err("its number does not fall by itself; write one number".to_owned()),
        }
    };
}

macro_rules! table {
    ($(#[doc = $what:literal] $variant:ident($rule:ty) with $state:ident {
        $name:literal, $usual:expr $(, $number:ident => $made:expr)?
    },)+) => {
        /// All of them.
        pub static HAND_MADE: &[HandMade] = &[$(HandMade {
            name: $name,
            what: $what,
            usual: $usual,
            make: make!($variant $rule $(, $number => $made)?),
        }),+];
    };
}
hand_designed!(table);

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
        for rule in HAND_MADE {
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

//! The hand-designed rules that expressions name: one line each, from which parser, messages and tests are made.

use lgl2o::rule::{
    Adam, Adam16, AdamW, Armijo, Lion, Momentum, NAdam, Nesterov, Ngn, PlainNgn, Rate, RmsProp, ScaleFree,
    ScaleFreeMomentum, Sgd,
};

use super::AnyRule;

/// What a rule's number is where an expression has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Usual {
    /// The rate that a grid search found for the rule of this name on the task.
    Tuned(&'static str),
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
    falling!("sgd", Usual::Tuned("sgd"), Sgd),
    falling!("momentum", Usual::Tuned("momentum"), Momentum),
    falling!("nesterov", Usual::Tuned("nesterov"), Nesterov),
    falling!("rmsprop", Usual::Tuned("rmsprop"), RmsProp),
    falling!("adam", Usual::Tuned("adam"), Adam),
    falling!("adam16", Usual::Tuned("adam"), Adam16),
    falling!("adamw", Usual::Tuned("adamw"), AdamW),
    falling!("nadam", Usual::Tuned("adam"), NAdam),
    falling!("lion", Usual::Tuned("lion"), Lion),
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

//! Optimizer expressions of the command line.
//!
//! ```text
//! list     = item { "," item }
//! item     = "auto" | "auto-lean" | "auto-rotated" | rule | guard "(" rule "," rule { "," option } ")"
//! rule     = name [ ":" argument ]             sgd:0.3   sgd:5/(50+i)   adam   l2o   l2o:weights.l2o
//! guard    = "relay" | "lgl2o" | "gl2o" | "blend"   the learned rule comes first, the fallback second
//! option   = word | word "=" argument          nt=10   nc=10   margin=2   veto   mu=ema:0.25   share=0.5
//! ```
//!
//! An argument may stand in quotation marks, of either kind, so that a file can have any name: `l2o:"my weights, 2.l2o"`.
//! Between double ones, `\"` and `\\` are a quotation mark and a backslash.
//!
//! A rule without an argument has its tuned rate. `avg-` before a rule's name averages its iterates: `avg-l2o`; `rot-` makes its
//! steps in the eigenbases of the gradients' second moments: `rot-adam`, `avg-rot-l2o`. Built-in learned rules may have other weights there.

pub(super) mod grammar;

use lgl2o::Rule;
use lgl2o::learned::WeightsError;
use lgl2o::rule::{Rate, Rotated};

use self::grammar::{Item, Word, items, unquote};
use super::error::{argument, unknown};
use super::guards::{self, GUARDS, HELD_OUT};
use super::hand_made::{self, Usual};
use super::learned;
use super::rule::{AVERAGED, ROTATED};
use super::{AnyRule, Automatic, Method, Optimizer, RelaySettings, Sides, Tuned};
use crate::files::{advice, read_small};
use crate::first_bytes;

pub use super::error::ExpressionError;

/// The forms of what needs no number.
const AUTOMATIC: [(&str, Automatic); 3] = Automatic::ALL;

/// Reads a comma-separated list of optimizers.
///
/// # Errors
/// What is wrong with the first expression that is wrong.
pub fn parse_list(expression: &str, tuned: &Tuned) -> Result<Vec<Optimizer>, ExpressionError> {
    let mut rest = expression;
    let items = items(&mut rest).map_err(|_| ExpressionError::Syntax {
        expression: expression.to_owned(),
        rest: rest.chars().take(24).collect(),
    })?;
    items.iter().map(|item| optimizer(item, tuned)).collect()
}

/// Reads one optimizer.
///
/// # Errors
/// What is wrong with the expression.
pub fn parse(expression: &str, tuned: &Tuned) -> Result<Optimizer, ExpressionError> {
    let mut all = parse_list(expression, tuned)?;
    match (all.pop(), all.is_empty()) {
        (Some(one), true) => Ok(one),
        _ => Err(argument(expression, "one optimizer is wanted here, not a list")),
    }
}

fn optimizer(item: &Item<'_>, tuned: &Tuned) -> Result<Optimizer, ExpressionError> {
    let Some(inner) = &item.inner else {
        if guards::find(item.word.name).is_some() {
            let example = format!("{}(l2o,sgd)", item.word.name);
            return Err(argument(item.word.name, format!("a guard needs its two rules, as in {example}")));
        }
        if let Some(method) = automatic(&item.word, &[])? {
            return Ok(Optimizer { name: item.word.name.to_owned(), method });
        }
        let NamedRule { name, rule, learned } = rule(&item.word, tuned)?;
        return Ok(Optimizer { name, method: Method::Alone { rule, learned } });
    };
    if let Some(method) = automatic(&item.word, inner)? {
        return Ok(Optimizer { name: format!("{}({HELD_OUT})", item.word.name), method });
    }
    let name = item.word.name;
    let Some(guard) = guards::find(name) else {
        if name.strip_prefix(AVERAGED).is_some_and(|name| guards::find(name).is_some()) {
            return Err(argument(name, "a guard cannot be averaged; average a rule in it, as in lgl2o(avg-l2o,sgd)"));
        }
        return Err(unknown("guard", name, &GUARDS.iter().map(|guard| guard.name).collect::<Vec<_>>()));
    };
    let [learned, fallback, options @ ..] = inner.as_slice() else {
        return Err(argument(name, "two rules are needed, the learned one first"));
    };
    let (learned, fallback) = (rule(learned, tuned)?, rule(fallback, tuned)?);
    let name = format!("{name}({},{}{})", learned.name, fallback.name, suffix(options));
    let method = (guard.method)(Sides { learned: learned.rule, fallback: fallback.rule }, options)?;
    Ok(Optimizer { name, method })
}

/// A form of the core's [`lgl2o::auto()`]; `None` for other words.
fn automatic(word: &Word<'_>, options: &[Word<'_>]) -> Result<Option<Method>, ExpressionError> {
    let Some((_, form)) = AUTOMATIC.iter().find(|(name, _)| *name == word.name) else { return Ok(None) };
    if word.argument.is_some() || options.iter().any(|option| option.argument.is_some()) {
        return Err(argument(word.name, "it has no number to set; write it without one"));
    }
    match options.iter().find(|option| option.name != HELD_OUT) {
        None => Ok(Some(RelaySettings::automatic(*form, !options.is_empty()))),
        Some(other) => Err(unknown("option of auto", other.name, &[HELD_OUT])),
    }
}

/// Options written back, for the name.
fn suffix(options: &[Word<'_>]) -> String {
    options.iter().map(|o| o.argument.map_or(format!(",{}", o.name), |v| format!(",{}={v}", o.name))).collect()
}

/// A rule with the name that spells its rate out.
struct NamedRule {
    name: String,
    rule: AnyRule,
    /// Whether it is a learned rule.
    learned: bool,
}

/// The rule that a word names.
fn rule(word: &Word<'_>, tuned: &Tuned) -> Result<NamedRule, ExpressionError> {
    if let Some(name) = word.name.strip_prefix(AVERAGED) {
        let plain = rotated_rule(&Word { name, ..*word }, tuned, AVERAGED)?;
        let rule = AnyRule::Averaged(Box::new(plain.rule.averaged()));
        return Ok(NamedRule { name: format!("{AVERAGED}{}", plain.name), rule, learned: plain.learned });
    }
    rotated_rule(word, tuned, "")
}

/// The same for a rule without the prefix of an average, if it had one.
fn rotated_rule(word: &Word<'_>, tuned: &Tuned, prefix: &str) -> Result<NamedRule, ExpressionError> {
    let Some(name) = word.name.strip_prefix(ROTATED) else { return plain_rule(word, tuned, prefix) };
    if let Some(rule) = name.strip_prefix(AVERAGED) {
        let problem = format!("unknown order of prefixes: an average is outside, as in {AVERAGED}{ROTATED}{rule}");
        return Err(argument(word.name, problem));
    }
    let word = &Word { name, ..*word };
    // A learned rule of the core's own has weights for eigenbases.
    let built_in = learned::built_in(name).filter(|_| word.argument.is_none());
    let plain = match built_in {
        Some(rule) => NamedRule { name: rule.name.to_owned(), rule: (rule.rotated)(), learned: true },
        None => plain_rule(word, tuned, prefix)?,
    };
    if plain.rule.probes() {
        return Err(argument(word.name, "it searches, and a rule that searches cannot be rotated; rotate another one"));
    }
    let rule = AnyRule::Rotated(Box::new(Rotated::new(plain.rule)));
    Ok(NamedRule { name: format!("{ROTATED}{}", plain.name), rule, learned: plain.learned })
}

/// The same for a rule without the prefix that it had.
fn plain_rule(word: &Word<'_>, tuned: &Tuned, prefix: &str) -> Result<NamedRule, ExpressionError> {
    if let Some(built_in) = learned::built_in(word.name) {
        let name = word.argument.map_or(built_in.name.to_owned(), |file| format!("{}:{file}", built_in.name));
        let rule = word.argument.map_or_else(|| Ok((built_in.rule)()), read_weights)?;
        return Ok(NamedRule { name, rule, learned: true });
    }
    let Some(known) = hand_made::find(word.name) else {
        if guards::find(word.name).is_some() || AUTOMATIC.iter().any(|(name, _)| *name == word.name) {
            return Err(argument(
                word.name,
                "it is a guard, which can neither stand inside of another one nor be averaged; name a rule there, as in \
                 lgl2o(avg-l2o,sgd)",
            ));
        }
        let automatic = AUTOMATIC.map(|(name, _)| name);
        let rules = hand_made::names().chain(learned::names());
        let known: Vec<_> = automatic.into_iter().chain(rules).chain(GUARDS.iter().map(|guard| guard.name)).collect();
        return Err(unknown("optimizer", word.name, &known));
    };
    let usual = || match known.usual {
        Usual::Always(number) => Some(number),
        Usual::Searched(_) => tuned.rate(&format!("{prefix}{}", known.name)),
        Usual::Like(rule) => tuned.rate(&format!("{prefix}{rule}")),
    };
    let (name, number) = match (word.argument, known.usual) {
        (Some(text), _) => (format!("{}:{text}", word.name), rate(word.name, text)?),
        (None, usual_is) => {
            let number = usual().ok_or_else(|| argument(word.name, "no tuned rate; write name:rate"))?;
            let name = match usual_is {
                Usual::Always(_) => word.name.to_owned(),
                Usual::Searched(_) | Usual::Like(_) => format!("{}:{number}", word.name),
            };
            (name, Rate::Constant(number))
        }
    };
    let rule = (known.make)(number).map_err(|problem| argument(word.name, problem))?;
    Ok(NamedRule { name, rule, learned: false })
}

/// A rate: a positive number, or `c/(i0+i)`.
fn rate(name: &str, text: &str) -> Result<Rate, ExpressionError> {
    let positive = |text: &str| text.trim().parse::<f32>().ok().filter(|x| *x > 0.0 && x.is_finite());
    let harmonic = || {
        let (c, rest) = text.split_once("/(")?;
        let i0 = rest.strip_suffix("+i)")?;
        Some(Rate::Harmonic { c: positive(c)?, i0: positive(i0)? })
    };
    positive(text).map(Rate::Constant).or_else(harmonic).ok_or_else(|| {
        argument(name, format!("`{text}` is no rate: write a positive number, or c/(i0+i) as in 5/(50+i)"))
    })
}

/// Learned weights from a file, of whichever kind and size it holds.
fn read_weights(argument: &str) -> Result<AnyRule, ExpressionError> {
    let path = unquote(argument);
    let bad = |problem: String| ExpressionError::Weights { path: path.clone(), problem };
    let bytes =
        read_small(path.as_ref()).map_err(|error| bad(format!("cannot be read: {error}.{}", advice(&error))))?;
    learned::read(&bytes).map(|file| file.rule).map_err(|error| match error {
        WeightsError::Foreign => bad(format!(
            "it is {}, and no file of weights. Name one that `lgl2o meta-train` has written, which ends in .l2o",
            first_bytes::name(&bytes)
        )),
        other => bad(other.to_string()),
    })
}

#[cfg(test)]
mod tests;

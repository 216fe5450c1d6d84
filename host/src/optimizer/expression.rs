//! Optimizer expressions of the command line.
//!
//! ```text
//! list     = item { "," item }
//! item     = "auto" | "auto-lean" | rule | guard "(" rule "," rule { "," option } ")"
//! rule     = name [ ":" argument ]             sgd:0.3   sgd:5/(50+i)   adam   l2o   l2o:weights.l2o
//! guard    = "relay" | "lgl2o" | "gl2o" | "blend"   the learned rule comes first, the fallback second
//! option   = word | word "=" argument          nt=10   nc=10   margin=2   veto   mu=ema:0.25   share=0.5
//! ```
//!
//! An argument may stand in quotation marks, of either kind, so that a file can have any name: `l2o:"my weights, 2.l2o"`.
//! Between double ones, `\"` and `\\` are a quotation mark and a backslash.
//!
//! A rule without an argument has its tuned rate. `avg-` before a rule's name averages its iterates: `avg-l2o`.

mod grammar;

use lgl2o::Rule;
use lgl2o::guard::{Decision, MuRule};
use lgl2o::rule::Rate;

use self::grammar::{Item, Word, items, unquote};
use super::hand_made::{self, Usual};
use super::learned;
use super::rule::AVERAGED;
use super::{AnyRule, LossSettings, Method, Optimizer, Policy, RelaySettings, Sides, Tuned};
use crate::files::read_small;
use crate::names;

/// Names of all guards.
pub const GUARDS: [&str; 4] = ["relay", "lgl2o", "gl2o", "blend"];
/// Names of what needs no number, and whether it is the form in less memory.
const AUTOMATIC: [(&str, bool); 2] = [("auto", false), ("auto-lean", true)];
/// Checks on examples that are never trained on.
const HELD_OUT: &str = "held-out";
const RELAY_OPTIONS: [&str; 7] = ["race", "hand-over", "nc", "full", "latest", "lean", HELD_OUT];
const LOSS_OPTIONS: [&str; 26] = [
    "paper",
    "nt",
    "nc",
    "lower",
    "margin",
    "growing-margin",
    "full",
    "decrease",
    "early-stop",
    "keep",
    "rewind",
    "reset",
    "follow",
    "veto",
    "no-veto",
    "stay",
    "trust",
    "no-trust",
    "stride",
    "no-stride",
    "stretch",
    "no-stretch",
    "no-audit",
    "budget",
    "no-budget",
    "gaps",
];

/// What is wrong with an expression.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// It does not follow the grammar.
    #[error(
        "cannot read the optimizer expression `{expression}` at `{rest}`; \
         examples: sgd:0.3   l2o   lgl2o(l2o,sgd)   gl2o(l2o,adam:0.01,alpha=0.9)   l2o:\"a file, of any name\""
    )]
    Syntax {
        /// The whole expression.
        expression: String,
        /// What was left when reading stopped.
        rest: String,
    },
    /// A name is not known.
    #[error("{}", names::unknown(.what, .name, .known))]
    Unknown {
        /// What the name should name.
        what: &'static str,
        /// The name.
        name: String,
        /// All that there are.
        known: Vec<&'static str>,
    },
    /// An argument is missing, superfluous or out of range.
    #[error("`{name}`: {problem}")]
    Argument {
        /// What the argument belongs to.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// A file of learned weights cannot be used.
    #[error("`{path}`: {problem}")]
    Weights {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
}

fn unknown(what: &'static str, name: &str, known: &[&'static str]) -> ExpressionError {
    ExpressionError::Unknown { what, name: name.to_owned(), known: known.to_vec() }
}

fn argument(name: &str, problem: impl Into<String>) -> ExpressionError {
    ExpressionError::Argument { name: name.to_owned(), problem: problem.into() }
}

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
        if GUARDS.contains(&item.word.name) {
            let example = format!("{}(l2o,sgd)", item.word.name);
            return Err(argument(item.word.name, format!("a guard needs its two rules, as in {example}")));
        }
        if let Some(method) = automatic(&item.word, &[])? {
            return Ok(Optimizer { name: item.word.name.to_owned(), method });
        }
        let (name, rule, learned) = rule(&item.word, tuned)?;
        return Ok(Optimizer { name, method: Method::Alone { rule, learned } });
    };
    if let Some(method) = automatic(&item.word, inner)? {
        return Ok(Optimizer { name: format!("{}({HELD_OUT})", item.word.name), method });
    }
    let guard = item.word.name;
    if !GUARDS.contains(&guard) {
        return Err(unknown("guard", guard, &GUARDS));
    }
    let [learned, fallback, options @ ..] = inner.as_slice() else {
        return Err(argument(guard, "two rules are needed, the learned one first"));
    };
    let (learned_name, learned, _) = rule(learned, tuned)?;
    let (fallback_name, fallback, _) = rule(fallback, tuned)?;
    let sides = Sides { learned, fallback };
    let (method, suffix) = match guard {
        "relay" => relay(sides, options)?,
        "lgl2o" => loss_guard(sides, options)?,
        "gl2o" => residual_guard(sides, options)?,
        "blend" => blend(sides, options)?,
        other => return Err(unknown("guard", other, &GUARDS)),
    };
    Ok(Optimizer { name: format!("{guard}({learned_name},{fallback_name}{suffix})"), method })
}

/// The core's [`lgl2o::auto()`], in both sizes of its memory; `None` for other words.
fn automatic(word: &Word<'_>, options: &[Word<'_>]) -> Result<Option<Method>, ExpressionError> {
    let Some((_, lean)) = AUTOMATIC.iter().find(|(name, _)| *name == word.name) else { return Ok(None) };
    if word.argument.is_some() || options.iter().any(|option| option.argument.is_some()) {
        return Err(argument(word.name, "it has no number to set; write it without one"));
    }
    match options.iter().find(|option| option.name != HELD_OUT) {
        None => Ok(Some(RelaySettings::automatic(*lean, !options.is_empty()))),
        Some(other) => Err(unknown("option of auto", other.name, &[HELD_OUT])),
    }
}

/// Options written back, for the name.
fn suffix(options: &[Word<'_>]) -> String {
    options.iter().map(|o| o.argument.map_or(format!(",{}", o.name), |v| format!(",{}={v}", o.name))).collect()
}

fn relay(sides: Sides, options: &[Word<'_>]) -> Result<(Method, String), ExpressionError> {
    let mut s = RelaySettings::default();
    for option in options {
        match option.name {
            "race" => s.race = count(option, MOST_STEPS)?,
            "hand-over" => s.hand_over = count(option, MOST_STEPS)?,
            "nc" => s.checks = count(option, MOST_CHECKS)?,
            "full" => s.exact = true,
            "latest" => s.latest = true,
            "lean" => s.lean = true,
            HELD_OUT => s.held_out = true,
            other => return Err(unknown("option of relay", other, &RELAY_OPTIONS)),
        }
    }
    if s.checks < 2 {
        return Err(argument("nc", "the relay needs at least 2 check batches"));
    }
    Ok((Method::Relay { sides, settings: s }, suffix(options)))
}

fn loss_guard(sides: Sides, options: &[Word<'_>]) -> Result<(Method, String), ExpressionError> {
    let mut s = LossSettings::default();
    for option in options {
        match option.name {
            "paper" => s = LossSettings::PAPER,
            "nt" => s.train = count(option, MOST_STEPS)?,
            "nc" => s.check = count(option, MOST_CHECKS)?,
            "lower" => s.decision = Decision::Lower,
            "margin" => s.decision = Decision::Margin { z: number(option, |z| z >= 0.0, "0 or more")? },
            "growing-margin" => s.decision = Decision::GrowingMargin,
            "full" => s.decision = Decision::FullObjective,
            "decrease" => {
                s.decision = Decision::SufficientDecrease { kappa: number(option, |k| k >= 0.0, "0 or more")? };
            }
            "keep" => s.policy = Policy::Keep,
            "rewind" => s.policy = Policy::Rewind,
            "reset" => s.policy = Policy::Reset,
            "follow" => s.policy = Policy::Follow,
            "early-stop" => s.early_stop = number(option, |z| z >= 0.0, "0 or more")?,
            "veto" => s.veto = true,
            "no-veto" => s.veto = false,
            "stay" => s.stay = true,
            "stride" => s.stride = count(option, MOST_STEPS)?,
            "no-stride" => (s.stride, s.stretch) = (0, 0),
            "stretch" => s.stretch = count(option, MOST_STEPS)?,
            "no-stretch" => s.stretch = 0,
            "trust" => s.trust = true,
            "no-trust" => s.trust = false,
            "no-audit" => s.audits = false,
            "budget" => s.budget = true,
            "no-budget" => s.budget = false,
            "gaps" => s.gaps = gaps(option)?,
            other => return Err(unknown("option of lgl2o", other, &LOSS_OPTIONS)),
        }
    }
    Ok((Method::Loss { sides, settings: s }, suffix(options)))
}

/// `SHORTEST:LONGEST`.
fn gaps(option: &Word<'_>) -> Result<[u32; 2], ExpressionError> {
    let pair = option.argument.and_then(|text| text.split_once(':'));
    match pair.map(|(short, long)| (short.parse(), long.parse())) {
        Some((Ok(short), Ok(long))) if 0 < short && short <= long && long <= MOST_STEPS => Ok([short, long]),
        _ => Err(argument("gaps", "two rising numbers of steps are needed, as in gaps=80:1280")),
    }
}

fn residual_guard(sides: Sides, options: &[Word<'_>]) -> Result<(Method, String), ExpressionError> {
    let (mut alpha, mut mu) = (0.99, MuRule::ExponentialAverage(0.25));
    for option in options {
        match option.name {
            "alpha" => alpha = number(option, |a| (0.0..1.0).contains(&a), "at least 0 and below 1")?,
            "mu" => mu = mu_rule(option)?,
            other => return Err(unknown("option of gl2o", other, &["alpha", "mu"])),
        }
    }
    Ok((Method::Residual { sides, alpha, mu }, suffix(options)))
}

fn blend(sides: Sides, options: &[Word<'_>]) -> Result<(Method, String), ExpressionError> {
    let mut share = 0.5;
    for option in options {
        match option.name {
            "share" => share = number(option, |x| (0.0..=1.0).contains(&x), "between 0 and 1")?,
            other => return Err(unknown("option of blend", other, &["share"])),
        }
    }
    Ok((Method::Blend { sides, share }, suffix(options)))
}

/// `gs:theta`, `rt`, `aa`, `ema:theta`, `rm:k`.
fn mu_rule(option: &Word<'_>) -> Result<MuRule, ExpressionError> {
    let text = option.argument.unwrap_or("");
    let (kind, value) = text.split_once(':').map_or((text, None), |(kind, value)| (kind, Some(value)));
    let word = Word { name: "mu", argument: value };
    Ok(match kind {
        "gs" => MuRule::Geometric(number(&word, |t| t > 0.0 && t < 1.0, "theta between 0 and 1")?),
        "rt" => MuRule::RecentTerm,
        "aa" => MuRule::ArithmeticAverage,
        "ema" => MuRule::ExponentialAverage(number(&word, |t| t > 0.0 && t <= 1.0, "theta above 0, at most 1")?),
        "rm" => {
            let most = lgl2o::guard::residual::RECENT;
            let k = count(&word, most as u32);
            MuRule::RecentMax(
                k.map_err(|_| argument("mu", format!("rm needs a number of residuals, at most {most}")))? as usize,
            )
        }
        other => return Err(unknown("mu rule", other, &["gs", "rt", "aa", "ema", "rm"])),
    })
}

/// Most batches that a check may draw, and most steps of anything: beyond them no round comes to its end.
const MOST_CHECKS: u32 = 10_000;
const MOST_STEPS: u32 = 100_000_000;

fn count(word: &Word<'_>, most: u32) -> Result<u32, ExpressionError> {
    let number = word.argument.and_then(|text| text.parse().ok()).filter(|number| (1..=most).contains(number));
    number.ok_or_else(|| {
        argument(word.name, format!("a whole number from 1 to {most} is needed, as in {}=10", word.name))
    })
}

fn number(word: &Word<'_>, good: impl Fn(f32) -> bool, range: &str) -> Result<f32, ExpressionError> {
    match word.argument.map(str::parse::<f32>) {
        Some(Ok(x)) if x.is_finite() && good(x) => Ok(x),
        _ => Err(argument(word.name, format!("a number is needed, {range}"))),
    }
}

/// A rule with the name that spells its rate out, and whether it is a learned one.
fn rule(word: &Word<'_>, tuned: &Tuned) -> Result<(String, AnyRule, bool), ExpressionError> {
    if let Some(name) = word.name.strip_prefix(AVERAGED) {
        let (name, rule, learned) = plain_rule(&Word { name, ..*word }, tuned, AVERAGED)?;
        return Ok((format!("{AVERAGED}{name}"), AnyRule::Averaged(Box::new(rule.averaged())), learned));
    }
    plain_rule(word, tuned, "")
}

/// The same for a rule without the prefix that it had.
fn plain_rule(word: &Word<'_>, tuned: &Tuned, prefix: &str) -> Result<(String, AnyRule, bool), ExpressionError> {
    if let Some(built_in) = learned::built_in(word.name) {
        let name = word.argument.map_or(built_in.name.to_owned(), |file| format!("{}:{file}", built_in.name));
        let rule = word.argument.map_or_else(|| Ok((built_in.rule)()), read_weights)?;
        return Ok((name, rule, true));
    }
    let Some(known) = hand_made::find(word.name) else {
        if GUARDS.contains(&word.name) || AUTOMATIC.iter().any(|(name, _)| *name == word.name) {
            return Err(argument(
                word.name,
                "it is a guard, which can neither stand inside of another one nor be averaged; name a rule there, as in \
                 lgl2o(avg-l2o,sgd)",
            ));
        }
        let automatic = AUTOMATIC.map(|(name, _)| name);
        let rules = hand_made::names().chain(learned::names());
        let known: Vec<_> = automatic.into_iter().chain(rules).chain(GUARDS).collect();
        return Err(unknown("optimizer", word.name, &known));
    };
    let usual = || match known.usual {
        Usual::Always(number) => Some(number),
        Usual::Tuned(rule) => tuned.rate(&format!("{prefix}{rule}")),
    };
    let (name, number) = match (word.argument, known.usual) {
        (Some(text), _) => (format!("{}:{text}", word.name), rate(word.name, text)?),
        (None, usual_is) => {
            let number = usual().ok_or_else(|| argument(word.name, "no tuned rate; write name:rate"))?;
            let name = match usual_is {
                Usual::Always(_) => word.name.to_owned(),
                Usual::Tuned(_) => format!("{}:{number}", word.name),
            };
            (name, Rate::Constant(number))
        }
    };
    let rule = (known.make)(number).map_err(|problem| argument(word.name, problem))?;
    Ok((name, rule, false))
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
    let bytes = read_small(path.as_ref()).map_err(|error| bad(format!("cannot be read: {error}")))?;
    learned::read(&bytes).map(|(_, rule, _)| rule).map_err(|error| bad(error.to_string()))
}

#[cfg(test)]
mod tests;

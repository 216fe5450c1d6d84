//! The guards that expressions name, with their options: parser, messages and tests come from these tables.

use lgl2o::guard::{Decision, LossSettings, MuRule};

use super::error::{ExpressionError, argument, unknown};
use super::expression::grammar::Word;
use super::{Method, Policy, RelaySettings, Sides};

/// Checks on examples that are never trained on.
pub(super) const HELD_OUT: &str = "held-out";

/// A guard that expressions name.
pub struct KnownGuard {
    /// Its name.
    pub name: &'static str,
    /// The names of its options.
    pub options: fn() -> Vec<&'static str>,
    /// The guard with its two rules and some options.
    pub(super) method: fn(Sides, &[Word<'_>]) -> Result<Method, ExpressionError>,
}

/// All of them; the learned rule comes first, the fallback second.
pub static GUARDS: &[KnownGuard] = &[
    KnownGuard { name: "relay", options: || names(&RELAY), method: relay },
    KnownGuard { name: "lgl2o", options: || names(&LOSS), method: loss },
    KnownGuard { name: "gl2o", options: || names(&RESIDUAL), method: residual },
    KnownGuard { name: "blend", options: || names(&BLEND), method: blend },
];

/// A guard by name.
#[must_use]
pub fn find(name: &str) -> Option<&'static KnownGuard> {
    GUARDS.iter().find(|guard| guard.name == name)
}

/// The option that stands for the paper's form.
const PAPER: &str = "paper";

/// Sets an option.
type Setter<S> = fn(&mut S, &Word<'_>) -> Result<(), ExpressionError>;
/// An option: its name, and what it sets.
type Choice<S> = (&'static str, Setter<S>);

fn names<S>(choices: &[Choice<S>]) -> Vec<&'static str> {
    choices.iter().map(|(name, _)| *name).collect()
}

/// Sets options one after the other.
fn set<S>(
    what: &'static str,
    choices: &[Choice<S>],
    mut settings: S,
    options: &[Word<'_>],
) -> Result<S, ExpressionError> {
    for (i, option) in options.iter().enumerate() {
        let found = choices.iter().find(|(name, _)| *name == option.name);
        let (_, setter) = found.ok_or_else(|| unknown(what, option.name, &names(choices)))?;
        if let Some(other) = options[..i].iter().find(|other| group(other.name) == group(option.name)) {
            let problem = format!("`{}` stands before it, and both set the same: leave one of them out", other.name);
            return Err(argument(option.name, problem));
        }
        if option.name == PAPER && i > 0 {
            return Err(argument(PAPER, "it replaces the options before it: write it first"));
        }
        setter(&mut settings, option)?;
    }
    Ok(settings)
}

/// What an option sets: two of the same stand for a mistake, of which one would be ignored in silence.
fn group(name: &str) -> &str {
    match name {
        "lower" | "margin" | "growing-margin" | "full" | "decrease" => "decision",
        "keep" | "rewind" | "reset" | "follow" => "state",
        other => other.strip_prefix("no-").unwrap_or(other),
    }
}

/// An option that sets fields to what an expression says.
macro_rules! choice {
    ($name:expr, $($place:ident).+ = $value:expr) => {
        choice!($name, |_word| $($place).+ = $value)
    };
    ($name:expr, |$word:ident| $($place:ident).+ = $value:expr) => {
        ($name, |settings, $word| {
            settings.$($place).+ = $value;
            Ok(())
        })
    };
}

static RELAY: [Choice<RelaySettings>; 7] = [
    choice!("race", |word| race = count(word, MOST_STEPS)?),
    choice!("hand-over", |word| hand_over = count(word, MOST_STEPS)?),
    choice!("nc", |word| checks = count(word, MOST_CHECKS)?),
    choice!("full", exact = true),
    choice!("latest", latest = true),
    choice!("lean", lean = true),
    choice!(HELD_OUT, held_out = true),
];

fn relay(sides: Sides, options: &[Word<'_>]) -> Result<Method, ExpressionError> {
    let settings = set("option of relay", &RELAY, RelaySettings::default(), options)?;
    if settings.checks < 2 {
        return Err(argument("nc", "the relay needs at least 2 check batches"));
    }
    Ok(Method::Relay { sides, settings })
}

/// The loss guard's settings, and its state policy.
struct Loss {
    settings: LossSettings,
    policy: Policy,
}

static LOSS: [Choice<Loss>; 26] = [
    (PAPER, |settings, _| {
        *settings = Loss { settings: LossSettings::PAPER, policy: Policy::Keep };
        Ok(())
    }),
    choice!("nt", |word| settings.train_batches = count(word, MOST_STEPS)?),
    choice!("nc", |word| settings.check_batches = count(word, MOST_CHECKS)?),
    choice!("lower", settings.decision = Decision::Lower),
    choice!("margin", |word| settings.decision = Decision::Margin { z: not_negative(word)? }),
    choice!("growing-margin", settings.decision = Decision::GrowingMargin),
    choice!("full", settings.decision = Decision::FullObjective),
    choice!("decrease", |word| settings.decision = Decision::SufficientDecrease { kappa: not_negative(word)? }),
    choice!("early-stop", |word| settings.early_stop = not_negative(word)?),
    choice!("keep", policy = Policy::Keep),
    choice!("rewind", policy = Policy::Rewind),
    choice!("reset", policy = Policy::Reset),
    choice!("follow", policy = Policy::Follow),
    choice!("veto", settings.veto = true),
    choice!("no-veto", settings.veto = false),
    choice!("stay", settings.stay = true),
    choice!("trust", settings.trust = true),
    choice!("no-trust", settings.trust = false),
    choice!("stride", |word| settings.schedule.stride = count(word, MOST_STEPS)?),
    ("no-stride", |Loss { settings: LossSettings { schedule, .. }, .. }, _| {
        (schedule.stride, schedule.stretch) = (0, 0);
        Ok(())
    }),
    choice!("stretch", |word| settings.schedule.stretch = count(word, MOST_STEPS)?),
    choice!("no-stretch", settings.schedule.stretch = 0),
    choice!("no-audit", settings.schedule.audits = false),
    choice!("budget", settings.schedule.budget = true),
    choice!("no-budget", settings.schedule.budget = false),
    choice!("gaps", |word| settings.schedule.gaps = gaps(word)?),
];

fn loss(sides: Sides, options: &[Word<'_>]) -> Result<Method, ExpressionError> {
    let default = Loss { settings: LossSettings::DEFAULT, policy: Policy::Keep };
    let Loss { settings, policy } = set("option of lgl2o", &LOSS, default, options)?;
    Ok(Method::Loss { sides, settings, policy })
}

/// The residual guard's factor of the bound, and how the bound follows the residuals.
struct Residual {
    alpha: f32,
    mu: MuRule,
}

static RESIDUAL: [Choice<Residual>; 2] = [
    choice!("alpha", |word| alpha = number(word, |a| (0.0..1.0).contains(&a), "at least 0 and below 1")?),
    choice!("mu", |word| mu = mu_rule(word)?),
];

fn residual(sides: Sides, options: &[Word<'_>]) -> Result<Method, ExpressionError> {
    let default = Residual { alpha: 0.99, mu: MuRule::ExponentialAverage(0.25) };
    let Residual { alpha, mu } = set("option of gl2o", &RESIDUAL, default, options)?;
    Ok(Method::Residual { sides, alpha, mu })
}

/// The learned side's share.
struct Share {
    share: f32,
}

static BLEND: [Choice<Share>; 1] =
    [choice!("share", |word| share = number(word, |x| (0.0..=1.0).contains(&x), "between 0 and 1")?)];

fn blend(sides: Sides, options: &[Word<'_>]) -> Result<Method, ExpressionError> {
    let Share { share } = set("option of blend", &BLEND, Share { share: 0.5 }, options)?;
    Ok(Method::Blend { sides, share })
}

/// `SHORTEST:LONGEST`.
fn gaps(option: &Word<'_>) -> Result<[u32; 2], ExpressionError> {
    let pair = option.argument.and_then(|text| text.split_once(':'));
    match pair.map(|(short, long)| (short.parse(), long.parse())) {
        Some((Ok(short), Ok(long))) if 0 < short && short <= long && long <= MOST_STEPS => Ok([short, long]),
        _ => Err(argument("gaps", "two rising numbers of steps are needed, as in gaps=80:1280")),
    }
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

/// Most batches that a check may draw, and most steps of anything: beyond them no round ends.
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

fn not_negative(word: &Word<'_>) -> Result<f32, ExpressionError> {
    number(word, |x| x >= 0.0, "0 or more")
}

//! Arguments of `lgl2o compare`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use super::{at_most, whole, width};
use crate::network::{self, activation_names};
use crate::optimizer::hand_made::{HAND_MADE, HandMade, Usual};
use crate::optimizer::learned::{BUILT_IN, BuiltIn};
use crate::task::{self, BATCH, Hidden, KnownTask, TASKS};

/// Arguments of `compare`.
#[derive(Debug, Clone, Args)]
#[command(before_help = FIRST, after_help = compare_help())]
pub struct CompareArgs {
    /// The task.
    #[arg(long, default_value = "spirals", value_parser = known_task())]
    pub task: &'static KnownTask,
    /// Data directory (with mnist/ in it), or for `--task idx` a folder of IDX files. Else $LGL2O_DATA, else the user's
    /// cache directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Optimizers, separated by commas; see below.
    #[arg(long, value_name = "LIST", default_value = DEFAULT_OPTIMIZERS)]
    pub optimizers: String,
    /// Training steps of each run.
    #[arg(long, value_name = "N", default_value_t = 3000, value_parser = at_most::<u64>(100_000_000))]
    pub steps: u64,
    /// How many seeds each optimizer gets.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = at_most::<u64>(10_000))]
    pub seeds: u64,
    /// The first seed; the others follow it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = whole::<u64>(0, 1_000_000_000))]
    pub seed: u64,
    /// Examples in a minibatch.
    #[arg(long, value_name = "N", default_value_t = BATCH as u64, value_parser = at_most::<u64>(65_536))]
    pub batch: u64,
    /// Widths of the hidden layers, separated by commas; the task's own by default.
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = width)]
    pub hidden: Vec<u64>,
    /// Activation of the hidden layers; the task's own by default.
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(activation_names()))]
    pub activation: Option<String>,
    /// Whether inputs are standardized: mean 0 and variance 1 over the first 256 training examples. By default on for
    /// `--task idx`, off for the others.
    #[arg(long, value_name = "WHETHER", value_parser = PossibleValuesParser::new(["on", "off"]))]
    pub standardize: Option<String>,
    /// Where the report goes; out/TASK by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// A short run: at most 200 steps and 2 seeds.
    #[arg(long)]
    pub quick: bool,
    /// Search the grid of learning rates first, write it to OUT/tuned.toml and use it.
    #[arg(long)]
    pub tune: bool,
}

impl CompareArgs {
    /// The hidden layers that were asked for.
    #[must_use]
    pub fn hidden(&self) -> Hidden {
        let widths: Vec<usize> = self.hidden.iter().map(|width| *width as usize).collect();
        let activation = self.activation.as_deref().and_then(network::activation);
        Hidden { widths: (!widths.is_empty()).then_some(widths), activation }
    }

    /// Whether inputs are standardized.
    #[must_use]
    pub fn standardizes(&self) -> bool {
        self.standardize.as_deref().map_or(self.standardizes_unless_told(), |whether| whether == "on")
    }

    /// Whether inputs are standardized where the command line does not say: those of a folder are.
    #[must_use]
    pub fn standardizes_unless_told(&self) -> bool {
        self.task.is_folder
    }
}

/// Takes the name of a task.
fn known_task() -> impl TypedValueParser<Value = &'static KnownTask> {
    PossibleValuesParser::new(TASKS.iter().map(|task| task.name)).try_map(|name| task::find(&name))
}

/// What `compare` compares by default.
const DEFAULT_OPTIMIZERS: &str =
    "auto,auto-lean,avg-l2o,avg-lean,avg-ngn,avg-scale-free,sgd,momentum,adam,nadam,rnnprop,lgl2o(avg-l2o,sgd)";

/// What the help says of the hand-designed rules, one line each.
fn hand_made_help() -> String {
    let line = |rule: &HandMade| {
        let number = match rule.usual {
            Usual::Searched(_) => "its tuned rate".to_owned(),
            Usual::Like(other) => format!("{other}'s tuned rate"),
            Usual::Always(number) => format!("{number} for all tasks"),
        };
        format!("  {:<29}{}; {number}\n", rule.name, rule.what.trim().trim_end_matches('.'))
    };
    HAND_MADE.iter().map(line).collect()
}

/// What the help says of the learned optimizers that the core brings along, one line each.
fn learned_help() -> String {
    let line = |rule: &BuiltIn| {
        let names: Vec<&str> = rule.names().collect();
        format!("  {:<29}{}\n", names.join("  "), rule.what)
    };
    BUILT_IN.iter().map(line).collect()
}

fn compare_help() -> String {
    format!("{AUTO_HELP}{}{LEARNED_HELP}{}{GUARDS_HELP}", hand_made_help(), learned_help())
}

/// What most people want of it.
const FIRST: &str = "\
What most people want:
  lgl2o compare                                      `auto` and tuned rules
  lgl2o compare --task idx --data DIR                on your folder of IDX files
  lgl2o compare --optimizers auto,adam:0.01 --quick  two of them, in a short run";

const AUTO_HELP: &str = "\
Optimizers:
  auto  auto-lean              no number to set: a guard with its rules, the same for all tasks; auto-lean
                               takes less memory
  auto-rotated                 the same with the learned rule in the eigenbases of the gradients' second moments, as
                               rot-l2o below: fewer steps, each of which takes more time and memory
  auto(held-out)               the same, but it holds out a fifth of the training examples, trains on the others
                               and keeps what was best on that fifth, the last layer scaled down where that helps
";

const LEARNED_HELP: &str = "  sgd:0.3  sgd:5/(50+i)        the same at a rate, or a number, that you choose
  l2o  l2o:FILE                the built-in learned optimizer, or weights of any kind from a file, in quotation
                               marks where its name needs them, as in 'l2o:\"my weights, 2.l2o\"'; all that are
                               built in, with their other names:
";

const GUARDS_HELP: &str = "  avg-l2o  avg-sgd:3           any rule, with a running mean of its iterates as parameters
  rot-adam  avg-rot-l2o        any rule but armijo in the eigenbases of auto-rotated, which is SOAP for adam; avg- comes
                               before rot-; rot-l2o has the weights of auto-rotated, not those of l2o
  lgl2o(avg-l2o,sgd)           the loss guard: learned rule, fallback, then options
      paper                        the paper's form: only races, nt=10 nc=10 lower early-stop=0 no-veto;
                                   options after it change it
      nt=20 nc=10                  training batches of a race, check batches of a round at most
      stride=32  no-stride         learned steps against one of the fallback between races, at most
      stretch=4  no-stretch        or 1/4 of all steps so far, where that is more
      gaps=80:1280                 shortest and longest gap between races, in steps
      budget  no-budget            after a lost race the fallback goes on alone for the gap
      no-audit                     no races; a lost stride is followed by a shorter one
      lower  margin=2  growing-margin  full  decrease=KAPPA
                                   how it decides
      early-stop=2                 standard errors at which no more check batches are drawn; 0 draws all
      trust  no-trust              whether ties go to a learned side that has won the last race, under a margin
      veto  no-veto                whether the proposal must also beat the current parameters
      stay                         the current parameters stay where no candidate beats them
      keep  rewind  reset  follow  what happens to the loser's state
  relay(avg-scale-free,avg-ngn)  the relay: the learned rule first, then the fallback; options:
      race=40  hand-over=3000      learned steps of the race, and at most
      nc=4  full  latest  lean     as RelayGuard's checks, exact, keep_latest, lean
      held-out                     as auto(held-out)
  gl2o(l2o,sgd)                the residual guard; options:
      alpha=0.99                   factor of the bound
      mu=gs:THETA  mu=rt  mu=aa  mu=ema:THETA  mu=rm:K
                                   how the bound follows the residuals
  blend(l2o,sgd,share=0.5)     a fixed mixture, as a control

OUT/units keeps finished runs, and long ones half done: an interrupted comparison continues where it was, and one with
more optimizers or seeds takes what is there.

Examples:
  lgl2o compare --task mnist --data ~/data --steps 3000 --seeds 5
  lgl2o compare --optimizers 'adam:0.03,lgl2o(l2o,armijo,paper,nt=1,nc=1)' --out out/short-rounds
  lgl2o compare --task mnist --hidden 64,64 --activation relu
  lgl2o compare --task idx --data ~/my-digits --tune";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::guards::GUARDS;
    use crate::optimizer::{Tuned, hand_made, parse_list};
    use lgl2o::guard::LossSettings;

    #[test]
    fn what_is_compared_is_known_on_every_task() {
        for task in &TASKS {
            let all = parse_list(DEFAULT_OPTIMIZERS, &Tuned::built_in(task.rates)).unwrap();
            assert_eq!(all[0].name, "auto");
            assert_eq!(all.len(), DEFAULT_OPTIMIZERS.matches(',').count(), "but for the comma inside of the guard");
        }
    }

    #[test]
    fn the_help_has_every_learned_optimizer() {
        let help = compare_help();
        for rule in BUILT_IN {
            assert!(rule.names().all(|name| help.contains(&format!("  {name}"))), "{}", rule.name);
        }
    }

    /// The three things that most people want come before everything else.
    #[test]
    fn the_help_starts_with_what_people_want() {
        use clap::{Args as _, Command, Parser as _};
        let help = CompareArgs::augment_args(Command::new("lgl2o")).render_long_help().to_string();
        assert!(help.starts_with(FIRST.trim_start()), "{help}");
        let commands: Vec<&str> = FIRST.lines().skip(1).filter_map(|line| line.trim().split("  ").next()).collect();
        assert_eq!(commands.len(), 3);
        for command in commands {
            assert!(crate::cli::Cli::try_parse_from(command.split(' ')).is_ok(), "{command}");
        }
    }

    /// Every rule, every guard and every option, as a word of its own.
    #[test]
    fn the_help_has_every_name() {
        let help = compare_help();
        let end = |c: char| c.is_whitespace() || ":=(),".contains(c);
        let words: Vec<&str> = help.split(end).collect();
        for name in hand_made::names().chain(GUARDS.iter().flat_map(|guard| (guard.options)())) {
            assert!(words.contains(&name), "{name}");
        }
        for guard in GUARDS {
            assert!(help.contains(&format!("\n  {}(", guard.name)), "{}", guard.name);
        }
        // Every name stands in its column.
        let names = help.lines().skip_while(|line| *line != "Optimizers:").skip(1).take_while(|line| !line.is_empty());
        assert_eq!(names.filter(|line| !line.starts_with("  ")).collect::<Vec<_>>(), Vec::<&str>::new());
        let LossSettings { train_batches, check_batches, early_stop, schedule, .. } = LossSettings::DEFAULT;
        let [shortest, longest] = schedule.gaps;
        let defaults = [
            format!("nt={train_batches} nc={check_batches}"),
            format!("early-stop={early_stop}"),
            format!("stride={}", schedule.stride),
            format!("stretch={}", schedule.stretch),
            format!("gaps={shortest}:{longest}"),
        ];
        assert!(defaults.iter().all(|default| help.contains(default.as_str())), "{defaults:?}");
    }
}

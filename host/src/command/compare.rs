//! `lgl2o compare`: several optimizers on one task, and a report.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, ensure};

use super::Failure;
use crate::cli::CompareArgs;
use crate::data;
use crate::data::standard::STANDARD_ROWS;
use crate::experiment::examples::held_out;
use crate::experiment::{Comparison, Evaluator, Plan, compare, tune};
use crate::files::{refuge, write_atomically};
use crate::interrupt::{self, Grace, Interrupted};
use crate::names;
use crate::optimizer::{Optimizer, Tuned, parse_list};
use crate::output::Output;
use crate::record::Results;
use crate::report::{self, Boundaries, Boundary, Extras, ReportError};
use crate::say;
use crate::store::{self, Store};
use crate::task::Task;

/// Points per side of the picture of a decision boundary, and how far it reaches.
const RESOLUTION: usize = 48;
const EXTENT: f32 = 1.25;
/// The folder of what an interrupted call has come to, in that of whole results.
const INTERRUPTED: &str = "interrupted";
/// Training points that the picture shows.
const POINTS: usize = 400;

/// Runs the command.
pub(super) fn run(args: &CompareArgs) -> Result<(), Failure> {
    check_data(args).map_err(Failure::Usage)?;
    let mut tuned = Tuned::built_in(args.task.rates);
    // Expressions are read before any work is done, and once more with the rates that tuning finds.
    let mut plan = plan(args, &tuned)?;
    let out = Output::claim(&args.out.clone().unwrap_or_else(|| PathBuf::from("out").join(args.task.name)), "compare")?;
    report::check(out.dir())?;
    let mut task = Task::load(args.task, args.data.as_deref(), &args.hidden(), args.batch as usize)?;
    task.check_size().map_err(|error| Failure::Usage(error.into()))?;
    if args.standardizes() {
        task = task.standardized()?;
    }
    check_size(&task, &plan.optimizers)?;
    let remarks = if args.task.is_folder { task.data.remarks() } else { Vec::new() };
    remarks.iter().for_each(say::note);
    let store = Store::new(out.dir());
    store.open()?;
    interrupt::last_words(store::kept(out.dir()));
    let grace = Grace::begin();
    if args.tune {
        tuned = search(&task, plan.steps, out.dir(), &store)?;
        plan = self::plan(args, &tuned)?;
    }
    let comparison = compare(&task, &plan, &store)?;
    let rest = (comparison.finished() < comparison.asked).then(|| unfinished(&comparison));
    if comparison.results.runs.is_empty() {
        return Err(Interrupted::new("no run had begun to train; nothing is kept").into());
    }
    let boundaries = (task.train().width() == 2).then(|| boundaries(&task, &plan, &comparison));
    let command = command_line(args, &plan);
    let notes = [notes(args, &task, &tuned), remarks, rest.iter().cloned().collect()].concat();
    let extras = Extras { command: &command, boundaries: boundaries.as_ref(), notes: &notes };
    // A whole report that is there already is not given up for a part of one.
    let partial = rest.is_some() && out.dir().join(report::RECORD).exists();
    let dir = if partial { out.dir().join(INTERRUPTED) } else { out.dir().to_path_buf() };
    let written = report::write(&dir, &comparison.results, &extras);
    say::line(report::table(&comparison.results));
    let page = keep(written, &comparison.results, &extras)?;
    let (found, units) = (comparison.found, out.dir().join("units"));
    let done = comparison.finished() - found.min(comparison.finished());
    say::line(format_args!("runs: {done} done, {found} found finished in {}", units.display()));
    say::line(format_args!("report: {}", page.display()));
    drop(grace);
    match rest {
        Some(rest) => {
            let kept = store::kept(out.dir());
            Err(Interrupted::new(format!("{rest} The report is {}; {kept}", page.display())).into())
        }
        None => Ok(()),
    }
}

/// Data are named where the task needs some, and only there.
fn check_data(args: &CompareArgs) -> anyhow::Result<()> {
    let (task, is_set) = (args.task.name, args.data.is_some());
    ensure!(
        args.task.needs_data || !is_set,
        "--data: the task `{task}` is built in. Leave --data out, or add --task mnist or --task idx"
    );
    ensure!(
        !args.task.is_folder || is_set || data::is_named(),
        "`--task {task}` trains on a folder of IDX files: name it with --data DIR"
    );
    Ok(())
}

/// Searches rates, and writes them into a folder; those of an interrupted search into a folder of its own in it.
fn search(task: &Task, steps: u64, out: &Path, store: &Store) -> Result<Tuned, Failure> {
    let found = tune::tune(task, steps, store)?;
    let text = toml::to_string(&found.tuned).context("the tuned rates cannot be written as TOML")?;
    if found.finished == found.asked {
        write_atomically(&out.join("tuned.toml"), text.as_bytes())?;
        return Ok(found.tuned);
    }
    let ended = format!("{} of {} runs of the search for rates were finished", found.finished, found.asked);
    if found.tuned.grid.is_empty() {
        let words = format!("{ended}, but no rate has all of its runs yet; {}", store::kept(out));
        return Err(Interrupted::new(words).into());
    }
    let path = out.join(INTERRUPTED).join("tuned.toml");
    std::fs::create_dir_all(out.join(INTERRUPTED)).with_context(|| format!("cannot write {}", path.display()))?;
    write_atomically(&path, text.as_bytes())?;
    let best: Vec<String> = found.tuned.best.iter().map(|(rule, rate)| format!("{rule}:{rate}")).collect();
    say::line(format_args!("the best rates so far: {}", best.join(", ")));
    let words = format!("{ended}; their losses are in {}; {}", path.display(), store::kept(out));
    Err(Interrupted::new(words).into())
}

/// What is said of an interrupted comparison.
fn unfinished(comparison: &Comparison) -> String {
    format!(
        "{} of {} runs were finished; an optimizer without a finished run is shown with what its runs had by then.",
        comparison.finished(),
        comparison.asked
    )
}

/// The page of a report. Where the report's place has become unwritable, a report in another place saves the results.
fn keep(
    written: Result<Vec<PathBuf>, ReportError>,
    results: &Results,
    extras: &Extras<'_>,
) -> Result<PathBuf, Failure> {
    let trouble = match written {
        Ok(mut files) => return files.pop().context("the report has no page").map_err(Failure::Failed),
        Err(trouble) => anyhow::Error::new(trouble),
    };
    let saved = refuge().ok().and_then(|dir| report::write(&dir, results, extras).ok());
    let place = match saved.and_then(|mut files| files.pop()) {
        Some(page) => format!("the report is in another place, {}", page.display()),
        None => "no other place takes the report; the table above is all of it".to_owned(),
    };
    Err(trouble.context(place).into())
}

fn plan(args: &CompareArgs, tuned: &Tuned) -> Result<Plan, Failure> {
    let optimizers = parse_list(&args.optimizers, tuned).map_err(|error| Failure::Usage(error.into()))?;
    let (steps, seeds) = if args.quick { (args.steps.min(200), args.seeds.min(2)) } else { (args.steps, args.seeds) };
    check_rounds(&optimizers, steps)?;
    Ok(Plan { optimizers, seeds: (args.seed..args.seed + seeds).collect(), steps })
}

/// Every run must get to the end of a round, those of equal rounds with the last step, and no optimizer may be there
/// twice.
fn check_rounds(optimizers: &[Optimizer], steps: u64) -> Result<(), Failure> {
    for (i, Optimizer { name, method }) in optimizers.iter().enumerate() {
        let round = u64::from(method.first_round());
        if method.has_equal_rounds() && !steps.is_multiple_of(round) {
            return Err(Failure::Usage(anyhow!(
                "`{name}` trains {round} steps a round, so the number of steps must be a multiple of {round}, not \
                 {steps}; or give it other rounds with nt=N"
            )));
        }
        if steps < round {
            return Err(Failure::Usage(anyhow!(
                "`{name}` begins with a round of {round} steps, so {steps} are too few; or give it shorter rounds with \
                 nt=N"
            )));
        }
        if optimizers[..i].iter().any(|other| other.name == *name) {
            return Err(Failure::Usage(anyhow!(names::twice(name))));
        }
    }
    Ok(())
}

/// A batch must fit into what is trained on, and where losses are checked on that, one more.
fn check_size(task: &Task, optimizers: &[Optimizer]) -> Result<(), Failure> {
    let (batch, examples) = (task.batch, task.train().len());
    if batch > examples {
        return Err(Failure::Usage(anyhow!("--batch {batch} is larger than the training data, {examples} examples")));
    }
    for Optimizer { name, method } in optimizers {
        let left = examples - held_out(method, examples);
        if batch > left {
            return Err(Failure::Usage(anyhow!(
                "`{name}` trains on {left} of the {examples} examples, fewer than a batch of {batch}: use a smaller \
                 batch with --batch N"
            )));
        }
    }
    match optimizers.iter().find(|o| o.method.checks_on_the_rest() && 2 * batch > examples) {
        Some(Optimizer { name, .. }) => Err(Failure::Usage(anyhow!(
            "`{name}` trains on at least {batch} of the {examples} examples a round, so no batch would be left to check \
             with: use smaller batches with --batch N"
        ))),
        None => Ok(()),
    }
}

/// The command line that produces these results: what decides them, and nothing else.
fn command_line(args: &CompareArgs, plan: &Plan) -> String {
    let names: Vec<&str> = plan.optimizers.iter().map(|o| o.name.as_str()).collect();
    let mut line = format!("lgl2o compare --task {}", args.task.name);
    if let Some(dir) = args.data.as_ref().filter(|_| args.task.name != "spirals") {
        let _ = write!(line, " --data {}", say::word(&dir.to_string_lossy()));
    }
    if !args.hidden.is_empty() {
        let widths: Vec<String> = args.hidden.iter().map(u64::to_string).collect();
        let _ = write!(line, " --hidden {}", widths.join(","));
    }
    if let Some(activation) = &args.activation {
        let _ = write!(line, " --activation {activation}");
    }
    if args.standardizes() != args.standardizes_unless_told() {
        let _ = write!(line, " --standardize {}", if args.standardizes() { "on" } else { "off" });
    }
    let (steps, seeds, seed, batch) = (plan.steps, plan.seeds.len(), args.seed, args.batch);
    let names = say::quoted(&names.join(","));
    let _ = write!(line, " --optimizers {names} --steps {steps} --seeds {seeds}");
    if seed != 1 {
        let _ = write!(line, " --seed {seed}");
    }
    if batch != crate::task::BATCH as u64 {
        let _ = write!(line, " --batch {batch}");
    }
    line
}

fn notes(args: &CompareArgs, task: &Task, tuned: &Tuned) -> Vec<String> {
    let own = args.tune || (args.hidden.is_empty() && args.activation.is_none());
    let rates = if tuned.task == task.name && own {
        format!(
            "Learning rates come from a grid search of nine rates for each rule (runs of {} steps, {} seeds, judged by \
             {}). A fallback has the rate that its rule got alone.",
            tuned.steps,
            tuned.seeds.len(),
            tuned.score
        )
    } else {
        format!(
            "Learning rates were tuned on {} with its own network, not on this task; --tune searches them here.",
            tuned.task
        )
    };
    let data = format!(
        "{} training and {} held-out examples. Training losses are measured on the first 2,000 training examples.",
        task.train().len(),
        task.test().len()
    );
    let inputs = if task.standardized {
        format!(
            "Inputs are standardized: each column has mean 0 and variance 1 over the first {STANDARD_ROWS} training \
             examples."
        )
    } else {
        "Inputs are as they were loaded.".to_owned()
    };
    vec![rates, data, inputs]
}

/// What each optimizer's network of the first seed makes of the plane.
fn boundaries(task: &Task, plan: &Plan, comparison: &Comparison) -> Boundaries {
    let mut evaluator = Evaluator::new(&task.network);
    let side = |i: usize| EXTENT * ((2 * i + 1) as f32 / RESOLUTION as f32 - 1.0);
    let grid: Vec<f32> =
        (0..RESOLUTION * RESOLUTION).flat_map(|i| [side(i % RESOLUTION), side(i / RESOLUTION)]).collect();
    let fields = plan.optimizers.iter().filter_map(|optimizer| {
        let first = comparison.outcomes.iter().find(|outcome| outcome.run.optimizer == optimizer.name)?;
        let diverged = first.run.curve.last().is_none_or(|point| point.test_loss.is_none());
        let outputs = evaluator.outputs(first.params.as_ref()?, &grid, 2);
        let probability =
            outputs.chunks_exact(2).map(|o| if diverged { f32::NAN } else { lgl2o::math::sigmoid(o[1] - o[0]) });
        Some(Boundary {
            optimizer: optimizer.name.clone(),
            resolution: RESOLUTION,
            extent: EXTENT,
            probability: probability.collect(),
        })
    });
    let fields = fields.collect();
    let train = task.train();
    let points = (0..train.len().min(POINTS)).map(|i| {
        let (input, label) = train.row(i);
        ([input[0], input[1]], label)
    });
    Boundaries { points: points.collect(), fields }
}

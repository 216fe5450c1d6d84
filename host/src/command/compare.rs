//! `lgl2o compare`: several optimizers on one task, and a report.

use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, anyhow};

use super::Failure;
use crate::cli::CompareArgs;
use crate::data::standard::STANDARD_ROWS;
use crate::experiment::examples::held_out;
use crate::experiment::{Evaluator, Outcome, Plan, compare, tune};
use crate::files::{check_writable, write_atomically};
use crate::optimizer::{Method, Optimizer, Tuned, parse_list};
use crate::report::{self, Boundaries, Boundary, Extras};
use crate::task::Task;

/// Points per side of the picture of a decision boundary, and how far it reaches.
const RESOLUTION: usize = 48;
const EXTENT: f32 = 1.25;
/// Training points that the picture shows.
const POINTS: usize = 400;

/// Does it.
pub(super) fn run(args: &CompareArgs) -> Result<(), Failure> {
    let mut tuned = Tuned::built_in(&args.task);
    // Expressions are read before any work is done, and once more with the rates that tuning finds.
    let mut plan = plan(args, &tuned)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out").join(&args.task));
    check_writable(&out)?;
    let mut task = Task::load(&args.task, args.data.as_deref(), &args.hidden(), args.batch as usize)?;
    if args.standardizes() {
        task = task.standardized()?;
    }
    check_size(&task, &plan.optimizers)?;
    if args.tune {
        tuned = tune::tune(&task, plan.steps)?;
        let text = toml::to_string(&tuned).context("the tuned rates cannot be written as TOML")?;
        write_atomically(&out.join("tuned.toml"), text.as_bytes())?;
        plan = self::plan(args, &tuned)?;
    }
    let (results, outcomes) = compare(&task, &plan)?;
    let boundaries = (task.train().width() == 2).then(|| boundaries(&task, &plan, &outcomes));
    let command = command_line(args, &plan);
    let notes = notes(args, &task, &tuned);
    let extras = Extras { command: &command, boundaries: boundaries.as_ref(), notes: &notes };
    let files = report::write(&out, &results, &extras)?;
    println!("{}", report::table(&results));
    if let Some(page) = files.last() {
        println!("report: {}", page.display());
    }
    Ok(())
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
            return Err(Failure::Usage(anyhow!("`{name}` is listed twice")));
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
    let checks = |method: &Method| match method {
        Method::Loss { .. } => true,
        Method::Relay { settings, .. } => !settings.exact && !settings.held_out,
        Method::Alone { .. } | Method::Residual { .. } | Method::Blend { .. } => false,
    };
    match optimizers.iter().find(|o| checks(&o.method) && 2 * batch > examples) {
        Some(Optimizer { name, .. }) => Err(Failure::Usage(anyhow!(
            "`{name}` trains on at least {batch} examples a round, and of {examples} no batch would be left to check \
             with: use fewer with --batch N"
        ))),
        None => Ok(()),
    }
}

/// The command line that gives these results: what decides them, and nothing else.
fn command_line(args: &CompareArgs, plan: &Plan) -> String {
    let names: Vec<&str> = plan.optimizers.iter().map(|o| o.name.as_str()).collect();
    let mut line = format!("lgl2o compare --task {}", args.task);
    if args.task != "spirals" {
        line.push_str(" --data DIR");
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
    let _ = write!(line, " --optimizers '{}' --steps {steps} --seeds {seeds}", names.join(","));
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
fn boundaries(task: &Task, plan: &Plan, outcomes: &[Outcome]) -> Boundaries {
    let mut evaluator = Evaluator::new(&task.network);
    let side = |i: usize| EXTENT * ((2 * i + 1) as f32 / RESOLUTION as f32 - 1.0);
    let grid: Vec<f32> =
        (0..RESOLUTION * RESOLUTION).flat_map(|i| [side(i % RESOLUTION), side(i / RESOLUTION)]).collect();
    let fields = plan.optimizers.iter().zip(outcomes.chunks(plan.seeds.len())).map(|(optimizer, outcomes)| {
        let first = &outcomes[0];
        let diverged = first.run.curve.last().is_none_or(|point| point.test_loss.is_none());
        let outputs = evaluator.outputs(&first.params, &grid, 2);
        let probability =
            outputs.chunks_exact(2).map(|o| if diverged { f32::NAN } else { lgl2o::math::sigmoid(o[1] - o[0]) });
        Boundary {
            optimizer: optimizer.name.clone(),
            resolution: RESOLUTION,
            extent: EXTENT,
            probability: probability.collect(),
        }
    });
    let fields = fields.collect();
    let train = task.train();
    let points = (0..train.len().min(POINTS)).map(|i| {
        let (input, label) = train.row(i);
        ([input[0], input[1]], label)
    });
    Boundaries { points: points.collect(), fields }
}

//! `lgl2o survey`: many tasks, each optimizer with one setting, against settings tuned for each task.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::Failure;
use crate::cli::SurveyArgs;
use crate::experiment::examples::held_out;
use crate::interrupt;
use crate::names;
use crate::network::check_size;
use crate::optimizer::{Optimizer, Tuned, parse_list};
use crate::output::Output;
use crate::ranks::Ranks;
use crate::say;
use crate::store::{self, Store};
use crate::survey::analysis::Request;
use crate::survey::flat::Flat;
use crate::survey::inputs::Inputs;
use crate::survey::oracle;
use crate::survey::shape::Shape;
use crate::survey::{Plan, Runner, Setup, SurveyTask, page, suite};

/// The scored steps are divided by this in a quick run.
const QUICK: u64 = 10;

/// Runs the command.
pub(super) fn run(args: &SurveyArgs, ranks: &Ranks) -> Result<(), Failure> {
    let asked = request(args).and_then(|request| Ok((request, plan(args)?)));
    let (request, plan) = ranks.agree(asked).map_err(Failure::Usage)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out/survey"));
    let store = Store::new(&out);
    interrupt::last_words(store::kept(&out));
    let claimed = || -> Result<Output> {
        let output = Output::claim(&out, "survey")?;
        output.room_for(&["survey.json", "table.md", "survey.html"])?;
        Ok(output)
    };
    let claim = || if ranks.is_first() { claimed().map(Some) } else { Ok(None) };
    let _claim = ranks.agree(claim())?;
    let (tasks, remarks) = ranks.agree(suite(&plan).map_err(Into::into))?;
    remarks.iter().filter(|_| ranks.is_first()).for_each(say::note);
    ranks.agree(check(&tasks, &request)).map_err(Failure::Usage)?;
    ranks.lead(|| store.open())?;
    let units = request.units(tasks.len());
    let setup = Setup { store, tasks: &tasks, optimizers: &request.optimizers, steps: &request.steps };
    let (done, found) = Runner { ranks, setup }.run(&units)?;
    let survey = request.record(&tasks, &units, &done);
    if ranks.is_first() {
        say::line(page::markdown(&survey));
    }
    let page = ranks.lead(|| page::write(&out, &survey))?;
    if !ranks.is_first() {
        return Ok(());
    }
    say::line(format_args!(
        "units: {} done, {found} found finished in {}",
        units.len() - found,
        out.join("units").display()
    ));
    say::line(format_args!("report: {}", page.display()));
    Ok(())
}

/// What is run.
fn request(args: &SurveyArgs) -> Result<Request> {
    let optimizers = parse_list(&args.optimizers, &Tuned::default())?;
    for (i, Optimizer { name, .. }) in optimizers.iter().enumerate() {
        if optimizers[..i].iter().any(|other| other.name == *name) {
            bail!("{}", names::twice(name));
        }
    }
    let flat = match args.flat.as_str() {
        "none" => None,
        learned => Some(Flat::new(learned).context("--flat")?),
    };
    if args.steps.windows(2).any(|pair| pair[0] >= pair[1]) {
        bail!("--steps must rise, as in 100,300,1000");
    }
    let quick = |step: &u64| if args.quick { (step / QUICK).max(1) } else { *step };
    let mut steps: Vec<u64> = args.steps.iter().map(quick).collect();
    steps.dedup();
    let seeds = if args.quick { 1 } else { args.seeds };
    Ok(Request {
        command: command_line(args),
        steps,
        seeds: (args.seed..args.seed + seeds).collect(),
        floor: args.floor,
        oracle: oracle(&args.oracle)?,
        ..Request::new(optimizers, flat)
    })
}

/// The settings of which the best one is the oracle: all, or those that are named.
fn oracle(named: &[String]) -> Result<Vec<String>> {
    let all = oracle::names();
    for (i, name) in named.iter().enumerate() {
        if !all.contains(name) {
            bail!("--oracle: `{name}` is none of its settings, which are {}", all.join(", "));
        }
        if named[..i].contains(name) {
            bail!("--oracle: {}", names::twice(name));
        }
    }
    Ok(if named.is_empty() { all } else { named.to_vec() })
}

/// What it is run on.
fn plan(args: &SurveyArgs) -> Result<Plan> {
    let shapes = args.networks.iter().map(|text| Shape::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let inputs = args.inputs.iter().map(|text| Inputs::parse(text)).collect::<Result<Vec<_>, _>>()?;
    for (what, list) in [
        ("network", shapes.iter().map(Shape::name).collect::<Vec<_>>()),
        ("treatment of the inputs", inputs.iter().map(|inputs| inputs.name()).collect()),
        ("folder", args.data.iter().map(|dir| dir.display().to_string()).collect()),
    ] {
        if let Some((_, name)) = list.iter().enumerate().find(|(i, name)| list[..*i].contains(name)) {
            bail!("the {what} {}", names::twice(name));
        }
    }
    let synthetic = if args.quick { args.synthetic.min(1) } else { args.synthetic };
    if args.data.is_empty() && synthetic == 0 {
        bail!("there are no tasks: name a folder with --data, or leave --synthetic 0 out");
    }
    let (data, batch) = (args.data.clone(), args.batch.map(|batch| batch as usize));
    Ok(Plan { data, synthetic, shapes, inputs, standardize: args.standardize == "on", batch })
}

/// A batch must fit into the training data of every task, and where losses are checked, one more.
fn check(tasks: &[SurveyTask], request: &Request) -> Result<()> {
    for task in tasks {
        let (batch, examples, name) = (task.batch, task.train().len(), task.name());
        let widths = [&[task.train().width()], task.shape.hidden.as_slice(), &[task.train().classes()]].concat();
        check_size(&widths, batch).with_context(|| name.clone())?;
        if batch > examples {
            bail!("{name}: batches of {batch} are larger than the training data, {examples} examples");
        }
        for Optimizer { name: optimizer, method } in &request.optimizers {
            let left = examples - held_out(method, examples);
            if batch > left {
                bail!(
                    "{name}: `{optimizer}` trains on {left} of the {examples} examples, fewer than a batch of {batch}: use a smaller \
                     batch with --batch N"
                );
            }
        }
        let guarded = request.optimizers.iter().find(|one| one.method.checks_on_the_rest());
        if let Some(one) = guarded.filter(|_| 2 * batch > examples) {
            bail!(
                "{name}: `{}` trains on at least {batch} of the {examples} examples a round, so no batch would be left to check \
                 with: use smaller batches with --batch N",
                one.name
            );
        }
    }
    Ok(())
}

/// The command line that produces these results: what decides them, and nothing else.
fn command_line(args: &SurveyArgs) -> String {
    let quoted = say::quoted;
    let steps: Vec<String> = args.steps.iter().map(u64::to_string).collect();
    let mut line = "lgl2o survey".to_owned();
    args.data.iter().for_each(|dir| line.push_str(&format!(" --data {}", quoted(&say::typed(dir)))));
    line.push_str(&format!(" --synthetic {} --networks {}", args.synthetic, quoted(&args.networks.join(","))));
    line.push_str(&format!(" --inputs {} --standardize {}", args.inputs.join(","), args.standardize));
    line.push_str(&format!(" --optimizers {} --flat {}", quoted(&args.optimizers), quoted(&args.flat)));
    line.push_str(&format!(" --steps {} --seeds {} --seed {}", steps.join(","), args.seeds, args.seed));
    args.batch.iter().for_each(|batch| line.push_str(&format!(" --batch {batch}")));
    line.push_str(&format!(" --floor {}", args.floor));
    if !args.oracle.is_empty() {
        line.push_str(&format!(" --oracle {}", args.oracle.join(",")));
    }
    if args.quick {
        line.push_str(" --quick");
    }
    line
}

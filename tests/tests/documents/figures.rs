//! Figures that come from files of the repository and from types: read again, or computed anew.

use std::fs;

use lgl2o::learned::{CoordinateLstm, LeanScaleFree, Learned, LearnedNgn, RnnProp};
use lgl2o::objective::mlp::{Descent, Mlp};
use lgl2o::{Auto, Memory};
use lgl2o_device::{boards, cost::W3};
use lgl2o_host::survey::{page, record::Survey};
use lgl2o_tests::documents::{grouped, hold, read, root, row};
use serde_json::Value;

const RESULTS: &str = "host/RESULTS.md";
const COSTS: &str = "firmware/COSTS.md";
/// The survey behind the picture of README: `lgl2o survey --optimizers auto --seeds 1`.
const FLAT: &str = "host/results/flat.json";

/// Its record, without scores: with the feature `arbitrary_precision`, which a package of the host brings along, serde_json cannot read
/// numbers of a flattened struct.
fn flat() -> Survey {
    let mut record: Value = serde_json::from_str(&read(FLAT)).expect("JSON");
    for optimizer in record["optimizers"].as_array_mut().expect("optimizers") {
        optimizer["scores"] = Value::Array(Vec::new());
    }
    serde_json::from_value(record).expect("a record of a survey")
}

/// Three digits that count.
fn three(x: f64) -> String {
    let digits = (2 - x.abs().log10().floor() as i32).max(0) as usize;
    format!("{x:.digits$}")
}

/// The least and the greatest of some losses.
fn range(losses: impl Iterator<Item = f64>) -> [String; 2] {
    let (low, high) = losses.fold((f64::INFINITY, 0.0), |(low, high), x: f64| (x.min(low), x.max(high)));
    [three(low), three(high)]
}

#[test]
fn readmes_main_figures_hold() {
    let survey = flat();
    let flat = survey.flat.as_ref().expect("the flat line");
    let [low, high] = range(flat.alone.iter().map(|point| point.train));
    let runs = flat.rates.len() * survey.tasks.len();
    let auto = survey.optimizers.iter().find(|one| one.name == "auto").expect("auto");
    let level = auto.tasks.iter().map(|task| task.by_step.last().and_then(|loss| loss.train).expect("a loss"));
    let level = level.map(|loss| loss.max(survey.floor).ln()).sum::<f64>() / auto.tasks.len() as f64;
    let level = three(level.exp());
    let bytes = |n: usize| grouped(n as u64, ",");
    let (by_sgd, by_auto) = (size_of::<Descent<W3, 0>>(), size_of::<Memory<Mlp<W3>, Auto>>());
    let emulated = boards::entries().filter(|board| board.get("emulator").is_some()).count();
    let figures = format!(
        "- **Guard.** In the picture, SGD alone ends at a training loss of {low} to {high}, and {} of {runs} runs fail; `auto` ends at\n  \
         {level}, and {} of {} fail. A step of `auto` costs {:.2} gradients. For strongly convex losses, computed exactly, the bound of\n  \
         gradient descent holds in every round of the paper's guard; `auto` has [another](core/guide/how_the_guard_decides.md)\n  \
         ([guarantees](tests/GUARANTEES.md)).\n\
         - **Bytes.** All training memory for 196-32-10 and batches of 16: {} bytes with `auto`, {} with plain SGD without a stored gradient.\n  \
         `cargo test -p lgl2o-tests --test memory -- --nocapture`\n\
         - **Bits.** {emulated} emulated boards, from Cortex-M0 to M55 and RISC-V, train to the same bits as your desktop.\n  \
         `lgl2o device --board NAME`",
        flat.alone.iter().map(|point| point.failed).sum::<usize>(),
        auto.failed,
        auto.runs,
        auto.cost,
        bytes(by_auto),
        bytes(by_sgd),
    );
    assert_eq!(LearnedNgn::FILE_LEN, 84, "README's first lines have this");
    hold("README.md", "main", &figures);
}

/// Whatever README says in threes stands in the results, with its command.
#[test]
fn readmes_factors_are_those_of_the_results() {
    let (readme, results) = (read("README.md"), read(RESULTS).replace('\n', " "));
    let words: Vec<&str> = readme.split_whitespace().collect();
    let is_number = |word: &str| word.trim_end_matches([',', ';', '.']).parse::<f64>().is_ok();
    let triples =
        words.windows(5).filter(|w| w[1] == "/" && w[3] == "/" && [w[0], w[2], w[4]].into_iter().all(is_number));
    let triples: Vec<String> = triples.map(|w| w.join(" ").trim_end_matches([',', ';', '.']).to_owned()).collect();
    assert_eq!(triples.len(), 6, "{triples:?}");
    assert!(triples.iter().all(|triple| results.contains(triple.as_str())), "{triples:?}");
}

#[test]
fn the_flat_line_is_that_of_its_record() {
    let survey = flat();
    let flat = survey.flat.as_ref().expect("the flat line");
    let mut lines = vec![
        row([
            "rate of SGD",
            "alone: training loss",
            "held-out",
            "failed",
            "guarded: training loss",
            "held-out",
            "failed",
        ]
        .map(str::to_owned)),
        "|---:|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    for (rate, (alone, guarded)) in flat.rates.iter().zip(flat.alone.iter().zip(&flat.guarded)) {
        let cells = [alone, guarded].map(|point| [three(point.train), three(point.held_out), point.failed.to_string()]);
        lines.push(row([rate.to_string()].into_iter().chain(cells.into_iter().flatten())));
    }
    hold(RESULTS, "rate", &lines.join("\n"));
    let folder = tempfile::tempdir().expect("a folder");
    page::write(folder.path(), &survey).expect("pictures");
    let drawn = fs::read_to_string(folder.path().join("flat.svg")).expect("a picture");
    let kept = "host/results/flat.svg";
    if std::env::var_os("LGL2O_RENEW").is_some() {
        fs::write(root().join(kept), &drawn).expect("a picture to write");
    }
    assert!(drawn == read(kept), "{kept} is not the picture of {FLAT}; LGL2O_RENEW=1 draws it anew");
}

/// The tables that `compare` wrote.
#[test]
fn tables_of_comparisons_are_those_of_their_files() {
    for task in ["mnist", "spirals"] {
        let written = read(&format!("host/results/{task}.md"));
        let table: Vec<&str> = written.lines().filter(|line| line.starts_with('|')).collect();
        assert!(table.len() > 10, "{task}");
        hold(RESULTS, task, &table.join("\n"));
    }
}

#[test]
fn weights_are_as_many_as_the_results_say() {
    fn sizes<L: Learned>() -> String {
        format!("| {} | {} |", grouped_from_four(L::WEIGHTS), grouped_from_four(L::FILE_LEN))
    }
    let results = read(RESULTS);
    let all = [
        ("l2o", sizes::<LearnedNgn>()),
        ("lean", sizes::<LeanScaleFree>()),
        ("lstm", sizes::<CoordinateLstm<8>>()),
        ("rnnprop", sizes::<RnnProp<8>>()),
    ];
    for (name, sizes) in all {
        let start = format!("| `{name}` | [");
        let line = results.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row of {name}"));
        assert!(line.contains(&sizes), "{sizes} is not in {line}");
    }
}

/// As that table has numbers.
fn grouped_from_four(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", number / 1000, number % 1000) }
}

const WORKLOADS: [&str; 3] =
    ["W1: 2-16-2 tanh, batch 8", "W2: 64-32-10 ReLU, batch 16", "W3: 196-32-10 ReLU, batch 16"];
const RULES: [&str; 6] = ["Sgd", "Adam", "Ngn", "Lean", "L2o", "Rotated"];

/// What a board's count of something is, and for how many parameters.
fn count(counts: &Value, workload: usize, item: &str) -> [u64; 2] {
    let all = counts["boards"]["mps2-an386"]["costs"].as_array().expect("costs");
    let one = all.iter().find(|one| one["workload"] == workload && one["item"] == item);
    let one = one.unwrap_or_else(|| panic!("no {item} of workload {workload}"));
    ["instructions", "parameters"].map(|key| one[key].as_u64().expect("a number"))
}

/// The tables of COSTS that are `counts.json`'s, which `firmware/renew` writes.
#[test]
fn pinned_costs_are_those_of_the_file() {
    let counts: Value = serde_json::from_str(&read("firmware/counts.json")).expect("JSON");
    let table = |title: &str, cell: &dyn Fn(usize, &str) -> String| {
        let head = [title, "SGD", "Adam", "NGN", "lean", "l2o", "l2o rotated"].map(str::to_owned);
        let lines = WORKLOADS
            .iter()
            .enumerate()
            .map(|(i, name)| row([(*name).to_owned()].into_iter().chain(RULES.iter().map(|rule| cell(i, rule)))));
        [row(head), "|:---|---:|---:|---:|---:|---:|---:|".to_owned()]
            .into_iter()
            .chain(lines)
            .collect::<Vec<_>>()
            .join("\n")
    };
    let update = |i: usize, rule: &str| {
        let [instructions, parameters] = count(&counts, i, &format!("Update{rule}"));
        format!("{:.1}", instructions as f64 / parameters as f64)
    };
    hold(COSTS, "update", &table("update", &update));
    let step = |i: usize, rule: &str| grouped(count(&counts, i, &format!("Step{rule}"))[0], " ");
    hold(COSTS, "step", &table("step", &step));
    hold(COSTS, "instructions", &instructions(&counts));
    hold(COSTS, "cycles", &cycles(&counts));
    hold(COSTS, "least", &least(&counts));
}

/// Instructions of what a board's program does beside the steps of each rule.
fn instructions(counts: &Value) -> String {
    const ITEMS: [(&str, &str); 7] = [
        ("inference", "Inference"),
        ("gradient", "Gradient"),
        ("SGD", "StepSgd"),
        ("Adam", "StepAdam"),
        ("decision", "Decision"),
        ("SGD, no gradient kept", "DescentSgd"),
        ("Adam, no gradient kept", "DescentAdam"),
    ];
    let head = ["workload"].into_iter().chain(ITEMS.map(|(name, _)| name)).map(str::to_owned);
    let mut lines = vec![row(head), format!("|:---|{}", "---:|".repeat(ITEMS.len()))];
    for (i, name) in WORKLOADS.into_iter().enumerate() {
        let cells = ITEMS.map(|(_, item)| grouped(count(counts, i, item)[0], " "));
        lines.push(row([name.to_owned()].into_iter().chain(cells)));
    }
    lines.join("\n")
}

/// Bytes of programs that train and do nothing else.
fn least(counts: &Value) -> String {
    let head = ["training by", "flash", "of it code", "memory", "stack", "RAM"].map(str::to_owned);
    let mut lines = vec![row(head), "|:---|---:|---:|---:|---:|---:|".to_owned()];
    for one in counts["boards"]["mps2-an386"]["least"].as_array().expect("programs") {
        let [flash, code, memory, stack] =
            ["flash", "code", "memory", "stack"].map(|key| one[key].as_u64().expect("bytes"));
        let way = one["way"].as_str().expect("a name").to_owned();
        lines.push(row([way].into_iter().chain([flash, code, memory, stack, memory + stack].map(|n| n.to_string()))));
    }
    lines.join("\n")
}

/// Modelled cycles of the items, and how many for each multiply-add.
fn cycles(counts: &Value) -> String {
    const ITEMS: [(&str, &str); 11] = [
        ("inference", "Inference"),
        ("gradient", "Gradient"),
        ("SGD", "StepSgd"),
        ("Adam", "StepAdam"),
        ("NGN", "StepNgn"),
        ("lean", "StepLean"),
        ("l2o", "StepL2o"),
        ("l2o rotated", "StepRotated"),
        ("decision", "Decision"),
        ("SGD, no gradient kept", "DescentSgd"),
        ("Adam, no gradient kept", "DescentAdam"),
    ];
    /// Multiply-adds of the weights for an inference, a gradient and a decision; a step has those of its gradient.
    const MULTIPLY_ADDS: [[u64; 3]; 3] = [[64, 1_280, 1_536], [2_368, 80_896, 113_664], [6_592, 216_064, 316_416]];
    let all = counts["boards"]["mps2-an386"]["cycles"].as_array().expect("cycles");
    let of = |workload: usize, item: &str| {
        let one = all.iter().find(|one| one["workload"] == workload && one["item"] == item);
        one.and_then(|one| one["cycles"].as_u64()).unwrap_or_else(|| panic!("no {item} of workload {workload}"))
    };
    let each = |workload: usize, item: &str| {
        let [inference, gradient, decision] = MULTIPLY_ADDS[workload];
        let has_gradient = ["Gradient", "Step", "Descent"].iter().any(|kind| item.starts_with(kind));
        let needed = match item {
            "Inference" => inference,
            "Decision" => decision,
            _ if has_gradient => gradient,
            _ => panic!("how many multiply-adds does {item} need?"),
        };
        format!("{:.2}", of(workload, item) as f64 / needed as f64)
    };
    let head = ["workload", ""].into_iter().chain(ITEMS.map(|(name, _)| name)).map(str::to_owned);
    let mut lines = vec![row(head), format!("|:---|:---|{}", "---:|".repeat(ITEMS.len()))];
    for (i, name) in WORKLOADS.into_iter().enumerate() {
        let cells = ITEMS.map(|(_, item)| [grouped(of(i, item), " "), each(i, item)]);
        let line = |what: [&str; 2], k: usize| {
            row(what.map(str::to_owned).into_iter().chain(cells.iter().map(|c| c[k].clone())))
        };
        lines.extend([line([name, "cycles"], 0), line(["", "cycles per multiply-add"], 1)]);
    }
    lines.join("\n")
}

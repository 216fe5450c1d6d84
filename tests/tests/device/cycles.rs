//! What training costs on a Cortex-M4F in cycles, by a model, and for each multiply-add that it cannot do without.

use std::fmt::Write as _;
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lgl2o::objective::mlp::Network;
use lgl2o_device::cost::{Cost, Item, W1, W2, W3, WORKLOADS};
use lgl2o_device::message::FromDevice;
use lgl2o_host::device::board::{Board, Runner, board};
use lgl2o_host::device::firmware::compiler;
use lgl2o_host::device::listen::{Event, listen};
use lgl2o_tests::program::folder;
use lgl2o_tools::cycles::{Call, Program, Work};

use crate::pinned::{Cycles, committed, grown, hold};
use crate::{built_for, left_out};

const BOARD: &str = "mps2-an386";
/// Parts of the name of the function that counts, however the compiler makes names. What it calls is what is counted.
const COUNTING: [&str; 3] = ["Meter", "Counter", "5count"];
/// The order in which the items of a workload are counted, each with one call and then with so many.
const ORDER: [Item; 17] = [
    Item::Inference,
    Item::Gradient,
    Item::StepSgd,
    Item::UpdateSgd,
    Item::StepAdam,
    Item::UpdateAdam,
    Item::StepNgn,
    Item::UpdateNgn,
    Item::StepLean,
    Item::UpdateLean,
    Item::StepL2o,
    Item::UpdateL2o,
    Item::StepRotated,
    Item::UpdateRotated,
    Item::Decision,
    Item::DescentSgd,
    Item::DescentAdam,
];
/// The program's own count and that of the trace differ by no larger part. The program's clock is that coarse.
const MOST_OFF: f64 = 0.01;
/// The columns of the table.
const SHOWN: [(Item, &str); 11] = [
    (Item::Inference, "inference"),
    (Item::Gradient, "gradient"),
    (Item::StepSgd, "SGD"),
    (Item::StepAdam, "Adam"),
    (Item::StepNgn, "NGN"),
    (Item::StepLean, "lean"),
    (Item::StepL2o, "l2o"),
    (Item::StepRotated, "l2o rotated"),
    (Item::Decision, "decision"),
    (Item::DescentSgd, "SGD, no gradient kept"),
    (Item::DescentAdam, "Adam, no gradient kept"),
];
/// Items whose cycles are shown by function.
const PROFILED: [Item; 3] = [Item::Inference, Item::StepSgd, Item::StepL2o];
/// Inputs times outputs of each layer of a workload, and its batch.
fn network(workload: u8) -> (Vec<u64>, u64) {
    fn of<N: Network + Default>() -> (Vec<u64>, u64) {
        let net = N::default();
        let layers = (0..net.depth()).map(|l| net.layer(l)).map(|layer| (layer.inputs * layer.outputs) as u64);
        (layers.collect(), net.capacity() as u64)
    }
    [of::<W1>, of::<W2>, of::<W3>][usize::from(workload)]()
}

/// Multiply-adds of the layers' weights, which the network cannot do without: s for each example that goes forward, the sum
/// over the layers of inputs times outputs; for a gradient s more for the weights' part of it, and s without the first
/// layer for the part that goes back to the layer before. Activations, losses and updates come on top.
fn multiply_adds(workload: u8, item: Item) -> u64 {
    let (layers, batch) = network(workload);
    let of = |layers: &[u64]| layers.iter().sum::<u64>();
    match item {
        Item::Inference => of(&layers),
        Item::Gradient
        | Item::StepSgd
        | Item::StepAdam
        | Item::StepNgn
        | Item::StepLean
        | Item::StepL2o
        | Item::StepRotated
        | Item::DescentSgd
        | Item::DescentAdam => batch * (2 * of(&layers) + of(&layers[1..])),
        // Both candidates, and the current parameters.
        Item::Decision => 3 * batch * of(&layers),
        Item::UpdateSgd
        | Item::UpdateAdam
        | Item::UpdateNgn
        | Item::UpdateLean
        | Item::UpdateL2o
        | Item::UpdateRotated => 0,
    }
}

/// What one call takes.
#[derive(Debug, Clone, Copy)]
struct Measured {
    workload: u8,
    item: Item,
    instructions: f64,
    cycles: f64,
}

/// Runs the program that counts, and returns what it reports, and what it did each time that it counted.
fn traced(board: &Board, elf: &Path, code: &Program) -> (Vec<Cost>, Vec<Call>) {
    let Runner::Qemu { program, machine } = board.runner else { panic!("QEMU does not have {}", board.name) };
    let elf = std::path::absolute(elf).expect("a path");
    let dir = folder();
    let mut command = Command::new(program);
    command.args(machine.split(' ')).args(["-icount", "shift=0", "-d", "in_asm,exec,nochain", "-serial", "file:uart"]);
    command.args(["-nographic", "-monitor", "none", "-semihosting-config", "enable=on,target=native", "-kernel"]);
    command.arg(&elf).current_dir(dir.path()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("QEMU");
    let counting = code.function(&COUNTING).unwrap_or_else(|error| panic!("{error}"));
    let trace = BufReader::new(child.stderr.take().expect("a trace"));
    let work = code.work_below(&counting, trace);
    // If the trace was refused, the program may still be running; its next line ends it, for nobody reads it.
    assert!(child.wait().expect("QEMU").success() || work.is_err(), "the program failed");
    let events = listen(File::open(dir.path().join("uart")).expect("what was sent"), None::<(File, _)>);
    let costs = events.iter().filter_map(|event| match event {
        Event::Message(FromDevice::Cost(cost)) => Some(cost),
        _ => None,
    });
    (costs.collect(), work.unwrap_or_else(|error| panic!("{error}")))
}

/// What is counted, in its order.
fn items() -> impl Iterator<Item = (u8, Item)> {
    (0..).zip(WORKLOADS).flat_map(|(workload, _)| ORDER.map(|item| (workload, item)))
}

/// Gives each item its share of the work, and holds it against what the program has counted itself.
fn measured(costs: &[Cost], work: &[Work]) -> Result<Vec<Measured>, String> {
    let items: Vec<(u8, Item)> = items().collect();
    if (costs.len(), work.len()) != (items.len(), 2 * items.len()) {
        return Err(format!("{} items were reported, and {} counts seen in the trace", costs.len(), work.len()));
    }
    let measured = items.into_iter().zip(work.chunks(2)).map(|((workload, item), pair)| {
        let [instructions, cycles] = [pair[1].instructions, pair[1].cycles].map(|n| n as f64 / f64::from(item.calls()));
        let measured = Measured { workload, item, instructions, cycles };
        let same = |cost: &&Cost| (cost.workload, cost.item) == (workload, item);
        let reported = f64::from(costs.iter().find(same).map_or(0, |cost| cost.instructions));
        let near = (instructions - reported).abs() <= reported * MOST_OFF;
        if near { Ok(measured) } else { Err(format!("reported as {reported} instructions: {measured:?}")) }
    });
    measured.collect()
}

/// A number in groups of three digits.
fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|g| std::str::from_utf8(g).ok()).collect();
    groups.join(" ")
}

fn table(all: &[Measured]) -> String {
    let mut table = String::from("| workload | |");
    SHOWN.iter().for_each(|(_, name)| _ = write!(table, " {name} |"));
    table += "\n|:---|:---|";
    table += &"---:|".repeat(SHOWN.len());
    for (workload, name) in (0..).zip(WORKLOADS) {
        let find = |item| all.iter().find(|m| (m.workload, m.item) == (workload, item)).expect("measured");
        let mut row = |name: &str, what: &str, cell: &dyn Fn(&Measured) -> String| {
            let cells: Vec<String> = SHOWN.iter().map(|(item, _)| cell(find(*item))).collect();
            _ = write!(table, "\n| {name} | {what} | {} |", cells.join(" | "));
        };
        row(name, "instructions", &|m| grouped(m.instructions));
        row("", "cycles", &|m| grouped(m.cycles));
        row("", "cycles per multiply-add", &|m| format!("{:.2}", m.cycles / multiply_adds(workload, m.item) as f64));
    }
    table
}

/// In which functions the cycles of a call went, for those that took a hundredth of them or more.
fn by_function(code: &Program, calls: &[Call]) -> String {
    let mut table = String::from("| workload | item | function | share | cycles |\n|:---|:---|:---|---:|---:|");
    for ((workload, item), pair) in items().zip(calls.chunks(2)).filter(|((_, item), _)| PROFILED.contains(item)) {
        let (call, times) = (&pair[1], f64::from(item.calls()));
        for (name, work) in code.functions(call).iter().filter(|(_, work)| work.cycles * 100 >= call.work.cycles) {
            let (share, cycles) = (100.0 * work.cycles as f64 / call.work.cycles as f64, work.cycles as f64 / times);
            let (workload, name) = (WORKLOADS[usize::from(workload)], rustc_demangle::demangle(name));
            _ = write!(table, "\n| {workload} | {item:?} | `{name:#}` | {share:.0} % | {} |", grouped(cycles));
        }
    }
    table
}

/// Cycles that have grown by more than 3 %.
fn cycles_grown(now: &[Cycles], then: &[Cycles]) -> Vec<String> {
    let same = |a: &Cycles, b: &Cycles| (a.workload, a.item) == (b.workload, b.item);
    grown(now, then, same, |cycles| cycles.cycles, 1.03)
}

/// The program that counts, with these features, and what it was seen to do, which is printed.
fn measured_with(features: &[String]) -> (PathBuf, Vec<Measured>) {
    let board = board(BOARD).expect("a board");
    let elf = built_for(board, "cost", features);
    let code = Program::read(&std::fs::read(&elf).expect("a program")).unwrap_or_else(|error| panic!("{error}"));
    let (costs, calls) = traced(board, &elf, &code);
    let work: Vec<Work> = calls.iter().map(|call| call.work).collect();
    let measured = measured(&costs, &work).unwrap_or_else(|error| panic!("{BOARD}: {error}"));
    println!("{BOARD} {features:?}:\n\n{}\n\n{}\n", table(&measured), by_function(&code, &calls));
    (elf, measured)
}

/// From W2 on, small kernels take less than twice as long as the others. W1 takes 2.2 times as long, since it has no long rows.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn modelled_cycles_of_small_kernels() {
    if left_out("modelled cycles of small kernels") {
        return;
    }
    let ((_, measured), pinned) = (measured_with(&["small".to_owned()]), committed());
    for m in measured.iter().filter(|m| m.workload > 0 && m.item != Item::StepRotated) {
        let then = pinned.boards[BOARD].cycles.iter().find(|c| (c.workload, c.item) == (m.workload, m.item));
        let then = f64::from(then.expect("a figure").cycles);
        assert!(m.cycles < 2.0 * then, "{m:?}: {then} cycles without `small`");
    }
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn none_of_the_modelled_cycles_has_grown() {
    if left_out("modelled cycles") {
        return;
    }
    let (elf, measured) = measured_with(&[]);
    let cycles = |m: &Measured| Cycles { workload: m.workload, item: m.item, cycles: m.cycles.round() as u32 };
    let now: Vec<Cycles> = measured.iter().map(cycles).collect();
    let by = compiler(&std::fs::read(&elf).expect("a program"));
    hold(BOARD, by.as_deref(), |then| cycles_grown(&now, &then.cycles), |figures| figures.cycles.clone_from(&now));
}

#[test]
fn growth_of_cycles_is_noticed() {
    let then = &committed().boards[BOARD].cycles;
    assert!(then.len() == ORDER.len() * WORKLOADS.len() && cycles_grown(then, then).is_empty());
    let mut now = then.clone();
    now[0].cycles += then[0].cycles / 25;
    assert_eq!((cycles_grown(&now, then).len(), cycles_grown(&now, &[]).len()), (1, now.len()));
}

#[test]
fn multiply_adds_are_those_of_the_layers() {
    assert_eq!(multiply_adds(2, Item::Inference), 196 * 32 + 32 * 10);
    // 105,472 forward, as many for the weights, and 5,120 back to the hidden layer.
    assert_eq!(multiply_adds(2, Item::StepAdam), 216_064);
    assert_eq!(multiply_adds(2, Item::Decision), 3 * 105_472);
    assert_eq!(multiply_adds(0, Item::Gradient), 8 * (64 + 64 + 32));
}

#[test]
fn what_the_program_does_not_confirm_is_refused() {
    let cost = |(workload, item)| Cost { workload, item, parameters: 1, instructions: 1000 };
    let costs: Vec<Cost> = items().map(cost).collect();
    let of = |item: Item, each| Work {
        instructions: each * u64::from(item.calls()),
        cycles: 2000 * u64::from(item.calls()),
    };
    let work = |each| costs.iter().flat_map(|cost| [of(cost.item, each); 2]).collect::<Vec<_>>();
    let all = measured(&costs, &work(1_005)).expect("near enough");
    assert!(all.iter().all(|m| m.cycles == 2000.0));
    assert!(table(&all).contains("| W3: 196-32-10 ReLU, batch 16 | instructions | 1 005 |"));
    for bad in [work(1_012), work(988), work(1_000).split_off(1)] {
        assert!(measured(&costs, &bad).is_err());
    }
}

//! `lgl2o train --emulate`: somebody's own training, on a board.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use lgl2o::Rng;
use lgl2o_tests::program::{Ran, folder, lgl2o};
use serde_json::Value;

use crate::left_out;
use crate::pinned::{Figures, Trained, grown, hold};

/// Rows of four features, with a class of three or a value.
fn table(rows: u32, is_class: bool) -> String {
    let mut rng = Rng::new(5);
    let mut text = "a,b,c,d,y\n".to_owned();
    for i in 0..rows {
        let x: [f32; 4] = core::array::from_fn(|j| rng.normal() + if j as u32 == i % 3 { 2.0 } else { 0.0 });
        let value = 100.0 * (x[0] + x[1] * x[2]);
        let answer = if is_class { format!("k{}", i % 3) } else { value.to_string() };
        writeln!(text, "{},{},{},{},{answer}", x[0], x[1], x[2], x[3]).expect("text");
    }
    text
}

/// `lgl2o train` in a folder, with the path of the sources' folder in reach; returns what it found on the board.
fn emulated(text: &str, more: &[&str]) -> (Ran, Value) {
    let dir = folder();
    fs::write(dir.path().join("t.csv"), text).expect("written");
    let path = |name: &str| dir.path().join(name).to_str().expect("a path in Unicode").to_owned();
    let (data, out) = (path("t.csv"), path("o"));
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let arguments = ["train", "--data", &data, "--target", "y", "--out", &out, "--steps", "200"];
    let ran = lgl2o(&firmware, &[&arguments[..], more].concat());
    let json = fs::read(dir.path().join("o/emulated.json")).ok();
    (ran, json.map_or(Value::Null, |json| serde_json::from_slice(&json).expect("a record")))
}

/// What does not fit, or cannot be emulated, is said before anything is trained.
#[test]
fn a_board_that_is_too_small_or_not_emulated_is_refused() {
    let (ran, _) = emulated(&table(3000, true), &["--emulate", "microbit"]);
    ran.expect(1, &["microbit: the board has 16384 bytes of RAM", "rows", "--hidden"]);
    assert!(!ran.out.contains("model:"), "{}", ran.out);
    let (ran, _) = emulated(&table(60, true), &["--emulate", "nrf52840-dk"]);
    ran.expect(2, &["no emulator has this board; mps2-an386 has the same instructions"]);
    emulated("", &["--emulate", "mps2-an368"]).0.expect(2, &["mps2-an386"]);
    emulated("", &["--emulate", "mps2-an386", "--resume"]).0.expect(2, &["--resume"]);
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn a_training_of_ones_own_has_the_same_bits_on_a_board() {
    let few = left_out("values on RISC-V and rows to check on");
    let classes = ["--emulate", "mps2-an386", "--hidden", "8,6", "--activation", "tanh"];
    let values = ["--emulate", "riscv-virt", "--regression", "--check-on", "0.2", "--hidden", "6"];
    for (is_class, more) in [(true, &classes[..]), (false, &values[..])].into_iter().take(if few { 1 } else { 2 }) {
        let (ran, found) = emulated(&table(200, is_class), more);
        ran.expect(0, &[]);
        for words in ["the same bits as here", "instructions", "estimate"] {
            assert!(ran.out.contains(words), "no `{words}` in {}", ran.out);
        }
        assert_eq!((&found["equal"], &found["steps"], &found["version"]), (&true.into(), &200.into(), &1.into()));
        for key in ["rounds", "flash", "flash_of_rows", "static_ram", "training_memory", "rows_memory", "stack"] {
            assert!(found[key].as_u64().is_some_and(|n| n > 0), "{key}: {found}");
        }
        // A step goes forward and back for every row of a batch of 16: more than an instruction for each weight and row.
        let instructions = found["instructions"].as_u64().expect("a count");
        assert!((200 * 16 * 50..200 * 16 * 50_000).contains(&instructions), "{instructions}");
        assert_eq!(found["estimate"].is_null(), !is_class, "{found}");
    }
}

const BOARD: &str = "mps2-an386";
/// Networks of the layers that no other program for boards has.
const NETWORKS: [&str; 2] =
    ["4x1 gru(6), dense(3)", "2x2x1 conv2d(4, 2, 1, 1, Relu), max_pool2d([3, 1]), average_pool2d([1, 3]), dense(3)"];

/// Instructions that have grown by more than 3 %.
fn trainings_grown(now: &[Trained], then: &[Trained]) -> Vec<String> {
    grown(now, then, |a, b| a.network == b.network, |trained| trained.instructions, 1.03)
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn other_layers_have_the_same_bits_and_no_training_has_grown() {
    let (mut now, mut compiler) = (Vec::new(), None);
    for network in NETWORKS {
        let (ran, found) = emulated(&table(200, true), &["--emulate", BOARD, "--network", network]);
        ran.expect(0, &[]);
        assert_eq!((&found["equal"], &found["steps"]), (&true.into(), &200.into()), "{network}: {found}");
        let instructions = found["instructions"].as_u64().and_then(|n| u32::try_from(n).ok()).expect("a count");
        println!("{network}: {instructions} instructions for 200 steps");
        now.push(Trained { network: network.to_owned(), instructions });
        compiler = found["compiler"].as_str().map(str::to_owned);
    }
    let write = |figures: &mut Figures| figures.trained.clone_from(&now);
    hold(BOARD, compiler.as_deref(), |then| trainings_grown(&now, &then.trained), write);
}

#[test]
fn growth_of_a_training_is_noticed() {
    let then = NETWORKS.map(|network| Trained { network: network.to_owned(), instructions: 1000 });
    assert!(trainings_grown(&then, &then).is_empty());
    let mut now = then.clone();
    now[0].instructions = 1040;
    assert_eq!(trainings_grown(&now, &then), [format!("{:?}", now[0])]);
    assert_eq!(trainings_grown(&then, &then[..1]).len(), 1, "what was not there");
}

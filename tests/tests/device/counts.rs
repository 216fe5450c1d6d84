//! Instruction counts, held against those in `firmware/counts.json`.

use std::fs;
use std::path::Path;

use lgl2o_device::cost::Cost;
use lgl2o_host::device::board::board;

use super::device;

/// The committed counts of instructions, of one compiler, by board.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Counts {
    compiler: String,
    boards: std::collections::BTreeMap<String, Vec<Cost>>,
}

/// How much a count may grow before it is an error.
const GROWTH: f64 = 1.03;

/// The counts repeat exactly; what another compiler makes of the same sources is another matter.
#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn no_count_of_instructions_has_grown() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/counts.json");
    let table: Counts = serde_json::from_slice(&fs::read(&path).expect("counts.json")).expect("counts");
    let mut found = Counts::default();
    for name in ["mps2-an386", "mps2-an385", "microbit"] {
        let (ran, record) = device(None, board(name).expect("a board"), &["--program", "cost"]);
        ran.expect(0, &[]);
        found.compiler = record["compiler"].as_str().unwrap_or("unknown").to_owned();
        found.boards.insert(name.to_owned(), serde_json::from_value(record["costs"].clone()).expect("costs"));
    }
    if std::env::var_os("LGL2O_RENEW").is_some() {
        let json = serde_json::to_string(&found).expect("written").replace("},{", "},\n{").replace("[{", "[\n{");
        fs::write(&path, json + "\n").expect("written");
        return;
    }
    if found.compiler != table.compiler {
        eprintln!("SKIPPED: firmware/counts.json is {}'s, and this is {}", table.compiler, found.compiler);
        return;
    }
    let grown = found.boards.iter().flat_map(|(name, costs)| {
        let before = table.boards.get(name).map_or(&[][..], Vec::as_slice);
        costs.iter().filter_map(move |now| {
            let then = before.iter().find(|then| (then.workload, then.item) == (now.workload, now.item));
            let most = then.map_or(0.0, |then| GROWTH * f64::from(then.instructions));
            (f64::from(now.instructions) > most).then(|| format!("{name}: {now:?}, before {then:?}"))
        })
    });
    let grown: Vec<String> = grown.collect();
    let renew = "LGL2O_RENEW=1 cargo test -p lgl2o-tests --test device no_count -- --ignored";
    assert!(grown.is_empty(), "more instructions than in firmware/counts.json; if that is meant: {renew}\n{grown:#?}");
}

//! What programs take, held against `firmware/counts.json`: instructions, flash, and stack.
//!
//! Counts repeat exactly; what another compiler makes of the same sources is another matter, so the file has counts for each
//! compiler that has built for a board, and those of a new one are not compared.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use lgl2o_device::cost::Cost;
use lgl2o_host::device::board::board;
use serde::{Deserialize, Serialize};

use super::device;

/// What `lgl2o device --program cost` finds on a board.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Found {
    compiler: Option<String>,
    costs: Vec<Cost>,
    sizes: Vec<Size>,
}

/// What one program takes, in bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Size {
    program: String,
    flash: u32,
    stack: Option<u32>,
}

/// The committed file: by board, one for each compiler.
type Counts = BTreeMap<String, Vec<Found>>;

/// One with floating-point hardware, one without.
const BOARDS: [&str; 2] = ["mps2-an386", "microbit"];
const RENEW: &str = "if that is meant: LGL2O_RENEW=1 cargo test -p lgl2o-tests --test device has_grown -- --ignored";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/counts.json")
}

fn committed() -> Counts {
    serde_json::from_slice(&fs::read(path()).expect("counts.json")).expect("counts")
}

fn count(name: &str) -> Found {
    let (ran, record) = device(None, board(name).expect("a board"), &["--program", "cost", "--timeout", "900"]);
    ran.expect(0, &[]);
    serde_json::from_value(record).expect("costs and sizes")
}

/// What is more than `most` times what it was, or was not there.
fn grown<T: std::fmt::Debug>(
    now: &[T],
    then: &[T],
    same: impl Fn(&T, &T) -> bool,
    n: impl Fn(&T) -> u32,
    most: f64,
) -> Vec<String> {
    let grown = |now: &&T| {
        then.iter().find(|then| same(now, then)).is_none_or(|then| f64::from(n(now)) > most * f64::from(n(then)))
    };
    now.iter().filter(grown).map(|now| format!("{now:?}")).collect()
}

/// All that has grown: instructions by 3 %, flash by 5 %, stack by 10 %.
fn all_grown(now: &Found, then: &Found) -> Vec<String> {
    let same = |a: &Cost, b: &Cost| (a.workload, a.item) == (b.workload, b.item);
    let named = |a: &Size, b: &Size| a.program == b.program;
    let mut all = grown(&now.costs, &then.costs, same, |cost| cost.instructions, 1.03);
    all.extend(grown(&now.sizes, &then.sizes, named, |size| size.flash, 1.05));
    all.extend(grown(&now.sizes, &then.sizes, named, |size| size.stack.unwrap_or(0), 1.1));
    all
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn nothing_has_grown() {
    let mut counts = committed();
    let renew = std::env::var_os("LGL2O_RENEW").is_some();
    for name in BOARDS {
        let (now, all) = (count(name), counts.entry(name.to_owned()).or_default());
        match all.iter_mut().find(|then| then.compiler == now.compiler) {
            Some(then) if renew => *then = now,
            None if renew => all.push(now),
            None => eprintln!("{name}: not compared, {:?} built it, for which there are no counts", now.compiler),
            Some(then) => {
                let grown = all_grown(&now, then);
                assert!(grown.is_empty(), "{name}: more than in firmware/counts.json; {RENEW}\n{grown:#?}");
            }
        }
    }
    if renew {
        let json = serde_json::to_string(&counts).expect("written").replace("},{", "},\n{").replace("[{", "[\n{");
        fs::write(path(), json + "\n").expect("written");
    }
}

#[test]
fn growth_is_noticed() {
    let mut counts = committed();
    for name in BOARDS {
        let found = &mut counts.get_mut(name).expect("counted")[0];
        let clone =
            |found: &Found| serde_json::from_value(serde_json::to_value(found).expect("values")).expect("found");
        let then: Found = clone(found);
        assert!(!then.costs.is_empty() && !then.sizes.is_empty() && all_grown(found, &then).is_empty());
        found.costs[0].instructions += then.costs[0].instructions / 25;
        found.sizes[1].stack = then.sizes[1].stack.map(|stack| stack + stack / 9);
        found.sizes[2].flash += then.sizes[2].flash / 15;
        assert_eq!(all_grown(found, &then).len(), 3, "{name}");
    }
}

//! What programs take, held against `firmware/counts.json`: instructions, flash, and stack, measured and bounded.
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

/// What `lgl2o device --program cost` finds on a board, and what [`stack`](super::stack) reads from programs for it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Found {
    compiler: Option<String>,
    costs: Vec<Cost>,
    sizes: Vec<Size>,
    #[serde(default)]
    pub(crate) bounds: Vec<StackBound>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) least: Vec<Least>,
}

/// What one program takes, in bytes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Size {
    program: String,
    flash: u32,
    stack: Option<u32>,
}

/// The most stack that a program can take, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StackBound {
    pub(crate) program: String,
    /// Of one training step, its callers not included; where the step is a function.
    pub(crate) step: Option<u32>,
    /// Of everything, from the reset on.
    pub(crate) whole: u32,
}

/// What training takes where a program does nothing else, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Least {
    pub(crate) way: String,
    /// Of flash: all that is not the board's.
    pub(crate) flash: u32,
    /// Of it, the library's own code.
    pub(crate) code: u32,
    /// All training memory.
    pub(crate) memory: u32,
    /// The most stack that was in use.
    pub(crate) stack: u32,
}

/// The committed file: by board, one for each compiler.
pub(crate) type Counts = BTreeMap<String, Vec<Found>>;

/// One with floating-point hardware, one without.
const BOARDS: [&str; 2] = ["mps2-an386", "microbit"];
pub(crate) const RENEW: &str =
    "if that is meant: LGL2O_RENEW=1 cargo test -p lgl2o-tests --test device has_grown -- --ignored --test-threads 1";

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/counts.json")
}

pub(crate) fn committed() -> Counts {
    serde_json::from_slice(&fs::read(path()).expect("counts.json")).expect("counts")
}

/// Whether what is found is to be written down instead of compared.
pub(crate) fn to_be_renewed() -> bool {
    std::env::var_os("LGL2O_RENEW").is_some()
}

pub(crate) fn commit(counts: &Counts) {
    let json = serde_json::to_string(counts).expect("written").replace("},{", "},\n{").replace("[{", "[\n{");
    fs::write(path(), json + "\n").expect("written");
}

/// The counts of a compiler, empty ones if there are none.
pub(crate) fn of_compiler<'a>(all: &'a mut Vec<Found>, compiler: Option<&str>) -> &'a mut Found {
    let at = all.iter().position(|found| found.compiler.as_deref() == compiler).unwrap_or_else(|| {
        all.push(Found { compiler: compiler.map(str::to_owned), ..Found::default() });
        all.len() - 1
    });
    &mut all[at]
}

impl Found {
    /// The stack that a program was seen to use, in bytes; `None` if it was not measured.
    pub(crate) fn stack(&self, program: &str) -> Option<u32> {
        self.sizes.iter().find(|size| size.program == program)?.stack
    }
}

fn count(name: &str) -> Found {
    let (ran, record) = device(None, board(name).expect("a board"), &["--program", "cost", "--timeout", "900"]);
    ran.expect(0, &[]);
    serde_json::from_value(record).expect("costs and sizes")
}

/// What is more than `most` times what it was, or was not there.
pub(crate) fn grown<T: std::fmt::Debug>(
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
    for name in BOARDS {
        let now = count(name);
        let then = of_compiler(counts.entry(name.to_owned()).or_default(), now.compiler.as_deref());
        if to_be_renewed() {
            let Found { bounds, least, .. } = std::mem::take(then);
            *then = Found { bounds, least, ..now };
        } else if then.costs.is_empty() {
            eprintln!("{name}: not compared, {:?} built it, for which there are no counts", now.compiler);
        } else {
            let grown = all_grown(&now, then);
            assert!(grown.is_empty(), "{name}: more than in firmware/counts.json; {RENEW}\n{grown:#?}");
        }
    }
    if to_be_renewed() {
        commit(&counts);
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

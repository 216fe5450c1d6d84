//! The pinned figures, `firmware/counts.json`: what programs take of instructions, cycles by a model, flash and stack, by one compiler.
//!
//! Counts repeat exactly under one compiler, and another makes other code of the same sources. So the file names the
//! compiler that its figures are from, what any other has built is not compared, and a test says so.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use lgl2o_device::cost::{Cost, Item};
use serde::{Deserialize, Serialize};

/// How the figures are renewed; also in CONTRIBUTING.
const RENEW: &str = "if that is meant, renew the figures: firmware/renew";

/// The committed file.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Pinned {
    /// The compiler of all figures, as it names itself in a program.
    compiler: String,
    pub(crate) boards: BTreeMap<String, Figures>,
}

/// What programs for one board take.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Figures {
    pub(crate) costs: Vec<Cost>,
    pub(crate) sizes: Vec<Size>,
    pub(crate) bounds: Vec<StackBound>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) cycles: Vec<Cycles>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) least: Vec<Least>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) trained: Vec<Trained>,
}

/// What a whole training of somebody's own takes, in instructions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Trained {
    /// The network in words.
    pub(crate) network: String,
    /// All instructions of the training.
    pub(crate) instructions: u32,
}

/// Cycles of one call, by the model of `lgl2o_tools::cycles`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Cycles {
    pub(crate) workload: u8,
    pub(crate) item: Item,
    pub(crate) cycles: u32,
}

/// What one program takes, in bytes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) program: String,
    pub(crate) flash: u32,
    pub(crate) stack: Option<u32>,
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

/// What a comparison with the pinned figures has found.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// Nothing has grown.
    Held,
    /// What has grown, or was not there.
    Grown(Vec<String>),
    /// Another compiler built the program: nothing was compared. Why, in words.
    Skipped(String),
}

impl Pinned {
    fn compare(&self, board: &str, compiler: Option<&str>, grown: impl FnOnce(&Figures) -> Vec<String>) -> Outcome {
        if compiler != Some(self.compiler.as_str()) {
            let (by, pinned) = (compiler.unwrap_or("an unknown compiler"), &self.compiler);
            return Outcome::Skipped(format!(
                "{board}: built by {by}; the figures of firmware/counts.json are by {pinned} and are not compared"
            ));
        }
        match grown(self.boards.get(board).unwrap_or(&Figures::default())) {
            all if all.is_empty() => Outcome::Held,
            all => Outcome::Grown(all),
        }
    }

    /// Replaces figures of a board. Those of another compiler than this one all go.
    fn renew(&mut self, board: &str, compiler: &str, write: impl FnOnce(&mut Figures)) {
        if self.compiler != compiler {
            *self = Self { compiler: compiler.to_owned(), boards: BTreeMap::new() };
        }
        write(self.boards.entry(board.to_owned()).or_default());
    }
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware/counts.json")
}

pub(crate) fn committed() -> Pinned {
    let json = fs::read(path()).expect("counts.json");
    serde_json::from_slice(&json).unwrap_or_else(|error| panic!("firmware/counts.json: {error}; run firmware/renew"))
}

/// Holds what a board's programs take against the pinned figures; or, if `LGL2O_RENEW` is in the environment, writes it there.
///
/// # Panics
/// If something has grown.
pub(crate) fn hold(
    board: &str,
    compiler: Option<&str>,
    grown: impl FnOnce(&Figures) -> Vec<String>,
    write: impl FnOnce(&mut Figures),
) {
    static FILE: Mutex<()> = Mutex::new(());
    if std::env::var_os("LGL2O_RENEW").is_some() {
        let _alone = FILE.lock();
        // The file may be one that a merge has left in pieces.
        let mut pinned: Pinned = serde_json::from_slice(&fs::read(path()).unwrap_or_default()).unwrap_or_default();
        pinned.renew(board, compiler.expect("a program names its compiler"), write);
        let json = serde_json::to_string(&pinned).expect("written").replace("},{", "},\n{").replace("[{", "[\n{");
        return fs::write(path(), json + "\n").expect("written");
    }
    match committed().compare(board, compiler, grown) {
        Outcome::Held => {}
        Outcome::Grown(all) => panic!("{board}: more than in firmware/counts.json; {RENEW}\n{all:#?}"),
        Outcome::Skipped(why) => skipped(&why),
    }
}

/// Says that something is not compared where the test harness does not swallow it, and in the file that `LGL2O_SKIPPED` names,
/// from which `tests/run.sh` has it.
fn skipped(why: &str) {
    _ = writeln!(std::io::stderr(), "SKIPPED: {why}");
    if let Some(path) = std::env::var_os("LGL2O_SKIPPED") {
        let file = OpenOptions::new().create(true).append(true).open(path);
        file.and_then(|mut file| writeln!(file, "{why}")).expect("written");
    }
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

/// Figures that are nobody's, by a compiler of this name.
#[cfg(test)]
fn pinned(compiler: &str) -> Pinned {
    Pinned { compiler: compiler.to_owned(), boards: BTreeMap::from([("one".to_owned(), Figures::default())]) }
}

#[test]
fn what_another_compiler_built_is_skipped_with_a_word() {
    let pinned = pinned("rustc version 1.96.0");
    let more = |_: &Figures| vec!["more".to_owned()];
    for other in [Some("rustc version 1.95.0"), None] {
        let Outcome::Skipped(why) = pinned.compare("one", other, more) else { panic!("{other:?} is compared") };
        let says = ["one: built by", "1.96.0", other.unwrap_or("unknown")];
        assert!(says.iter().all(|text| why.contains(text)), "{why}");
    }
    let same = Some("rustc version 1.96.0");
    assert_eq!(pinned.compare("one", same, more), Outcome::Grown(vec!["more".to_owned()]));
    assert_eq!(pinned.compare("one", same, |_| Vec::new()), Outcome::Held);
    // A board that the file does not have is not passed over.
    let new = [StackBound { program: "new".to_owned(), step: None, whole: 1 }];
    let of = |then: &Figures| grown(&new, &then.bounds, PartialEq::eq, |bound| bound.whole, 1.0);
    assert!(matches!(pinned.compare("two", same, of), Outcome::Grown(all) if all.len() == 1));
}

#[test]
fn renewing_leaves_figures_of_one_compiler() {
    let mut pinned = pinned("old");
    let bound = || StackBound { program: "spirals".to_owned(), step: None, whole: 1 };
    pinned.renew("two", "new", |figures| figures.bounds.push(bound()));
    pinned.renew("two", "new", |figures| figures.least.clear());
    assert_eq!((pinned.compiler.as_str(), pinned.boards.len()), ("new", 1));
    assert_eq!(pinned.boards["two"].bounds, [bound()], "what the same compiler found before stays");
}

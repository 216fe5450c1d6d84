//! The boards: those that QEMU emulates, and real hardware. `firmware/shared/boards.toml` has all of them.

use std::sync::LazyLock;

use lgl2o_device::boards::{Entry, Region, entries};

/// A board, or the machine of QEMU's that stands for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Board {
    /// What `--board` and the firmware call it.
    pub name: &'static str,
    /// Its processor.
    pub core: &'static str,
    /// Where it is found.
    pub about: &'static str,
    /// Rust's name of the target.
    pub target: &'static str,
    /// What runs its programs.
    pub runner: Runner,
    /// RAM in one piece.
    pub ram: Region,
    /// All that the table says.
    pub entry: Entry,
}

/// What runs the programs of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runner {
    /// An emulator, with the arguments that say which machine.
    Qemu {
        /// The program.
        program: &'static str,
        /// Its arguments, with spaces between.
        machine: &'static str,
    },
    /// The board itself, into which `probe-rs` writes a program.
    Hardware {
        /// What `probe-rs` calls its chip.
        chip: &'static str,
    },
}

impl Board {
    /// A board by its entry; `None` if that lacks something.
    fn new(entry: Entry) -> Option<Self> {
        let runner = match entry.get("emulator") {
            Some(program) => Runner::Qemu { program, machine: entry.get("machine")? },
            None => Runner::Hardware { chip: entry.get("chip")? },
        };
        Some(Self {
            name: entry.name,
            core: entry.get("core")?,
            about: entry.get("about")?,
            target: entry.get("target")?,
            runner,
            ram: entry.region("ram")?,
            entry,
        })
    }

    /// Whether QEMU has it.
    #[must_use]
    pub const fn is_emulated(&self) -> bool {
        matches!(self.runner, Runner::Qemu { .. })
    }

    /// Whether its RAM is enough for one of [`NEEDS`](lgl2o_device::boards::NEEDS).
    #[must_use]
    pub fn fits(&self, what: &str) -> bool {
        self.entry.fits(what)
    }
}

/// All boards; the first is the usual one.
pub static BOARDS: LazyLock<Vec<Board>> = LazyLock::new(|| {
    let board = |entry: Entry| {
        Board::new(entry).unwrap_or_else(|| {
            panic!("firmware/shared/boards.toml, {}: a key is missing or wrong; its first lines list them", entry.name)
        })
    };
    entries().map(board).collect()
});

/// The board that is taken where none is named.
#[must_use]
pub fn usual() -> &'static Board {
    &BOARDS[0]
}

/// The names, for the command line.
#[must_use]
pub fn names() -> Vec<&'static str> {
    BOARDS.iter().map(|board| board.name).collect()
}

/// The board of a name.
#[must_use]
pub fn board(name: &str) -> Option<&'static Board> {
    BOARDS.iter().find(|board| board.name == name)
}

/// The boards as lines of a help text.
#[must_use]
pub fn list() -> String {
    BOARDS.iter().map(|b| format!("  {:<14} {:<11} {}\n", b.name, b.core, b.about)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_of_the_table_is_a_board() {
        assert!(BOARDS.len() >= 10 && usual().is_emulated() && usual().fits("w3"));
        let small = board("microbit").expect("a board");
        assert_eq!((small.ram.size, small.fits("large"), small.fits("unknown")), (16, false, false));
        assert_eq!(board("lm3s6965evb").map(|b| (b.fits("large"), b.fits("w2"))), Some((true, false)));
    }
}

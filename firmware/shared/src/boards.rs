//! The table of boards, `firmware/shared/boards.toml`, which says itself what its keys mean.
//!
//! Without anything from the rest of this package, for the firmware's build script has this file as a module, too.

use core::fmt;

/// The table.
const TABLE: &str = include_str!("../boards.toml");

/// What takes so much RAM, in kB, with its stack, that not every board has it: `imported`, the large network of `spirals`, two
/// workloads of `cost`, and `stream`.
pub const NEEDS: [(&str, u32); 5] = [("imported", 20), ("large", 64), ("stream", 128), ("w2", 256), ("w3", 1024)];

/// The RAM that one of [`NEEDS`] takes, in kB.
#[must_use]
pub fn need(what: &str) -> Option<u32> {
    NEEDS.iter().find(|(name, _)| *name == what).map(|(_, need)| *need)
}

/// The entry of one board.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// The board's name.
    pub name: &'static str,
    lines: &'static str,
}

/// Where a memory begins, and how many kB it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// The address of its first byte.
    pub begin: u32,
    /// kB of it.
    pub size: u32,
}

/// There is no board of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownBoard<'a>(pub &'a str);

impl fmt::Display for UnknownBoard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no board `{}`; firmware/shared/boards.toml has", self.0)?;
        entries().try_for_each(|entry| write!(f, " {}", entry.name))
    }
}

impl core::error::Error for UnknownBoard<'_> {}

/// All entries, in the table's order.
pub fn entries() -> impl Iterator<Item = Entry> {
    TABLE.split("\n[").skip(1).filter_map(|entry| {
        let (name, lines) = entry.split_once("]\n")?;
        Some(Entry { name, lines })
    })
}

/// The entry of a board.
///
/// # Errors
/// If there is none, with the names that there are.
pub fn entry(name: &str) -> Result<Entry, UnknownBoard<'_>> {
    entries().find(|entry| entry.name == name).ok_or(UnknownBoard(name))
}

impl Entry {
    /// The words of a key; `None` where the board does not have it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'static str> {
        let mut lines = self.lines.lines().filter_map(|line| line.split_once(" = "));
        let (_, words) = lines.find(|(found, _)| *found == key)?;
        words.strip_prefix('"')?.strip_suffix('"')
    }

    /// A memory, `flash` or `ram`.
    #[must_use]
    pub fn region(&self, key: &str) -> Option<Region> {
        let (begin, size) = self.get(key)?.split_once(' ')?;
        let begin = u32::from_str_radix(begin.strip_prefix("0x")?, 16).ok()?;
        Some(Region { begin, size: size.strip_suffix('K')?.parse().ok()? })
    }

    /// Whether the board has the RAM for one of [`NEEDS`].
    #[must_use]
    pub fn fits(&self, what: &str) -> bool {
        need(what).zip(self.region("ram")).is_some_and(|(need, ram)| ram.size >= need)
    }
}

//! Building a demonstration for a board, and what can be seen of the file that comes out.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use object::{Object as _, ObjectSection as _, ObjectSymbol as _, SectionFlags, SectionKind, elf};

use super::board::Board;
use super::programs::PROGRAMS;
use crate::files::{Temporary, read_bounded};
use crate::first_bytes;
use crate::interrupt::Ours;

/// No program's file is larger, in bytes: debug information is what takes most of it.
const LARGEST: u64 = 1 << 28;
/// So many of the build's last lines are shown when it fails.
const LINES: usize = 25;

/// What is to be built.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// The folder `firmware`.
    pub folder: &'a Path,
    /// For which board.
    pub board: &'a Board,
    /// The program.
    pub program: &'a str,
    /// Features of the firmware.
    pub features: &'a [String],
}

/// The folder `firmware`: that of the sources here, or of those that this program was built from.
///
/// # Errors
/// If neither is there.
pub fn folder() -> Result<PathBuf> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../firmware");
    let places = [PathBuf::from("firmware"), built_from];
    let found = places.into_iter().find(|place| place.join("build").is_file());
    found.context("there is no firmware/build here; run this in the repository, or name the program's file with --elf")
}

/// Builds a program; tells each line of the build to `each`. Gives the ELF file.
///
/// # Errors
/// With the last lines of the build, if it fails.
pub fn build(plan: &Build<'_>, each: impl Fn(&str)) -> Result<PathBuf> {
    build_with(plan, "", &[], each)
}

/// Builds a program with more in the environment, such as flags for the compiler. The name of the ELF file ends in `variant`.
///
/// # Errors
/// As [`build`].
pub fn build_with(
    plan: &Build<'_>,
    variant: &str,
    environment: &[(&str, &str)],
    each: impl Fn(&str),
) -> Result<PathBuf> {
    let target = plan.folder.join("target");
    std::fs::create_dir_all(&target).with_context(|| format!("cannot make {}", target.display()))?;
    // Boards of one target share the file that Cargo writes: no other build may come before it is kept.
    let lock = File::create(target.join("lgl2o.lock")).context("cannot write to firmware/target")?;
    lock.lock().context("cannot lock firmware/target")?;
    let mut command = Command::new("bash");
    command.arg(plan.folder.join("build")).arg(plan.board.name).args(["--bin", plan.program]);
    // What a compiler leaves there when the build is killed goes, too.
    let temporary = Temporary::new()?;
    command.env("TMPDIR", temporary.path());
    // The folder is ours alone, and no setting of the caller's build of the host belongs here.
    command.env("CARGO_TARGET_DIR", absolute(&target)?).env_remove("CARGO");
    command.env_remove("RUSTFLAGS").env_remove("CARGO_ENCODED_RUSTFLAGS").envs(environment.iter().copied());
    if !plan.features.is_empty() {
        command.args(["--features", &plan.features.join(",")]);
    }
    let started = Ours::spawn(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()));
    let (mut child, ours) = started.context("cannot run bash, which firmware/build needs")?;
    let mut lines = Vec::new();
    for line in child.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).lines()) {
        let line = line.context("cannot read what the build says")?;
        each(line.trim());
        lines.push(line);
    }
    let status = child.wait().context("cannot wait for the build");
    ours.forget();
    let status = status?;
    if !status.success() {
        let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
        bail!("cannot build `{}` for {}; the build ended with:\n{last}", plan.program, plan.board.name);
    }
    keep(plan, variant, &target)
}

/// A copy of what was built, one for each board, program, set of features and variant, that no other build replaces.
fn keep(plan: &Build<'_>, variant: &str, target: &Path) -> Result<PathBuf> {
    let built = target.join(plan.board.target).join("release").join(plan.program);
    let folder = target.join("programs").join(plan.board.name);
    let mut name = [&[plan.program.to_owned()], plan.features].concat().join("-");
    if !variant.is_empty() {
        name = format!("{name}-{variant}");
    }
    let (kept, fresh) = (folder.join(&name), folder.join(format!("{name}.{}", std::process::id())));
    let copied = std::fs::create_dir_all(&folder).and_then(|()| std::fs::copy(&built, &fresh));
    // Whoever runs the one from before keeps it.
    copied.and_then(|_| std::fs::rename(&fresh, &kept)).with_context(|| format!("cannot keep {}", built.display()))?;
    Ok(kept)
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot find {}", path.display()))
}

/// Reads an ELF file and checks that it is a program of ours for this board.
///
/// # Errors
/// If it is none, with the board that it is for.
pub fn read(path: &Path, board: &Board) -> Result<Vec<u8>> {
    let bytes = read_bounded(path, LARGEST)?;
    if !bytes.starts_with(b"\x7fELF") {
        let what = first_bytes::name(&bytes);
        bail!(
            "{} is no program of this firmware: it is {what}. Name the ELF file that firmware/build makes",
            path.display()
        );
    }
    match board_of(&bytes).with_context(|| format!("{} is no program of this firmware", path.display()))? {
        name if name == board.name => Ok(bytes),
        name => bail!("{} is for the board {name}, not for {}", path.display(), board.name),
    }
}

/// Checks that an ELF file is this program, as far as its debug information says which it is.
///
/// # Errors
/// If it is another one.
pub fn check_program(path: &Path, bytes: &[u8], program: &str) -> Result<()> {
    match program_of(bytes) {
        Some(other) if other != program => bail!(
            "{} is the program `{other}`, not `{program}`: say --program {other}, or name another file with --elf",
            path.display()
        ),
        _ => Ok(()),
    }
}

/// The program of a file: the compiler names its source.
fn program_of(bytes: &[u8]) -> Option<&'static str> {
    let file = object::File::parse(bytes).ok()?;
    let names = file.section_by_name(".debug_str")?.data().ok()?;
    named(names)
}

fn named(names: &[u8]) -> Option<&'static str> {
    PROGRAMS.iter().map(|program| program.name).find(|program| {
        let source = format!("src/bin/{program}.rs/@/");
        names.windows(source.len()).any(|window| window == source.as_bytes())
    })
}

/// The name of the board that a program was built for: it carries it under the symbol `LGL2O_BOARD`.
fn board_of(bytes: &[u8]) -> Result<String> {
    let file = object::File::parse(bytes).context("it is no ELF file, or a damaged one")?;
    let symbol = file.symbols().find(|symbol| symbol.name() == Ok("LGL2O_BOARD"));
    let symbol = symbol.context("it does not say which board it is for")?;
    let section = symbol.section_index().and_then(|index| file.section_by_index(index).ok());
    let data = section.and_then(|s| s.data_range(symbol.address(), symbol.size()).ok().flatten());
    let name = data.context("the name of its board is missing")?;
    Ok(String::from_utf8_lossy(name).into_owned())
}

/// The compiler that a program is from, as it names itself in the file; `None` where it does not.
#[must_use]
pub fn compiler(bytes: &[u8]) -> Option<String> {
    let file = object::File::parse(bytes).ok()?;
    let comment = file.section_by_name(".comment")?.data().ok()?;
    let names = comment.split(|&byte| byte == 0).map(String::from_utf8_lossy);
    names.into_iter().find(|name| name.starts_with("rustc ")).map(|name| name.into_owned())
}

/// What a program takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sizes {
    /// Code, constants, and the initial values of variables.
    pub flash: u64,
    /// Everything static, without the stack.
    pub ram: u64,
}

/// What a program takes of a board.
///
/// # Errors
/// If it is no ELF file.
pub fn sizes(bytes: &[u8], board: &Board) -> Result<Sizes> {
    let file = object::File::parse(bytes).context("it is no ELF file, or a damaged one")?;
    let mut sizes = Sizes::default();
    let [flash, ram] = ["flash", "ram"].map(|key| {
        board.entry.region(key).map(|region| {
            let begin = u64::from(region.begin);
            begin..begin + (u64::from(region.size) << 10)
        })
    });
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { continue };
        let flag = |flag: u32| sh_flags & u64::from(flag) != 0;
        if !flag(elf::SHF_ALLOC) {
            continue;
        }
        let within = |region: &Option<Range<u64>>| region.as_ref().is_some_and(|all| all.contains(&section.address()));
        let filled = section.kind() != SectionKind::UninitializedData;
        // What the runtime's linker script sets aside for heap and stack holds nothing static. The script of the ESP32-C3 has sections
        // that only leave addresses out: in RAM for code that is there under other addresses, so that they count, and in flash, where
        // they do not. Linkers disagree on whether these are written to.
        let set_aside = matches!(section.name(), Ok(".heap" | ".stack")) || within(&flash);
        let variables = !set_aside && (flag(elf::SHF_WRITE) || !filled && within(&ram));
        sizes.flash += if filled { section.size() } else { 0 };
        sizes.ram += if variables { section.size() } else { 0 };
    }
    Ok(sizes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::board::board;

    #[test]
    fn a_program_is_known_by_its_source() {
        assert_eq!(named(b"core\0src/bin/sensor.rs/@/sensor.1d76-cgu.0\0x"), Some("sensor"));
        assert_eq!(named(b"src/lib.rs/@/x\0src/bin/other.rs/@/y"), None);
        check_program(Path::new("p"), b"no ELF", "spirals").expect("it cannot be told");
    }

    #[test]
    fn what_is_no_elf_file_is_refused() {
        let dir = tempfile::tempdir().expect("temporary directory");
        let path = dir.path().join("program");
        for (bytes, says) in [
            (&b"no ELF"[..], "it is text. Name the ELF file"),
            (b"", "it is empty"),
            (b"L2OM\x01", "it is a model"),
            (b"\x7fELF\x01", "it is no ELF file, or a damaged one"),
        ] {
            std::fs::write(&path, bytes).expect("written");
            let error = read(&path, board("microbit").expect("known")).expect_err("refused");
            assert!(format!("{error:#}").contains(says), "{error:#}");
        }
        // This test itself is an ELF file on many systems, and never the firmware's.
        let own = std::env::current_exe().expect("a path");
        assert!(read(&own, board("microbit").expect("known")).is_err());
    }
}

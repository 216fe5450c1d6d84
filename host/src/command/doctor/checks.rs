//! What is looked at, in a list.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::cli::DoctorArgs;
use crate::data;
use crate::device::board::{BOARDS, Board, Runner};
use crate::device::{emulator, firmware, port, probe};
use crate::files::{check_writable, try_to_write};
use crate::say;

/// One thing that is there or not.
pub(super) struct Finding {
    pub(super) name: String,
    pub(super) state: State,
}

/// Whether it is.
pub(super) enum State {
    /// It is, with details.
    There(String),
    /// It is not, with what it is needed for, and the command that brings it.
    Missing { what: String, command: String },
}

/// A part of the program.
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) what_for: &'static str,
    pub(super) look: fn(&DoctorArgs) -> Vec<Finding>,
}

/// All of them.
pub(super) const CHECKS: [Check; 7] = [
    Check { name: "output", what_for: "a folder that results can be written to", look: output },
    Check { name: "compiler", what_for: "building this program and its tests", look: compiler },
    Check { name: "data", what_for: "the tasks on MNIST, and most of `lgl2o reproduce`", look: mnist },
    Check { name: "firmware", what_for: "building programs for boards, which `lgl2o device` does", look: build },
    Check { name: "emulator", what_for: "running programs on emulated boards", look: qemu },
    Check { name: "ports", what_for: "running programs on real boards, with `lgl2o device --port`", look: ports },
    Check { name: "mpi", what_for: "spreading `survey`, `reproduce` and `meta-train` over processes", look: mpi },
];

fn there(name: impl Into<String>, what: impl Into<String>) -> Finding {
    Finding { name: name.into(), state: State::There(what.into()) }
}

fn missing(name: impl Into<String>, what: impl Into<String>, command: impl Into<String>) -> Finding {
    Finding { name: name.into(), state: State::Missing { what: what.into(), command: command.into() } }
}

/// A program on the search path.
fn find(program: &str) -> Option<PathBuf> {
    let name = format!("{program}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(&name)).find(|path| path.is_file())
}

/// What a program says, if it runs and succeeds.
fn says(program: impl AsRef<std::ffi::OsStr>, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Bytes that a report may take, and those that a build takes.
const REPORT: u64 = 100 << 20;
const BUILD: u64 = 2 << 30;

fn output(args: &DoctorArgs) -> Vec<Finding> {
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out"));
    let name = say::path(&out);
    // A folder that is made only to look at it goes again.
    let was_there = out.exists();
    let written = check_writable(&out);
    if !was_there {
        let _ = std::fs::remove_dir(&out);
    }
    let writable = match written {
        Ok(()) => there(&name, "can be written to"),
        Err(error) => missing(&name, say::told(&error), "name another folder with --out"),
    };
    let space = |name: &str, dir: &Path, least| {
        let free = free(dir)?;
        let (shown, command) =
            (format!("{:.1} GB free", free as f64 / 1e9), format!("free space on {}", dir.display()));
        Some(if free < least { missing(name, shown, command) } else { there(name, shown) })
    };
    let parent = out.ancestors().find(|dir| dir.is_dir()).unwrap_or(Path::new("."));
    let temporary = std::env::temp_dir();
    let spaces = [space("disk", parent, REPORT), space("disk of temporary files", &temporary, REPORT)];
    [writable, temporary_files(&temporary)].into_iter().chain(spaces.into_iter().flatten()).collect()
}

/// Whether there is a place for temporary files, which emulators need, and results whose own place fails.
fn temporary_files(dir: &Path) -> Finding {
    let name = "temporary files";
    match try_to_write(dir) {
        Ok(()) => there(name, format!("{} can be written to", dir.display())),
        Err(error) => missing(
            name,
            format!("cannot write to {}: {error}; `lgl2o device` needs them", dir.display()),
            "export TMPDIR=DIR      (a folder that can be written to)",
        ),
    }
}

/// Bytes that can still be written to the disk of a folder.
#[cfg(unix)]
fn free(dir: &Path) -> Option<u64> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    rustix::fs::statvfs(dir).ok().map(|found| found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

fn compiler(_: &DoctorArgs) -> Vec<Finding> {
    let least = env!("CARGO_PKG_RUST_VERSION");
    let rust = match says("rustc", &["--version"]) {
        Some(words) if rust_version(&words) >= rust_version(&format!("rustc {least}")) => there("rustc", words),
        Some(words) => missing("rustc", format!("{words}; at least {least} is needed"), "rustup update stable"),
        None => missing("rustc", format!("at least {least} is needed"), "https://rustup.rs says how to get it"),
    };
    let cc = match find("cc").or_else(|| find("gcc")).or_else(|| find("clang")) {
        Some(path) => there("C compiler", path.display().to_string()),
        None => missing("C compiler", "rustc links programs with it", "apt-get install gcc libc6-dev"),
    };
    vec![rust, cc]
}

/// Major and minor version in "rustc 1.95.0 (...)".
fn rust_version(words: &str) -> Option<(u32, u32)> {
    let mut parts = words.split(' ').nth(1)?.split('.').map(|part| part.parse().ok());
    Some((parts.next()??, parts.next()??))
}

fn mnist(args: &DoctorArgs) -> Vec<Finding> {
    let dir = data::data_dir(args.data.as_deref());
    let fetch = || format!("lgl2o data fetch mnist --data {}", say::path(&dir));
    let found = match data::load_mnist(&dir) {
        Ok(_) => there("mnist", format!("whole, in {}", dir.display())),
        Err(error) => missing("mnist", error.to_string().replace('\n', "\n           "), fetch()),
    };
    let mut findings = vec![there("spirals", "built in")];
    // Where MNIST is there, nothing is to be downloaded.
    if matches!(found.state, State::Missing { .. }) && find("curl").is_none() {
        findings.push(missing("curl", "`lgl2o data fetch` downloads with it", "apt-get install curl"));
    }
    findings.push(found);
    findings
}

/// The boards of the question: one, or all.
fn boards(args: &DoctorArgs) -> impl Iterator<Item = &'static Board> {
    let asked = args.board.clone();
    BOARDS.iter().filter(move |board| asked.as_ref().is_none_or(|name| name == board.name))
}

/// What `firmware/build` needs, in its order: rustup's target, else Debian's compiler.
fn build(args: &DoctorArgs) -> Vec<Finding> {
    let folder = match firmware::folder() {
        Ok(folder) => folder,
        Err(error) => return vec![missing("sources", error.to_string(), "run this in the repository")],
    };
    let bash = match find("bash") {
        Some(path) => there("bash", path.display().to_string()),
        None => missing("bash", "firmware/build is written for it", "apt-get install bash"),
    };
    let space = free(&folder).map(|free| match format!("{:.1} GB free", free as f64 / 1e9) {
        shown if free < BUILD => missing("disk", shown, format!("free space on {}", folder.display())),
        shown => there("disk", shown),
    });
    let mut targets: Vec<&str> = boards(args).map(|board| board.target).collect();
    targets.sort_unstable();
    targets.dedup();
    let sources = there("sources", folder.display().to_string());
    let targets = targets.into_iter().map(|name| target(name, &folder));
    [Some(sources), Some(bash), space].into_iter().flatten().chain(targets).collect()
}

/// Whether there is a compiler for a target.
fn target(name: &str, folder: &Path) -> Finding {
    let print = ["--print", "target-libdir", "--target", name];
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc).args(print).current_dir(folder).stdin(Stdio::null()).output().ok();
    let libdir = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    let core = |name: &str| name.starts_with("libcore-") && name.ends_with(".rlib");
    let has_core = |dir: std::fs::ReadDir| dir.flatten().any(|file| core(&file.file_name().to_string_lossy()));
    if std::fs::read_dir(libdir).is_ok_and(has_core) {
        return there(name, "the library of rustup's compiler");
    }
    let debian = Path::new("/usr/bin/cargo").is_file()
        && Path::new("/usr/lib/rustlib/src/rust/library/core/src/lib.rs").exists();
    let boards: Vec<&str> = BOARDS.iter().filter(|board| board.target == name).map(|board| board.name).collect();
    let for_boards = format!("no compiler for {}", boards.join(", "));
    if !debian {
        let command = if find("rustup").is_some() {
            format!("rustup target add {name}")
        } else {
            "apt-get install rustc-web cargo-web rust-web-src      (Debian; as root)".to_owned()
        };
        return missing(name, for_boards, command);
    }
    match linker(name) {
        Ok(linker) => there(name, format!("Debian's compiler, {linker}")),
        Err(package) => {
            missing(name, format!("no linker for {}", boards.join(", ")), format!("apt-get install {package}"))
        }
    }
}

/// What links where Debian's compiler builds: rustup's linker, else that of binutils; or the package to install.
fn linker(target: &str) -> Result<String, String> {
    let host = says("rustc", &["-vV"]).and_then(|words| {
        let line = words.lines().find_map(|line| line.strip_prefix("host: "));
        line.map(str::to_owned)
    });
    if let (Some(root), Some(host)) = (says("rustc", &["--print", "sysroot"]), host) {
        let lld = Path::new(&root).join("lib/rustlib").join(host).join("bin/rust-lld");
        if lld.is_file() {
            return Ok(format!("linked by {}", lld.display()));
        }
    }
    let prefix = if target.starts_with("riscv") { "riscv64-unknown-elf" } else { "arm-none-eabi" };
    match find(&format!("{prefix}-ld")) {
        Some(path) => Ok(format!("linked by {}", path.display())),
        None => Err(format!("binutils-{prefix}")),
    }
}

fn qemu(args: &DoctorArgs) -> Vec<Finding> {
    let mut seen: Vec<&str> = Vec::new();
    let mut findings = Vec::new();
    for board in boards(args) {
        let Runner::Qemu { program, .. } = board.runner else { continue };
        if seen.contains(&program) {
            continue;
        }
        seen.push(program);
        findings.push(match emulator::check(board) {
            Ok(()) => there(program, find(program).map_or("found".to_owned(), |path| path.display().to_string())),
            Err(error) => missing(program, say::told(&error), emulator::install(board, program)),
        });
    }
    if findings.is_empty() {
        findings.push(there("qemu", "not needed: no emulator has this board"));
    }
    findings
}

fn ports(_: &DoctorArgs) -> Vec<Finding> {
    let port = |(name, is_ours): (String, bool)| match is_ours {
        true => there("serial port", name),
        false => missing(
            "serial port",
            format!("{name}: no permission to use it"),
            "usermod -aG dialout USER      (as root; then log in again)",
        ),
    };
    let mut all: Vec<Finding> = port::all().into_iter().map(port).collect();
    if all.is_empty() {
        all.push(missing("serial port", "there is none", "connect a board"));
    }
    let probe = if probe::is_there() {
        there("probe-rs", "found")
    } else {
        missing("probe-rs", "it writes programs into real boards", "cargo install probe-rs-tools --locked")
    };
    all.push(probe);
    all
}

fn mpi(_: &DoctorArgs) -> Vec<Finding> {
    const INSTALL: &str = "apt-get install openmpi-bin libopenmpi-dev libclang-dev";
    let built = if cfg!(feature = "mpi") {
        there("this program", "built with MPI")
    } else {
        missing("this program", "built without MPI", "cargo build --release -p lgl2o-host --features mpi")
    };
    let tools = ["mpicc", "mpirun"].map(|program| match find(program) {
        Some(path) => there(program, path.display().to_string()),
        None => missing(program, "it builds and starts several processes", INSTALL),
    });
    let clang = match libclang() {
        Some(path) => there("libclang", path.display().to_string()),
        None => missing("libclang", "a build with MPI needs it; LIBCLANG_PATH names its folder", INSTALL),
    };
    std::iter::once(built).chain(tools).chain([clang]).collect()
}

/// The library of clang, where builds look for it: a folder that is named, those of the system, and those of LLVM.
fn libclang() -> Option<PathBuf> {
    const SYSTEM: [&str; 4] = ["/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/opt/llvm/lib"];
    let below = |dir: &str| std::fs::read_dir(dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let llvm = below("/usr/lib").map(|dir| if dir.join("lib").is_dir() { dir.join("lib") } else { dir });
    let named = std::env::var_os("LIBCLANG_PATH").map(PathBuf::from);
    let mut folders = named.into_iter().chain(SYSTEM.map(PathBuf::from)).chain(llvm.filter(|dir| dir.is_dir()));
    folders.find_map(|dir| {
        let mut files = std::fs::read_dir(&dir).ok()?.flatten().map(|entry| entry.path());
        let is_it = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            (name.starts_with("libclang.") || name.starts_with("libclang-"))
                && !name.contains("cpp")
                && !name.ends_with(".a")
        };
        files.find(is_it)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_by_their_numbers() {
        let version = rust_version("rustc 1.95.0 (59807616e 2026-04-14)");
        assert_eq!(version, Some((1, 95)));
        assert!(version > rust_version("rustc 1.9.0") && rust_version("nonsense").is_none());
        assert!(rust_version(&format!("rustc {}", env!("CARGO_PKG_RUST_VERSION"))).is_some());
    }

    #[test]
    fn the_command_line_knows_every_check() {
        assert_eq!(CHECKS.map(|check| check.name), crate::cli::CHECKED);
    }

    #[test]
    fn a_program_is_found_on_the_path_only() {
        assert!(find("lgl2o-no-such-program").is_none());
    }
}

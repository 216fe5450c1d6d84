//! What is said when something is missing or wrong.

use std::fs;
use std::path::{Path, PathBuf};

use lgl2o_host::device::board::{names, usual};
use lgl2o_tests::program::{command, folder, lgl2o, ran};

use crate::{elf_for, programs};

/// A directory with a program in it that stands for QEMU and says this version, to be the only one on the path.
#[cfg(unix)]
fn emulator_of(version: &str, dir: &Path) -> PathBuf {
    programs(dir, &[("qemu-system-arm", &format!("echo 'QEMU emulator version {version} (Debian)'"))])
}

#[test]
fn an_unknown_board_is_refused_and_a_near_one_named() {
    let dir = folder();
    lgl2o(dir.path(), &["device", "--board", "mps2-an368"]).expect(2, &["mps2-an386"]);
    lgl2o(dir.path(), &["device", "--program", "spiral"]).expect(2, &["spirals"]);
    lgl2o(dir.path(), &["device", "--timeout", "0"]).expect(2, &["--timeout"]);
}

#[test]
fn the_help_lists_every_board() {
    let help = lgl2o(folder().path(), &["device", "--help"]);
    help.expect(0, &[]);
    assert!(names().iter().all(|name| help.out.contains(name)), "{}", help.out);
}

#[cfg(unix)]
#[test]
fn a_missing_or_old_emulator_is_named() {
    let dir = folder();
    let arguments = ["device", "--elf", "program"];
    let with_path = |path: &Path| ran(command(dir.path(), &arguments).env("PATH", path));
    with_path(dir.path()).expect(1, &["qemu-system-arm is not installed", "apt-get install"]);
    with_path(&emulator_of("5.2.0", dir.path())).expect(1, &["version 5.2", "at least 6.0"]);
    with_path(&emulator_of("7.2.22", dir.path())).expect(1, &["cannot read program"]);
    let odd = programs(dir.path(), &[("qemu-system-arm", "echo 'hello'")]);
    with_path(&odd).expect(1, &["qemu-system-arm --version does not say its version: hello"]);
    // Another emulator for another processor; and one that breaks off instead of starting the machine.
    let riscv = ["device", "--board", "riscv-virt", "--elf", "program"];
    ran(command(dir.path(), &riscv).env("PATH", dir.path()))
        .expect(1, &["qemu-system-riscv32 is not installed", "qemu-system-misc"]);
    fs::write(dir.path().join("program"), elf_for(usual().name)).expect("written");
    let broken =
        "case $1 in --version) echo 'QEMU emulator version 9.0' ;; *) echo 'no such machine' >&2; exit 1 ;; esac";
    with_path(&programs(dir.path(), &[("qemu-system-arm", broken)]))
        .expect(1, &["qemu-system-arm does not start: no such machine"]);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_no_program_is_refused() {
    let dir = folder();
    fs::write(dir.path().join("program"), b"\x7fELF, nearly").expect("written");
    let path = emulator_of("7.2.22", dir.path());
    let arguments = ["device", "--elf", "program"];
    ran(command(dir.path(), &arguments).env("PATH", path)).expect(1, &["program is no program of this firmware"]);
}

#[cfg(unix)]
#[test]
fn a_failed_build_shows_its_last_lines() {
    let dir = folder();
    fs::create_dir(dir.path().join("firmware")).expect("a directory");
    fs::write(dir.path().join("firmware/build"), "seq 1 99 >&2; echo 'install the compiler' >&2; exit 1\n")
        .expect("ok");
    let failed = lgl2o(dir.path(), &["device"]);
    failed.expect(1, &[&format!("cannot build `spirals` for {}", usual().name), "99", "install the compiler"]);
    assert!(!failed.err.contains("\n50\n"), "{}", failed.err);
}

#[test]
fn a_serial_port_that_is_not_there_is_named() {
    let dir = folder();
    lgl2o(dir.path(), &["device", "--port", "/dev/ttyNone"]).expect(1, &["there is no serial port /dev/ttyNone"]);
}

//! Chooses the board: its memory map, the linker's arguments, and `cfg(board = "...")`.
//!
//! `BOARD` in the environment names it; without, the target's usual one is taken. All linker arguments are given here,
//! so that the package builds with a plain `cargo build --target TARGET`.

use std::path::PathBuf;
use std::{env, fs};

/// The board that QEMU does not have.
const METAL: &str = "nrf52840-dk";

fn main() {
    println!("cargo:rerun-if-env-changed=BOARD");
    println!("cargo:rerun-if-changed=memory");
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    let metal = env::var_os("CARGO_FEATURE_NRF52840_DK").is_some();
    let usual = if metal { METAL } else { usual_board(&target) };
    let board = env::var("BOARD").unwrap_or_else(|_| usual.to_owned());
    assert_eq!(
        board == METAL,
        metal,
        "the board {METAL} and the feature {METAL} belong together; `firmware/build` knows"
    );
    let map = format!("memory/{board}.x");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    if let Err(error) = fs::copy(&map, out.join("memory.x")) {
        panic!("no board `{board}`: {map}: {error}; memory/ has a file for each board");
    }
    println!("cargo:rustc-cfg=board=\"{board}\"");
    println!("cargo:rustc-check-cfg=cfg(emulated)");
    if !metal {
        println!("cargo:rustc-cfg=emulated");
    }
    println!("cargo:rustc-env=BOARD={board}");
    println!("cargo:rustc-link-search={}", out.display());
    if target.starts_with("riscv") {
        // There the runtime's script does not ask for the memory map by itself.
        println!("cargo:rustc-link-arg-bins=-Tmemory.x");
    }
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
}

fn usual_board(target: &str) -> &'static str {
    match target {
        "thumbv6m-none-eabi" => "microbit",
        "thumbv7m-none-eabi" => "mps2-an385",
        "thumbv8m.main-none-eabihf" => "mps2-an505",
        "riscv32imac-unknown-none-elf" => "riscv-virt",
        _ => "mps2-an386",
    }
}

//! Hands the memory map of the chosen board to the linker.

use std::path::PathBuf;
use std::{env, fs};

const BOARDS: [&str; 2] = ["nrf52840-dk", "mps2-an386"];

fn main() {
    println!("cargo:rerun-if-changed=memory");
    let is_chosen =
        |board: &&str| env::var_os(format!("CARGO_FEATURE_{}", board.to_uppercase().replace('-', "_"))).is_some();
    let chosen: Vec<&str> = BOARDS.into_iter().filter(is_chosen).collect();
    let [board] = *chosen else {
        panic!("choose one board as a feature of {BOARDS:?}, not {chosen:?}; `cargo qemu` has --no-default-features");
    };
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::copy(format!("memory/{board}.x"), out.join("memory.x")).expect("there is a memory map of each board");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
    if board == "nrf52840-dk" {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
}

//! Chooses the board and takes from its entry in `shared/boards.toml` what the programs need: the memory map, the linker's arguments,
//! the board's file, `cfg(emulated)`, `cfg(armv6m)` for the least of Cortex-M, and `cfg(fits = "...")` for what its RAM is enough for.
//!
//! The feature of a board's name chooses it; without, it is the first one of the target, so that the package builds with a
//! plain `cargo build --target TARGET`.

// The firmware's own package is for devices only.
#[allow(dead_code, unreachable_pub)]
#[path = "shared/src/boards.rs"]
mod boards;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use boards::{Entry, NEEDS};

fn main() {
    println!("cargo:rerun-if-changed=shared/boards.toml");
    println!("cargo:rerun-if-changed=build.rs");
    let target = env::var("TARGET").unwrap_or_default();
    let board = chosen(&target);
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let write = |file: &str, text: String| {
        fs::write(out.join(file), text).unwrap_or_else(|error| panic!("cannot write {file}: {error}"));
    };
    write("chosen.rs", code(&board));
    let words = NEEDS.map(|(what, _)| format!("\"{what}\"")).join(", ");
    println!("cargo:rustc-check-cfg=cfg(fits, values({words}))");
    for (what, _) in NEEDS.iter().filter(|(what, _)| board.fits(what)) {
        println!("cargo:rustc-cfg=fits=\"{what}\"");
    }
    println!("cargo:rustc-check-cfg=cfg(armv6m)");
    if target.starts_with("thumbv6m") {
        println!("cargo:rustc-cfg=armv6m");
    }
    println!("cargo:rustc-check-cfg=cfg(emulated)");
    if board.get("emulator").is_some() {
        println!("cargo:rustc-cfg=emulated");
    }
    println!("cargo:rustc-env=BOARD={}", board.name);
    if let Some(linker) = board.get("linker") {
        // That has its own memory map.
        println!("cargo:rustc-link-arg-bins=-T{linker}");
    } else {
        write("memory.x", memory(&board) + &script(&board));
        println!("cargo:rustc-link-search={}", out.display());
        if target.starts_with("riscv") {
            // There the runtime's script does not ask for the memory map by itself.
            println!("cargo:rustc-link-arg-bins=-Tmemory.x");
        }
        println!("cargo:rustc-link-arg-bins=-Tlink.x");
    }
    println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    println!("cargo:rustc-link-arg-bins=--nmagic");
}

/// The board to build for.
fn chosen(target: &str) -> Entry {
    let has_feature = |board: &Entry| {
        let name = board.name.to_uppercase().replace('-', "_");
        env::var_os(format!("CARGO_FEATURE_{name}")).is_some()
    };
    let wanted: Vec<Entry> = boards::entries().filter(has_feature).collect();
    let is_of_target = |board: &Entry| board.get("target") == Some(target);
    let names: Vec<&str> = boards::entries().filter(is_of_target).map(|board| board.name).collect();
    match *wanted {
        [board] if is_of_target(&board) => board,
        [] if !names.is_empty() => boards::entry(names[0]).unwrap_or_else(|error| panic!("{error}")),
        _ => panic!("one feature is to name a board of {target}, of which there are {names:?}; `firmware/build` knows"),
    }
}

/// The memory map. What has no flash has everything in RAM.
fn memory(board: &Entry) -> String {
    let mut map = "MEMORY\n{\n".to_owned();
    for key in ["flash", "ram"] {
        if let Some(region) = board.region(key) {
            let _ =
                writeln!(map, "  {} : ORIGIN = {:#010x}, LENGTH = {}K", key.to_uppercase(), region.begin, region.size);
        }
    }
    map += "}\n";
    if board.region("flash").is_none() {
        for part in ["TEXT", "RODATA", "DATA", "BSS", "HEAP", "STACK"] {
            let _ = writeln!(map, "REGION_ALIAS(\"REGION_{part}\", RAM);");
        }
    }
    map
}

/// What the linker has to know of this board beyond that.
fn script(board: &Entry) -> String {
    let Some(name) = board.get("script") else { return String::new() };
    let path = Path::new("src/board").join(name);
    println!("cargo:rerun-if-changed={}", path.display());
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The board's file as a module, and where its program's flash ends.
fn code(board: &Entry) -> String {
    let name = board.get("code").unwrap_or_else(|| panic!("{} has no `code` in shared/boards.toml", board.name));
    let path = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("src/board").join(name);
    assert!(path.is_file(), "{}, the code of {} by shared/boards.toml, is not there", path.display(), board.name);
    let end = board.region("flash").map_or(0, |flash| flash.begin + flash.size * 1024);
    format!(
        "#[path = {path:?}]\nmod chosen;\n/// Where the flash ends that programs may fill.\n#[allow(dead_code)]\nconst FLASH_END: u32 = {end};\n"
    )
}

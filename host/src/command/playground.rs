//! `lgl2o playground`: the page that trains in the browser.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use super::Failure;
use crate::cli::PlaygroundArgs;
use crate::files::write_atomically;
use crate::output::{Kind, Output};
use crate::{playground, say};

/// How long, and how often, a program that opens a browser is waited for.
const MOMENT: Duration = Duration::from_millis(50);
const PATIENCE: u32 = 40;

/// Does it.
pub(super) fn run(args: &PlaygroundArgs) -> Result<(), Failure> {
    let file = args.out.clone().unwrap_or_else(|| PathBuf::from("out/playground.html"));
    let (_claim, file) = Output::claim_file(&file, Kind::Playground, &[])?;
    write_atomically(&file, playground::page()?.as_bytes())?;
    say::line(format_args!("written: {}", file.display()));
    if args.open && !opened(&file) {
        say::note(format_args!("no browser could be started: open {} by hand", file.display()));
    }
    Ok(())
}

/// Whether the desktop has been asked to show a file, by the program that it has for that.
fn opened(file: &Path) -> bool {
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    let has_desktop =
        !cfg!(target_os = "linux") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| env::var_os(name).is_some());
    let (program, first) = if cfg!(windows) {
        ("cmd", &["/C", "start", ""][..])
    } else if cfg!(target_os = "macos") {
        ("open", &[][..])
    } else {
        ("xdg-open", &[][..])
    };
    let mut command = Command::new(program);
    command.args(first).arg(file).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    has_desktop && command.spawn().is_ok_and(asked)
}

/// Whether a program has done its work, or is still at it: some desktops wait for the browser's end, and nobody should here.
fn asked(mut child: Child) -> bool {
    for _ in 0..PATIENCE {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => sleep(MOMENT),
            Err(_) => return false,
        }
    }
    true
}

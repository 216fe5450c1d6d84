//! Which signals ask the program to end, and which it survives.

use std::io;

use signal_hook::consts::{SIGINT, SIGTERM};

/// The signals that ask the program to end.
///
/// One that is ignored when the program begins stays ignored: `nohup`, `setsid`, and `&` in a script have work outlive its
/// terminal, or Ctrl-C, and a handler would undo that. Where the system does not say, a closed terminal ends the program by
/// the system's own rule.
#[cfg(unix)]
pub(super) fn that_end() -> Vec<i32> {
    use signal_hook::consts::{SIGHUP, SIGXCPU};
    let ignored = ignored();
    let is_ignored = |signal: i32| ignored.is_some_and(|ignored| ignored & (1 << (signal - 1)) != 0);
    let asks = [
        (SIGINT, !is_ignored(SIGINT)),
        (SIGTERM, true),
        (SIGXCPU, true),
        (SIGHUP, ignored.is_some() && !is_ignored(SIGHUP)),
    ];
    asks.into_iter().filter(|(_, asks)| *asks).map(|(signal, _)| signal).collect()
}

#[cfg(not(unix))]
pub(super) fn that_end() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

/// The signals that this process ignores, as bits; `None` where the system does not say.
#[cfg(unix)]
fn ignored() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let bits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(bits.trim(), 16).ok()
}

/// Makes a write beyond the allowed size of a file an error of that write. By default it ends the program.
///
/// # Errors
/// If the system does not allow it.
pub(super) fn keep_going() -> io::Result<()> {
    #[cfg(unix)]
    signal_hook::flag::register(signal_hook::consts::SIGXFSZ, std::sync::Arc::default())?;
    Ok(())
}

/// Whether the system sends a signal again and again, so that a second one is no request of a user.
pub(super) fn repeats(signal: i32) -> bool {
    #[cfg(unix)]
    return signal == signal_hook::consts::SIGXCPU;
    #[cfg(not(unix))]
    return {
        let _ = signal;
        false
    };
}

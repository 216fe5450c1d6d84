//! Children end with this program also where it is killed, which nothing in it can see.
//!
//! A shell waits for the end of a pipe whose other end this program alone has, and then kills the child's group. It waits already
//! when the child begins, and needs nothing that Linux and macOS do not both have. Where there is no shell, children of a
//! killed program run on.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

/// The number of the group is the first line of the pipe, and the group ends with the pipe.
const SCRIPT: &str = "read -r group || exit; while read -r _; do :; done; kill -s KILL -- \"-$group\"";

/// A watch over a group of processes; it ends with the value.
#[derive(Debug)]
pub(super) struct Watch(Option<Child>);

impl Watch {
    /// Waits for a group.
    pub(super) fn begin() -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT]);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Of a group of its own, so that Ctrl-C leaves it alone.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        Self(if cfg!(unix) { shell.spawn().ok() } else { None })
    }

    /// Watches over a group from now on.
    pub(super) fn over(&mut self, group: u32) {
        let pipe = self.0.as_mut().and_then(|shell| shell.stdin.as_mut());
        // Without a shell there is no watch.
        let _ = pipe.map(|pipe| writeln!(pipe, "{group}"));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Some(shell) = &mut self.0 {
            // It may have ended already.
            let _ = shell.kill();
            let _ = shell.wait();
        }
    }
}

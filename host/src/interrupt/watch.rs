//! Children end with this program also where it is killed, which nothing in it can see.
//!
//! A shell waits for the end of a pipe whose other end this program alone has, and then kills the child's group. Where
//! there is no shell, children of a killed program run on.

use std::process::{Child, Command, Stdio};

/// Until the pipe ends; then the group, whose number is the first argument.
const SCRIPT: &str = "while read -r _; do :; done; kill -s KILL -- \"-$0\"";

/// A watch over a group of processes; it ends with the value.
#[derive(Debug)]
pub(super) struct Watch(Option<Child>);

impl Watch {
    /// Watches over a group.
    pub(super) fn over(group: u32) -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT, &group.to_string()]);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Of a group of its own, so that Ctrl-C leaves it alone.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        Self(if cfg!(unix) { shell.spawn().ok() } else { None })
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

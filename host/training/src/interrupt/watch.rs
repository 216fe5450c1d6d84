//! Children end with this program also where it is killed, which nothing in it can see.
//!
//! A shell waits for the end of a pipe whose other end this program alone has, and then kills its own process group. The child is in
//! that group from its first instruction on, so it is watched over at every moment. Linux and macOS both have what this needs. Where
//! there is no shell, children of a killed program run on.

use std::process::{Child, Command, Stdio};

/// The shell is the head of the group, and the group ends with the pipe.
const SCRIPT: &str = "while read -r _; do :; done; kill -s KILL -- \"-$$\"";

/// A watch over a group of processes, of which it is the head; it ends with the value.
#[derive(Debug)]
pub(super) struct Watch(Option<Child>);

impl Watch {
    /// Begins a group, with nothing in it but the watch.
    pub(super) fn begin() -> Self {
        let mut shell = Command::new("sh");
        shell.args(["-c", SCRIPT]);
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        // Of a group of its own, so that Ctrl-C leaves it alone.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut shell, 0);
        Self(if cfg!(unix) { shell.spawn().ok() } else { None })
    }

    /// The number of the group; `None` where there is no watch.
    pub(super) fn group(&self) -> Option<u32> {
        self.0.as_ref().map(Child::id)
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

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::process::CommandExt as _;

    use super::*;

    /// As where this program is killed right after it has started a child: nothing but the pipe's end reaches the watch.
    #[test]
    fn a_child_ends_with_the_pipe_alone() {
        let mut watch = Watch::begin();
        let group = i32::try_from(watch.group().expect("a shell")).expect("a number");
        let mut child = Command::new("sleep").arg("600").process_group(group).spawn().expect("started");
        drop(watch.0.as_mut().and_then(|shell| shell.stdin.take()));
        assert!(!child.wait().expect("ended").success());
    }
}

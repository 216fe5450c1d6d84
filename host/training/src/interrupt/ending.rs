//! The end that a signal has begun: who waits for a child sees it fail when it is killed, and must not end the program first, with
//! another exit status.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Whether it has begun.
static BEGUN: AtomicBool = AtomicBool::new(false);

/// Call this before a child is killed.
pub(super) fn begin() {
    BEGUN.store(true, Ordering::SeqCst);
}

/// Waits for the end if a signal has begun it. Call this when the work is done, or has failed, before anything is said of it.
pub fn wait_if_ending() {
    while BEGUN.load(Ordering::SeqCst) {
        thread::park();
    }
}

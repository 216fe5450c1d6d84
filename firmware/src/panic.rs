//! What happens on a panic: a line in the log and exit status 100; or, with the feature `panic-never`, no link.

#[cfg(feature = "panic-never")]
use panic_never as _;

#[cfg(not(feature = "panic-never"))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    use core::sync::atomic::{AtomicBool, Ordering};
    /// A log that panics itself has no more to say.
    static SAID: AtomicBool = AtomicBool::new(false);
    if !SAID.load(Ordering::Relaxed) {
        SAID.store(true, Ordering::Relaxed);
        defmt::error!("{}", defmt::Display2Format(info));
    }
    crate::board::exit(crate::board::PANICKED)
}

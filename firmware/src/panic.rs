//! What happens on a panic: a line in the log and exit status 100; or, with the feature `panic-never`, no link.

#[cfg(feature = "panic-never")]
use panic_never as _;

#[cfg(not(feature = "panic-never"))]
#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    defmt::error!("{}", defmt::Display2Format(info));
    crate::board::exit(crate::board::PANICKED)
}

//! What programs have in common.

use embedded_io::Write;
use lgl2o_device::frame;
use lgl2o_device::message::{FROM_DEVICE_LEN, FromDevice};
use lgl2o_device::record::RoundRecord;

/// Exit status of a program that could not do its work; the log says why.
pub const FAILED: i32 = 1;

/// Sends a message to the host, which may or may not listen.
pub fn send(uart: &mut impl Write, message: &FromDevice) {
    let mut buffer = [0; 2 * frame::frame_len(FROM_DEVICE_LEN)];
    if let Ok(frame) = frame::encode_from_device(message, &mut buffer) {
        // A line that fails is the host's to notice: frames have checksums, and it knows what it waits for.
        let _ = uart.write_all(frame);
    }
}

/// With the feature `planted-panic`, a panic that the compiler cannot rule out: a program that calls this must not link
/// with `panic-never`.
pub fn plant_panic() {
    if cfg!(feature = "planted-panic") {
        let index = core::hint::black_box(0);
        core::hint::black_box([0u8; 4][index]);
    }
}

/// With the feature `stall`, never returns: the host has to notice a board that says no more.
pub fn stall() {
    while cfg!(feature = "stall") {
        core::hint::spin_loop();
    }
}

/// Writes a round to the log.
pub fn log(round: &RoundRecord) {
    let winner = match round.winner {
        0 => "fallback",
        1 => "learned",
        _ => "neither",
    };
    defmt::info!(
        "round {=u32}: {=str}, {=u32} steps, loss {=f32}, fallback {=f32}, learned {=f32}, trace {=u64:016x}",
        round.round,
        winner,
        round.steps,
        f32::from_bits(round.train_loss),
        f32::from_bits(round.fallback_loss),
        f32::from_bits(round.learned_loss),
        round.trace
    );
}

//! What programs have in common.

use embedded_io::Write;
use lgl2o_device::frame;
use lgl2o_device::message::{FROM_DEVICE_LEN, FromDevice};

/// Exit status of a program that could not do its work; the log says why.
pub const FAILED: i32 = 1;

/// Sends a message to the host, which may or may not listen.
pub fn send(uart: &mut impl Write, message: &FromDevice) {
    let mut buffer = [0; 2 * frame::frame_len(FROM_DEVICE_LEN)];
    if let Ok(frame) = frame::encode(message, &mut buffer) {
        // A line that fails is the host's to notice: frames have checksums, and it knows what it waits for.
        let _ = uart.write_all(frame);
    }
}

//! The link to a device, real or emulated.

pub mod stream;
pub mod transport;

pub use transport::Transport;

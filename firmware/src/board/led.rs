//! Lights: one bit of a register.

use core::convert::Infallible;

use embedded_hal::digital::{ErrorType, OutputPin};

use super::register::Registers;

/// A light on one bit of an output register that holds nothing else of use.
pub struct Led {
    output: Registers<u32, 1>,
    on: u32,
    off: u32,
}

impl Led {
    /// A light that is on when `on` is written to the register and off when `off` is.
    pub(super) const fn new(output: Registers<u32, 1>, on: u32, off: u32) -> Self {
        Self { output, on, off }
    }
}

impl ErrorType for Led {
    type Error = Infallible;
}

impl OutputPin for Led {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.output.write::<0>(self.off);
        Ok(())
    }
    fn set_high(&mut self) -> Result<(), Infallible> {
        self.output.write::<0>(self.on);
        Ok(())
    }
}

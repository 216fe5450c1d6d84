//! A recording behind the I2C trait: as much of a LIS2DH12 as the driver asks for.
//!
//! The recording is synthetic, and the same every time: gestures of people who do not exist, made from sines and noise.
//! With gravity along z, t in seconds, strength s, tempo f, and phase p drawn anew for every window:
//!
//! ```text
//! rest    nothing                           shake   x = 0.8 s sin(2 pi 5 f t + p)
//! nod     y = 0.6 s sin(2 pi 1.6 f t + p)   circle  x, y = 0.5 s cos, sin(2 pi 2.2 f t + p)
//! ```
//!
//! plus noise of 0.02 g on every axis; then x and y are turned by the angle at which the person wears the device.

use core::convert::Infallible;
use core::f32::consts::TAU;

use embedded_hal::i2c::{ErrorType, I2c, Operation};
use lgl2o::{Rng, math};

use super::window::SAMPLES;

/// What people do, by class.
pub const GESTURES: [&str; 4] = ["rest", "shake", "nod", "circle"];

/// How somebody moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Person {
    /// Of the gestures.
    pub strength: f32,
    /// Of the gestures.
    pub tempo: f32,
    /// At which the device is worn, in radians.
    pub angle: f32,
}

/// Registers of the sensor.
const WHO_AM_I: u8 = 0x0f;
const STATUS: u8 = 0x27;
const OUT_X_L: u8 = 0x28;
/// The answer to `WHO_AM_I`.
const LIS2DH12: u8 = 0x33;
/// All axes have new data.
const READY: u8 = 0x08;
/// In a register's number: go on with the next one.
const SEVERAL: u8 = 0x80;

/// Who performs which gesture in a window, by the window's number from 0.
pub type Script = fn(u32) -> (Person, u8);

/// A sensor that is worn as a script says.
#[derive(Debug)]
pub struct Replay {
    registers: [u8; 64],
    script: Script,
    /// Windows begun, samples of the last one, and where its gesture begins.
    windows: u32,
    at: usize,
    phase: f32,
    rng: Rng,
}

impl Replay {
    /// The recording of a script and a seed.
    #[must_use]
    pub const fn new(script: Script, seed: u64) -> Self {
        Self { registers: [0; 64], script, windows: 0, at: SAMPLES, phase: 0.0, rng: Rng::stream(seed, 9) }
    }

    /// The next sample, in g.
    fn sample(&mut self) -> [f32; 3] {
        if self.at >= SAMPLES {
            (self.windows, self.at) = (self.windows.wrapping_add(1), 0);
            self.phase = TAU * self.rng.uniform();
        }
        let (Person { strength, tempo, angle }, gesture) = (self.script)(self.windows.wrapping_sub(1));
        let t = self.at as f32 * 0.01;
        self.at += 1;
        let turn = |hertz: f32| TAU * hertz * tempo * t + self.phase;
        let (x, y) = match gesture {
            1 => (0.8 * math::sin(turn(5.0)), 0.0),
            2 => (0.0, 0.6 * math::sin(turn(1.6))),
            3 => (0.5 * math::cos(turn(2.2)), 0.5 * math::sin(turn(2.2))),
            _ => (0.0, 0.0),
        };
        let (x, y) = (strength * x, strength * y);
        let (sin, cos) = (math::sin(angle), math::cos(angle));
        let worn = [cos * x - sin * y, sin * x + cos * y, 1.0];
        worn.map(|a| a + 0.02 * (self.rng.range(-1.0, 1.0) + self.rng.range(-1.0, 1.0)))
    }

    /// Puts the next sample into the output registers: 12 bits of 1 mg, at the upper end of 16.
    fn convert(&mut self) {
        for (axis, a) in self.sample().into_iter().enumerate() {
            let steps = (a * 1000.0) as i32;
            let steps = steps.clamp(-2048, 2047);
            let [low, high] = ((steps * 16) as i16).to_le_bytes();
            let first = usize::from(OUT_X_L) + 2 * axis;
            for (place, byte) in self.registers.iter_mut().skip(first).zip([low, high]) {
                *place = byte;
            }
        }
    }

    /// What a register says.
    fn register(&self, number: u8) -> u8 {
        match number {
            WHO_AM_I => LIS2DH12,
            STATUS => READY,
            other => self.registers.get(usize::from(other)).copied().unwrap_or(0),
        }
    }
}

impl ErrorType for Replay {
    type Error = Infallible;
}

impl I2c for Replay {
    /// The first byte that is written is a register's number, the next ones are its new contents; what is read comes from
    /// there on. There is nobody else on the bus.
    fn transaction(&mut self, _: u8, operations: &mut [Operation<'_>]) -> Result<(), Infallible> {
        let mut number = 0;
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    if let [register, contents @ ..] = *bytes {
                        number = register & !SEVERAL;
                        let places = self.registers.iter_mut().skip(usize::from(number));
                        places.zip(contents).for_each(|(place, &byte)| *place = byte);
                    }
                }
                Operation::Read(buffer) => {
                    if number == OUT_X_L {
                        self.convert();
                    }
                    for (place, number) in buffer.iter_mut().zip(number..) {
                        *place = self.register(number);
                    }
                }
            }
        }
        Ok(())
    }
}

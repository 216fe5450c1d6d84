//! From an accelerometer to features: windows of samples, read over I2C, and what is kept of them.
//!
//! The driver is `lis2dh12`, generic over `embedded-hal`'s I2C. In its high-resolution mode a sample has 12 bits, and one
//! of them is 1 mg. For every axis of a window of n samples x_i, in g:
//!
//! ```text
//! mean = 1/n sum x_i      deviation = sqrt(1/n sum (x_i - mean)^2)      roughness = 4/n sum |x_i - x_{i-1}|
//! ```
//!
//! which tell how it lies, how strongly it moves, and how fast.

use embedded_hal::i2c::I2c;
use lgl2o::{math, sum};
use lis2dh12::{FullScale, Lis2dh12, Mode, Odr, RawAccelerometer as _, SlaveAddr};

/// Samples in a window: 0.64 s at 100 Hz.
pub const SAMPLES: usize = 64;
/// Features of a window: three of every axis.
pub const FEATURES: usize = 9;

/// So often a sensor may say that there is no new sample. At 400 kHz one question takes 0.1 ms, and a sample 10 ms.
const PATIENCE: u32 = 10_000;

/// Why there is no window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SensorError {
    /// The bus reports an error: look at the wires, and at the address.
    Bus,
    /// What answers at the address is no LIS2DH12.
    OtherDevice,
    /// The sensor has no new sample, and goes on having none.
    Silent,
}

impl core::fmt::Display for SensorError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::Bus => "the I2C bus reports an error: look at the wires, and at the sensor's address",
            Self::OtherDevice => "what answers at the sensor's address is no LIS2DH12",
            Self::Silent => "the sensor gives no samples: it may have lost its power, and its settings with it",
        })
    }
}

impl core::error::Error for SensorError {}

/// What the driver says, in our words.
fn trouble<E: core::fmt::Debug>(error: &lis2dh12::Error<E>) -> SensorError {
    match error.kind() {
        lis2dh12::ErrorKind::Device => SensorError::OtherDevice,
        _ => SensorError::Bus,
    }
}

/// An accelerometer that is read window by window.
pub struct Windows<I> {
    sensor: Lis2dh12<I>,
    samples: [[f32; SAMPLES]; 3],
}

impl<I: I2c> Windows<I> {
    /// Sets the sensor to 100 samples a second of up to 2 g, in its high resolution.
    ///
    /// # Errors
    /// If it is not there.
    pub fn new(i2c: I) -> Result<Self, SensorError> {
        let mut sensor = Lis2dh12::new(i2c, SlaveAddr::Default).map_err(|e| trouble(&e))?;
        sensor.set_mode(Mode::HighResolution).map_err(|e| trouble(&e))?;
        sensor.set_fs(FullScale::G2).map_err(|e| trouble(&e))?;
        sensor.set_bdu(true).map_err(|e| trouble(&e))?;
        sensor.enable_axis((true, true, true)).map_err(|e| trouble(&e))?;
        sensor.set_odr(Odr::Hz100).map_err(|e| trouble(&e))?;
        Ok(Self { sensor, samples: [[0.0; SAMPLES]; 3] })
    }

    /// Waits for the next window and gives its features.
    ///
    /// # Errors
    /// If the sensor has gone.
    pub fn features(&mut self) -> Result<[f32; FEATURES], SensorError> {
        for i in 0..SAMPLES {
            let sample = self.sample()?;
            for (axis, value) in self.samples.iter_mut().zip(sample) {
                if let Some(place) = axis.get_mut(i) {
                    *place = value;
                }
            }
        }
        let mut features = [0.0; FEATURES];
        for (three, axis) in features.chunks_exact_mut(3).zip(&self.samples) {
            three.iter_mut().zip(of_axis(axis)).for_each(|(place, feature)| *place = feature);
        }
        Ok(features)
    }

    /// The next sample in g.
    fn sample(&mut self) -> Result<[f32; 3], SensorError> {
        for _ in 0..PATIENCE {
            if self.sensor.get_status().map_err(|e| trouble(&e))?.zyxda {
                let raw = self.sensor.accel_raw().map_err(|e| trouble(&e))?;
                // 12 bits at the upper end of 16, 1 mg each.
                return Ok([raw.x, raw.y, raw.z].map(|x| f32::from(x >> 4) * 0.001));
            }
        }
        Err(SensorError::Silent)
    }

    /// The bus.
    pub fn release(self) -> I {
        self.sensor.destroy()
    }
}

/// Mean, deviation and roughness of one axis.
fn of_axis(samples: &[f32; SAMPLES]) -> [f32; 3] {
    let n = SAMPLES as f32;
    let mean = sum::sum(samples) / n;
    let deviation = math::sqrt(sum::squares_about(samples, mean) / n);
    let mut change = 0.0;
    for pair in samples.windows(2) {
        if let [before, after] = pair {
            change += math::abs(after - before);
        }
    }
    [mean, deviation, 4.0 * change / n]
}

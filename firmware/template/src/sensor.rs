//! The sensor: replace [`Simulated`] with your own.

use lgl2o::Rng;

/// Features of a window.
pub const FEATURES: usize = 24;
/// States to tell from each other: normal, and three faults.
pub const CLASSES: usize = 4;

/// A window of measurements.
pub struct Window {
    /// Its features, in whatever unit each of them has.
    pub features: [f32; FEATURES],
    /// The state, where somebody has named it: a technician with a button, a service, a test bench.
    pub state: Option<u8>,
}

/// Where windows come from.
pub trait Sensor {
    /// Waits for the next window; `None` where no more will come.
    fn window(&mut self) -> Option<Window>;
}

/// A vibration sensor that is made up: every feature has a unit of its own, each fault raises some of them by half, and most
/// windows are normal. Nobody names the last tenth of them.
pub struct Simulated {
    rng: Rng,
    count: u32,
}

const WINDOWS: u32 = 1500;

impl Simulated {
    /// The sensor.
    pub const fn new() -> Self {
        Self { rng: Rng::new(3), count: 0 }
    }
}

impl Sensor for Simulated {
    fn window(&mut self) -> Option<Window> {
        self.count += 1;
        let state = (self.rng.below(20) as u8).saturating_sub(14).div_ceil(2);
        let unit = |i: usize| [0.001, 0.02, 1.0, 30.0, 1e3, 5e4][i % 6];
        let raise = |i: usize| if i % 3 + 1 == usize::from(state) { 1.5 } else { 1.0 };
        let features = core::array::from_fn(|i| unit(i) * raise(i) * (1.0 + 0.3 * self.rng.normal()));
        let is_named = self.count <= WINDOWS / 10 * 9;
        (self.count <= WINDOWS).then_some(Window { features, state: is_named.then_some(state) })
    }
}

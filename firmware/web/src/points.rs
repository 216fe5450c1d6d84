//! Points in the plane, each of one of two classes.

use lgl2o::batch::Targets;
use lgl2o::{Error, Rng, math};
use lgl2o_device::spirals::Spirals;

/// Most points.
pub const MOST: usize = 512;
/// Points of a task that is made here.
const MADE: usize = 320;
/// Turns of each spiral.
const TURNS: f32 = 1.1;
/// One point in so many has the wrong class, as a sensor's would: no loss falls to zero, and weights that grow do harm.
const WRONG: u32 = 20;

/// What is learned.
#[derive(Debug, Clone)]
pub struct Points {
    /// Pairs of coordinates; the page may write here.
    pub inputs: [f32; 2 * MOST],
    /// Classes, 0 or 1; the page may write here.
    pub labels: [u8; MOST],
    count: usize,
}

impl Points {
    /// None.
    pub const NONE: Self = Self { inputs: [0.0; 2 * MOST], labels: [0; MOST], count: 0 };

    /// Coordinates of all points.
    #[must_use]
    pub fn inputs(&self) -> &[f32] {
        self.inputs.get(..2 * self.count).unwrap_or(&[])
    }

    /// Classes of all points.
    #[must_use]
    pub fn labels(&self) -> &[u8] {
        self.labels.get(..self.count).unwrap_or(&[])
    }

    /// The first so many points are those that count, at most [`MOST`]; returns how many.
    pub fn take(&mut self, count: usize) -> usize {
        self.count = if count < MOST { count } else { MOST };
        self.count
    }

    /// Two interleaved spirals, as on the boards; returns how many points.
    ///
    /// # Errors
    /// None: a batch of spirals has labels.
    pub fn spirals(&mut self, seed: u64) -> Result<usize, Error> {
        let (mut source, mut rng) = (Spirals::new(seed, TURNS), Rng::stream(seed, 4));
        let mut at = 0;
        while at < MADE {
            let batch = source.held_out();
            let Targets::Classes(labels) = batch.targets else { return Err(Error::WrongTargets) };
            for s in 0..batch.examples() {
                self.put(at, batch.inputs.row(s), labels.get(s).unwrap_or(0) ^ wrong(&mut rng));
                at += 1;
            }
        }
        Ok(self.take(MADE))
    }

    /// A disc and two rings around it, in turns of the classes; returns how many points.
    pub fn rings(&mut self, seed: u64) -> usize {
        let mut rng = Rng::stream(seed, 4);
        for at in 0..MADE {
            let ring = rng.below(3);
            let radius = 0.42 * ring as f32 + 0.22 * rng.uniform();
            let angle = core::f32::consts::TAU * rng.uniform();
            self.put(
                at,
                &[radius * math::cos(angle), radius * math::sin(angle)],
                u8::from(ring == 1) ^ wrong(&mut rng),
            );
        }
        self.take(MADE)
    }

    fn put(&mut self, at: usize, point: &[f32], label: u8) {
        let place = self.inputs.get_mut(2 * at..).unwrap_or(&mut []);
        place.iter_mut().zip(point).for_each(|(x, &value)| *x = value);
        if let Some(place) = self.labels.get_mut(at) {
            *place = label;
        }
    }
}

/// 1 where the class is to be the wrong one.
fn wrong(rng: &mut Rng) -> u8 {
    u8::from(rng.below(WRONG) == 0)
}

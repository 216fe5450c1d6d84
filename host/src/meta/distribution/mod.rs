//! Tasks made on the fly from a seed, to meta-train and validate on.
//!
//! A [`Family`] draws examples; [`task`] makes a task of them: wrong labels, the scale of the inputs, a network, a batch.
//! [`FAMILIES`] are trained on. [`UNSEEN`] are validated on and never trained on.
//!
//! | family | examples | share |
//! |---|---|---|
//! | [`digits`] | MNIST averaged to 7 x 7 or 14 x 14, 2 to 10 of its classes | 30 % |
//! | [`teacher`] | labels by a random tanh network | 22 % |
//! | [`mixture`] | Gaussian mixtures | 20 % |
//! | [`plane`] | rings, checkers and sine levels, with noise inputs | 13 % |
//! | [`sensor`] | windows of sums of sines and bursts | 10 % |
//! | [`sparse`] | binary features, rule lists and noisy linear scores | 5 % |
//! | [`spirals`], [`parity`], [`moons`], [`shells`], [`counts`], [`sequence`] | | unseen |

pub mod counts;
pub mod digits;
pub mod mixture;
pub mod moons;
pub mod parity;
pub mod plane;
mod random;
pub mod scale;
pub mod sensor;
pub mod sequence;
pub mod shells;
pub mod sparse;
pub mod spirals;
pub mod task;
pub mod teacher;

use lgl2o::Rng;

use digits::Digits;

/// Examples as a family draws them, in random order. Labels need not be all there, nor begin with 0.
#[derive(Debug, Clone, PartialEq)]
pub struct Examples {
    /// Inputs, row after row.
    pub inputs: Vec<f32>,
    /// A label for each row.
    pub labels: Vec<u8>,
    /// Inputs in a row.
    pub width: usize,
}

impl Examples {
    /// No rows yet.
    fn new(width: usize) -> Self {
        Self { inputs: Vec::new(), labels: Vec::new(), width }
    }

    /// Numbers the labels that occur from 0 on, in their order; returns how many there are.
    pub fn reindex(&mut self) -> usize {
        let mut there = [false; 256];
        self.labels.iter().for_each(|&label| there[usize::from(label)] = true);
        let mut number = [0; 256];
        let mut classes = 0;
        for (number, _) in number.iter_mut().zip(there).filter(|(_, there)| *there) {
            *number = classes as u8;
            classes += 1;
        }
        self.labels.iter_mut().for_each(|label| *label = number[usize::from(*label)]);
        classes
    }
}

/// Data that some families draw from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The images behind [`digits`]; without them that family cannot be drawn from.
    pub digits: Option<Digits>,
}

/// A kind of examples.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name in configurations and logs.
    pub name: &'static str,
    /// How often it is drawn, relative to the others.
    pub weight: f32,
    /// Draws so many examples.
    pub draw: fn(&mut Rng, usize, &Sources) -> Examples,
}

/// What is trained on.
pub static FAMILIES: [Family; 6] = [
    Family { name: "digits", weight: 0.30, draw: digits::draw },
    Family { name: "teacher", weight: 0.22, draw: teacher::draw },
    Family { name: "mixture", weight: 0.20, draw: mixture::draw },
    Family { name: "plane", weight: 0.13, draw: plane::draw },
    Family { name: "sensor", weight: 0.10, draw: sensor::draw },
    Family { name: "sparse", weight: 0.05, draw: sparse::draw },
];

/// What is validated on and never trained on.
pub static UNSEEN: [Family; 6] = [
    Family { name: "spirals", weight: 1.0, draw: spirals::draw },
    Family { name: "parity", weight: 1.0, draw: parity::draw },
    Family { name: "moons", weight: 1.0, draw: moons::draw },
    Family { name: "shells", weight: 1.0, draw: shells::draw },
    Family { name: "counts", weight: 1.0, draw: counts::draw },
    Family { name: "sequence", weight: 1.0, draw: sequence::draw },
];

//! Tasks made on the fly from a seed, to meta-train and validate on.
//!
//! A [`Family`] draws examples; [`task`] makes a task of them: wrong labels, the scale of the inputs, a network, a batch.
//! [`FAMILIES`] are trained on. [`UNSEEN`] are validated on and never trained on.
//!
//! | family | examples | weight |
//! |---|---|---|
//! | [`digits`] | MNIST averaged to 7 x 7 or 14 x 14 or as it is, 2 to 10 of its classes | 0.30 |
//! | [`teacher`] | labels by a random tanh network | 0.22 |
//! | [`mixture`] | Gaussian mixtures | 0.20 |
//! | [`plane`] | rings, checkers and sine levels, with noise inputs | 0.13 |
//! | [`sensor`] | windows of sums of sines and bursts | 0.10 |
//! | [`sparse`] | binary features, rule lists and noisy linear scores | 0.05 |
//! | [`latent`] | many columns mixed from a few causes | 0.20 |
//! | [`spirals`], [`parity`], [`moons`], [`shells`], [`counts`], [`sequence`], [`strokes`] | | unseen |

pub mod counts;
pub mod digits;
pub mod latent;
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
pub mod strokes;
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
pub static FAMILIES: [Family; 7] = [
    Family { name: "digits", weight: 0.30, draw: digits::draw },
    Family { name: "teacher", weight: 0.22, draw: teacher::draw },
    Family { name: "mixture", weight: 0.20, draw: mixture::draw },
    Family { name: "plane", weight: 0.13, draw: plane::draw },
    Family { name: "sensor", weight: 0.10, draw: sensor::draw },
    Family { name: "sparse", weight: 0.05, draw: sparse::draw },
    Family { name: "latent", weight: 0.20, draw: latent::draw },
];

/// What is validated on and never trained on.
pub static UNSEEN: [Family; 7] = [
    Family { name: "spirals", weight: 1.0, draw: spirals::draw },
    Family { name: "parity", weight: 1.0, draw: parity::draw },
    Family { name: "moons", weight: 1.0, draw: moons::draw },
    Family { name: "shells", weight: 1.0, draw: shells::draw },
    Family { name: "counts", weight: 1.0, draw: counts::draw },
    Family { name: "sequence", weight: 1.0, draw: sequence::draw },
    Family { name: "strokes", weight: 1.0, draw: strokes::draw },
];

#[cfg(test)]
mod tests {
    use super::task::{ACTIVATIONS, DrawnTask, Shape, Space};
    use super::*;
    use crate::data::Dataset;

    /// Images of 28 x 28 in ten classes, instead of the real ones.
    fn sources() -> Sources {
        let mut rng = Rng::new(9);
        let inputs = (0..600 * 784).map(|_| rng.uniform()).collect();
        let labels = (0..600).map(|i| (i % 10) as u8).collect();
        let images = Dataset::new(inputs, labels, 784, 10, Some((28, 28))).unwrap();
        Sources { digits: Some(Digits::of(&images).unwrap()) }
    }

    fn task(family: Family, seed: u64, sources: &Sources) -> DrawnTask {
        let space = Space { families: &[family], rows: [100, 400], sources };
        space.draw(&mut Rng::new(seed), None).unwrap()
    }

    fn all() -> impl Iterator<Item = Family> {
        FAMILIES.into_iter().chain(UNSEEN)
    }

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = all().map(|family| family.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FAMILIES.len() + UNSEEN.len());
    }

    #[test]
    fn every_family_draws_rows_that_can_be_learned_from() {
        let sources = sources();
        for family in all() {
            for seed in 0..20 {
                let mut examples = (family.draw)(&mut Rng::new(seed), 150, &sources);
                let name = family.name;
                // Two classes of the images here have 120 rows.
                let rows = examples.labels.len();
                assert!(rows == 150 || (name == "digits" && rows < 150), "{name}: {rows}");
                assert_eq!(examples.inputs.len(), rows * examples.width, "{name}");
                assert!(examples.inputs.iter().all(|x| x.is_finite()), "{name}");
                let classes = examples.reindex();
                assert!((0..classes).all(|class| examples.labels.contains(&(class as u8))), "{name}");
                assert!(examples.labels.iter().all(|&label| usize::from(label) < classes), "{name}");
            }
        }
    }

    #[test]
    fn a_seed_is_a_task() {
        let sources = sources();
        for family in all() {
            for seed in 0..8 {
                let one = task(family, seed, &sources);
                assert_eq!(one, task(family, seed, &sources), "{}", family.name);
                assert_ne!(one, task(family, seed + 100, &sources), "{}", family.name);
            }
        }
    }

    #[test]
    fn tasks_keep_their_bounds() {
        let sources = sources();
        for family in all() {
            for seed in 0..20 {
                let task = task(family, seed, &sources);
                let rows = task.train.len() + task.held_out.len();
                assert!((50..=400).contains(&rows) && task.held_out.len() == rows / 4, "{}: {rows}", family.name);
                assert!(task.train.classes() > 1 && task.batch >= 8 && 2 * task.batch <= task.train.len());
                assert!((0.65..1.52).contains(&task.initial_scale));
                let layers = task.network.layers();
                assert_eq!(
                    (layers[0].inputs, layers[layers.len() - 1].outputs),
                    (task.train.width(), task.train.classes())
                );
                assert!((2..=4).contains(&layers.len()));
                assert!(layers[..layers.len() - 1].iter().all(|layer| (8..=64).contains(&layer.outputs)));
            }
        }
    }

    /// A nearest neighbour beats the most frequent class on half of the draws at least.
    #[test]
    fn labels_depend_on_inputs() {
        let sources = Sources::default();
        for family in all().filter(|family| family.name != "digits") {
            let better =
                (0..20).filter(|&seed| beats_the_most_frequent((family.draw)(&mut Rng::new(seed), 600, &sources)));
            assert!(better.count() >= 10, "{}", family.name);
        }
    }

    fn beats_the_most_frequent(examples: Examples) -> bool {
        let Examples { inputs, labels, width } = examples;
        let row = |i: usize| &inputs[i * width..(i + 1) * width];
        let distance = |i: usize, j: usize| lgl2o::sum::squared_distance(row(i), row(j));
        let nearest = |i: usize| (0..400).min_by(|&a, &b| distance(i, a).total_cmp(&distance(i, b))).unwrap();
        let right = (400..600).filter(|&i| labels[nearest(i)] == labels[i]).count();
        let count = |class: u8| labels[400..].iter().filter(|&&label| label == class).count();
        right > (0..=255).map(count).max().unwrap()
    }

    #[test]
    fn a_shape_that_is_given_is_kept() {
        let shape = Shape { hidden: vec![16, 9], activation: ACTIVATIONS[1] };
        let space = Space { families: &[UNSEEN[0]], rows: [100, 400], sources: &Sources::default() };
        let task = space.draw(&mut Rng::new(1), Some(shape)).unwrap();
        let widths: Vec<usize> = task.network.layers().iter().map(|layer| layer.outputs).collect();
        assert_eq!(widths[..2], [16, 9]);
        assert_eq!(task.network.layers()[0].activation, ACTIVATIONS[1]);
    }

    #[test]
    fn labels_are_numbered_from_zero() {
        let mut examples = Examples { inputs: vec![0.0; 4], labels: vec![7, 2, 7, 200], width: 1 };
        assert_eq!(examples.reindex(), 3);
        assert_eq!(examples.labels, [1, 0, 1, 2]);
    }
}

//! Six optimizers on the same points, from the same initial weights.

use lgl2o::batch::{Batch, Rows};
use lgl2o::fault::Adversary;
use lgl2o::guard::Unguarded;
use lgl2o::objective::mlp::Network;
use lgl2o::rule::{Adam, Averaged, Ngn, Sgd};
use lgl2o::tensors::{Tensors as _, Zeroed};
use lgl2o_device::spirals::{BATCH, Large};

use crate::lane::{Guarded, GuardedSgd, Lane, Runner, Stop, net};
use crate::learner::Learner;
use crate::points::Points;

/// Cells of a field in each direction.
pub const FIELD: usize = 48;
/// A field is a square from minus this to plus this.
pub const REACH: f32 = 1.3;

/// What the visitor has set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Settings {
    /// The rate of those that have one.
    pub rate: f32,
    /// What the learned side is replaced by.
    pub sabotage: Option<Adversary>,
}

/// The kinds of sabotage that the page offers, in its order; the first is none.
pub const SABOTAGE: [Option<Adversary>; 4] =
    [None, Some(Adversary::Nan), Some(Adversary::Ascent), Some(Adversary::Inflate)];

/// How an optimizer does on all points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// Mean loss.
    pub loss: f32,
    /// Share of the points that are recognised.
    pub right: f32,
}

/// Everything that races. At first every bit of it is zero, so that it takes no room in the module.
pub struct Race {
    /// What is learned.
    pub points: Points,
    /// The rate of those that have one; to be set before the first round.
    pub rate: f32,
    /// Which of [`SABOTAGE`].
    sabotage: usize,
    /// Probability of class 1 on a grid, row by row from the lower left.
    pub field: [f32; FIELD * FIELD],
    activations: <Large as Network>::Activations,
    auto: Lane<Guarded>,
    learned: Lane<Unguarded<Learner>>,
    fallback: Lane<Unguarded<Averaged<Ngn>>>,
    guarded_sgd: Lane<GuardedSgd>,
    sgd: Lane<Unguarded<Sgd>>,
    adam: Lane<Unguarded<Adam>>,
}

impl Default for Race {
    fn default() -> Self {
        Self::new()
    }
}

impl Race {
    /// How many optimizers there are.
    pub const LANES: u32 = 6;

    /// All zero, without points.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            points: Points::NONE,
            rate: 0.0,
            sabotage: 0,
            field: [0.0; FIELD * FIELD],
            activations: Zeroed::ZERO,
            auto: Lane::new(),
            learned: Lane::new(),
            fallback: Lane::new(),
            guarded_sgd: Lane::new(),
            sgd: Lane::new(),
            adam: Lane::new(),
        }
    }

    /// An optimizer by its number; `None` where there is none.
    fn lane(&mut self, lane: u32) -> Option<(&mut dyn Runner, &Points, Settings)> {
        let sabotage = SABOTAGE.get(self.sabotage).copied().flatten();
        let settings = Settings { rate: self.rate, sabotage };
        let runner: &mut dyn Runner = match lane {
            0 => &mut self.auto,
            1 => &mut self.learned,
            2 => &mut self.fallback,
            3 => &mut self.guarded_sgd,
            4 => &mut self.sgd,
            5 => &mut self.adam,
            Self::LANES.. => return None,
        };
        Some((runner, &self.points, settings))
    }

    /// Replaces the learned side by number `kind` of [`SABOTAGE`], 0 for none; whether there is such a kind.
    pub fn sabotage(&mut self, kind: usize) -> bool {
        let is_known = kind < SABOTAGE.len();
        if is_known {
            self.sabotage = kind;
        }
        is_known
    }

    /// An optimizer begins again.
    pub fn restart(&mut self, lane: u32, seed: u64) {
        if let Some((runner, ..)) = self.lane(lane) {
            runner.restart(seed);
        }
    }

    /// An optimizer runs until it has taken so many training batches since its beginning, or a guard has judged.
    pub fn advance(&mut self, lane: u32, until: u32) -> Stop {
        self.lane(lane).map_or(Stop::Broken, |(runner, points, settings)| runner.advance(&settings, points, until))
    }

    /// Training batches that an optimizer has taken.
    pub fn batches(&mut self, lane: u32) -> u32 {
        self.lane(lane).map_or(0, |(runner, ..)| runner.batches())
    }

    /// Bytes of all training memory of an optimizer.
    pub fn bytes(&mut self, lane: u32) -> usize {
        self.lane(lane).map_or(0, |(runner, ..)| runner.bytes())
    }

    /// How an optimizer does on all points; `None` where there are none.
    pub fn score(&mut self, lane: u32) -> Option<Score> {
        let mut activations = core::mem::replace(&mut self.activations, Zeroed::ZERO);
        let (runner, points, _) = self.lane(lane)?;
        let (mut loss, mut right) = (0.0, 0);
        for (inputs, labels) in points.inputs().chunks(2 * BATCH).zip(points.labels().chunks(BATCH)) {
            loss += runner.loss(Batch::classes(inputs, 2, labels)).ok()? * labels.len() as f32;
            let outputs = net().outputs(&mut activations, runner.params(), Rows::all(inputs, 2)).ok()?;
            let says = |row: &[f32]| row.first().zip(row.get(1)).map(|(a, b)| u8::from(b > a));
            right += outputs.chunks(2).zip(labels).filter(|(row, label)| says(row) == Some(**label)).count();
        }
        let count = points.labels().len() as f32;
        (count > 0.0).then(|| Score { loss: loss / count, right: right as f32 / count })
    }

    /// Writes an optimizer's probability of class 1 to the [`field`](Self::field).
    pub fn draw(&mut self, lane: u32) {
        let mut activations = core::mem::replace(&mut self.activations, Zeroed::ZERO);
        let mut field = core::mem::replace(&mut self.field, [0.5; FIELD * FIELD]);
        if let Some((runner, ..)) = self.lane(lane) {
            let mut inputs = [0.0; 2 * BATCH];
            for (part, cells) in field.chunks_mut(BATCH).enumerate() {
                for (i, point) in inputs.chunks_exact_mut(2).enumerate() {
                    let cell = part * BATCH + i;
                    let at = |k: usize| REACH * ((2 * k + 1) as f32 / FIELD as f32 - 1.0);
                    point.iter_mut().zip([at(cell % FIELD), at(cell / FIELD)]).for_each(|(x, value)| *x = value);
                }
                if let Ok(outputs) = net().outputs(&mut activations, runner.params(), Rows::all(&inputs, 2)) {
                    for (cell, row) in cells.iter_mut().zip(outputs.chunks(2)) {
                        *cell = row.first().zip(row.get(1)).map_or(0.5, |(a, b)| lgl2o::math::sigmoid(b - a));
                    }
                }
            }
        }
        self.field = field;
        self.activations = activations;
    }

    /// How many weights the network has.
    #[must_use]
    pub fn weights(&self) -> usize {
        self.auto.params().len()
    }
}

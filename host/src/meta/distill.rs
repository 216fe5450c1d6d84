//! A lookup table that imitates another rule: a start for meta-training.
//!
//! The teacher trains; beside it the table's accumulators take in the same gradients. With u = m / rms(m) +
//! nu g / rms(g) as the [table](mod@lgl2o::learned::table) has it, a step of the teacher is 0.01 u times some gain, and the
//! table's gain is a product, 2^scale 2^Z(z) 2^T(x, y). Its factors are fitted one after the other:
//!
//! ```text
//! scale   log2 of each tensor's gain (sum step u) / (sum u^2), in each step; linear in the tensor's numbers by least
//!         squares
//! Z, T    at each node log2 of (sum h step u / 2^rest + prior) / (sum h u^2 + prior), h the share of the node in what
//!         is interpolated, 2^rest the other two factors; in turns
//! ```
//!
//! The prior draws nodes that see little towards a factor of 1. Steps of the teacher against u, of which a table has
//! none, make the gain of their node smaller. All this is done for several nu, of which the one is kept whose table
//! steps closest to the teacher, in squares over all that was seen.

use std::sync::Arc;

use lgl2o::Rng;
use lgl2o::batch::Batch;
use lgl2o::learned::{Learned, Table, WeightsError};
use lgl2o::math::{exp2_linear, inverse_sqrt, log2_linear, powi};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{NoProbe, Rule, State};
use lgl2o::sum;
use lgl2o::tensors::Tensors;

use super::problem::Problem;

const NODES: usize = 9;
/// Numbers of a tensor that its scale is linear in: six of context, 1, level.
const NUMBERS: usize = 8;
/// Parameters looked at, of each tensor and step.
const SAMPLES: u32 = 64;
/// Weight of a factor of 1 at each node, in parameters with |u| = 1.
const PRIOR: f64 = 20.0;
/// What nu may be.
const NUS: [f64; 6] = [0.0, 0.125, 0.25, 0.5, 1.0, 2.0];
/// Rounds of fitting Z and T in turns.
const ROUNDS: usize = 4;

/// One parameter in one step.
#[derive(Debug, Clone, Copy)]
struct Sample {
    /// x, y, z, counted in nodes.
    place: [f64; 3],
    /// m / rms(m), g / rms(g).
    directions: [f64; 2],
    /// What the parameter lost, in units of 0.01.
    step: f64,
}

impl Sample {
    /// u.
    fn direction(&self, nu: f64) -> f64 {
        self.directions[0] + nu * self.directions[1]
    }
}

/// Factors of the gain, each as log2.
#[derive(Debug, Clone)]
struct Fit {
    nu: f64,
    agreement: [[f64; NODES]; NODES],
    size: [f64; NODES],
    /// C, o, kappa.
    numbers: [f64; NUMBERS],
}

/// One tensor in one step.
#[derive(Debug, Clone)]
struct Tensor {
    numbers: [f64; NUMBERS],
    samples: Vec<Sample>,
}

/// What a teacher was seen to do.
#[derive(Debug, Clone)]
pub struct Distillation<P> {
    state: State<P, 2>,
    rng: Rng,
    tensors: Vec<Tensor>,
}

/// The node before a place on an axis, and how far behind it the place is.
fn node(place: f64) -> (usize, f64) {
    let node = (place as usize).min(NODES - 2);
    (node, place - node as f64)
}

fn log2(x: f32) -> f64 {
    f64::from(log2_linear(x))
}

fn exp2(x: f64) -> f64 {
    f64::from(exp2_linear(x as f32))
}

impl<P: Tensors> Distillation<P> {
    /// Nothing seen yet, for a run with parameters like these; `seed` says which parameters are looked at.
    #[must_use]
    pub fn new(like: &P, seed: u64) -> Self {
        Self { state: State::like(like), rng: Rng::new(seed), tensors: Vec::new() }
    }

    /// Begins another run, with what was seen so far kept.
    pub fn restart(&mut self, like: &P) {
        self.state = State::like(like);
    }

    /// Looks at a step of the teacher, from `before` to `after`.
    pub fn record(&mut self, before: &P, after: &P, gradient: &P) {
        Table::momentum().observe(&mut self.state, before, gradient, 0.0);
        for i in 0..before.count() {
            let tensor = self.look(before.tensor(i), after.tensor(i), gradient.tensor(i), i);
            self.tensors.push(tensor);
        }
    }

    fn look(&mut self, before: &[f32], after: &[f32], gradient: &[f32], i: usize) -> Tensor {
        let [v, m] = self.state.slots.each_ref().map(|slot| slot.tensor(i));
        let (t, n) = (self.state.steps, before.len() as f32);
        let [u_v, u_m] = [0.99, 0.9].map(|decay| 1.0 / (1.0 - powi(decay, t)));
        let size = sum::sum(v) / n * u_v + 1e-16;
        let level = 7.0 + 0.5 * log2(size);
        let mean = sum::squares(m) / n;
        let numbers = [
            log2(sum::squares(before) / n + 1e-8) / 16.0,
            f64::from(mean.sqrt() * u_m * inverse_sqrt(size)),
            level / 8.0,
            log2(n) / 16.0,
            (f64::from(t) / 30.0).tanh(),
            (f64::from(t) / 300.0).tanh(),
            1.0,
            level,
        ];
        let inverse_rms = [mean, sum::squares(gradient) / n].map(|square| inverse_sqrt(square + 1e-16));
        let count = if before.is_empty() { 0 } else { SAMPLES };
        let sample = |_| {
            let j = self.rng.below(before.len() as u32) as usize;
            let (g, square, u) = (gradient[j], v[j] * u_v + 1e-16, m[j] * inverse_rms[0]);
            let near = (0.5 * (log2(g * g) - log2(square)) + 2.0).clamp(0.0, 4.0);
            let x = if g * u < 0.0 { 4.0 - near } else { 4.0 + near };
            let y = (2.0 * log2(1.0 + u.abs())).clamp(0.0, 8.0);
            let z = (0.5 * (log2(square) - log2(size)) + 6.0).clamp(0.0, 8.0);
            let directions = [u, g * inverse_rms[1]].map(f64::from);
            Sample { place: [x, y, z], directions, step: f64::from(before[j] - after[j]) / 0.01 }
        };
        Tensor { numbers, samples: (0..count).map(sample).collect() }
    }

    /// The table that comes closest to the teacher, in the sense of this module.
    ///
    /// # Errors
    /// [`WeightsError::NotFinite`] if the teacher's steps were not finite.
    pub fn fit(&self) -> Result<Table, WeightsError> {
        let fits = NUS.map(|nu| self.fit_with(nu));
        let [mut best, others @ ..] = fits;
        for other in others {
            if other.1 < best.1 {
                best = other;
            }
        }
        let Fit { nu, agreement, size, numbers } = best.0;
        let entries = agreement.as_flattened().iter().chain(&size).map(|log| log / 4.0);
        let weights: Vec<f32> = entries.chain(numbers).chain([nu]).map(|weight| weight as f32).collect();
        Table::from_weights(&weights)
    }

    /// The factors with this nu, and the squared error that they leave.
    fn fit_with(&self, nu: f64) -> (Fit, f64) {
        let mut fit = Fit { nu, agreement: [[0.0; NODES]; NODES], size: [0.0; NODES], numbers: self.scale(nu) };
        for _ in 0..ROUNDS {
            let mut sums = [[PRIOR; 2]; NODES];
            for (sample, scale) in self.samples(&fit) {
                let gain = scale * exp2(bilinear(&fit.agreement, sample.place));
                let (k, f) = node(sample.place[2]);
                take(&mut sums[k], 1.0 - f, sample, nu, gain);
                take(&mut sums[k + 1], f, sample, nu, gain);
            }
            fit.size = sums.map(log_ratio);
            let mut sums = [[[PRIOR; 2]; NODES]; NODES];
            for (sample, scale) in self.samples(&fit) {
                let gain = scale * exp2(linear(&fit.size, sample.place[2]));
                let ((x, fx), (y, fy)) = (node(sample.place[0]), node(sample.place[1]));
                for (row, share) in sums[y..].iter_mut().zip([1.0 - fy, fy]) {
                    take(&mut row[x], share * (1.0 - fx), sample, nu, gain);
                    take(&mut row[x + 1], share * fx, sample, nu, gain);
                }
            }
            fit.agreement = sums.map(|row| row.map(log_ratio));
        }
        let error = |(sample, scale): (&Sample, f64)| {
            let log = bilinear(&fit.agreement, sample.place) + linear(&fit.size, sample.place[2]);
            (sample.step - scale * exp2(log) * sample.direction(nu)).powi(2)
        };
        let left = self.samples(&fit).map(error).sum();
        (fit, left)
    }

    /// All samples, each with the scale of its tensor.
    fn samples(&self, fit: &Fit) -> impl Iterator<Item = (&Sample, f64)> + use<'_, P> {
        let numbers = fit.numbers;
        self.tensors.iter().flat_map(move |tensor| {
            let scale = exp2(dot(&numbers, &tensor.numbers).clamp(-12.0, 6.0));
            tensor.samples.iter().map(move |sample| (sample, scale))
        })
    }

    /// C, o, kappa: log2 of the tensors' gains by least squares, with a ridge for numbers that say the same twice.
    fn scale(&self, nu: f64) -> [f64; NUMBERS] {
        let mut equations = [[0.0; NUMBERS + 1]; NUMBERS];
        for tensor in &self.tensors {
            let product: f64 = tensor.samples.iter().map(|s| s.step * s.direction(nu)).sum();
            let square: f64 = tensor.samples.iter().map(|s| s.direction(nu).powi(2)).sum();
            // A tensor that does not move along u at all says nothing.
            if product > 0.0 && square > 0.0 {
                let right = log2((product / square) as f32);
                for (row, a) in equations.iter_mut().zip(tensor.numbers) {
                    for (to, b) in row.iter_mut().zip(tensor.numbers.iter().chain([&right])) {
                        *to += a * b;
                    }
                }
            }
        }
        let ridge = 1e-4 * self.tensors.len() as f64;
        (0..NUMBERS).for_each(|k| equations[k][k] += ridge);
        solve(equations)
    }
}

/// Takes a sample into the two sums of a node.
fn take(sums: &mut [f64; 2], share: f64, sample: &Sample, nu: f64, gain: f64) {
    let direction = sample.direction(nu);
    sums[0] += share * sample.step / gain * direction;
    sums[1] += share * direction * direction;
}

/// log2 of the ratio of a node's sums, within what an entry holds.
fn log_ratio([product, square]: [f64; 2]) -> f64 {
    if product > 0.0 { log2((product / square) as f32).clamp(-8.0, 7.9) } else { -8.0 }
}

fn linear(table: &[f64; NODES], place: f64) -> f64 {
    let (k, f) = node(place);
    table[k] + f * (table[k + 1] - table[k])
}

fn bilinear(table: &[[f64; NODES]; NODES], [x, y, _]: [f64; 3]) -> f64 {
    let (k, f) = node(y);
    let [before, behind] = [k, k + 1].map(|k| linear(&table[k], x));
    before + f * (behind - before)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Solves a positive definite system, its right side in the last column, by elimination.
fn solve(mut rows: [[f64; NUMBERS + 1]; NUMBERS]) -> [f64; NUMBERS] {
    for k in 0..NUMBERS {
        let pivot = rows[k].map(|x| x / rows[k][k]);
        for (i, row) in rows.iter_mut().enumerate() {
            let factor = row[k];
            let reduced = |(x, p): (&mut f64, f64)| *x = if i == k { p } else { *x - factor * p };
            row.iter_mut().zip(pivot).for_each(reduced);
        }
    }
    rows.map(|row| row[NUMBERS])
}

/// Lets a teacher train on problems, `steps` steps on each from fresh parameters, and gives the table that imitates it.
///
/// # Errors
/// [`WeightsError::NotFinite`] if the teacher diverges.
pub fn distill(teacher: &impl Rule, problems: &[Arc<Problem>], steps: u32, seed: u64) -> Result<Table, WeightsError> {
    let mut rng = Rng::stream(seed, 1);
    let mut seen: Option<Distillation<_>> = None;
    for problem in problems {
        let optimizee = problem.task.optimizee();
        let mut params = optimizee.blank_params();
        optimizee.initialize(&mut params, &mut rng);
        let (mut scratch, mut losses) = (optimizee.blank_scratch(), optimizee.blank_losses());
        let (mut gradient, mut state) = (optimizee.blank_params(), teacher.state(&params));
        let seen = seen.get_or_insert_with(|| Distillation::new(&params, seed));
        seen.restart(&params);
        let (train, mut pick) = (problem.train(), vec![0; problem.task.batch]);
        for _ in 0..steps {
            pick.iter_mut().for_each(|i| *i = rng.below(train.len() as u32));
            let batch = Batch::picked_classes(train.inputs(), train.width(), train.labels(), &pick);
            let n = optimizee.gradient(&mut scratch, &params, batch, &mut losses, &mut gradient).unwrap_or(0);
            let loss = sum::sum(&losses[..n]) / n as f32;
            let before = params.clone();
            teacher.step(&mut state, &mut params, &gradient, loss, &mut NoProbe);
            if !params.is_finite() {
                return Err(WeightsError::NotFinite);
            }
            seen.record(&before, &params, &gradient);
        }
    }
    seen.map_or(Ok(Table::momentum()), |seen| seen.fit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a teacher on random gradients and imitates it.
    fn imitate(teacher: &impl Rule) -> Table {
        let mut rng = Rng::new(3);
        let mut w: [f32; 200] = core::array::from_fn(|_| rng.normal());
        let (mut state, mut seen) = (teacher.state(&w), Distillation::new(&w, 1));
        for k in 0..400 {
            let (before, size) = (w, exp2_linear((k % 7) as f32 - 8.0));
            let gradient = core::array::from_fn(|i| size * exp2_linear((i % 5) as f32 - 2.0) * (rng.normal() + 0.5));
            teacher.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
            seen.record(&before, &w, &gradient);
        }
        seen.fit().unwrap()
    }

    /// Runs two rules on the same gradients; gives the difference of their steps over the second's, in length.
    fn difference(a: &impl Rule, b: &impl Rule) -> f64 {
        let mut rng = Rng::new(5);
        let (mut ours, mut theirs) = ([1.0f32; 200], [1.0f32; 200]);
        let (mut state, mut their_state) = (a.state(&ours), b.state(&theirs));
        let (mut apart, mut length) = (0.0, 0.0);
        for k in 0..300 {
            let size = exp2_linear((k % 7) as f32 - 8.0);
            let gradient = core::array::from_fn(|i| size * exp2_linear((i % 5) as f32 - 2.0) * (rng.normal() + 0.5));
            let (before, their_before) = (ours, theirs);
            a.step(&mut state, &mut ours, &gradient, 0.0, &mut NoProbe);
            b.step(&mut their_state, &mut theirs, &gradient, 0.0, &mut NoProbe);
            for j in 0..200 {
                let (x, y) = (f64::from(before[j] - ours[j]), f64::from(their_before[j] - theirs[j]));
                apart += (x - y) * (x - y);
                length += y * y;
            }
        }
        (apart / length).sqrt()
    }

    /// Of momentum, which a table can be, the rounding of entries is left, 2 % each, and what the scale does not catch.
    #[test]
    fn a_table_learns_momentum() {
        use lgl2o::rule::Momentum;
        let teacher = Momentum::new(0.1);
        let far = difference(&Table::momentum(), &teacher);
        let near = difference(&imitate(&teacher), &teacher);
        assert!(near < 0.1 && far > 0.3, "{near} {far}");
    }

    /// Adam needs Z: about an octave less of gain for two octaves more of v, since T has a part in it too. What is left
    /// is mostly the scale, which in a table is no ratio of rms(m) to the root of mean v.
    #[test]
    fn a_table_learns_adam() {
        use lgl2o::rule::Adam;
        let teacher = Adam { beta2: 0.99, ..Adam::new(0.003) };
        let table = imitate(&teacher);
        let (near, far) = (difference(&table, &teacher), difference(&Table::momentum(), &teacher));
        assert!(near < 0.25 && far > 0.6, "{near} {far}");
        let mut weights = [0.0; Table::WEIGHTS];
        table.write_weights(&mut weights);
        for k in [5, 6] {
            let octaves = 4.0 * (weights[81 + k] - weights[81 + k + 1]);
            assert!((0.6..1.4).contains(&octaves), "node {k}: {octaves}");
        }
    }

    #[test]
    fn equations_are_solved() {
        let mut rng = Rng::new(1);
        let root: [[f64; NUMBERS]; NUMBERS] =
            core::array::from_fn(|_| core::array::from_fn(|_| f64::from(rng.normal())));
        let x: [f64; NUMBERS] = core::array::from_fn(|k| k as f64 - 3.5);
        let rows = core::array::from_fn(|i| {
            let row: [f64; NUMBERS] = core::array::from_fn(|j| dot(&root[i], &root[j]) + f64::from(u8::from(i == j)));
            core::array::from_fn(|j| if j < NUMBERS { row[j] } else { dot(&row, &x) })
        });
        assert!(solve(rows).iter().zip(x).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}

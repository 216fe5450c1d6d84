//! The lookup table in double precision, written out anew from the formula at the head of `lgl2o::learned::table`.

use crate::learned::{exp2_linear, log2_linear, mean, mean_square};

/// The rule with its weights, and accumulators of several tensors.
#[derive(Debug, Clone)]
pub struct Table64 {
    /// log2 of the factors: nine rows of T, then Z.
    rows: Vec<[f64; 9]>,
    /// C, o, kappa, nu.
    numbers: Vec<f64>,
    /// Per tensor: v, m.
    slots: Vec<[Vec<f64>; 2]>,
    steps: i32,
}

/// The decays of v and m, as single precision has them.
const DECAYS: [f32; 2] = [0.99, 0.9];

/// The value at a place of a table.
fn at(row: &[f64; 9], place: f64) -> f64 {
    let k = (place.floor() as usize).min(7);
    row[k] + (row[k + 1] - row[k]) * (place - k as f64)
}

impl Table64 {
    /// Fresh accumulators for tensors of these lengths. The weights are in the order of the file: T, Z, in units of
    /// four octaves and rounded already, then C, o, kappa, nu.
    #[must_use]
    pub fn new(weights: &[f64], lengths: &[usize]) -> Self {
        assert_eq!(weights.len(), 99);
        let rows = weights[..90].chunks(9).map(|row| core::array::from_fn(|k| 4.0 * row[k])).collect();
        let slots = lengths.iter().map(|&n| [vec![0.0; n], vec![0.0; n]]).collect();
        Self { rows, numbers: weights[90..].to_vec(), slots, steps: 0 }
    }

    /// log2 of the factor, from log2 |x|, whether the gradient is against the mean, y and z.
    #[must_use]
    pub fn log_factor(&self, size: f64, against: bool, y: f64, z: f64) -> f64 {
        let near = (size + 2.0).clamp(0.0, 4.0);
        let across = if against { 4.0 - near } else { 4.0 + near };
        let along = (2.0 * log2_linear(1.0 + y)).clamp(0.0, 8.0);
        let column: [f64; 9] = core::array::from_fn(|k| at(&self.rows[k], across));
        at(&column, along) + at(&self.rows[9], (z / 2.0 + 6.0).clamp(0.0, 8.0))
    }

    /// One step of all tensors.
    pub fn step(&mut self, w: &mut [Vec<f64>], gradient: &[Vec<f64>]) {
        self.steps += 1;
        for (i, (w, g)) in w.iter_mut().zip(gradient).enumerate() {
            let [v, m] = &mut self.slots[i];
            let [slow, fast] = DECAYS.map(f64::from);
            v.iter_mut().zip(g).for_each(|(v, g)| *v = slow * *v + (1.0 - slow) * g * g);
            m.iter_mut().zip(g).for_each(|(m, g)| *m = fast * *m + (1.0 - fast) * g);
            let moves = self.moves(i, w, g);
            w.iter_mut().zip(moves).for_each(|(w, step)| *w -= step);
        }
    }

    /// What the parameters of tensor number `i` lose.
    fn moves(&self, i: usize, w: &[f64], g: &[f64]) -> Vec<f64> {
        let [v, m] = &self.slots[i];
        let [u_v, u_m] = DECAYS.map(|decay| 1.0 - f64::from(decay).powi(self.steps));
        let size = mean(v.iter().map(|v| v / u_v)) + 1e-16;
        let level = 7.0 + 0.5 * log2_linear(size);
        let context = [
            0.5 * log2_linear(mean_square(w) + 1e-8) / 8.0,
            mean_square(m).sqrt() / u_m / size.sqrt(),
            level / 8.0,
            log2_linear(w.len() as f64) / 16.0,
            (f64::from(self.steps) / 30.0).tanh(),
            (f64::from(self.steps) / 300.0).tanh(),
        ];
        let log = self.numbers.iter().zip(context).map(|(weight, c)| weight * c).sum::<f64>() + self.numbers[6];
        let rate = 0.01 * exp2_linear((log + self.numbers[7] * level).clamp(-12.0, 6.0));
        let (m_rms, g_rms) = ((mean_square(m) + 1e-16).sqrt(), (mean_square(g) + 1e-16).sqrt());
        let one = |j: usize| {
            let square = v[j] / u_v + 1e-16;
            let x = 0.5 * (log2_linear(g[j] * g[j]) - log2_linear(square));
            let z = log2_linear(square) - log2_linear(size);
            let factor = exp2_linear(self.log_factor(x, g[j] * m[j] < 0.0, m[j].abs() / m_rms, z));
            rate * (m[j] / m_rms + self.numbers[8] * g[j] / g_rms) * factor
        };
        (0..w.len()).map(one).collect()
    }
}

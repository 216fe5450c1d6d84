//! The tensor controller in double precision, written out anew from the formula at the head of
//! `lgl2o::learned::controller`.

use crate::learned::{exp2_linear, log2_linear, mean, mean_square};

const INPUTS: usize = 12;
const HIDDEN: usize = 16;

/// What is known of one tensor.
#[derive(Debug, Clone)]
struct Tensor64 {
    m: Vec<f64>,
    v: Vec<f64>,
    filled: f64,
    agreement: [f64; 2],
    level: f64,
    rate: f64,
}

/// The rule with its weights, and accumulators of several tensors.
#[derive(Debug, Clone)]
pub struct Controller64 {
    weights: Vec<f64>,
    tensors: Vec<Tensor64>,
    steps: i32,
}

/// The decays of v and of the level, and those of the agreement, as single precision has them.
const SLOW: f32 = 0.99;
const FAST: f32 = 0.9;

/// a <- b a + (1 - b) x.
fn blend(a: &mut f64, decay: f32, x: f64) {
    *a = f64::from(decay) * *a + (1.0 - f64::from(decay)) * x;
}

impl Controller64 {
    /// Fresh accumulators for tensors of these lengths. The weights are in the order of the file: A with a behind each
    /// row, O, S and o row by row, kappa.
    #[must_use]
    pub fn new(weights: Vec<f64>, lengths: &[usize]) -> Self {
        assert_eq!(weights.len(), (INPUTS + 1) * HIDDEN + 3 * (HIDDEN + INPUTS + 1) + 1);
        let blank = |&n: &usize| Tensor64 {
            m: vec![0.0; n],
            v: vec![0.0; n],
            filled: 0.0,
            agreement: [0.0; 2],
            level: 0.0,
            rate: 0.0,
        };
        Self { weights, tensors: lengths.iter().map(blank).collect(), steps: 0 }
    }

    /// One step of all tensors.
    pub fn step(&mut self, w: &mut [Vec<f64>], gradient: &[Vec<f64>]) {
        self.steps += 1;
        for (i, (w, g)) in w.iter_mut().zip(gradient).enumerate() {
            self.step_tensor(i, w, g);
        }
    }

    fn step_tensor(&mut self, i: usize, w: &mut [f64], g: &[f64]) {
        let correction = 1.0 - f64::from(SLOW).powi(self.steps);
        let time = [30.0, 300.0].map(|scale| (f64::from(self.steps) / scale).tanh());
        let tensor = &mut self.tensors[i];
        tensor.v.iter_mut().zip(g).for_each(|(v, g)| blend(v, SLOW, g * g));
        let size = mean(tensor.v.iter().map(|v| v / correction)) + 1e-16;
        let level = 7.0 + 0.5 * log2_linear(size);
        let product = mean(g.iter().zip(&tensor.m).map(|(g, m)| g * m));
        let cos = product / ((mean_square(g) + 1e-16) * (mean_square(&tensor.m) + 1e-16)).sqrt();
        blend(&mut tensor.agreement[0], FAST, cos);
        blend(&mut tensor.agreement[1], SLOW, cos);
        blend(&mut tensor.level, SLOW, level);
        let corrected = if tensor.filled > 0.0 { mean_square(&tensor.m).sqrt() / tensor.filled } else { 0.0 };
        let x = [
            0.5 * log2_linear(mean_square(w) + 1e-8) / 8.0,
            level / 8.0,
            (log2_linear(mean_square(g) + 1e-16) - log2_linear(size)) / 4.0,
            corrected / size.sqrt(),
            cos,
            tensor.agreement[0],
            tensor.agreement[1],
            (level - tensor.level / correction) / 4.0,
            log2_linear(g.len() as f64) / 16.0,
            time[0],
            time[1],
            tensor.rate / 8.0,
        ];
        let [q, p, b, kappa] = network(&self.weights, &x);
        tensor.rate = q.clamp(-8.0, 8.0);
        let take = 0.1 * exp2_linear(p.clamp(-5.0, 3.0));
        tensor.m.iter_mut().zip(g).for_each(|(m, g)| *m = (1.0 - take) * *m + take * g);
        tensor.filled = (1.0 - take) * tensor.filled + take;
        let rate = 0.01 * exp2_linear((tensor.rate + kappa * level).clamp(-12.0, 6.0));
        let tilt = -0.5 * b.clamp(-0.25, 1.25);
        for (w, (m, v)) in w.iter_mut().zip(tensor.m.iter().zip(&tensor.v)) {
            let log = log2_linear(v / correction + 1e-16) - log2_linear(size);
            *w -= rate / size.sqrt() * m / tensor.filled * exp2_linear(tilt * log.clamp(-16.0, 16.0));
        }
    }
}

/// q, p, b from the inputs; and kappa.
fn network(weights: &[f64], x: &[f64; INPUTS]) -> [f64; 4] {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let (input, rest) = weights.split_at((INPUTS + 1) * HIDDEN);
    let unit = |row: &[f64]| (dot(&row[..INPUTS], x) + row[INPUTS]).max(0.0);
    let units: Vec<f64> = input.chunks(INPUTS + 1).map(unit).collect();
    let out = |k: usize| {
        let row = &rest[(HIDDEN + INPUTS + 1) * k..][..HIDDEN + INPUTS + 1];
        dot(&row[..HIDDEN], &units) + dot(&row[HIDDEN..HIDDEN + INPUTS], x) + row[HIDDEN + INPUTS]
    };
    [out(0), out(1), out(2), rest[rest.len() - 1]]
}

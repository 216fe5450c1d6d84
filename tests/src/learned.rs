//! The coordinatewise learned rule in double precision, written out anew from the formula at the head of
//! `lgl2o::learned::coordinate`.

/// The rule with its weights, H hidden units, and accumulators of several tensors.
#[derive(Debug, Clone)]
pub struct Coordinate64 {
    hidden: usize,
    weights: Vec<f64>,
    /// Per tensor: v, m_.5, m_.9, m_.99.
    slots: Vec<[Vec<f64>; 4]>,
    steps: i32,
}

/// The straight line through each octave of log2.
pub(crate) fn log2_linear(x: f64) -> f64 {
    let octave = x.log2().floor();
    octave + x / octave.exp2() - 1.0
}

/// Its inverse.
pub(crate) fn exp2_linear(x: f64) -> f64 {
    (1.0 + x - x.floor()) * x.floor().exp2()
}

pub(crate) fn mean(a: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = a.len() as f64;
    a.sum::<f64>() / n
}

pub(crate) fn mean_square(a: &[f64]) -> f64 {
    mean(a.iter().map(|x| x * x))
}

/// The decays of v, m_.5, m_.9, m_.99, as single precision has them.
const DECAYS: [f32; 4] = [0.99, 0.5, 0.9, 0.99];

impl Coordinate64 {
    /// Fresh accumulators for tensors of these lengths. The weights are in the order of the file: A, C, a, O, o, skip.
    #[must_use]
    pub fn new(hidden: usize, weights: Vec<f64>, lengths: &[usize]) -> Self {
        assert_eq!(weights.len(), 18 * hidden + 7);
        let slots = lengths.iter().map(|&n| core::array::from_fn(|_| vec![0.0; n])).collect();
        Self { hidden, weights, slots, steps: 0 }
    }

    /// One step of all tensors.
    pub fn step(&mut self, w: &mut [Vec<f64>], gradient: &[Vec<f64>]) {
        self.steps += 1;
        for (i, (w, g)) in w.iter_mut().zip(gradient).enumerate() {
            let [v, means @ ..] = &mut self.slots[i];
            let [decay, decays @ ..] = DECAYS.map(f64::from);
            v.iter_mut().zip(g).for_each(|(v, g)| *v = decay * *v + (1.0 - decay) * g * g);
            for (mean, decay) in means.iter_mut().zip(decays) {
                mean.iter_mut().zip(g).for_each(|(m, g)| *m = decay * *m + (1.0 - decay) * g);
            }
            let moves = self.moves(i, w, g);
            w.iter_mut().zip(moves).for_each(|(w, step)| *w -= step);
        }
    }

    /// An accumulator of tensor number `i`, corrected for the start from zero.
    fn corrected(&self, i: usize, slot: usize) -> Vec<f64> {
        let correction = 1.0 - f64::from(DECAYS[slot]).powi(self.steps);
        self.slots[i][slot].iter().map(|m| m / correction).collect()
    }

    /// What the parameters of tensor number `i` lose.
    fn moves(&self, i: usize, w: &[f64], g: &[f64]) -> Vec<f64> {
        let [v, fast, middle, slow] = [0, 1, 2, 3].map(|slot| self.corrected(i, slot));
        let square = mean(v.iter().copied()) + 1e-16;
        let weight = mean_square(w) + 1e-8;
        let time = [30.0, 300.0].map(|scale| (f64::from(self.steps) / scale).tanh());
        let rms_of = |m: &[f64]| (mean_square(m) / square).sqrt();
        let level = 7.0 + 0.5 * log2_linear(square);
        let context = [
            0.5 * log2_linear(weight) / 8.0,
            rms_of(&middle),
            rms_of(&slow),
            level / 8.0,
            log2_linear(w.len() as f64) / 16.0,
            time[0],
            time[1],
        ];
        let one = |j: usize| {
            let r = 1.0 / (v[j] + 1e-16).sqrt();
            let within = |x: f64, bound: f64| x.clamp(-bound, bound);
            let raw = self.slots[i][2][j];
            let sigma = if raw.is_sign_negative() { -1.0 } else { 1.0 };
            let x = [
                within(sigma * g[j] * r, 4.0),
                within(sigma * middle[j] * r, 4.0),
                within(sigma * middle[j] / square.sqrt(), 8.0),
                within(sigma * g[j] / square.sqrt(), 8.0),
                within(sigma * fast[j] * r, 4.0),
                within(sigma * slow[j] * r, 4.0),
                within((log2_linear(v[j] + 1e-16) - log2_linear(square)) / 8.0, 2.0),
                within(sigma * w[j] / weight.sqrt(), 4.0),
            ];
            sigma * self.network(&x, &context, level)
        };
        (0..w.len()).map(one).collect()
    }

    /// 0.01 (d + skip . dirs) 2^clamp(s + kappa level, -12, 6).
    fn network(&self, x: &[f64; 8], context: &[f64; 7], level: f64) -> f64 {
        let h = self.hidden;
        let (a, rest) = self.weights.split_at(8 * h);
        let (c, rest) = rest.split_at(7 * h);
        let (bias, rest) = rest.split_at(h);
        let (out, rest) = rest.split_at(2 * h);
        let (out_bias, skip) = rest.split_at(2);
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let unit = |k: usize| dot(&a[8 * k..], x) + dot(&c[7 * k..], context) + bias[k];
        let units: Vec<f64> = (0..h).map(|k| unit(k).max(0.0)).collect();
        let d = dot(&out[..h], &units) + out_bias[0] + dot(&skip[..4], &x[..4]);
        let s = dot(&out[h..], &units) + out_bias[1] + skip[4] * level;
        0.01 * d * exp2_linear(s.clamp(-12.0, 6.0))
    }
}

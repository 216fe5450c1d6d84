//! The learned form of NGN in double precision, written out anew from the formula at the head of
//! `lgl2o::learned::gauss_newton`; and the straight lines that stand for logarithms in all learned rules.

/// The rule with its weights, and what it remembers of several layers.
#[derive(Debug, Clone)]
pub struct LearnedNgn64 {
    weights: [f64; 17],
    layers: Vec<Layer>,
    steps: i32,
    /// The first loss, and the mean of all.
    losses: [f64; 2],
}

/// What the rule remembers of a layer.
#[derive(Debug, Clone)]
struct Layer {
    q: Vec<f64>,
    v: Vec<f64>,
    rho: f64,
    s: f64,
    /// What x was multiplied by in the step before.
    last: f64,
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

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// log2 of a ratio, clamped.
fn log_ratio(ratio: f64) -> f64 {
    log2_linear(ratio.max(1e-9)).clamp(-10.0, 2.0)
}

impl LearnedNgn64 {
    /// The rule at its beginning, for layers of these lengths. The weights are in the order of the file.
    ///
    /// # Panics
    /// If there are not 17 weights.
    #[must_use]
    pub fn new(weights: &[f64], lengths: &[usize]) -> Self {
        let layer = |&n: &usize| Layer { q: vec![0.0; n], v: vec![0.0; n], rho: 0.0, s: 0.0, last: 0.0 };
        let weights = weights.try_into().expect("17 weights");
        Self { weights, layers: lengths.iter().map(layer).collect(), steps: 0, losses: [0.0; 2] }
    }

    /// One step of all layers, with the loss at `w`.
    pub fn step(&mut self, w: &mut [Vec<f64>], gradient: &[Vec<f64>], loss: f64) {
        let [size, bound, power, mean, square, keep, look, gains @ .., fall, fast, drift, leak, decay, fade] =
            self.weights;
        let gains: [f64; 4] = gains;
        let sigma = exp2_linear((5.0 * size).clamp(-40.0, 20.0));
        let bound = exp2_linear((5.0 * bound).clamp(-20.0, 20.0));
        let fresh = exp2_linear(-5.0 * mean.clamp(0.1, 2.0));
        let beta2 = 1.0 - exp2_linear(-5.0 * square.clamp(0.2, 2.6));
        self.steps += 1;
        let progress = self.progress(loss);
        let unbiased = 1.0 - beta2.powi(self.steps);
        let scale = |rho: f64| exp2_linear((power * log2_linear(rho)).clamp(-40.0, 40.0));
        let mut decrease = 0.0;
        let mut directions = Vec::new();
        for (layer, (w, g)) in self.layers.iter_mut().zip(w.iter().zip(gradient)) {
            if self.steps == 1 {
                layer.rho = mean_square(w).sqrt().max(f64::from(1e-3f32));
            }
            layer.v.iter_mut().zip(g).for_each(|(v, g)| *v = beta2 * *v + (1.0 - beta2) * g * g);
            let x: Vec<f64> = g.iter().zip(&layer.v).map(|(g, v)| g / (v / unbiased).sqrt()).collect();
            let [of_x, of_q] = [&x, &layer.q].map(|a| dot(a, a).sqrt());
            let cosine = if of_x * of_q > 0.0 { -dot(&x, &layer.q) / (of_x * of_q) } else { 0.0 };
            let kept = (1.0 - 0.01 * leak.max(0.0)) * layer.s;
            layer.s = (kept + 0.5 * fast * cosine + 0.1 * drift).clamp(-4.0, 4.0);
            let moved = layer.last * of_x;
            let agreement = if moved > 0.0 { 0.25 * (log_ratio(of_q / moved) + 1.5) } else { 0.0 };
            let fan = 0.25 * (log2_linear(g.len() as f64) - 9.0);
            decrease += scale(layer.rho) * dot(g, &x);
            directions.push((x, gains[2] * agreement + gains[3] * fan));
        }
        let e = sigma / (1.0 + sigma * decrease / (bound * loss));
        let gained = gains[0] * 0.25 * log_ratio(progress) + gains[1] * 0.25 * log_ratio(e / sigma);
        let faded = if fade > 0.0 { e * progress / (progress + 0.01 * fade) } else { e };
        let fallen = log2_linear(1.0 + fall.max(0.0) * f64::from(self.steps) / 100.0);
        for (layer, (w, (x, own))) in self.layers.iter_mut().zip(w.iter_mut().zip(&directions)) {
            let factor = exp2_linear((2.0 * (gained + own) + layer.s - 0.5 * fallen).clamp(-10.0, 4.0));
            layer.last = factor * faded * scale(layer.rho);
            for ((w, q), x) in w.iter_mut().zip(&mut layer.q).zip(x) {
                let p = layer.last * x;
                *q = (1.0 - fresh) * *q - fresh * p;
                *w += keep * *q - look * p - 0.01 * decay.max(0.0) * e * *w;
            }
        }
    }

    /// f' / f_1.
    fn progress(&mut self, loss: f64) -> f64 {
        if self.steps == 1 {
            self.losses[0] = loss;
        }
        let [first, mean] = &mut self.losses;
        *mean = 0.95 * *mean + 0.05 * loss;
        *mean / (1.0 - 0.95f64.powi(self.steps)) / *first
    }
}

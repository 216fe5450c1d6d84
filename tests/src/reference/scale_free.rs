//! The rules without a scale in double precision, written out anew from the formulas at the heads of their files: both
//! hand-made ones and both learned ones.

use lgl2o::rule::{ScaleFree, ScaleFreeMomentum};

use crate::reference::learned::{exp2_linear, log2_linear};

/// A rule in double precision, for one layer.
pub trait Reference {
    /// One step of layer l.
    fn step(&mut self, l: usize, w: &mut [f64], g: &[f64], t: i32, loss: f64);
}

/// The root mean square.
#[must_use]
pub fn rms(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt()
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lengths = dot(a, a).sqrt() * dot(b, b).sqrt();
    if lengths > 0.0 { dot(a, b) / lengths } else { 0.0 }
}

fn mix(mean: &mut [f64], x: impl Iterator<Item = f64>, beta: f64) {
    mean.iter_mut().zip(x).for_each(|(mean, x)| *mean = beta * *mean + (1.0 - beta) * x);
}

fn zip(a: &[f64], b: &[f64], f: impl Fn(f64, f64) -> f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| f(*a, *b)).collect()
}

/// What the rules of this family remember of a layer.
#[derive(Debug, Clone)]
struct Layer {
    v: Vec<f64>,
    m: Vec<f64>,
    n: Vec<f64>,
    rho: f64,
    s: f64,
}

impl Layer {
    fn new(len: usize) -> Self {
        Self { v: vec![0.0; len], m: vec![0.0; len], n: vec![0.0; len], rho: 0.0, s: 0.0 }
    }

    fn begin(&mut self, w: &[f64], t: i32) {
        if t == 1 {
            self.rho = rms(w).max(f64::from(1e-3f32));
        }
    }

    /// Moves the weights along d, at a rate of this logarithm before s and the fall.
    fn go(&self, w: &mut [f64], d: &[f64], log_rate: f64, [fall, decay]: [f64; 2], t: i32) {
        let fallen = log2_linear(1.0 + fall.max(0.0) * f64::from(t) / 100.0);
        let rate = exp2_linear((log_rate + self.s - 0.5 * fallen).clamp(-20.0, 2.0));
        let size = rms(d);
        for (w, d) in w.iter_mut().zip(d) {
            *w -= rate * self.rho * (d / size).clamp(-4.0, 4.0) + rate * 0.1 * decay.max(0.0) * *w;
        }
    }
}

fn layers() -> [Layer; 2] {
    [Layer::new(9), Layer::new(3)]
}

/// [`ScaleFree`].
#[derive(Debug, Clone)]
pub struct HandMade {
    rule: ScaleFree,
    layers: [Layer; 2],
}

impl HandMade {
    /// The rule at its beginning, on two layers of 9 and of 3 numbers.
    #[must_use]
    pub fn new(rule: ScaleFree) -> Self {
        Self { rule, layers: layers() }
    }
}

impl Reference for HandMade {
    fn step(&mut self, l: usize, w: &mut [f64], g: &[f64], t: i32, _: f64) {
        let ScaleFree { eta, kappa, cap, beta1, beta2 } = self.rule;
        let [eta, kappa, cap, beta1, beta2] = [eta, kappa, cap, beta1, beta2].map(f64::from);
        let layer = &mut self.layers[l];
        layer.begin(w, t);
        let h = zip(&layer.m, &layer.v, |m, v| if v > 0.0 { m / v.sqrt() } else { 0.0 });
        layer.s = (layer.s + kappa * cosine(g, &h)).clamp(-cap, cap);
        mix(&mut layer.m, g.iter().copied(), beta1);
        mix(&mut layer.v, g.iter().map(|g| g * g), beta2);
        let mean =
            zip(&layer.m, g, |m, g| beta1 * m / (1.0 - beta1.powi(t + 1)) + (1.0 - beta1) * g / (1.0 - beta1.powi(t)));
        let d = zip(&mean, &layer.v, |m, v| m / (v / (1.0 - beta2.powi(t))).sqrt());
        let length = eta * layer.s.exp() * layer.rho / rms(&d);
        w.iter_mut().zip(&d).for_each(|(w, d)| *w -= length * d);
    }
}

/// [`ScaleFreeMomentum`].
#[derive(Debug, Clone)]
pub struct Momentum {
    rule: ScaleFreeMomentum,
    layers: [Layer; 2],
}

impl Momentum {
    /// The rule at its beginning, on two layers of 9 and of 3 numbers.
    #[must_use]
    pub fn new(rule: ScaleFreeMomentum) -> Self {
        Self { rule, layers: layers() }
    }
}

impl Reference for Momentum {
    fn step(&mut self, l: usize, w: &mut [f64], g: &[f64], t: i32, _: f64) {
        let ScaleFreeMomentum { eta, kappa, cap, beta } = self.rule;
        let [eta, kappa, cap, beta] = [eta, kappa, cap, beta].map(f64::from);
        let layer = &mut self.layers[l];
        layer.begin(w, t);
        layer.s = (layer.s + kappa * cosine(g, &layer.m)).clamp(-cap, cap);
        mix(&mut layer.m, g.iter().copied(), beta);
        let d = zip(&layer.m, g, |m, g| beta * m + (1.0 - beta) * g);
        let length = eta * layer.s.exp() * layer.rho / rms(&d);
        w.iter_mut().zip(&d).for_each(|(w, d)| *w -= length * d);
    }
}

/// The mean of losses, and its ratio to the first one.
#[derive(Debug, Clone, Default)]
struct Losses {
    first: f64,
    mean: f64,
}

impl Losses {
    /// log2_linear(f' / f_1) / 4.
    fn progress(&mut self, loss: f64, t: i32) -> f64 {
        if t == 1 {
            self.first = loss;
        }
        self.mean = 0.95 * self.mean + 0.05 * loss;
        let ratio = self.mean / (1.0 - 0.95f64.powi(t)) / self.first;
        0.25 * log2_linear(ratio.max(1e-9)).clamp(-10.0, 2.0)
    }
}

/// `LearnedScaleFree`.
#[derive(Debug, Clone)]
pub struct Full {
    weights: Vec<f64>,
    layers: [Layer; 2],
    losses: Losses,
    progress: f64,
}

impl Full {
    /// The rule at its beginning, on two layers of 9 and of 3 numbers, with its weights in the order of the file.
    #[must_use]
    pub fn new(weights: Vec<f64>) -> Self {
        Self { weights, layers: layers(), losses: Losses::default(), progress: 0.0 }
    }
}

impl Reference for Full {
    fn step(&mut self, l: usize, w: &mut [f64], g: &[f64], t: i32, loss: f64) {
        if l == 0 {
            self.progress = self.losses.progress(loss, t);
        }
        let layer = &mut self.layers[l];
        layer.begin(w, t);
        let before = layer.m.clone();
        mix(&mut layer.v, g.iter().map(|g| g * g), 0.99);
        mix(&mut layer.m, g.iter().copied(), 0.9);
        mix(&mut layer.n, g.iter().copied(), 0.99);
        let r: Vec<f64> = layer.v.iter().map(|v| 1.0 / v.sqrt()).collect();
        let times = |x: &[f64]| zip(x, &r, |x, r| x * r);
        let (h, gr, mr, nr) = (times(&before), times(g), times(&layer.m), times(&layer.n));
        let features = [&gr, &mr, &nr, &g.to_vec(), &layer.m, &layer.n];
        let [skip, gain, rest] = [&self.weights[..6], &self.weights[6..11], &self.weights[11..]];
        let mut d = vec![0.0; g.len()];
        for (skip, x) in skip.iter().zip(features) {
            d.iter_mut().zip(x).for_each(|(d, value)| *d += skip * value / rms(x));
        }
        let root = (1.0 / (1.0 - 0.99f64.powi(t))).sqrt();
        let coherence = |x: &[f64], beta: f64| rms(x) / (1.0 - beta.powi(t)) / root;
        let c = [
            coherence(&mr, 0.9) - 0.5,
            coherence(&nr, 0.99) - 1.0 / 3.0,
            cosine(g, &h),
            cosine(&mr, &nr),
            self.progress,
        ];
        let [size, fall, fast, slow, drift, leak, decay] = rest.try_into().expect("seven");
        let kept = (1.0 - 0.01 * leak.max(0.0)) * layer.s;
        layer.s = (kept + 0.5 * (fast * c[2] + slow * c[3]) + 0.1 * drift).clamp(-4.0, 4.0);
        let gained: f64 = gain.iter().zip(c).map(|(gain, c)| gain * c).sum();
        layer.go(w, &d, 5.0 * size + 2.0 * gained, [fall, decay], t);
    }
}

/// `LeanScaleFree`.
#[derive(Debug, Clone)]
pub struct Lean {
    weights: Vec<f64>,
    layers: [Layer; 2],
    losses: Losses,
    progress: f64,
}

impl Lean {
    /// The rule at its beginning, on two layers of 9 and of 3 numbers, with its weights in the order of the file.
    #[must_use]
    pub fn new(weights: Vec<f64>) -> Self {
        Self { weights, layers: layers(), losses: Losses::default(), progress: 0.0 }
    }
}

impl Reference for Lean {
    fn step(&mut self, l: usize, w: &mut [f64], g: &[f64], t: i32, loss: f64) {
        if l == 0 {
            self.progress = self.losses.progress(loss, t);
        }
        let layer = &mut self.layers[l];
        layer.begin(w, t);
        let before = layer.m.clone();
        mix(&mut layer.v, g.iter().map(|g| g * g), 0.99);
        mix(&mut layer.m, g.iter().copied(), 0.9);
        let r: Vec<f64> = layer.v.iter().map(|v| 1.0 / v.sqrt()).collect();
        let times = |x: &[f64]| zip(x, &r, |x, r| x * r);
        let (h, x, mr) = (times(&before), times(g), times(&layer.m));
        let [skip, gain @ .., size, fall, fast, drift, leak, decay] = &self.weights[..] else { panic!("ten") };
        let (rms_x, rms_m) = (rms(&x), rms(&mr));
        let d = zip(&x, &mr, |x, m| skip * x / rms_x + m / rms_m);
        let coherence = rms_m / (1.0 - 0.9f64.powi(t)) * (1.0 - 0.99f64.powi(t)).sqrt();
        let c = [coherence - 0.5, cosine(&x, &h), self.progress];
        let kept = (1.0 - 0.01 * leak.max(0.0)) * layer.s;
        layer.s = (kept + 0.5 * fast * c[1] + 0.1 * drift).clamp(-4.0, 4.0);
        let gained: f64 = gain.iter().zip(c).map(|(gain, c)| gain * c).sum();
        layer.go(w, &d, 5.0 * size + 2.0 * gained, [*fall, *decay], t);
    }
}

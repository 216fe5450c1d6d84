//! The rules without a scale: against double precision, and what the name promises.

use lgl2o::learned::{LeanScaleFree, Learned, LearnedScaleFree};
use lgl2o::math::{exp2_linear, log2_linear};
use lgl2o::objective::Blank;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp};
use lgl2o::rule::{Ngn, NoProbe, PlainNgn, Rule, RuleState, ScaleFree, ScaleFreeMomentum};
use lgl2o::tensors::Tensors;
use lgl2o_tests::layers::{Steps, params, path, runs};
use lgl2o_tests::{bits, cases};
use proptest::collection::vec;
use proptest::prelude::*;

/// A rule in double precision, for one layer.
trait Reference {
    /// One step of layer l.
    fn step(&mut self, l: usize, w: &mut [f64], g: &[f64], t: i32, loss: f64);
}

fn rms(x: &[f64]) -> f64 {
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
#[derive(Clone)]
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
}

fn layers() -> [Layer; 2] {
    [Layer::new(9), Layer::new(3)]
}

struct HandMade {
    rule: ScaleFree,
    layers: [Layer; 2],
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

struct Momentum {
    rule: ScaleFreeMomentum,
    layers: [Layer; 2],
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

fn exp2(x: f64) -> f64 {
    f64::from(exp2_linear(x as f32))
}

fn log2(x: f64) -> f64 {
    f64::from(log2_linear(x as f32))
}

/// The mean of losses, and its ratio to the first one.
#[derive(Default)]
struct Losses {
    first: f64,
    mean: f64,
}

impl Losses {
    /// log2(f' / f_1) / 4.
    fn progress(&mut self, loss: f64, t: i32) -> f64 {
        if t == 1 {
            self.first = loss;
        }
        self.mean = 0.95 * self.mean + 0.05 * loss;
        let ratio = self.mean / (1.0 - 0.95f64.powi(t)) / self.first;
        0.25 * log2(ratio.max(1e-9)).clamp(-10.0, 2.0)
    }
}

struct Learnt {
    weights: Vec<f64>,
    layers: [Layer; 2],
    losses: Losses,
    progress: f64,
}

impl Reference for Learnt {
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
        let fallen = log2(1.0 + fall.max(0.0) * f64::from(t) / 100.0);
        let rate = exp2((5.0 * size + 2.0 * gained + layer.s - 0.5 * fallen).clamp(-20.0, 2.0));
        let size = rms(&d);
        for (w, d) in w.iter_mut().zip(&d) {
            *w -= rate * layer.rho * (d / size).clamp(-4.0, 4.0) + rate * 0.1 * decay.max(0.0) * *w;
        }
    }
}

struct Lean {
    weights: Vec<f64>,
    layers: [Layer; 2],
    losses: Losses,
    progress: f64,
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
        let fallen = log2(1.0 + fall.max(0.0) * f64::from(t) / 100.0);
        let rate = exp2((5.0 * size + 2.0 * gained + layer.s - 0.5 * fallen).clamp(-20.0, 2.0));
        let size = rms(&d);
        for (w, d) in w.iter_mut().zip(&d) {
            *w -= rate * layer.rho * (d / size).clamp(-4.0, 4.0) + rate * 0.1 * decay.max(0.0) * *w;
        }
    }
}

/// Holds a rule to its reference, and what it observes to what it does.
fn assert_follows<R: Rule>(
    rule: &R,
    reference: &mut impl Reference,
    (start, steps): &Steps,
) -> Result<(), TestCaseError> {
    let mut w = params(start);
    let (mut state, mut observed) = (rule.state(&w), rule.state(&w));
    let mut wide: [Vec<f64>; 2] = [&w.0[..], &w.1[..]].map(|w| w.iter().map(|x| f64::from(*x)).collect());
    for (t, (g, loss)) in (1..).zip(steps) {
        let gradient = params(g);
        rule.observe(&mut observed, &w, &gradient, *loss);
        rule.step(&mut state, &mut w, &gradient, *loss, &mut NoProbe);
        for (l, (wide, g)) in wide.iter_mut().zip([&gradient.0[..], &gradient.1[..]]).enumerate() {
            let g: Vec<f64> = g.iter().map(|x| f64::from(*x)).collect();
            reference.step(l, wide, &g, t, f64::from(*loss));
        }
        for (l, wide) in wide.iter().enumerate() {
            let size = rms(wide).max(0.01);
            for (got, expected) in w.tensor(l).iter().zip(wide) {
                let error = (f64::from(*got) - expected).abs();
                prop_assert!(error < 3e-4 * size, "step {t}, layer {l}: {got} where {expected} is due");
            }
        }
    }
    prop_assert!(state.is_finite());
    // A state that observed has seen the same gradients at the same points, and so goes on alike; so does a copy of it.
    let mut copy = rule.state(&w);
    copy.copy_from(&observed);
    let [a, b, c] = [&mut state, &mut observed, &mut copy].map(|state| {
        let mut w = w;
        rule.step(state, &mut w, &params(start), 1.0, &mut NoProbe);
        bits::of(&w)
    });
    prop_assert!(a == b && a == c, "observing is not what stepping does");
    Ok(())
}

fn learned<R: Learned>(weights: &[f32]) -> (R, Vec<f64>) {
    (R::from_weights(weights).expect("as many weights"), weights.iter().map(|w| f64::from(*w)).collect())
}

proptest! {
    #![proptest_config(cases!(400, "scale_free"))]

    #[test]
    fn scale_free_follows_its_formula(run in runs(), eta in 0.01f32..0.3, kappa in 0f32..0.2) {
        let rule = ScaleFree { eta, kappa, ..ScaleFree::new() };
        assert_follows(&rule, &mut HandMade { rule, layers: layers() }, &run)?;
    }

    #[test]
    fn scale_free_momentum_follows_its_formula(run in runs(), eta in 0.01f32..0.3, kappa in 0f32..0.2) {
        let rule = ScaleFreeMomentum { eta, kappa, ..ScaleFreeMomentum::new() };
        assert_follows(&rule, &mut Momentum { rule, layers: layers() }, &run)?;
    }

    #[test]
    fn the_learned_rule_follows_its_formula(run in runs(), weights in vec(-0.5f32..0.5, 18), size in -1.5f32..-0.5) {
        let mut weights = weights;
        // A direction that says something, and steps that stay short.
        (weights[0], weights[1], weights[11]) = (weights[0] + 1.0, weights[1] + 1.0, size);
        let (rule, wide) = learned::<LearnedScaleFree>(&weights);
        let losses = Losses::default();
        assert_follows(&rule, &mut Learnt { weights: wide, layers: layers(), losses, progress: 0.0 }, &run)?;
    }

    #[test]
    fn the_lean_rule_follows_its_formula(run in runs(), weights in vec(-0.5f32..0.5, 10), size in -1.5f32..-0.5) {
        let mut weights = weights;
        (weights[0], weights[4]) = (weights[0] + 0.5, size);
        let (rule, wide) = learned::<LeanScaleFree>(&weights);
        let losses = Losses::default();
        assert_follows(&rule, &mut Lean { weights: wide, layers: layers(), losses, progress: 0.0 }, &run)?;
    }

    /// The loss in another unit, by a power of two: the same bits of the same parameters.
    #[test]
    fn the_unit_of_the_loss_changes_no_bit(run in runs(), power in -20i32..20) {
        let factor = 2f32.powi(power);
        prop_assert!(same_run(&ScaleFree::new(), &run, factor, [1.0; 2]));
        prop_assert!(same_run(&ScaleFreeMomentum::new(), &run, factor, [1.0; 2]));
        prop_assert!(same_run(&LearnedScaleFree::hand_made(), &run, factor, [1.0; 2]));
        prop_assert!(same_run(&LeanScaleFree::hand_made(), &run, factor, [1.0; 2]));
    }

    /// A layer's weights in another unit, its gradients in the inverse one: the same bits, in that unit.
    #[test]
    fn the_unit_of_a_layer_changes_no_bit(run in runs(), powers in [-6i32..6, -6..6]) {
        let factors = powers.map(|power| 2f32.powi(power));
        prop_assert!(same_run(&ScaleFree::new(), &run, 1.0, factors));
        prop_assert!(same_run(&ScaleFreeMomentum::new(), &run, 1.0, factors));
        prop_assert!(same_run(&LearnedScaleFree::hand_made(), &run, 1.0, factors));
        prop_assert!(same_run(&LeanScaleFree::hand_made(), &run, 1.0, factors));
    }

    /// Whatever the weights of the learned rules, and whatever the gradients, no number moves by more than 16 times what
    /// its layer's were at the start, and its decay.
    #[test]
    fn a_learned_step_is_bounded(
        run in runs(),
        weights in vec(-30f32..30.0, 18),
        scale in prop_oneof![Just(1e-30f32), Just(1e30), Just(1.0)],
    ) {
        let full = learned::<LearnedScaleFree>(&weights).0;
        let lean = learned::<LeanScaleFree>(&weights[..10]).0;
        prop_assert!(longest_step(&full, &run, scale) <= 1.001 * (16.0 + 4.0 * 0.1 * weights[17].max(0.0)));
        prop_assert!(longest_step(&lean, &run, scale) <= 1.001 * (16.0 + 4.0 * 0.1 * weights[9].max(0.0)));
    }

    /// NGN on Adam's metric does not depend on the unit of the loss or of a layer, but for rounding.
    #[test]
    fn units_do_not_matter_to_ngn(run in runs(), power in -20i32..20, powers in [-6i32..6, -6..6]) {
        let rule = Ngn::new();
        let units = [(1.0, [1.0; 2]), (2f32.powi(power), powers.map(|power| 2f32.powi(power)))];
        let paths = units.map(|(factor, units)| path(&rule, &run, factor, units));
        for (a, b) in paths[0].iter().zip(&paths[1]) {
            prop_assert!((a - b).abs() <= 1e-5 * a.abs().max(0.1), "{a} {b}");
        }
    }

    /// On a convex loss whose minimum is 0 no step of plain NGN moves away from a minimiser, whatever sigma: least squares of
    /// any curvature with examples that agree, one example a step.
    #[test]
    fn plain_ngn_never_moves_away(
        examples in vec([-30f32..30.0, -30f32..30.0, -30f32..30.0], 1..20),
        solution in [-2f32..2.0, -2f32..2.0, -2f32..2.0],
        start in [-5f32..5.0, -5f32..5.0, -5f32..5.0],
        log_sigma in -6f32..12.0,
    ) {
        let rule = PlainNgn::new(log_sigma.exp2());
        let (mut w, mut state) = (start, rule.state(&start));
        for x in &examples {
            let residual: f64 = (0..3).map(|i| f64::from(x[i]) * (f64::from(w[i]) - f64::from(solution[i]))).sum();
            let (loss, before) = (0.5 * residual * residual, distance(&w, &solution));
            let gradient: [f32; 3] = std::array::from_fn(|i| (f64::from(x[i]) * residual) as f32);
            rule.step(&mut state, &mut w, &gradient, loss as f32, &mut NoProbe);
            let after = distance(&w, &solution);
            prop_assert!(after <= before + 1e-5 * (1.0 + before), "{before} {after}");
        }
    }
}

fn distance(a: &[f32; 3], b: &[f32; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

fn same_run<R: Rule>(rule: &R, run: &Steps, loss_factor: f32, units: [f32; 2]) -> bool {
    bits::patterns(&path(rule, run, 1.0, [1.0; 2])) == bits::patterns(&path(rule, run, loss_factor, units))
}

/// The longest move of a number in a run, as a multiple of its layer's rho or of itself, whichever is more; gradients are
/// multiplied by a scale.
fn longest_step<R: Rule>(rule: &R, (start, steps): &Steps, scale: f32) -> f32 {
    let mut w = params(start);
    let mut state = rule.state(&w);
    let rho = [&w.0[..], &w.1[..]].map(|w| (w.iter().map(|w| w * w).sum::<f32>() / w.len() as f32).sqrt());
    let mut longest = 0f32;
    for (g, loss) in steps {
        let before = w;
        let mut gradient = params(g);
        gradient.0.iter_mut().chain(&mut gradient.1).for_each(|g| *g *= scale);
        rule.step(&mut state, &mut w, &gradient, *loss, &mut NoProbe);
        for (l, rho) in rho.iter().enumerate() {
            for (a, b) in before.tensor(l).iter().zip(w.tensor(l)) {
                let moved = (a - b).abs() / rho.max(a.abs());
                assert!(moved.is_finite(), "{a} {b}");
                longest = longest.max(moved);
            }
        }
    }
    longest
}

/// A gradient of zeros moves nothing and spoils nothing; one huge gradient is forgotten again.
#[test]
fn zero_and_huge_gradients_are_survived() {
    fn check<R: Rule>(name: &str, rule: &R) {
        let start = params(&[0.5; 12]);
        let (mut w, mut state) = (start, rule.state(&start));
        rule.step(&mut state, &mut w, &params(&[0.0; 12]), 0.7, &mut NoProbe);
        assert_eq!(w, start, "{name}");
        rule.step(&mut state, &mut w, &params(&[3e38; 12]), 0.7, &mut NoProbe);
        assert!(w.is_finite() && state.is_finite(), "{name}: {w:?}");
        let far = w;
        for i in 0..4000 {
            let g = if i % 2 == 0 { 1.0 } else { 0.5 };
            rule.step(&mut state, &mut w, &params(&[g; 12]), 0.7, &mut NoProbe);
        }
        assert!(w.is_finite() && state.is_finite(), "{name}: {w:?}");
        assert!(w.0[0] < far.0[0], "{name}: it still learns, {w:?}");
    }
    check("scale-free", &ScaleFree::new());
    check("ngn", &Ngn { beta2: 0.9, ..Ngn::new() });
    check("learned", &LearnedScaleFree::hand_made());
    check("lean", &LeanScaleFree::hand_made());
}

/// Ngn by hand, first step: rho = 2 and v' = g^2, so that D = |g| / 2, g / D = 2 sign g and the sum of g^2 / D is 4 + 8 + 2 =
/// 14. With sigma = 1 and f = 7, e = 1 / (1 + 14 / 14) = 1/2; with beta = 1/2, q = -sign g / 2 and the step is q / 2 - sign g /
/// 2 = -3/4 sign g. A loss of zero is no step, and q falls by half.
#[test]
fn ngn_by_hand() {
    let rule = Ngn { sigma: 1.0, beta: 0.5, beta2: 0.75 };
    let (mut w, mut state) = ([2.0f32, -2.0, 2.0], rule.state(&[0.0; 3]));
    rule.step(&mut state, &mut w, &[2.0, -4.0, 1.0], 7.0, &mut NoProbe);
    let close = |got: [f32; 3], due: [f32; 3]| got.iter().zip(due).all(|(got, due)| (got - due).abs() < 1e-5);
    assert!(close(w, [1.25, -1.25, 1.25]), "{w:?}");
    assert!(close(state.slots.slots[0], [-0.5, 0.5, -0.5]), "{state:?}");
    rule.step(&mut state, &mut w, &[2.0, -4.0, 1.0], 0.0, &mut NoProbe);
    assert!(close(w, [1.125, -1.125, 1.125]), "{w:?}");
}

/// A layer of zeros counts as large as weights usually begin: 1 / sqrt(4) with 8 weights and 2 biases, 1 where there is one
/// tensor. The first step of a rule with sigma so small that e = sigma shows it.
#[test]
fn a_layer_of_zeros_moves() {
    let rule = Ngn { sigma: 1e-3, beta: 0.0, beta2: 0.5 };
    let net = Mlp::<Fixed<Dense<4, 2>, 1>>::new(Fixed::new(), Loss::CrossEntropy);
    let (mut dense, mut ones) = (net.blank_params(), net.blank_params());
    let mut state = rule.state(&dense);
    ones.fill(1.0);
    rule.step(&mut state, &mut dense, &ones, 1e6, &mut NoProbe);
    assert!(dense.tensor(0).iter().all(|w| (w + 0.5e-3).abs() < 1e-8), "{dense:?}");
    let mut single = [0.0f32; 3];
    let mut state = rule.state(&single);
    rule.step(&mut state, &mut single, &[1.0; 3], 1e6, &mut NoProbe);
    assert!(single.iter().all(|w| (w + 1e-3).abs() < 1e-8), "{single:?}");
}

/// sigma / (1 + sigma |g|^2 / (2 f)) with |g|^2 = 21, f = 21/2, sigma = 1 is 1/2; without a positive, finite loss it is 0.
#[test]
fn plain_ngn_by_hand() {
    let rule = PlainNgn::new(1.0);
    let start = [1.0f32, 2.0, 3.0];
    let after = |loss| {
        let (mut w, mut state) = (start, rule.state(&start));
        rule.step(&mut state, &mut w, &[2.0, -4.0, 1.0], loss, &mut NoProbe);
        w
    };
    assert_eq!(after(10.5), [0.0, 4.0, 2.5]);
    for loss in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(after(loss), start, "{loss}");
    }
}

/// ScaleFree by hand, first step: all |d| are equal, so each number of a layer moves by eta rho: 1/2 sqrt((1 + 49) / 2) =
/// 5/2 in the first layer, 1/2 3 in the second.
#[test]
fn scale_free_by_hand() {
    let rule = ScaleFree { eta: 0.5, ..ScaleFree::new() };
    let mut w = ([1.0f32, 7.0], [3.0f32]);
    let mut state = rule.state(&w);
    rule.step(&mut state, &mut w, &([2.0, -4.0], [1.0]), 1.0, &mut NoProbe);
    assert!((w.0[0] + 1.5).abs() < 1e-5 && (w.0[1] - 9.5).abs() < 1e-5 && (w.1[0] - 1.5).abs() < 1e-5, "{w:?}");
}

#[test]
fn hand_made_weights_survive_a_file() {
    let mut file = [0; LearnedScaleFree::FILE_LEN];
    let rule = LearnedScaleFree::hand_made();
    assert_eq!(LearnedScaleFree::read_file(rule.write_file(&mut file).unwrap()), Ok(rule));
    let mut file = [0; LeanScaleFree::FILE_LEN];
    let rule = LeanScaleFree::hand_made();
    assert_eq!(LeanScaleFree::read_file(rule.write_file(&mut file).unwrap()), Ok(rule));
    assert_eq!((LearnedScaleFree::FILE_LEN, LeanScaleFree::FILE_LEN), (88, 56));
}

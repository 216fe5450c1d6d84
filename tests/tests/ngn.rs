//! Ngn and its learned form: against double precision, against each other, and what does not matter to them.

use lgl2o::checkpoint::{Buffer, Persist};
use lgl2o::learned::{self, LeanScaleFree, Learned, LearnedNgn, LearnedScaleFree};
use lgl2o::math::{exp2_linear, log2_linear};
use lgl2o::rule::{Ngn, NoProbe, PlainNgn, Rule, RuleState, ScaleFree, ScaleFreeMomentum};
use lgl2o::tensors::Tensors;
use lgl2o_tests::layers::{Steps, Two, params, path, runs};
use lgl2o_tests::{bits, cases};
use proptest::collection::vec;
use proptest::prelude::*;

fn exp2(x: f64) -> f64 {
    f64::from(exp2_linear(x as f32))
}

fn log2(x: f64) -> f64 {
    f64::from(log2_linear(x as f32))
}

fn log_ratio(x: f64) -> f64 {
    log2(x.max(1e-9)).clamp(-10.0, 2.0)
}

fn sum(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// What the learned rule remembers of a layer, in double precision.
#[derive(Clone, Default)]
struct Layer {
    v: Vec<f64>,
    q: Vec<f64>,
    rho: f64,
    s: f64,
    last: f64,
}

/// The learned rule in double precision, after the formula in its module.
struct Reference {
    weights: [f64; 16],
    layers: [Layer; 2],
    /// The first loss, and the mean of losses.
    losses: [f64; 2],
}

impl Reference {
    fn new(weights: &[f32]) -> Self {
        Self { weights: std::array::from_fn(|i| f64::from(weights[i])), layers: Default::default(), losses: [0.0; 2] }
    }

    fn step(&mut self, w: &mut [Vec<f64>; 2], g: &[Vec<f64>; 2], t: i32, f: f64) {
        let [size, bound, power, mean, square, keep, look, gains @ .., fall, fast, drift, leak, decay] = self.weights;
        let gains: [f64; 4] = gains;
        let sigma = exp2(5.0 * size);
        let fresh = exp2(-5.0 * mean.clamp(0.1, 2.0));
        let beta2 = 1.0 - exp2(-5.0 * square.clamp(0.2, 2.6));
        let mut x: [Vec<f64>; 2] = Default::default();
        let (mut decrease, mut own) = (0.0, [0.0; 2]);
        for l in 0..2 {
            let layer = &mut self.layers[l];
            if t == 1 {
                layer.rho = (sum(&w[l], &w[l]) / w[l].len() as f64).sqrt().max(f64::from(1e-3f32));
                (layer.v, layer.q) = (vec![0.0; w[l].len()], vec![0.0; w[l].len()]);
            }
            let root = (1.0 - beta2.powi(t)).sqrt();
            layer.v.iter_mut().zip(&g[l]).for_each(|(v, g)| *v = beta2 * *v + (1.0 - beta2) * g * g);
            x[l] = layer.v.iter().zip(&g[l]).map(|(v, g)| g * root / v.sqrt()).collect();
            decrease += layer.rho.powf(power) * sum(&g[l], &x[l]);
            let [xx, qq] = [sum(&x[l], &x[l]), sum(&layer.q, &layer.q)];
            let cosine = if qq > 0.0 { -sum(&x[l], &layer.q) / (xx * qq).sqrt() } else { 0.0 };
            let kept = (1.0 - 0.01 * leak.max(0.0)) * layer.s;
            layer.s = (kept + 0.5 * fast * cosine + 0.1 * drift).clamp(-4.0, 4.0);
            let moved = layer.last * xx.sqrt();
            let agree = if moved > 0.0 { 0.25 * (log_ratio(qq.sqrt() / moved) + 1.5) } else { 0.0 };
            own[l] = gains[2] * agree + gains[3] * 0.25 * (log2(w[l].len() as f64) - 9.0);
        }
        let e = sigma / (1.0 + sigma * decrease / (exp2(5.0 * bound) * f));
        if t == 1 {
            self.losses[0] = f;
        }
        self.losses[1] = 0.95 * self.losses[1] + 0.05 * f;
        let progress = 0.25 * log_ratio(self.losses[1] / (1.0 - 0.95f64.powi(t)) / self.losses[0]);
        let shared = gains[0] * progress + gains[1] * 0.25 * log_ratio(e / sigma);
        let fallen = log2(1.0 + fall.max(0.0) * f64::from(t) / 100.0);
        for l in 0..2 {
            let layer = &mut self.layers[l];
            let factor = exp2((2.0 * (shared + own[l]) + layer.s - 0.5 * fallen).clamp(-10.0, 4.0));
            layer.last = factor * e * layer.rho.powf(power);
            for ((w, q), x) in w[l].iter_mut().zip(&mut layer.q).zip(&x[l]) {
                let p = layer.last * x;
                *q = (1.0 - fresh) * *q - fresh * p;
                *w += keep * *q - look * p - 0.01 * decay.max(0.0) * e * *w;
            }
        }
    }
}

/// Weights about those of the hand-made rule.
fn weights() -> impl Strategy<Value = Vec<f32>> {
    vec(-0.4f32..0.4, 16).prop_map(|about| {
        let mut weights = [0.0; 16];
        LearnedNgn::hand_made().write_weights(&mut weights);
        // A power other than 1 takes straight lines within an octave twice.
        weights.iter().zip(about).enumerate().map(|(i, (w, a))| if i == 2 { *w } else { w + a }).collect()
    })
}

/// Whether two paths are one but for rounding.
fn close(a: &[f32], b: &[f32], tolerance: f32) -> Result<(), TestCaseError> {
    for (a, b) in a.iter().zip(b) {
        prop_assert!((a - b).abs() <= tolerance * a.abs().max(0.1), "{a} {b}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases!(400, "ngn"))]

    #[test]
    fn the_learned_rule_follows_its_formula(run in runs(), weights in weights()) {
        let rule = LearnedNgn::from_weights(&weights).expect("sixteen");
        let mut reference = Reference::new(&weights);
        let mut w = params(&run.0);
        let wide = |two: &Two| [&two.0[..], &two.1[..]].map(|x| x.iter().map(|x| f64::from(*x)).collect::<Vec<f64>>());
        let (mut expected, mut state, mut observed) = (wide(&w), rule.state(&w), rule.state(&w));
        for (t, (g, loss)) in (1..).zip(&run.1) {
            let g = params(g);
            rule.observe(&mut observed, &w, &g, *loss);
            rule.step(&mut state, &mut w, &g, *loss, &mut NoProbe);
            reference.step(&mut expected, &wide(&g), t, f64::from(*loss));
            for (got, due) in wide(&w).concat().iter().zip(expected.concat()) {
                prop_assert!((got - due).abs() < 1e-3 * due.abs().max(0.1), "step {t}: {got} where {due} is due");
            }
        }
        prop_assert!(state.is_finite());
        // What was observed is what stepping saw, and goes on alike.
        let [a, b] = [&mut state, &mut observed].map(|state| {
            let mut w = w;
            rule.step(state, &mut w, &params(&run.0), 1.0, &mut NoProbe);
            bits::of(&w)
        });
        prop_assert!(a == b, "observing is not what stepping does");
    }

    /// The hand-made weights are Ngn with its own constants, but for rounding.
    #[test]
    fn the_hand_made_weights_are_ngn(run in runs()) {
        let [learned, plain] = [
            path(&LearnedNgn::hand_made(), &run, 1.0, [1.0; 2]),
            path(&Ngn::new(), &run, 1.0, [1.0; 2]),
        ];
        close(&learned, &plain, 1e-3)?;
    }

    /// The unit of the loss does not matter to any weights, that of a layer not to those that take steps in proportion to it.
    #[test]
    fn units_do_not_matter(run in runs(), weights in weights(), power in -20i32..20, powers in [-6i32..6, -6..6]) {
        let (factor, units) = (2f32.powi(power), powers.map(|power| 2f32.powi(power)));
        let of_any = LearnedNgn::from_weights(&weights).expect("sixteen");
        close(&path(&of_any, &run, 1.0, [1.0; 2]), &path(&of_any, &run, factor, [1.0; 2]), 1e-3)?;
        close(&path(&of_any, &run, 1.0, [1.0; 2]), &path(&of_any, &run, factor, units), 1e-3)?;
        close(&path(&Ngn::new(), &run, 1.0, [1.0; 2]), &path(&Ngn::new(), &run, factor, units), 1e-3)?;
    }

    /// Whatever the weights, the losses and the gradients are, the parameters stay finite for a while.
    #[test]
    fn nothing_breaks_it(
        run in runs(),
        weights in vec(-3f32..3.0, 16),
        scale in prop_oneof![Just(1e-30f32), Just(1e30), Just(1.0)],
        loss in prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(0.0f32), Just(-1.0), Just(1e-38), Just(1e38)],
    ) {
        survives(&LearnedNgn::from_weights(&weights).expect("sixteen"), &run, scale, loss)?;
        for beta2 in [0.0, 0.99, 0.999, 0.9999] {
            survives(&Ngn { beta2, ..Ngn::new() }, &run, scale, loss)?;
        }
        survives(&PlainNgn::new(1.0), &run, scale, loss)?;
    }
}

/// Parameters and state stay finite along a run whose gradients are multiplied by a scale and whose every other loss is
/// replaced.
fn survives<R: Rule>(rule: &R, run: &Steps, scale: f32, loss: f32) -> Result<(), TestCaseError> {
    let mut w = params(&run.0);
    let mut state = rule.state(&w);
    for (i, (g, usual)) in run.1.iter().enumerate() {
        let mut g = params(g);
        g.0.iter_mut().chain(&mut g.1).for_each(|g| *g *= scale);
        rule.step(&mut state, &mut w, &g, if i % 2 == 0 { *usual } else { loss }, &mut NoProbe);
        prop_assert!(w.is_finite() && state.is_finite(), "{w:?}");
    }
    Ok(())
}

/// The bytes of a state in a checkpoint.
fn saved(state: &impl Persist) -> Vec<u8> {
    let mut bytes = [0; 1024];
    let mut buffer = Buffer::new(&mut bytes);
    state.save(&mut buffer).expect("it fits");
    buffer.written().to_vec()
}

/// The laws of states, for the rules that look at layers: observing is what stepping does, a copy is equal, and reset is the
/// beginning.
#[test]
fn observing_resetting_and_copying() {
    fn check<R: Rule<State<Two>: Persist>>(name: &str, rule: &R) {
        let mut w = params(&[0.5; 12]);
        let [mut stepped, mut observed, mut copy] = [(); 3].map(|()| rule.state(&w));
        let fresh = saved(&copy);
        assert!(fresh.iter().all(|byte| *byte == 0), "{name}: a state begins with zeros");
        for i in 1..6u8 {
            let g = params(&std::array::from_fn::<f32, 12, _>(|k| f32::from(i) - 0.37 * k as f32));
            rule.observe(&mut observed, &w, &g, 1.0 / f32::from(i));
            rule.step(&mut stepped, &mut w, &g, 1.0 / f32::from(i), &mut NoProbe);
            assert_eq!(saved(&stepped), saved(&observed), "{name}, step {i}");
        }
        copy.copy_from(&stepped);
        assert_eq!(saved(&copy), saved(&stepped), "{name}");
        stepped.reset();
        assert_eq!(saved(&stepped), fresh, "{name}");
    }
    check("ngn", &Ngn::new());
    check("learned ngn", learned::ngn());
    check("scale-free", &ScaleFree::new());
    check("scale-free momentum", &ScaleFreeMomentum::new());
    check("lean scale-free", &LeanScaleFree::hand_made());
    check("learned scale-free", &LearnedScaleFree::hand_made());
}

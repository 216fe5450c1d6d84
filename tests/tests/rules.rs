//! The hand-designed update rules against numbers computed by hand, and what every rule owes its state.
//!
//! Three steps each, on two tensors: w = ([1, 2], [3]). Settings and gradients are short binary fractions where the
//! rule allows it, so that f32 must give the numbers exactly. `rules_f64.rs` compares over random gradients.

use std::any::type_name;
use std::fmt::Debug;

use lgl2o::tensors::{Tensors, Zeroed};
use lgl2o_tests::every_rule::*;
use lgl2o_tests::{bits, every_rule};

type Pair = ([f32; 2], [f32; 1]);

const START: Pair = ([1.0, 2.0], [3.0]);
/// The gradients of the rules without division.
const GRADIENTS: [Pair; 3] = [([2.0, -4.0], [1.0]), ([1.0, 0.0], [-2.0]), ([4.0, 2.0], [0.5])];

/// The parameters after each step.
fn path<R: Rule>(rule: &R, gradients: [Pair; 3]) -> [Pair; 3] {
    let (mut w, mut state) = (START, rule.state(&START));
    gradients.map(|gradient| {
        rule.step(&mut state, &mut w, &gradient, 0.0, &mut NoProbe);
        w
    })
}

fn assert_close(path: [Pair; 3], expected: [Pair; 3]) {
    for (got, expected) in path.iter().zip(&expected) {
        let error = got.squared_distance(expected).sqrt();
        assert!(error < 1e-6, "{got:?} where {expected:?} is due");
    }
}

/// w - rate g at rate 1/2: 1 - 1, 2 + 2, 3 - 1/2; then 0 - 1/2, 4 - 0, 5/2 + 1; then -1/2 - 2, 4 - 1, 7/2 - 1/4.
#[test]
fn gradient_descent() {
    let expected = [([0.0, 4.0], [2.5]), ([-0.5, 4.0], [3.5]), ([-2.5, 3.0], [3.25])];
    assert_eq!(path(&Sgd::new(0.5), GRADIENTS), expected);
}

/// Rates c / (i0 + i) with c = 3/2, i0 = 2, i = 0, 1, 2 are 3/4, 1/2, 3/8: 1 - 3/2, 2 + 3, 3 - 3/4; then -1/2 - 1/2,
/// 5 - 0, 9/4 + 1; then -1 - 3/2, 5 - 3/4, 13/4 - 3/16.
#[test]
fn gradient_descent_with_a_falling_rate() {
    let expected = [([-0.5, 5.0], [2.25]), ([-1.0, 5.0], [3.25]), ([-2.5, 4.25], [3.0625])];
    assert_eq!(path(&Sgd::new(Rate::Harmonic { c: 1.5, i0: 2.0 }), GRADIENTS), expected);
}

/// m <- m/2 + g: (2, -4, 1), then (1 + 1, -2 + 0, 1/2 - 2) = (2, -2, -3/2), then (1 + 4, -1 + 2, -3/4 + 1/2) =
/// (5, 1, -1/4); w <- w - m/2.
#[test]
fn heavy_ball() {
    let expected = [([0.0, 4.0], [2.5]), ([-1.0, 5.0], [3.25]), ([-3.5, 4.5], [3.375])];
    assert_eq!(path(&Momentum { beta: 0.5, ..Momentum::new(0.5) }, GRADIENTS), expected);
}

/// m as above; g + m/2: (3, -6, 3/2), then (2, -1, -11/4), then (13/2, 5/2, 3/8); w loses half of it.
#[test]
fn nesterov() {
    let expected = [([-0.5, 5.0], [2.25]), ([-1.5, 5.5], [3.625]), ([-4.75, 4.25], [3.4375])];
    assert_eq!(path(&Nesterov { beta: 0.5, ..Nesterov::new(0.5) }, GRADIENTS), expected);
}

/// v <- 3/4 v + 1/4 g^2: g = (2, -4, 1) gives v = (1, 4, 1/4), g = +-(1, -2, 1/2) keeps it there. w - 1/2 g / sqrt v:
/// g / sqrt v = (2, -2, 2), then (1, -1, 1), then (-1, 1, -1).
#[test]
fn rms_prop() {
    let gradients = [([2.0, -4.0], [1.0]), ([1.0, -2.0], [0.5]), ([-1.0, 2.0], [-0.5])];
    let expected = [([0.0, 3.0], [2.0]), ([-0.5, 3.5], [1.5]), ([0.0, 3.0], [2.0])];
    let rule = RmsProp { decay: 0.75, eps: 0.0, ..RmsProp::new(0.5) };
    assert_eq!(path(&rule, gradients), expected);
    // With eps = 1 the first denominators are 2, 3 and 3/2.
    let first = path(&RmsProp { eps: 1.0, ..rule }, gradients)[0];
    assert_close([first; 3], [([0.5, 2.666_666_7], [2.666_666_7]); 3]);
}

/// Gradients of Adam's tests: 2, 0, 0; -4, -4, -4; and 1, -1, 1.
const SIGNS: [Pair; 3] = [([2.0, -4.0], [1.0]), ([0.0, -4.0], [-1.0]), ([0.0, -4.0], [1.0])];

/// beta1 = 1/2, beta2 = 3/4, eps = 0, rate 1/2; m' / sqrt v' is
///
/// - first number: m = 1, 1/2, 1/4 over 1/2, 3/4, 7/8; v = 1, 3/4, 9/16 over 1/4, 7/16, 37/64. So 2 / sqrt 4 = 1,
///   (2/3) / sqrt(12/7) = 0.5091751, (2/7) / sqrt(36/37) = 0.2896553;
/// - second: a constant gradient has m' = g and v' = g^2, so -1 always;
/// - third: v' = 1 always; m = 1/2, -1/4, 3/8, so m' = 1, -1/3, 3/7.
#[test]
fn adam() {
    let rule = Adam { beta1: 0.5, beta2: 0.75, eps: 0.0, ..Adam::new(0.5) };
    let expected = [([0.5, 2.5], [2.5]), ([0.245_412_46, 3.0], [2.666_666_7]), ([0.100_584_82, 3.5], [2.452_381])];
    assert_close(path(&rule, SIGNS), expected);
}

/// As Adam, and with decay = 1/2 w loses 1/2 times 1/2 of itself: w <- 3/4 w - 1/2 m' / sqrt v'.
///
/// First: 3/4 - 1/2 = 1/4; 3/16 - 0.2545875 = -0.0670875; -0.0503157 - 0.1448276 = -0.1951433. Second: 2 is a fixed
/// point of 3/4 w + 1/2. Third: 9/4 - 1/2 = 7/4; 21/16 + 1/6 = 1.4791667; 1.109375 - 3/14 = 0.8950893.
#[test]
fn adam_with_decay() {
    let adam = Adam { beta1: 0.5, beta2: 0.75, eps: 0.0, ..Adam::new(0.5) };
    let expected = [([0.25, 2.0], [1.75]), ([-0.067_087_54, 2.0], [1.479_166_7]), ([-0.195_143_3, 2.0], [0.895_089_3])];
    assert_close(path(&AdamW { adam, decay: 0.5 }, SIGNS), expected);
}

/// As Adam's test; d = (m / (2 (1 - 2^-(t+1))) + g / (2 (1 - 2^-t))) / sqrt v' is
///
/// - first number: m = 1, 1/2, 1/4, so (2/3 + 2) / 2 = 4/3, (2/7) / sqrt(12/7), (2/15) / sqrt(36/37);
/// - second: m = -2, -3, -7/2, so (-4/3 - 4) / 4 = -4/3, (-12/7 - 8/3) / 4 = -23/21, (-28/15 - 16/7) / 4 = -1.0380952;
/// - third: m = 1/2, -1/4, 3/8, so 1/3 + 1 = 4/3, -1/7 - 2/3 = -17/21, 1/5 + 4/7 = 27/35.
#[test]
fn adam_with_nesterovs_momentum() {
    let adam = Adam { beta1: 0.5, beta2: 0.75, eps: 0.0, ..Adam::new(0.5) };
    let expected = [
        ([0.333_333_3, 2.666_666_7], [2.333_333_3]),
        ([0.224_224_4, 3.214_285_7], [2.738_095_2]),
        ([0.156_638_2, 3.733_333_3], [2.352_381]),
    ];
    assert_close(path(&NAdam { adam }, SIGNS), expected);
}

/// beta1 = 1/2, beta2 = 3/4, rate 1/2; c = m/2 + g/2 with m from before the step, and sign 0 = 0:
///
/// - first number, g = 2, -1, 0: m = 0, 1/2, 1/8; c = 1, -1/4, 1/16;
/// - second, g = -4, 1, 0: m = 0, -1, -1/2; c = -2, 0, -1/4;
/// - third, g = 0, 1, -1: m = 0, 0, 1/4; c = 0, 1/2, -3/8.
#[test]
fn lion() {
    let gradients = [([2.0, -4.0], [0.0]), ([-1.0, 1.0], [1.0]), ([0.0, 0.0], [-1.0])];
    let rule = Lion { beta1: 0.5, beta2: 0.75, ..Lion::new(0.5) };
    let expected = [([0.5, 2.5], [3.0]), ([1.0, 2.5], [2.5]), ([0.5, 3.0], [3.0])];
    assert_eq!(path(&rule, gradients), expected);
    // With decay 1/2, w <- 3/4 w - 1/2 sign c.
    let expected = [([0.25, 2.0], [2.25]), ([0.6875, 1.5], [1.1875]), ([0.015625, 1.625], [1.390_625])];
    assert_eq!(path(&Lion { decay: 0.5, ..rule }, gradients), expected);
}

/// A state of this file's parameters.
trait Known: RuleState + Zeroed + PartialEq + Debug {
    fn slots(&self) -> &[Pair];
    /// All numbers, bit for bit, and the count of steps. What a rule finds out by probing alone, its memo, stays out of it.
    fn numbers(&self) -> (Vec<Vec<u32>>, u32);
}

impl<const K: usize> Known for State<Pair, K> {
    fn slots(&self) -> &[Pair] {
        &self.slots
    }
    fn numbers(&self) -> (Vec<Vec<u32>>, u32) {
        (self.slots.iter().map(bits::of).collect(), self.steps)
    }
}

impl<L: Tensors + Zeroed + PartialEq + Debug, const K: usize, const J: usize> Known for LayeredState<Pair, L, K, J> {
    fn slots(&self) -> &[Pair] {
        &self.slots.slots
    }
    fn numbers(&self) -> (Vec<Vec<u32>>, u32) {
        let (mut all, steps) = self.slots.numbers();
        all.extend(self.layers.slots.iter().map(bits::of));
        (all, steps)
    }
}

/// Steps with ever other gradients, large, small and zero.
fn gradients() -> [Pair; 5] {
    core::array::from_fn(|i| {
        let x = (i as f32 - 1.5) * 10f32.powi(i as i32 - 2);
        ([x, -0.3 * x * x], [if i == 3 { 0.0 } else { 1e-3 * x }])
    })
}

/// `observe` takes a gradient in exactly as `step` does; `reset` is the beginning, which is all zero; `copy_from` is
/// `clone`.
fn assert_state_laws<R: Rule<State<Pair>: Known>>(rule: &R) {
    let name = type_name::<R>();
    let (mut w, fresh) = (START, rule.state(&START));
    assert_eq!(fresh, Zeroed::ZERO, "{name}: a state begins with zeros");
    let (mut stepped, mut observed) = (fresh.clone(), fresh.clone());
    for gradient in gradients() {
        let before = w;
        rule.step(&mut stepped, &mut w, &gradient, 0.5, &mut NoProbe);
        rule.observe(&mut observed, &before, &gradient, 0.5);
        assert_eq!(stepped.numbers(), observed.numbers(), "{name}: observing is not what stepping does");
    }
    assert_eq!(stepped.numbers().1, 5, "{name} counts");
    let mut copy = fresh.clone();
    copy.copy_from(&stepped);
    assert_eq!(copy, stepped, "{name} copies");
    stepped.reset();
    assert_eq!(stepped, fresh, "{name}: reset is the beginning");
}

macro_rules! assert_laws_of_states {
    ($($kind:ident { $($rule:expr => $($($field:ident).+ in $bad:expr),+;)+ })+) => {
        $($(assert_state_laws(&$rule);)+)+
    };
}

/// The laws of states, for every rule.
#[test]
fn observing_resetting_and_copying() {
    every_rule!(assert_laws_of_states);
    assert_state_laws(&Sgd::new(Rate::Harmonic { c: 1.0, i0: 1.0 }));
    assert_state_laws(&&PlainNgn::new(1.0));
}

/// All that a rule does on a path on which a guard keeps another candidate after each step; `told` says whether the rule
/// is told so.
fn moved_path<R: Rule>(rule: &R, told: bool) -> Vec<u32> {
    let (mut w, mut state) = (START, rule.state(&START));
    let mut all = vec![u32::from(rule.probes())];
    for gradient in GRADIENTS {
        all.extend(rule.gradient_point(&state).into_iter().flat_map(bits::of));
        rule.step(&mut state, &mut w, &gradient, 1.0, &mut Slope);
        all.extend(bits::of(&w));
        w.0[0] -= 0.25;
        if told {
            rule.moved(&mut state);
        }
    }
    all
}

/// A loss that falls with the first parameter.
struct Slope;

impl Probe<Pair> for Slope {
    fn loss(&mut self, params: &Pair) -> f32 {
        params.0[0]
    }
}

/// A rule behind a reference is the rule, with all that it tells a guard and is told by it.
#[test]
fn a_reference_is_the_rule() {
    let armijo = Armijo::new(1.0).unwrap();
    for told in [false, true] {
        assert_eq!(moved_path(&&armijo, told), moved_path(&armijo, told));
        let (adam, search) = (Adam::new(0.1).averaged(), armijo.averaged());
        assert_eq!(moved_path(&&adam, told), moved_path(&adam, told));
        assert_eq!(moved_path(&&search, told), moved_path(&search, told));
    }
    let adam = Adam::new(0.1).averaged();
    assert_ne!(moved_path(&adam, false), moved_path(&adam, true), "an averaged rule has to be told");
    assert_ne!(moved_path(&armijo, false)[0], moved_path(&adam, false)[0], "a search asks the probe");
}

/// Without a probe every loss is infinite, and a search finds no decrease.
#[test]
fn who_asks_without_a_probe_stands_still() {
    let (mut w, rule) = (START, Armijo::new(1.0).unwrap());
    rule.step(&mut rule.state(&START), &mut w, &GRADIENTS[0], 2.0, &mut NoProbe);
    assert_eq!(w, START);
}

/// A state with a NaN or an infinity anywhere says so.
#[test]
fn a_state_that_is_not_finite_is_noticed() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        let mut state = Adam::new(0.1).state(&START);
        assert!(state.is_finite());
        state.slots[1].1[0] = bad;
        assert!(!state.is_finite());
        let mut state = Armijo::new(1.0).unwrap().state(&START);
        state.memo = bad;
        assert!(!state.is_finite());
    }
}

/// The count of steps stays at its end, and rates and corrections stay finite there.
#[test]
fn the_count_of_steps_does_not_wrap() {
    let (mut w, rule) = (START, Adam::new(Rate::Harmonic { c: 1.0, i0: 1.0 }));
    let mut state = rule.state(&START);
    state.steps = u32::MAX - 1;
    for _ in 0..3 {
        rule.step(&mut state, &mut w, &GRADIENTS[0], 0.0, &mut NoProbe);
    }
    assert_eq!(state.steps, u32::MAX);
    assert!(w.is_finite());
}

/// A number of the gradient that is 0 from some step on, as that of a dead unit is, leaves no subnormal number in any slot.
fn settles<R: Rule<State<Pair>: Known>>(rule: &R) {
    let (name, mut w, mut state) = (type_name::<R>(), START, rule.state(&START));
    for i in 0..20_000 {
        let alive = if i % 2 == 0 { 1.0 } else { -0.5 };
        let gradient = if i < 3 { ([2.0, -4.0], [1.0]) } else { ([0.0, alive], [0.0]) };
        rule.step(&mut state, &mut w, &gradient, 1.0, &mut NoProbe);
        // While it falls from the least number that a sweep leaves, it stays a normal number.
        let numbers = state.slots().iter().flat_map(|(a, b)| a.iter().chain(b));
        let subnormal = numbers.copied().find(|x| x.is_subnormal());
        assert_eq!(subnormal, None, "{name}, step {i}");
    }
    let is_settled = |slot: &Pair| slot.0[0] == 0.0 && slot.0[1] != 0.0;
    assert!(state.slots().is_empty() || state.slots().iter().any(is_settled), "{name}: {:?}", state.slots());
}

/// The coordinatewise rules, but for those whose slots are packed.
macro_rules! assert_settled {
    (coordinatewise { $($rule:expr => $($($field:ident).+ in $bad:expr),+;)+ } $($others:tt)*) => {
        $(settles(&$rule);)+
    };
}

#[test]
fn no_slot_stays_subnormal() {
    every_rule!(assert_settled);
    settles(&Ngn::new());
    settles(&ScaleFree::new());
    settles(&ScaleFreeMomentum::new());
    settles(lgl2o::learned::lean());
    settles(lgl2o::learned::ngn());
}

/// The accumulators that change their sign with the gradients are means of gradients or steps. `velocities` names all of them and no
/// others: else a rotated rule would leave some behind where its bases turn.
fn names_its_velocities<R: Rule<State<Pair>: Known>>(rule: &R) {
    let observed = |sign: f32| {
        let mut state = rule.state(&START);
        for (weights, bias) in gradients() {
            rule.observe(&mut state, &START, &(weights.map(|x| sign * x), bias.map(|x| sign * x)), 1.0);
        }
        state
    };
    let (mut ahead, back) = (observed(1.0), observed(-1.0));
    let negated = |(weights, bias): &Pair| (weights.map(|x| -x), bias.map(|x| -x));
    let turned = |(slot, other): &(&Pair, &Pair)| **slot == negated(other) && slot != other;
    let odd: Vec<Pair> = ahead.slots().iter().zip(back.slots()).filter(turned).map(|(slot, _)| *slot).collect();
    assert_eq!(rule.velocities(&mut ahead), odd, "{}", type_name::<R>());
}

/// The rules whose slots are not packed: a packed mean cannot be turned.
macro_rules! assert_velocities {
    (coordinatewise { $($rule:expr => $($($field:ident).+ in $bad:expr),+;)+ }
     packed { $($packed:tt)* }
     other { $($other:expr => $($($more:ident).+ in $worse:expr),+;)+ }) => {
        $(names_its_velocities(&$rule);)+
        $(names_its_velocities(&$other);)+
    };
}

#[test]
fn every_rule_names_its_velocities() {
    every_rule!(assert_velocities);
    names_its_velocities(lgl2o::learned::lean());
    names_its_velocities(lgl2o::learned::ngn());
    names_its_velocities(&lgl2o::learned::LearnedScaleFree::hand_made());
}

/// A sweep leaves all other numbers as they are, and numbers that two 16-bit numbers are packed in.
#[test]
fn a_sweep_touches_small_numbers_alone() {
    let mut state = State::<Pair, 1> { slots: [([LEAST, 0.5 * LEAST], [-0.5 * LEAST])], steps: SWEEP - 2, memo: 0.0 };
    let before = state.slots;
    assert_eq!((state.count_and_sweep(), state.slots), (SWEEP - 1, before));
    assert_eq!((state.count_and_sweep(), state.slots), (SWEEP, [([LEAST, 0.0], [0.0])]));
    // With decay 0 the means are the gradient and its square, one of which is small.
    for gradient in [3e-20, 1e-37] {
        let rule = Adam16 { adam: Adam { beta1: 0.0, beta2: 0.0, ..Adam::new(0.0) } };
        let mut state = rule.state(&START);
        state.steps = SWEEP - 1;
        rule.step(&mut state, &mut START.clone(), &([gradient, 1.0], [1.0]), 0.0, &mut NoProbe);
        assert!(state.slots[0].0[0] != 0.0, "{gradient}");
    }
}

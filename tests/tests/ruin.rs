//! How a run ends whose learned side does harm, against the fallback alone: on networks with rectified, tanh and logistic units, with
//! inputs of one unit and with raw ones, whose scales and means are those of a product's sensors.

use lgl2o::batch::Batch;
use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, LossGuard, RelayGuard, Unguarded};
use lgl2o::objective::mlp::activation::Activate;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Network, Relu, Sigmoid, Tanh};
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{Averaged, Ngn, Probe, Sgd, State};
use lgl2o::source::{Sampler, Source};
use lgl2o::tensors::Tensors;
use lgl2o::{Error, Guard, Memory, Rng, Rule, Trainer, chain, math};
use lgl2o_tests::strategy::is_all;

const WIDTH: usize = 16;
const BATCH: usize = 16;
const STEPS: u64 = 1000;
const SEEDS: u64 = 10;

type Net<A> = Mlp<Fixed<chain![Dense<WIDTH, 16, A>, Dense<16, 4>], BATCH>>;

/// Four classes, each a mixture of three clouds that overlap.
struct Clouds {
    inputs: Vec<f32>,
    labels: Vec<u8>,
}

impl Clouds {
    fn new(raw: bool, spread: f32) -> Self {
        let (mut rng, mut inputs, mut labels) = (Rng::new(1), Vec::new(), Vec::new());
        let centres: [[f32; WIDTH]; 12] = std::array::from_fn(|_| std::array::from_fn(|_| rng.normal()));
        let units = std::array::from_fn(|_| (math::exp(2.0 * rng.normal()), 3.0 * rng.normal()));
        let units: [(f32, f32); WIDTH] = if raw { units } else { [(1.0, 0.0); WIDTH] };
        for _ in 0..64 * BATCH {
            let cloud = rng.below(12) as usize;
            inputs.extend(
                centres[cloud].iter().zip(units).map(|(c, (scale, mean))| scale * (c + spread * rng.normal() + mean)),
            );
            labels.push((cloud % 4) as u8);
        }
        Self { inputs, labels }
    }

    /// The loss of all examples after a run.
    fn end<N: Network>(&self, net: &Mlp<N>, guard: &impl Guard, seed: u64) -> f64
    where
        Mlp<N>: for<'a> Objective<Batch<'a> = Batch<'a>, Params = N::Params> + Blank,
    {
        let [end] = self.losses(net, guard, seed, [STEPS]);
        end
    }

    /// The loss of all examples after so many steps; infinite after an error.
    fn losses<N: Network, const K: usize>(&self, net: &Mlp<N>, guard: &impl Guard, seed: u64, at: [u64; K]) -> [f64; K]
    where
        Mlp<N>: for<'a> Objective<Batch<'a> = Batch<'a>, Params = N::Params> + Blank,
    {
        let mut memory = Memory::blank(net, guard);
        net.initialize(memory.params_mut(), &mut Rng::new(seed));
        let (mut pick, mut used) = ([0; BATCH], [0; 2 * BATCH]);
        let mut sampler = Sampler::new(&self.inputs, WIDTH, &self.labels, seed + 77, &mut pick, &mut used).unwrap();
        let mut trainer = Trainer::new(net, guard, &mut memory);
        at.map(|steps| {
            while trainer.progress().steps < steps {
                let left = (steps - trainer.progress().steps) as u32;
                if trainer.round(&mut Ending { inner: &mut sampler, left }).is_err() {
                    return f64::INFINITY;
                }
            }
            let parts = self.inputs.chunks(BATCH * WIDTH).zip(self.labels.chunks(BATCH));
            let losses = parts.map(|(x, y)| f64::from(trainer.loss(Batch::classes(x, WIDTH, y)).unwrap()));
            losses.sum::<f64>() * BATCH as f64 / self.labels.len() as f64
        })
    }
}

/// A source that knows how many steps a run has left.
struct Ending<'a, 'b> {
    inner: &'a mut Sampler<'b>,
    left: u32,
}

impl<O: for<'b> Objective<Batch<'b> = Batch<'b>>> Source<O> for Ending<'_, '_> {
    fn begin_round(&mut self) {
        Source::<O>::begin_round(self.inner);
    }
    fn room(&self) -> u32 {
        Source::<O>::room(self.inner)
    }
    fn left(&self) -> u32 {
        self.left
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        Source::<O>::train(self.inner)
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Source::<O>::check(self.inner)
    }
    fn objective(&mut self, i: usize) -> Result<Option<Batch<'_>>, Error> {
        Source::<O>::objective(self.inner, i)
    }
}

/// The geometric mean.
fn mean(ratios: &[f64]) -> f64 {
    (ratios.iter().map(|r| r.ln()).sum::<f64>() / ratios.len() as f64).exp()
}

/// Holds every adversary's mean against `most`; returns all ratios.
fn assert_means<G: Guard, N: Network>(
    what: &str,
    net: &Mlp<N>,
    raw: bool,
    guard: impl Fn(Adversary) -> G,
    most: f64,
) -> Vec<f64>
where
    Mlp<N>: for<'a> Objective<Batch<'a> = Batch<'a>, Params = N::Params> + Blank,
{
    let clouds = Clouds::new(raw, 1.4);
    let alone: Vec<f64> = (0..SEEDS).map(|s| clouds.end(net, &Unguarded::new(FALLBACK), s)).collect();
    let mut all = Vec::new();
    for learned in Adversary::ALL {
        let guard = guard(learned);
        let ends = (0..SEEDS).zip(&alone).map(|(seed, alone)| clouds.end(net, &guard, seed) / alone);
        let ratios: Vec<f64> = ends.collect();
        let worst = ratios.iter().fold(0.0, |a: f64, &b| a.max(b));
        println!("{what}, raw {raw}, {}: {:.3}, worst {worst:.2}", learned.name(), mean(&ratios));
        assert!(mean(&ratios) <= most, "{what}, raw {raw}, {}: {:.3}, worst {worst:.2}", learned.name(), mean(&ratios));
        all.extend(ratios);
    }
    all
}

const FALLBACK: Averaged<Ngn> = Averaged::new(Ngn::new());

fn net<A: Activate>() -> Net<A> {
    Mlp::new(Fixed::new(), Loss::CrossEntropy)
}

/// On each network and each kind of inputs, or without `LGL2O_DRAWS=all` on the first; prints what part of the runs ends
/// above the fallback alone.
fn assert_on_all<G: Guard>(what: &str, inputs: &[bool], guard: impl Fn(Adversary) -> G, most: f64) {
    let is_all = is_all();
    let mut all = Vec::new();
    for &raw in if is_all { inputs } else { &inputs[..1] } {
        all.extend(assert_means(&format!("{what}, relu"), &net::<Relu>(), raw, &guard, most));
        if is_all {
            all.extend(assert_means(&format!("{what}, tanh"), &net::<Tanh>(), raw, &guard, most));
            all.extend(assert_means(&format!("{what}, sigmoid"), &net::<Sigmoid>(), raw, &guard, most));
        }
    }
    let share = |bound: f64| 100.0 * all.iter().filter(|&&r| r > bound).count() as f64 / all.len() as f64;
    let worst = all.iter().fold(0.0, |a: f64, &b| a.max(b));
    println!(
        "{what}: {} runs, mean {:.3}, above 1.05: {:.1} %, above 1.5: {:.1} %, worst {worst:.2}",
        all.len(),
        mean(&all),
        share(1.05),
        share(1.5)
    );
}

/// The relay: no adversary's mean is above 1.2.
#[test]
fn the_relay_ends_where_its_fallback_does() {
    assert_on_all("relay", &[true, false], |learned| RelayGuard::new(learned, FALLBACK), 1.2);
}

/// Its lean form has no run of the fallback to return to: where weights are made larger, or units die, its checks see the harm too late. No
/// adversary's mean is above 2.
#[test]
fn the_lean_relay_ends_within_twice_its_fallback() {
    assert_means("lean relay", &net::<Relu>(), true, |learned| RelayGuard::new(learned, FALLBACK).lean(), 2.0);
}

/// The loss guard, on inputs of one unit: no mean is above 1.2. (On raw ones a network may ruin few examples so much that the mean
/// is theirs, and check batches that hold none of them do not see it.)
#[test]
fn the_loss_guard_ends_where_its_fallback_does() {
    assert_on_all("loss guard", &[false], |learned| LossGuard::new(learned, FALLBACK), 1.2);
}

/// The laws can fail: without a guard half of the adversaries ruin the run.
#[test]
fn unguarded_they_ruin_it() {
    let (clouds, net) = (Clouds::new(false, 1.4), net::<Relu>());
    let alone = clouds.end(&net, &Unguarded::new(FALLBACK), 0);
    let harmful = [Adversary::Creep, Adversary::RandomWalk, Adversary::Inflate, Adversary::Kill, Adversary::Shift];
    for learned in harmful {
        let end = clouds.end(&net, &Unguarded::new(learned), 0);
        assert!(end >= 1.5 * alone, "{learned:?}: {end} against {alone}");
    }
}

/// Small steps, then layers that are rescaled so that the network stays the same function.
#[derive(Debug, Clone, Copy)]
struct Rescale {
    after: u32,
    factor: f32,
}

impl Rule for Rescale {
    type State<P: Tensors> = State<P, 0>;
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }
    fn step<P: Tensors>(&self, state: &mut State<P, 0>, w: &mut P, g: &P, _: f32, _: &mut impl Probe<P>) {
        let steps = state.count();
        for i in 0..w.count() {
            for (w, &g) in w.tensor_mut(i).iter_mut().zip(g.tensor(i)) {
                match i {
                    _ if steps <= self.after => *w -= 0.3 * g,
                    0 | 1 => *w *= self.factor,
                    2 => *w /= self.factor,
                    _ => {}
                }
            }
        }
    }
    fn observe<P: Tensors>(&self, state: &mut State<P, 0>, _: &P, _: &P, _: f32) {
        state.count();
    }
}

/// Harm that shows in no loss: layers out of all proportion, where the fallback's steps are far too long. The run stands still
/// then, and ends about where it was before.
#[test]
fn harm_that_no_loss_shows_does_not_break_the_run() {
    let (clouds, net) = (Clouds::new(false, 1.2), net::<Relu>());
    for (factor, seed) in [1.005, 1.02, 1.1].into_iter().flat_map(|f| [1, 2, 3].map(|seed| (f, seed))) {
        let side = Rescale { after: 300, factor };
        let (guard, averaged) = (LossGuard::new(side, Sgd::new(0.1)), LossGuard::new(side.averaged(), Sgd::new(0.1)));
        let exact = LossGuard::paper(side, Sgd::new(0.1)).veto(true).decision(Decision::FullObjective);
        for found in [
            clouds.losses(&net, &guard, seed, [300, 6000]),
            clouds.losses(&net, &averaged, seed, [300, 6000]),
            clouds.losses(&net, &exact, seed, [300, 1000]),
        ] {
            println!("{factor} {seed}: {found:?}");
            assert!(found[1] < 1.5 * found[0], "{factor}, seed {seed}: {found:?}");
        }
    }
}

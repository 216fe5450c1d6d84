//! An update rule of your own: steps of one length along the sign of the gradient, alone and as the fallback of a guard.
use lgl2o::guard::{RelayGuard, Unguarded};
use lgl2o::objective::Quadratic;
use lgl2o::rule::{Probe, State};
use lgl2o::{Error, Memory, Rule, Trainer, learned, source::Exact, tensors::Tensors};

/// w <- w - rate sign(g)
struct SignDescent(f32);

impl Rule for SignDescent {
    type State<P: Tensors> = State<P, 0>; // no accumulators
    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }
    fn step<P: Tensors>(&self, state: &mut State<P, 0>, params: &mut P, g: &P, _: f32, _: &mut impl Probe<P>) {
        state.count();
        for i in 0..params.count() {
            params.tensor_mut(i).iter_mut().zip(g.tensor(i)).for_each(|(w, g)| *w -= self.0 * g.signum());
        }
    }
    /// Takes in a gradient as `step` does, and moves nothing.
    fn observe<P: Tensors>(&self, state: &mut State<P, 0>, _: &P, _: &P, _: f32) {
        state.count();
    }
}

fn main() -> Result<(), Error> {
    let bowl = Quadratic::new([1.0, 10.0], [3.0, -1.0])?;
    let alone = Unguarded::new(SignDescent(0.3));
    let guarded = RelayGuard::<_, _, 1>::new(learned::ngn().averaged(), SignDescent(0.3)).exact(true);
    let (mut memory, mut guarded_memory) = (Memory::new(), Memory::new());
    let (mut by_sign, mut relay) =
        (Trainer::new(&bowl, &alone, &mut memory), Trainer::new(&bowl, &guarded, &mut guarded_memory));
    while relay.progress().steps < 200 {
        by_sign.round(&mut Exact)?;
        relay.round(&mut Exact)?;
    }
    println!("alone: loss {:.4}; guarded: loss {:.4}", by_sign.loss(())?, relay.loss(())?);
    Ok(())
}

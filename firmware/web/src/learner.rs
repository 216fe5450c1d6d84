//! The built-in learned rule, with a switch that sabotages it.

use lgl2o::fault::Adversary;
use lgl2o::learned::{self, LearnedNgn};
use lgl2o::rule::{Averaged, Probe, Rule, RuleState as _};
use lgl2o::tensors::Tensors;

/// The learned side: that of `auto`, or in its place an adversary.
#[derive(Debug, Clone, Copy)]
pub struct Learner {
    honest: Averaged<&'static LearnedNgn>,
    sabotage: Option<Adversary>,
}

impl Learner {
    /// The built-in learned rule, averaged as in `auto`; or, sabotaged, the adversary.
    #[must_use]
    pub const fn new(sabotage: Option<Adversary>) -> Self {
        Self { honest: Averaged::new(learned::ngn()), sabotage }
    }
}

/// The state is the honest rule's. Sabotage resets it, so that the honest rule begins afresh from wherever the saboteur has left
/// the parameters.
impl Rule for Learner {
    type State<P: Tensors> = <Averaged<&'static LearnedNgn> as Rule>::State<P>;

    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        if self.sabotage.is_some() { None } else { self.honest.gradient_point(state) }
    }

    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.honest.moved(state);
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        self.honest.state(like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        match self.sabotage {
            None => self.honest.step(state, params, gradient, loss, probe),
            Some(adversary) => {
                // Those that the page offers remember nothing from one step to the next.
                adversary.step(&mut adversary.state(params), params, gradient, loss, probe);
                state.reset();
            }
        }
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        self.honest.observe(state, params, gradient, loss);
    }
}

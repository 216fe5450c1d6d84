//! Any update rule of the core, chosen at run time.

use std::sync::Arc;

use lgl2o::checkpoint::{Digest, Fingerprint, Origin, Persist, Sink};
use lgl2o::learned::{CoordinateLstm, LeanScaleFree, LearnedNgn, LearnedScaleFree, RecurrentState, RnnProp};
use lgl2o::rule::averaged::AveragedState;
use lgl2o::rule::rotated::RotatedState;
use lgl2o::rule::{self, Averaged, LayeredState, Probe, Rotated, Rule, RuleState, State};
use lgl2o::tensors::Tensors;
use lgl2o_vectors::Vectors;

use super::parts::Parts;

/// What goes before the name of a rule whose iterates are averaged.
pub const AVERAGED: &str = "avg-";

/// What goes before the name of a rule that moves in the eigenbases of the gradients' moments, after [`AVERAGED`].
pub const ROTATED: &str = "rot-";

/// Declares [`AnyRule`] and its dispatch: which rules there are, and which variant of [`AnyState`] each one's state is.
macro_rules! rules {
    ($($(#[$doc:meta])* $variant:ident($rule:ty) with $state:ident $({ $($hand_made:tt)* })?,)+) => {
        /// One of the core's rules.
        #[derive(Debug, Clone, PartialEq)]
        pub enum AnyRule {
            $($(#[$doc])* $variant($rule),)+
        }

        /// Calls a rule with the state of its own kind.
        macro_rules! each_rule {
            ($any:expr, $of:expr, ($r:ident, $s:ident) => $body:expr) => {
                match ($any, $of) {
                    $((AnyRule::$variant($r), AnyState::$state($s)) => $body,)+
                    _ => unreachable!("the state of another rule"),
                }
            };
        }

        /// Calls a rule, whichever it is.
        macro_rules! each_plain {
            ($any:expr, $r:ident => $body:expr) => {
                match $any {
                    $(AnyRule::$variant($r) => $body,)+
                }
            };
        }

        impl AnyRule {
            /// Fresh accumulators.
            fn begin<P: Tensors>(&self, like: &P) -> AnyState<P> {
                match self {
                    $(Self::$variant(rule) => AnyState::$state(rule.state(like).into()),)+
                }
            }
        }

        impl Fingerprint for AnyRule {
            fn describe(&self, digest: &mut Digest) {
                match self {
                    $(Self::$variant(rule) => rule.describe(digest),)+
                }
            }
        }
    };
}

/// The hand-designed rules: a variant of [`AnyRule`] with its state, and in braces its name in expressions, its number where they have
/// none, and, where that is no rate, the rule with that number. `rules!` has them all, and so has `hand_made`.
macro_rules! hand_designed {
    ($then:ident $($more:tt)*) => {
        $then! {
            /// Gradient descent.
            Sgd(rule::Sgd) with Zero { "sgd", Usual::Searched(&LARGE) },
            /// Heavy-ball momentum.
            Momentum(rule::Momentum) with One { "momentum", Usual::Searched(&MIDDLE) },
            /// Nesterov's momentum.
            Nesterov(rule::Nesterov) with One { "nesterov", Usual::Searched(&MIDDLE) },
            /// RMSProp.
            RmsProp(rule::RmsProp) with One { "rmsprop", Usual::Searched(&SMALL) },
            /// Adam.
            Adam(rule::Adam) with Two { "adam", Usual::Searched(&SMALL) },
            /// Adam with means of 16 bits.
            Adam16(rule::Adam16) with One { "adam16", Usual::Like("adam") },
            /// Adam with decoupled weight decay.
            AdamW(rule::AdamW) with Two { "adamw", Usual::Searched(&SMALL) },
            /// Adam with Nesterov's momentum.
            NAdam(rule::NAdam) with Two { "nadam", Usual::Like("adam") },
            /// Steps by the sign of a mean.
            Lion(rule::Lion) with One { "lion", Usual::Searched(&SMALLEST) },
            /// Gradient descent with backtracking from a largest rate.
            Armijo(rule::Armijo) with One { "armijo", Usual::Always(10.0), largest => {
                rule::Armijo::new(largest).map(AnyRule::Armijo).map_err(|error| error.to_string())
            } },
            /// Gradient descent with a non-negative Gauss-Newton rate.
            PlainNgn(rule::PlainNgn) with Zero { "plain-ngn", Usual::Always(3.0), sigma => {
                Ok(AnyRule::PlainNgn(rule::PlainNgn::new(sigma)))
            } },
            /// The same on Adam's metric, with momentum.
            Ngn(rule::Ngn) with Layered2Of3 { "ngn", Usual::Always(rule::Ngn::new().sigma), sigma => {
                Ok(AnyRule::Ngn(rule::Ngn { sigma, ..rule::Ngn::new() }))
            } },
            /// Steps that are a share of the initial weights.
            ScaleFree(rule::ScaleFree) with Layered2 { "scale-free", Usual::Always(rule::ScaleFree::new().eta), eta => {
                Ok(AnyRule::ScaleFree(rule::ScaleFree { eta, ..rule::ScaleFree::new() }))
            } },
            /// The same from one mean a parameter.
            ScaleFreeMomentum(rule::ScaleFreeMomentum) with Layered1 {
                "scale-free-momentum", Usual::Always(rule::ScaleFreeMomentum::new().eta), eta => {
                    Ok(AnyRule::ScaleFreeMomentum(rule::ScaleFreeMomentum { eta, ..rule::ScaleFreeMomentum::new() }))
                }
            },
            $($more)*
        }
    };
}
pub(super) use hand_designed;

hand_designed! {
    rules
    /// The learned form of NGN.
    LearnedNgn(Arc<LearnedNgn>) with Layered2Of3,
    /// The learned rule without a scale.
    LearnedScaleFree(Arc<LearnedScaleFree>) with Layered3,
    /// The same in less memory.
    LeanScaleFree(Arc<LeanScaleFree>) with Layered2,
    /// A coordinatewise LSTM with 8 units in a layer.
    Lstm8(Arc<CoordinateLstm<8>>) with Recurrent8,
    /// A coordinatewise LSTM with 20 units in a layer.
    Lstm20(Arc<CoordinateLstm<20>>) with Recurrent20,
    /// RNNProp with 8 units in a layer.
    RnnProp8(Arc<RnnProp<8>>) with Recurrent8,
    /// RNNProp with 20 units in a layer.
    RnnProp20(Arc<RnnProp<20>>) with Recurrent20,
    /// Any of these, whose iterates are averaged.
    Averaged(Box<Averaged<AnyRule>>) with Averaged,
    /// Any of them that is not averaged, in the eigenbases of the gradients' moments.
    Rotated(Box<Rotated<AnyRule>>) with Rotated,
}

/// Declares [`AnyState`] and its dispatch.
macro_rules! states {
    ($($(#[$doc:meta])* $variant:ident($state:ty),)+) => {
        /// The state of one of the core's rules.
        #[derive(Debug, Clone)]
        pub enum AnyState<P: Tensors> {
            $($(#[$doc])* $variant($state),)+
        }

        /// Evaluates an expression on whichever state is there.
        macro_rules! each_state {
            ($any:expr, $name:ident => $body:expr) => {
                match $any {
                    $(AnyState::$variant($name) => $body,)+
                }
            };
        }

        impl<P: Tensors> Persist for AnyState<P> {
            fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
                each_state!(self, state => state.save(sink))
            }
            fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
                each_state!(self, state => state.load(origin))
            }
        }

        impl<P: Tensors> RuleState for AnyState<P> {
            fn reset(&mut self) {
                each_state!(self, state => state.reset());
            }
            fn copy_from(&mut self, other: &Self) {
                match (self, other) {
                    $((Self::$variant(a), Self::$variant(b)) => a.copy_from(b),)+
                    _ => unreachable!("states of two different rules"),
                }
            }
            fn is_finite(&self) -> bool {
                each_state!(self, state => state.is_finite())
            }
        }
    };
}

states! {
    /// No accumulators.
    Zero(State<P, 0>),
    /// One slot.
    One(State<P, 1>),
    /// Two slots.
    Two(State<P, 2>),
    /// One slot, and two numbers for each layer.
    Layered1(LayeredState<P, P::Layers, 1, 2>),
    /// Two slots, and two numbers for each layer.
    Layered2(LayeredState<P, P::Layers, 2, 2>),
    /// Two slots, and three numbers for each layer.
    Layered2Of3(LayeredState<P, P::Layers, 2, 3>),
    /// Three slots, and two numbers for each layer.
    Layered3(LayeredState<P, P::Layers, 3, 2>),
    /// Two slots, and the cells of two layers of 8 units.
    Recurrent8(Box<RecurrentState<P, 8>>),
    /// Two slots, and the cells of two layers of 20 units.
    Recurrent20(Box<RecurrentState<P, 20>>),
    /// Another rule's state, and the front of an average.
    Averaged(Box<AveragedState<P, AnyState<P>>>),
    /// Another rule's state, and the bases.
    Rotated(Box<RotatedState<P, P::Bases, AnyState<P>>>),
}

impl<P: Tensors> Parts<P> for AnyState<P> {
    fn slot_list(&self) -> Vec<&P> {
        each_state!(self, state => state.slot_list())
    }
    fn slot_list_mut(&mut self) -> Vec<&mut P> {
        each_state!(self, state => state.slot_list_mut())
    }
    fn steps(&self) -> u32 {
        each_state!(self, state => state.steps())
    }
    fn numbers(&self) -> Vec<f32> {
        each_state!(self, state => state.numbers())
    }
    fn set_numbers(&mut self, steps: u32, numbers: &[f32]) -> bool {
        each_state!(self, state => state.set_numbers(steps, numbers))
    }
}

/// Any probe, behind a pointer, so that the steps of all rules are compiled once and not for each kind of probe.
struct AnyProbe<'a, P>(&'a mut dyn Probe<P>);

impl<P> Probe<P> for AnyProbe<'_, P> {
    fn loss(&mut self, params: &P) -> f32 {
        self.0.loss(params)
    }
}

impl AnyRule {
    /// [`Rule::step`], which is generic over the probe.
    #[inline(never)]
    fn step_by<P: Tensors>(
        &self,
        state: &mut AnyState<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut AnyProbe<'_, P>,
    ) {
        Vectors::new().run(
            #[inline(always)]
            || each_rule!(self, state, (rule, state) => rule.step(state, params, gradient, loss, probe)),
        );
    }
}

impl Rule for AnyRule {
    type State<P: Tensors> = AnyState<P>;

    fn check(&self) -> Result<(), lgl2o::Error> {
        each_plain!(self, rule => rule.check())
    }

    fn probes(&self) -> bool {
        each_plain!(self, rule => rule.probes())
    }

    fn has_gradient_point(&self) -> bool {
        each_plain!(self, rule => rule.has_gradient_point())
    }

    fn gradient_point<'s, P: Tensors>(&self, state: &'s AnyState<P>) -> Option<&'s P> {
        each_rule!(self, state, (rule, state) => rule.gradient_point(state))
    }

    fn moved<P: Tensors>(&self, state: &mut AnyState<P>) {
        each_rule!(self, state, (rule, state) => rule.moved(state));
    }

    fn shorten<P: Tensors>(&self, state: &mut AnyState<P>) {
        each_rule!(self, state, (rule, state) => rule.shorten(state));
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut AnyState<P>) -> &'s mut [P] {
        each_rule!(self, state, (rule, state) => rule.velocities(state))
    }

    fn state<P: Tensors>(&self, like: &P) -> AnyState<P> {
        self.begin(like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut AnyState<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        self.step_by(state, params, gradient, loss, &mut AnyProbe(probe));
    }

    fn observe<P: Tensors>(&self, state: &mut AnyState<P>, params: &P, gradient: &P, loss: f32) {
        each_rule!(self, state, (rule, state) => rule.observe(state, params, gradient, loss));
    }
}

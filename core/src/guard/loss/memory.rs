//! What a [`LossGuard`] keeps from one round to the next, and what of it a checkpoint holds.

use super::settings::LossGuard;
use crate::guard::Guard;
use crate::guard::points::{self, Back, Points};
use crate::guard::schedule::ScheduleState;
use crate::persist::{Origin, Persist, Sink};
use crate::tensors::{Tensors, Zeroed};

/// The parameters, the learned candidate and the fallback's; gradient, both rule states, and what the policy needs.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct LossMemory<P, L, F, E> {
    pub(super) points: Points<P, 3>,
    pub(super) gradient: P,
    pub(super) learned_state: L,
    pub(super) fallback_state: F,
    pub(super) extra: E,
    pub(super) rounds: u32,
    pub(super) schedule: ScheduleState,
}

impl<P: Zeroed, L: Zeroed, F: Zeroed, E: Zeroed> Zeroed for LossMemory<P, L, F, E> {
    const ZERO: Self = Self {
        points: Zeroed::ZERO,
        gradient: P::ZERO,
        learned_state: L::ZERO,
        fallback_state: F::ZERO,
        extra: E::ZERO,
        rounds: 0,
        schedule: ScheduleState::ZERO,
    };
}

/// Both rules' states, the count of rounds, the schedule, and the point to go back to; the rest is computed again in each round.
impl<P: Tensors, L: Persist, F: Persist, E> Persist for LossMemory<P, L, F, E> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.learned_state.save(sink)?;
        self.fallback_state.save(sink)?;
        self.rounds.save(sink)?;
        self.schedule.save(sink)?;
        save_points(&self.points, sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.learned_state.load(origin)?;
        self.fallback_state.load(origin)?;
        self.rounds.load(origin)?;
        self.schedule.load(origin)?;
        load_points(&mut self.points, origin)
    }
}

impl<P: Tensors, L, F, E> LossMemory<P, L, F, E> {
    /// Before a round: the fallback alone leaves the learned candidate's place to the point that it was left alone at; any
    /// other needs both.
    pub(super) fn hold(&mut self, alone: bool) {
        if alone && !self.points.back.alone {
            let [params, learned, _] = self.points.all_mut();
            learned.copy_from(params);
            self.points.back = Back { place: points::LEARNED as u8, alone };
        } else if !alone {
            self.points.back = Back::NONE;
        }
    }
}

#[cfg(feature = "fault")]
impl<P, L, F, E> LossMemory<P, L, F, E> {
    /// The learned rule's state, to be disturbed.
    pub const fn learned_state_mut(&mut self) -> &mut L {
        &mut self.learned_state
    }
}

/// The memory of a guard over parameters of type P.
pub(super) type MemoryOf<L, F, S, P> = <LossGuard<L, F, S> as Guard>::Memory<P>;

/// Writes the point to go back to, and whether there is one; the accepted point where there is none.
fn save_points<P: Tensors, S: Sink>(points: &Points<P, 3>, sink: &mut S) -> Result<(), S::Error> {
    let [accepted, learned, fallback] = points.all();
    (points.back.place > 0).save(sink)?;
    points.back.alone.save(sink)?;
    match usize::from(points.back.place) {
        points::LEARNED => learned.save(sink),
        points::FALLBACK => fallback.save(sink),
        _ => accepted.save(sink),
    }
}

/// Reads what [`save_points`] wrote; the point is put in the learned candidate's place.
fn load_points<P: Tensors, O: Origin>(points: &mut Points<P, 3>, origin: &mut O) -> Result<(), O::Error> {
    let mut is_held = points.back.place > 0;
    is_held.load(origin)?;
    points.back.alone.load(origin)?;
    points.back.place = if is_held { points::LEARNED as u8 } else { 0 };
    let [_, learned, _] = points.all_mut();
    learned.load(origin)
}

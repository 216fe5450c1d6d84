//! What guards promise, whatever the learned side does.
//!
//! - `alone`: who always loses leaves nothing behind: the run is the other side's alone, bit for bit.
//! - `adversaries`: whatever is proposed, parameters stay finite and no round ends above the fallback's candidate.
//! - `decisions`: each decision is the comparison that it is documented to be.
//! - `policies`: what a state policy makes of the loser's state.
//! - `rounds`: races, strides and the fallback alone: what each promises.
//! - `schedule`: how they follow each other, what they cost, and how often a loser is asked.
//! - `trust`: ties go to a learned side that has won the last race.
//! - `stay`: a model that must not get worse does not.
//! - `early_stop`: how often a comparison that stops early is wrong, and when it stops.
//! - `back`: a fallback that climbs is not followed.
//! - `afresh`: averages begin anew, and progress is the sum of the verdicts.
//! - `costs`: what a round costs, in gradients and forward passes.
//! - `errors`: what is wrong is said exactly, and changes nothing.
//! - `settings`: a rule that is out of range is refused.
//! - `relay`: the best checked point, a lost and a won race, the hand-over.
//! - `shorter`: when the relay asks its fallback for shorter steps.
//! - `lean`: the relay in less memory, and one memory for both states.
//! - `suspicion`: the relay takes up the fallback's own run, or leaves it.
//! - `residual`, `blend`: the two guards for comparison.

mod adversaries;
mod afresh;
mod alone;
mod back;
mod blend;
mod costs;
mod decisions;
mod early_stop;
mod errors;
mod lean;
mod policies;
mod relay;
mod residual;
mod rounds;
mod schedule;
mod settings;
mod shorter;
mod stay;
mod suspicion;
mod trust;

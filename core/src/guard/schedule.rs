//! When the two sides of a [`LossGuard`](super::LossGuard) meet, and who runs in between.
//!
//! A race (n_t steps of both sides, the paper's round) costs about two gradients a step, and most races end like the
//! one before. So the winner of a race goes on for a while without another race:
//!
//! ```text
//! race     n_t learned steps against n_t steps of the fallback
//! stride   k learned steps against ONE step of the fallback, for a learned side that is trusted
//! alone    one step of the fallback, for a learned side that is not
//! ```
//!
//! *Stride.* The fallback's one step is made from the first gradient of the round, which the learned side needed
//! anyway, so that a stride costs the check and nothing else (and one gradient, if the learned side is
//! [averaged](crate::rule::Averaged) and needs its own elsewhere). The round still ends no higher than a step of the
//! fallback from where it began: the per-round guarantee is that of n_t = 1. k doubles with every win up to a limit and
//! falls to 1 on a loss. The limit grows with the run (*stretch*), because k steps move the
//! parameters ever less as training converges.
//!
//! *Trust.* A learned side that has won a race is trusted until it loses one. Under a decision by margin a trusted side
//! is kept unless the other candidate, or where it began, is better by the margin: a tie changes nothing. See
//! [`LossGuard::trust`](super::LossGuard::trust).
//!
//! *Audit.* A learned side that descends, but slower than the fallback would, wins every stride. So strides are
//! interrupted by a race after a gap of steps. The gap doubles while races end alike, up to a limit, and is short again
//! after one that did not: a side that has become the slower one is found out after at most as many steps as it has
//! been trusted for. A lost stride is followed by a race at once.
//!
//! *Budget.* After a lost race the fallback goes on alone for the gap, which doubles with each further loss.
//!
//! A run begins with a race. With stride and budget off every round is one.

use crate::persist::{Digest, Fingerprint, Persist};

/// When races are, and who runs in between; settings of a [`LossGuard`](super::LossGuard).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// Most learned steps of a stride; 0 for no strides.
    pub stride: u32,
    /// What share of the steps so far a stride may be, 1 / `stretch`, where that is more; 0 for none.
    pub stretch: u32,
    /// Whether strides are interrupted by races.
    pub audits: bool,
    /// Whether the fallback goes on alone after a lost race.
    pub budget: bool,
    /// Shortest and longest gap between races, in steps.
    pub gaps: [u32; 2],
}

impl Schedule {
    /// Every round is a race.
    pub const RACES: Self = Self { stride: 0, stretch: 0, audits: true, budget: false, gaps: [80, 1280] };

    /// Most learned steps of a stride after so many steps.
    const fn longest_stride(&self, steps: u32) -> u32 {
        let stretched = match steps.checked_div(self.stretch) {
            Some(share) => share,
            None => 0,
        };
        if stretched > self.stride { stretched } else { self.stride }
    }

    /// Whether the settings are in range.
    pub(super) const fn is_valid(&self) -> bool {
        let [short, long] = self.gaps;
        short > 0 && short <= long && (self.audits || self.stride > 0)
    }
}

impl Fingerprint for Schedule {
    fn describe(&self, digest: &mut Digest) {
        let [short, long] = self.gaps;
        let words = [self.stride, self.stretch, u32::from(self.audits), u32::from(self.budget), short, long];
        words.iter().for_each(|&word| digest.word(word));
    }
}

/// What a round is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Round {
    /// n_t steps of both sides.
    Race,
    /// So many learned steps against one of the fallback.
    Stride(u32),
    /// One step of the fallback.
    Alone,
}

/// What is remembered from round to round; zero at the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub(super) struct ScheduleState {
    /// Whether anything has happened yet.
    begun: bool,
    /// Whether the learned side is trusted.
    trusted: bool,
    /// Whether the fallback was once caught climbing.
    suspects: bool,
    /// Learned steps of the next stride.
    k: u32,
    /// Steps between the last race and the next.
    gap: u32,
    /// How many of them are left.
    left: u32,
    /// Steps so far.
    steps: u32,
}

impl Persist for ScheduleState {
    crate::persist_fields!(begun, trusted, suspects, k, gap, left, steps);
}

impl ScheduleState {
    pub(super) const ZERO: Self =
        Self { begun: false, trusted: false, suspects: false, k: 0, gap: 0, left: 0, steps: 0 };

    /// What the next round is, with n_t steps to a race, if a round has room for so many training batches.
    pub(super) fn next(&mut self, schedule: &Schedule, train_batches: u32, room: u32) -> Round {
        let [shortest, _] = schedule.gaps;
        if !self.begun {
            *self = Self { begun: true, trusted: true, k: train_batches, gap: shortest, ..Self::ZERO };
        }
        if !self.trusted && self.left > 0 {
            return Round::Alone;
        }
        let race = schedule.stride == 0 || !self.trusted || self.left == 0;
        if schedule.audits && race {
            return Round::Race;
        }
        let mut k = if self.trusted { self.k } else { 1 };
        for most in [schedule.longest_stride(self.steps), room, if schedule.audits { self.left } else { u32::MAX }] {
            k = k.min(most);
        }
        Round::Stride(k.max(1))
    }

    /// Whether the learned side has won the last race.
    pub(super) const fn is_trusted(&self) -> bool {
        self.trusted && self.steps > 0
    }

    /// Whether the round is the last one of the fallback's time alone.
    pub(super) const fn ends_alone(&self) -> bool {
        self.left == 1
    }

    /// Whether the fallback was once caught climbing.
    pub(super) const fn suspects(&self) -> bool {
        self.suspects
    }

    /// Records whether the fallback was caught climbing.
    pub(super) const fn suspect(&mut self, climbs: bool) {
        self.suspects |= climbs;
    }

    /// Records that a round ended without a winner because the fallback was in trouble: that says nothing of the learned side.
    /// The learned side is asked again at once, and has to win a race to be trusted.
    pub(super) const fn ask_again(&mut self) {
        (self.trusted, self.k, self.left) = (false, 1, 0);
    }

    /// Records how a round ended: whether the learned side won, and how many steps the kept candidate has made.
    pub(super) fn settle(&mut self, schedule: &Schedule, round: Round, train_batches: u32, won: bool, steps: u32) {
        self.steps = self.steps.saturating_add(steps);
        match round {
            Round::Alone => self.left = self.left.saturating_sub(1),
            Round::Stride(k) if won => {
                self.trusted = true;
                self.k = self.k.max(1).saturating_mul(2).min(schedule.longest_stride(self.steps));
                self.left = if schedule.audits { self.left.saturating_sub(k) } else { 0 };
            }
            Round::Stride(_) if schedule.audits => (self.k, self.left) = (1, 0),
            Round::Race | Round::Stride(_) => self.after_race(schedule, train_batches, won),
        }
    }

    fn after_race(&mut self, schedule: &Schedule, train_batches: u32, won: bool) {
        let [shortest, longest] = schedule.gaps;
        self.gap = if won == self.trusted { self.gap.saturating_mul(2).min(longest) } else { shortest };
        self.trusted = won;
        self.k = if won { train_batches.min(schedule.stride).max(1) } else { 1 };
        self.left = if won || schedule.budget { self.gap } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const SCHEDULE: Schedule = Schedule { stride: 8, stretch: 0, audits: true, budget: true, gaps: [6, 24] };

    /// The rounds of a run whose learned side wins or loses as `outcomes` says.
    fn rounds(schedule: &Schedule, outcomes: &[bool]) -> Vec<Round> {
        let mut state = ScheduleState::ZERO;
        let mut all = Vec::new();
        let mut outcomes = outcomes.iter();
        loop {
            let round = state.next(schedule, 4, u32::MAX);
            let won = match round {
                Round::Alone => false,
                _ => match outcomes.next() {
                    Some(&won) => won,
                    None => return all,
                },
            };
            all.push(round);
            let steps = match round {
                Round::Stride(k) if won => k,
                Round::Race => 4,
                _ => 1,
            };
            state.settle(schedule, round, 4, won, steps);
        }
    }

    #[test]
    fn a_side_that_always_wins_strides_from_race_to_race_at_growing_gaps() {
        use Round::{Race, Stride};
        let expected = [Race, Stride(4), Stride(8), Race, Stride(4), Stride(8), Stride(8), Stride(4), Race];
        assert_eq!(rounds(&SCHEDULE, &[true; 9]), expected);
    }

    #[test]
    fn a_lost_stride_calls_for_a_race_and_lost_races_for_ever_longer_rests() {
        let all = rounds(&SCHEDULE, &[false; 5]);
        assert_eq!(all[0], Round::Race);
        let rests: Vec<usize> = all[1..].split(|r| *r == Round::Race).map(<[Round]>::len).collect();
        assert_eq!(rests, [6, 12, 24, 24, 24]);
        assert!(all[1..].iter().all(|r| matches!(r, Round::Alone | Round::Race)));
    }

    #[test]
    fn a_won_race_restores_trust() {
        let all = rounds(&SCHEDULE, &[false, true, true]);
        assert_eq!(all[7..], [Round::Race, Round::Stride(4)]);
    }

    /// Gaps double while races end alike, and are short again after one that did not.
    #[test]
    fn a_gap_is_short_again_after_another_winner() {
        let mut state = ScheduleState::ZERO;
        let gaps = [false, false, false, true, true, false, false, true].map(|won| {
            state.left = 0;
            let round = state.next(&SCHEDULE, 4, u32::MAX);
            assert_eq!(round, Round::Race);
            state.settle(&SCHEDULE, round, 4, won, 4);
            state.left
        });
        assert_eq!(gaps, [6, 12, 24, 6, 12, 6, 12, 6]);
    }

    #[test]
    fn without_strides_and_budget_every_round_is_a_race() {
        assert!(rounds(&Schedule::RACES, &[true, false, true, true, false]).iter().all(|r| *r == Round::Race));
    }

    #[test]
    fn without_audits_strides_double_and_fall_to_one() {
        let schedule = Schedule { audits: false, budget: false, ..SCHEDULE };
        let steps = rounds(&schedule, &[true, true, true, true, true, false, true, true]);
        let expected = [4, 8, 8, 8, 8, 8, 1, 2].map(Round::Stride);
        assert_eq!(steps, expected);
    }

    #[test]
    fn strides_stretch_with_the_run() {
        let schedule = Schedule { stretch: 4, audits: false, ..SCHEDULE };
        let strides = rounds(&schedule, &[true; 9]);
        let lengths = strides.iter().map(|round| if let Round::Stride(k) = round { *k } else { 0 });
        // A quarter of the steps so far, once that is more than 8.
        assert_eq!(lengths.collect::<Vec<u32>>(), [4, 8, 8, 8, 8, 9, 11, 14, 17]);
    }

    #[test]
    fn a_stride_is_no_longer_than_the_data_have_room_for() {
        let mut state = ScheduleState::ZERO;
        state.next(&SCHEDULE, 4, 1);
        (state.k, state.left) = (8, 8);
        assert_eq!(state.next(&SCHEDULE, 4, 3), Round::Stride(3));
        assert_eq!(state.next(&SCHEDULE, 4, 0), Round::Stride(1));
    }
}

//! The latest N held-out scores, and how usual another score is among them.

use crate::persist::Persist;
use crate::tensors::Tensors;

/// Scores in a ring: the newest replaces the oldest.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held<const N: usize> {
    scores: [f32; N],
    count: u32,
    next: u32,
}

impl<const N: usize> Held<N> {
    pub(super) const EMPTY: Self = Self { scores: [0.0; N], count: 0, next: 0 };

    /// Adds a score.
    pub(super) fn push(&mut self, score: f32) {
        if let Some(place) = self.scores.get_mut(self.next as usize) {
            *place = score;
        }
        self.next = if (self.next as usize).saturating_add(1) < N { self.next.saturating_add(1) } else { 0 };
        self.count = self.count.saturating_add(u32::from((self.count as usize) < N));
    }

    /// How many there are.
    pub(super) const fn len(&self) -> u32 {
        self.count
    }

    fn scores(&self) -> &[f32] {
        self.scores.get(..self.count as usize).unwrap_or(&self.scores)
    }

    /// Whether p is at most 1 / `rarity`. A score that is no number is above all others.
    pub(super) fn is_unusual(&self, score: f32, rarity: u32) -> bool {
        // A held-out score is finite, so that no comparison is with a NaN but where the new one is.
        let above = self.scores().iter().filter(|&&held| held >= score).count() as u64;
        (1 + above) * u64::from(rarity) <= 1 + u64::from(self.count)
    }

    /// The largest held-out score that leaves a score above it unusual; `None` while there are too few for any to be.
    pub(super) fn threshold(&self, rarity: u32) -> Option<f32> {
        let places = (u64::from(self.count) + 1) / u64::from(rarity.max(1));
        // A score is unusual if fewer than `places` held-out ones are at least as large.
        let is_enough = |score: f32| (self.scores().iter().filter(|&&held| held > score).count() as u64) < places;
        let enough = self.scores().iter().copied().filter(|&score| is_enough(score));
        enough.fold(None, |least: Option<f32>, score| match least {
            Some(least) if least <= score => Some(least),
            Some(_) | None => Some(score),
        })
    }
}

impl<const N: usize> Persist for Held<N> {
    fn save<S: crate::persist::Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.scores.save(sink)?;
        self.count.save(sink)?;
        self.next.save(sink)
    }
    /// Numbers that no run has left behind become ones that one could have.
    fn load<O: crate::persist::Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.scores.load(origin)?;
        self.count.load(origin)?;
        self.next.load(origin)?;
        self.count = self.count.min(N as u32);
        self.next = if (self.next as usize) < N { self.next } else { 0 };
        if !self.scores.is_finite() {
            (self.count, self.next) = (0, 0);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    fn held<const N: usize>(scores: impl IntoIterator<Item = f32>) -> Held<N> {
        let mut held = Held::EMPTY;
        scores.into_iter().for_each(|score| held.push(score));
        held
    }

    /// Of n + 1 different scores, each of which may be the new one, exactly floor((n + 1) / r) are unusual; of equal ones no more.
    #[test]
    fn one_in_r_of_exchangeable_scores_is_unusual() {
        let mut rng = Rng::new(1);
        for (n, rarity) in [(1, 2), (2, 3), (49, 50), (60, 50), (99, 50), (100, 50), (100, 7), (100, 2)] {
            let all: [f32; 101] = core::array::from_fn(|i| i as f32 + 0.5 * rng.uniform());
            let coarse = all.map(|score| (score / 10.0).trunc());
            let unusual = |all: &[f32]| {
                let is_unusual = |new: usize| {
                    let others = all.iter().enumerate().filter(|&(i, _)| i != new).map(|(_, &score)| score);
                    held::<100>(others).is_unusual(all[new], rarity)
                };
                (0..all.len()).filter(|&new| is_unusual(new)).count()
            };
            assert_eq!(unusual(&all[..=n]), (n + 1) / rarity as usize, "{n}, {rarity}");
            assert!(unusual(&coarse[..=n]) <= (n + 1) / rarity as usize, "{n}, {rarity}");
        }
    }

    #[test]
    fn unusual_is_what_is_above_the_threshold() {
        let mut rng = Rng::new(2);
        for (n, rarity) in [(48, 50), (49, 50), (98, 50), (99, 50), (100, 50), (100, 2), (30, 7)] {
            let held = held::<100>((0..n).map(|_| rng.normal()));
            let threshold = held.threshold(rarity);
            assert_eq!(threshold.is_some(), n + 1 >= rarity, "{n}, {rarity}");
            let bound = threshold.unwrap_or(f32::INFINITY);
            for &score in held.scores() {
                for near in [score.next_down(), score, score.next_up()] {
                    assert_eq!(held.is_unusual(near, rarity), near > bound, "{n}, {rarity}: {near}, {threshold:?}");
                }
            }
            assert_eq!(held.is_unusual(f32::NAN, rarity), threshold.is_some());
        }
    }

    #[test]
    fn the_newest_replaces_the_oldest() {
        let held = held::<3>([9.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!((held.len(), held.scores()), (3, &[3.0, 4.0, 2.0][..]));
    }
}

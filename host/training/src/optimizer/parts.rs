//! States of rules taken apart, as runs are saved.

use lgl2o::learned::RecurrentState;
use lgl2o::rule::averaged::AveragedState;
use lgl2o::rule::rotated::RotatedState;
use lgl2o::rule::{LayeredState, State};
use lgl2o::tensors::Tensors;

/// A state taken apart, to be saved and put together again.
pub trait Parts<P> {
    /// Accumulators shaped like the parameters.
    fn slot_list(&self) -> Vec<&P>;
    /// The same, to write to.
    fn slot_list_mut(&mut self) -> Vec<&mut P>;
    /// Steps so far.
    fn steps(&self) -> u32;
    /// All other numbers.
    fn numbers(&self) -> Vec<f32>;
    /// Sets the steps and all other numbers; false if there are not as many.
    fn set_numbers(&mut self, steps: u32, numbers: &[f32]) -> bool;
}

impl<P, const K: usize> Parts<P> for State<P, K> {
    fn slot_list(&self) -> Vec<&P> {
        self.slots.iter().collect()
    }
    fn slot_list_mut(&mut self) -> Vec<&mut P> {
        self.slots.iter_mut().collect()
    }
    fn steps(&self) -> u32 {
        self.steps
    }
    fn numbers(&self) -> Vec<f32> {
        vec![self.memo]
    }
    fn set_numbers(&mut self, steps: u32, numbers: &[f32]) -> bool {
        self.steps = steps;
        let [memo] = numbers else { return false };
        self.memo = *memo;
        true
    }
}

/// The numbers of layers come layer by layer, those of a slot one after the other.
impl<P, L: Tensors, const K: usize, const J: usize> Parts<P> for LayeredState<P, L, K, J> {
    fn slot_list(&self) -> Vec<&P> {
        self.slots.slot_list()
    }
    fn slot_list_mut(&mut self) -> Vec<&mut P> {
        self.slots.slot_list_mut()
    }
    fn steps(&self) -> u32 {
        self.slots.steps
    }
    fn numbers(&self) -> Vec<f32> {
        let layers = self.layers.slots.iter().flat_map(|slot| (0..slot.count()).flat_map(|i| slot.tensor(i)));
        [self.slots.memo, self.layers.memo].iter().chain(layers).copied().collect()
    }
    fn set_numbers(&mut self, steps: u32, numbers: &[f32]) -> bool {
        self.slots.steps = steps;
        let [memo, of_layers, numbers @ ..] = numbers else { return false };
        (self.slots.memo, self.layers.memo) = (*memo, *of_layers);
        let mut numbers = numbers.iter();
        for slot in &mut self.layers.slots {
            for i in 0..slot.count() {
                for number in slot.tensor_mut(i) {
                    let Some(&saved) = numbers.next() else { return false };
                    *number = saved;
                }
            }
        }
        numbers.next().is_none()
    }
}

impl<P: Tensors, const H: usize> Parts<P> for RecurrentState<P, H> {
    fn slot_list(&self) -> Vec<&P> {
        self.slots().collect()
    }
    fn slot_list_mut(&mut self) -> Vec<&mut P> {
        self.slots_mut().collect()
    }
    fn steps(&self) -> u32 {
        self.means.steps
    }
    fn numbers(&self) -> Vec<f32> {
        Vec::new()
    }
    fn set_numbers(&mut self, steps: u32, numbers: &[f32]) -> bool {
        self.means.steps = steps;
        numbers.is_empty()
    }
}

impl<P: Tensors, S: Parts<P>> Parts<P> for AveragedState<P, S> {
    fn slot_list(&self) -> Vec<&P> {
        [self.inner.slot_list(), vec![&self.front]].concat()
    }
    fn slot_list_mut(&mut self) -> Vec<&mut P> {
        let mut slots = self.inner.slot_list_mut();
        slots.push(&mut self.front);
        slots
    }
    fn steps(&self) -> u32 {
        self.inner.steps()
    }
    /// The age of the average comes first, by its bits.
    fn numbers(&self) -> Vec<f32> {
        [vec![f32::from_bits(self.age)], self.inner.numbers()].concat()
    }
    fn set_numbers(&mut self, steps: u32, numbers: &[f32]) -> bool {
        let [age, numbers @ ..] = numbers else { return false };
        self.age = age.to_bits();
        self.inner.set_numbers(steps, numbers)
    }
}

/// All numbers of some tensors.
fn numbers_of(tensors: &impl Tensors) -> impl Iterator<Item = f32> {
    (0..tensors.count()).flat_map(|i| tensors.tensor(i)).copied()
}

/// The numbers are those of the inner state, after the bases', whose count of steps comes first, by its bits.
impl<P: Tensors, B: Tensors, S: Parts<P>> Parts<P> for RotatedState<P, B, S> {
    fn slot_list(&self) -> Vec<&P> {
        [self.inner.slot_list(), vec![&self.params]].concat()
    }
    fn slot_list_mut(&mut self) -> Vec<&mut P> {
        let mut slots = self.inner.slot_list_mut();
        slots.push(&mut self.params);
        slots
    }
    fn steps(&self) -> u32 {
        self.inner.steps()
    }
    fn numbers(&self) -> Vec<f32> {
        let own = [f32::from_bits(self.bases.steps), self.bases.memo];
        let bases = self.bases.slots.iter().flat_map(numbers_of);
        own.into_iter().chain(bases).chain(self.inner.numbers()).collect()
    }
    fn set_numbers(&mut self, steps: u32, numbers: &[f32]) -> bool {
        let [own_steps, memo, rest @ ..] = numbers else { return false };
        (self.bases.steps, self.bases.memo) = (own_steps.to_bits(), *memo);
        let mut rest = rest;
        for slot in &mut self.bases.slots {
            for i in 0..slot.count() {
                let tensor = slot.tensor_mut(i);
                let Some((saved, others)) = rest.split_at_checked(tensor.len()) else { return false };
                tensor.copy_from_slice(saved);
                rest = others;
            }
        }
        self.inner.set_numbers(steps, rest)
    }
}

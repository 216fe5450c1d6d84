//! A network whose shape is a value, with memory on the heap: the other way to be a `Network`.

use lgl2o::objective::mlp::network::BlankNetwork;
use lgl2o::objective::mlp::{Layer, Network};
use lgl2o::tensors::Tensors;

/// Tensors on the heap.
#[derive(Debug, Clone, PartialEq)]
pub struct Heap(pub Vec<Vec<f32>>);

impl Tensors for Heap {
    fn count(&self) -> usize {
        self.0.len()
    }
    fn tensor(&self, i: usize) -> &[f32] {
        self.0.get(i).map_or(&[], Vec::as_slice)
    }
    fn tensor_mut(&mut self, i: usize) -> &mut [f32] {
        self.0.get_mut(i).map_or(&mut [], Vec::as_mut_slice)
    }
    fn neighbours_mut(&mut self, i: usize) -> (&mut [f32], &mut [f32]) {
        let middle = (i + 1).min(self.0.len());
        let (head, tail) = self.0.split_at_mut(middle);
        let first = head.get_mut(i).map_or(&mut [][..], Vec::as_mut_slice);
        (first, tail.first_mut().map_or(&mut [][..], Vec::as_mut_slice))
    }
}

/// The shape of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Shape {
    /// The layers, at least one; each one's inputs are the outputs of the one before.
    pub layers: Vec<Layer>,
    /// The largest batch.
    pub capacity: usize,
}

impl Network for Shape {
    type Params = Heap;
    type Activations = Heap;
    type Losses = Vec<f32>;

    fn depth(&self) -> usize {
        self.layers.len()
    }
    fn layer(&self, l: usize) -> Layer {
        self.layers[l.min(self.layers.len() - 1)]
    }
    fn capacity(&self) -> usize {
        self.capacity
    }
}

impl BlankNetwork for Shape {
    fn blank_params(&self) -> Heap {
        Heap(self.layers.iter().flat_map(|l| [vec![0.0; l.inputs * l.outputs], vec![0.0; l.outputs]]).collect())
    }
    fn blank_activations(&self) -> Heap {
        Heap(self.layers.iter().map(|l| vec![0.0; self.capacity * l.outputs]).collect())
    }
    fn blank_losses(&self) -> Vec<f32> {
        vec![0.0; self.capacity]
    }
}

/// Copies all numbers of one value into another of the same lengths but maybe another type.
pub fn copy<A: Tensors, B: Tensors>(from: &A, to: &mut B) {
    assert_eq!(from.count(), to.count());
    for i in 0..from.count() {
        to.tensor_mut(i).copy_from_slice(from.tensor(i));
    }
}

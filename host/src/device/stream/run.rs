//! A whole run: the device learns, the shadow learns along, and its accuracy is measured on the way.

use lgl2o::objective::mlp::Activation;
use lgl2o::objective::mlp::network::BlankNetwork as _;
use lgl2o::tensors::Tensors;
use lgl2o_device::message::{Order, Summary};
use lgl2o_device::record::Trace;
use lgl2o_device::stream::learner::Params;
use lgl2o_device::stream::{BATCH, CLASSES, HIDDEN, INPUTS, Learner, Memory};

use super::{ExampleServer, Examples, Line, Lockstep, Pair, StreamError};
use crate::data::Dataset;
use crate::device::Transport;
use crate::experiment::Evaluator;
use crate::network::{HeapNetwork, HeapTensors};

/// What is learned from, and what it is measured on.
#[derive(Debug, Clone, Copy)]
pub struct Data<'a> {
    /// Examples to deal.
    pub train: &'a Examples,
    /// Held-out examples of the same width.
    pub test: &'a Dataset,
}

/// How the shadow does, on the way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Glance {
    /// Training steps done.
    pub steps: u32,
    /// Share of held-out images that are classified right, when it was measured last.
    pub accuracy: Option<f64>,
    /// Questions that the host is still behind the device.
    pub behind: u32,
    /// What had to be said again.
    pub repeats: u32,
}

/// The outcome of a run, also of one that did not finish.
#[derive(Debug)]
pub struct Outcome {
    /// All rounds.
    pub rounds: Vec<Pair>,
    /// What the shadow says of itself; it has no stack to speak of.
    pub host: Summary,
    /// What the device says of itself, if that came through.
    pub device: Option<Summary>,
    /// Hash of the shadow's parameters.
    pub params: u64,
    /// Share of held-out images that the shadow classifies right.
    pub accuracy: Option<f64>,
    /// Frames that arrived damaged, at the device and here.
    pub damaged: [u32; 2],
    /// How often the host had to say something again.
    pub repeats: u32,
    /// Why it ended before its time.
    pub failure: Option<StreamError>,
}

/// Held-out images that the live accuracy is measured on; in the end all of them are.
const GLANCE: usize = 2000;
/// Steps from one measurement to the next.
const EVERY: u32 = 50;

/// Runs it. `each` sees how the shadow does after every round.
///
/// # Errors
/// If the data do not fit the device's network, or the device does not begin. What happens later stands in the outcome.
pub fn run<T: Transport>(
    line: Line<T>,
    data: Data<'_>,
    order: Order,
    mut each: impl FnMut(Glance),
) -> Result<Outcome, StreamError> {
    let mut lockstep = Lockstep::new(line, ExampleServer::new(data.train, order)?, order);
    let mut memory = Box::new(Memory::new());
    let mut judge = Judge::new(data.test);
    let mut learner = Learner::start(&mut memory, &mut lockstep, |_| {})?;
    let (mut accuracy, mut due) = (None, 0);
    let failure = loop {
        match learner.round(&mut lockstep) {
            Ok(Some(_)) => {
                let steps = learner.steps();
                if steps >= due {
                    (accuracy, due) = (judge.accuracy(learner.params(), GLANCE), steps + EVERY);
                }
                each(Glance { steps, accuracy, behind: lockstep.behind(), repeats: lockstep.line().repeats });
            }
            Ok(None) => break end(&learner, &mut lockstep),
            Err(failure) => break Some(failure),
        }
    };
    let progress = learner.progress();
    let host = Summary {
        steps: learner.steps(),
        learned: progress.learned,
        loss: learner.check_loss().to_bits(),
        memory: size_of::<Memory>() as u32,
        stack: 0,
    };
    Ok(Outcome {
        host,
        device: lockstep.line().summary,
        params: Trace::of_tensors(learner.params()),
        accuracy: judge.accuracy(learner.params(), usize::MAX),
        damaged: [lockstep.damaged_there, lockstep.line().damaged],
        repeats: lockstep.line().repeats,
        rounds: lockstep.rounds,
        failure,
    })
}

/// Lets both sides say that they are done. Gives what went wrong, there or before.
fn end<T: Transport>(learner: &Learner<'_>, lockstep: &mut Lockstep<'_, T>) -> Option<StreamError> {
    learner.finish(lockstep).err().or_else(|| learner.error().map(StreamError::Training))
}

/// Measures parameters on held-out images.
struct Judge<'a> {
    evaluator: Evaluator,
    params: HeapTensors,
    test: &'a Dataset,
}

impl<'a> Judge<'a> {
    fn new(test: &'a Dataset) -> Self {
        let network = HeapNetwork::new(&[INPUTS, HIDDEN, CLASSES], Activation::Sigmoid, BATCH);
        Self { evaluator: Evaluator::new(&network), params: network.blank_params(), test }
    }

    fn accuracy(&mut self, params: &Params, limit: usize) -> Option<f64> {
        for i in 0..params.count() {
            self.params.tensor_mut(i).copy_from_slice(params.tensor(i));
        }
        self.evaluator.score(&self.params, self.test, limit).accuracy
    }
}

//! One optimizer with its memory.
//!
//! Between two rounds a lane keeps where its sampler is as bytes, as a checkpoint would: the points may lie elsewhere by then.

use core::convert::Infallible;

use lgl2o::batch::Batch;
use lgl2o::guard::{Guard, RelayGuard, Unguarded, Winner};
use lgl2o::objective::mlp::{Loss, Mlp, Network};
use lgl2o::persist::{Origin, Persist as _, Sink};
use lgl2o::rule::{Adam, Averaged, Ngn, Sgd};
use lgl2o::source::{Sampler, Source};
use lgl2o::tensors::Zeroed;
use lgl2o::{Error, Memory, Rng, Trainer};
use lgl2o_device::spirals::{BATCH, Large};

use crate::learner::Learner;
use crate::points::{MOST, Points};
use crate::race::Settings;

/// The network: that of the boards.
pub type Net = Mlp<Large>;
/// Its parameters.
pub type Params = <Large as Network>::Params;

/// Rounds are short, so that whoever waits for one waits for no more than so many steps.
const LONGEST_ROUND: u32 = 2;
/// More than a sampler's position takes.
const POSITION: usize = 128;

/// What the page has six of: a guard that is made anew from the settings for each round.
pub trait Entrant: Guard {
    /// The guard with these settings.
    fn with(settings: &Settings) -> Self;

    /// Whether the fallback has taken over.
    fn is_handed_over(memory: &Memory<Net, Self>) -> bool
    where
        Self: Sized,
    {
        let _ = memory;
        false
    }
}

/// `auto`, and with the sabotage off the same bits.
pub type Guarded = RelayGuard<Learner, Averaged<Ngn>>;
/// The same guard and learned side, with plain gradient descent as the fallback.
pub type GuardedSgd = RelayGuard<Learner, Sgd>;

impl Entrant for Guarded {
    fn with(settings: &Settings) -> Self {
        Self::new(Learner::new(settings.sabotage), Averaged::new(Ngn::new())).longest_round(LONGEST_ROUND)
    }
    fn is_handed_over(memory: &Memory<Net, Self>) -> bool {
        memory.guard().is_handed_over()
    }
}

impl Entrant for GuardedSgd {
    fn with(settings: &Settings) -> Self {
        Self::new(Learner::new(settings.sabotage), Sgd::new(settings.rate)).longest_round(LONGEST_ROUND)
    }
    fn is_handed_over(memory: &Memory<Net, Self>) -> bool {
        memory.guard().is_handed_over()
    }
}

impl Entrant for Unguarded<Learner> {
    fn with(settings: &Settings) -> Self {
        Self::learned(Learner::new(settings.sabotage))
    }
}

impl Entrant for Unguarded<Averaged<Ngn>> {
    fn with(_: &Settings) -> Self {
        Self::new(Averaged::new(Ngn::new()))
    }
}

impl Entrant for Unguarded<Sgd> {
    fn with(settings: &Settings) -> Self {
        Self::new(Sgd::new(settings.rate))
    }
}

impl Entrant for Unguarded<Adam> {
    fn with(settings: &Settings) -> Self {
        Self::new(Adam::new(settings.rate))
    }
}

/// The end of a window of a guard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Whose point was kept.
    pub winner: Winner,
    /// Whether the fallback runs from here on.
    pub handed_over: bool,
}

/// Why a lane has stopped for a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Stop {
    /// It has made as many steps as it was asked for.
    Reached,
    /// A window of its guard has ended.
    Judged(Window),
    /// A step was not finite, or there is nothing to train on: it goes on no more.
    Broken,
}

/// An optimizer, whatever it is.
pub trait Runner {
    /// Begins again.
    fn restart(&mut self, seed: u64);
    /// Runs until so many training batches are taken since the beginning, or a guard has judged.
    fn advance(&mut self, settings: &Settings, points: &Points, until: u32) -> Stop;
    /// Training batches taken so far.
    fn batches(&self) -> u32;
    /// The accepted parameters.
    fn params(&self) -> &Params;
    /// Mean loss on a batch.
    ///
    /// # Errors
    /// Whatever is wrong with the batch.
    fn loss(&mut self, batch: Batch<'_>) -> Result<f32, Error>;
    /// Bytes of all training memory.
    fn bytes(&self) -> usize;
}

/// An optimizer with its memory.
pub struct Lane<G: Entrant> {
    memory: Memory<Net, G>,
    seed: u64,
    batches: u32,
    position: [u8; POSITION],
    is_broken: bool,
}

/// The network and its loss.
#[must_use]
pub const fn net() -> Net {
    Mlp::new(Large::new(), Loss::CrossEntropy)
}

impl<G: Entrant> Lane<G>
where
    G::Memory<Params>: Zeroed,
{
    /// All zero; to be [restarted](Runner::restart).
    #[must_use]
    pub const fn new() -> Self {
        Self { memory: Memory::new(), seed: 0, batches: 0, position: [0; POSITION], is_broken: false }
    }

    /// As [`Runner::advance`].
    fn run(&mut self, settings: &Settings, points: &Points, until: u32) -> Result<Stop, Error> {
        let (mut pick, mut used) = ([0; BATCH], [0; MOST / 32]);
        let half = points.labels().len() / 2;
        let size = if half < BATCH { half } else { BATCH };
        let pick = pick.get_mut(..size).ok_or(Error::EmptyBatch)?;
        let sampler = Sampler::new(points.inputs(), 2, points.labels(), self.seed, pick, &mut used)?;
        // One batch is left to check on.
        let room = (points.labels().len() as u32).checked_div(size as u32).unwrap_or(0).saturating_sub(1);
        let mut source = Counted { sampler, batches: self.batches, room };
        if self.batches > 0 {
            let Ok(()) = source.sampler.load(&mut Bytes { bytes: &mut self.position, at: 0 });
        }
        let (net, guard) = (net(), G::with(settings));
        let mut stop = Stop::Reached;
        while source.batches < until && stop == Stop::Reached {
            let Ok(verdict) = Trainer::new(&net, &guard, &mut self.memory).round(&mut source) else {
                stop = Stop::Broken;
                break;
            };
            let judged = verdict.learned_loss.is_some() || verdict.fallback_loss.is_some();
            if judged {
                let handed_over = G::is_handed_over(&self.memory);
                stop = Stop::Judged(Window { winner: verdict.winner, handed_over });
            }
        }
        self.batches = source.batches;
        let Ok(()) = source.sampler.save(&mut Bytes { bytes: &mut self.position, at: 0 });
        Ok(stop)
    }
}

impl<G: Entrant> Default for Lane<G>
where
    G::Memory<Params>: Zeroed,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<G: Entrant> Runner for Lane<G>
where
    G::Memory<Params>: Zeroed,
{
    fn restart(&mut self, seed: u64) {
        self.memory = Memory::new();
        net().initialize(self.memory.params_mut(), &mut Rng::stream(seed, 0));
        (self.seed, self.batches, self.is_broken) = (seed, 0, false);
    }

    fn advance(&mut self, settings: &Settings, points: &Points, until: u32) -> Stop {
        if self.is_broken {
            return Stop::Broken;
        }
        let stop = self.run(settings, points, until).unwrap_or(Stop::Broken);
        self.is_broken = stop == Stop::Broken;
        stop
    }

    fn batches(&self) -> u32 {
        self.batches
    }

    fn params(&self) -> &Params {
        self.memory.params()
    }

    fn loss(&mut self, batch: Batch<'_>) -> Result<f32, Error> {
        let settings = Settings::default();
        Trainer::new(&net(), &G::with(&settings), &mut self.memory).loss(batch)
    }

    fn bytes(&self) -> usize {
        size_of::<Memory<Net, G>>()
    }
}

/// A sampler that counts the training batches.
struct Counted<'a> {
    sampler: Sampler<'a>,
    batches: u32,
    /// As the sampler has it, whose division by the size of a batch could panic for all that a compiler knows.
    room: u32,
}

impl Source<Net> for Counted<'_> {
    fn begin_round(&mut self) {
        Source::<Net>::begin_round(&mut self.sampler);
    }
    fn room(&self) -> u32 {
        self.room
    }
    fn epoch(&self) -> u32 {
        Source::<Net>::epoch(&self.sampler)
    }
    fn train(&mut self) -> Result<Batch<'_>, Error> {
        self.batches = self.batches.saturating_add(1);
        Source::<Net>::train(&mut self.sampler)
    }
    fn check(&mut self) -> Result<Batch<'_>, Error> {
        Source::<Net>::check(&mut self.sampler)
    }
}

/// Bytes to write to, and to read from; what does not fit is lost.
struct Bytes<'a> {
    bytes: &'a mut [u8; POSITION],
    at: usize,
}

impl Sink for Bytes<'_> {
    type Error = Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        let place = self.bytes.get_mut(self.at..).unwrap_or(&mut []);
        place.iter_mut().zip(bytes).for_each(|(place, &byte)| *place = byte);
        self.at += bytes.len();
        Ok(())
    }
}

impl Origin for Bytes<'_> {
    type Error = Infallible;
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        let place = self.bytes.get(self.at..).unwrap_or(&[]);
        bytes.iter_mut().zip(place).for_each(|(byte, &place)| *byte = place);
        self.at += bytes.len();
        Ok(())
    }
}

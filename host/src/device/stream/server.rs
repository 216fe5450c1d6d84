//! The examples that a learner gets, in the same order for the same seed.
//!
//! Training batches go through five sixths of the training examples in a random order, then in another one; check
//! batches go through the last sixth likewise. So a check batch is disjoint from every training batch.

use std::convert::Infallible;

use lgl2o::Rng;
use lgl2o::shuffle::Shuffle;
use lgl2o_device::message::{Answer, Ask, Order};
use lgl2o_device::stream::{BATCH, CLASSES, Exchange, INPUTS};

use crate::data::Dataset;

/// Examples as a device takes them: grey values of 14 x 14, a label each.
#[derive(Debug, Clone)]
pub struct Examples {
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

/// Why data cannot be sent to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// The network has other inputs.
    #[error(
        "an example has {0} inputs, and the device's network takes {INPUTS}, 14 x 14 grey values: give --data with images of 28 x 28, as MNIST has"
    )]
    Width(usize),
    /// The network has fewer classes.
    #[error("the data have {0} classes, and the device's network has {CLASSES}: leave some classes out")]
    Classes(usize),
    /// There is no sixth of them that fills a batch.
    #[error("{found} training examples are too few: give at least {needed}")]
    TooFew {
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
}

impl Examples {
    /// Rounds the inputs, from 0 to 1, to 256 grey values.
    ///
    /// # Errors
    /// If the device's network does not take these data.
    pub fn new(data: &Dataset) -> Result<Self, Unfit> {
        if data.width() != INPUTS {
            return Err(Unfit::Width(data.width()));
        }
        if data.classes() > CLASSES {
            return Err(Unfit::Classes(data.classes()));
        }
        let pixels = data.inputs().iter().map(|x| (x * 255.0).round() as u8).collect();
        Ok(Self { pixels, labels: data.labels().to_vec() })
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The grey values and the label of example `i`.
    fn get(&self, i: usize) -> (&[u8], u8) {
        (&self.pixels[i * INPUTS..(i + 1) * INPUTS], self.labels[i])
    }
}

/// Serves batches of examples.
#[derive(Debug, Clone)]
pub struct ExampleServer<'a> {
    examples: &'a Examples,
    order: Order,
    train: Deck,
    check: Deck,
    pixels: Vec<u8>,
    labels: Vec<u8>,
}

/// Some of the examples, in random orders without end.
#[derive(Debug, Clone)]
struct Deck {
    first: usize,
    count: u32,
    rng: Rng,
    shuffle: Shuffle,
    dealt: u32,
}

impl Deck {
    fn new(first: usize, count: usize, mut rng: Rng) -> Self {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        Self { first, count, shuffle: Shuffle::new(count, &mut rng), rng, dealt: 0 }
    }

    fn next(&mut self) -> usize {
        if self.dealt >= self.count {
            (self.shuffle, self.dealt) = (Shuffle::new(self.count, &mut self.rng), 0);
        }
        self.dealt += 1;
        self.first + self.shuffle.at(self.dealt - 1) as usize
    }
}

impl<'a> ExampleServer<'a> {
    /// A server of these training examples for a run; its seed decides the order.
    ///
    /// # Errors
    /// [`Unfit::TooFew`].
    pub fn new(examples: &'a Examples, order: Order) -> Result<Self, Unfit> {
        let check = examples.len() / 6;
        if check < BATCH {
            return Err(Unfit::TooFew { found: examples.len(), needed: 6 * BATCH });
        }
        let (train, seed) = (examples.len() - check, u64::from(order.seed));
        Ok(Self {
            examples,
            order,
            train: Deck::new(0, train, Rng::stream(seed, 1)),
            check: Deck::new(train, check, Rng::stream(seed, 2)),
            pixels: Vec::with_capacity(BATCH * INPUTS),
            labels: Vec::with_capacity(BATCH),
        })
    }

    /// The answer to a question. It is dealt: the next one to the same question is another.
    pub fn answer(&mut self, ask: &Ask) -> Answer<'_> {
        let deck = match ask {
            Ask::Start => return Answer::Start(self.order),
            Ask::Train => &mut self.train,
            Ask::Check => &mut self.check,
            _ => return Answer::Noted,
        };
        self.pixels.clear();
        self.labels.clear();
        for _ in 0..BATCH {
            let (pixels, label) = self.examples.get(deck.next());
            self.pixels.extend_from_slice(pixels);
            self.labels.push(label);
        }
        Answer::Batch { pixels: &self.pixels, labels: &self.labels }
    }
}

/// A learner without a device is answered by the server.
impl Exchange for ExampleServer<'_> {
    type Error = Infallible;

    fn ask(&mut self, ask: &Ask) -> Result<Answer<'_>, Infallible> {
        Ok(self.answer(ask))
    }
}

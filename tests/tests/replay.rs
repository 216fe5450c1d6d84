//! Data that grows: which examples are kept, disjoint and uniform draws, and runs that go on after a restart, with other data too.

use std::collections::BTreeSet;

use lgl2o::batch::{Batch, Targets};
use lgl2o::checkpoint::{CheckpointError, Fingerprint, Origin, Persist, Sink};
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Tanh};
use lgl2o::objective::{Blank, Logistic};
use lgl2o::replay::{Answers, Classes, Keep, Replay, Reservoir, Ring, Values};
use lgl2o::source::Source;
use lgl2o::standardize::{Standardized, Standardizer};
use lgl2o::{Auto, Error, Memory, Rng, Trainer, auto, chain};
use lgl2o_tests::{bits, cases};
use proptest::prelude::*;

/// An objective of the right kind; it is never evaluated.
type Any = Logistic<1, 1>;

/// All that a ring or reservoir is in: rows of one number, the example's own.
struct Room {
    inputs: Vec<f32>,
    labels: Vec<u8>,
    seen: Vec<u32>,
    pick: Vec<u32>,
    used: Vec<u32>,
}

const CLASSES: usize = 7;

impl Room {
    fn new(capacity: usize, size: usize) -> Self {
        Self {
            inputs: vec![f32::NAN; capacity],
            labels: vec![255; capacity],
            seen: vec![9; CLASSES],
            pick: vec![77; size],
            used: vec![u32::MAX; capacity.div_ceil(32)],
        }
    }

    fn ring(&mut self, seed: u64) -> Ring<'_, Classes<'_>> {
        let labels = Classes::new(&mut self.labels, CLASSES);
        Ring::new(&mut self.inputs, 1, labels, seed, &mut self.pick, &mut self.used).unwrap()
    }

    fn reservoir(&mut self, seed: u64) -> Reservoir<'_, Classes<'_>> {
        let labels = Classes::new(&mut self.labels, CLASSES);
        Reservoir::new(&mut self.inputs, 1, labels, &mut self.seen, seed, &mut self.pick, &mut self.used).unwrap()
    }
}

/// The label of example number `i` where nothing else is said.
const fn label(i: usize) -> u8 {
    (i % CLASSES) as u8
}

fn push<K: Keep>(replay: &mut Replay<'_, Classes<'_>, K>, i: usize) -> bool {
    replay.push(&[i as f32], label(i)).unwrap()
}

/// The numbers and labels of a batch's examples.
fn examples(batch: &Batch<'_>) -> Vec<(usize, u8)> {
    let Targets::Classes(labels) = batch.targets else { panic!("labels") };
    (0..batch.examples()).map(|s| (batch.inputs.row(s)[0] as usize, labels.get(s).unwrap())).collect()
}

/// The numbers alone, after a look at the labels.
fn numbers(batch: &Batch<'_>) -> Vec<usize> {
    let all = examples(batch);
    assert!(all.iter().all(|&(i, l)| l == label(i)), "inputs and labels belong together");
    all.into_iter().map(|(i, _)| i).collect()
}

fn train<T: Answers, K: Keep>(replay: &mut Replay<'_, T, K>) -> Vec<usize> {
    numbers(&Source::<Any>::train(replay).unwrap())
}

fn check<T: Answers, K: Keep>(replay: &mut Replay<'_, T, K>) -> Result<Vec<usize>, Error> {
    Source::<Any>::check(replay).map(|batch| numbers(&batch))
}

/// All examples that there are, in the parts of the full objective.
fn stored<K: Keep>(replay: &mut Replay<'_, Classes<'_>, K>) -> Vec<(usize, u8)> {
    let mut all = Vec::new();
    for i in 0.. {
        match Source::<Any>::objective(replay, i).unwrap() {
            Some(batch) => all.extend(examples(&batch)),
            None => break,
        }
    }
    assert_eq!(all.len(), replay.len());
    assert!(Source::<Any>::objective(replay, usize::MAX).unwrap().is_none());
    all
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = core::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

fn saved(state: &impl Persist) -> Vec<u8> {
    let mut bytes = Bytes::default();
    let Ok(()) = state.save(&mut bytes);
    bytes.0
}

/// Bytes, one after the other.
struct From<'a>(&'a [u8]);

impl Origin for From<'_> {
    type Error = ();
    fn take(&mut self, bytes: &mut [u8]) -> Result<(), ()> {
        let (first, rest) = self.0.split_at_checked(bytes.len()).ok_or(())?;
        bytes.copy_from_slice(first);
        self.0 = rest;
        Ok(())
    }
}

fn load(state: &mut impl Persist, bytes: &[u8]) {
    let mut origin = From(bytes);
    state.load(&mut origin).unwrap();
    assert!(origin.0.is_empty());
}

proptest! {
    #![proptest_config(cases!(300, "replay"))]

    /// A ring holds the latest examples, each once.
    #[test]
    fn a_ring_holds_the_latest(capacity in 1usize..60, pushes in 0usize..200) {
        let mut room = Room::new(capacity, 1);
        let mut ring = room.ring(1);
        for i in 0..pushes {
            prop_assert!(push(&mut ring, i));
            prop_assert_eq!(ring.len(), capacity.min(i + 1));
        }
        let found: BTreeSet<_> = stored(&mut ring).into_iter().collect();
        let expected: BTreeSet<_> = (pushes.saturating_sub(capacity)..pushes).map(|i| (i, label(i))).collect();
        prop_assert_eq!(found, expected);
        ring.clear();
        prop_assert!(ring.is_empty() && stored(&mut ring).is_empty());
    }

    /// Of each class a reservoir holds all examples that have come, or no fewer than the largest class has, less one; it is
    /// full as soon as it can be; and it holds nothing twice and nothing that has not come.
    #[test]
    fn a_reservoir_is_balanced_within_one(
        capacity in 1usize..60, seed: u64,
        skew in prop::collection::vec(1u32..40, 1..=CLASSES), pushes in 0usize..300, blocks: bool,
    ) {
        let mut room = Room::new(capacity, 1);
        let mut reservoir = room.reservoir(seed);
        let mut rng = Rng::new(seed);
        let total: u32 = skew.iter().sum();
        let mut come = Vec::new();
        for i in 0..pushes {
            // All of a class and then all of the next, or mixed.
            let draw = if blocks { (i * total as usize / pushes) as u32 } else { rng.below(total) };
            let mut left = draw;
            let class = skew.iter().position(|&s| { let here = left < s; left = left.wrapping_sub(s); here }).unwrap() as u8;
            let kept = reservoir.push(&[i as f32], class).unwrap();
            come.push((i, class));
            let now = stored(&mut reservoir);
            prop_assert_eq!(kept, now.contains(&(i, class)));
            prop_assert_eq!(now.len(), capacity.min(i + 1));
            let count = |of: &[(usize, u8)], c: u8| of.iter().filter(|(_, l)| *l == c).count();
            let most = (0..CLASSES as u8).map(|c| count(&now, c)).max().unwrap();
            for c in 0..CLASSES as u8 {
                let (has, had) = (count(&now, c), count(&come, c));
                prop_assert!(has == had || has + 1 >= most, "class {c}: {has} of {had}, the largest {most}");
            }
            let different: BTreeSet<_> = now.iter().collect();
            prop_assert!(different.len() == now.len() && now.iter().all(|one| come.contains(one)));
        }
    }

    /// A check batch holds no example that its round has trained on, however the data grow between rounds; with nothing left it
    /// is an error. A batch has its size, or half of all examples.
    #[test]
    fn checks_are_disjoint_from_the_rounds_training(
        capacity in 2usize..60, share in 0.0f64..=1.0, seed: u64, balanced: bool,
        plan in prop::collection::vec((0usize..20, 1usize..5), 1..12),
    ) {
        let size = ((capacity as f64 * share) as usize).clamp(1, capacity);
        let mut room = Room::new(capacity, size);
        if balanced { rounds(&mut room.reservoir(seed), size, &plan)?; } else { rounds(&mut room.ring(seed), size, &plan)?; }
    }

    /// The training stream is a function of the seed and the data alone: checks in between change nothing.
    #[test]
    fn checks_do_not_disturb_the_training_stream(
        capacity in 4usize..60, seed: u64, plan in prop::collection::vec((0usize..9, 0usize..4), 1..12),
    ) {
        let stream = |checked: bool| {
            let mut room = Room::new(capacity, 3);
            let mut ring = room.ring(seed);
            let mut next = 0..;
            push(&mut ring, next.next().unwrap());
            plan.iter().map(|&(pushes, checks)| {
                next.by_ref().take(pushes).for_each(|i| { push(&mut ring, i); });
                Source::<Any>::begin_round(&mut ring);
                let batch = train(&mut ring);
                (0..if checked { checks } else { 0 }).for_each(|_| { let _ = check(&mut ring); });
                batch
            }).collect::<Vec<_>>()
        };
        prop_assert_eq!(stream(false), stream(true));
    }

    /// A restored position goes on bit for bit: over the same data pushed again, or over data from the checkpoint itself.
    #[test]
    fn a_restored_position_goes_on(
        capacity in 4usize..40, seed: u64, balanced: bool, with_examples: bool,
        before in prop::collection::vec(0usize..9, 1..8), after in prop::collection::vec(0usize..9, 1..8),
    ) {
        let case = Case { before: &before, after: &after, again: !with_examples };
        let (mut room, mut other) = (Room::new(capacity, 3), Room::new(capacity, 3));
        if balanced {
            let (mut a, mut b) = (room.reservoir(seed), other.reservoir(if with_examples { seed ^ 1 } else { seed }));
            if with_examples { (a, b) = (a.with_examples(), b.with_examples()); }
            case.run(&mut a, &mut b)?;
        } else {
            let (mut a, mut b) = (room.ring(seed), other.ring(seed ^ 1));
            if with_examples { (a, b) = (a.with_examples(), b.with_examples()); }
            case.run(&mut a, &mut b)?;
        }
    }

    /// Whatever bytes a position is loaded from, over whatever data: batches of examples that are there, and an end.
    #[test]
    fn any_position_leads_somewhere(
        capacity in 1usize..40, pushes in 1usize..60, with_examples: bool, bytes in prop::collection::vec(any::<u8>(), 600),
    ) {
        let mut room = Room::new(capacity, 1);
        let mut reservoir = room.reservoir(1);
        if with_examples { reservoir = reservoir.with_examples(); }
        (0..pushes).for_each(|i| { push(&mut reservoir, i); });
        let length = saved(&reservoir).len();
        load(&mut reservoir, &bytes[..length]);
        for i in 0..20 {
            let _ = reservoir.push(&[i as f32], label(i));
            prop_assert!(reservoir.len() <= capacity);
            let batch = Source::<Any>::train(&mut reservoir).unwrap();
            prop_assert!((0..batch.examples()).all(|s| batch.inputs.row(s).len() == 1));
        }
    }
}

fn rounds<K: Keep>(
    replay: &mut Replay<'_, Classes<'_>, K>,
    size: usize,
    plan: &[(usize, usize)],
) -> Result<(), TestCaseError> {
    let mut next = 0..;
    for &(pushes, trains) in plan {
        next.by_ref().take(pushes).for_each(|i| {
            push(replay, i);
        });
        if replay.is_empty() {
            prop_assert_eq!(Source::<Any>::train(replay).err(), Some(Error::NoBatch));
            prop_assert_eq!(check(replay), Err(Error::NoBatch));
            continue;
        }
        Source::<Any>::begin_round(replay);
        let (n, room) = (replay.len(), Source::<Any>::room(replay) as usize);
        let mut trained = BTreeSet::new();
        for taken in 1..=trains {
            let batch = train(replay);
            prop_assert_eq!(batch.len(), size.min((n / 2).max(1)));
            trained.extend(batch);
            let all: BTreeSet<usize> = stored(replay).into_iter().map(|(i, _)| i).collect();
            match check(replay) {
                Ok(checked) => prop_assert!(checked.iter().all(|i| !trained.contains(i) && all.contains(i))),
                Err(error) => prop_assert!(error == Error::NothingToCheck && trained == all && taken > room),
            }
        }
    }
    Ok(())
}

struct Case<'a> {
    before: &'a [usize],
    after: &'a [usize],
    /// Whether the data are pushed again.
    again: bool,
}

impl Case<'_> {
    fn run<K: Keep + Persist>(
        &self,
        replay: &mut Replay<'_, Classes<'_>, K>,
        other: &mut Replay<'_, Classes<'_>, K>,
    ) -> Result<(), TestCaseError> {
        let go = |replay: &mut Replay<'_, Classes<'_>, K>, from: usize, plan: &[usize]| {
            let mut next = from..;
            let mut seen = Vec::new();
            for &pushes in plan {
                next.by_ref().take(pushes + usize::from(replay.is_empty())).for_each(|i| {
                    push(replay, i);
                });
                Source::<Any>::begin_round(replay);
                seen.push((train(replay), check(replay), stored(replay)));
            }
            (seen, next.start)
        };
        let (_, come) = go(replay, 0, self.before);
        let checkpoint = saved(replay);
        let (expected, _) = go(replay, come, self.after);
        let pushed = if self.again { come } else { 3 };
        (0..pushed).for_each(|i| {
            push(other, i);
        });
        train(other);
        load(other, &checkpoint);
        prop_assert_eq!(saved(other), checkpoint);
        prop_assert_eq!(go(other, come, self.after).0, expected);
        Ok(())
    }
}

/// sum (observed - expected)^2 / expected over k equal cells has mean k - 1 and standard deviation sqrt(2 (k - 1)).
fn assert_uniform(draws: &[usize], cells: usize) {
    let expected = draws.len() as f64 / cells as f64;
    let mut observed = vec![0.0; cells];
    draws.iter().for_each(|&i| observed[i] += 1.0);
    let chi = observed.iter().map(|o: &f64| (o - expected) * (o - expected) / expected).sum::<f64>();
    let (mean, deviation) = (cells as f64 - 1.0, (2.0 * (cells as f64 - 1.0)).sqrt());
    assert!((chi - mean).abs() < 5.0 * deviation, "chi-square {chi} of {cells} cells");
}

/// The examples that a ring holds are equally likely in training, where an epoch has each once, and in checks.
#[test]
fn draws_are_uniform() {
    let mut room = Room::new(50, 10);
    let mut ring = room.ring(3);
    (0..130).for_each(|i| {
        push(&mut ring, i);
    });
    let epoch: BTreeSet<usize> = (0..5).flat_map(|_| train(&mut ring)).collect();
    assert_eq!(epoch, (80..130).collect());
    Source::<Any>::begin_round(&mut ring);
    let checks: Vec<usize> = (0..2000).flat_map(|_| check(&mut ring).unwrap()).map(|i| i - 80).collect();
    assert_uniform(&checks, 50);
    // The first of each epoch.
    let firsts: Vec<usize> =
        (0..4000).map(|_| (train(&mut ring)[0], (0..4).for_each(|_| drop(train(&mut ring)))).0 - 80).collect();
    let (mean, deviation) = (49.0, (2.0f64 * 49.0).sqrt());
    let chi: f64 = (0..50).map(|c| (firsts.iter().filter(|&&f| f == c).count() as f64 - 80.0).powi(2) / 80.0).sum();
    assert!((chi - mean).abs() < 5.0 * deviation, "{chi}");
}

/// Whichever of a class's examples came early or late, each is as likely to be kept.
#[test]
fn a_reservoir_keeps_a_uniform_sample_of_each_class() {
    let (mut common, mut rare) = (Vec::new(), Vec::new());
    for seed in 0..4000 {
        let mut room = Room::new(12, 1);
        let mut reservoir = room.reservoir(seed);
        // 60 of class 0; from the middle on 30 of class 1 among them.
        for i in 0..60 {
            reservoir.push(&[i as f32], 0).unwrap();
            if i >= 30 {
                reservoir.push(&[(100 + i - 30) as f32], 1).unwrap();
            }
        }
        let all = stored(&mut reservoir);
        assert_eq!(all.iter().filter(|(_, l)| *l == 0).count(), 6);
        common.extend(all.iter().filter(|(_, l)| *l == 0).map(|(i, _)| *i));
        rare.extend(all.iter().filter(|(_, l)| *l == 1).map(|(i, _)| i - 100));
    }
    // Six of 60 and six of 30 at once: the counts scatter by less than independent draws do, so one side is enough.
    for (kept, cells) in [(&common, 60), (&rare, 30)] {
        let expected = kept.len() as f64 / cells as f64;
        let share = 6.0 / cells as f64;
        let chi: f64 = (0..cells)
            .map(|c| (kept.iter().filter(|&&k| k == c).count() as f64 - expected).powi(2) / (expected * (1.0 - share)))
            .sum();
        let (mean, deviation) = (cells as f64 - 1.0, (2.0 * (cells as f64 - 1.0)).sqrt());
        assert!((chi - mean).abs() < 5.0 * deviation, "chi-square {chi} of {cells} cells");
    }
}

type Net = Mlp<Fixed<chain![Dense<2, 6, Tanh>, Dense<6, 2>], 8>>;

/// The plane's points, inside and outside of the unit circle.
fn point(i: usize) -> ([f32; 2], u8) {
    let mut rng = Rng::new(i as u64);
    let point = [rng.range(-1.25, 1.25), rng.range(-1.25, 1.25)];
    (point, u8::from(point[0] * point[0] + point[1] * point[1] < 1.0))
}

/// Rounds of `auto` over a ring with room for `capacity` points that has seen `come` of them, after a checkpoint if there is one; gives a new
/// one and the parameters.
fn run(
    capacity: usize,
    come: usize,
    from: Option<&[u8]>,
    rounds: usize,
) -> Result<(Vec<u8>, Vec<u32>), CheckpointError> {
    let (mut rows, mut labels, mut pick, mut used) =
        (vec![0.0; 2 * capacity], vec![0; capacity], [0; 8], vec![0; capacity.div_ceil(32)]);
    let mut ring = Ring::new(&mut rows, 2, Classes::new(&mut labels, 2), 7, &mut pick, &mut used).unwrap();
    (0..come).map(point).for_each(|(row, label)| {
        ring.push(&row, label).unwrap();
    });
    let (net, guard) = (Net::new(Fixed::new(), Loss::CrossEntropy), auto());
    let mut memory = Memory::<Net, Auto>::new();
    net.initialize(memory.params_mut(), &mut Rng::new(1));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    if let Some(mut from) = from {
        trainer.load(&mut ring, &mut from)?;
    }
    for _ in 0..rounds {
        trainer.round(&mut ring).unwrap();
    }
    let mut bytes = Bytes::default();
    let Ok(()) = trainer.save(&ring, &mut bytes);
    Ok((bytes.0, bits::of(trainer.params())))
}

/// A checkpoint that was made with 400 examples loads with 400 and goes on bit for bit; it loads with 401, with 40, with 1,000 in a larger ring,
/// and a run goes on.
#[test]
fn a_checkpoint_loads_with_more_examples_and_with_fewer() {
    let (checkpoint, params) = run(500, 400, None, 20).unwrap();
    let uninterrupted = run(500, 400, None, 50).unwrap();
    assert_eq!(run(500, 400, Some(&checkpoint), 30).unwrap(), uninterrupted);
    for (capacity, come) in [(500, 401), (500, 40), (1000, 1000), (400, 9), (40, 400)] {
        let resumed = run(capacity, come, Some(&checkpoint), 0).unwrap();
        assert_eq!(resumed, (checkpoint.clone(), params.clone()));
        assert_ne!(run(capacity, come, Some(&checkpoint), 30).unwrap().0, checkpoint, "the run goes on");
    }
}

/// What must match: ring or reservoir, kind of answer, classes, widths, batch size; the room only where examples are saved.
#[test]
fn what_must_match_is_told_apart() {
    let ring = |capacity: usize, width: usize, classes: usize, size: usize, with_examples: bool| {
        let (mut x, mut y, mut pick, mut used) =
            (vec![0.0; capacity * width], vec![0; capacity], vec![0; size], vec![0; capacity.div_ceil(32)]);
        let ring = Ring::new(&mut x, width, Classes::new(&mut y, classes), 1, &mut pick, &mut used).unwrap();
        if with_examples { ring.with_examples().fingerprint() } else { ring.fingerprint() }
    };
    let values = |outputs: usize| {
        let (mut x, mut y, mut pick, mut used) = (vec![0.0; 80], vec![0.0; 40 * outputs], vec![0; 4], vec![0; 2]);
        Ring::new(&mut x, 2, Values::new(&mut y, outputs), 1, &mut pick, &mut used).unwrap().fingerprint()
    };
    let reservoir = {
        let (mut x, mut y, mut pick, mut used) = (vec![0.0; 80], vec![0; 40], vec![0; 4], vec![0; 2]);
        let labels = Classes::new(&mut y, 2);
        Reservoir::new(&mut x, 2, labels, &mut [0; 2], 1, &mut pick, &mut used).unwrap().fingerprint()
    };
    assert_eq!(ring(40, 2, 2, 4, false), ring(41, 2, 2, 4, false), "the room does not count");
    let all = [
        ring(40, 2, 2, 4, false),
        ring(40, 3, 2, 4, false),
        ring(40, 2, 3, 4, false),
        ring(40, 2, 2, 5, false),
        ring(40, 2, 2, 4, true),
        ring(41, 2, 2, 4, true),
        values(1),
        values(2),
        reservoir,
    ];
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
    let (checkpoint, _) = run(64, 40, None, 2).unwrap();
    let mut bytes = Bytes::default();
    let (net, guard) = (Net::new(Fixed::new(), Loss::CrossEntropy), auto());
    let mut memory = Memory::<Net, Auto>::new();
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    let (mut x, mut y, mut pick, mut used) = (vec![0.0; 128], vec![0; 64], [0; 7], [0; 2]);
    let mut other = Ring::new(&mut x, 2, Classes::new(&mut y, 2), 7, &mut pick, &mut used).unwrap();
    let Ok(()) = trainer.save(&other, &mut bytes);
    assert_eq!(trainer.load(&mut other, &mut &checkpoint[..]), Err(CheckpointError::OtherSource));
}

/// Values train a regression; what does not fit is refused and leaves no trace.
#[test]
fn values_are_kept_and_what_does_not_fit_is_refused() {
    let (mut x, mut y, mut pick, mut used) = ([0.0; 2 * 30], [0.0; 30], [0; 8], [0; 1]);
    let mut ring = Ring::new(&mut x, 2, Values::new(&mut y, 1), 1, &mut pick, &mut used).unwrap();
    type Line = Mlp<Fixed<Dense<2, 1>, 8>>;
    let (net, guard) = (Line::new(Fixed::new(), Loss::SquaredError), auto());
    let mut memory = Memory::<Line, Auto>::blank(&net, &guard);
    net.initialize(memory.params_mut(), &mut Rng::new(3));
    let mut trainer = Trainer::new(&net, &guard, &mut memory);
    for i in 0..400 {
        let (row, _) = point(i);
        assert_eq!(ring.push(&row, &[2.0 * row[0] - row[1] + 0.5]), Ok(true));
        if ring.len() >= 16 {
            trainer.round(&mut ring).unwrap();
        }
    }
    assert!(net.blank_params().bias == [0.0] && (trainer.params().bias[0] - 0.5).abs() < 0.05);
    let before = saved(&ring);
    let width = |what, expected, found| Err(Error::ShapeMismatch { what, expected, found });
    assert_eq!(ring.push(&[1.0], &[1.0]), width("an input row", 2, 1));
    assert_eq!(ring.push(&[1.0; 2], &[1.0; 2]), width("a target row", 1, 2));
    assert_eq!(ring.push(&[f32::NAN, 0.0], &[1.0]), Err(Error::NonFiniteInput));
    assert_eq!(ring.push(&[0.0; 2], &[f32::INFINITY]), Err(Error::NonFiniteInput));
    assert_eq!((saved(&ring), ring.len()), (before, 30));
    let mut room = Room::new(4, 2);
    let mut ring = room.ring(1);
    assert_eq!(ring.push(&[0.0], 7), Err(Error::LabelOutOfRange { label: 7, classes: 7 }));
    assert!(ring.is_empty());
}

#[test]
fn memory_that_does_not_fit_is_refused() {
    let new = |inputs: usize, labels: usize, pick: usize, used: usize| {
        let (mut x, mut y) = (vec![0.0; inputs], vec![0; labels]);
        let labels = Classes::new(&mut y, 2);
        Ring::new(&mut x, 2, labels, 0, &mut vec![0; pick], &mut vec![0; used]).err()
    };
    assert_eq!(new(80, 40, 4, 2), None);
    assert_eq!(new(80, 40, 0, 2), Some(Error::EmptyBatch));
    assert_eq!(new(0, 0, 1, 2), Some(Error::EmptyBatch));
    assert_eq!(new(80, 40, 41, 2), Some(Error::BatchTooLarge { examples: 41, capacity: 40 }));
    assert!(matches!(new(79, 40, 4, 2), Some(Error::ShapeMismatch { expected: 80, found: 79, .. })));
    assert!(matches!(new(80, 40, 4, 1), Some(Error::ShapeMismatch { expected: 2, found: 1, .. })));
    let (mut x, mut y, mut seen) = ([0.0; 8], [0; 4], [0; 3]);
    let labels = Classes::new(&mut y, 2);
    let found = Reservoir::new(&mut x, 2, labels, &mut seen, 0, &mut [0; 2], &mut [0; 1]).err();
    assert!(matches!(found, Some(Error::ShapeMismatch { expected: 2, found: 3, .. })));
    let mut y = [0.0; 7];
    let found = Ring::new(&mut x, 2, Values::new(&mut y, 2), 0, &mut [0; 2], &mut [0; 1]).err();
    assert!(matches!(found, Some(Error::ShapeMismatch { expected: 6, found: 7, .. })));
}

/// Behind a standardizer rows are observed first, and standardized and kept from then on; what is refused is not observed.
#[test]
fn raw_rows_are_standardized_before_they_are_kept() {
    let (mut x, mut y, mut pick, mut used) = ([0.0; 2 * 50], [0; 50], [0; 8], [0; 2]);
    let source = Ring::new(&mut x, 2, Classes::new(&mut y, 2), 1, &mut pick, &mut used).unwrap();
    let mut batches = Standardized { source, standardizer: Standardizer::<[f32; 2]>::new(20) };
    assert_eq!(batches.push(&mut [1.0, f32::NAN], 0), Err(Error::NonFiniteInput));
    assert_eq!(batches.push(&mut [1.0, 1.0], 2), Err(Error::LabelOutOfRange { label: 2, classes: 2 }));
    let raw = |i: usize| [1000.0 + (i % 7) as f32, 1e-3 * (i % 5) as f32];
    for i in 0..45 {
        let mut row = raw(i);
        assert_eq!(batches.push(&mut row, 1), Ok(i >= 20));
        assert_eq!(batches.source.len(), (i + 1usize).saturating_sub(20));
    }
    assert_eq!(batches.standardizer.rows(), 20);
    let standardizer = batches.standardizer.clone();
    let (mut seen, mut part) = (0, 0);
    while let Some(batch) = Source::<Net>::objective(&mut batches, part).unwrap() {
        for s in 0..batch.examples() {
            let mut row = raw(20 + seen + s);
            standardizer.apply(&mut row).unwrap();
            assert_eq!(batch.inputs.row(s), row);
        }
        (seen, part) = (seen + batch.examples(), part + 1);
    }
    assert_eq!(seen, 25);
}

//! What is damaged, cut off, of another version or of another run is refused, and changes nothing.

use lgl2o::checkpoint::format::{HEADER, TRAILER, VERSION};
use lgl2o::checkpoint::{Buffer, CheckpointError, Fingerprint, Store};
use lgl2o::guard::Unguarded;
use lgl2o::learned::file::crc32;
use lgl2o::learned::{self, Learned as _, LearnedNgn};
use lgl2o::objective::Quadratic;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Relu};
use lgl2o::rule::{Adam, Sgd};
use lgl2o::source::{Exact, Sampler};
use lgl2o::{Error, Memory, Trainer, chain};
use lgl2o_tests::task::{BATCH, SmallMlp, small_mlp, start};
use lgl2o_tests::{bits, with_every_guard};
#[cfg(feature = "host")]
use {lgl2o::objective::mlp::Activation, lgl2o_host::network::HeapNetwork};

use super::{Small, saved, small_guard, train};

/// Every bit of a checkpoint, flipped.
#[test]
fn every_flipped_bit_is_refused() {
    let small = Small::new();
    let good = small.after(5);
    assert_eq!(small.refusal(&good), None);
    for bit in 0..8 * good.len() {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let expected = match bit / 8 {
            0..4 => CheckpointError::Foreign,
            4 => CheckpointError::Version { found: bad[4], known: VERSION },
            _ => CheckpointError::Damaged,
        };
        assert_eq!(small.refusal(&bad), Some(expected), "bit {bit}");
    }
}

#[test]
fn every_other_length_is_refused() {
    let small = Small::new();
    let good = small.after(5);
    for found in 0..good.len() {
        let expected = if found < HEADER { HEADER } else { good.len() };
        let error = CheckpointError::Length { expected, found };
        assert_eq!(small.refusal(&good[..found]), Some(error));
    }
    for extra in [1, 4, 100] {
        let long = [&good[..], &vec![0; extra]].concat();
        let error = CheckpointError::Length { expected: good.len(), found: long.len() };
        assert_eq!(small.refusal(&long), Some(error));
    }
}

#[test]
fn what_is_no_checkpoint_is_refused() {
    let small = Small::new();
    let mut weights = [0; LearnedNgn::FILE_LEN];
    let weights = learned::ngn().write_file(&mut weights).unwrap();
    for foreign in [weights, &[0; 100], &[0xff; 100], &[b'L'; 4096]] {
        assert_eq!(small.refusal(foreign), Some(CheckpointError::Foreign));
    }
}

/// A later version is refused as such, also where its checksums are right.
#[test]
fn another_version_is_refused() {
    let small = Small::new();
    let mut later = small.after(2);
    later[4] = VERSION + 1;
    let sum = crc32(&later[..HEADER - 4]).to_le_bytes();
    later[HEADER - 4..HEADER].copy_from_slice(&sum);
    assert_eq!(small.refusal(&later), Some(CheckpointError::Version { found: VERSION + 1, known: VERSION }));
}

/// A checkpoint whose state ends after so many bytes, with good checksums: only a hand could write it.
fn cut(good: &[u8], state: usize) -> Vec<u8> {
    let mut short = good[..HEADER + state].to_vec();
    short[20..24].copy_from_slice(&(state as u32).to_le_bytes());
    let sum = crc32(&short[..HEADER - 4]).to_le_bytes();
    short[HEADER - 4..HEADER].copy_from_slice(&sum);
    let sum = crc32(&short[HEADER..]).to_le_bytes();
    short.extend_from_slice(&sum);
    short
}

/// A good checksum over a state that is too short for the run.
#[test]
fn a_wrong_state_length_is_refused() {
    let small = Small::new();
    let good = small.after(2);
    let expected = good.len() - HEADER - TRAILER;
    let error = CheckpointError::Length { expected, found: expected - 4 };
    assert_eq!(small.refusal(&cut(&good, expected - 4)), Some(error));
}

/// Who asks for the parameters alone is content with a state that holds nothing else, but not with less.
#[test]
fn parameters_alone_must_all_be_there() {
    let small = Small::new();
    let good = small.after(2);
    let expected = 4 * (2 * 8 + 8 + 8 * 2 + 2);
    small.fresh(1, |trainer, _| {
        let before = bits::of(trainer.params());
        for found in [0, expected - 4] {
            let error = trainer.load_params(&mut &cut(&good, found)[..]);
            assert_eq!(error, Err(CheckpointError::Length { expected, found }));
            assert_eq!(bits::of(trainer.params()), before);
        }
        assert_eq!(trainer.load_params(&mut &cut(&good, expected)[..]), Ok(()));
        let loaded: Vec<u8> = bits::of(trainer.params()).iter().flat_map(|bits| bits.to_le_bytes()).collect();
        assert_eq!(loaded, good[HEADER..HEADER + expected]);
    });
}

/// A file that another program cuts off while it is read.
struct Shrinking<'a> {
    bytes: &'a [u8],
    left: usize,
}

impl Store for Shrinking<'_> {
    fn len(&self) -> usize {
        self.bytes.len()
    }
    fn read(&mut self, at: usize, bytes: &mut [u8]) -> bool {
        let read = self.bytes.read(at, bytes);
        self.bytes = &self.bytes[..self.left];
        read
    }
}

#[test]
fn a_store_that_shrinks_is_told() {
    let small = Small::new();
    let good = small.after(2);
    small.fresh(1, |trainer, source| {
        let before = saved(trainer, source);
        let store = |left| Shrinking { bytes: &good, left };
        // The state is read in pieces of 64 bytes.
        let error = CheckpointError::Length { expected: HEADER + 64, found: HEADER };
        assert_eq!(trainer.check(source, &mut store(HEADER)), Err(error));
        assert_eq!(trainer.load(source, &mut store(HEADER)), Err(error));
        assert_eq!(saved(trainer, source), before);
        assert_eq!(trainer.check(source, &mut store(good.len())), Ok(()));
    });
}

#[test]
fn a_store_is_empty_when_it_holds_nothing() {
    assert!(Store::is_empty(&&[][..]));
    assert!(!Store::is_empty(&&[0][..]));
    let nothing = CheckpointError::Length { expected: HEADER, found: 0 };
    assert_eq!(Small::new().refusal(&[]), Some(nothing));
}

#[test]
fn other_objectives_optimizers_and_sources_are_refused_as_such() {
    let small = Small::new();
    small.fresh(1, |trainer, source| {
        let load = |bytes: &[u8], trainer: &mut Trainer<'_, _, _>, source: &mut _| {
            let before = saved(trainer, source);
            let error = trainer.load(source, &mut &*bytes).unwrap_err();
            assert_eq!(saved(trainer, source), before, "{error}");
            error
        };
        // As many parameters, but ReLU units: only the fingerprint knows.
        let network = Fixed::<chain![Dense<2, 8, Relu>, Dense<8, 2>], BATCH>::new();
        let objective = Mlp::new(network, Loss::CrossEntropy);
        let mut memory = Memory::blank(&objective, &small.guard);
        let relu = saved(&Trainer::new(&objective, &small.guard, &mut memory), source);
        assert_eq!(load(&relu, trainer, source), CheckpointError::OtherObjective);
        // Another rate.
        let guard = small_guard(0.2);
        let mut memory: Memory<SmallMlp, _> = Memory::new();
        let faster = saved(&Trainer::new(&small.objective, &guard, &mut memory), source);
        assert_eq!(load(&faster, trainer, source), CheckpointError::OtherOptimizer);
        // Other data.
        let (inputs, labels) = (&small.data.inputs[..2 * 50], &small.data.labels[..50]);
        let (mut pick, mut used) = ([0; BATCH], [0; 2]);
        let fewer = Sampler::new(inputs, 2, labels, 1, &mut pick, &mut used).unwrap();
        let fewer = saved(trainer, &fewer);
        assert_eq!(load(&fewer, trainer, source), CheckpointError::OtherSource);
    });
}

/// The same layers with room for other batches, on the heap rather than in types, are the same network.
#[cfg(feature = "host")]
#[test]
fn a_larger_batch_is_no_other_network() {
    let small = Small::new();
    let checkpoint = small.after(4);
    let network = HeapNetwork::new(&[2, 8, 2], Activation::Tanh, 3 * BATCH);
    let objective = Mlp::new(network, Loss::CrossEntropy);
    assert_eq!(objective.fingerprint(), small.objective.fingerprint());
    let mut memory = Memory::blank(&objective, &small.guard);
    let mut trainer = Trainer::new(&objective, &small.guard, &mut memory);
    small.data.sampling(BATCH, 1, |source| {
        trainer.load(source, &mut &checkpoint[..]).unwrap();
        assert_eq!(saved(&trainer, source), checkpoint);
    });
}

/// A program with another optimizer keeps the model.
#[test]
fn parameters_alone_are_loaded_under_any_optimizer() {
    let small = Small::new();
    let good = small.after(6);
    let expected = small.fresh(3, |trainer, source| {
        train(trainer, source, 6);
        bits::of(trainer.params())
    });
    let objective = small_mlp();
    let guard = Unguarded::new(Sgd::new(0.1));
    let mut memory = Memory::new();
    *memory.params_mut() = start(&objective, 9);
    let before = bits::of(memory.params());
    let mut trainer = Trainer::new(&objective, &guard, &mut memory);
    for bit in [0, 32, 8 * 10, 8 * 40, 8 * (good.len() - 1)] {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1;
        trainer.load_params(&mut &bad[..]).unwrap_err();
        assert_eq!(bits::of(trainer.params()), before);
    }
    trainer.load_params(&mut &good[..]).unwrap();
    assert_eq!(bits::of(trainer.params()), expected);
    assert_eq!(trainer.progress().rounds, 0);

    let bowl = Quadratic::new([1.0, 2.0], [0.0, 0.0]).unwrap();
    let mut memory = Memory::new();
    let mut other = Trainer::new(&bowl, &guard, &mut memory);
    assert_eq!(other.load_params(&mut &good[..]), Err(CheckpointError::OtherObjective));
}

/// A store that can be read so often.
struct Failing<'a>(&'a [u8], usize);

impl Store for Failing<'_> {
    fn len(&self) -> usize {
        self.0.len()
    }
    fn read(&mut self, at: usize, bytes: &mut [u8]) -> bool {
        self.1 = self.1.saturating_sub(1);
        self.1 > 0 && self.0.read(at, bytes)
    }
}

/// A store that fails while it is looked through changes nothing; one that fails after that is told apart.
#[test]
fn a_store_that_fails_is_told() {
    let small = Small::new();
    let good = small.after(3);
    let reads = good.len().div_ceil(64);
    small.fresh(2, |trainer, source| {
        let before = saved(trainer, source);
        for n in 1..=reads {
            assert_eq!(trainer.load(source, &mut Failing(&good, n)), Err(CheckpointError::Unreadable), "{n}");
            assert_eq!(saved(trainer, source), before);
        }
        for n in reads + 1..=2 * reads {
            assert_eq!(trainer.load(source, &mut Failing(&good, n)), Err(CheckpointError::Interrupted), "{n}");
        }
        trainer.load(source, &mut Failing(&good, 2 * reads + 1)).unwrap();
        assert_eq!(saved(trainer, source), good);
    });
}

/// A buffer that is too short is an error, not a panic.
#[test]
fn a_buffer_that_is_too_short_is_an_error() {
    let small = Small::new();
    small.fresh(2, |trainer, source| {
        let length = trainer.checkpoint_len(source);
        let mut bytes = vec![0; length];
        for short in 0..length {
            assert_eq!(trainer.save(source, &mut Buffer::new(&mut bytes[..short])), Err(()));
        }
        let mut buffer = Buffer::new(&mut bytes);
        trainer.save(source, &mut buffer).unwrap();
        assert_eq!(buffer.written(), saved(trainer, source));
    });
}

/// What the module's documentation says of the length.
#[test]
fn a_checkpoint_is_no_longer_than_memory_and_32_bytes() {
    fn assert_short<G: lgl2o::Guard + Fingerprint>(name: &str, guard: &G)
    where
        G::Memory<<SmallMlp as lgl2o::Objective>::Params>: lgl2o::checkpoint::Persist + lgl2o::tensors::Zeroed,
    {
        let (objective, mut memory) = (small_mlp(), Memory::new());
        let trainer = Trainer::new(&objective, guard, &mut memory);
        let (length, most) = (trainer.checkpoint_len(&Exact), size_of::<Memory<SmallMlp, G>>() + 32);
        assert!(length <= most, "{name}: {length} {most}");
    }
    with_every_guard!(assert_short, learned::ngn(), Adam::new(0.1));
    with_every_guard!(assert_short, learned::lean(), Sgd::new(0.1));
    with_every_guard!(assert_short, learned::rnnprop(), Adam::new(0.1));
}

/// Messages say what is wrong and what to do.
#[test]
fn messages_say_what_to_do() {
    let text = Error::from(CheckpointError::OtherOptimizer).to_string();
    assert!(text.starts_with("checkpoint: made with another optimizer") && text.contains("`load_params`"), "{text}");
    assert!(CheckpointError::Foreign.to_string().contains("L2OR"));
    let cut = CheckpointError::Length { expected: 100, found: 50 };
    assert_eq!(
        cut.to_string(),
        "50 bytes where 100 are needed: cut off, or longer than it should be; load an older checkpoint, or start over"
    );
}

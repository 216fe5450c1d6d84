//! The demonstration `stream` between a device and a host in memory: on any line, the same bits or a clear error.

use std::time::Duration;

use lgl2o_device::frame::{VERSION, encode};
use lgl2o_device::message::{Answer, Ask, FromDevice, Order, Question, ToDevice};
use lgl2o_device::record::{RoundRecord, Trace};
use lgl2o_device::spirals::flip_bit;
use lgl2o_device::stream::learner::Params;
use lgl2o_device::stream::wire::Closed;
use lgl2o_device::stream::{BATCH, CLASSES, HIDDEN, INPUTS, Inbox, Learner, Memory, RING, Wire, fits};
use lgl2o_host::data::Dataset;
use lgl2o_host::device::stream::{
    Data, ExampleServer, Examples, Line, LineError, Outcome, Patience, StreamError, Unfit, run,
};
use lgl2o_tests::cable::{Cable, DeviceEnd, Faults, HostEnd};
use lgl2o_tests::cases;
use lgl2o_tests::task::images;
use proptest::prelude::*;

const ORDER: Order = Order { seed: 3, steps: 45 };
const ALL: usize = usize::MAX;

/// A device on its own thread, until its run is over or its line is closed. Gives the hash of its parameters.
fn device(port: DeviceEnd, nudge: fn(&mut Params)) -> std::thread::JoinHandle<Result<u64, Closed>> {
    std::thread::spawn(move || {
        let mut memory = Box::new(Memory::new());
        let mut inbox = Box::new(Inbox::EMPTY);
        let mut wire = Wire::new(port, &mut inbox);
        let mut learner = Learner::start(&mut memory, &mut wire, nudge)?;
        while learner.round(&mut wire)?.is_some() {}
        learner.finish(&mut wire)?;
        Ok(Trace::of_tensors(learner.params()))
    })
}

fn patience(stall: u64) -> Patience {
    Patience { retry: Duration::from_millis(15), stall: Duration::from_millis(stall) }
}

fn host(end: HostEnd, order: Order, stall: u64) -> Result<Outcome, StreamError> {
    patient_host(end, order, patience(stall))
}

fn patient_host(end: HostEnd, order: Order, patience: Patience) -> Result<Outcome, StreamError> {
    let train = images(400);
    let examples = Examples::new(&train).expect("they fit");
    run(Line::new(end, patience), Data { train: &examples, test: &train }, order, |_| {})
}

/// A whole run over a cable; both sides must have come to the same end.
fn whole(cable: &Cable, patience: Patience) -> Outcome {
    let device = device(cable.device(), |_| {});
    let outcome = patient_host(cable.host(ALL), ORDER, patience).expect("it begins");
    cable.close();
    if let Ok(params) = device.join().expect("no panic") {
        assert_eq!(params, outcome.params);
    }
    outcome
}

/// The run of a learner that no line comes between.
fn alone() -> (Vec<RoundRecord>, u64) {
    let examples = Examples::new(&images(400)).expect("they fit");
    let mut server = ExampleServer::new(&examples, ORDER).expect("enough");
    let mut memory = Box::new(Memory::new());
    let Ok(mut learner) = Learner::start(&mut memory, &mut server, |_| {});
    let mut rounds = Vec::new();
    while let Ok(Some(round)) = learner.round(&mut server) {
        rounds.push(round);
    }
    assert!(learner.error().is_none() && learner.check_loss().is_finite());
    (rounds, Trace::of_tensors(learner.params()))
}

/// The rounds of a run whose every round was compared.
fn compared(outcome: &Outcome) -> Vec<RoundRecord> {
    outcome.rounds.iter().map(|(device, host)| device.filter(|device| device == host).expect("compared")).collect()
}

#[test]
fn a_good_line_gives_the_bits_of_no_line() {
    // A busy machine is slow to answer, which is no reason to ask again.
    let never = Duration::from_secs(600);
    let outcome = whole(&Cable::good(), Patience { retry: never, stall: never });
    assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
    assert_eq!((compared(&outcome), outcome.params), alone());
    assert_eq!((outcome.damaged, outcome.repeats), ([0, 0], 2), "only the last word is said three times");
}

#[test]
fn memory_is_what_the_formula_says() {
    let parameters = INPUTS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES;
    assert_eq!(parameters, 3322);
    // Accepted parameters, the running point, a gradient, and three numbers a parameter of the rule that runs.
    let numbers = 6 * parameters + BATCH * (HIDDEN + CLASSES) + 2 * BATCH + BATCH * INPUTS;
    let bytes = 4 * numbers + RING * BATCH * (INPUTS + 1) + BATCH;
    let all = size_of::<Memory>();
    assert!((bytes..bytes + 1000).contains(&all), "{all} bytes, of which {bytes} are large");
    // With a frame, 2 kB of stack and what the board needs, 128 kB.
    assert!(all + size_of::<Inbox>() < 125_000, "{all}");
}

#[test]
fn it_learns() {
    let (rounds, _) = alone();
    let loss = |round: &RoundRecord| f32::from_bits(round.train_loss);
    assert!(loss(&rounds[rounds.len() - 1]) < 0.7 * loss(&rounds[0]), "{rounds:?}");
}

proptest! {
    #![proptest_config(cases!(24, "stream"))]

    #[test]
    fn a_bad_line_gives_the_same_bits(seed: u64, kind in 0usize..8, percent in 1u32..30) {
        let mut faults = Faults::default();
        let part = percent / 6;
        match kind {
            0 => faults.drop = percent,
            1 => faults.flip = percent,
            2 => faults.cut = percent,
            3 => faults.twice = percent,
            4 => faults.late = percent,
            5 => faults.noise = percent,
            _ => faults = Faults { drop: part, flip: part, cut: part, twice: part, late: part, noise: part },
        }
        let (there, back) = if seed % 2 == 0 { (faults, faults) } else { (faults, Faults::default()) };
        let outcome = whole(&Cable::new(there, back, seed >> 1), patience(20_000));
        prop_assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
        prop_assert_eq!((compared(&outcome), outcome.params), alone());
    }

    #[test]
    fn a_host_that_vanishes_and_returns_changes_nothing(
        // Too few answers in all for the run to come to its end: then the device would be gone, and that is another story.
        stops in prop::collection::vec(1usize..17, 1..4),
        seed: u64,
        cut in 0u32..20,
    ) {
        let faults = Faults { cut, ..Faults::default() };
        let cable = Cable::new(faults, Faults::default(), seed >> 1);
        let device = device(cable.device(), |_| {});
        for frames in stops {
            match host(cable.host(frames), ORDER, 20_000) {
                Ok(Outcome { failure: Some(StreamError::Line(LineError::Closed)), .. })
                | Err(StreamError::Line(LineError::Closed)) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
        let outcome = host(cable.host(ALL), ORDER, 20_000).expect("it begins");
        cable.close();
        prop_assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
        let here: Vec<RoundRecord> = outcome.rounds.iter().map(|(_, host)| *host).collect();
        prop_assert!(outcome.rounds.iter().all(|(device, host)| device.is_none_or(|device| device == *host)));
        prop_assert_eq!((here, outcome.params), alone());
        if let Ok(params) = device.join().expect("no panic") {
            prop_assert_eq!(params, outcome.params);
        }
    }

    #[test]
    fn no_bytes_make_a_device_panic(bytes in prop::collection::vec(any::<u8>(), 0..5000), zeros in 0usize..4) {
        let mut bytes = bytes;
        // Some zeros more than chance has, for frames to end.
        (0..bytes.len()).step_by(97).take(zeros * 10).for_each(|i| bytes[i] = 0);
        prop_assert_eq!(fed(bytes), Err(Closed));
    }

    #[test]
    fn no_messages_make_a_device_panic(
        messages in prop::collection::vec((0u32..3, 0u32..4, 0u8..4, 0usize..4, any::<u8>()), 0..40),
    ) {
        let mut buffer = vec![0; 10_000];
        let mut bytes = Vec::new();
        for (run, number, kind, size, value) in messages {
            let run = if run == 1 { ORDER.id() } else { run };
            let pixels = vec![value; [BATCH * INPUTS, 0, 5, BATCH * INPUTS - 1][size]];
            let labels = vec![value % 13; [BATCH, 0, BATCH + 1, BATCH][size]];
            let answer = match kind {
                0 => Answer::Start(ORDER),
                1 => Answer::Noted,
                _ => Answer::Batch { pixels: &pixels, labels: &labels },
            };
            let message = if kind == 3 { ToDevice::Repeat } else { ToDevice::Answer { run, number, answer } };
            bytes.extend(encode(&message, &mut buffer).expect("fits"));
        }
        prop_assert_eq!(fed(bytes), Err(Closed));
    }
}

/// What a device makes of bytes, after which its line is closed.
fn fed(bytes: Vec<u8>) -> Result<u64, Closed> {
    let mut inbox = Box::new(Inbox::EMPTY);
    let mut wire = Wire::new(Script { waiting: bytes.into_iter() }, &mut inbox);
    let mut memory = Box::new(Memory::new());
    let mut learner = Learner::start(&mut memory, &mut wire, |_| {})?;
    while learner.round(&mut wire)?.is_some() {}
    learner.finish(&mut wire)?;
    Ok(Trace::of_tensors(learner.params()))
}

/// A port on which bytes come as written down, and then none.
struct Script {
    waiting: std::vec::IntoIter<u8>,
}

impl embedded_io::ErrorType for Script {
    type Error = std::convert::Infallible;
}

impl embedded_io::Read for Script {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error> {
        Ok(buffer.iter_mut().zip(&mut self.waiting).map(|(to, from)| *to = from).count())
    }
}

impl embedded_io::Write for Script {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Self::Error> {
        Ok(())
    }
}

#[test]
fn a_flipped_bit_in_one_weight_is_named_by_its_round() {
    let cable = Cable::good();
    let device = device(cable.device(), flip_bit);
    let outcome = host(cable.host(ALL), ORDER, 20_000).expect("it begins");
    cable.close();
    assert_eq!(device.join().expect("no panic"), Err(Closed), "its run was not carried to an end");
    let failure = outcome.failure.expect("a difference");
    let StreamError::Differs { round, .. } = failure else { panic!("{failure}") };
    let (last, before) = outcome.rounds.split_last().expect("rounds");
    assert_eq!(before.len() + 1, round as usize, "nothing after the first difference");
    assert!(before.iter().all(|(theirs, ours)| *theirs == Some(*ours)), "and none before it");
    assert_ne!(last.0.expect("the round as the device has it"), last.1);
}

#[test]
fn a_device_in_another_run_is_left_alone() {
    let cable = Cable::good();
    let device = device(cable.device(), |_| {});
    assert!(matches!(host(cable.host(9), ORDER, 20_000), Ok(Outcome { failure: Some(_), .. })));
    let other = Order { seed: ORDER.seed + 1, ..ORDER };
    let refused = host(cable.host(ALL), other, 20_000).expect_err("another run");
    assert!(matches!(refused, StreamError::Line(LineError::Busy)), "{refused}");
    // The first run goes on as if nothing had been.
    let outcome = host(cable.host(ALL), ORDER, 20_000).expect("it begins");
    cable.close();
    assert_eq!((outcome.failure.is_none(), outcome.params), (true, alone().1));
    assert_eq!(device.join().expect("no panic").unwrap_or(outcome.params), outcome.params);
}

#[test]
fn a_device_that_was_reset_in_the_middle_is_told_apart() {
    let cable = Cable::good();
    let mut first = Some(device(cable.device(), |_| {}));
    let moved = cable.clone();
    let running = std::thread::spawn(move || {
        let train = images(400);
        let examples = Examples::new(&train).expect("they fit");
        let data = Data { train: &examples, test: &train };
        let mut second = None;
        // After the first round the device is torn away, and another is there, as after a reset.
        let outcome = run(Line::new(moved.host(ALL), patience(20_000)), data, Order { steps: 4000, ..ORDER }, |_| {
            if let Some(first) = first.take() {
                moved.close();
                assert_eq!(first.join().expect("no panic"), Err(Closed));
                moved.open();
                second = Some(device(moved.device(), |_| {}));
            }
        });
        moved.close();
        (outcome, second)
    });
    let (outcome, second) = running.join().expect("no panic");
    let failure = outcome.expect("it begins").failure.expect("a failure");
    assert!(matches!(failure, StreamError::Line(LineError::Restarted)), "{failure}");
    assert!(second.expect("a second device").join().expect("no panic").is_err());
}

#[test]
fn a_host_that_was_gone_at_the_end_finds_the_end() {
    let cable = Cable::good();
    let port = cable.device();
    let device = std::thread::spawn(move || {
        let (mut inbox, mut memory) = (Box::new(Inbox::EMPTY), Box::new(Memory::new()));
        let mut wire = Wire::new(port, &mut inbox);
        let mut learner = Learner::start(&mut memory, &mut wire, |_| {})?;
        while learner.round(&mut wire)?.is_some() {}
        learner.finish(&mut wire)?;
        Ok::<_, Closed>(wire.stay(&learner.last_word()))
    });
    // The first one saw the end, and perhaps nobody has seen that; the second one has to find it all the same.
    for _ in 0..2 {
        let outcome = host(cable.host(ALL), ORDER, 20_000).expect("it begins");
        assert!(outcome.failure.is_none(), "{:?}", outcome.failure);
        assert_eq!(outcome.params, alone().1);
    }
    let other = Order { seed: ORDER.seed + 1, ..ORDER };
    let refused = host(cable.host(ALL), other, 20_000).expect_err("another run");
    assert!(matches!(refused, StreamError::Line(LineError::Busy)), "{refused}");
    cable.close();
    assert_eq!(device.join().expect("no panic"), Ok(Closed));
}

#[test]
fn a_bad_line_is_bad() {
    let faults = Faults { drop: 10, flip: 20, ..Faults::default() };
    let outcome = whole(&Cable::new(faults, faults, 1), patience(20_000));
    let ([there, here], repeats) = (outcome.damaged, outcome.repeats);
    assert!(there > 3 && here > 3 && repeats > 12, "{there} {here} {repeats}");
}

#[test]
fn nobody_at_the_other_end_is_a_stall() {
    let refused = host(Cable::good().host(ALL), ORDER, 100).expect_err("nobody there");
    assert!(matches!(refused, StreamError::Line(LineError::Stalled(_))), "{refused}");
}

#[test]
fn a_device_of_another_version_is_refused() {
    let cable = Cable::good();
    let question = Question { run: 0, number: 0, damaged: 0, ask: Ask::Start };
    let mut body = vec![VERSION + 1];
    let mut buffer = [0; 128];
    body.extend(&encode(&FromDevice::Question(question), &mut buffer).expect("fits")[1..4]);
    cable.write_to_host(&sealed(&body));
    let refused = host(cable.host(ALL), ORDER, 1000).expect_err("another version");
    assert!(refused.to_string().contains("version 2"), "{refused}");
}

/// A body as a frame.
fn sealed(body: &[u8]) -> Vec<u8> {
    let crc = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC).checksum(body).to_le_bytes();
    [&[0][..], &cobs::encode_vec(&[body, &crc].concat()), &[0]].concat()
}

#[test]
fn an_answer_must_fit_its_question() {
    let (pixels, labels) = ([9; BATCH * INPUTS], [0; BATCH]);
    let batch = Answer::Batch { pixels: &pixels, labels: &labels };
    assert!(fits(&Ask::Train, &batch) && fits(&Ask::Check, &batch) && fits(&Ask::Start, &Answer::Start(ORDER)));
    assert!(!fits(&Ask::Start, &batch) && !fits(&Ask::Train, &Answer::Noted));
    assert!(!fits(&Ask::Train, &Answer::Batch { pixels: &pixels[1..], labels: &labels }));
    assert!(!fits(&Ask::Train, &Answer::Batch { pixels: &pixels, labels: &labels[1..] }));
    let unknown = [CLASSES as u8; BATCH];
    assert!(!fits(&Ask::Train, &Answer::Batch { pixels: &pixels, labels: &unknown }));
}

#[test]
fn data_that_do_not_fit_are_refused() {
    let few = Examples::new(&images(6 * BATCH - 1)).expect("they fit");
    assert!(matches!(ExampleServer::new(&few, ORDER), Err(Unfit::TooFew { .. })));
    let narrow = Dataset::new(vec![0.0; 4], vec![0, 1], 2, 2, None).expect("a data set");
    assert!(matches!(Examples::new(&narrow), Err(Unfit::Width(2))));
}

#[test]
fn check_batches_are_fresh_first_and_then_the_newest() {
    use lgl2o::batch::Targets;
    use lgl2o::source::Source;
    use lgl2o_device::stream::{Exchange, Feed, Held};
    /// Batches with the label 0, then 1, ...
    struct Counting([u8; BATCH], u8);
    impl Exchange for Counting {
        type Error = std::convert::Infallible;
        fn ask(&mut self, _: &Ask) -> Result<Answer<'_>, Self::Error> {
            self.0 = [self.1; BATCH];
            self.1 += 1;
            Ok(Answer::Batch { pixels: &[0; BATCH * INPUTS], labels: &self.0 })
        }
    }
    let (mut exchange, mut held) = (Counting([0; BATCH], 0), Held::EMPTY);
    let mut feed = Feed::new(&mut exchange, &mut held, u32::MAX);
    let mut seen = |n: usize| {
        feed.begin_round();
        let each = (0..n).map(|_| match feed.check().expect("a batch").targets {
            Targets::Classes(labels) => labels.get(0).expect("a label"),
            Targets::Values(_) => unreachable!(),
        });
        each.collect::<Vec<u8>>()
    };
    assert_eq!(RING, 3);
    assert_eq!(seen(2), [0, 1]);
    assert_eq!(seen(4), [2, 1, 0, 3]);
    assert_eq!(seen(3), [4, 3, 2]);
    assert_eq!(seen(1), [5]);
    assert_eq!(seen(3), [6, 5, 4]);
}

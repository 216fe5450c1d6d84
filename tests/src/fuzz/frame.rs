//! Frames on a serial line, in both directions.

use lgl2o_device::cost::{Cost, Item};
use lgl2o_device::frame::{Decoder, encode};
use lgl2o_device::message::{Answer, Ask, FROM_DEVICE_LEN, FromDevice, Order, Question, Summary, ToDevice};
use serde::Serialize;

use super::{Target, put_right};

pub(super) const TARGET: Target = Target { name: "frame", read, examples, memory };

/// The longest frame that is read here.
const LONGEST: usize = 4096;
type Device = Decoder<LONGEST>;
/// With version and checksum, no frame of a device is longer; one that is so is refused.
type Host = Decoder<{ FROM_DEVICE_LEN + 5 }>;

/// What is written here to compare: nothing in the reader allocates.
fn memory(_: &[u8]) -> usize {
    1 << 16
}

/// The first byte says who reads; the rest is a line's bytes, and then the body of a frame whose checksum is right.
fn read(bytes: &[u8]) -> bool {
    let Some((&who, line)) = bytes.split_first() else { return false };
    let mut body = [line.get(..LONGEST - 4).unwrap_or(line), &[0; 4]].concat();
    let end = body.len() - 4;
    put_right(&mut body, 0..end, end);
    let framed = [&cobs::encode_vec(&body)[..], &[0]].concat();
    [line, &framed].map(|line| {
        let frames = again(who, line);
        frames.iter().for_each(|frame| assert_eq!(again(who, frame), [&frame[..]]));
        !frames.is_empty()
    })[0]
}

/// The messages that a line holds, each written as a frame again.
fn again(who: u8, line: &[u8]) -> Vec<Vec<u8>> {
    let (mut device, mut host) = (Box::new(Device::new()), Host::new());
    let told = |&byte: &u8| {
        if who.is_multiple_of(2) {
            device.feed(byte).ok()??;
            Some(written(&device.message::<ToDevice<'_>>().ok()?))
        } else {
            host.feed(byte).ok()??;
            Some(written(&host.message::<FromDevice>().ok()?))
        }
    };
    line.iter().filter_map(told).collect()
}

fn written(message: &impl Serialize) -> Vec<u8> {
    encode(message, &mut vec![0; 4 * LONGEST]).expect("what was read fits").to_vec()
}

fn examples() -> Vec<Vec<u8>> {
    fn line(who: u8, message: &impl Serialize) -> Vec<u8> {
        let mut buffer = [0; 2048];
        [&[who][..], encode(message, &mut buffer).expect("it fits")].concat()
    }
    let order = Order { seed: 3, steps: 100 };
    let batch = Answer::Batch { pixels: &[1, 2, 3, 0, 255], labels: &[0, 9] };
    let answer = |answer| ToDevice::Answer { run: order.id(), number: 2, answer };
    let question = |ask| FromDevice::Question(Question { run: order.id(), number: 7, damaged: 0, ask });
    let summary = Summary { loss: 1, steps: 600, learned: 7, memory: 4000, stack: 300 };
    let cost = Cost { workload: 1, item: Item::Gradient, parameters: 82, instructions: 1000 };
    let mut all: Vec<_> = [ToDevice::Repeat, answer(Answer::Start(order)), answer(Answer::Noted), answer(batch)]
        .map(|m| line(0, &m))
        .into();
    let done = Ask::Done { rounds: 3, steps: 60, params: u64::MAX, well: true };
    all.extend([question(Ask::Start), question(Ask::Train), question(Ask::Check), question(done)].map(|m| line(1, &m)));
    all.extend([FromDevice::Summary(summary), FromDevice::Cost(cost)].map(|m| line(1, &m)));
    let done = FromDevice::Done { rounds: 410, params: 0 };
    all.extend([FromDevice::Resumed { rounds: 9 }, done].map(|m| line(1, &m)));
    all
}

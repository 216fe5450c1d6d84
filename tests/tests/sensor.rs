//! The demonstration `sensor`: what its driver says on the bus, and what becomes of samples.

use embedded_hal::i2c::ErrorKind;
use embedded_hal_mock::eh1::i2c::{Mock, Transaction};
use lgl2o_device::sensor::replay::GESTURES;
use lgl2o_device::sensor::replay::Replay;
use lgl2o_device::sensor::window::{FEATURES, SAMPLES, SensorError, Windows};
use lgl2o_device::sensor::{HELD, SEED, TESTED, script};

const ADDRESS: u8 = 0x18;
const WHO_AM_I: u8 = 0x0f;
const CTRL_1: u8 = 0x20;
const CTRL_4: u8 = 0x23;
const STATUS: u8 = 0x27;
/// The first output register, with the bit that reads several.
const OUT: u8 = 0x28 | 0x80;

fn read(register: u8, contents: &[u8]) -> Transaction {
    Transaction::write_read(ADDRESS, vec![register], contents.to_vec())
}

/// A register is read and written back.
fn change(register: u8, from: u8, to: u8) -> [Transaction; 2] {
    [read(register, &[from]), Transaction::write(ADDRESS, vec![register, to])]
}

/// What sets the sensor up: 12 bits, 2 g, blocks kept whole, three axes, 100 Hz.
fn setup() -> Vec<Transaction> {
    let changes = [
        change(CTRL_1, 0x07, 0x07),
        change(CTRL_4, 0x00, 0x08),
        change(CTRL_4, 0x08, 0x08),
        change(CTRL_4, 0x08, 0x88),
        change(CTRL_1, 0x07, 0x07),
        change(CTRL_1, 0x07, 0x57),
    ];
    [read(WHO_AM_I, &[0x33])].into_iter().chain(changes.into_iter().flatten()).collect()
}

/// A sample in steps of 1 mg, 12 bits at the upper end of 16.
fn sample(mg: [i16; 3]) -> [Transaction; 2] {
    let bytes: Vec<u8> = mg.iter().flat_map(|x| (x * 16).to_le_bytes()).collect();
    [read(STATUS, &[0x08]), read(OUT, &bytes)]
}

#[test]
fn a_window_is_set_up_waited_for_and_read() {
    let mut script = setup();
    // Twice there is nothing yet.
    script.extend([read(STATUS, &[0x00]), read(STATUS, &[0x07])]);
    for i in 0..SAMPLES {
        let swing = if i % 2 == 0 { 500 } else { -500 };
        script.extend(sample([swing, -250, 1000]));
    }
    let mut bus = Mock::new(&script);
    let mut windows = Windows::new(bus.clone()).expect("a sensor");
    let features = windows.features().expect("a window");
    bus.done();
    let roughness = 4.0 * 63.0 / 64.0;
    let expected = [0.0, 0.5, roughness, -0.25, 0.0, 0.0, 1.0, 0.0, 0.0];
    for (i, (found, expected)) in features.iter().zip(expected).enumerate() {
        assert!((found - expected).abs() < 1e-6, "feature {i}: {found}, not {expected}");
    }
}

#[test]
fn what_is_wrong_with_the_sensor_is_said() {
    let refused = |script: &[Transaction]| {
        let mut bus = Mock::new(script);
        let error = Windows::new(bus.clone()).and_then(|mut windows| windows.features()).expect_err("no sensor");
        bus.done();
        error
    };
    assert_eq!(refused(&[read(WHO_AM_I, &[0x11])]), SensorError::OtherDevice);
    let nobody = read(WHO_AM_I, &[0]).with_error(ErrorKind::Other);
    assert_eq!(refused(&[nobody]), SensorError::Bus);
    let silent = vec![read(STATUS, &[0x00]); 10_000];
    assert_eq!(refused(&[setup(), silent].concat()), SensorError::Silent);
    let torn: Vec<Transaction> = setup().into_iter().chain(sample([0; 3])).collect();
    let lost = read(STATUS, &[0]).with_error(ErrorKind::Other);
    assert_eq!(refused(&[torn, vec![lost]].concat()), SensorError::Bus);
}

#[test]
fn a_recording_repeats_itself_and_is_what_the_script_says() {
    let recorded = |seed, count: u32| {
        let mut windows = Windows::new(Replay::new(script, seed)).expect("a sensor");
        (0..count).map(|_| windows.features().expect("a window")).collect::<Vec<[f32; FEATURES]>>()
    };
    let windows = recorded(SEED, 8);
    assert_eq!(windows, recorded(SEED, 8));
    assert_ne!(windows, recorded(SEED + 1, 8));
    // Nobody is turned far at the factory: rest is still, a shake is along x, a nod along y, a circle in both.
    let moves = |window: usize| [1, 4].map(|deviation| windows[window][deviation] > 0.2);
    assert_eq!([0, 1, 2, 3].map(moves), [[false, false], [true, false], [false, true], [true, true]]);
    // Gravity is there all the time.
    assert!(windows.iter().all(|features| (features[6] - 1.0).abs() < 0.02), "{windows:?}");
}

#[test]
fn the_script_has_every_gesture_as_often() {
    let all = 0..HELD as u32 + TESTED;
    for gesture in 0..GESTURES.len() as u8 {
        let count = all.clone().filter(|&window| script(window).1 == gesture).count();
        assert_eq!(count, all.len() / GESTURES.len());
    }
    assert_ne!(script(0).0, script(HELD as u32).0);
}

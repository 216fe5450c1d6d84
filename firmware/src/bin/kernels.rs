//! The kernels of the dense layer on this processor, some of them in assembly, against their slow twins: the same bits for
//! small shapes, whatever the numbers are. And its square root against libm's.
#![no_std]
#![no_main]

use embedded_io::Write as _;
use lgl2o::batch::Rows;
use lgl2o::objective::mlp::{Activation, dense};
use lgl2o::{Rng, math, sum};
use lgl2o_device::message::{FromDevice, Summary};
use lgl2o_firmware::board::{self, entry};
use lgl2o_firmware::{Board, program};
use static_cell::ConstStaticCell;

/// Inputs of a layer at most.
const WIDTH: usize = 72;
/// Inputs of a layer: all numbers of blocks of eight, two to a turn and four to a turn, and of what may be left of them.
fn widths() -> impl Iterator<Item = usize> {
    (1..=36).chain([57, 63, 64, 71, 72])
}
/// Outputs at most: two tiles, and one that is left.
const OUTPUTS: usize = 9;
/// Examples at most: those that a weight gradient takes at once, and two more.
const EXAMPLES: usize = 18;
/// Numbers of examples: all up to two tiles and one that is left, and those about what a weight gradient takes at once.
fn examples() -> impl Iterator<Item = usize> {
    (1..=9).chain(15..=EXAMPLES)
}

/// What the kernels read, and what both sides write.
struct Room {
    weights: [f32; OUTPUTS * WIDTH],
    bias: [f32; OUTPUTS],
    inputs: [f32; EXAMPLES * WIDTH],
    errors: [f32; EXAMPLES * OUTPUTS],
    results: [[f32; EXAMPLES * WIDTH]; 2],
}

static ROOM: ConstStaticCell<Room> = ConstStaticCell::new(Room {
    weights: [0.0; OUTPUTS * WIDTH],
    bias: [0.0; OUTPUTS],
    inputs: [0.0; EXAMPLES * WIDTH],
    errors: [0.0; EXAMPLES * OUTPUTS],
    results: [[0.0; EXAMPLES * WIDTH]; 2],
});

/// Examples out of order, one of them twice.
const PICK: [u32; EXAMPLES] = [3, 0, 8, 5, 5, 1, 7, 2, 6, 17, 9, 11, 10, 16, 15, 12, 14, 13];

/// Numbers of all kinds: most of them common ones, some zeros of both signs, very small and very large ones.
fn fill(numbers: &mut [f32], rng: &mut Rng) {
    for number in numbers {
        *number = match rng.below(40) {
            0 => 0.0,
            1 => -0.0,
            2 => 1e-39,
            3 => -3e38,
            _ => rng.normal(),
        };
    }
}

/// Whether both sides have the same bits, or neither is a number, as far as the kernel writes; beyond, nothing may have changed.
fn same([a, b]: &[[f32; EXAMPLES * WIDTH]; 2]) -> bool {
    a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits() || a.is_nan() && b.is_nan())
}

/// Holds the kernels of one shape against their twins.
fn holds(room: &mut Room, [width, outputs, n]: [usize; 3], rows: impl Fn(&[f32]) -> Rows<'_>) -> bool {
    let Room { weights, bias, inputs, errors, results } = room;
    let (weights, bias) = (&weights[..outputs * width], &bias[..outputs]);
    let mut all = true;
    let [fast, slow] = results;
    dense::forward(weights, bias, rows(inputs), n, fast);
    dense::plain::forward(weights, bias, rows(inputs), n, slow);
    all &= same(results);
    let [fast, slow] = results;
    dense::weight_gradient(errors, rows(inputs), n, outputs, &mut fast[..outputs * width]);
    dense::plain::weight_gradient(errors, rows(inputs), n, outputs, &mut slow[..outputs * width]);
    all &= same(results);
    // The same, added to zeros as it is made: each number once.
    let [fast, slow] = results;
    let (fast, slow) = (&mut fast[..outputs * width], &mut slow[..outputs * width]);
    fast.fill(0.0);
    let motion = |w: &mut [f32], []: [&mut [f32]; 0], g: &[f32]| sum::plain::add_scaled(w, 1.0, g);
    dense::descend(errors, rows(inputs), n, outputs, &motion, dense::Part { weights: fast, slots: [] });
    slow.iter_mut().for_each(|g| *g += 0.0);
    all &= same(results);
    let [fast, slow] = results;
    fast[..n * width].copy_from_slice(&inputs[..n * width]);
    slow[..n * width].copy_from_slice(&inputs[..n * width]);
    dense::input_error(weights, errors, n, [width, outputs], Activation::Tanh, fast);
    dense::plain::input_error(weights, errors, n, width, outputs, Activation::Tanh, slow);
    all & same(results)
}

/// Whether a multiple of a row, added to another, has the bits of its twin, at each length.
fn rows_hold(room: &mut Room, rng: &mut Rng) -> bool {
    let Room { inputs, results, .. } = room;
    (0..=WIDTH).all(|n| {
        fill(inputs, rng);
        let a = rng.normal();
        let (x, y) = inputs.split_at(WIDTH);
        results.iter_mut().for_each(|result| result[..WIDTH].copy_from_slice(&y[..WIDTH]));
        let [fast, slow] = results;
        sum::add_scaled(&mut fast[..WIDTH], a, &x[..n]);
        sum::plain::add_scaled(&mut slow[..n], a, x);
        same(results)
    })
}

/// Every exponent with mantissas of all sizes, even and odd: the root by the processor is libm's.
fn roots_hold() -> bool {
    let same = |bits: u32| {
        let x = f32::from_bits(bits);
        math::sqrt(x).to_bits() == libm::sqrtf(x).to_bits()
    };
    let special = [0.0, -0.0, f32::INFINITY, f32::MAX, f32::MIN_POSITIVE, 1e-45].map(f32::to_bits);
    let negative = math::sqrt(-1.0).is_nan() && math::sqrt(f32::NAN).is_nan();
    negative && special.into_iter().chain((0..0x7f80_0000).step_by(0x0000_fff1)).all(same)
}

/// Where the board starts.
#[entry]
fn main() -> ! {
    let (Some(Board { mut uart, .. }), Some(room)) = (Board::take(), ROOM.try_take()) else {
        board::exit(program::FAILED)
    };
    let mut rng = Rng::new(1);
    let mut shapes = 0;
    for (width, outputs) in widths().flat_map(|width| (1..=OUTPUTS).map(move |outputs| (width, outputs))) {
        fill(&mut room.weights, &mut rng);
        fill(&mut room.bias, &mut rng);
        fill(&mut room.inputs, &mut rng);
        fill(&mut room.errors, &mut rng);
        for n in examples() {
            let shape = [width, outputs, n];
            let all = holds(room, shape, |inputs| Rows::all(&inputs[..n * width], width))
                && holds(room, shape, |inputs| Rows::picked(inputs, width, &PICK[..n]));
            if !all {
                defmt::error!("other bits: {=usize} inputs, {=usize} outputs, {=usize} examples", width, outputs, n);
                board::exit(program::FAILED)
            }
            shapes += 1;
        }
    }
    if !rows_hold(room, &mut rng) {
        defmt::error!("a multiple of a row, added to another, has other bits");
        board::exit(program::FAILED)
    }
    if !roots_hold() {
        defmt::error!("a square root is not libm's");
        board::exit(program::FAILED)
    }
    defmt::info!("{=u32} shapes have the bits of their twins", shapes);
    let stack = board::high_water();
    program::send(
        &mut uart,
        &FromDevice::Summary(Summary { loss: 0, steps: shapes, learned: 0, memory: size_of::<Room>() as u32, stack }),
    );
    let Ok(()) = uart.flush();
    board::exit(0)
}

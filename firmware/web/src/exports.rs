//! What the page calls. Numbers in, numbers out; what is longer stands in memory, at an address that the page asks for.
#![allow(unsafe_code)]

use core::cell::UnsafeCell;

use lgl2o::{Memory, Winner};
use lgl2o_device::spirals::{Large, Outcome, RunMemory};

use crate::board::Program;
use crate::lane::Stop;
use crate::points::MOST;
use crate::race::{FIELD, REACH, Race};

/// A static that only exports use.
struct Only<T>(UnsafeCell<T>);

// SAFETY: WebAssembly without shared memory has one thread, and other targets do not call exports.
unsafe impl<T> Sync for Only<T> {}

impl<T> Only<T> {
    /// Lends what is inside to one function.
    fn lend<R>(&self, work: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: there is one thread, the module imports nothing, so that no export is called while another runs, and none of the
        // functions below lends the same static twice at a time.
        work(unsafe { &mut *self.0.get() })
    }
}

static RACE: Only<Race> = Only(UnsafeCell::new(Race::new()));
static PROGRAM: Only<Program> = Only(UnsafeCell::new(Program::new()));
// Zero, and apart from what is not, so that it takes no room in the module.
static MEMORY: Only<RunMemory<Large>> = Only(UnsafeCell::new(Memory::new()));

/// What the board's program says: trace, parameters, loss, rounds, steps, rounds of the learned side, bytes. 64 bits are two
/// words, the lower one first.
type Said = [u32; 9];
static SAID: Only<Said> = Only(UnsafeCell::new([0; 9]));

/// Exports functions under their own names.
macro_rules! export {
    ($($(#[$doc:meta])* fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(
            $(#[$doc])*
            // SAFETY: no other symbol of this module has the name; the page knows the types.
            #[unsafe(no_mangle)]
            pub extern "C" fn $name($($argument: $type),*) $(-> $result)? $body
        )*
    };
}

export! {
    /// Where coordinates are written to: pairs of 32-bit floats.
    fn inputs() -> *const f32 { RACE.lend(|race| race.points.inputs.as_ptr()) }
    /// Where classes are written to: bytes.
    fn labels() -> *const u8 { RACE.lend(|race| race.points.labels.as_ptr()) }
    /// Most points.
    fn most() -> u32 { MOST as u32 }
    /// How many points count.
    fn count() -> u32 {
        RACE.lend(|race| race.points.labels().len() as u32)
    }
    /// So many points have been written; returns how many count.
    fn take(count: u32) -> u32 { RACE.lend(|race| race.points.take(count as usize) as u32) }
    /// Makes spirals; returns how many points.
    fn spirals(seed: u32) -> u32 { RACE.lend(|race| race.points.spirals(seed.into()).unwrap_or(0) as u32) }
    /// Makes rings; returns how many points.
    fn rings(seed: u32) -> u32 { RACE.lend(|race| race.points.rings(seed.into()) as u32) }
    /// How many optimizers there are.
    fn lanes() -> u32 { Race::LANES }
    /// Sets the rate of those that have one.
    fn rate(rate: f32) { RACE.lend(|race| race.rate = rate); }
    /// Sabotages the learned side; 0 ends it. Returns 1 where there is no such kind, and nothing is changed.
    fn sabotage(kind: u32) -> u32 {
        RACE.lend(|race| u32::from(!race.sabotage(kind as usize)))
    }
    /// An optimizer begins again.
    fn restart(lane: u32, seed: u32) { RACE.lend(|race| race.restart(lane, seed.into())); }
    /// An optimizer runs until it has taken so many batches, or a guard has judged. Returns 0 when it has taken them, 1 when it goes on
    /// no more, else 2 + the winner (0 the fallback, 1 the learned side, 2 nobody), and 3 more once the fallback has taken over.
    fn advance(lane: u32, until: u32) -> u32 {
        match RACE.lend(|race| race.advance(lane, until)) {
            Stop::Reached => 0,
            Stop::Broken => 1,
            Stop::Judged(window) => {
                let winner = match window.winner {
                    Winner::Fallback => 0,
                    Winner::Learned => 1,
                    Winner::Neither => 2,
                };
                2 + winner + 3 * u32::from(window.handed_over)
            }
        }
    }
    /// Batches that an optimizer has taken.
    fn batches(lane: u32) -> u32 { RACE.lend(|race| race.batches(lane)) }
    /// Mean loss of an optimizer on all points; a NaN without points.
    fn loss(lane: u32) -> f32 { RACE.lend(|race| race.score(lane).map_or(f32::NAN, |score| score.loss)) }
    /// Share of all points that an optimizer recognises.
    fn right(lane: u32) -> f32 { RACE.lend(|race| race.score(lane).map_or(0.0, |score| score.right)) }
    /// Bytes of training memory of an optimizer.
    fn bytes(lane: u32) -> u32 { RACE.lend(|race| race.bytes(lane) as u32) }
    /// Weights of the network.
    fn weights() -> u32 { RACE.lend(|race| race.weights() as u32) }
    /// Draws an optimizer's field; returns where it is: rows of 32-bit floats from the lower left.
    fn field(lane: u32) -> *const f32 {
        RACE.lend(|race| {
            race.draw(lane);
            race.field.as_ptr()
        })
    }
    /// Cells of a field in each direction.
    fn cells() -> u32 { FIELD as u32 }
    /// How far a field reaches from the middle.
    fn reach() -> f32 { REACH }
    /// The boards' program begins.
    fn board_start() { PROGRAM.lend(|program| MEMORY.lend(|memory| program.start(memory))); }
    /// The boards' program makes so many rounds; returns 0 while it runs, 1 at its end, 2 after an error.
    fn board_advance(rounds: u32) -> u32 {
        match PROGRAM.lend(|program| MEMORY.lend(|memory| program.advance(memory, rounds))) {
            Ok(ended) => u32::from(ended),
            Err(_) => 2,
        }
    }
    /// What the boards' program has to say; returns where it is.
    fn board_said() -> *const u32 {
        let said = PROGRAM.lend(|program| said(program));
        SAID.lend(|place| {
            *place = said;
            place.as_ptr()
        })
    }
}

fn said(program: &Program) -> Said {
    let two = |long: u64| [long as u32, (long >> 32) as u32];
    let [low, high] = two(program.trace());
    let bytes = size_of::<RunMemory<Large>>() as u32;
    let Some(outcome) = program.outcome() else { return [low, high, 0, 0, 0, 0, 0, 0, bytes] };
    let [params, params_high] = two(outcome.params);
    let Outcome { loss, rounds, steps, learned, .. } = outcome;
    [low, high, params, params_high, loss.to_bits(), rounds, steps, learned, bytes]
}

//! One loop over several slices and eight partial sums, in the order of [`sum`](crate::sum).
//!
//! Element i of every slice meets lane i mod 8. A rule updates its accumulators and takes sums over a tensor in one such
//! pass.

use crate::sum::{LANES, tree};

/// Runs a body for each element of some slices: `by_lanes!([written] [read] lane => body)`.
///
/// In the body the names stand for `&mut f32` and `f32`; `lane` is below [`LANES`](crate::sum::LANES). The shortest slice
/// ends the loop.
macro_rules! by_lanes {
    ([$($written:ident),*] [$($read:ident),*] $lane:ident => $body:block) => {{
        $(let $written = $written.as_chunks_mut::<{ $crate::sum::LANES }>();)*
        $(let $read = $read.as_chunks::<{ $crate::sum::LANES }>();)*
        {
            $(let mut $written = $written.0.iter_mut();)*
            $(let mut $read = $read.0.iter();)*
            loop {
                $(let Some($written) = $written.next() else { break };)*
                $(let Some($read) = $read.next() else { break };)*
                $crate::lanes::block!([$($written),*] [$($read),*] $lane => $body);
            }
        }
        $(let mut $written = $written.1.iter_mut();)*
        $(let mut $read = $read.1.iter();)*
        for $lane in 0..$crate::sum::LANES {
            $(let Some($written) = $written.next() else { break };)*
            $(let Some(&$read) = $read.next() else { break };)*
            $body
        }
    }};
}

/// The body for each lane of one block of every slice.
///
/// On a desktop the blocks are copied before and after: copies alias nothing, so that the compiler makes one vector of each.
/// A microcontroller has no vectors and is better off without the copies.
#[cfg(not(target_os = "none"))]
macro_rules! block {
    ([$($written:ident),*] [$($read:ident),*] $lane:ident => $body:block) => {{
        $(let copy = *$written; let mut $written = ($written, copy);)*
        $(let $read = *$read;)*
        for $lane in 0..$crate::sum::LANES {
            $(let $written = &mut $written.1[$lane];)*
            $(let $read = $read[$lane];)*
            $body
        }
        $(*$written.0 = $written.1;)*
    }};
}

#[cfg(target_os = "none")]
macro_rules! block {
    ([$($written:ident),*] [$($read:ident),*] $lane:ident => $body:block) => {
        for $lane in 0..$crate::sum::LANES {
            $(let $written = &mut $written[$lane];)*
            $(let $read = $read[$lane];)*
            $body
        }
    };
}

pub(crate) use {block, by_lanes};

/// [`sum::tree`](crate::sum::tree) of the partial sums of such a loop.
#[inline(always)]
pub(crate) fn total(lanes: [f32; LANES]) -> f32 {
    // Else the compiler keeps the lanes in the order in which the tree adds them, and shuffles every block into it.
    #[cfg(not(any(target_os = "none", target_family = "wasm")))]
    let lanes = core::hint::black_box(lanes);
    tree(lanes)
}

#[cfg(test)]
mod tests {
    use crate::sum::{self, LANES, tree};

    #[test]
    fn elements_meet_the_lanes_that_sums_give_them() {
        let a: [f32; 19] = core::array::from_fn(|i| 0.1 * i as f32 - 0.7);
        for n in 0..=19 {
            let (mut b, a) = ([0.0; 19], &a[..n]);
            let mut lanes = [0.0; LANES];
            let to = &mut b[..n];
            by_lanes!([to] [a] lane => {
                *to = 2.0 * a;
                lanes[lane] += a * a;
            });
            assert_eq!(tree(lanes).to_bits(), sum::squares(a).to_bits());
            assert!(a.iter().zip(&b).all(|(a, b)| 2.0 * a == *b) && b[n..].iter().all(|x| *x == 0.0));
        }
    }
}

//! One loop over several slices and eight partial sums, in the order of [`sum`](crate::sum).
//!
//! Element i of every slice meets lane i mod 8. A rule updates its accumulators and takes sums over a tensor in one such
//! pass.
//!
//! There are three loops with the same bits: by blocks on a desktop; by pairs of lanes on a processor with a floating-point unit for
//! single numbers; and by single elements, with the feature `small` and for what the others leave.

// With `small`, the other two loops are compiled, but not used.
#![cfg_attr(feature = "small", allow(unused_macros, unused_imports, dead_code))]

use crate::math::{self, One};
use crate::sum::{LANES, tree};

/// Runs a body for each element of some slices, which are equally long: `by_lanes!([written] [read] sums => body)`.
///
/// In the body the names stand for `&mut T` and `T`, where T is a [`Number`](crate::pair::Number). Its value is an array of terms,
/// each of which is added to the lane of its own sum in `sums`, which is `[[f32; LANES]; K]`. Without `sums` there are none.
#[cfg(not(feature = "small"))]
macro_rules! by_lanes {
    ([$($written:ident),*] [$($read:ident),*] => $body:block) => {
        $crate::lanes::each!([$($written),*] [$($read),*] => $body)
    };
    ([$($written:ident),*] [$($read:ident),*] $sums:ident => $body:block) => {{
        $(let $written = $written.as_chunks_mut::<{ $crate::lanes::BLOCK }>();)*
        $(let $read = $read.as_chunks::<{ $crate::lanes::BLOCK }>();)*
        {
            $(let $written = &mut *$written.0;)*
            $(let $read = $read.0;)*
            $crate::lanes::blocks!([$($written),*] [$($read),*] $sums => $body);
        }
        $(let $written = $written.1;)*
        $(let $read = $read.1;)*
        $crate::lanes::singles!([$($written),*] [$($read),*] $sums => $body);
    }};
}

#[cfg(feature = "small")]
macro_rules! by_lanes {
    ([$($written:ident),*] [$($read:ident),*] => $body:block) => {{
        let mut none: [[f32; $crate::sum::LANES]; 0] = [];
        $crate::lanes::singles!([$($written),*] [$($read),*] none => { $body; [] });
    }};
    ([$($written:ident),*] [$($read:ident),*] $sums:ident => $body:block) => {
        $crate::lanes::singles!([$($written),*] [$($read),*] $sums => $body);
    };
}

/// The body for one element after the other, the first of which is in lane 0.
macro_rules! singles {
    ([$($written:ident),*] [$($read:ident),*] $sums:ident => $body:block) => {{
        // Their number is a variable, so that the compiler does not unroll the loop.
        let n = $crate::lanes::shortest(&[$($written.len(),)* $($read.len(),)*]);
        $(let mut $written = $written.iter_mut();)*
        $(let mut $read = $read.iter();)*
        for i in 0..n {
            $(let Some($written) = $written.next() else { break };)*
            $(let Some(&$read) = $read.next() else { break };)*
            $crate::lanes::add(&mut $sums, i % $crate::sum::LANES, $crate::lanes::one!([$($written),*] [$($read),*] => $body));
        }
    }};
}

/// The body for one element, as a number whose operations are those of [`math`](crate::math).
macro_rules! one {
    ([$($written:ident),*] [$($read:ident),*] => $body:block) => {{
        $(let copy = $crate::math::One(*$written); let mut $written = ($written, copy);)*
        $(let $read = $crate::math::One($read);)*
        let value = {
            $(let $written = &mut $written.1;)*
            $body
        };
        $(*$written.0 = $written.1.0;)*
        value
    }};
}

/// The body for each lane of a block, block after block.
///
/// On a desktop the blocks are copied before and after: copies alias nothing, so that the compiler makes one vector of each.
/// A microcontroller has no vectors and is better off without the copies.
#[cfg(any(test, not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))))]
macro_rules! by_blocks {
    ([$($written:ident),*] [$($read:ident),*] $sums:ident => $body:block) => {
        $(let mut $written = $written.iter_mut();)*
        $(let mut $read = $read.iter();)*
        loop {
            $(let Some($written) = $written.next() else { break };)*
            $(let Some($read) = $read.next() else { break };)*
            $crate::lanes::block!([$($written),*] [$($read),*] $sums => $body);
        }
    };
}

#[cfg(not(target_os = "none"))]
macro_rules! block {
    ([$($written:ident),*] [$($read:ident),*] $sums:ident => $body:block) => {{
        $(let copy = *$written; let mut $written = ($written, copy);)*
        $(let $read = *$read;)*
        let mut terms = $crate::lanes::no_terms(&$sums);
        for i in 0..$crate::lanes::BLOCK {
            $(let $written = &mut $written.1[i];)*
            $(let $read = $read[i];)*
            $crate::lanes::put(&mut terms, i, $crate::lanes::one!([$($written),*] [$($read),*] => $body));
        }
        $crate::lanes::add_terms(&mut $sums, &terms);
        // Without this, the compiler may make vectors across blocks, by gathers. WebAssembly has none.
        #[cfg(not(target_family = "wasm"))]
        core::hint::black_box(());
        $(*$written.0 = $written.1;)*
    }};
}

#[cfg(all(target_os = "none", not(all(target_arch = "arm", target_abi = "eabihf"))))]
macro_rules! block {
    ([$($written:ident),*] [$($read:ident),*] $sums:ident => $body:block) => {
        for lane in 0..$crate::sum::LANES {
            $(let $written = &mut $written[lane];)*
            $(let $read = $read[lane];)*
            $crate::lanes::add(&mut $sums, lane, $crate::lanes::one!([$($written),*] [$($read),*] => $body));
        }
    };
}

/// The body for two lanes of all blocks of a [strip](STRIP), then for the next two: for a processor with a single-precision floating-point
/// unit. The lanes of all sums stay in registers, and neither of the two numbers waits for the other.
#[cfg(any(test, all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
macro_rules! by_pairs {
    ([$($written:ident),*] [$($read:ident),*] $sums:ident => $body:block) => {
        let n = $crate::lanes::shortest(&[$($written.len(),)* $($read.len(),)*]);
        for from in (0..n).step_by($crate::lanes::STRIP) {
            let wide = (n - from).min($crate::lanes::STRIP);
            // All as long as the loop below, so that no access there is checked.
            $(let Some($written) = $written.get_mut(from..from + wide) else { break };)*
            $(let Some($read) = $read.get(from..from + wide) else { break };)*
            for pair in 0..$crate::sum::LANES / 2 {
                let mut own = $crate::lanes::load(&$sums, pair);
                for i in 0..wide {
                    $(let Some($written) = $written.get_mut(i) else { break };)*
                    $(let Some($read) = $read.get(i) else { break };)*
                    $(let copy = $crate::lanes::pair($written, pair); let mut $written = ($written, copy);)*
                    $(let $read = $crate::lanes::pair($read, pair);)*
                    let terms = {
                        $(let $written = &mut $written.1;)*
                        $body
                    };
                    $crate::lanes::add_pairs(&mut own, terms);
                    $($crate::lanes::set_pair($written.0, pair, $written.1);)*
                }
                $crate::lanes::store(&mut $sums, pair, own);
            }
        }
    };
}

/// An expression for each element of a single slice: `alone!(written => expression)`, on a desktop as a plain loop.
#[cfg(any(feature = "small", not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))))]
macro_rules! alone {
    ($written:ident => $body:expr) => {
        $written.iter_mut().for_each(|$written| $crate::lanes::one!([$written] [] => { $body }))
    };
}
#[cfg(all(not(feature = "small"), target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
macro_rules! alone {
    ($written:ident => $body:expr) => {{
        $crate::lanes::by_neighbours!([$written] [] => { $body });
    }};
}

/// The body for each element, without sums: in blocks, as with sums.
#[cfg(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
macro_rules! each {
    ([$($written:ident),*] [$($read:ident),*] => $body:block) => {{
        let mut none: [[f32; $crate::sum::LANES]; 0] = [];
        $crate::lanes::by_lanes!([$($written),*] [$($read),*] none => { $body; [] });
    }};
}

/// The body for each element, without sums: for two neighbours at a time, since no lane matters.
#[cfg(any(test, all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
macro_rules! by_neighbours {
    ([$($written:ident),*] [$($read:ident),*] => $body:block) => {
        $(let $written = $written.as_chunks_mut::<2>();)*
        $(let $read = $read.as_chunks::<2>();)*
        let n = $crate::lanes::shortest(&[$($written.0.len(),)* $($read.0.len(),)*]);
        // All as long as the loop, so that no access in it is checked.
        if let ($(Some($written),)* $(Some($read),)*) = ($($written.0.get_mut(..n),)* $($read.0.get(..n),)*) {
            for i in 0..n {
                $(let Some($written) = $written.get_mut(i) else { break };)*
                $(let Some(&[a, b]) = $read.get(i) else { break }; let $read = $crate::pair::Pair(a, b);)*
                $(let [a, b] = *$written; let mut $written = ($written, $crate::pair::Pair(a, b));)*
                {
                    $(let $written = &mut $written.1;)*
                    $body
                }
                $(let (place, $crate::pair::Pair(a, b)) = $written; *place = [a, b];)*
            }
        }
        if let ($([$written],)* $(&[$read],)*) = ($($written.1,)* $($read.1,)*) {
            $body
        }
    };
}

pub(crate) use {alone, by_lanes, one, singles};
#[cfg(not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
pub(crate) use {block, by_blocks as blocks, each};
#[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
pub(crate) use {by_neighbours, by_neighbours as each, by_pairs as blocks};

/// Numbers of a block. On a desktop two for each lane: one operation of the widest vectors takes them all, and other vectors take as long as
/// with one for each. The playground's module, for WebAssembly, is to be small.
pub(crate) const BLOCK: usize = if cfg!(any(target_os = "none", target_family = "wasm")) { LANES } else { 2 * LANES };

/// The least of some lengths.
#[inline(always)]
pub(crate) fn shortest(lengths: &[usize]) -> usize {
    lengths.iter().fold(usize::MAX, |least, &n| least.min(n))
}

/// Adds a term to one lane of each sum.
#[inline(always)]
pub(crate) fn add<const K: usize>(sums: &mut [[f32; LANES]; K], lane: usize, terms: [One; K]) {
    for (sum, term) in sums.iter_mut().zip(terms) {
        if let Some(sum) = sum.get_mut(lane) {
            *sum = math::add(*sum, term.0);
        }
    }
}

/// Room for the terms of a block.
#[cfg(not(target_os = "none"))]
#[inline(always)]
pub(crate) fn no_terms<const K: usize>(_: &[[f32; LANES]; K]) -> [[f32; BLOCK]; K] {
    [[0.0; BLOCK]; K]
}

/// Puts the terms of one number of a block where they belong.
#[cfg(not(target_os = "none"))]
#[inline(always)]
pub(crate) fn put<const K: usize>(terms: &mut [[f32; BLOCK]; K], i: usize, own: [One; K]) {
    for (terms, own) in terms.iter_mut().zip(own) {
        if let Some(term) = terms.get_mut(i) {
            *term = own.0;
        }
    }
}

/// Adds the terms of a block to the sums.
#[cfg(not(target_os = "none"))]
#[inline(always)]
pub(crate) fn add_terms<const K: usize>(sums: &mut [[f32; LANES]; K], terms: &[[f32; BLOCK]; K]) {
    for (sum, terms) in sums.iter_mut().zip(terms) {
        for terms in terms.as_chunks::<LANES>().0 {
            sum.iter_mut().zip(terms).for_each(|(sum, term)| *sum = math::add(*sum, *term));
        }
    }
}

/// [`sum::tree`](crate::sum::tree) of the partial sums of such a loop.
#[inline(always)]
pub(crate) fn total(lanes: [f32; LANES]) -> f32 {
    // Else the compiler keeps the lanes in the order in which the tree adds them, and shuffles every block into it.
    #[cfg(not(any(target_os = "none", target_family = "wasm")))]
    let lanes = core::hint::black_box(lanes);
    tree(lanes)
}

/// The functions that [`by_pairs`] is made of.
#[cfg(any(test, all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
mod pairs {
    use crate::pair::Pair;
    use crate::sum::LANES;

    /// Blocks of a strip: few enough that a cache holds this part of all slices.
    pub(crate) const STRIP: usize = 64;

    /// Two lanes of a block.
    #[inline(always)]
    pub(crate) fn pair(block: &[f32; LANES], pair: usize) -> Pair {
        block.as_chunks::<2>().0.get(pair).map_or(Pair(0.0, 0.0), |&[a, b]| Pair(a, b))
    }

    /// Sets them.
    #[inline(always)]
    pub(crate) fn set_pair(block: &mut [f32; LANES], pair: usize, Pair(a, b): Pair) {
        if let Some(place) = block.as_chunks_mut::<2>().0.get_mut(pair) {
            *place = [a, b];
        }
    }

    /// Two lanes of each sum.
    #[inline(always)]
    pub(crate) fn load<const K: usize>(sums: &[[f32; LANES]; K], at: usize) -> [Pair; K] {
        sums.each_ref().map(|sum| pair(sum, at))
    }

    /// Sets them.
    #[inline(always)]
    pub(crate) fn store<const K: usize>(sums: &mut [[f32; LANES]; K], at: usize, own: [Pair; K]) {
        for (sum, own) in sums.iter_mut().zip(own) {
            set_pair(sum, at, own);
        }
    }

    /// Adds a term to each.
    #[inline(always)]
    pub(crate) fn add_pairs<const K: usize>(own: &mut [Pair; K], terms: [Pair; K]) {
        for (own, term) in own.iter_mut().zip(terms) {
            *own += term;
        }
    }
}

#[cfg(any(test, all(target_arch = "arm", target_abi = "eabihf", target_os = "none")))]
pub(crate) use pairs::{STRIP, add_pairs, load, pair, set_pair, store};

#[cfg(test)]
mod tests {
    use crate::sum::{self, LANES, tree};

    #[test]
    fn elements_meet_the_lanes_that_sums_give_them() {
        let a: [f32; 35] = core::array::from_fn(|i| 0.1 * i as f32 - 0.7);
        for n in 0..=35 {
            let (mut b, a) = ([0.0; 35], &a[..n]);
            let mut lanes = [[0.0; LANES]];
            let to = &mut b[..n];
            by_lanes!([to] [a] lanes => {
                *to = 2.0 * a;
                [a * a]
            });
            assert_eq!(tree(lanes[0]).to_bits(), sum::squares(a).to_bits());
            assert!(a.iter().zip(&b).all(|(a, b)| 2.0 * a == *b) && b[n..].iter().all(|x| *x == 0.0));
        }
    }

    #[test]
    fn neighbours_have_the_bits_of_blocks() {
        let a: [f32; 19] = core::array::from_fn(|i| 0.1 * i as f32 - 0.7);
        for n in 0..=19 {
            let (mut by_block, mut by_two, read) = (a, a, &a[3..][..n.min(16)]);
            let n = read.len();
            let (w, r) = (&mut by_block[..n], read);
            each!([w] [r] => { *w = *w * 0.3 - r * r; });
            let (w, r) = (&mut by_two[..n], read);
            by_neighbours!([w] [r] => { *w = *w * 0.3 - r * r; });
            assert_eq!(by_block.map(f32::to_bits), by_two.map(f32::to_bits), "{n}");
            assert!((0..19).all(|i| (by_two[i] != a[i]) == (i < n)), "{n}");
        }
    }

    /// Both loops have the bits of one number after the other, for less than a strip and for more, and the shortest slice ends both.
    #[test]
    fn pairs_and_blocks_have_the_bits_of_single_numbers() {
        const MOST: usize = LANES * (2 * super::STRIP + 4);
        let number = |i: usize, seed: usize| ((i * 7919 + seed * 104_729) % 1009) as f32 * 0.013 - 6.1;
        let data: [[f32; MOST]; 3] = core::array::from_fn(|k| core::array::from_fn(|i| number(i, k)));
        let sums: [[f32; LANES]; 2] = core::array::from_fn(|k| core::array::from_fn(|l| number(l, 5 + k)));
        let start = (sums, data[0]);
        macro_rules! run {
            ($way:ident, $long:expr, $n:expr) => {{
                let (mut lanes, mut written) = start;
                let w = written.as_chunks_mut::<{ $long }>().0;
                let (a, b) = (data[1][..$n].as_chunks::<{ $long }>().0, data[2].as_chunks::<{ $long }>().0);
                $way!([w] [a, b] lanes => {
                    *w = *w * 0.9 + a * b;
                    [*w * a, b * b]
                });
                (lanes, written)
            }};
        }
        let plain = |n: usize| {
            let (mut lanes, mut written) = start;
            for i in 0..n {
                let (a, b) = (data[1][i], data[2][i]);
                written[i] = written[i] * 0.9 + a * b;
                lanes[0][i % LANES] += written[i] * a;
                lanes[1][i % LANES] += b * b;
            }
            (lanes, written)
        };
        let bits = |(sums, written): &([[f32; LANES]; 2], [f32; MOST])| {
            let all = sums.iter().flatten().chain(written);
            all.fold(0u64, |hash, x| hash.wrapping_mul(0x0100_0000_01b3) ^ u64::from(x.to_bits()))
        };
        for n in [0, 1, 2, 63, 64, 65, 2 * super::STRIP + 3].map(|blocks| LANES * blocks) {
            let (expected, by_pair) = (plain(n), run!(by_pairs, LANES, n));
            assert!(by_pair == expected && bits(&by_pair) == bits(&expected), "{n}");
            assert!(n == 0 || expected.0 != sums && expected.1[n - 1] != data[0][n - 1], "{n}");
            assert_eq!(expected.1[n..], data[0][n..], "{n}");
            let whole = n - n % super::BLOCK;
            let (expected, by_block) = (plain(whole), run!(by_blocks, super::BLOCK, n));
            assert!(by_block == expected && bits(&by_block) == bits(&expected), "{n}");
        }
    }
}

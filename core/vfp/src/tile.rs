//! Sixteen dot products at once.

use core::mem::MaybeUninit;

use super::{LANES, SIDE, Tile, VMLA, assembly};

/// The dot product of each of four rows w with each of four rows x: number \[o\]\[k\] is that of `w[o]` and `x[k]`. Element i goes to partial
/// sum i mod 8, from zero on, and the eight partial sums s are added as
/// `((s0 + s4) + (s2 + s6)) + ((s1 + s5) + (s3 + s7))`. If a row is shorter than `w[0]`, or `w[0]` has 2^24 - 8 numbers
/// or more, all products are zero.
///
/// Eight loads serve sixteen products: 3.1 cycles for each on a Cortex-M4F, and some 70 for each dot product, by what the model counts for rows of 64 and of 196.
#[inline(never)]
#[must_use]
pub fn dots_of_tile(w: [&[f32]; SIDE], x: [&[f32]; SIDE]) -> Tile {
    let width = w[0].len();
    if w.iter().chain(&x).any(|row| row.len() < width) || width == 0 || width >= LONGEST {
        return [[0.0; SIDE]; SIDE];
    }
    let mut sums = MaybeUninit::uninit();
    // SAFETY: each row has `width` numbers, at least 1, fewer than LONGEST.
    unsafe { lanes(w.map(<[f32]>::as_ptr), x.map(<[f32]>::as_ptr), width, &mut sums) };
    // SAFETY: all of it has been written.
    trees(unsafe { sums.assume_init_ref() })
}

/// A row has fewer numbers than that: so a register has room for both a length and the number of a lane. That is 64 MB.
const LONGEST: usize = (1 << 24) - LANES;

/// Of [`lanes`]: adds the sixteen products of the numbers that many bytes behind the addresses; moves all addresses; counts the numbers
/// of a lane.
macro_rules! steps {
    () => {
        concat!(
            ".macro lgl2o_step offset\n",
            "vldr s16, [{x0}, #\\offset]\n",
            "vldr s17, [{x1}, #\\offset]\n",
            "vldr s18, [{x2}, #\\offset]\n",
            "vldr s19, [{x3}, #\\offset]\n",
            "vldr s20, [{w0}, #\\offset]\n",
            "vldr s21, [{w1}, #\\offset]\n",
            "vldr s22, [{w2}, #\\offset]\n",
            "vldr s23, [{w3}, #\\offset]\n",
            "lgl2o_row 20, 0, 1, 2, 3\n",
            "lgl2o_row 21, 4, 5, 6, 7\n",
            "lgl2o_row 22, 8, 9, 10, 11\n",
            "lgl2o_row 23, 12, 13, 14, 15\n",
            ".endm\n",
            ".macro lgl2o_row w, a, b, c, d\n",
            ".if {vmla}\n",
            "vmla.f32 s\\a, s\\w, s16\n",
            "vmla.f32 s\\b, s\\w, s17\n",
            "vmla.f32 s\\c, s\\w, s18\n",
            "vmla.f32 s\\d, s\\w, s19\n",
            ".else\n",
            "vmul.f32 s24, s\\w, s16\n",
            "vmul.f32 s25, s\\w, s17\n",
            "vmul.f32 s26, s\\w, s18\n",
            "vmul.f32 s27, s\\w, s19\n",
            "vadd.f32 s\\a, s\\a, s24\n",
            "vadd.f32 s\\b, s\\b, s25\n",
            "vadd.f32 s\\c, s\\c, s26\n",
            "vadd.f32 s\\d, s\\d, s27\n",
            ".endif\n",
            ".endm\n",
            ".macro lgl2o_move how, bytes\n",
            "\\how {x0}, {x0}, \\bytes\n",
            "\\how {x1}, {x1}, \\bytes\n",
            "\\how {x2}, {x2}, \\bytes\n",
            "\\how {x3}, {x3}, \\bytes\n",
            "\\how {w0}, {w0}, \\bytes\n",
            "\\how {w1}, {w1}, \\bytes\n",
            "\\how {w2}, {w2}, \\bytes\n",
            "\\how {w3}, {w3}, \\bytes\n",
            ".endm\n",
            // Its number of steps, which are below 2^21, from that of the numbers in the rest of the row.
            ".macro lgl2o_count\n",
            "vmov {rest}, s31\n",
            "lsl {n}, {rest}, #8\n",
            "lsr {n}, {n}, #11\n",
            ".endm\n",
        )
    };
}

/// Of [`lanes`]: all numbers of a lane. The addresses move by what `by` says, and so far back that the first turn may begin late.
macro_rules! turns {
    () => {
        concat!(
            // Turns of eight steps; the first one begins with the step that leaves whole turns behind it.
            "rsb {rest}, {n}, #0\n",
            "and {rest}, {rest}, #7\n",
            "sub {by}, {by}, {rest}, lsl #5\n",
            "lgl2o_move add, {by}\n",
            "adds {n}, {n}, #7\n",
            "lsrs {n}, {n}, #3\n",
            "beq 6f\n",
            // To one of eight steps. A table of addresses would be for Thumb alone.
            "cmp {rest}, #4\n",
            "bhs 3f\n",
            "cmp {rest}, #2\n",
            "bhi 23f\n",
            "beq 22f\n",
            "cmp {rest}, #0\n",
            "bne 21f\n",
            "b 20f\n",
            "3:\n",
            "cmp {rest}, #6\n",
            "bhi 27f\n",
            "beq 26f\n",
            "cmp {rest}, #4\n",
            "bne 25f\n",
            "b 24f\n",
            "20:\n",
            "lgl2o_step 0\n",
            "21:\n",
            "lgl2o_step 32\n",
            "22:\n",
            "lgl2o_step 64\n",
            "23:\n",
            "lgl2o_step 96\n",
            "24:\n",
            "lgl2o_step 128\n",
            "25:\n",
            "lgl2o_step 160\n",
            "26:\n",
            "lgl2o_step 192\n",
            "27:\n",
            "lgl2o_step 224\n",
            "lgl2o_move add, #256\n",
            "subs {n}, {n}, #1\n",
            "bne 20b\n",
        )
    };
}

/// The partial sums: `sums[l][o][k]` is the running sum of `w[o][i] x[k][i]` over the i with i mod 8 = l. Writes all of them.
///
/// # Safety
/// `width` numbers behind each address can be read; `width` is at least 1 and below [`LONGEST`].
#[inline(always)]
unsafe fn lanes(w: [*const f32; SIDE], x: [*const f32; SIDE], width: usize, sums: &mut MaybeUninit<[Tile; LANES]>) {
    let [w0, w1, w2, w3] = w;
    let [x0, x1, x2, x3] = x;
    // SAFETY: in lane l it reads (width + 7 - l) / 8 numbers of each row, eight apart from number l on, the last one of which is below
    // the width, and none where that is 0; it writes 64 bytes for each of eight lanes.
    unsafe {
        assembly!(["all"]
            steps!(),
            // Kept where no sum needs them: where the sums of this lane go; and width + 7 - l, below the number of lanes that are left.
            "vmov s30, {n}",
            "vmov s31, {rest}",
            "mov {by}, #0",
            "2:",
            "mov {rest}, #0",
            ".irp s, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\nvmov s\\s, {rest}\n.endr",
            "lgl2o_count",
            turns!(),
            "6:",
            "vmov {n}, s30",
            "vstmia {n}!, {{s0-s15}}",
            "vmov s30, {n}",
            "lgl2o_count",
            // Back to the first number, and on to the next lane.
            "mov {by}, #4",
            "sub {by}, {by}, {n}, lsl #5",
            "sub {rest}, {rest}, #1",
            "sub {rest}, {rest}, #0x1000000",
            "vmov s31, {rest}",
            "cmp {rest}, #0x1000000",
            "bhs 2b",
            ".irp name, lgl2o_step, lgl2o_row, lgl2o_move, lgl2o_count\n.purgem \\name\n.endr",
            x0 = inout(reg) x0 => _,
            x1 = inout(reg) x1 => _,
            x2 = inout(reg) x2 => _,
            x3 = inout(reg) x3 => _,
            w0 = inout(reg) w0 => _,
            w1 = inout(reg) w1 => _,
            w2 = inout(reg) w2 => _,
            w3 = inout(reg) w3 => _,
            n = inout(reg) sums.as_mut_ptr() => _,
            rest = inout(reg) (width + LANES - 1) | LANES << 24 => _,
            by = out(reg) _,
            vmla = const VMLA,
        );
    }
}

/// The partial sums of all lanes, added in the order of the tree.
#[inline(always)]
fn trees(sums: &[Tile; LANES]) -> Tile {
    let mut tile = MaybeUninit::<Tile>::uninit();
    // SAFETY: for each of four rows, reads that row of each of the eight tiles, whose rows are 64 bytes apart, and writes four numbers.
    unsafe {
        assembly!(["all"]
            ".macro lgl2o_add a, b, c, d, e, f, g, h",
            "vadd.f32 s\\a, s\\a, s\\e",
            "vadd.f32 s\\b, s\\b, s\\f",
            "vadd.f32 s\\c, s\\c, s\\g",
            "vadd.f32 s\\d, s\\d, s\\h",
            ".endm",
            "2:",
            ".irp numbers, s0-s3, s4-s7, s8-s11, s12-s15, s16-s19, s20-s23, s24-s27, s28-s31",
            "vldmia {sums}, {{\\numbers}}",
            "add {sums}, {sums}, #64",
            ".endr",
            // To the next row of the first tile.
            "sub {sums}, {sums}, #496",
            "lgl2o_add 0, 1, 2, 3, 16, 17, 18, 19",
            "lgl2o_add 8, 9, 10, 11, 24, 25, 26, 27",
            "lgl2o_add 4, 5, 6, 7, 20, 21, 22, 23",
            "lgl2o_add 12, 13, 14, 15, 28, 29, 30, 31",
            "lgl2o_add 0, 1, 2, 3, 8, 9, 10, 11",
            "lgl2o_add 4, 5, 6, 7, 12, 13, 14, 15",
            "lgl2o_add 0, 1, 2, 3, 4, 5, 6, 7",
            "vstmia {row}!, {{s0-s3}}",
            "subs {rows}, {rows}, #1",
            "bne 2b",
            ".purgem lgl2o_add",
            sums = inout(reg) sums.as_ptr() => _,
            row = inout(reg) tile.as_mut_ptr() => _,
            rows = inout(reg) SIDE => _,
        );
        tile.assume_init()
    }
}

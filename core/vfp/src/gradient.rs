//! Four examples' part of a weight gradient.

use super::{SIDE, VMLA, assembly};

/// Of [`add_four_rows`]: one example of a column; one column, of four examples.
macro_rules! columns {
    () => {
        concat!(
            ".macro lgl2o_example x, e0, e1, e2, e3, a, b, c, d\n",
            ".if {vmla}\n",
            "vmla.f32 s\\a, s\\e0, s\\x\n",
            "vmla.f32 s\\b, s\\e1, s\\x\n",
            "vmla.f32 s\\c, s\\e2, s\\x\n",
            "vmla.f32 s\\d, s\\e3, s\\x\n",
            ".else\n",
            "vmul.f32 s4, s\\e0, s\\x\n",
            "vmul.f32 s5, s\\e1, s\\x\n",
            "vmul.f32 s6, s\\e2, s\\x\n",
            "vmul.f32 s7, s\\e3, s\\x\n",
            "vadd.f32 s0, s\\a, s4\n",
            "vadd.f32 s1, s\\b, s5\n",
            "vadd.f32 s2, s\\c, s6\n",
            "vadd.f32 s3, s\\d, s7\n",
            ".endif\n",
            ".endm\n",
            ".macro lgl2o_column\n",
            "vldmia {x0}!, {{s8}}\n",
            "vldmia {x1}!, {{s9}}\n",
            "vldmia {x2}!, {{s10}}\n",
            "vldmia {x3}!, {{s11}}\n",
            ".if {from_zero} && {vmla}\n",
            ".irp s, 0, 1, 2, 3\n",
            "vmov.f32 s\\s, s12\n",
            ".endr\n",
            "lgl2o_example 8, 16, 17, 18, 19, 0, 1, 2, 3\n",
            ".elseif {from_zero}\n",
            "lgl2o_example 8, 16, 17, 18, 19, 12, 12, 12, 12\n",
            ".else\n",
            "vldr s0, [{g0}]\n",
            "vldr s1, [{g1}]\n",
            "vldr s2, [{g2}]\n",
            "vldr s3, [{g3}]\n",
            "lgl2o_example 8, 16, 17, 18, 19, 0, 1, 2, 3\n",
            ".endif\n",
            "lgl2o_example 9, 20, 21, 22, 23, 0, 1, 2, 3\n",
            "lgl2o_example 10, 24, 25, 26, 27, 0, 1, 2, 3\n",
            "lgl2o_example 11, 28, 29, 30, 31, 0, 1, 2, 3\n",
            "vstmia {g0}!, {{s0}}\n",
            "vstmia {g1}!, {{s1}}\n",
            "vstmia {g2}!, {{s2}}\n",
            "vstmia {g3}!, {{s3}}\n",
            ".endm\n",
        )
    };
}

/// g\[o\] <- (((g\[o\] + e\[0\]\[o\] x\[0\]) + e\[1\]\[o\] x\[1\]) + e\[2\]\[o\] x\[2\]) + e\[3\]\[o\] x\[3\] for rows g\[o\] that are
/// at least as long as `x[0]`; the sums begin with zero, not with g\[o\], if ZERO. If a row is shorter, all stay as they are.
///
/// The sixteen errors stay in registers: 3.1 or 3.6 cycles for each product on a Cortex-M4F.
#[inline(never)]
pub fn add_four_rows<const ZERO: bool>(g: [&mut [f32]; SIDE], e: [&[f32; SIDE]; SIDE], x: [&[f32]; SIDE]) {
    let n = x[0].len();
    if x.iter().any(|row| row.len() < n) || g.iter().any(|row| row.len() < n) || n == 0 {
        return;
    }
    let [g0, g1, g2, g3] = g.map(<[f32]>::as_mut_ptr);
    let [x0, x1, x2, x3] = x.map(<[f32]>::as_ptr);
    // One after the other, and a zero behind them.
    let mut errors = [0.0; SIDE * SIDE + 1];
    for (errors, e) in errors.as_chunks_mut::<SIDE>().0.iter_mut().zip(e) {
        *errors = *e;
    }
    // SAFETY: reads n numbers of each row of x, and reads and writes n numbers of each row of g; each has so many.
    unsafe {
        assembly!(["all"]
            columns!(),
            "vldmia {e}, {{s16-s31}}",
            "vldr s12, [{e}, #64]",
            "lsrs {n}, {n}, #1",
            // The last bit is in the carry flag, and whether others are left in the zero flag, which nothing changes before it is read.
            "bcc 3f",
            "lgl2o_column",
            "3:",
            "beq 5f",
            "4:",
            "lgl2o_column",
            "lgl2o_column",
            "subs {n}, {n}, #1",
            "bne 4b",
            "5:",
            ".purgem lgl2o_example",
            ".purgem lgl2o_column",
            x0 = inout(reg) x0 => _,
            x1 = inout(reg) x1 => _,
            x2 = inout(reg) x2 => _,
            x3 = inout(reg) x3 => _,
            g0 = inout(reg) g0 => _,
            g1 = inout(reg) g1 => _,
            g2 = inout(reg) g2 => _,
            g3 = inout(reg) g3 => _,
            n = inout(reg) n => _,
            from_zero = const ZERO as u32,
            vmla = const VMLA,
            e = in(reg) errors.as_ptr(),
        );
    }
}

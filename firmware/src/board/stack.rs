//! How much stack a program has used: the free part is painted at the start, and looked at in the end.

unsafe extern "C" {
    /// Where the stack starts, by the runtime's linker script; it grows down.
    #[link_name = "_stack_start"]
    static TOP: u8;
    /// The end of everything static, below which the stack must not grow.
    #[cfg_attr(any(target_arch = "arm", emulated), link_name = "__sheap")]
    #[cfg_attr(not(any(target_arch = "arm", emulated)), link_name = "_stack_end")]
    static BOTTOM: u8;
}

const PAINT: u32 = 0xcccc_cccc;
/// So many bytes below the painter's own frame stay as they are, for what it calls itself.
const MARGIN: usize = 256;
/// At most so much is painted and looked at: where memory is plenty, painting all of it takes longer than training.
const DEPTH: usize = 64 * 1024;

fn bounds() -> (usize, usize) {
    let (top, bottom) = (&raw const TOP as usize, &raw const BOTTOM as usize);
    let lowest = top.saturating_sub(DEPTH);
    (if bottom > lowest { bottom } else { lowest }, top)
}

/// Paints the stack that is not in use.
#[inline(never)]
pub(super) fn paint() {
    let here = 0u32;
    let end = (&raw const here as usize).saturating_sub(MARGIN);
    let (mut at, _) = bounds();
    while at + 4 <= end {
        // SAFETY: between the end of everything static and the stack's frames in use, memory belongs to nobody; both ends
        // are aligned to 4 bytes.
        unsafe { (at as *mut u32).write_volatile(PAINT) };
        at += 4;
    }
}

/// The most stack that has been in use since the board was taken, in bytes.
pub fn high_water() -> u32 {
    let (mut at, top) = bounds();
    // SAFETY: memory of the stack, aligned to 4 bytes; any bits are a u32.
    while at < top && unsafe { (at as *const u32).read_volatile() } == PAINT {
        at += 4;
    }
    (top - at) as u32
}

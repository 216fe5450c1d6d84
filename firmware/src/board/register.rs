//! Registers of one peripheral: words (or bytes) that follow each other from a fixed address.

/// N registers of type T at a fixed address. Which one is meant is a constant, so an offset that is out of range does not
/// compile.
pub(super) struct Registers<T, const N: usize>(*mut T);

impl<T: Copy, const N: usize> Registers<T, N> {
    /// # Safety
    /// There must be N registers of type T at `address`, which nobody else uses, and reading or writing any of them must
    /// not change memory that Rust knows of.
    pub(super) const unsafe fn at(address: usize) -> Self {
        Self(address as *mut T)
    }

    pub(super) fn read<const I: usize>(&self) -> T {
        const { assert!(I < N) };
        // SAFETY: in range by the line above, and a register by the promise made to `at`.
        unsafe { self.0.add(I).read_volatile() }
    }

    pub(super) fn write<const I: usize>(&mut self, value: T) {
        const { assert!(I < N) };
        // SAFETY: as for `read`.
        unsafe { self.0.add(I).write_volatile(value) }
    }
}

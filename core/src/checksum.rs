//! The one checksum: CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320), bit by bit, small rather than fast.

use crc::{CRC_32_ISO_HDLC, Crc, Table};

/// The computation without a table, which would cost 1 kB of flash.
pub(crate) static CRC32: Crc<u32, Table<0>> = Crc::<u32, Table<0>>::new(&CRC_32_ISO_HDLC);

/// A checksum of bytes that come piece by piece.
pub(crate) type Running = crc::Digest<'static, u32, Table<0>>;

/// Adds some bytes. Not inlined: it has many callers, and on a device all of them share one copy.
#[inline(never)]
pub(crate) fn update(sum: &mut Running, bytes: &[u8]) {
    sum.update(bytes);
}

/// The checksum of some bytes.
pub(crate) const fn crc32(bytes: &[u8]) -> u32 {
    CRC32.checksum(bytes)
}

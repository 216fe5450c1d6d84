//! What a file is that is not the IDX file it should be, told by its first bytes.

/// So many bytes are looked at: a tape archive says what it is behind its first 257.
pub const LOOKED_AT: u64 = 512;

/// What there is to do about a file that is packed.
const UNPACK: &str = "Unpack it, and put the IDX files from it in its place.";
/// What there is to do about another format.
const CONVERT: &str = "Convert its values to unsigned bytes in the IDX format.";
/// What there is to do about what came instead of a file.
const DOWNLOAD: &str = "Download the file once more; for MNIST, delete this one and run `lgl2o data fetch mnist`.";

/// Formats by how their files begin: what they are called, and what to do.
const BEGINNINGS: [(&[u8], &str, &str); 20] = [
    (
        b"version https://git-lfs",
        "a Git LFS pointer, which stands for a file that was not fetched",
        "Run `git lfs pull` where it comes from.",
    ),
    (b"PK\x03\x04", "a zip archive", UNPACK),
    (b"\x1f\x8b", "compressed by gzip twice", UNPACK),
    (b"BZh", "compressed by bzip2", UNPACK),
    (b"\xfd7zXZ\0", "compressed by xz", UNPACK),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    (b"\x89PNG", "a PNG picture", CONVERT),
    (b"\xff\xd8\xff", "a JPEG picture", CONVERT),
    (b"GIF8", "a GIF picture", CONVERT),
    (b"BM", "a BMP picture", CONVERT),
    (b"II*\0", "a TIFF picture", CONVERT),
    (b"MM\0*", "a TIFF picture", CONVERT),
    (b"\x93NUMPY", "an array of NumPy's", CONVERT),
    (b"\x89HDF", "an HDF5 file", CONVERT),
    (b"PAR1", "a Parquet file", CONVERT),
    (b"\x80\x02", "a pickle of Python's", CONVERT),
    (b"\x80\x04", "a pickle of Python's", CONVERT),
    (b"\x7fELF", "a program", "Is it in the wrong place?"),
    (b"%PDF", "a PDF document", "Is it in the wrong place?"),
];

/// What plain text is called.
pub const TEXT: &str = "text";

/// What a file is that begins like this, and what to do about it; none if that cannot be told.
#[must_use]
pub fn of(start: &[u8]) -> Option<[&'static str; 2]> {
    if let Some((_, name, advice)) = BEGINNINGS.iter().find(|(beginning, ..)| start.starts_with(beginning)) {
        return Some([name, advice]);
    }
    if start.get(257..262) == Some(b"ustar") {
        return Some(["a tape archive", UNPACK]);
    }
    let words = String::from_utf8_lossy(start).trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']).to_lowercase();
    if words.starts_with("<!doctype html") || words.starts_with("<html") || words.starts_with("<head") {
        return Some(["a web page, such as a server sends instead of a file", DOWNLOAD]);
    }
    if words.starts_with("<?xml") {
        return Some(["an XML document, such as a server sends instead of a file", DOWNLOAD]);
    }
    let is_text = |byte: &u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..);
    // The last character may be cut.
    let valid = std::str::from_utf8(start).map_or_else(|error| error.valid_up_to() + 4 > start.len(), |_| true);
    (!start.is_empty() && start.iter().all(is_text) && valid).then_some([TEXT, CONVERT])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_their_beginnings() {
        let mut tape = vec![b'a'; 257];
        tape.extend(b"ustar\0");
        let cases: [(&[u8], &str); 9] = [
            (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS"),
            (b"PK\x03\x04\x14\0", "zip"),
            (b"\x1f\x8b\x08", "gzip twice"),
            (b"\x89PNG\r\n", "PNG"),
            (b"\n  <!DOCTYPE html><html>", "web page"),
            (b"\x93NUMPY\x01\0", "NumPy"),
            (&tape, "tape archive"),
            (b"1,2,3\n4,5,6\n", "text"),
            ("\u{30c7}\u{30fc}".as_bytes(), "text"),
        ];
        for (start, name) in cases {
            let found = of(start).unwrap_or_else(|| panic!("{name}"));
            assert!(found[0].contains(name) && !found[1].is_empty(), "{name}: {found:?}");
        }
        assert_eq!(of("\u{30c7}\u{30fc}".as_bytes().split_at(5).0).map(|found| found[0]), Some("text"), "cut");
        for other in [&b""[..], b"\0\0\x08\x03", b"\x01\x02\x03\x04", b"a\0b"] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}

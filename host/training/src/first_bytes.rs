//! What a file is that is not what it should be, told by its first bytes.

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

/// This program's own files, and the core's.
const OWN: [(&[u8], &str); 7] = [
    (b"L2OM", "a model, for `--model`"),
    (b"L2OT", "a training that `lgl2o train --resume` continues; the model is model.lgl2o beside it"),
    (b"L2OU", "a run under way, with which the command that has written it goes on"),
    (b"L2OW", "weights of a learned optimizer, for an expression such as l2o:FILE"),
    (
        b"L2OC",
        "a checkpoint of `lgl2o meta-train`, which goes on from it with --resume; weights are in the .l2o file beside it",
    ),
    (b"L2OR", "a checkpoint of a device's training"),
    (b"L2OS", "a device's flash with checkpoints in it"),
];

/// What plain text is called.
pub const TEXT: &str = "text";
/// What a file is called of which nothing else is known.
pub const BINARY: &str = "binary, of a kind that is not known here";
/// An empty file.
const EMPTY: &str = "empty";
/// The format of images and labels.
pub const IDX: &str = "an IDX file of images or labels";
/// What `gzip` has packed.
pub const PACKED: &str = "compressed by gzip";
/// What holds tensors.
pub const TENSORS: &str = "a file of safetensors, which `lgl2o import` reads";
/// Text that is not in UTF-8, or what looks like it.
const OTHER_TEXT: &str = "text in another encoding than UTF-8";

/// Whether a [`name`] leaves open what the file is.
#[must_use]
pub fn is_unknown(name: &str) -> bool {
    name == BINARY || name == OTHER_TEXT
}

/// What a file is that begins like this, in words.
#[must_use]
pub fn name(start: &[u8]) -> &'static str {
    let start = &start[..start.len().min(LOOKED_AT as usize)];
    if let Some((_, name)) = OWN.iter().find(|(beginning, _)| start.starts_with(beginning)) {
        return name;
    }
    let is_json = |words: &[u8]| match words {
        [b'{', b'"' | b'}', ..] | [b'[', b'{' | b'[' | b'"' | b'-' | b'0'..=b'9', ..] => true,
        [..] => false,
    };
    let words: Vec<u8> = start.iter().filter(|byte| !byte.is_ascii_whitespace()).copied().take(2).collect();
    match start {
        [] => EMPTY,
        [0x1f, 0x8b, ..] => PACKED,
        [0, 0, 0x08..=0x0e, 1..=4, ..] => IDX,
        // The length of its header, of 8 bytes, and a header in JSON.
        [_, _, _, _, _, 0, 0, 0, b'{', ..] => TENSORS,
        _ if is_wide(start) => "text in UTF-16",
        _ if is_json(&words) => "JSON",
        _ => match of(start) {
            Some([what, _]) => what,
            None if start.contains(&0) => BINARY,
            None if start.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..)) => OTHER_TEXT,
            None => BINARY,
        },
    }
}

/// Whether this is text of UTF-16: it has the mark of it, or every second byte is 0.
#[must_use]
pub fn is_wide(start: &[u8]) -> bool {
    let is_wide = |zero: usize| {
        let mut pairs = start.chunks_exact(2);
        pairs.all(|pair| pair[zero] == 0 && matches!(pair[1 - zero], b'\t' | b'\n' | b'\r' | b' '..=b'~'))
    };
    let marked = start.starts_with(b"\xff\xfe") || start.starts_with(b"\xfe\xff");
    marked || start.len() >= 4 && (is_wide(0) || is_wide(1))
}

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
        let names: [(&[u8], &str); 14] = [
            (b"L2OM\x01", "a model"),
            (b"L2OW\x01", "weights of a learned optimizer"),
            (b"L2OC\x01", "a checkpoint of `lgl2o meta-train`"),
            (b"L2OT\x01", "lgl2o train --resume"),
            (b"\x1f\x8b\x08", "compressed by gzip"),
            (b"\0\0\x08\x03\0\0", "IDX"),
            (b"\x40\0\0\0\0\0\0\0{\"a\"", "safetensors"),
            (b"\xff\xfea\0", "UTF-16"),
            (b"a\0,\0b\0", "UTF-16"),
            (b"[\n {\"a\": 1}]", "JSON"),
            (b"[1, 2]", "JSON"),
            (b"[table]\na = 1\n", "text"),
            (b"caf\xe9 au lait", "another encoding than UTF-8"),
            (b"", "empty"),
        ];
        for (start, expected) in names {
            assert!(name(start).contains(expected) && !name(start).contains("twice"), "{expected}: {}", name(start));
        }
        assert_eq!([name(b"\x01\x02\x03\x04"), name(b"a\0b")], [BINARY; 2]);
        for other in [&b""[..], b"\0\0\x08\x03", b"\x01\x02\x03\x04", b"a\0b"] {
            assert_eq!(of(other), None, "{other:?}");
        }
    }
}

//! The page of `lgl2o playground`: the core in the browser, in one file that opens from disk.
//!
//! `lgl2o.wasm` is built from `firmware/web` by `firmware/renew-web`, and committed: whoever installs this program needs no compiler for
//! WebAssembly. The page holds it as text, for a page from disk may not load a file beside it.

use anyhow::{Context as _, Result};
use lgl2o::Memory;
use lgl2o_device::spirals::{Large, RunMemory, run};

/// The core as WebAssembly, as it is in the page.
pub const MODULE: &[u8] = include_bytes!("lgl2o.wasm");
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
/// The page's script; the last part tries the page, where its address ends in `#test`.
const SCRIPT: [&str; 3] = [include_str!("page.js"), include_str!("paint.js"), include_str!("test.js")];

/// The page.
///
/// # Errors
/// If the boards' program, whose hashes the page is to find, fails here.
pub fn page() -> Result<String> {
    Ok(PAGE
        .replace("/*STYLE*/", STYLE)
        .replace("/*SCRIPT*/", &SCRIPT.concat())
        .replace("<!--HASHES-->", &hashes()?)
        .replace("/*WASM*/", &base64(MODULE)))
}

/// The hashes of all rounds and of the final weights of the boards' program, as it runs here. The module's functions are exact: a
/// program that approximates them has other bits, and nothing to compare.
fn hashes() -> Result<String> {
    if cfg!(feature = "micromath") {
        return Ok("not compared: lgl2o was built with micromath".to_owned());
    }
    let mut trace = 0;
    let mut memory: Box<RunMemory<Large>> = Box::new(Memory::new());
    let outcome = run::<Large>(&mut memory, |_| {}, |round| trace = round.trace).context("the run on this machine")?;
    Ok(format!("{trace:016x} {:016x}", outcome.params))
}

/// Bytes as text (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(3) {
        let [a, b, c] = [0, 1, 2].map(|i| u32::from(part.get(i).copied().unwrap_or(0)));
        let word = a << 16 | b << 8 | c;
        for i in 0..4 {
            let letter = LETTERS[(word >> (18 - 6 * i) & 63) as usize];
            text.push(if i > part.len() { '=' } else { char::from(letter) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 4648, section 10.
    #[test]
    fn bytes_become_text() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE=")];
        for (bytes, text) in cases {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xfb, 0xff, 0xbf]), "+/+/");
    }

    /// Every part is in, and nothing is fetched from anywhere.
    #[test]
    fn the_page_is_whole() {
        let page = page().expect("a page");
        for gone in ["/*STYLE*/", "/*SCRIPT*/", "/*WASM*/", "<!--HASHES-->"] {
            assert!(!page.contains(gone), "{gone}");
        }
        assert!(page.contains("default-src 'none'") && !page.contains("http://") && !page.contains("https://"));
        assert_eq!(&MODULE[..4], b"\0asm");
    }

    #[test]
    fn the_module_is_small() {
        assert!(MODULE.len() <= 120_000, "{} bytes", MODULE.len());
    }
}

//! Text in pictures and pages: escaping, an estimate of its width, breaking it into lines.

/// Escapes text for XML and HTML, in content and in quoted attributes, as far as it is printable.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in printable(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// Text on one line; characters that XML cannot hold, even escaped, become the replacement character.
pub(super) fn printable(text: &str) -> String {
    let plain = |c: char| match c {
        '\t' | '\n' | '\r' => ' ',
        c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => '\u{fffd}',
        c => c,
    };
    text.chars().map(plain).collect()
}

/// An upper estimate of the width of `chars` characters, in pixels, in any of the usual sans-serif fonts.
pub(super) fn width(chars: usize, size: f64) -> f64 {
    chars as f64 * size * 0.57
}

/// Breaks a name into at most `lines` lines that fit into `room` pixels; what is left over becomes an
/// ellipsis.
pub(super) fn wrap(text: &str, room: f64, size: f64, lines: usize) -> Vec<String> {
    let most = ((room / width(1, size)) as usize).max(4);
    let mut rest: Vec<char> = text.chars().collect();
    let mut out = Vec::new();
    while rest.len() > most && out.len() + 1 < lines {
        let tail = rest.split_off(break_after(&rest, most));
        out.push(trimmed(&rest));
        rest = tail;
    }
    if rest.len() > most {
        rest.truncate(most - 1);
        rest.push('…');
    }
    out.push(trimmed(&rest));
    out
}

/// Where to break a line of at most `most` characters: after the last separator in its second half, if there
/// is one.
fn break_after(line: &[char], most: usize) -> usize {
    (most / 2..most).rev().find(|&i| matches!(line[i], ' ' | ',' | ';' | ')' | '/' | '+')).map_or(most, |i| i + 1)
}

fn trimmed(line: &[char]) -> String {
    line.iter().collect::<String>().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaping_covers_markup_and_control_characters() {
        assert_eq!(escape("a<b>&\"c'\n\u{7}"), "a&lt;b&gt;&amp;&quot;c&#39; \u{fffd}");
        assert_eq!(escape("lgl2o(l2o,sgd:1)"), "lgl2o(l2o,sgd:1)");
    }

    #[test]
    fn short_text_stays_on_one_line() {
        assert_eq!(wrap("sgd:0.1", 200.0, 14.0, 2), ["sgd:0.1"]);
    }

    #[test]
    fn long_text_breaks_after_a_separator_and_loses_only_its_end() {
        let lines = wrap("lgl2o(l2o:weights.bin,backtracking:1)", 180.0, 14.0, 2);
        assert_eq!(lines, ["lgl2o(l2o:weights.bin,", "backtracking:1)"]);
        let lines = wrap(&"x".repeat(99), 100.0, 14.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'));
        assert!(width(lines[1].chars().count(), 14.0) <= 100.0);
    }
}

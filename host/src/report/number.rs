//! How numbers are written: three significant digits, tick labels, percentages.

/// A value with three significant digits: `0.0123`, `1.23`, `1230`, `123000`, `1.23e6`.
pub(crate) fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return if value == 0.0 { "0" } else { "diverged" }.to_owned();
    }
    // Rounding first and choosing the places afterwards keeps 9.996 from becoming 10.00.
    let scientific = format!("{value:.2e}");
    let exponent = scientific.split_once('e').and_then(|(_, e)| e.parse::<i32>().ok()).unwrap_or(0);
    match (usize::try_from(2 - exponent), exponent) {
        (Ok(places), -4..) => format!("{value:.places$}"),
        (Err(_), ..=5) => format!("{:.0}", scientific.parse().unwrap_or(value)),
        _ => scientific,
    }
}

/// A share from 0 to 1 in percent, with three significant digits at most: `98.4`, `100`.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    if text == "100.0" { "100".to_owned() } else { text }
}

/// The label of a tick: `0.01`, `5`, `1k`, `20k`, `1M`, `1e-6`.
pub(crate) fn tick(value: f64) -> String {
    let magnitude = value.abs();
    if magnitude >= 1e9 || (magnitude < 1e-4 && value != 0.0) {
        format!("{:e}", clean(value))
    } else if magnitude >= 1e6 {
        format!("{}M", clean(value / 1e6))
    } else if magnitude >= 1e3 {
        format!("{}k", clean(value / 1e3))
    } else {
        format!("{}", clean(value))
    }
}

/// A whole number with its thousands set apart: `2 370`.
pub(crate) fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) && digits.len() > 4 {
            out.push('\u{a0}');
        }
        out.push(digit);
    }
    out
}

/// A value without the last digits that arithmetic left behind.
fn clean(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_significant_digits() {
        let cases = [
            (0.0, "0"),
            (0.012_34, "0.0123"),
            (0.999_6, "1.00"),
            (9.996, "10.0"),
            (1.0, "1.00"),
            (123.4, "123"),
            (1234.0, "1230"),
            (14_987.0, "15000"),
            (999_400.0, "999000"),
            (999_600.0, "1.00e6"),
            (1_234_567.0, "1.23e6"),
            (0.000_123_4, "0.000123"),
            (1.234e-7, "1.23e-7"),
        ];
        for (value, text) in cases {
            assert_eq!(significant(value), text);
        }
    }

    #[test]
    fn tick_labels_are_short() {
        let cases =
            [(0.01, "0.01"), (0.1 + 0.2, "0.3"), (1000.0, "1k"), (20_000.0, "20k"), (1e6, "1M"), (1e-6, "1e-6")];
        for (value, text) in cases {
            assert_eq!(tick(value), text);
        }
    }

    #[test]
    fn percentages_and_groups() {
        assert_eq!(percent(0.984_4), "98.4");
        assert_eq!(percent(1.0), "100");
        assert_eq!(grouped(1234), "1234");
        assert_eq!(grouped(1_234_567), "1\u{a0}234\u{a0}567");
    }
}

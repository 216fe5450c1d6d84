//! What is said of a name that no registry has: the nearest one, and all that there are; and of one that is listed twice.

/// `unknown WHAT NAME (did you mean ...?); known: ...`.
#[must_use]
pub fn unknown(what: &str, name: &str, known: &[&str]) -> String {
    let hint = nearest(name, known).map_or_else(String::new, |nearest| format!(" (did you mean `{nearest}`?)"));
    format!("unknown {what} `{name}`{hint}; known: {}", known.join(", "))
}

/// What is said of a name that stands in a list twice.
#[must_use]
pub fn twice(name: &str) -> String {
    format!("`{name}` is listed twice: name it once")
}

/// The nearest known name, if one is near.
fn nearest<'a>(name: &str, known: &[&'a str]) -> Option<&'a str> {
    let most = if name.len() < 4 { 1 } else { 2 };
    let best = known.iter().map(|known| (strsim::osa_distance(name, known), *known)).min()?;
    (best.0 <= most).then_some(best.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_meant_if_it_is_near() {
        let known = ["sgd", "adam", "adamw"];
        for (name, meant) in [("adma", Some("adam")), ("sgb", Some("sgd")), ("sxx", None), ("", None), ("lion", None)] {
            assert_eq!(nearest(name, &known), meant, "{name}");
        }
        assert_eq!(unknown("rule", "sgb", &known), "unknown rule `sgb` (did you mean `sgd`?); known: sgd, adam, adamw");
        assert_eq!(unknown("rule", "x", &[]), "unknown rule `x`; known: ");
    }
}

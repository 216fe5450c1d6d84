//! Assembly of `lgl2o-vfp` runs in Arm state, too, as a Cortex-R has it: no instruction that Thumb alone has.

use super::{root, sources};

/// Instructions of Thumb alone, as LLVM names them.
const THUMB: [&str; 4] = ["tbb", "tbh", "cbz", "cbnz"];

/// Lines of assembly whose first word is one of them.
fn faults(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| word(line).is_some_and(|word| THUMB.contains(&word))).collect()
}

/// The first word of a line that is a string.
fn word(line: &str) -> Option<&str> {
    line.strip_prefix('"')?.split([' ', '"']).next()
}

#[test]
fn assembly_is_for_arm_state_too() {
    let all = sources(&root().join("core/vfp/src"));
    assert!(all.iter().filter(|(_, text)| text.contains("assembly!(")).count() > 4);
    for (path, text) in &all {
        assert_eq!(faults(text), [""; 0], "{path}");
    }
}

#[test]
fn what_thumb_alone_has_is_found() {
    let text = "            \"tbh [pc, {rest}, lsl #1]\\n\",\n            \"mov pc, {by}\",\n    \"cbz r0, 2f\",";
    assert_eq!(faults(text).len(), 2);
}

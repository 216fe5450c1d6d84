//! How much memory there is for this process: what cannot fit is refused before anything is computed.

use std::fs;

/// Bytes that this process may still take, as far as the system says: what is free, the limit of its control group, and the limit of
/// its address space (`ulimit -v`). `None` where nothing is known.
#[must_use]
pub fn room() -> Option<u64> {
    [free(), group(), address_space()].into_iter().flatten().min()
}

/// Memory and swap that are free, or can be.
fn free() -> Option<u64> {
    free_in(&fs::read_to_string("/proc/meminfo").ok()?)
}

fn free_in(text: &str) -> Option<u64> {
    Some(bytes(text, "MemAvailable")? + bytes(text, "SwapFree").unwrap_or(0))
}

/// A figure of the system's, such as `MemFree:  10 kB`.
fn bytes(text: &str, name: &str) -> Option<u64> {
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    value.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

/// The limit of this process's control group and those above it.
fn group() -> Option<u64> {
    let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
    let path = groups.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let place = std::path::Path::new("/sys/fs/cgroup").join(path);
    let above = place.ancestors().take_while(|dir| dir.starts_with("/sys/fs/cgroup"));
    // The word `max` stands for no limit.
    above.filter_map(|dir| fs::read_to_string(dir.join("memory.max")).ok()?.trim().parse().ok()).min()
}

/// What the limit of the address space leaves.
#[cfg(unix)]
fn address_space() -> Option<u64> {
    use rustix::process::{Resource, getrlimit};
    let most = getrlimit(Resource::As).current?;
    let taken = fs::read_to_string("/proc/self/status").ok().and_then(|text| bytes(&text, "VmSize"));
    Some(most.saturating_sub(taken.unwrap_or(0)))
}

#[cfg(not(unix))]
fn address_space() -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_is_read() {
        let text = "MemTotal:       1000 kB\nMemFree:         10 kB\nMemAvailable:    300 kB\nSwapFree:  5 kB\n";
        assert_eq!(free_in(text), Some(305 * 1024));
        assert_eq!(free_in("MemTotal: 1000 kB\n"), None);
        // A machine that runs tests has some.
        assert!(room().is_none_or(|room| room > 1 << 20), "{:?}", room());
    }
}

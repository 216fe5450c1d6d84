//! Two traces side by side: the first round that differs, and in what.

use lgl2o_device::imported::Outputs;
use lgl2o_device::record::RoundRecord;

/// Where two runs part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The first round that differs; `None` if all rounds are equal and the final parameters are not.
    pub round: Option<u32>,
    /// In what, for people: "train loss 3f1a2b3c on the device, 3f1a2b3d here".
    pub what: String,
}

/// The bits of a run that are compared.
#[derive(Debug, Clone, Copy)]
pub struct RunBits<'a> {
    /// All rounds.
    pub rounds: &'a [RoundRecord],
    /// Hash of the final parameters, if the run came so far.
    pub params: Option<u64>,
    /// What networks return, where the program tells of it.
    pub outputs: &'a [Outputs],
}

/// The first difference of a device's run from the host's; `None` if every bit is the same.
#[must_use]
pub fn first_difference(device: RunBits<'_>, host: RunBits<'_>) -> Option<Difference> {
    for (d, h) in device.rounds.iter().zip(host.rounds) {
        if let Some(what) = different_in(d, h) {
            return Some(Difference { round: Some(h.round), what });
        }
    }
    let [d, h] = [device, host].map(|side| side.rounds.len());
    if d != h {
        let round = u32::try_from(d.min(h) + 1).ok();
        return Some(Difference { round, what: format!("{d} rounds on the device, {h} here") });
    }
    let hash = |params: Option<u64>| params.map_or("missing".to_owned(), |hash| format!("{hash:016x}"));
    let params = (device.params != host.params).then(|| Difference {
        round: None,
        what: format!("final parameters {} on the device, {} here", hash(device.params), hash(host.params)),
    });
    params.or_else(|| different_outputs(device.outputs, host.outputs))
}

/// The first outputs that differ.
fn different_outputs(device: &[Outputs], host: &[Outputs]) -> Option<Difference> {
    let what = match device.iter().zip(host).find(|(d, h)| d != h) {
        Some((d, h)) => {
            let when = if h.tuned { "after" } else { "before" };
            format!(
                "outputs {:08x?} on the device, {:08x?} here, for row {} of network {} {when} training",
                d.bits, h.bits, h.row, h.network
            )
        }
        None if device.len() != host.len() => {
            format!("outputs for {} rows on the device, for {} here", device.len(), host.len())
        }
        None => return None,
    };
    Some(Difference { round: None, what })
}

/// The first difference of rounds that were lost in a reset: they must be the host's too.
#[must_use]
pub fn first_lost_difference(lost: &[RoundRecord], host: &[RoundRecord]) -> Option<Difference> {
    lost.iter().find_map(|d| {
        let h = host.get((d.round as usize).wrapping_sub(1));
        let what = h.map_or(Some(format!("{} rounds here", host.len())), |h| different_in(d, h));
        what.map(|what| Difference { round: Some(d.round), what: format!("{what}, before a reset") })
    })
}

/// What differs between two rounds; `None` if every bit is the same.
#[must_use]
pub fn different_in(device: &RoundRecord, host: &RoundRecord) -> Option<String> {
    let fields = |r: &RoundRecord| {
        [
            ("number", u64::from(r.round)),
            ("winner", u64::from(r.winner)),
            ("steps", u64::from(r.steps)),
            ("train loss", u64::from(r.train_loss)),
            ("fallback's loss", u64::from(r.fallback_loss)),
            ("learned loss", u64::from(r.learned_loss)),
            ("trace", r.trace),
        ]
    };
    let pair = fields(device).into_iter().zip(fields(host)).find(|(d, h)| d.1 != h.1);
    pair.map(|((name, d), (_, h))| match name {
        "number" | "winner" | "steps" => format!("{name} {d} on the device, {h} here"),
        "trace" => format!("trace {d:016x} on the device, {h:016x} here"),
        _ => format!("{name} {d:08x} on the device, {h:08x} here"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds() -> Vec<RoundRecord> {
        let round = |round| RoundRecord {
            round,
            winner: 0,
            steps: 1,
            train_loss: 0x3f00_0000 + round,
            fallback_loss: 2,
            learned_loss: 3,
            trace: u64::from(round),
        };
        (1..=3).map(round).collect()
    }

    #[test]
    fn equal_runs_have_no_difference() {
        let rounds = rounds();
        let side = RunBits { rounds: &rounds, params: Some(1), outputs: &[] };
        assert_eq!(first_difference(side, side), None);
    }

    #[test]
    fn lost_rounds_are_compared_too() {
        let host = rounds();
        assert_eq!(first_lost_difference(&host[1..], &host), None);
        let mut lost = host[1..].to_vec();
        lost[1].steps = 2;
        let found = first_lost_difference(&lost, &host).expect("a difference");
        assert_eq!((found.round, found.what.as_str()), (Some(3), "steps 2 on the device, 1 here, before a reset"));
        assert_eq!(first_lost_difference(&lost[1..], &host[..2]).and_then(|d| d.round), Some(3));
    }

    #[test]
    fn the_first_round_and_what_differs_are_named() {
        let host = rounds();
        let mut device = host.clone();
        device[1].learned_loss ^= 1;
        device[2].winner = 1;
        let side = |rounds| RunBits { rounds, params: Some(1), outputs: &[] };
        let found = first_difference(side(&device), side(&host)).expect("a difference");
        assert_eq!((found.round, found.what.as_str()), (Some(2), "learned loss 00000002 on the device, 00000003 here"));
        let short = first_difference(side(&host[..2]), side(&host)).expect("a difference");
        assert_eq!((short.round, short.what.as_str()), (Some(3), "2 rounds on the device, 3 here"));
        let lost = RunBits { rounds: &host, params: None, outputs: &[] };
        let last = first_difference(lost, side(&host)).expect("a difference");
        assert_eq!(last.round, None);
        assert!(last.what.contains("missing on the device, 0000000000000001 here"), "{}", last.what);
    }

    #[test]
    fn outputs_are_compared_too() {
        let host = [0, 1].map(|row| Outputs { network: 1, row, tuned: true, bits: [1, 2, 3] });
        let side = |outputs| RunBits { rounds: &[], params: None, outputs };
        assert_eq!(first_difference(side(&host), side(&host)), None);
        let mut device = host;
        device[1].bits[2] = 4;
        let found = first_difference(side(&device), side(&host)).expect("a difference").what;
        assert!(found.contains("00000004] on the device") && found.contains("row 1 of network 1 after"), "{found}");
        let found = first_difference(side(&host[..1]), side(&host)).expect("a difference").what;
        assert!(found.contains("for 1 rows on the device, for 2 here"), "{found}");
    }
}

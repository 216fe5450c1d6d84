//! What programs take, held against `firmware/counts.json`: instructions, flash, and the stack that is in use.

use lgl2o_device::cost::Cost;
use lgl2o_host::device::board::Board;
use serde::Deserialize;

use super::{device, held_boards, pinned_boards};
use crate::pinned::{Figures, Size, committed, grown, hold};

/// What `lgl2o device --program cost` finds on a board.
#[derive(Debug, Clone, Deserialize)]
struct Found {
    compiler: Option<String>,
    costs: Vec<Cost>,
    sizes: Vec<Size>,
}

fn count(board: &Board) -> Found {
    let (ran, record) = device(None, board, &["--program", "cost", "--timeout", "900"]);
    ran.expect(0, &[]);
    serde_json::from_value(record).expect("costs and sizes")
}

/// All that has grown: instructions by 3 %, flash by 5 %, stack by 10 %.
fn all_grown(now: &Found, then: &Figures) -> Vec<String> {
    let same = |a: &Cost, b: &Cost| (a.workload, a.item) == (b.workload, b.item);
    let named = |a: &Size, b: &Size| a.program == b.program;
    let mut all = grown(&now.costs, &then.costs, same, |cost| cost.instructions, 1.03);
    all.extend(grown(&now.sizes, &then.sizes, named, |size| size.flash, 1.05));
    all.extend(grown(&now.sizes, &then.sizes, named, |size| size.stack.unwrap_or(0), 1.1));
    all
}

#[test]
#[ignore = "needs QEMU and a compiler for the boards"]
fn nothing_has_grown() {
    for board in held_boards() {
        let now = count(board);
        let write = |figures: &mut Figures| {
            figures.costs.clone_from(&now.costs);
            figures.sizes.clone_from(&now.sizes);
        };
        hold(board.name, now.compiler.as_deref(), |then| all_grown(&now, then), write);
    }
}

#[test]
fn growth_is_noticed() {
    for Board { name, .. } in pinned_boards() {
        let then = &committed().boards[*name];
        let mut now = Found { compiler: None, costs: then.costs.clone(), sizes: then.sizes.clone() };
        assert!(!then.costs.is_empty() && !then.sizes.is_empty() && all_grown(&now, then).is_empty());
        now.costs[0].instructions += then.costs[0].instructions / 25;
        now.sizes[1].stack = then.sizes[1].stack.map(|stack| stack + stack / 9);
        now.sizes[2].flash += then.sizes[2].flash / 15;
        assert_eq!(all_grown(&now, then).len(), 3, "{name}");
        assert!(!all_grown(&now, &Figures::default()).is_empty(), "what was not there");
    }
}

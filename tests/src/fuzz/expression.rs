//! Optimizer expressions, as the command line takes them.

use lgl2o_host::optimizer::expression::parse_list;
use lgl2o_host::optimizer::tuned::TunedOn;
use lgl2o_host::optimizer::{Tuned, hand_made, learned};

use super::Target;

pub(super) const TARGET: Target = Target { name: "expression", read, examples, memory };

/// An optimizer has less than 4 kB, its expression two bytes or more; the weights of a built-in one are shared or small.
fn memory(bytes: &[u8]) -> usize {
    (1 << 20) + (1 << 15) * bytes.len()
}

/// What is accepted has a name that is accepted, too, and means the same.
fn read(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let tuned = Tuned::built_in(TunedOn::Mnist);
    // Weights come from files; which there are is no matter of the expression.
    let names_a_file = text.contains(['/', '\\']) && !text.contains("/(");
    if names_a_file {
        return false;
    }
    let Ok(all) = parse_list(text, &tuned) else { return false };
    assert!(!all.is_empty());
    let names: Vec<String> = all.iter().map(|optimizer| optimizer.name.clone()).collect();
    let again = parse_list(&names.join(","), &tuned).expect("a name is an expression");
    assert_eq!(again, all, "{names:?}");
    true
}

fn examples() -> Vec<Vec<u8>> {
    let names: Vec<&str> = hand_made::names().chain(learned::names()).collect();
    [
        &names.join(","),
        "auto,auto-lean , avg-l2o",
        "sgd",
        "sgd:0.3,momentum , nesterov:1e-2,armijo:1",
        "sgd:5/(50+i)",
        "l2o:weights.l2o",
        "lgl2o(l2o,sgd)",
        "lgl2o(avg-l2o,sgd:3,paper,nt=10,nc=10,lower,veto,stay)",
        "lgl2o(lean,adam,margin=2,early-stop=3,follow,no-trust,stride=4,stretch=5)",
        "lgl2o(lean,avg-adam,growing-margin,rewind,no-veto,no-stride,no-audit,no-budget,gaps=80:1280)",
        "gl2o(l2o,adam:0.01,alpha=0.9,mu=ema:0.25)",
        "gl2o(l2o,adam,mu=gs:0.5),gl2o(l2o,sgd,mu=rt),gl2o(l2o,sgd,mu=aa),gl2o(l2o,sgd,mu=rm:4)",
        "blend(l2o,sgd,share=0.25)",
        "lgl2o(lgl2o(l2o,sgd),sgd)",
        "sdg",
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

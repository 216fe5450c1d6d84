//! How others call tensors: the layer that one belongs to, what it is of it, and the order of layers.

/// How PyTorch calls weights and biases of a recurrent layer, from its inputs and from its state.
pub(super) const RECURRENT: [[&str; 2]; 2] = [["weight_ih_l0", "bias_ih_l0"], ["weight_hh_l0", "bias_hh_l0"]];

/// What a tensor is of its layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Outputs x inputs.
    Weight,
    /// Inputs x outputs.
    Kernel,
    Bias,
}

/// The layer that a tensor belongs to, whether it is of a plain layer, 0, or of a recurrent one, from the inputs, 1, or from the state, 2, and what
/// it is.
pub(super) fn role(name: &str) -> Option<(&str, usize, Role)> {
    const ENDS: [(&str, usize, Role); 10] = [
        ("weight", 0, Role::Weight),
        ("kernel:0", 0, Role::Kernel),
        ("kernel", 0, Role::Kernel),
        ("vars/0", 0, Role::Kernel),
        ("bias", 0, Role::Bias),
        ("vars/1", 0, Role::Bias),
        (RECURRENT[0][0], 1, Role::Weight),
        (RECURRENT[0][1], 1, Role::Bias),
        (RECURRENT[1][0], 2, Role::Weight),
        (RECURRENT[1][1], 2, Role::Bias),
    ];
    let name = name.strip_suffix(":0").unwrap_or(name);
    let found = ENDS.iter().find_map(|(end, pair, role)| Some((name.strip_suffix(end)?, *pair, *role)));
    found.map(|(layer, pair, role)| (layer.trim_end_matches(['.', '/']), pair, role))
}

/// Whether a tensor is of a recurrent layer that this program has not: a second one on top of the first, or one that runs backwards.
pub(super) fn is_other_recurrent(name: &str) -> bool {
    let is_known = RECURRENT.iter().flatten().any(|end| name.ends_with(end));
    let is_recurrent = ["weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l"].iter().any(|part| name.contains(part));
    is_recurrent && !is_known
}

/// A part of a name: numbers are compared as numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Number(u64),
    Text(String),
}

/// The parts of a name, in the order of which layers are.
pub(super) fn parts(name: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    for chunk in name.as_bytes().chunk_by(|a, b| a.is_ascii_digit() == b.is_ascii_digit()) {
        let text = String::from_utf8_lossy(chunk).into_owned();
        // `dense` and `dense_1` begin alike.
        let text = if text == "_" { continue } else { text.trim_end_matches('_').to_owned() };
        parts.push(text.parse().map_or(Part::Text(text), Part::Number));
    }
    parts
}

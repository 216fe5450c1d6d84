//! Names of tensors in files of PyTorch and Keras: the layer that a tensor belongs to, its role there, and the order of layers.

/// PyTorch's names of weights and bias of a recurrent layer, for its inputs and for its state.
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

/// The layer that a tensor belongs to, its pair of weights and bias, and its role in the pair. A plain layer has pair 0, a recurrent one
/// pair 1 for its inputs and pair 2 for its state.
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

/// Whether a tensor belongs to a recurrent layer that this program does not have: a second layer on top of the first, or one that runs
/// backwards.
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

/// The parts of a name, by which layers are sorted.
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

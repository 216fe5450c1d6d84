//! Networks and treatments of the inputs, as `lgl2o survey` takes them: two lists with a semicolon between them.

use lgl2o_host::network::activation_names;
use lgl2o_host::survey::inputs::Inputs;
use lgl2o_host::survey::shape::Shape;

use super::Target;

pub(super) const TARGET: Target = Target { name: "survey", read, examples, memory };

fn memory(bytes: &[u8]) -> usize {
    (1 << 16) + 256 * bytes.len()
}

/// What is accepted has a name that is accepted, too, and means the same.
fn read(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    let Some((networks, inputs)) = text.split_once(';') else { return false };
    let shapes: Result<Vec<Shape>, _> = networks.split(',').map(Shape::parse).collect();
    let inputs: Result<Vec<Inputs>, _> = inputs.split(',').map(Inputs::parse).collect();
    let (Ok(shapes), Ok(inputs)) = (shapes, inputs) else { return false };
    for shape in shapes {
        assert!(!shape.hidden.is_empty() && shape.hidden.iter().all(|width| *width > 0));
        assert_eq!(Shape::parse(&shape.name()).expect("a name is a network"), shape);
    }
    for inputs in inputs {
        assert_eq!(Inputs::parse(&inputs.name()).expect("a name is a treatment"), inputs);
    }
    true
}

fn examples() -> Vec<Vec<u8>> {
    let mut all: Vec<String> = activation_names().map(|name| format!("20:{name},8-4-2 {name};x1e-30")).to_vec();
    let others = ["16-16 tanh;plain,x0.1,x10,inverted,raw", "1 tanh;xinf", "--;x", ";"];
    all.extend(others.map(str::to_owned));
    all.into_iter().map(String::into_bytes).collect()
}

//! The operators that change what the sides of a value are, and compute nothing.

use super::OnnxError;
use super::axes::{Axis, flat, words};
use super::messages::Node;
use super::reader::{Reader, refuse};

/// The place of a side, counted from the end if it is negative.
pub(super) fn place(axis: i64, sides: usize) -> Option<usize> {
    let sides = i64::try_from(sides).ok()?;
    usize::try_from(if axis < 0 { axis.checked_add(sides)? } else { axis }).ok().filter(|&at| (at as i64) < sides)
}

/// All sides behind the batch become one.
fn make_flat(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let Some(flat) = flat(&reader.axes) else {
        return refuse(
            node,
            format!(
                "it flattens {} in an order that lgl2o cannot read. Use x.flatten(1) right behind the layer",
                words(&reader.axes)
            ),
        );
    };
    reader.axes = vec![Axis::Batch, flat];
    Ok(())
}

pub(super) fn flatten(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let axis = node.attribute.iter().find(|attribute| attribute.name == "axis").map_or(1, |attribute| attribute.i);
    if place(axis, reader.axes.len() + 1) != Some(1) {
        return refuse(node, "its axis must be 1: the batch stays, and the rest becomes one row");
    }
    make_flat(reader, node)
}

pub(super) fn reshape(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let Some(to) = reader.whole(node, "shape", 1) else {
        return refuse(node, "its shape is computed at run time. Use x.flatten(1) in its place");
    };
    let shape = words(&reader.axes);
    let count = reader.axes.iter().skip(1).try_fold(1usize, |n, axis| n.checked_mul(axis.length()?));
    let sides = |sides: &[i64]| -> Option<Vec<usize>> {
        let known: Option<Vec<usize>> = sides.iter().filter(|n| **n != -1).map(|&n| usize::try_from(n).ok()).collect();
        let known = known?.iter().try_fold(1usize, |n, &side| n.checked_mul(side)).filter(|n| *n > 0)?;
        let side = |&n: &i64| if n == -1 { count.map(|count| count / known) } else { usize::try_from(n).ok() };
        let sides: Option<Vec<usize>> = sides.iter().map(side).collect();
        sides.filter(|sides| sides.iter().try_fold(1usize, |n, &side| n.checked_mul(side)) == count)
    };
    let rest = to.get(1..).and_then(sides);
    match (rest.as_deref(), &reader.axes[..]) {
        (Some([_]), _) => make_flat(reader, node),
        // A row becomes a series, or an image.
        (Some(&[a, b, c]), [Axis::Batch, Axis::Flat(_)]) if reader.layers.is_empty() => {
            reader.axes = vec![Axis::Batch, Axis::Raw(0, a), Axis::Raw(1, b), Axis::Raw(2, c)];
            Ok(())
        }
        (Some(&[a, b]), [Axis::Batch, Axis::Flat(_)]) if reader.layers.is_empty() => {
            reader.axes = vec![Axis::Batch, Axis::Raw(0, a), Axis::Raw(1, b)];
            Ok(())
        }
        _ => refuse(
            node,
            format!("it reshapes {shape} to {to:?}; behind a layer lgl2o reads a Flatten only. Use x.flatten(1)"),
        ),
    }
}

pub(super) fn transpose(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let order: Vec<i64> = reader.whole(node, "perm", usize::MAX).unwrap_or_default();
    let order: Option<Vec<usize>> = order.iter().map(|&axis| place(axis, reader.axes.len())).collect();
    let sides = reader.axes.len();
    let order = order.filter(|order| order.len() == sides && (0..sides).all(|at| order.contains(&at)) && order[0] == 0);
    let Some(order) = order else {
        return refuse(node, "its order must keep the batch first and name each dimension once");
    };
    reader.axes = order.iter().map(|&at| reader.axes[at]).collect();
    Ok(())
}

pub(super) fn squeeze(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let places = reader.whole(node, "axes", 1).unwrap_or_default();
    let places: Option<Vec<usize>> = places.iter().map(|&axis| place(axis, reader.axes.len())).collect();
    let long = |&at: &usize| reader.axes[at].length() != Some(1);
    let Some(places) = places.filter(|places| !places.is_empty() && !places.iter().any(long)) else {
        return refuse(node, format!("it removes dimensions of {} whose length is not 1", words(&reader.axes)));
    };
    let kept = reader.axes.iter().enumerate().filter(|(at, _)| !places.contains(at));
    reader.axes = kept.map(|(_, axis)| *axis).collect();
    Ok(())
}

pub(super) fn unsqueeze(reader: &mut Reader<'_>, node: &Node) -> Result<(), OnnxError> {
    let places = reader.whole(node, "axes", 1).unwrap_or_default();
    let [axis] = places[..] else { return refuse(node, "it must add one dimension. Split it into several Unsqueeze") };
    let Some(at) = place(axis, reader.axes.len() + 1).filter(|at| *at > 0) else {
        return refuse(node, "the batch must stay first");
    };
    // Of a row before the first layer, this makes a series of one channel or of one time.
    let is_row = reader.layers.is_empty() && reader.axes.len() == 2;
    match (is_row, &reader.axes[..]) {
        (true, &[Axis::Batch, Axis::Flat(n)]) => {
            let sides = if at == 1 { [1, n] } else { [n, 1] };
            reader.axes = vec![Axis::Batch, Axis::Raw(0, sides[0]), Axis::Raw(1, sides[1])];
        }
        _ => reader.axes.insert(at, Axis::One),
    }
    Ok(())
}

//! A field of probabilities: thinned out, gathered into stretches of one level, and its line at one half.

use std::collections::BTreeMap;

use super::ReportError;
use super::palette::LEVELS;

/// The finest grid that is drawn; a finer one is thinned out.
const FINEST: usize = 64;

/// The probability of class 1 that the trained model of one optimizer gives to every point of a square.
#[derive(Debug, Clone, PartialEq)]
pub struct Boundary {
    /// The optimizer, as in [`Run::optimizer`](crate::record::Run::optimizer).
    pub optimizer: String,
    /// Grid points in a row and in a column.
    pub resolution: usize,
    /// The field covers `[-extent, extent]` in both directions, in `resolution` equal parts, and each value
    /// belongs to the middle of its part.
    pub extent: f32,
    /// The probability of class 1, row by row from the bottom, each from left to right; NaN where the run diverged.
    pub probability: Vec<f32>,
}

/// A field thinned out to the grid that is drawn, row 0 at the bottom.
pub(super) struct Grid {
    /// Values in a row and in a column.
    pub(super) side: usize,
    values: Vec<f32>,
}

/// Cells to paint in one level; ordered as they are painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch {
    /// Below [`LEVELS`]; none where the run diverged.
    pub(super) level: Option<u8>,
    /// The first column and the one after the last.
    pub(super) columns: (usize, usize),
    /// The first row, counted from the top, and the one after the last.
    pub(super) rows: (usize, usize),
}

impl Grid {
    /// Checks a field and takes at most [`FINEST`] by [`FINEST`] values from it.
    pub(super) fn new(field: &Boundary) -> Result<Self, ReportError> {
        let resolution = field.resolution;
        if resolution.checked_mul(resolution) != Some(field.probability.len()) {
            return Err(ReportError::BoundarySize {
                optimizer: field.optimizer.clone(),
                resolution,
                found: field.probability.len(),
            });
        }
        let side = resolution.min(FINEST);
        let values = (0..side * side).map(|i| interpolated(field, (i % side, i / side), side));
        Ok(Self { side, values: values.collect() })
    }

    /// Whether it has no value anywhere.
    pub(super) fn diverged(&self) -> bool {
        self.values.iter().all(|v| v.is_nan())
    }

    /// What to paint, one over the other: each row whole in its lowest level, and higher ones over it. That
    /// takes half as many stretches as side by side, and leaves no seams.
    pub(super) fn stretches(&self) -> Vec<Stretch> {
        let mut all = Vec::new();
        for (row, values) in self.values.chunks(self.side.max(1)).rev().enumerate() {
            let levels: Vec<Option<u8>> = values.iter().map(|v| level(*v)).collect();
            nest(&levels, (row, 0), &mut all);
        }
        all.sort();
        all.dedup_by(|next, last| {
            let joins = (next.level, next.columns, next.rows.0) == (last.level, last.columns, last.rows.1);
            last.rows.1 += usize::from(joins);
            joins
        });
        all
    }

    /// The lines at one half, by marching squares between the middles of the cells. `place` says where a column
    /// and a row, counted from the top and in fractions, stand.
    pub(super) fn decision_lines<P: Ord + Copy>(&self, place: impl Fn(f64, f64) -> P) -> Vec<Vec<P>> {
        let side = self.side;
        let mut links: BTreeMap<P, Vec<P>> = BTreeMap::new();
        for (row, column) in (1..side).flat_map(|row| (1..side).map(move |column| (row, column))) {
            let corners = [(1, 1), (0, 1), (0, 0), (1, 0)].map(|(dx, dy)| {
                let (c, r) = (column - dx, row - dy);
                (c as f64 + 0.5, (side - r) as f64 - 0.5, f64::from(self.values[r * side + c]))
            });
            for (from, to) in segments(corners).into_iter().map(|(a, b)| (place(a.0, a.1), place(b.0, b.1))) {
                links.entry(from).or_default().push(to);
                links.entry(to).or_default().push(from);
            }
        }
        join(links)
    }
}

/// The value of a field in the middle of a cell of a coarser grid, interpolated between the four nearest.
fn interpolated(field: &Boundary, cell: (usize, usize), side: usize) -> f32 {
    let resolution = field.resolution;
    let along = |i: usize| {
        let at = (i as f32 + 0.5) * resolution as f32 / side as f32 - 0.5;
        let at = at.clamp(0.0, (resolution - 1) as f32);
        let low = at as usize;
        (low, (low + 1).min(resolution - 1), at - low as f32)
    };
    let ((left, right, x), (lower, upper, y)) = (along(cell.0), along(cell.1));
    let value = |row: usize, column: usize| field.probability[row * resolution + column];
    let row = |row: usize| value(row, left) * (1.0 - x) + value(row, right) * x;
    row(lower) * (1.0 - y) + row(upper) * y
}

/// The level of a probability; none where the run diverged.
fn level(probability: f32) -> Option<u8> {
    let share = probability.clamp(0.0, 1.0);
    (!share.is_nan()).then(|| ((share * f32::from(LEVELS)) as u8).min(LEVELS - 1))
}

/// Adds the stretches of a part of a row, which begins at a row and a column.
fn nest(levels: &[Option<u8>], (row, from): (usize, usize), out: &mut Vec<Stretch>) {
    let Some(&lowest) = levels.iter().min() else { return };
    out.push(Stretch { level: lowest, columns: (from, from + levels.len()), rows: (row, row + 1) });
    let mut column = from;
    for part in levels.chunk_by(|a, b| (*a == lowest) == (*b == lowest)) {
        if part[0] != lowest {
            nest(part, (row, column), out);
        }
        column += part.len();
    }
}

type Point = (f64, f64);

/// The pieces of the line at one half inside a square of four values, given around it.
fn segments(corners: [(f64, f64, f64); 4]) -> Vec<(Point, Point)> {
    if corners.iter().any(|c| c.2.is_nan()) {
        return Vec::new();
    }
    let mut crossings: Vec<Point> = Vec::new();
    for i in 0..4 {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        if (a.2 >= 0.5) != (b.2 >= 0.5) {
            let share = (0.5 - a.2) / (b.2 - a.2);
            crossings.push((a.0 + share * (b.0 - a.0), a.1 + share * (b.1 - a.1)));
        }
    }
    // Taken in pairs, the crossings cut off corners 1 and 3. At a saddle those must be the ones that differ
    // from the mean; if they are not, the other two are cut off.
    let high_middle = corners.iter().map(|c| c.2).sum::<f64>() >= 2.0;
    if crossings.len() == 4 && high_middle != (corners[0].2 >= 0.5) {
        crossings.rotate_left(1);
    }
    crossings.chunks_exact(2).map(|c| (c[0], c[1])).collect()
}

/// Follows the pieces of line from point to point; open ends first, so that whole lines come out whole.
fn join<P: Ord + Copy>(mut links: BTreeMap<P, Vec<P>>) -> Vec<Vec<P>> {
    let mut starts: Vec<P> = links.keys().copied().collect();
    starts.sort_by_key(|p| links[p].len().is_multiple_of(2));
    let mut lines = Vec::new();
    for start in starts {
        let mut line = vec![start];
        let mut at = start;
        while let Some(next) = links.get_mut(&at).and_then(Vec::pop) {
            if let Some(back) = links.get_mut(&next)
                && let Some(i) = back.iter().position(|p| *p == at)
            {
                back.swap_remove(i);
            }
            line.push(next);
            at = next;
        }
        lines.push(line);
    }
    lines.retain(|line| line.len() > 1);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    fn ramp() -> Grid {
        Grid::new(&sample::boundaries().fields[0]).expect("fits")
    }

    #[test]
    fn thinning_out_keeps_a_ramp_and_does_not_hide_what_diverged() {
        let mut field = Boundary {
            optimizer: "x".to_owned(),
            resolution: 100,
            extent: 1.0,
            probability: (0..10_000).map(|i| (i % 100) as f32 / 99.0).collect(),
        };
        field.probability[..5000].fill(f32::NAN);
        let grid = Grid::new(&field).expect("fits");
        assert_eq!(grid.side, FINEST);
        let (lower, upper) = grid.values.split_at(FINEST * FINEST / 2);
        assert!(lower.iter().all(|v| v.is_nan()) && !grid.diverged());
        assert!(upper[..FINEST].windows(2).all(|w| w[0] < w[1]));
    }

    #[test]
    fn painted_over_each_other_stretches_give_every_cell_its_level() {
        let mut grid = ramp();
        grid.values = (0..64).map(|i| if i % 7 == 6 { f32::NAN } else { (i * i % 19) as f32 / 18.0 }).collect();
        let mut painted = vec![None; 64];
        let stretches = grid.stretches();
        for s in &stretches {
            for row in s.rows.0..s.rows.1 {
                painted[(7 - row) * 8 + s.columns.0..(7 - row) * 8 + s.columns.1].fill(s.level);
            }
        }
        assert_eq!(painted, grid.values.iter().map(|v| level(*v)).collect::<Vec<_>>());
        assert!(stretches.len() <= 64);
    }

    #[test]
    fn the_decision_line_of_a_ramp_is_one_line_in_its_middle() {
        let lines = ramp().decision_lines(|x, y| (libm::round(x * 10.0) as i32, libm::round(y * 10.0) as i32));
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].len(), 8, "one piece per pair of rows");
        assert!(lines[0].iter().all(|p| p.0 == 40), "{lines:?}");
    }

    #[test]
    fn saddles_give_two_pieces_that_follow_the_mean() {
        let corner = |v: [f64; 4]| [(0.0, 0.0, v[0]), (1.0, 0.0, v[1]), (1.0, 1.0, v[2]), (0.0, 1.0, v[3])];
        let high = segments(corner([0.9, 0.4, 0.9, 0.4]));
        assert_eq!(high.len(), 2);
        // The low corners (1, 0) and (0, 1) are cut off.
        let cut_off = |p: &(Point, Point)| p.0.0 + p.1.0 > 1.5 && p.0.1 + p.1.1 < 0.5;
        assert!(high.iter().any(cut_off), "{high:?}");
        let low = segments(corner([0.6, 0.1, 0.6, 0.1]));
        assert!(low.iter().all(|p| !cut_off(p)), "{low:?}");
    }

    #[test]
    fn pieces_are_joined_into_open_and_closed_lines() {
        let pieces = [(1, 2), (3, 2), (3, 4), (11, 12), (12, 13), (13, 11)];
        let mut links: BTreeMap<i32, Vec<i32>> = BTreeMap::new();
        for (a, b) in pieces {
            links.entry(a).or_default().push(b);
            links.entry(b).or_default().push(a);
        }
        let lines = join(links);
        assert_eq!(lines[0], [1, 2, 3, 4]);
        assert_eq!((lines.len(), lines[1].len(), lines[1][0], lines[1][3]), (2, 4, 11, 11));
    }
}

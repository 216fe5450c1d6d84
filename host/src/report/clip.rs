//! What of a line is visible: plotters draws beyond a plot, so lines are cut at its upper edge first.

use super::canvas::At;

/// The parts of a line below the upper edge.
pub(super) fn visible(line: &[At], top: i32) -> Vec<Vec<At>> {
    let cut = with_crossings(line, top);
    let parts = cut.chunk_by(|a, b| (a.1 < top) == (b.1 < top));
    parts.filter(|part| part[0].1 >= top).map(<[At]>::to_vec).collect()
}

/// A line that runs along the upper edge where it would leave.
pub(super) fn held_down(line: &[At], top: i32) -> Vec<At> {
    with_crossings(line, top).into_iter().map(|(x, y)| (x, y.max(top))).collect()
}

/// Where a line first rises above the upper edge.
pub(super) fn departure(line: &[At], top: i32) -> Option<i32> {
    let cut = with_crossings(line, top);
    let gone = cut.iter().position(|p| p.1 < top)?;
    Some(cut[gone.saturating_sub(1)].0)
}

/// The line with a point more wherever it crosses the upper edge.
fn with_crossings(line: &[At], top: i32) -> Vec<At> {
    let mut points: Vec<At> = line.first().copied().into_iter().collect();
    for pair in line.windows(2) {
        let (a, b) = (pair[0], pair[1]);
        if (a.1 < top) != (b.1 < top) {
            let share = f64::from(a.1 - top) / f64::from(a.1 - b.1);
            points.push((a.0 + libm::round(share * f64::from(b.0 - a.0)) as i32, top));
        }
        points.push(b);
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_where_it_crosses_the_upper_edge() {
        let line = [(0, 20), (10, 0), (20, 0), (30, 20)];
        assert_eq!(visible(&line, 10), [[(0, 20), (5, 10)], [(25, 10), (30, 20)]]);
        assert_eq!(held_down(&line, 10), [(0, 20), (5, 10), (10, 10), (20, 10), (25, 10), (30, 20)]);
        assert!(visible(&[], 10).is_empty() && held_down(&[], 10).is_empty());
    }

    #[test]
    fn a_line_is_followed_to_where_it_rises_above_the_top() {
        assert_eq!(departure(&[(0, 20), (10, 0)], 10), Some(5));
        assert_eq!(departure(&[(3, 5), (10, 0)], 10), Some(3));
        assert_eq!(departure(&[(0, 20), (10, 15)], 10), None);
        assert_eq!(departure(&[], 10), None);
    }
}

//! The pointing game: does the highest place of a map lie where readers marked the finding?
//!
//! Coordinates are fractions of a square, from its upper left corner. A map is a grid of cells over that square.
//!
//! Source: Zhang et al. 2018, *Top-down neural attention by excitation backprop*, section 4.2.

use std::collections::BTreeMap;

/// Points a side among which [`fixed_points`] looks for the best one.
const POINTS: usize = 64;

/// A rectangle that a reader marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Right edge.
    pub right: f64,
    /// Lower edge.
    pub bottom: f64,
}

impl Region {
    /// Whether the point lies inside or on the edge.
    pub fn contains(&self, [x, y]: [f64; 2]) -> bool {
        (self.left..=self.right).contains(&x) && (self.top..=self.bottom).contains(&y)
    }
}

/// A map over a square: `rows` × `columns` cells of equal size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid<'a> {
    /// Row by row from the top, `rows · columns` of them.
    pub values: &'a [f32],
    /// Cells a column of the grid.
    pub rows: usize,
    /// Cells a row of the grid.
    pub columns: usize,
}

impl Grid<'_> {
    /// Center of the highest cell, the first of equals; none in a map without cells, or with a value that is not a number.
    pub fn peak(&self) -> Option<[f64; 2]> {
        let mut best: Option<(usize, f32)> = None;
        for (index, value) in self.values.iter().copied().enumerate() {
            if value.is_nan() {
                return None;
            }
            if best.is_none_or(|(_, highest)| value > highest) {
                best = Some((index, value));
            }
        }
        best.map(|(index, _)| self.center(index))
    }

    /// Share of the map's positive part that lies in `regions`, each cell by the share of its area; none where nothing is
    /// positive.
    pub fn energy_inside(&self, regions: &[Region]) -> Option<f64> {
        let (mut inside, mut all) = (0.0, 0.0);
        for (index, value) in self.values.iter().enumerate() {
            let value = f64::from(value.max(0.0));
            all += value;
            inside += value * self.covered(index, regions);
        }
        (all > 0.0).then_some(inside / all)
    }

    /// Whether some cell's center lies in one of `regions`: the pointing game of a grid cannot be won otherwise.
    pub fn can_hit(&self, regions: &[Region]) -> bool {
        (0..self.values.len()).any(|index| hits(regions, self.center(index)))
    }

    fn center(&self, index: usize) -> [f64; 2] {
        let (row, column) = (index / self.columns, index % self.columns);
        [(column as f64 + 0.5) / self.columns as f64, (row as f64 + 0.5) / self.rows as f64]
    }

    /// Share of a cell's area in the union of `regions`, by a lattice of points.
    fn covered(&self, index: usize, regions: &[Region]) -> f64 {
        const LATTICE: usize = 16;
        let [x, y] = self.center(index);
        let place = |at: usize| (at as f64 + 0.5) / LATTICE as f64 - 0.5;
        let inside = (0..LATTICE * LATTICE)
            .filter(|at| {
                let across = x + place(at % LATTICE) / self.columns as f64;
                let down = y + place(at / LATTICE) / self.rows as f64;
                hits(regions, [across, down])
            })
            .count();
        inside as f64 / (LATTICE * LATTICE) as f64
    }
}

/// Whether one of the regions contains the point.
pub fn hits(regions: &[Region], point: [f64; 2]) -> bool {
    regions.iter().any(|region| region.contains(point))
}

/// For each film the point that hits the most films of other groups: what is reached without looking at any image.
///
/// `films` are the regions of each film with its group, a patient say. Among points that hit equally many, it is the one nearest to
/// the mean of them all. None for a film whose group is the only one.
pub fn fixed_points<G: Ord>(films: &[(G, &[Region])]) -> Vec<Option<[f64; 2]>> {
    let points: Vec<[f64; 2]> = (0..POINTS * POINTS)
        .map(|at| [at % POINTS, at / POINTS].map(|place| (place as f64 + 0.5) / POINTS as f64))
        .collect();
    let hit = |regions: &[Region]| points.iter().map(|point| u32::from(hits(regions, *point))).collect();
    let mut of_group: BTreeMap<&G, Vec<u32>> = BTreeMap::new();
    let mut all = vec![0; points.len()];
    for (group, regions) in films {
        let counts: Vec<u32> = hit(regions);
        add(&mut all, &counts);
        add(of_group.entry(group).or_insert_with(|| vec![0; points.len()]), &counts);
    }
    let is_alone = of_group.len() < 2;
    let of_group: BTreeMap<&G, [f64; 2]> = of_group
        .into_iter()
        .map(|(group, own)| {
            let others: Vec<u32> = all.iter().zip(&own).map(|(all, own)| all - own).collect();
            (group, best(&points, &others))
        })
        .collect();
    films.iter().map(|(group, _)| of_group.get(group).copied().filter(|_| !is_alone)).collect()
}

fn add(sum: &mut [u32], counts: &[u32]) {
    for (sum, count) in sum.iter_mut().zip(counts) {
        *sum += count;
    }
}

fn best(points: &[[f64; 2]], counts: &[u32]) -> [f64; 2] {
    let most = counts.iter().max();
    let tied: Vec<[f64; 2]> = points
        .iter()
        .zip(counts)
        .filter(|(_, count)| Some(*count) == most)
        .map(|(point, _)| *point)
        .collect();
    let mean =
        [0, 1].map(|axis| tied.iter().map(|point| point[axis]).sum::<f64>() / tied.len().max(1) as f64);
    let distance = |point: &[f64; 2]| (point[0] - mean[0]).powi(2) + (point[1] - mean[1]).powi(2);
    tied.into_iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap_or(mean)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn region(left: f64, top: f64, right: f64, bottom: f64) -> Region {
        Region { left, top, right, bottom }
    }

    #[test]
    fn the_peak_is_the_center_of_the_highest_cell() {
        let values = [0.1, -2.0, 0.7, 0.2, 0.7, 0.0];
        let grid = Grid { values: &values, rows: 2, columns: 3 };
        assert_eq!(grid.peak(), Some([2.5 / 3.0, 0.25]));
        assert_eq!(Grid { values: &[0.0, f32::NAN], rows: 1, columns: 2 }.peak(), None);
        assert_eq!(Grid { values: &[], rows: 0, columns: 0 }.peak(), None);
    }

    #[test]
    fn energy_counts_cells_by_area_and_overlaps_once() {
        let values = [1.0, 3.0, -5.0, 0.0];
        let grid = Grid { values: &values, rows: 2, columns: 2 };
        assert_eq!(grid.energy_inside(&[region(0.0, 0.0, 1.0, 1.0)]), Some(1.0));
        assert_eq!(grid.energy_inside(&[region(0.5, 0.0, 1.0, 0.25)]), Some(0.375));
        let twice = [region(0.5, 0.0, 1.0, 0.25), region(0.5, 0.0, 1.0, 0.25)];
        assert_eq!(grid.energy_inside(&twice), Some(0.375));
        assert_eq!(grid.energy_inside(&[]), Some(0.0));
        assert_eq!(Grid { values: &[-1.0], rows: 1, columns: 1 }.energy_inside(&twice), None);
    }

    #[test]
    fn a_grid_cannot_hit_between_its_centers() {
        let grid = Grid { values: &[0.0; 16], rows: 4, columns: 4 };
        assert!(grid.can_hit(&[region(0.1, 0.1, 0.2, 0.2)]));
        assert!(!grid.can_hit(&[region(0.2, 0.2, 0.3, 0.3)]));
    }

    #[test]
    fn a_fixed_point_is_learned_on_other_groups() {
        let (left, right) = ([region(0.1, 0.4, 0.3, 0.6)], [region(0.7, 0.4, 0.9, 0.6)]);
        // Two patients have it on the left, one has it on the right in three films.
        let films = [("a", &left[..]), ("b", &left), ("c", &right), ("c", &right), ("c", &right)];
        let points: Vec<[f64; 2]> = fixed_points(&films).into_iter().map(Option::unwrap).collect();
        let won: Vec<bool> =
            films.iter().zip(&points).map(|((_, regions), point)| hits(regions, *point)).collect();
        // The right has most films for "a" and "b"; without "c" it is the left.
        assert_eq!(won, [false; 5]);
        assert!(right[0].contains(points[0]) && left[0].contains(points[2]));
        // In the middle of what is tied.
        assert!((points[2][0] - 0.2).abs() < 0.02 && (points[2][1] - 0.5).abs() < 0.02, "{:?}", points[2]);
        assert_eq!(fixed_points(&[("a", &left[..]), ("a", &left)]), [None, None]);
    }
}

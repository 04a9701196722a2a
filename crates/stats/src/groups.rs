//! Patients drawn, and shared out between folds.

use std::collections::{BTreeMap, BTreeSet};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The distinct groups in a random order that depends on the seed and on which groups there are, not on the rows' order.
pub fn grouped_order<G: Ord + Clone>(groups: &[G], seed: u64) -> Vec<G> {
    let distinct: BTreeSet<&G> = groups.iter().collect();
    let mut order: Vec<G> = distinct.into_iter().cloned().collect();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Fisher–Yates, from the end down.
    for last in (1..order.len()).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    order
}

/// Fold of every row, 0 to `folds − 1`: a group's rows are in one fold, and folds have equally many groups, give or take
/// one.
///
/// # Shapes
/// - `groups`: `[rows]`
/// - returns: `[rows]`
pub fn grouped_folds<G: Ord + Clone>(groups: &[G], folds: usize, seed: u64) -> Vec<usize> {
    let order = grouped_order(groups, seed);
    let fold_of: BTreeMap<&G, usize> =
        order.iter().enumerate().map(|(place, group)| (group, place % folds.max(1))).collect();
    groups.iter().filter_map(|group| fold_of.get(group).copied()).collect()
}

/// Rows of a share of the groups, drawn with the seed: `⌈fraction · groups⌉` of them, at least one and at most all.
///
/// A smaller share of one seed is part of every larger one, so a curve over shares adds patients and exchanges none.
pub fn grouped_share<G: Ord + Clone>(groups: &[G], fraction: f64, seed: u64) -> Vec<usize> {
    let mut order = grouped_order(groups, seed);
    // A product such as 0.1 · 30 may lie a rounding error above the whole number it means.
    let count = (fraction * order.len() as f64 - 1e-9).ceil().max(1.0) as usize;
    order.truncate(count);
    let kept: BTreeSet<G> = order.into_iter().collect();
    groups.iter().enumerate().filter(|(_, group)| kept.contains(*group)).map(|(row, _)| row).collect()
}

/// Each value once, ascending.
pub(crate) fn distinct_values(values: &[usize]) -> Vec<usize> {
    values.iter().copied().collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups() -> Vec<u32> {
        (0..60).map(|row| row % 30).collect()
    }

    #[test]
    fn orders_hold_every_group_once_whatever_the_rows_order() {
        let order = grouped_order(&groups(), 3);
        let mut sorted = order.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..30).collect::<Vec<_>>());
        let reversed: Vec<u32> = groups().into_iter().rev().collect();
        assert_eq!(order, grouped_order(&reversed, 3));
        assert_ne!(order, grouped_order(&groups(), 4));
        assert!(grouped_order::<u32>(&[], 0).is_empty());
    }

    #[test]
    fn folds_keep_groups_together_and_even() {
        let folds = grouped_folds(&groups(), 4, 1);
        assert_eq!(folds[..30], folds[30..], "both rows of a group");
        let sizes = [0, 1, 2, 3].map(|fold| folds[..30].iter().filter(|found| **found == fold).count());
        assert_eq!(sizes, [8, 8, 7, 7]);
    }

    #[test]
    fn shares_are_nested_and_of_whole_groups() {
        let share = |fraction| grouped_share(&groups(), fraction, 7);
        for (fraction, expected) in [(0.01, 1), (0.1, 3), (0.25, 8), (0.5, 15), (1.0, 30), (2.0, 30)] {
            let rows = share(fraction);
            assert_eq!(rows.len(), 2 * expected, "{fraction}");
            assert!(rows.iter().all(|row| rows.contains(&((row + 30) % 60))));
            assert!(share(1.0).iter().filter(|row| rows.contains(row)).count() == rows.len());
        }
    }
}

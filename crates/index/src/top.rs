//! The largest of many.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// Keeps the `k` rows of largest cosine; of equal ones the lower row.
pub(crate) struct Top {
    k: usize,
    /// The worst kept one first.
    heap: BinaryHeap<Candidate>,
}

#[derive(Clone, Copy, PartialEq)]
struct Candidate {
    cosine: f32,
    row: usize,
}

impl Eq for Candidate {}

impl Ord for Candidate {
    /// Greater is worse.
    fn cmp(&self, other: &Self) -> Ordering {
        other.cosine.total_cmp(&self.cosine).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Top {
    pub(crate) fn new(k: usize) -> Self {
        Self { k, heap: BinaryHeap::new() }
    }

    pub(crate) fn push(&mut self, row: usize, cosine: f32) {
        let candidate = Candidate { cosine, row };
        if self.heap.len() < self.k {
            self.heap.push(candidate);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && candidate < *worst
        {
            *worst = candidate;
        }
    }

    pub(crate) fn merge(mut self, other: Self) -> Self {
        for Candidate { row, cosine } in other.heap {
            self.push(row, cosine);
        }
        self
    }

    /// Rows with their cosines, best first.
    pub(crate) fn into_sorted(self) -> Vec<(usize, f32)> {
        self.heap.into_sorted_vec().into_iter().map(|Candidate { cosine, row }| (row, cosine)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_come_first_and_equals_by_row() {
        let values = [0.5, -1.0, 0.9, 0.5, 0.1, 0.9];
        let (mut left, mut right) = (Top::new(4), Top::new(4));
        for (row, value) in values.into_iter().enumerate() {
            if row % 2 == 0 { left.push(row, value) } else { right.push(row, value) }
        }
        assert_eq!(left.merge(right).into_sorted(), [(2, 0.9), (5, 0.9), (0, 0.5), (3, 0.5)]);
        assert!(Top::new(0).into_sorted().is_empty());
    }
}

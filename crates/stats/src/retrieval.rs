//! Precision of the first few candidates a query retrieves, and the rank of the one that belongs to it.

use std::cmp::Ordering;

/// Expected share of relevant candidates among the `k` most similar to one query.
///
/// Candidates that tie across the k-th place share the places left, so the value is the mean over all orders of
/// the tied and does not depend on the order of the input.
///
/// # Shapes
/// - `similarity`, `relevant`: `[candidates]`
/// - returns: in [0, 1]; `None` when `k` is 0 or above the number of candidates, lengths differ or a similarity
///   is not a number
pub fn precision_at_k<S: Into<f64> + Copy>(similarity: &[S], relevant: &[bool], k: usize) -> Option<f64> {
    let ranked = crate::rows::ranked(similarity, relevant)?;
    let threshold = ranked.get(k.checked_sub(1)?)?.0;
    let above = ranked.partition_point(|(score, _)| *score > threshold);
    let (higher, rest) = ranked.split_at(above);
    let tied = rest.partition_point(|(score, _)| *score == threshold);
    let relevant_in = |rows: &[(f64, bool)]| rows.iter().filter(|(_, relevant)| *relevant).count() as f64;
    let share = (k - above) as f64 / tied as f64;
    Some((relevant_in(higher) + share * relevant_in(rest.get(..tied)?)) / k as f64)
}

/// Mean of [`precision_at_k`] over queries, `relevant(query, candidate)` telling what belongs together.
///
/// # Shapes
/// - `similarity`: `[queries, candidates]`, row-major
/// - returns: in [0, 1]; `None` without queries, when `similarity` is not a whole number of rows, or when any
///   query has no value
pub fn mean_precision_at_k<S: Into<f64> + Copy>(
    similarity: &[S],
    candidates: usize,
    relevant: impl Fn(usize, usize) -> bool,
    k: usize,
) -> Option<f64> {
    if candidates == 0 || !similarity.len().is_multiple_of(candidates) {
        return None;
    }
    let each: Option<Vec<f64>> = similarity
        .chunks_exact(candidates)
        .enumerate()
        .map(|(query, row)| {
            let row_relevant: Vec<bool> =
                (0..candidates).map(|candidate| relevant(query, candidate)).collect();
            precision_at_k(row, &row_relevant, k)
        })
        .collect();
    crate::confusion::mean(&each?)
}

/// Where one candidate stands among all, ties included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rank {
    /// Candidates more similar than it.
    pub above: usize,
    /// Candidates exactly as similar, itself included.
    pub tied: usize,
}

impl Rank {
    /// The rank of candidate `target`; `None` when there is no such candidate or a similarity is not a number.
    ///
    /// # Shapes
    /// - `similarity`: `[candidates]`; larger means nearer
    pub fn of<S: Into<f64> + Copy>(similarity: &[S], target: usize) -> Option<Self> {
        let own: f64 = (*similarity.get(target)?).into();
        let mut rank = Self { above: 0, tied: 0 };
        for &value in similarity {
            match value.into().partial_cmp(&own)? {
                Ordering::Greater => rank.above += 1,
                Ordering::Equal => rank.tied += 1,
                Ordering::Less => {}
            }
        }
        Some(rank)
    }

    /// Mean rank, from 1, over all orders of the tied: `above + (tied + 1) / 2`.
    pub fn expected(self) -> f64 {
        self.above as f64 + f64::midpoint(self.tied as f64, 1.0)
    }

    /// Probability that it is among the first `k`, over all orders of the tied: recall at k of one query.
    pub fn within(self, k: usize) -> f64 {
        k.saturating_sub(self.above).min(self.tied) as f64 / self.tied as f64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Mean of the plain precision over every order of the candidates, stably sorted.
    fn reference(similarity: &[f64], relevant: &[bool], k: usize) -> f64 {
        let mut values = Vec::new();
        permutations(&mut (0..similarity.len()).collect(), 0, &mut |order| {
            let mut order = order.to_vec();
            order.sort_by(|a, b| similarity[*b].total_cmp(&similarity[*a]));
            values.push(order[..k].iter().filter(|row| relevant[**row]).count() as f64 / k as f64);
        });
        values.iter().sum::<f64>() / values.len() as f64
    }

    fn permutations(order: &mut Vec<usize>, start: usize, visit: &mut impl FnMut(&[usize])) {
        if start == order.len() {
            visit(order);
        }
        for other in start..order.len() {
            order.swap(start, other);
            permutations(order, start + 1, visit);
            order.swap(start, other);
        }
    }

    #[test]
    fn counts_the_first_k() {
        let relevant = [true, false, true, false];
        assert_eq!(precision_at_k(&[0.9, 0.8, 0.7, 0.6], &relevant, 1), Some(1.0));
        assert_eq!(precision_at_k(&[0.9, 0.8, 0.7, 0.6], &relevant, 2), Some(0.5));
        assert_eq!(precision_at_k(&[0.9, 0.8, 0.7, 0.6], &relevant, 0), None);
        assert_eq!(precision_at_k(&[0.9, 0.8, 0.7, 0.6], &relevant, 5), None);
        assert_eq!(precision_at_k(&[0.9, f64::NAN], &[true, false], 1), None);
    }

    #[test]
    fn averages_queries() {
        let similarity = [0.9_f32, 0.1, 0.2, 0.8];
        assert_eq!(mean_precision_at_k(&similarity, 2, |query, candidate| query == candidate, 1), Some(1.0));
        assert_eq!(mean_precision_at_k(&similarity, 2, |_, candidate| candidate == 0, 1), Some(0.5));
        assert_eq!(mean_precision_at_k(&similarity, 3, |_, _| true, 1), None);
        assert_eq!(mean_precision_at_k::<f32>(&[], 2, |_, _| true, 1), None);
    }

    #[test]
    fn ranks_share_ties() {
        let similarity = [0.3, 0.9, 0.5, 0.5, 0.5, 0.1];
        let rank = Rank::of(&similarity, 3).unwrap();
        assert_eq!(rank, Rank { above: 1, tied: 3 });
        assert_eq!(rank.expected(), 3.0, "the mean of ranks 2, 3 and 4");
        assert_eq!([1, 2, 3, 4, 9].map(|k| rank.within(k)), [0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0, 1.0]);
        assert_eq!(Rank::of(&similarity, 1).map(Rank::expected), Some(1.0));
        assert_eq!(Rank::of(&similarity, 6), None);
        assert_eq!(Rank::of(&[0.1, f64::NAN], 0), None);
    }

    proptest! {
        #[test]
        fn equals_the_mean_over_orders(
            rows in prop::collection::vec((0_i32..3, any::<bool>()), 1..6),
            k in 1_usize..6,
        ) {
            let similarity: Vec<f64> = rows.iter().map(|row| f64::from(row.0)).collect();
            let relevant: Vec<bool> = rows.iter().map(|row| row.1).collect();
            match precision_at_k(&similarity, &relevant, k) {
                Some(value) => prop_assert!((value - reference(&similarity, &relevant, k)).abs() < 1e-12),
                None => prop_assert!(k > rows.len()),
            }
        }
    }
}

//! Places in a text, sorted, and what lies before, after and between them in logarithmic time.

use std::ops::Range;

/// Ranges sorted by their start that do not overlap: what one matcher finds from left to right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spans(Vec<Range<usize>>);

impl Spans {
    /// Sorts `ranges` and joins those that overlap.
    pub(crate) fn joined(mut ranges: Vec<Range<usize>>) -> Self {
        ranges.sort_unstable_by_key(|range| (range.start, range.end));
        let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match joined.last_mut() {
                Some(last) if range.start < last.end => last.end = last.end.max(range.end),
                _ => joined.push(range),
            }
        }
        Self(joined)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Range<usize>> {
        self.0.iter()
    }

    /// Keeps the ranges for which `keep` holds.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Range<usize>) -> bool) {
        self.0.retain(keep);
    }

    /// The last range that ends at or before `at`.
    pub(crate) fn before(&self, at: usize) -> Option<&Range<usize>> {
        self.0.partition_point(|range| range.end <= at).checked_sub(1).and_then(|index| self.0.get(index))
    }

    /// The first range that begins at or after `at`.
    pub(crate) fn after(&self, at: usize) -> Option<&Range<usize>> {
        self.0.get(self.0.partition_point(|range| range.start < at))
    }

    /// The ranges that begin at or after `at`, in order.
    pub(crate) fn from(&self, at: usize) -> impl Iterator<Item = &Range<usize>> {
        self.0.get(self.0.partition_point(|range| range.start < at)..).unwrap_or_default().iter()
    }

    /// The ranges that end at or before `at`, the last first.
    pub(crate) fn back_from(&self, at: usize) -> impl Iterator<Item = &Range<usize>> {
        self.0.get(..self.0.partition_point(|range| range.end <= at)).unwrap_or_default().iter().rev()
    }

    /// The range that shares a byte with `other`, the first where there are several.
    pub(crate) fn overlapping(&self, other: &Range<usize>) -> Option<&Range<usize>> {
        let found = self.0.get(self.0.partition_point(|range| range.end <= other.start))?;
        (found.start < other.end && other.start < other.end).then_some(found)
    }

    /// True when a range lies wholly in `other`.
    pub(crate) fn any_within(&self, other: &Range<usize>) -> bool {
        self.after(other.start).is_some_and(|range| range.end <= other.end)
    }

    /// True when a range begins in `other`.
    pub(crate) fn any_start_in(&self, other: &Range<usize>) -> bool {
        self.after(other.start).is_some_and(|range| range.start < other.end)
    }

    /// True when a range ends exactly at `at`.
    pub(crate) fn ends_at(&self, at: usize) -> bool {
        self.before(at).is_some_and(|range| range.end == at)
    }
}

impl FromIterator<Range<usize>> for Spans {
    /// Takes ranges that are sorted and do not overlap.
    fn from_iter<I: IntoIterator<Item = Range<usize>>>(ranges: I) -> Self {
        Self(ranges.into_iter().collect())
    }
}

/// Offsets, sorted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Offsets(Vec<usize>);

impl Offsets {
    pub(crate) fn new(mut offsets: Vec<usize>) -> Self {
        offsets.sort_unstable();
        Self(offsets)
    }

    /// True when an offset lies in `range`.
    pub(crate) fn any_in(&self, range: Range<usize>) -> bool {
        self.after(range.start).is_some_and(|at| at < range.end)
    }

    /// The last offset before `at`.
    pub(crate) fn before(&self, at: usize) -> Option<usize> {
        let index = self.0.partition_point(|offset| *offset < at).checked_sub(1)?;
        self.0.get(index).copied()
    }

    /// The first offset at or after `at`.
    pub(crate) fn after(&self, at: usize) -> Option<usize> {
        self.0.get(self.0.partition_point(|offset| *offset < at)).copied()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().copied()
    }

    /// Number of offsets in `range`.
    pub(crate) fn count_in(&self, range: Range<usize>) -> usize {
        let below = |at: usize| self.0.partition_point(|offset| *offset < at);
        below(range.end).saturating_sub(below(range.start))
    }

    pub(crate) fn extend(&mut self, offsets: impl IntoIterator<Item = usize>) {
        self.0.extend(offsets);
        self.0.sort_unstable();
    }
}

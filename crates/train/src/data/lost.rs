//! Images that a run has to do without.

use std::path::PathBuf;

use medclip_data::RowName;

/// A selected image that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostImage {
    /// `train`, or the evaluation's name.
    pub set: String,
    /// Its row.
    pub row: RowName,
    /// The file.
    pub path: PathBuf,
    /// Why it could not be read, in words that do not name the file.
    pub reason: String,
}

/// Rows that a message names before it only counts.
const NAMED: usize = 3;

/// Whether more than `limit` of `selected` images are lost.
pub(crate) fn are_too_many(lost: usize, selected: usize, limit: f64) -> bool {
    // A product such as 0.29 · 100 may lie a rounding error below the whole number it means.
    lost as f64 > limit * selected as f64 + 1e-9
}

/// `row 1 (line 2) of a.csv: is empty; row 4 (line 5) of a.csv: …; 7 more`.
pub(crate) fn first_rows(lost: &[LostImage]) -> String {
    let named = lost.iter().take(NAMED).map(|lost| format!("{}: {}", lost.row, lost.reason));
    let rest = lost.len().saturating_sub(NAMED);
    named.chain((rest > 0).then(|| format!("{rest} more"))).collect::<Vec<_>>().join("; ")
}

/// `1.5 %`.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.2}", 100.0 * share);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_a_share_that_may_be_reached() {
        for (lost, selected, limit, too_many) in [
            (0, 10, 0.0, false),
            (1, 10, 0.0, true),
            (1, 100, 0.01, false),
            (2, 100, 0.01, true),
            (1, 99, 0.01, true),
            (29, 100, 0.29, false),
            (10, 10, 1.0, false),
        ] {
            assert_eq!(are_too_many(lost, selected, limit), too_many, "{lost} of {selected}, {limit}");
        }
        assert_eq!([0.01, 0.125, 1.0, 0.0].map(percent), ["1 %", "12.5 %", "100 %", "0 %"]);
    }
}

//! Images that a run has to do without.

use std::collections::BTreeMap;
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

impl LostImage {
    /// Those of a run that selected so many in words: `2 of 120 images cannot be read and are left out (train 1, val 1)`; none
    /// when nothing is lost.
    pub fn describe(lost: &[Self], selected: usize) -> Option<String> {
        let mut by_set: BTreeMap<&str, usize> = BTreeMap::new();
        for image in lost {
            *by_set.entry(&image.set).or_default() += 1;
        }
        let sets: Vec<String> = by_set.iter().map(|(set, count)| format!("{set} {count}")).collect();
        let are = match lost.len() {
            0 => return None,
            1 => "is",
            _ => "are",
        };
        let (count, sets) = (lost.len(), sets.join(", "));
        Some(format!("{count} of {selected} images cannot be read and {are} left out ({sets})"))
    }
}

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
    fn lost_images_are_counted_by_set() {
        let lost = |set: &str| LostImage {
            set: set.to_owned(),
            row: RowName { manifest: "a.csv".into(), place: "row 1 (line 2)".to_owned() },
            path: "a.png".into(),
            reason: "is empty".to_owned(),
        };
        let words = |sets: &[&str]| {
            let lost: Vec<_> = sets.iter().map(|set| lost(set)).collect();
            LostImage::describe(&lost, 120)
        };
        assert_eq!(words(&[]), None);
        assert_eq!(
            words(&["val"]).as_deref(),
            Some("1 of 120 images cannot be read and is left out (val 1)")
        );
        assert_eq!(
            words(&["val", "train", "val"]).as_deref(),
            Some("3 of 120 images cannot be read and are left out (train 1, val 2)")
        );
    }

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

//! What a prepared data set has, in words.

use std::fmt;

use medclip_core::Finding;

use super::prepared::PreparedData;

/// Most labels without a finding that are named: `PadChest` has more than a hundred.
const NAMED: usize = 6;

/// Films, patients and reports; findings; what was left out and why; labels that are no finding. A line each, as far as there is
/// something to say.
impl fmt::Display for PreparedData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let parts = list(counts.splits.iter().map(|(split, films)| format!("{} {films}", split.name())));
        let division = if self.is_divided { "official division" } else { "no official division" };
        write!(
            f,
            "{}: {} of {}, {parts} ({division}), {}",
            self.data_set,
            number(counts.films, "film"),
            number(counts.patients, "patient"),
            number(counts.texts, "report")
        )?;
        let annotated = Finding::ALL.iter().zip(&counts.findings).filter(|(_, of)| of.blank < counts.films);
        let findings = annotated.map(|(finding, of)| {
            let uncertain =
                if of.uncertain > 0 { format!(" ({} uncertain)", of.uncertain) } else { String::new() };
            format!("{} {}/{}{uncertain}", finding.name(), of.present, of.absent)
        });
        write!(f, "\nfindings, present/absent: {}", list(findings))?;
        if !self.left_out.is_empty() {
            let left_out = self.left_out.iter().map(|(reason, count)| format!("{count} ({reason})"));
            write!(f, "\nleft out: {}", list(left_out))?;
        }
        let mut labels: Vec<_> = self.unmapped_labels.iter().collect();
        labels.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        if labels.is_empty() {
            return Ok(());
        }
        let more = labels.len().saturating_sub(NAMED);
        let named = labels.iter().take(NAMED).map(|(label, count)| format!("{label} {count}"));
        let more = (more > 0).then(|| format!("and {more} more"));
        write!(f, "\nlabels without a finding: {}", list(named.chain(more)))
    }
}

/// `1 film`, `2 films`.
fn number(count: usize, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{plural}")
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

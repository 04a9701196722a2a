//! What a prepared data set has, for people.

use medclip_core::Finding;
use medclip_data::{PreparedData, Split};

use crate::say;

/// Most labels without a finding that are named: `PadChest` has more than a hundred.
const NAMED: usize = 6;

/// Says on standard error what is in a data set, and what is not and why.
pub(super) fn say_what_is_in(prepared: &PreparedData) {
    let counts = prepared.counts();
    let parts = list(counts.splits.iter().map(|(split, films)| format!("{} {films}", part(*split))));
    let division = if prepared.is_divided { "official division" } else { "no official division" };
    say(&format!(
        "{}: {} of {}, {parts} ({division}), {}",
        prepared.data_set,
        number(counts.films, "film"),
        number(counts.patients, "patient"),
        number(counts.texts, "report")
    ));
    let findings = Finding::ALL.iter().zip(&counts.findings).filter(|(_, of)| of.blank < counts.films);
    let findings = findings.map(|(finding, of)| {
        let uncertain =
            if of.uncertain > 0 { format!(" ({} uncertain)", of.uncertain) } else { String::new() };
        format!("{} {}/{}{uncertain}", finding.name(), of.present, of.absent)
    });
    say(&format!("findings, present/absent: {}", list(findings)));
    let left_out = prepared.left_out.iter().map(|(reason, count)| format!("{count} ({reason})"));
    if !prepared.left_out.is_empty() {
        say(&format!("left out: {}", list(left_out)));
    }
    let mut labels: Vec<_> = prepared.unmapped_labels.iter().collect();
    labels.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    if !labels.is_empty() {
        let more = labels.len().saturating_sub(NAMED);
        let named = labels.iter().take(NAMED).map(|(label, count)| format!("{label} {count}"));
        let more = (more > 0).then(|| format!("and {more} more"));
        say(&format!("labels without a finding: {}", list(named.chain(more))));
    }
}

const fn part(split: Split) -> &'static str {
    match split {
        Split::Train => "train",
        Split::Val => "val",
        Split::Test => "test",
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

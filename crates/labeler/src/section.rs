//! The two kinds of parts of a report.

/// What part of a report a sentence stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Section {
    /// Findings, impression, or text without a heading: what was seen.
    Body,
    /// Indication, history, technique, comparison, or a heading that is not known: why and how the study was made.
    Context,
}

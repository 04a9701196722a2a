//! A table of texts with the labels that are right for them, and how well a labeler agrees with it.

use anyhow::{Context, bail};
use medclip_core::{Certainty, Finding, Labels};

/// One text and what is right for it.
#[derive(Debug)]
pub(crate) struct Row {
    /// Kind of difficulty, such as `"scope"`.
    pub(crate) kind: String,
    /// The text of a sentence or of a short report.
    pub(crate) text: String,
    /// The certainties that are right for each finding named.
    expected: Vec<(Finding, Vec<Certainty>)>,
}

/// The rows of a CSV table with the columns `kind`, `text` and `expected`.
///
/// `expected` is `Finding=CERTAINTIES` separated by `;`, each certainty one of P, N, U and - (unmentioned).
///
/// # Errors
/// When the table has another form.
pub(crate) fn rows(table: impl std::io::Read) -> anyhow::Result<Vec<Row>> {
    let mut reader = csv::Reader::from_reader(table);
    let header = reader.headers()?.clone();
    let column = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.with_context(|| format!("the table has no column {name:?}"))
    };
    let (kind, text, expected) = (column("kind")?, column("text")?, column("expected")?);
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let field = |at: usize| record.get(at).unwrap_or_default().to_owned();
        let expected = field(expected).split(';').map(one).collect::<anyhow::Result<_>>()?;
        rows.push(Row { kind: field(kind), text: field(text), expected });
    }
    Ok(rows)
}

fn one(part: &str) -> anyhow::Result<(Finding, Vec<Certainty>)> {
    let (name, certainties) = part.split_once('=').with_context(|| format!("{part:?} has no ="))?;
    let finding = Finding::from_name(name.trim()).with_context(|| format!("unknown finding {name:?}"))?;
    let certainties = certainties.chars().map(|letter| match letter {
        'P' => Ok(Certainty::Positive),
        'N' => Ok(Certainty::Negative),
        'U' => Ok(Certainty::Uncertain),
        '-' => Ok(Certainty::Unmentioned),
        other => bail!("{other:?} in {part:?} is no certainty"),
    });
    Ok((finding, certainties.collect::<anyhow::Result<_>>()?))
}

impl Row {
    /// What is wrong with `labels`: a finding that is not as expected, or another one that is positive or uncertain.
    ///
    /// "No Finding" counts only where the row names it.
    pub(crate) fn faults(&self, labels: &Labels) -> Vec<String> {
        let mut faults = Vec::new();
        for (finding, certainty) in labels.iter() {
            let named = self.expected.iter().find(|(name, _)| *name == finding);
            let right = match named {
                Some((_, certainties)) => certainties.contains(&certainty),
                None => {
                    finding == Finding::NoFinding
                        || !matches!(certainty, Certainty::Positive | Certainty::Uncertain)
                }
            };
            if !right {
                faults.push(format!("{finding} is {certainty:?}"));
            }
        }
        faults
    }

    /// Findings that the text denies and `labels` calls present.
    pub(crate) fn denied_but_present(&self, labels: &Labels) -> Vec<Finding> {
        let denied = |certainties: &[Certainty]| {
            certainties.contains(&Certainty::Negative) && !certainties.contains(&Certainty::Positive)
        };
        let denied = self.expected.iter().filter(|(_, certainties)| denied(certainties));
        denied
            .map(|(finding, _)| *finding)
            .filter(|finding| *finding != Finding::NoFinding && labels[*finding] == Certainty::Positive)
            .collect()
    }
}

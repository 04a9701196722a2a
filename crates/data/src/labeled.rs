//! Reports with what a labeler read in them.

mod csv;
mod sections;
mod source;

use std::error::Error;
use std::path::Path;

use medclip_core::causes::with_causes;
use medclip_core::{Certainty, Finding, Labels};
use medclip_labeler::{ReportLabels, ReportSection};
use serde::{Serialize, Serializer};

pub use csv::LabelCsv;
pub use sections::SectionReader;
pub use source::{ReportError, for_each_report};

/// What is said of one report; the fields are the keys of its JSON object, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabeledReport {
    /// The file, as it was named.
    pub path: String,
    /// Row of the table, from 1; none for a text file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<u64>,
    /// The report's labels.
    #[serde(serialize_with = "serialize_mentioned")]
    pub labels: Labels,
    /// Each sentence that says what was seen; none where they are not wanted, or the report was not read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sentences: Option<Vec<LabeledSentence>>,
    /// The sections that the report has, in order.
    pub sections: Vec<SectionRead>,
    /// Why the report was not read, on one line.
    pub error: Option<String>,
}

/// A sentence with its own labels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LabeledSentence {
    /// The sentence.
    pub text: String,
    /// Its labels.
    #[serde(serialize_with = "serialize_mentioned")]
    pub labels: Labels,
}

/// A section of a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SectionRead {
    /// Its heading in lower case.
    pub name: String,
    /// Whether it was read for labels.
    pub read: bool,
}

impl LabeledReport {
    /// A report that was read.
    pub fn new(path: &Path, row: Option<u64>, read: ReportLabels) -> Self {
        let sentence = |(text, labels)| LabeledSentence { text, labels };
        let section = |section: ReportSection| SectionRead { name: section.name, read: section.read };
        Self {
            path: path.display().to_string(),
            row,
            labels: read.labels,
            sentences: Some(read.sentences.into_iter().map(sentence).collect()),
            sections: read.sections.into_iter().map(section).collect(),
            error: None,
        }
    }

    /// A report that could not be read.
    pub fn failed(path: &Path, row: Option<u64>, error: &(dyn Error + 'static)) -> Self {
        Self {
            path: path.display().to_string(),
            row,
            labels: Labels::default(),
            sentences: None,
            sections: Vec::new(),
            error: Some(with_causes(error)),
        }
    }

    /// Names of the sections that were read, or that were left out, separated by `; `.
    pub fn section_names(&self, read: bool) -> String {
        let names = self.sections.iter().filter(|section| section.read == read);
        names.map(|section| section.name.as_str()).collect::<Vec<_>>().join("; ")
    }

    /// The file, and the row where there is one.
    pub fn place(&self) -> String {
        match self.row {
            Some(row) => format!("{}, row {row}", self.path),
            None => self.path.clone(),
        }
    }
}

/// The findings that labels mention, each with `positive`, `uncertain` or `negative`.
pub fn mentioned(labels: &Labels) -> impl Iterator<Item = (Finding, &'static str)> {
    labels.iter().map(|(finding, certainty)| (finding, word(certainty))).filter(|(_, word)| !word.is_empty())
}

/// Nothing of what is not mentioned.
const fn word(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Positive => "positive",
        Certainty::Uncertain => "uncertain",
        Certainty::Negative => "negative",
        Certainty::Unmentioned => "",
    }
}

/// `{"Cardiomegaly": "positive", …}`, findings that are not mentioned left out.
fn serialize_mentioned<S: Serializer>(labels: &Labels, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(mentioned(labels).map(|(finding, word)| (finding.name(), word)))
}

#[cfg(test)]
mod tests {
    use medclip_labeler::Labeler;

    use super::*;
    use crate::CellText;

    #[test]
    fn a_row_has_every_finding_and_a_sentence_no_sections() {
        let read = Labeler::new().report("FINDINGS: Mild cardiomegaly. No effusion.\nHISTORY: Cough.");
        let report = LabeledReport::new("-dash.txt".as_ref(), Some(2), read);
        assert_eq!(report.place(), "-dash.txt, row 2");
        let mut csv = LabelCsv::new(Vec::new(), CellText::Guarded, true).unwrap();
        csv.write(&report).unwrap();
        let text = String::from_utf8(csv.into_inner().unwrap()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("path,row,error,sentence,No Finding,"), "{text}");
        assert!(lines[0].ends_with(",sections_read,sections_left_out"), "{text}");
        assert!(lines[1].starts_with("'-dash.txt,2,,,negative,,positive,"), "{text}");
        assert!(lines[1].ends_with(",findings,history"), "{text}");
        assert_eq!(lines.len(), 4, "two sentences");
        assert!(lines[2].contains("Mild cardiomegaly.") && lines[2].ends_with(",,"), "{text}");
    }
}

//! Sentence and report → certainty of each finding.

use medclip_core::{Certainty, Finding, Labels};

use crate::error::PhraseError;
use crate::lists::PhraseLists;
use crate::mention::{Mention, MentionMatcher};
use crate::negation::CueMatcher;
use crate::normal::{NormalMatcher, NormalStatements};
use crate::phrase::Normalized;
use crate::sentence::sentences;

/// The rule-based labeler: phrase lists, compiled once.
///
/// Mentions of one finding fold by positive > uncertain > negative > unmentioned, in a sentence and over a report.
#[derive(Debug, Clone)]
pub struct Labeler {
    mentions: MentionMatcher,
    normal: NormalMatcher,
    cues: CueMatcher,
}

/// A report's sentences and what they say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLabels {
    /// Each sentence that says what was seen, with its own labels.
    pub sentences: Vec<(String, Labels)>,
    /// The report's labels.
    pub labels: Labels,
}

/// What one sentence says, with the abnormalities outside the 14 findings.
#[derive(Debug, Clone, Copy, Default)]
struct Reading {
    labels: Labels,
    /// The surest mention of an abnormality outside the 14.
    other: Certainty,
    /// True when the sentence calls the study normal.
    normal_study: bool,
}

impl Default for Labeler {
    fn default() -> Self {
        Self::new()
    }
}

impl Labeler {
    /// The labeler of the built-in phrase lists.
    ///
    /// # Panics
    /// Never: the lists are part of the program, and the tests compile them.
    pub fn new() -> Self {
        PhraseLists::builtin().and_then(|lists| Self::with_lists(&lists)).expect("the built-in lists compile")
    }

    /// A labeler of other phrase lists.
    ///
    /// # Errors
    /// [`PhraseError`] when a phrase, or the name of a finding, is not valid.
    pub fn with_lists(lists: &PhraseLists) -> Result<Self, PhraseError> {
        Ok(Self {
            mentions: MentionMatcher::new(&lists.families)?,
            normal: NormalMatcher::new(&lists.normal, &lists.normal_study)?,
            cues: CueMatcher::new(&lists.cues)?,
        })
    }

    /// Every term found in a sentence, with its certainty; [`Certainty::Unmentioned`] ones (history, indications) are left out.
    pub fn mentions(&self, sentence: &str) -> Vec<Mention<'_>> {
        self.read(&Normalized::new(sentence)).0
    }

    /// What one sentence says of each finding.
    ///
    /// "No Finding" is positive when the sentence calls the study or the lungs normal, negative when it names an
    /// abnormality, uncertain when it only suspects one, and unmentioned otherwise: "No pleural effusion." says nothing
    /// of the rest.
    pub fn sentence(&self, sentence: &str) -> Labels {
        self.sentence_reading(sentence).labels
    }

    /// What a report says of each finding, sentence by sentence and together.
    ///
    /// Sentences of the sections [`Section::Context`](crate::Section::Context) are left out. "No Finding" is CheXpert's: positive
    /// when no other finding but support devices, and no abnormality outside the 14, is positive or uncertain.
    pub fn report(&self, report: &str) -> ReportLabels {
        let mut labels = Labels::default();
        let mut other = Certainty::Unmentioned;
        let mut normal_study = false;
        let mut read = Vec::new();
        for sentence in sentences(report) {
            let reading = self.sentence_reading(sentence);
            for (finding, certainty) in reading.labels.iter() {
                labels[finding] = surer(labels[finding], certainty);
            }
            other = surer(other, reading.other);
            normal_study |= reading.normal_study;
            read.push((sentence.to_owned(), reading.labels));
        }
        let says_something =
            normal_study || labels.iter().any(|(_, certainty)| certainty != Certainty::Unmentioned);
        labels[Finding::NoFinding] = match abnormality(&labels, other) {
            Certainty::Positive => Certainty::Negative,
            Certainty::Uncertain => Certainty::Uncertain,
            _ if says_something => Certainty::Positive,
            _ => Certainty::Unmentioned,
        };
        ReportLabels { sentences: read, labels }
    }

    fn sentence_reading(&self, sentence: &str) -> Reading {
        let (mentions, normal) = self.read(&Normalized::new(sentence));
        let mut reading = Reading { normal_study: normal.study, ..Reading::default() };
        for finding in normal.denied {
            reading.labels[finding] = Certainty::Negative;
        }
        for mention in mentions {
            let slot = mention.finding.map_or(&mut reading.other, |finding| &mut reading.labels[finding]);
            *slot = surer(*slot, mention.certainty);
        }
        reading.labels[Finding::NoFinding] = match abnormality(&reading.labels, reading.other) {
            Certainty::Positive => Certainty::Negative,
            Certainty::Uncertain => Certainty::Uncertain,
            _ if reading.normal_study => Certainty::Positive,
            _ => Certainty::Unmentioned,
        };
        reading
    }

    fn read(&self, text: &Normalized) -> (Vec<Mention<'_>>, NormalStatements) {
        let scopes = self.cues.scopes(text);
        let mut mentions = Vec::new();
        self.mentions.find(text, |family, finding, span| {
            let certainty = scopes.certainty(&span);
            if certainty != Certainty::Unmentioned {
                mentions.push(Mention { family, finding, span, certainty });
            }
        });
        (mentions, self.normal.find(text, &scopes))
    }
}

/// The surest sign of something abnormal: any finding but devices, or an abnormality outside the 14.
fn abnormality(labels: &Labels, other: Certainty) -> Certainty {
    labels
        .iter()
        .filter(|(finding, _)| !matches!(finding, Finding::NoFinding | Finding::SupportDevices))
        .fold(other, |surest, (_, certainty)| surer(surest, certainty))
}

/// Positive > uncertain > negative > unmentioned.
fn surer(a: Certainty, b: Certainty) -> Certainty {
    let rank = |certainty| match certainty {
        Certainty::Positive => 3,
        Certainty::Uncertain => 2,
        Certainty::Negative => 1,
        Certainty::Unmentioned => 0,
    };
    if rank(b) > rank(a) { b } else { a }
}

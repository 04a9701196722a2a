//! Sentence and report → certainty of each finding.

use std::collections::HashMap;

use medclip_core::{Certainty, Finding, Labels};

use crate::error::PhraseError;
use crate::lists::PhraseLists;
use crate::mention::{Mention, MentionMatcher};
use crate::negation::CueMatcher;
use crate::normal::{NormalMatcher, NormalStatements};
use crate::normalized::{Normalized, Writer};
use crate::reply::ReplyMatcher;
use crate::section::Section;
use crate::sentence::{Sentence, split};
use crate::spans::Spans;

/// Bytes of a sentence that tell whether it replies to the one before.
const REPLY_BYTES: usize = 64;

/// The rule-based labeler: phrase lists, compiled once.
///
/// Mentions of one finding fold by positive > uncertain > negative > unmentioned, in a sentence and over a report.
#[derive(Debug, Clone)]
pub struct Labeler {
    writer: Writer,
    mentions: MentionMatcher,
    normal: NormalMatcher,
    cues: CueMatcher,
    replies: ReplyMatcher,
}

/// A report's sentences and what they say together.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportLabels {
    /// Each sentence that says what was seen, with its own labels.
    pub sentences: Vec<(String, Labels)>,
    /// The report's labels.
    pub labels: Labels,
    /// The report's sections in order, each once.
    pub sections: Vec<ReportSection>,
}

/// A section that a report has.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReportSection {
    /// Its heading in lower case; [`ReportSection::UNHEADED`] for text without one.
    pub name: String,
    /// True when its sentences were read for labels.
    pub read: bool,
}

impl ReportSection {
    /// The name of text without a heading.
    pub const UNHEADED: &str = "unheaded";

    /// True when `name` names this section; case and white space do not matter.
    pub fn is_called(&self, name: &str) -> bool {
        self.name == normal_name(name)
    }

    /// The name of the section that `sentence` stands in.
    pub fn name_of(sentence: &Sentence<'_>) -> String {
        sentence.heading.map_or_else(|| Self::UNHEADED.to_owned(), normal_name)
    }
}

/// A heading in lower case, with single spaces.
fn normal_name(heading: &str) -> String {
    heading.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ")
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
            writer: Writer::new(&lists.words, &lists.spelling)?,
            mentions: MentionMatcher::new(&lists.families)?,
            normal: NormalMatcher::new(&lists.normal, &lists.normal_study)?,
            cues: CueMatcher::new(&lists.cues)?,
            replies: ReplyMatcher::new(&lists.cues)?,
        })
    }

    /// Every term found in a sentence from left to right, with its certainty; [`Certainty::Unmentioned`] ones (history,
    /// indications) are left out.
    pub fn mentions(&self, sentence: &str) -> Vec<Mention<'_>> {
        let text = self.writer.write(sentence);
        let (mut mentions, _) = self.read(&text, text.as_str().len());
        for mention in &mut mentions {
            mention.span = text.origin(&mention.span);
        }
        mentions
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
    /// Sentences of the sections [`Section::Context`] are left out. "No Finding" is CheXpert's: positive
    /// when no other finding but support devices, and no abnormality outside the 14, is positive or uncertain.
    ///
    /// A sentence is read with the next where that answers it or speaks of it: "Is there a pneumothorax? No." and "Small
    /// effusion on the prior study. It has resolved." deny both.
    pub fn report(&self, report: &str) -> ReportLabels {
        self.report_where(report, |sentence| sentence.section == Section::Body)
    }

    /// The same, of the sections whose names are given. A name is a heading without its colon, or
    /// [`ReportSection::UNHEADED`]; case and white space do not matter.
    pub fn report_sections(&self, report: &str, names: &[impl AsRef<str>]) -> ReportLabels {
        let names: Vec<String> = names.iter().map(|name| normal_name(name.as_ref())).collect();
        self.report_where(report, |sentence| names.contains(&ReportSection::name_of(sentence)))
    }

    /// The same, of the sentences that `wanted` chooses.
    fn report_where(&self, report: &str, wanted: impl Fn(&Sentence<'_>) -> bool) -> ReportLabels {
        let mut labels = Labels::default();
        let mut other = Certainty::Unmentioned;
        let mut normal_study = false;
        let mut read = Vec::new();
        let mut sections: Vec<ReportSection> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        let mut heading = None;
        let sentences = split(report);
        for (index, sentence) in sentences.iter().enumerate() {
            let wants = wanted(sentence);
            if heading != Some(sentence.heading) {
                heading = Some(sentence.heading);
                let name = ReportSection::name_of(sentence);
                let index = *known.entry(name.clone()).or_insert(sections.len());
                match sections.get_mut(index) {
                    Some(section) => section.read |= wants,
                    None => sections.push(ReportSection { name, read: wants }),
                }
            }
            if !wants {
                continue;
            }
            let next = sentences.get(index + 1).filter(|next| wanted(next));
            let reading = self.in_report(report, sentence.text, next.map(|next| next.text));
            for (finding, certainty) in reading.labels.iter() {
                labels[finding] = surer(labels[finding], certainty);
            }
            other = surer(other, reading.other);
            normal_study |= reading.normal_study;
            read.push((sentence.text.to_owned(), reading.labels));
        }
        let says_something =
            normal_study || labels.iter().any(|(_, certainty)| certainty != Certainty::Unmentioned);
        labels[Finding::NoFinding] = match abnormality(&labels, other) {
            Certainty::Positive => Certainty::Negative,
            Certainty::Uncertain => Certainty::Uncertain,
            _ if says_something => Certainty::Positive,
            _ => Certainty::Unmentioned,
        };
        ReportLabels { sentences: read, labels, sections }
    }

    /// What `sentence` says, given what the sentence after it says of it. Both are parts of `report`.
    fn in_report(&self, report: &str, sentence: &str, next: Option<&str>) -> Reading {
        let text = self.writer.write(sentence);
        let asks = text.as_str().trim_end().ends_with('?');
        let both = next.filter(|next| asks || self.replies.may_reply(&self.writer.write(beginning(next))));
        let both = both.and_then(|reply| {
            let at = |part: &str| part.as_ptr().addr().checked_sub(report.as_ptr().addr());
            report.get(at(sentence)?..at(reply)? + reply.len())
        });
        let Some(both) = both else { return self.reading(&text, text.as_str().len()) };
        let both = self.writer.write(both);
        let limit = both.place_of(sentence.len());
        self.reading(&both, limit)
    }

    fn sentence_reading(&self, sentence: &str) -> Reading {
        let text = self.writer.write(sentence);
        self.reading(&text, text.as_str().len())
    }

    /// What `text` says before the offset `limit`.
    fn reading(&self, text: &Normalized, limit: usize) -> Reading {
        let (mentions, normal) = self.read(text, limit);
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

    /// The mentions that begin before `limit`, sorted, and what is called normal there. Spans are those of `text`.
    fn read(&self, text: &Normalized, limit: usize) -> (Vec<Mention<'_>>, NormalStatements) {
        let mut mentions = Vec::new();
        self.mentions.find(text, |family, finding, span| {
            mentions.push(Mention { family, finding, span, certainty: Certainty::Unmentioned });
        });
        mentions.sort_by_key(|mention| mention.span.start);
        let places = Spans::joined(mentions.iter().map(|mention| mention.span.clone()).collect());
        let mut scopes = self.cues.scopes(text, &places);
        let normal = self.normal.find(text, &scopes, limit);
        // "no pneumothorax heart size normal mild atelectasis": what is called normal is a statement of its own.
        scopes.end_denials(normal.places.iter().flat_map(|place| [place.start.saturating_sub(1), place.end]));
        for mention in &mut mentions {
            mention.certainty = scopes.certainty(&mention.span);
        }
        self.replies.apply(text, &scopes, &normal.denied, &mut mentions);
        mentions.retain(|mention| mention.span.start < limit && mention.certainty != Certainty::Unmentioned);
        (mentions, normal)
    }
}

/// The first words of a sentence, enough to tell whether it replies to another.
fn beginning(sentence: &str) -> &str {
    sentence.get(..sentence.floor_char_boundary(REPLY_BYTES)).unwrap_or(sentence)
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

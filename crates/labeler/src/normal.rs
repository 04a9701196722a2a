//! Statements that something is normal: "heart size is normal", "clear lungs", "no acute disease".

use std::ops::Range;

use medclip_core::Finding;

use crate::error::PhraseError;
use crate::lists::NormalRule;
use crate::mention::finding;
use crate::negation::Scopes;
use crate::normalized::Normalized;
use crate::phrase::PhraseSet;
use crate::spans::Spans;

/// Most words between a subject and what is said after it.
const PREDICATE_WORDS: usize = 12;
/// Most words between an adjective and the subject after it.
const ADJECTIVE_WORDS: usize = 5;

/// The rules, compiled.
#[derive(Debug, Clone)]
pub(crate) struct NormalMatcher {
    rules: Vec<CompiledRule>,
    study: PhraseSet,
}

#[derive(Debug, Clone)]
struct CompiledRule {
    denies: Vec<Finding>,
    subjects: PhraseSet,
    predicates: PhraseSet,
    adjectives: PhraseSet,
    study: bool,
}

/// What a sentence calls normal.
#[derive(Debug, Clone, Default)]
pub(crate) struct NormalStatements {
    /// Findings it denies by that.
    pub(crate) denied: Vec<Finding>,
    /// Where.
    pub(crate) places: Vec<Range<usize>>,
    /// True when it calls the whole study normal.
    pub(crate) study: bool,
}

impl NormalMatcher {
    pub(crate) fn new(rules: &[NormalRule], study: &[String]) -> Result<Self, PhraseError> {
        let compile = |rule: &NormalRule| {
            Ok(CompiledRule {
                denies: rule.denies.iter().map(|name| finding(&rule.name, name)).collect::<Result<_, _>>()?,
                subjects: PhraseSet::new(&rule.name, &rule.subjects)?,
                predicates: PhraseSet::new(&rule.name, &rule.predicates)?,
                adjectives: PhraseSet::new(&rule.name, &rule.adjectives)?,
                study: rule.study,
            })
        };
        let rules = rules.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Self { rules, study: PhraseSet::new("study", study)? })
    }

    /// What `text` calls normal before the offset `limit`.
    pub(crate) fn find(&self, text: &Normalized, scopes: &Scopes, limit: usize) -> NormalStatements {
        let study = self.study.find(text).any(|span| span.end <= limit);
        let mut statements = NormalStatements { study, ..NormalStatements::default() };
        for rule in &self.rules {
            let before = statements.places.len();
            rule.find(text, scopes, limit, &mut statements.places);
            if statements.places.len() > before {
                statements.denied.extend(&rule.denies);
                statements.study |= rule.study;
            }
        }
        statements
    }
}

impl CompiledRule {
    /// Adds every place that says so to `places`.
    fn find(&self, text: &Normalized, scopes: &Scopes, limit: usize, places: &mut Vec<Range<usize>>) {
        let mut found: Option<(Spans, Spans)> = None;
        for subject in self.subjects.find(text).take_while(|subject| subject.end <= limit) {
            let (predicates, adjectives) =
                found.get_or_insert_with(|| (self.predicates.spans(text), self.adjectives.spans(text)));
            let predicate = predicates
                .from(subject.end)
                .take_while(|predicate| text.words_in(subject.end..predicate.start) <= PREDICATE_WORDS)
                .find(|predicate| predicate.end <= limit && says(text, scopes, &subject, predicate));
            let adjective = adjectives
                .back_from(subject.start)
                .take_while(|adjective| text.words_in(adjective.end..subject.start) <= ADJECTIVE_WORDS)
                .find(|adjective| describes(scopes, adjective, &subject));
            if let Some(predicate) = predicate {
                places.push(subject.start..predicate.end);
            } else if let Some(adjective) = adjective {
                places.push(adjective.start..subject.end);
            }
        }
    }
}

/// True for "`subject` … `predicate`" in one clause.
fn says(text: &Normalized, scopes: &Scopes, subject: &Range<usize>, predicate: &Range<usize>) -> bool {
    scopes.one_clause(subject.end, predicate.start) && !scopes.denied(text, predicate)
}

/// True for "`adjective` … `subject`", unless the adjective is said of something before it ("heart is normal and lungs …").
fn describes(scopes: &Scopes, adjective: &Range<usize>, subject: &Range<usize>) -> bool {
    scopes.one_clause(adjective.end, subject.start) && !scopes.verb_between(adjective.end, subject.start)
}

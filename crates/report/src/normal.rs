//! Statements that something is normal: "heart size is normal", "clear lungs", "no acute disease".

use std::ops::Range;

use medclip_core::Finding;

use crate::error::PhraseError;
use crate::lists::NormalRule;
use crate::mention::finding;
use crate::negation::Scopes;
use crate::phrase::{Normalized, PhraseSet};

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

    pub(crate) fn find(&self, text: &Normalized, scopes: &Scopes) -> NormalStatements {
        let mut statements =
            NormalStatements { denied: Vec::new(), study: self.study.find(text).next().is_some() };
        for rule in self.rules.iter().filter(|rule| rule.holds(text, scopes)) {
            statements.denied.extend(&rule.denies);
            statements.study |= rule.study;
        }
        statements
    }
}

impl CompiledRule {
    fn holds(&self, text: &Normalized, scopes: &Scopes) -> bool {
        let mut predicates: Option<Vec<Range<usize>>> = None;
        let mut adjectives: Option<Vec<Range<usize>>> = None;
        self.subjects.find(text).any(|subject| {
            predicates
                .get_or_insert_with(|| self.predicates.find(text).collect())
                .iter()
                .any(|predicate| says(text, scopes, &subject, predicate))
                || adjectives
                    .get_or_insert_with(|| self.adjectives.find(text).collect())
                    .iter()
                    .any(|adjective| describes(text, scopes, adjective, &subject))
        })
    }
}

/// True for "`subject` … `predicate`" in one clause.
fn says(text: &Normalized, scopes: &Scopes, subject: &Range<usize>, predicate: &Range<usize>) -> bool {
    subject.end <= predicate.start
        && scopes.one_clause(subject.end, predicate.start)
        && !scopes.denied(text, predicate)
        && text.words_in(subject.end..predicate.start) <= PREDICATE_WORDS
}

/// True for "`adjective` … `subject`", unless the adjective is said of something before it ("heart is normal and lungs …").
fn describes(text: &Normalized, scopes: &Scopes, adjective: &Range<usize>, subject: &Range<usize>) -> bool {
    adjective.end <= subject.start
        && scopes.one_clause(adjective.end, subject.start)
        && !scopes.verb_between(adjective.end, subject.start)
        && text.words_in(adjective.end..subject.start) <= ADJECTIVE_WORDS
}

//! How sure a sentence is of a mention: negation, uncertainty and their scopes.
//!
//! Cues are phrases (`data/cues.toml`). A cue reaches over its clause, as in `ConText` (Harkema et al. 2009), rather than along a
//! parse tree as in `NegBio`: radiology reports are lists of short clauses, and a parser would cost three orders of magnitude more.

use std::ops::Range;

use medclip_core::Certainty;

use crate::error::PhraseError;
use crate::lists::Cues;
use crate::phrase::{Normalized, PhraseSet};

/// Words on either side of a "versus" that it puts in doubt.
const ALTERNATIVE_WORDS: usize = 6;

/// The cues, compiled.
#[derive(Debug, Clone)]
pub(crate) struct CueMatcher {
    negation_before: PhraseSet,
    negation_after: PhraseSet,
    negation_false: PhraseSet,
    uncertainty_before: PhraseSet,
    uncertainty_after: PhraseSet,
    alternative: PhraseSet,
    relation: PhraseSet,
    ignore_before: PhraseSet,
    ignore_after: PhraseSet,
    boundary: PhraseSet,
    verb: PhraseSet,
    presence: PhraseSet,
}

impl CueMatcher {
    pub(crate) fn new(cues: &Cues) -> Result<Self, PhraseError> {
        Ok(Self {
            negation_before: PhraseSet::new("negation_before", &cues.negation_before)?,
            negation_after: PhraseSet::new("negation_after", &cues.negation_after)?,
            negation_false: PhraseSet::new("negation_false", &cues.negation_false)?,
            uncertainty_before: PhraseSet::new("uncertainty_before", &cues.uncertainty_before)?,
            uncertainty_after: PhraseSet::new("uncertainty_after", &cues.uncertainty_after)?,
            alternative: PhraseSet::new("alternative", &cues.alternative)?,
            relation: PhraseSet::new("relation", &cues.relation)?,
            ignore_before: PhraseSet::new("ignore_before", &cues.ignore_before)?,
            ignore_after: PhraseSet::new("ignore_after", &cues.ignore_after)?,
            boundary: PhraseSet::new("boundary", &cues.boundary)?,
            verb: PhraseSet::new("verb", &cues.verb)?,
            presence: PhraseSet::new("presence", &cues.presence)?,
        })
    }

    /// The cues and clauses of one sentence.
    pub(crate) fn scopes(&self, text: &Normalized) -> Scopes {
        let masked: Vec<Range<usize>> = self.negation_false.find(text).collect();
        let negations = |set: &PhraseSet| -> Vec<Range<usize>> {
            set.find(text).filter(|cue| !masked.iter().any(|mask| overlap(mask, cue))).collect()
        };
        let negation_after = negations(&self.negation_after);
        let uncertainty_after: Vec<Range<usize>> = self.uncertainty_after.find(text).collect();
        let presence: Vec<Range<usize>> = self.presence.find(text).collect();
        let no_clause = |verb: &Range<usize>| {
            negation_after.iter().chain(&uncertainty_after).chain(&presence).any(|cue| overlap(cue, verb))
        };
        let verbs: Vec<Range<usize>> = self.verb.find(text).collect();
        let mut ends: Vec<usize> = self.boundary.find(text).map(|found| found.start).collect();
        ends.extend(text.as_str().match_indices([';', ':', '.', '?', '!']).filter_map(|(at, _)| {
            let next = text.as_str().as_bytes().get(at + 1);
            next.is_none_or(u8::is_ascii_whitespace).then_some(at)
        }));
        ends.sort_unstable();
        let clause_starts = verbs
            .iter()
            .filter(|verb| !no_clause(verb))
            .filter_map(|verb| clause_start(text.as_str(), verb.start))
            .collect();
        Scopes {
            negation_before: negations(&self.negation_before),
            negation_after,
            uncertainty_before: self.uncertainty_before.find(text).collect(),
            uncertainty_after,
            alternatives: self.alternative.find(text).map(|cue| neighbourhood(text.as_str(), &cue)).collect(),
            relation: self.relation.find(text).collect(),
            ignore_before: self.ignore_before.find(text).collect(),
            ignore_after: self.ignore_after.find(text).collect(),
            ends,
            clause_starts,
            verbs,
        }
    }
}

/// Where the clause of a verb begins: at the last comma or "and the" before it.
fn clause_start(text: &str, verb: usize) -> Option<usize> {
    let before = text.get(..verb)?;
    before.rfind(',').max(before.rfind(" and the "))
}

/// From the punctuation or sixth word before an "A versus B" to the same after it.
fn neighbourhood(text: &str, cue: &Range<usize>) -> Range<usize> {
    let breaks = [',', ';', ':', '.', '('];
    let before = text.get(..cue.start).unwrap_or("");
    let after = text.get(cue.end..).unwrap_or("");
    let left = before.rfind(breaks).map_or(0, |at| at + 1);
    let sixth_left = before.trim_end().rmatch_indices(' ').nth(ALTERNATIVE_WORDS - 1).map_or(0, |(at, _)| at);
    let right = after.find(breaks).unwrap_or(after.len());
    let sixth_right =
        after.trim_start().match_indices(' ').nth(ALTERNATIVE_WORDS - 1).map_or(after.len(), |(at, _)| at);
    left.max(sixth_left)..cue.end + right.min(sixth_right)
}

fn overlap(a: &Range<usize>, b: &Range<usize>) -> bool {
    a.start < b.end && b.start < a.end
}

/// Where the cues of a sentence are and how far they reach. Offsets are bytes of the sentence.
#[derive(Debug, Clone)]
pub(crate) struct Scopes {
    negation_before: Vec<Range<usize>>,
    negation_after: Vec<Range<usize>>,
    uncertainty_before: Vec<Range<usize>>,
    uncertainty_after: Vec<Range<usize>>,
    /// What stands on either side of a "versus".
    alternatives: Vec<Range<usize>>,
    relation: Vec<Range<usize>>,
    ignore_before: Vec<Range<usize>>,
    ignore_after: Vec<Range<usize>>,
    /// Where every scope ends.
    ends: Vec<usize>,
    /// Where a new clause begins after a comma: ends forward scopes only, since "X, Y and Z are not seen" reaches back.
    clause_starts: Vec<usize>,
    verbs: Vec<Range<usize>>,
}

impl Scopes {
    /// What the sentence says of a mention at `span`.
    pub(crate) fn certainty(&self, span: &Range<usize>) -> Certainty {
        if self.ignored(span) {
            return Certainty::Unmentioned;
        }
        if self.negation_before.iter().chain(&self.negation_after).any(|cue| inside(cue, span)) {
            return Certainty::Negative;
        }
        match (self.before(span), self.after(span)) {
            (Certainty::Negative, _) | (_, Certainty::Negative) => Certainty::Negative,
            (Certainty::Uncertain, _) | (_, Certainty::Uncertain) => Certainty::Uncertain,
            _ if self.alternatives.iter().any(|side| overlap(side, span)) => Certainty::Uncertain,
            _ => Certainty::Positive,
        }
    }

    /// True when nothing between the two offsets ends a scope that reaches forward.
    pub(crate) fn one_clause(&self, from: usize, to: usize) -> bool {
        !self.ends.iter().chain(&self.clause_starts).any(|end| (from..to).contains(end))
    }

    /// True when a verb stands between the two offsets.
    pub(crate) fn verb_between(&self, from: usize, to: usize) -> bool {
        self.verbs.iter().any(|verb| from <= verb.start && verb.end <= to)
    }

    /// True when a negation stands right before `words` ("not clear") or they are part of one ("clear of").
    pub(crate) fn denied(&self, text: &Normalized, words: &Range<usize>) -> bool {
        self.negation_before.iter().any(|cue| {
            let part = cue.start <= words.start && words.end < cue.end;
            part || cue.end <= words.start && text.words_in(cue.end..words.start) == 0
        })
    }

    fn ignored(&self, span: &Range<usize>) -> bool {
        let before = nearest_before(&self.ignore_before, span.start)
            .is_some_and(|cue| self.one_clause(cue.end, span.start));
        let after =
            nearest_after(&self.ignore_after, span.end).is_some_and(|cue| self.reaches_back(cue, span));
        before || after
    }

    /// What the nearest cue before the mention says.
    fn before(&self, span: &Range<usize>) -> Certainty {
        let reach = |cues: &[Range<usize>]| {
            nearest_before(cues, span.start)
                .filter(|cue| self.one_clause(cue.end, span.start))
                .map(|cue| cue.start)
        };
        let negation = reach(&self.negation_before);
        let doubt = reach(&self.uncertainty_before);
        match (negation, doubt) {
            (None, None) => Certainty::Positive,
            // "no effusion, possible pneumonia" doubts; "possible mass without effusion" denies.
            (Some(negation), Some(doubt)) if doubt < negation || self.handed_on(negation, doubt) => {
                Certainty::Negative
            }
            (_, Some(_)) => Certainty::Uncertain,
            (Some(_), None) => Certainty::Negative,
        }
    }

    /// True when a negation reaches through a doubt: "no suspicious nodule", "no opacity to suggest pneumonia".
    fn handed_on(&self, negation: usize, doubt: usize) -> bool {
        self.relation.iter().any(|relation| (negation..=doubt).contains(&relation.start))
    }

    fn after(&self, span: &Range<usize>) -> Certainty {
        let reach = |cues: &[Range<usize>]| {
            nearest_after(cues, span.end).is_some_and(|cue| self.reaches_back(cue, span))
        };
        if reach(&self.negation_after) {
            Certainty::Negative
        } else if reach(&self.uncertainty_after) {
            Certainty::Uncertain
        } else {
            Certainty::Positive
        }
    }

    /// True when nothing stops a cue after the mention from reaching it: no boundary, no verb of another predicate.
    fn reaches_back(&self, cue: &Range<usize>, span: &Range<usize>) -> bool {
        !self.ends.iter().any(|end| (span.end..cue.start).contains(end))
            && !self.verb_between(span.end, cue.start)
    }
}

fn nearest_before(cues: &[Range<usize>], start: usize) -> Option<&Range<usize>> {
    cues.iter().rev().find(|cue| cue.end <= start)
}

fn nearest_after(cues: &[Range<usize>], end: usize) -> Option<&Range<usize>> {
    cues.iter().find(|cue| cue.start >= end)
}

fn inside(cue: &Range<usize>, span: &Range<usize>) -> bool {
    span.start <= cue.start && cue.end <= span.end
}

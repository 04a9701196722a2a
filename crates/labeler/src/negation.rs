//! How sure a sentence is of a mention: negation, uncertainty and their scopes.
//!
//! Cues are phrases (`data/cues.toml`). A cue reaches over its clause, as in `ConText` (Harkema et al. 2009), rather than along a
//! parse tree as in `NegBio`: radiology reports are lists of short clauses, and a parser would cost three orders of magnitude more.
//! Every question that a mention asks is answered by a binary search, so that a sentence takes time in proportion to its length.

use std::ops::Range;

use medclip_core::Certainty;

use crate::error::PhraseError;
use crate::lists::Cues;
use crate::normalized::Normalized;
use crate::phrase::PhraseSet;
use crate::spans::{Offsets, Spans};

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
    prior: PhraseSet,
    amount: PhraseSet,
    after_comma: PhraseSet,
    topic: PhraseSet,
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
            prior: PhraseSet::new("prior", &cues.prior)?,
            amount: PhraseSet::new("amount", &cues.amount)?,
            after_comma: PhraseSet::new("after_comma", &cues.after_comma)?,
            topic: PhraseSet::new("topic", &cues.topic)?,
        })
    }

    /// The cues and clauses of one sentence. `mentions` are the places that name something.
    pub(crate) fn scopes(&self, text: &Normalized, mentions: &Spans) -> Scopes {
        let masks = self.negation_false.spans(text);
        let mut masked = Vec::new();
        let mut negations = |set: &PhraseSet| -> Spans {
            let mut found = set.spans(text);
            found.retain(|cue| {
                let hidden = masks.overlapping(cue).is_some();
                if hidden {
                    masked.push(cue.clone());
                }
                !hidden
            });
            found
        };
        let negation_before = negations(&self.negation_before);
        let negation_after = negations(&self.negation_after);
        let uncertainty_after = self.uncertainty_after.spans(text);
        let presence = self.presence.spans(text);
        let no_clause = |verb: &Range<usize>| {
            [&negation_after, &uncertainty_after, &presence]
                .iter()
                .any(|cues| cues.overlapping(verb).is_some())
        };
        let verbs = self.verb.spans(text);
        let boundary = self.boundary.spans(text);
        let stops = Offsets::new(stops(text.as_str()).collect());
        let mut ends: Vec<usize> = boundary.iter().map(|found| found.start).collect();
        ends.extend(stops.iter());
        let ends = Offsets::new(ends);
        let mut joints = Joints::new(text.as_str());
        let clauses: Vec<usize> =
            verbs.iter().filter(|verb| !no_clause(verb)).map(|verb| verb.start).collect();
        let starts = |joints: &Joints| {
            clauses.iter().filter_map(|verb| joints.clause_start(&ends, *verb)).collect::<Vec<_>>()
        };
        let clause_starts = Offsets::new(starts(&joints));
        joints.all.extend(text.as_str().match_indices(" and ").map(|(at, _)| at));
        let mut denial_ends = starts(&joints);
        denial_ends.extend(self.statements(text, mentions, &negation_before, &ends, &joints));
        let prior = self.prior.spans(text);
        let mut uncertainty_before = self.uncertainty_before.spans(text);
        // "previously suspected" is no doubt.
        uncertainty_before.retain(|cue| prior.overlapping(cue).is_none());
        let mut ignore_before = self.ignore_before.spans(text);
        // "rule out X" is no observation; "cannot rule out X" is a doubt, "unable to identify X" a denial.
        ignore_before.retain(|cue| {
            [&uncertainty_before, &negation_before]
                .iter()
                .all(|cues| cues.overlapping(cue).is_none_or(|longer| longer.start >= cue.start))
        });
        Scopes {
            negation_before,
            negation_after: after_relative(text.as_str(), &negation_after),
            masks,
            masked: Spans::joined(masked),
            uncertainty_before,
            uncertainty_after: after_relative(text.as_str(), &uncertainty_after),
            alternatives: Spans::joined(
                self.alternative.find(text).map(|cue| neighborhood(text.as_str(), &cue)).collect(),
            ),
            relation: self.relation.spans(text),
            ignore_before,
            ignore_after: self.ignore_after.spans(text),
            prior,
            stops,
            ends,
            clause_starts,
            denial_ends: Offsets::new(denial_ends),
            verbs,
        }
    }

    /// Where a statement of its own begins without a verb: "no effusion, mild edema", "no effusion mild edema", "no
    /// effusion and mild edema". A list that goes on to ", or …" is one statement.
    fn statements(
        &self,
        text: &Normalized,
        mentions: &Spans,
        negations: &Spans,
        ends: &Offsets,
        joints: &Joints,
    ) -> Vec<usize> {
        let one_list = |at: usize| {
            let stop = [ends.after(at), negations.after(at).map(|cue| cue.start)];
            let stop = stop.into_iter().flatten().min().unwrap_or(text.as_str().len());
            joints.or_after_comma.any_in(at..stop)
        };
        let mut starts = Vec::new();
        let sets =
            [(&self.amount, true, true), (&self.after_comma, false, false), (&self.topic, true, false)];
        for (set, at_mention, joined) in sets {
            for word in set.find(text) {
                let before = text.as_str().get(..word.start).unwrap_or_default().trim_end_matches(' ');
                let comma = before.ends_with(',');
                let adjacent = at_mention && mentions.ends_at(before.len());
                let joined = joined && (ends_with_word(before, "and") || ends_with_word(before, "with"));
                if (comma || adjacent || joined) && !one_list(word.start) {
                    let joint = if comma {
                        1
                    } else if joined {
                        before.len() - before.rfind(' ').map_or(0, |at| at + 1)
                    } else {
                        0
                    };
                    starts.push(before.len().saturating_sub(joint));
                }
            }
        }
        starts
    }
}

/// True when the last word of `text` is `word`.
fn ends_with_word(text: &str, word: &str) -> bool {
    text.strip_suffix(word).is_some_and(|rest| rest.is_empty() || rest.ends_with(' '))
}

/// Where a punctuation sign ends a clause.
fn stops(text: &str) -> impl Iterator<Item = usize> {
    text.match_indices([';', ':', '.', '?', '!']).filter_map(|(at, sign)| {
        let next = text.as_bytes().get(at + 1);
        // "Pneumothorax:none", but not "10:30".
        let ends = next.is_none_or(|byte| byte.is_ascii_whitespace() || !byte.is_ascii_alphanumeric())
            || sign == ":" && next.is_some_and(|byte| !byte.is_ascii_digit());
        ends.then_some(at)
    })
}

/// Where clauses may be joined.
struct Joints {
    /// Commas and "and the"s, which may begin a clause.
    all: Offsets,
    /// Commas before "or" and "nor".
    or_after_comma: Offsets,
}

impl Joints {
    fn new(text: &str) -> Self {
        let mut all = Vec::new();
        let mut or_after_comma = Vec::new();
        for (at, _) in text.match_indices(',') {
            let after = text.get(at + 1..).unwrap_or_default().trim_start_matches(' ');
            if after.starts_with("or ") || after.starts_with("nor ") {
                or_after_comma.push(at);
            } else {
                all.push(at);
            }
        }
        all.extend(text.match_indices(" and the ").map(|(at, _)| at));
        Self { all: Offsets::new(all), or_after_comma: Offsets::new(or_after_comma) }
    }

    /// Where the clause of a verb begins: at the last joint before it, unless the clause has only begun since.
    fn clause_start(&self, ends: &Offsets, verb: usize) -> Option<usize> {
        let joint = self.all.before(verb)?;
        let cut = ends.before(verb).is_some_and(|end| end > joint);
        // "no A, B, or C is new": the predicate is the list's.
        let list = self.or_after_comma.before(verb).is_some_and(|or| or > joint);
        (!cut && !list).then_some(joint)
    }
}

/// The cues, each with a "which" or "that" right before it: "effusion, which has resolved" reaches over the "which".
fn after_relative(text: &str, cues: &Spans) -> Spans {
    let widened = cues.iter().map(|cue| {
        let before = text.get(..cue.start).unwrap_or_default().trim_end_matches(' ');
        let pronoun = ["which", "that"].into_iter().find(|pronoun| ends_with_word(before, pronoun));
        pronoun.map_or(cue.start, |pronoun| before.len() - pronoun.len())..cue.end
    });
    Spans::joined(widened.collect())
}

/// From the punctuation or sixth word before an "A versus B" to the same after it.
fn neighborhood(text: &str, cue: &Range<usize>) -> Range<usize> {
    let side = |c: char, words: &mut usize| {
        *words += usize::from(c == ' ');
        matches!(c, ',' | ';' | ':' | '.' | '(') || *words > ALTERNATIVE_WORDS
    };
    let before = text.get(..cue.start).unwrap_or_default();
    let after = text.get(cue.end..).unwrap_or_default();
    let mut words = 0;
    let left = before.rfind(|c| side(c, &mut words)).map_or(0, |at| at + 1);
    let mut words = 0;
    let right = after.find(|c| side(c, &mut words)).unwrap_or(after.len());
    left..cue.end + right
}

/// Where the cues of a sentence are and how far they reach. Offsets are bytes of the sentence.
#[derive(Debug, Clone)]
pub(crate) struct Scopes {
    negation_before: Spans,
    negation_after: Spans,
    /// Phrases that deny only a change.
    masks: Spans,
    /// The negations in them.
    masked: Spans,
    uncertainty_before: Spans,
    uncertainty_after: Spans,
    /// What stands on either side of a "versus".
    alternatives: Spans,
    relation: Spans,
    ignore_before: Spans,
    ignore_after: Spans,
    prior: Spans,
    /// Punctuation that ends a clause.
    stops: Offsets,
    /// Where every scope ends.
    ends: Offsets,
    /// Where a new clause begins after a comma: ends forward scopes only, since "X, Y and Z are not seen" reaches back.
    clause_starts: Offsets,
    /// Where a statement of its own begins without a verb: ends the scopes of negations that reach forward.
    denial_ends: Offsets,
    verbs: Spans,
}

impl Scopes {
    /// Ends the forward scopes of negations at further places.
    pub(crate) fn end_denials(&mut self, places: impl IntoIterator<Item = usize>) {
        self.denial_ends.extend(places);
    }

    /// Punctuation that ends a clause.
    pub(crate) fn stops(&self) -> &Offsets {
        &self.stops
    }

    /// What the sentence says of a mention at `span`.
    pub(crate) fn certainty(&self, span: &Range<usize>) -> Certainty {
        if self.ignored(span) {
            return Certainty::Unmentioned;
        }
        if self.negation_before.any_within(span)
            || self.negation_after.any_within(span)
            || self.denies_change(span)
        {
            return Certainty::Negative;
        }
        let certainty = match (self.before(span), self.after(span)) {
            (Certainty::Negative, _) | (_, Certainty::Negative) => return Certainty::Negative,
            (Certainty::Uncertain, _) | (_, Certainty::Uncertain) => Certainty::Uncertain,
            _ if self.alternatives.overlapping(span).is_some() => Certainty::Uncertain,
            _ => Certainty::Positive,
        };
        if self.reached(&self.prior, span).is_some() { Certainty::Unmentioned } else { certainty }
    }

    /// True when the change that is denied is the finding itself: "no increase in heart size".
    fn denies_change(&self, span: &Range<usize>) -> bool {
        let mask = self.masks.overlapping(span).filter(|mask| mask.start < span.start);
        mask.is_some_and(|mask| self.masked.any_start_in(&(mask.start..span.start)))
    }

    /// True when nothing between the two offsets ends a scope that reaches forward.
    pub(crate) fn one_clause(&self, from: usize, to: usize) -> bool {
        !self.ends.any_in(from..to) && !self.clause_starts.any_in(from..to)
    }

    /// True when a verb stands between the two offsets.
    pub(crate) fn verb_between(&self, from: usize, to: usize) -> bool {
        from <= to && self.verbs.any_within(&(from..to))
    }

    /// True when a negation stands right before `words` ("not clear") or they are part of one ("clear of").
    pub(crate) fn denied(&self, text: &Normalized, words: &Range<usize>) -> bool {
        let part = self.negation_before.overlapping(words);
        let before = self.negation_before.before(words.start);
        part.is_some_and(|cue| cue.start <= words.start && words.end < cue.end)
            || before.is_some_and(|cue| text.words_in(cue.end..words.start) == 0)
    }

    fn ignored(&self, span: &Range<usize>) -> bool {
        self.reached(&self.ignore_before, span).is_some()
            || self.ignore_after.after(span.end).is_some_and(|cue| self.reaches_back(cue, span))
    }

    /// Where the nearest of `cues` before the mention begins, if its scope reaches the mention.
    fn reached(&self, cues: &Spans, span: &Range<usize>) -> Option<usize> {
        let cue = cues.before(span.start)?;
        self.one_clause(cue.end, span.start).then_some(cue.start)
    }

    /// What the nearest cue before the mention says.
    fn before(&self, span: &Range<usize>) -> Certainty {
        let negation = self.negation_before.before(span.start);
        let negation = negation
            .filter(|cue| {
                self.one_clause(cue.end, span.start) && !self.denial_ends.any_in(cue.end..span.start)
            })
            .map(|cue| cue.start);
        let doubt = self.reached(&self.uncertainty_before, span);
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
        self.relation.any_start_in(&(negation..doubt + 1))
    }

    fn after(&self, span: &Range<usize>) -> Certainty {
        let reach = |cues: &Spans| cues.after(span.end).is_some_and(|cue| self.reaches_back(cue, span));
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
        !self.ends.any_in(span.end..cue.start) && !self.verb_between(span.end, cue.start)
    }

    /// True when a denying predicate ("has resolved", "is not seen") follows `from` in its clause.
    pub(crate) fn denied_after(&self, from: usize) -> Option<&Range<usize>> {
        let cue = self.negation_after.after(from)?;
        (!self.ends.any_in(from..cue.start) && !self.verb_between(from, cue.start)).then_some(cue)
    }
}

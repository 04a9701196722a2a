//! What one statement says of another: "Pneumothorax: none", "Effusion? No.", "… on the prior study. It has resolved."

use std::ops::Range;

use medclip_core::{Certainty, Finding};

use crate::error::PhraseError;
use crate::lists::Cues;
use crate::mention::Mention;
use crate::negation::Scopes;
use crate::normalized::Normalized;
use crate::phrase::PhraseSet;

/// Most words of a label before a colon: "Pleural effusion, right: none".
const LABEL_WORDS: usize = 6;

/// The answers and pronouns, compiled.
#[derive(Debug, Clone)]
pub(crate) struct ReplyMatcher {
    no: PhraseSet,
    doubt: PhraseSet,
    yes: PhraseSet,
    pronoun: PhraseSet,
    pronoun_all: PhraseSet,
    reference_no: PhraseSet,
    reference_alone: PhraseSet,
}

/// What a statement says of the mentions in an earlier stretch of the text.
#[derive(Debug)]
struct Reply {
    about: Range<usize>,
    says: Certainty,
    /// True when it speaks of one thing: the first that the stretch names.
    first: bool,
}

impl ReplyMatcher {
    pub(crate) fn new(cues: &Cues) -> Result<Self, PhraseError> {
        Ok(Self {
            no: PhraseSet::new("answer_no", &cues.answer_no)?,
            doubt: PhraseSet::new("answer_doubt", &cues.answer_doubt)?,
            yes: PhraseSet::new("answer_yes", &cues.answer_yes)?,
            pronoun: PhraseSet::new("pronoun", &cues.pronoun)?,
            pronoun_all: PhraseSet::new("pronoun_all", &cues.pronoun_all)?,
            reference_no: PhraseSet::new("reference_no", &cues.reference_no)?,
            reference_alone: PhraseSet::new("reference_alone", &cues.reference_alone)?,
        })
    }

    /// True when a sentence may speak of the one before it.
    pub(crate) fn may_reply(&self, text: &Normalized) -> bool {
        let opens =
            |set: &PhraseSet| set.find(text).next().is_some_and(|found| is_bare(text.as_str(), found.start));
        [&self.pronoun, &self.pronoun_all, &self.reference_no, &self.reference_alone].into_iter().any(opens)
    }

    /// Changes the certainties of `mentions`, sorted by place, by what other statements say of them.
    pub(crate) fn apply(
        &self,
        text: &Normalized,
        scopes: &Scopes,
        denied: &[Finding],
        mentions: &mut [Mention<'_>],
    ) {
        if mentions.is_empty() {
            return;
        }
        let mut from = 0;
        for stop in scopes.stops().iter() {
            match text.as_str().as_bytes().get(stop) {
                Some(b'?') => {
                    question(between(mentions, &(from..stop)));
                    restated(text, scopes, denied, from..stop, mentions);
                }
                Some(b':') if is_label(text, scopes, from..stop) => {
                    restated(text, scopes, denied, from..stop, mentions);
                }
                _ => {}
            }
            from = stop + 1;
        }
        for reply in self.replies(text, scopes, mentions) {
            let about = between(mentions, &reply.about);
            let about = if reply.first { about.get_mut(..1).unwrap_or_default() } else { about };
            for mention in about {
                let affirmed_denial =
                    reply.says == Certainty::Positive && mention.certainty == Certainty::Negative;
                if !affirmed_denial {
                    mention.certainty = reply.says;
                }
            }
        }
    }

    fn replies(&self, text: &Normalized, scopes: &Scopes, mentions: &[Mention<'_>]) -> Vec<Reply> {
        let mut replies = Vec::new();
        let answers = [
            (&self.no, Certainty::Negative),
            (&self.doubt, Certainty::Uncertain),
            (&self.yes, Certainty::Positive),
        ];
        for (set, says) in answers {
            for answer in set.find(text) {
                let about = answered(text.as_str(), scopes, mentions, &answer);
                // "Possible effusion present" is no answer.
                let about = about.filter(|about| {
                    says != Certainty::Positive || scopes.stops().any_in(about.end..answer.start)
                });
                replies.extend(about.map(|about| Reply { about, says, first: false }));
            }
        }
        let alone = self.reference_alone.find(text).filter(|said| ends_there(text.as_str(), said.end));
        for said in self.reference_no.find(text).chain(alone) {
            let about = antecedent(text.as_str(), scopes, said.start);
            replies.extend(about.map(|about| Reply { about, says: Certainty::Negative, first: false }));
        }
        for (set, first) in [(&self.pronoun, true), (&self.pronoun_all, false)] {
            for pronoun in set.find(text) {
                let Some(cue) = scopes.denied_after(pronoun.start) else { continue };
                let names = between_count(mentions, &(pronoun.end..cue.start.max(pronoun.end)));
                let about = antecedent(text.as_str(), scopes, pronoun.start).filter(|_| names == 0);
                replies.extend(about.map(|about| Reply { about, says: Certainty::Negative, first }));
            }
        }
        replies
    }
}

/// A question asserts nothing.
fn question(mentions: &mut [Mention<'_>]) {
    for mention in mentions.iter_mut().filter(|mention| mention.certainty == Certainty::Positive) {
        mention.certainty = Certainty::Uncertain;
    }
}

/// True for the few words of a label before a colon.
fn is_label(text: &Normalized, scopes: &Scopes, range: Range<usize>) -> bool {
    !scopes.verb_between(range.start, range.end) && text.words_in(range) <= LABEL_WORDS
}

/// A question or label whose finding the clause after it names again, or denies by calling something normal, says nothing itself.
fn restated(
    text: &Normalized,
    scopes: &Scopes,
    denied: &[Finding],
    label: Range<usize>,
    mentions: &mut [Mention<'_>],
) {
    let end = scopes.stops().after(label.end + 1).unwrap_or(text.as_str().len());
    let mut named = [false; Finding::COUNT];
    for mention in between(mentions, &(label.end..end)).iter() {
        if let Some(seen) = mention.finding.and_then(|finding| named.get_mut(finding as usize)) {
            *seen = true;
        }
    }
    for finding in denied {
        if let Some(seen) = named.get_mut(*finding as usize) {
            *seen = true;
        }
    }
    for mention in between(mentions, &label) {
        if mention.finding.is_some_and(|finding| named.get(finding as usize) == Some(&true)) {
            mention.certainty = Certainty::Unmentioned;
        }
    }
}

/// The stretch that an answer is about: what a colon or question mark closes before it, or the mention it stands at.
fn answered(
    text: &str,
    scopes: &Scopes,
    mentions: &[Mention<'_>],
    answer: &Range<usize>,
) -> Option<Range<usize>> {
    let before = text.get(..answer.start)?;
    let signs = before.trim_end_matches([' ', '-', '=', '(', '[', ':', '?', ',']);
    let between = before.get(signs.len()..)?;
    // "A: no"
    if let Some(rest) = between
        .contains(':')
        .then(|| ["a", "answer", "ans"].into_iter().find_map(|name| signs.strip_suffix(name)))
        .flatten()
    {
        let asked = rest.trim_end_matches(' ');
        if asked.ends_with('?') {
            return Some(clause_before(scopes, asked.len() - 1));
        }
    }
    if !whole_answer(text, answer) {
        return None;
    }
    if between.contains(['?', ':']) {
        // The last sign that closed something: the first of "? -" and ": -".
        let at = signs.len() + between.find(['?', ':'])?;
        return Some(clause_before(scopes, at));
    }
    if between.contains(',') {
        return None;
    }
    let mention = mentions.partition_point(|mention| mention.span.end <= signs.len()).checked_sub(1)?;
    let span = &mentions.get(mention)?.span;
    let bare_no = text.get(answer.clone()) == Some("no") && !between.contains(['-', '=', '(', '[']);
    (span.end == signs.len() && !bare_no && ends_there(text, answer.end)).then(|| span.clone())
}

/// "No" answers only alone: "Effusion: no change" does not deny it. Longer answers stand for themselves.
fn whole_answer(text: &str, answer: &Range<usize>) -> bool {
    let alone = matches!(
        text.get(answer.clone()),
        Some("no" | "clear" | "normal" | "negative" | "absent" | "excluded" | "resolved")
    );
    !alone || ends_there(text, answer.end)
}

/// True when a statement ends at `at`.
fn ends_there(text: &str, at: usize) -> bool {
    let rest = text.get(at..).unwrap_or_default().trim_start_matches([' ', ')', ']']);
    rest.is_empty() || rest.starts_with(['.', ',', ';', '!', '?', ':'])
}

/// From the stop before the one at `stop` to it.
fn clause_before(scopes: &Scopes, stop: usize) -> Range<usize> {
    scopes.stops().before(stop).map_or(0, |before| before + 1)..stop
}

/// What a statement that begins at `at` with a pronoun speaks of: the sentence or clause before it.
fn antecedent(text: &str, scopes: &Scopes, at: usize) -> Option<Range<usize>> {
    let before = text.get(..at)?.trim_end_matches([' ', ',', '\'', '"']);
    if before.is_empty() {
        return None;
    }
    if let Some(stop) = scopes.stops().before(before.len()).filter(|stop| stop + 1 == before.len()) {
        return Some(clause_before(scopes, stop));
    }
    // "…, but it has resolved"
    let start = scopes.stops().before(at).map_or(0, |stop| stop + 1);
    let joins =
        ["but", "and", "however", "although", "though"].into_iter().any(|word| before.ends_with(word));
    joins.then_some(start..before.len())
}

/// True when nothing but signs stands before `at`.
fn is_bare(text: &str, at: usize) -> bool {
    text.get(..at).is_some_and(|before| before.bytes().all(|byte| !byte.is_ascii_alphanumeric()))
}

/// The mentions that lie in `range`.
fn between<'m, 'l>(mentions: &'m mut [Mention<'l>], range: &Range<usize>) -> &'m mut [Mention<'l>] {
    let from = mentions.partition_point(|mention| mention.span.start < range.start);
    let to = mentions.partition_point(|mention| mention.span.start < range.end);
    mentions.get_mut(from..to.max(from)).unwrap_or_default()
}

fn between_count(mentions: &[Mention<'_>], range: &Range<usize>) -> usize {
    let below = |at: usize| mentions.partition_point(|mention| mention.span.start < at);
    below(range.end).saturating_sub(below(range.start))
}

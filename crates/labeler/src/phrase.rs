//! The phrase grammar of the lists.
//!
//! | written | matches |
//! |---|---|
//! | `pleural effusion` | the words, with any white space, hyphen or slash between them |
//! | `effusion*` | a word that begins so |
//! | `{small\|large} effusion` | either word; an empty alternative makes the word optional |
//! | `heart .. enlarged` | up to five other words in between, in one clause |

use std::ops::Range;

use regex::{Regex, RegexBuilder};

use crate::error::PhraseError;
use crate::normalized::Normalized;
use crate::spans::Spans;

/// Memory for a matcher's states: the default of 2 MiB is too small for gaps and throws states away while it matches.
pub(crate) const DFA_BYTES: usize = 32 << 20;

/// Words that may stand in a `..`.
const GAP_WORDS: usize = 5;

/// Phrases compiled to one matcher.
#[derive(Debug, Clone)]
pub(crate) struct PhraseSet(Option<Regex>);

impl PhraseSet {
    /// Compiles `phrases`; `owner` names them in errors.
    pub(crate) fn new(owner: &str, phrases: &[String]) -> Result<Self, PhraseError> {
        let Some(pattern) = alternation(phrases)? else { return Ok(Self(None)) };
        let regex = RegexBuilder::new(&pattern)
            .dfa_size_limit(DFA_BYTES)
            .build()
            .map_err(|source| PhraseError::Compile { owner: owner.to_owned(), source: Box::new(source) })?;
        Ok(Self(Some(regex)))
    }

    /// Where the phrases occur, from left to right, without overlap.
    pub(crate) fn find<'t>(&'t self, text: &'t Normalized) -> impl Iterator<Item = Range<usize>> + 't {
        self.0.iter().flat_map(|regex| regex.find_iter(text.as_str()).map(|found| found.range()))
    }

    /// The same, as sorted ranges.
    pub(crate) fn spans(&self, text: &Normalized) -> Spans {
        self.find(text).collect()
    }
}

/// One pattern for all `phrases`, longest first so that the most specific wins; `None` for no phrases.
pub(crate) fn alternation(phrases: &[String]) -> Result<Option<String>, PhraseError> {
    if phrases.is_empty() {
        return Ok(None);
    }
    let mut ordered: Vec<&String> = phrases.iter().collect();
    ordered.sort_by_key(|phrase| std::cmp::Reverse(phrase.len()));
    let parts = ordered.into_iter().map(|phrase| pattern(phrase)).collect::<Result<Vec<_>, _>>()?;
    Ok(Some(format!(r"(?-u:\b)(?:{})(?-u:\b)", parts.join("|"))))
}

/// The regular expression of one phrase.
fn pattern(phrase: &str) -> Result<String, PhraseError> {
    let fail = |reason| PhraseError::Grammar { phrase: phrase.to_owned(), reason };
    if phrase.trim().is_empty() || phrase.trim() != phrase {
        return Err(fail("empty, or with white space around it"));
    }
    let mut parts = Vec::new();
    for (index, word) in phrase.split(' ').enumerate() {
        if word == ".." {
            if index == 0 || phrase.ends_with("..") {
                return Err(fail("`..` stands between words"));
            }
            parts.push(format!("(?:{SEPARATOR}{GAP_WORD}){{0,{GAP_WORDS}}}?"));
            continue;
        }
        let (word, optional) = element(word).ok_or_else(|| {
            fail("a word is letters, digits, `'`, `*` at its end, or `{a|b}` of such words joined by `_`")
        })?;
        match (index == 0, optional) {
            (true, false) => parts.push(word),
            (true, true) => return Err(fail("the first word cannot be optional")),
            (false, false) => parts.push(format!("{SEPARATOR}{word}")),
            (false, true) => parts.push(format!("(?:{SEPARATOR}{word})?")),
        }
    }
    Ok(parts.concat())
}

const SEPARATOR: &str = r"[ /\-]+";
const GAP_WORD: &str = r"[^ ;:.]+";

/// The pattern of one word or `{…}` group, and whether it may be absent.
fn element(word: &str) -> Option<(String, bool)> {
    let Some(inner) = word.strip_prefix('{') else { return Some((literal(word)?, false)) };
    let mut optional = false;
    let mut alternatives = Vec::new();
    for alternative in inner.strip_suffix('}')?.split('|') {
        if alternative.is_empty() {
            optional = true;
        } else {
            let words = alternative.split('_').map(literal).collect::<Option<Vec<_>>>()?;
            alternatives.push(words.join(SEPARATOR));
        }
    }
    (!alternatives.is_empty()).then(|| (format!("(?:{})", alternatives.join("|")), optional))
}

fn literal(word: &str) -> Option<String> {
    let (stem, open) = word.strip_suffix('*').map_or((word, false), |stem| (stem, true));
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'\'';
    if stem.is_empty() || !stem.bytes().all(plain) {
        return None;
    }
    Some(if open { format!("{stem}[a-z]*") } else { stem.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(phrase: &str, text: &str) -> Option<Range<usize>> {
        PhraseSet::new("test", &[phrase.to_owned()]).unwrap().find(&Normalized::plain(text)).next()
    }

    #[test]
    fn grammar() {
        for (phrase, text, want) in [
            ("pleural effusion", "A Pleural\neffusion.", Some(2..18)),
            ("pleural effusion", "pleural effusions", None),
            ("pleural effusion*", "pleural effusions", Some(0..17)),
            ("air space", "no air-space disease", Some(3..12)),
            ("{small|large} effusion", "large effusion", Some(0..14)),
            ("rib {cage|} fracture", "rib fracture", Some(0..12)),
            ("{right_sided|left} effusion", "right sided effusion", Some(0..20)),
            ("heart .. enlarged", "heart size is a bit enlarged", Some(0..28)),
            ("heart .. enlarged", "heart normal; aorta enlarged", None),
            ("heart .. enlarged", "the heart is a b c d e enlarged", None),
        ] {
            assert_eq!(first(phrase, text), want, "{phrase:?} in {text:?}");
        }
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        for phrase in ["", " a", "a  b", "Effusion", "a.b", ".. a", "a ..", "{a", "{}", "{|a} b", "*"] {
            let made = PhraseSet::new("test", &[phrase.to_owned()]);
            assert!(matches!(made, Err(PhraseError::Grammar { .. })), "{phrase:?}");
        }
    }
}

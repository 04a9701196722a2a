//! Punctuation that was dictated and typed as words: "no effusion comma no pneumothorax period".

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::error::PhraseError;
use crate::lists::SpokenSign;

/// The spoken signs, by their first word.
#[derive(Debug, Clone)]
pub(crate) struct SpokenSigns(BTreeMap<String, Vec<Sign>>);

#[derive(Debug, Clone)]
struct Sign {
    /// The words after the first.
    further: Vec<String>,
    stands_for: char,
    not_after: HashSet<String>,
    not_before: HashSet<String>,
    only_after: HashSet<String>,
}

/// A sign in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Where its words are, in bytes.
    pub(crate) span: Range<usize>,
    pub(crate) sign: char,
}

impl SpokenSigns {
    pub(crate) fn new(signs: &[SpokenSign]) -> Result<Self, PhraseError> {
        let mut by_word: BTreeMap<String, Vec<Sign>> = BTreeMap::new();
        for spoken in signs {
            let mut letters = spoken.sign.chars();
            let (Some(sign @ ('.' | ',' | ';' | ':' | '?')), None) = (letters.next(), letters.next()) else {
                return Err(PhraseError::Sign { words: spoken.words.clone(), sign: spoken.sign.clone() });
            };
            let mut words = spoken.words.split(' ').map(str::to_owned);
            let set = |words: &[String]| words.iter().cloned().collect();
            by_word.entry(words.next().unwrap_or_default()).or_default().push(Sign {
                further: words.collect(),
                stands_for: sign,
                not_after: set(&spoken.not_after),
                not_before: set(&spoken.not_before),
                only_after: set(&spoken.only_after),
            });
        }
        for signs in by_word.values_mut() {
            signs.sort_by_key(|sign| std::cmp::Reverse(sign.further.len()));
        }
        Ok(Self(by_word))
    }

    /// The signs in `text`, from left to right. Case is ignored.
    pub(crate) fn marks(&self, text: &str) -> Vec<Mark> {
        let words = words(text);
        let mut marks = Vec::new();
        let mut index = 0;
        while let Some(span) = words.get(index) {
            let mark = self.at(text, &words, index);
            index += mark.as_ref().map_or(1, |(count, _)| *count);
            if let Some((count, sign)) = mark {
                let end = words.get(index - 1).map_or(span.end, |last| last.end);
                debug_assert!(count > 0, "a mark has words");
                marks.push(Mark { span: span.start..end, sign });
            }
        }
        marks
    }

    /// Number of words of the sign that begins at word `index`, and the sign.
    fn at(&self, text: &str, words: &[Range<usize>], index: usize) -> Option<(usize, char)> {
        let word = |index: usize| words.get(index).and_then(|span| text.get(span.clone()));
        let lower = |index: usize| word(index).map(str::to_ascii_lowercase);
        // Most words are longer or shorter than any sign's first word.
        let first = word(index).filter(|word| (3..=9).contains(&word.len()))?.to_ascii_lowercase();
        let previous = index.checked_sub(1).and_then(lower).unwrap_or_default();
        self.0.get(&first)?.iter().find_map(|sign| {
            let count = 1 + sign.further.len();
            let same =
                sign.further.iter().zip(index + 1..).all(|(want, at)| lower(at).as_ref() == Some(want));
            let spaced = (index..index + count).all(|at| set_apart(text, words.get(at)));
            let next = lower(index + count).unwrap_or_default();
            let fits = !sign.not_after.contains(&previous)
                && !sign.not_before.contains(&next)
                && (sign.only_after.is_empty() || sign.only_after.contains(&previous));
            (same && spaced && fits).then_some((count, sign.stands_for))
        })
    }
}

/// Runs of ASCII letters and digits.
fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, byte) in text.bytes().enumerate() {
        match (byte.is_ascii_alphanumeric(), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

/// True when white space or an end of the text stands on both sides.
fn set_apart(text: &str, word: Option<&Range<usize>>) -> bool {
    let Some(word) = word else { return false };
    let bytes = text.as_bytes();
    let space = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_whitespace);
    space(word.start.checked_sub(1).and_then(|at| bytes.get(at))) && space(bytes.get(word.end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PhraseLists;

    #[test]
    fn finds_signs_and_leaves_words() {
        let signs = SpokenSigns::new(&PhraseLists::builtin().unwrap().words.spoken).unwrap();
        for (text, want) in [
            ("no effusion comma no edema period", ",."),
            ("Clear lungs Period New Paragraph Heart normal full stop", "..."),
            ("findings colon clear", ":"),
            ("number one effusion", "."),
            ("the postoperative period", ""),
            ("a period of rest", ""),
            ("gas in the colon", ""),
            ("fracture of rib number five", ""),
            ("comma-shaped opacity", ""),
            ("no new line placement", ""),
        ] {
            let found: String = signs.marks(text).iter().map(|mark| mark.sign).collect();
            assert_eq!(found, want, "{text:?}");
        }
        assert_eq!(signs.marks("x full  stop y")[0].span, 2..12);
    }
}

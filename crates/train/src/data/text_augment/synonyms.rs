//! Phrases that may stand for each other.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::config::TextAugmentError;
use super::words::Words;

/// The list in `data/synonyms.toml`, by phrase.
#[derive(Debug, Clone)]
pub(super) struct Synonyms {
    groups: Vec<Vec<String>>,
    group_of: BTreeMap<String, usize>,
    kept: BTreeSet<String>,
    /// Words of the longest phrase.
    longest: usize,
}

/// Where a phrase of the list stands in a sentence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// First word.
    pub(super) start: usize,
    /// Number of words.
    pub(super) len: usize,
    group: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    kept: BTreeSet<String>,
    groups: Vec<Vec<String>>,
}

impl Synonyms {
    pub(super) fn builtin() -> Result<Self, TextAugmentError> {
        Self::read(include_str!("../../../data/synonyms.toml"))
    }

    fn read(text: &str) -> Result<Self, TextAugmentError> {
        let File { kept, groups } =
            toml::from_str(text).map_err(|error| TextAugmentError::Parse(Box::new(error)))?;
        let mut group_of = BTreeMap::new();
        let mut longest = 0;
        for (group, phrases) in groups.iter().enumerate() {
            for phrase in phrases {
                let words = Words::new(phrase);
                let fault = if words.phrase(0, words.len()).as_ref() != Some(phrase) {
                    Some("is not in lower case, without punctuation, one space apart")
                } else if phrases.len() < 2 {
                    Some("stands alone")
                } else if phrase.split(' ').any(|word| kept.contains(word)) {
                    Some("holds a word that denies or doubts")
                } else if group_of.insert(phrase.clone(), group).is_some() {
                    Some("occurs twice")
                } else {
                    None
                };
                if let Some(fault) = fault {
                    return Err(TextAugmentError::Phrase { phrase: phrase.clone(), fault });
                }
                longest = longest.max(words.len());
            }
        }
        Ok(Self { groups, group_of, kept, longest })
    }

    /// True for words that no change may lose or move.
    pub(super) fn keeps(&self, word: &str) -> bool {
        self.kept.contains(word)
    }

    /// Where phrases of the list stand: the longest at each word.
    pub(super) fn places(&self, words: &Words) -> Vec<Place> {
        let at = |start: usize| {
            (1..=self.longest).rev().find_map(|len| {
                let group = *self.group_of.get(&words.phrase(start, len)?)?;
                Some(Place { start, len, group })
            })
        };
        (0..words.len()).filter_map(at).collect()
    }

    /// The phrases that may stand there, with the one that does.
    pub(super) fn group(&self, place: Place) -> impl Iterator<Item = &str> {
        self.groups.get(place.group).into_iter().flatten().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_list_is_consistent_and_large_enough() {
        let synonyms = Synonyms::builtin().unwrap();
        assert!(synonyms.groups.len() >= 60, "{}", synonyms.groups.len());
        assert!(["no", "not", "without", "free"].into_iter().all(|word| synonyms.keeps(word)));
    }

    #[test]
    fn finds_the_longest_phrase_and_none_across_punctuation() {
        let synonyms = Synonyms::builtin().unwrap();
        let found = |text: &str| {
            let words = Words::new(text);
            synonyms.places(&words).iter().filter_map(|p| words.phrase(p.start, p.len)).collect::<Vec<_>>()
        };
        assert_eq!(found("Large pleural effusion."), ["large", "pleural effusion"]);
        assert_eq!(found("Right pleural, effusion"), ["right"]);
    }

    #[test]
    fn refuses_contradictory_lists() {
        let cases = [
            ("[['large', 'big'], ['big', 'sizeable']]", "`big` occurs twice"),
            ("[['Large', 'big']]", "`Large` is not in lower case, without punctuation, one space apart"),
            ("[['no change', 'same']]", "`no change` holds a word that denies or doubts"),
            ("[['large']]", "`large` stands alone"),
        ];
        for (groups, message) in cases {
            let error = Synonyms::read(&format!("kept = ['no']\ngroups = {groups}")).unwrap_err();
            assert_eq!(error.to_string(), format!("the list of synonyms: {message}"));
        }
        assert!(matches!(Synonyms::read("groups = []"), Err(TextAugmentError::Parse(_))));
    }
}

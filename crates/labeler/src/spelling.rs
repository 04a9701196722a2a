//! Misspelt words of findings.

use std::collections::HashSet;

use crate::lists::Spelling;

/// Shortest word that is corrected: shorter ones have too many neighbors.
const SHORTEST: usize = 5;
/// Longest word that is looked at.
const LONGEST: usize = 24;
/// Words up to this length may have one error, longer ones two.
const ONE_ERROR: usize = 7;
/// In words up to this length the first letter is right: "infusion" is no effusion.
const FIRST_LETTER: usize = 8;

/// The lists, ready to be looked up.
#[derive(Debug, Clone)]
pub(crate) struct Speller {
    words: Vec<Target>,
    known: HashSet<String>,
}

#[derive(Debug, Clone)]
struct Target {
    word: String,
    letters: u32,
    errors: usize,
}

impl Speller {
    pub(crate) fn new(lists: &Spelling) -> Self {
        let known = lists.words.iter().chain(&lists.real).cloned().collect();
        let target = |word: &String| Target {
            letters: letters(word),
            errors: if word.len() <= ONE_ERROR { 1 } else { 2 },
            word: word.clone(),
        };
        Self { words: lists.words.iter().map(target).collect(), known }
    }

    /// The word that `word`, lower-case letters, is a misspelling of; `None` when it is right or unknown.
    pub(crate) fn correct(&self, word: &str) -> Option<&str> {
        if !(SHORTEST..=LONGEST).contains(&word.len()) || self.known.contains(word) {
            return None;
        }
        let mut best: Option<(usize, &str)> = None;
        let own = letters(word);
        for target in &self.words {
            let first =
                target.word.len() > FIRST_LETTER || target.word.as_bytes().first() == word.as_bytes().first();
            // An edit changes at most two of the letters that occur.
            let differ = (own ^ target.letters).count_ones() as usize;
            if !first || target.word.len().abs_diff(word.len()) > target.errors || differ > 2 * target.errors
            {
                continue;
            }
            let distance = distance(word.as_bytes(), target.word.as_bytes());
            if distance <= target.errors && best.is_none_or(|(least, _)| distance < least) {
                best = Some((distance, &target.word));
            }
        }
        best.map(|(_, target)| target)
    }
}

/// The letters that occur in `word`, a bit each.
fn letters(word: &str) -> u32 {
    word.bytes().filter(u8::is_ascii_lowercase).fold(0, |seen, letter| seen | 1 << (letter - b'a'))
}

/// Edits from `a` to `b`: letters changed, missing, added, or swapped with the next (optimal string alignment).
fn distance(a: &[u8], b: &[u8]) -> usize {
    // `rows[i % 3][j]`: edits from the first i letters of `a` to the first j of `b`.
    let mut rows = [[0_usize; LONGEST + 4]; 3];
    let width = b.len().min(LONGEST + 3);
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for (i, letter) in a.iter().enumerate() {
        let (before, above, row) = (i.wrapping_add(2) % 3, i % 3, (i + 1) % 3);
        rows[row][0] = i + 1;
        for (j, other) in b.iter().enumerate().take(width) {
            let mut edits = (rows[above][j + 1] + 1)
                .min(rows[row][j] + 1)
                .min(rows[above][j] + usize::from(letter != other));
            if i > 0 && j > 0 && a.get(i - 1) == Some(other) && b.get(j - 1) == Some(letter) {
                edits = edits.min(rows[before][j - 1] + 1);
            }
            rows[row][j + 1] = edits;
        }
    }
    rows[a.len() % 3][width]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PhraseLists;

    #[test]
    fn counts_edits() {
        for (a, b, want) in [
            ("", "", 0),
            ("edema", "edema", 0),
            ("edma", "edema", 1),
            ("edmea", "edema", 1),
            ("pnuemothorax", "pneumothorax", 1),
            ("efusoin", "effusion", 2),
            ("infusion", "effusion", 2),
            ("abc", "xyz", 3),
        ] {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), want, "{a} {b}");
            assert_eq!(distance(b.as_bytes(), a.as_bytes()), want, "{b} {a}");
        }
    }

    #[test]
    fn corrects_misspellings_and_leaves_words() {
        let speller = Speller::new(&PhraseLists::builtin().unwrap().spelling);
        for (word, want) in [
            ("pnuemothorax", Some("pneumothorax")),
            ("neumonia", Some("pneumonia")),
            ("efusion", Some("effusion")),
            ("cardiomegally", Some("cardiomegaly")),
            ("atelectisis", Some("atelectasis")),
            ("consoldation", Some("consolidation")),
            ("infusion", None),
            ("diffusion", None),
            ("perfusion", None),
            ("injection", None),
            ("enema", None),
            ("consolation", None),
            ("feature", None),
            ("module", None),
            ("hemithorax", None),
            ("effusion", None),
            ("xxxx", None),
            ("a", None),
        ] {
            assert_eq!(speller.correct(word), want, "{word}");
        }
    }
}

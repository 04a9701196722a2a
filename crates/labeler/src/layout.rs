//! Which line breaks of a report end a sentence and which only wrap it.

use std::collections::HashSet;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::heading::{Lead, lead};

/// Lines are taken to be at least this wide before they wrap.
const NARROWEST: usize = 40;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrapWords {
    continues_after: HashSet<String>,
    continues_before: HashSet<String>,
    names: HashSet<String>,
}

static WORDS: LazyLock<WrapWords> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/layout.toml")).expect("the built-in words, read by the tests")
});

/// The lines of a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layout {
    /// Bytes of the longest line, at least [`NARROWEST`].
    width: usize,
}

impl Layout {
    pub(crate) fn new(text: &str) -> Self {
        let longest = text.split('\n').map(str::len).max().unwrap_or(0);
        Self { width: longest.max(NARROWEST) }
    }

    /// True when the break between the lines `before` and `after` ends a sentence.
    pub(crate) fn ends(self, before: &str, after: &str) -> bool {
        let (before, after) = (before.trim(), after.trim());
        if before.is_empty() || after.is_empty() || is_rule(before) || is_rule(after) {
            return true;
        }
        if lead(after, true).is_some() || lead(before, true).is_some_and(|lead| is_whole(before, lead)) {
            return true;
        }
        let last = last_word(before);
        if before.ends_with([',', '-', '(', '/']) || continues_after(last) {
            return false;
        }
        let first = after.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        let lower = first.to_lowercase();
        if WORDS.continues_before.contains(&lower) {
            return false;
        }
        let fits = before.len() + 1 + first.len() <= self.width;
        let mut letters = first.chars();
        let capital = letters.next().is_some_and(char::is_uppercase);
        let acronym = capital && first.len() > 1 && !first.contains(char::is_lowercase);
        if capital && !acronym {
            return !WORDS.names.contains(&lower);
        }
        let plain = !has_stop(before) && !has_stop(after);
        // In a text of capitals a word in capitals is no acronym.
        let shouts = !before.contains(char::is_lowercase);
        fits && (plain || acronym && !shouts && !has_stop(before))
    }
}

/// A line of dashes or the like.
fn is_rule(line: &str) -> bool {
    line.len() >= 3 && line.bytes().all(|byte| matches!(byte, b'-' | b'_' | b'=' | b'*' | b'.' | b' '))
}

/// True when a heading is all of its line.
fn is_whole(line: &str, lead: Lead<'_>) -> bool {
    matches!(lead, Lead::Heading { length, .. } if length >= line.len())
}

fn has_stop(line: &str) -> bool {
    line.ends_with('.') || line.contains(". ")
}

fn last_word(line: &str) -> &str {
    line.rsplit(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty()).unwrap_or_default()
}

fn continues_after(word: &str) -> bool {
    let adverb =
        word.len() > 4 && word.get(word.len() - 2..).is_some_and(|end| end.eq_ignore_ascii_case("ly"));
    adverb || WORDS.continues_after.contains(&word.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_breaks_from_wraps() {
        for (text, want) in [
            ("Heart enlarged\nNo effusion", true),
            ("no effusion\nmild cardiomegaly", true),
            ("Left effusion\nETT in place", true),
            ("NO EFFUSION\nMILD CARDIOMEGALY", true),
            ("Effusion.\n", true),
            ("No effusion\nLungs: clear", true),
            ("Clear\n____", true),
            ("There is no\nPneumothorax", false),
            ("Wrapped\nline. Next", false),
            ("The heart is mildly\nenlarged", false),
            ("There is a small left\npleural effusion", false),
            ("No effusion,\npneumothorax", false),
            ("No evidence of pneumothorax\nor effusion", false),
            ("Interstitial prominence and subtle\nKerley lines", false),
            ("NO EVIDENCE OF\nPNEUMOTHORAX", false),
        ] {
            let (before, after) = text.split_once('\n').unwrap();
            assert_eq!(Layout::new(text).ends(before, after), want, "{text:?}");
        }
    }
}

//! Which line breaks of a report end a sentence and which only wrap it.

use crate::heading::{Lead, lead};

/// Lines are taken to be at least this wide before they wrap.
const NARROWEST: usize = 40;

/// Words at the end of a line after which the sentence goes on, besides adverbs and commas.
const GOES_ON_AFTER: &[&str] = &[
    "a",
    "an",
    "the",
    "no",
    "not",
    "without",
    "with",
    "of",
    "and",
    "or",
    "nor",
    "in",
    "at",
    "on",
    "to",
    "for",
    "from",
    "by",
    "is",
    "are",
    "was",
    "were",
    "has",
    "have",
    "had",
    "be",
    "been",
    "may",
    "might",
    "could",
    "can",
    "cannot",
    "than",
    "that",
    "which",
    "as",
    "but",
    "if",
    "small",
    "tiny",
    "mild",
    "moderate",
    "large",
    "severe",
    "minimal",
    "trace",
    "left",
    "right",
    "bilateral",
    "pleural",
    "pulmonary",
    "lower",
    "upper",
    "middle",
    "acute",
    "chronic",
    "focal",
    "new",
    "old",
    "stable",
    "possible",
    "probable",
    "likely",
    "versus",
    "vs",
    "evidence",
    "any",
    "this",
    "these",
    "its",
    "interval",
    "prior",
    "previous",
    "more",
    "less",
    "both",
    "neither",
    "either",
    "between",
    "since",
    "dr",
    "mr",
    "mrs",
    "cm",
    "mm",
    "approximately",
    "measuring",
];

/// Words at the beginning of a line that continue the sentence before it.
const GOES_ON_BEFORE: &[&str] = &[
    "of",
    "and",
    "or",
    "nor",
    "in",
    "at",
    "on",
    "to",
    "for",
    "from",
    "by",
    "is",
    "are",
    "was",
    "were",
    "has",
    "have",
    "with",
    "without",
    "which",
    "that",
    "as",
    "but",
    "than",
    "be",
    "been",
    "not",
    "may",
    "versus",
    "vs",
    "lobe",
    "lobes",
    "lung",
    "base",
    "bases",
    "effusion",
    "effusions",
    "seen",
    "identified",
    "noted",
    "present",
];

/// Capitalized words that do not begin a sentence.
const NAMES: &[&str] = &[
    "Kerley",
    "Dr",
    "Mr",
    "Mrs",
    "Swan",
    "Ganz",
    "Dobhoff",
    "Port",
    "Hickman",
    "Groshong",
    "Harrington",
    "Bochdalek",
    "Morgagni",
    "Hampton",
    "Ghon",
    "Ranke",
    "Pneumocystis",
];

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
        if before.ends_with([',', '-', '(', '/']) || goes_on_after(last) {
            return false;
        }
        let first = after.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if GOES_ON_BEFORE.iter().any(|word| first.eq_ignore_ascii_case(word)) {
            return false;
        }
        let fits = before.len() + 1 + first.len() <= self.width;
        let mut letters = first.chars();
        let capital = letters.next().is_some_and(char::is_uppercase);
        let acronym = capital && first.len() > 1 && !first.contains(char::is_lowercase);
        if capital && !acronym {
            return !NAMES.contains(&first);
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

fn goes_on_after(word: &str) -> bool {
    let adverb =
        word.len() > 4 && word.get(word.len() - 2..).is_some_and(|end| end.eq_ignore_ascii_case("ly"));
    adverb || GOES_ON_AFTER.iter().any(|known| word.eq_ignore_ascii_case(known))
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

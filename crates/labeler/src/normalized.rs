//! Text made ready to be matched: ASCII, lower case, abbreviations and misspellings written out.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;

use crate::error::PhraseError;
use crate::lists::{Spelling, Words};
use crate::spans::Offsets;
use crate::spelling::Speller;
use crate::spoken::{Mark, SpokenSigns};

/// In a longer run without white space, every sign ends a word: phrases look some words ahead, which must stay a short way.
const LONGEST_RUN: usize = 64;

/// Follows a quote that had more bytes, so that "isn’t" stays one word.
const PAD: u8 = 1;

/// Bytes that the label of a line fits into.
const LONGEST_LABEL: usize = 48;

/// Text as the matchers see it. Its offsets are not those of the original; [`Normalized::origin`] leads back.
#[derive(Debug, Clone)]
pub(crate) struct Normalized {
    text: String,
    pieces: Vec<Piece>,
    /// Where words begin.
    words: Offsets,
}

/// A stretch of the normalized text and where it comes from.
#[derive(Debug, Clone)]
struct Piece {
    start: usize,
    origin: Range<usize>,
    /// True when it has as many bytes as its origin, each in its place.
    copied: bool,
}

/// Writes words out as the phrase lists know them.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    replace: BTreeMap<String, String>,
    spoken: SpokenSigns,
    speller: Speller,
    label: HashSet<String>,
}

impl Writer {
    pub(crate) fn new(words: &Words, spelling: &Spelling) -> Result<Self, PhraseError> {
        Ok(Self {
            replace: words.replace.clone(),
            spoken: SpokenSigns::new(&words.spoken)?,
            speller: Speller::new(spelling),
            label: words.label.iter().cloned().collect(),
        })
    }

    /// `text` in the words of the lists.
    pub(crate) fn write(&self, text: &str) -> Normalized {
        let plain = plain(text);
        let marks = self.spoken.marks(&plain);
        let mut out = Builder::default();
        let mut marks = marks.iter().peekable();
        let colon = self.label_end(&plain);
        let mut at = 0;
        while at < plain.len() {
            if colon == Some(at) {
                at = out.replaced(at..at + 1, " ");
                continue;
            }
            at = match marks.next_if(|mark| mark.span.start == at) {
                Some(mark) => out.mark(mark),
                None => self.step(&plain, at, &mut out),
            };
        }
        out.finish()
    }

    /// Where the colon of a label of a part of the body stands, if `plain` begins with one.
    fn label_end(&self, plain: &str) -> Option<usize> {
        let colon = plain.bytes().take(LONGEST_LABEL).position(|byte| byte == b':')?;
        let mut words =
            plain.get(..colon)?.split([' ', '/', '&', '-']).filter(|word| !word.is_empty()).peekable();
        words.peek()?;
        words.all(|word| self.label.contains(word)).then_some(colon)
    }

    /// Writes the word or sign at `at` and returns where it ends.
    fn step(&self, plain: &str, at: usize, out: &mut Builder) -> usize {
        let bytes = plain.as_bytes();
        let rest = plain.get(at..).unwrap_or_default();
        let previous = at.checked_sub(1).and_then(|before| bytes.get(before));
        if let Some((length, written)) = sign(plain, at, rest) {
            return out.replaced(at..at + length, written);
        }
        if let Some(after) = rest.strip_prefix('\'') {
            let pads = after.bytes().take_while(|byte| *byte == PAD).count();
            return out.replaced(at..at + 1 + pads, "'");
        }
        let begins = rest.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && previous.is_none_or(|byte| !byte.is_ascii_alphanumeric());
        if !begins {
            return out.copied(at..at + 1, plain);
        }
        let in_run = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(*byte, b'\'' | b'/' | PAD);
        let run = rest.get(..rest.bytes().take_while(in_run).count()).unwrap_or_default();
        let run = run.trim_end_matches(['\'', char::from(PAD)]);
        let word = rest.get(..rest.bytes().take_while(u8::is_ascii_alphanumeric).count()).unwrap_or_default();
        let whole = run.replace(char::from(PAD), "");
        let whole = whole.trim_end_matches('/');
        if let Some(written) = self.replace.get(whole) {
            return out.replaced(at..at + run.trim_end_matches('/').len(), written);
        }
        if let Some(written) = self.replace.get(word) {
            return out.replaced(at..at + word.len(), written);
        }
        if let Some((before, _)) = run.split_once('/') {
            let prefix = run.get(..=before.len()).unwrap_or_default();
            if let Some(written) = self.replace.get(prefix) {
                let space = if run.len() > prefix.len() { " " } else { "" };
                return out.replaced(at..at + prefix.len(), &format!("{written}{space}"));
            }
        }
        match self.speller.correct(word) {
            Some(written) => out.replaced(at..at + word.len(), written),
            None => out.copied(at..at + word.len(), plain),
        }
    }
}

/// A sign at `at` that stands for words: its length and the words.
fn sign(plain: &str, at: usize, rest: &str) -> Option<(usize, &'static str)> {
    if !rest.starts_with(['(', '[', '-', '+', '?']) {
        return None;
    }
    let before = plain.get(..at).unwrap_or_default();
    let touches = before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let spaced = before.is_empty() || before.ends_with(' ');
    if rest.starts_with('?') {
        let asks = (spaced || before.ends_with('('))
            && rest
                .get(1..)
                .unwrap_or_default()
                .trim_start_matches(' ')
                .starts_with(|c: char| c.is_ascii_alphanumeric());
        return asks.then_some((1, "possible "));
    }
    let signs = [
        ("(-)", false),
        ("[-]", false),
        ("(neg)", false),
        ("-ve", false),
        ("(+)", true),
        ("[+]", true),
        ("+ve", true),
    ];
    let found = signs.iter().find(|(sign, _)| rest.starts_with(sign));
    let (length, present) = match found {
        Some((sign, present)) => {
            // "-ve" is a word: "-vein" is not it.
            let after = rest.get(sign.len()..).unwrap_or_default();
            if sign.ends_with('e') && (touches || after.starts_with(|c: char| c.is_ascii_alphanumeric())) {
                return None;
            }
            (sign.len(), *present)
        }
        // "effusion -, edema +"
        None if spaced && !before.is_empty() && rest.starts_with(['-', '+']) => {
            let after = rest.get(1..).unwrap_or_default();
            if !(after.is_empty() || after.starts_with([',', ';'])) {
                return None;
            }
            (1, rest.starts_with('+'))
        }
        None => return None,
    };
    let after = rest.get(length..).unwrap_or_default().trim_start_matches(' ');
    let named = before.trim_end_matches(' ').ends_with(|c: char| c.is_ascii_alphanumeric() || c == ':');
    let names = after.starts_with(|c: char| c.is_ascii_alphanumeric());
    Some((
        length,
        match (named, names, present) {
            (false, true, false) => "no",
            (false, true, true) => "there is",
            (_, _, false) => ": none;",
            (_, _, true) => ": present;",
        },
    ))
}

/// Lower-cases ASCII, turns white space and every other character into spaces, dashes and quotes into ASCII ones.
/// The result has as many bytes as `text`.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut run = 0;
    let mut long = Vec::new();
    for c in text.chars() {
        let written = match c {
            'A'..='Z' => c.to_ascii_lowercase(),
            '!'..='~' => c,
            '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
            '\u{2018}' | '\u{2019}' => '\'',
            _ => ' ',
        };
        out.push(written);
        let pad = if written == '\'' { char::from(PAD) } else { ' ' };
        out.extend(std::iter::repeat_n(pad, c.len_utf8() - 1));
        if written == ' ' || c.len_utf8() > 1 {
            if run > LONGEST_RUN {
                long.push(out.len() - c.len_utf8() - run..out.len() - c.len_utf8());
            }
            run = 0;
        } else {
            run += 1;
        }
    }
    if run > LONGEST_RUN {
        long.push(out.len() - run..out.len());
    }
    if long.is_empty() {
        return out;
    }
    let mut bytes = out.into_bytes();
    for range in long {
        for byte in bytes.get_mut(range).unwrap_or_default() {
            if !byte.is_ascii_alphanumeric() {
                *byte = b' ';
            }
        }
    }
    bytes.into_iter().map(char::from).collect()
}

/// Puts a normalized text together.
#[derive(Default)]
struct Builder {
    text: String,
    pieces: Vec<Piece>,
}

impl Builder {
    /// Adds `plain[range]` as it is; returns the end of the range.
    fn copied(&mut self, range: Range<usize>, plain: &str) -> usize {
        let end = range.end;
        match self.pieces.last_mut() {
            Some(last) if last.copied && last.origin.end == range.start => last.origin.end = end,
            _ => self.pieces.push(Piece { start: self.text.len(), origin: range.clone(), copied: true }),
        }
        self.text.push_str(plain.get(range).unwrap_or_default());
        end
    }

    /// Adds `written` for what stands in `range`; returns the end of the range.
    fn replaced(&mut self, range: Range<usize>, written: &str) -> usize {
        let end = range.end;
        self.pieces.push(Piece { start: self.text.len(), origin: range, copied: false });
        self.text.push_str(written);
        end
    }

    /// Adds a spoken sign; returns the end of its words.
    fn mark(&mut self, mark: &Mark) -> usize {
        let mut written = [0; 4];
        self.replaced(mark.span.clone(), mark.sign.encode_utf8(&mut written))
    }

    fn finish(self) -> Normalized {
        let mut words = Vec::new();
        let mut space = true;
        for (at, byte) in self.text.bytes().enumerate() {
            if space && byte != b' ' {
                words.push(at);
            }
            space = byte == b' ';
        }
        Normalized { text: self.text, pieces: self.pieces, words: Offsets::new(words) }
    }
}

impl Normalized {
    /// `text` in plain letters, with no word replaced.
    #[cfg(test)]
    pub(crate) fn plain(text: &str) -> Self {
        let plain = plain(text);
        let mut out = Builder::default();
        out.copied(0..plain.len(), &plain);
        out.finish()
    }

    /// The normalized text.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Where `span` of the normalized text stands in the original.
    pub(crate) fn origin(&self, span: &Range<usize>) -> Range<usize> {
        let piece = |at: usize| {
            let index = self.pieces.partition_point(|piece| piece.start <= at).saturating_sub(1);
            self.pieces.get(index)
        };
        let start = piece(span.start).map_or(0, |piece| {
            if piece.copied { piece.origin.start + (span.start - piece.start) } else { piece.origin.start }
        });
        let end = piece(span.end.saturating_sub(1)).map_or(0, |piece| {
            if piece.copied { piece.origin.start + (span.end - piece.start) } else { piece.origin.end }
        });
        start..end.max(start)
    }

    /// Where what begins at `at` in the original begins here.
    pub(crate) fn place_of(&self, at: usize) -> usize {
        let index = self.pieces.partition_point(|piece| piece.origin.end <= at);
        self.pieces.get(index).map_or(self.text.len(), |piece| {
            if piece.copied { piece.start + at.saturating_sub(piece.origin.start) } else { piece.start }
        })
    }

    /// Number of words that begin in `range`, counting a word that the range begins in.
    pub(crate) fn words_in(&self, range: Range<usize>) -> usize {
        let inside = self.words.count_in(range.clone());
        let byte = |at: usize| self.text.as_bytes().get(at).copied().unwrap_or(b' ');
        let cut = range.start < range.end
            && byte(range.start) != b' '
            && range.start.checked_sub(1).is_some_and(|before| byte(before) != b' ');
        inside + usize::from(cut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PhraseLists;

    fn write(text: &str) -> Normalized {
        let lists = PhraseLists::builtin().unwrap();
        Writer::new(&lists.words, &lists.spelling).unwrap().write(text)
    }

    #[test]
    fn plain_keeps_offsets() {
        let text = "Émphysema – d’Ärzte 肺 x\u{a0}y";
        let plain = plain(text);
        assert_eq!(plain.len(), text.len());
        assert!(plain.is_ascii());
        assert!(plain.contains(" -   d'"));
    }

    #[test]
    fn writes_out() {
        for (text, want) in [
            ("No PTX/effs.", "no pneumothorax/effusions."),
            ("Isn’t seen", "is not seen"),
            ("w/o PNA, w/ fx", "without pneumonia, with fracture"),
            ("w/small eff", "with small effusion"),
            ("on 2/2/2020, 2/2 CHF", "on 2/2/2020, secondary to chf"),
            ("?CHF (? edema)", "possible chf (possible  edema)"),
            ("Edema (-), effusion (+)", "edema : none;, effusion : present;"),
            ("(-) PTX, (+) eff", "no pneumothorax, there is effusion"),
            ("-ve for effusion", "no for effusion"),
            ("no pnuemothorax comma no efusion period", "no pneumothorax , no effusion ."),
            ("Infusion port", "infusion port"),
        ] {
            assert_eq!(write(text).as_str(), want, "{text:?}");
        }
    }

    #[test]
    fn leads_back() {
        let text = "É: no PTX, small efusion today";
        let normalized = write(text);
        for (word, original) in [
            ("pneumothorax", "PTX"),
            ("effusion", "efusion"),
            ("small effusion", "small efusion"),
            ("today", "today"),
        ] {
            let start = normalized.as_str().find(word).unwrap();
            let origin = normalized.origin(&(start..start + word.len()));
            assert_eq!(&text[origin.clone()], original);
            assert_eq!(normalized.place_of(origin.start), start);
        }
    }

    #[test]
    fn long_runs_are_cut_into_words() {
        let text = "effusion,heart-".repeat(20);
        assert!(write(&text).as_str().starts_with("effusion heart effusion"));
    }
}

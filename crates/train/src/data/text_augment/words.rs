//! A sentence as words that can be exchanged while its punctuation stays where it is.

/// A sentence, cut at spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(Vec<Word>);

/// What stands between two spaces.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Word {
    /// Punctuation in front.
    before: String,
    /// From the first letter or digit to the last.
    core: String,
    /// Punctuation behind.
    after: String,
}

impl Words {
    pub(super) fn new(sentence: &str) -> Self {
        Self(sentence.split_whitespace().map(Word::new).collect())
    }

    /// Number of words.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The sentence, one space between words.
    pub(super) fn text(&self) -> String {
        let words = self.0.iter().map(|Word { before, core, after }| format!("{before}{core}{after}"));
        words.collect::<Vec<_>>().join(" ")
    }

    /// `len` words from `start` on in lower case; `None` past the end or where punctuation stands between them.
    pub(super) fn phrase(&self, start: usize, len: usize) -> Option<String> {
        let words = self.0.get(start..start.checked_add(len)?)?;
        let divided = words.windows(2).any(|pair| !(pair[0].after.is_empty() && pair[1].before.is_empty()));
        let cores: Vec<String> = words.iter().map(|word| word.core.to_lowercase()).collect();
        (!divided).then(|| cores.join(" "))
    }

    /// With two words exchanged.
    pub(super) fn swapped(&self, first: usize, second: usize) -> Self {
        let mut words = self.clone();
        let core = |position: usize| self.0.get(position).map(|word| word.core.clone()).unwrap_or_default();
        for (position, core) in [(first, core(second)), (second, core(first))] {
            if let Some(word) = words.0.get_mut(position) {
                word.core = core;
            }
        }
        words
    }

    /// Without one word; its punctuation goes to its neighbors where they have none.
    pub(super) fn without(&self, position: usize) -> Self {
        let mut words = self.clone();
        if position < words.len() {
            let removed = words.0.remove(position);
            if let Some(next) = words.0.get_mut(position).filter(|next| next.before.is_empty()) {
                next.before = removed.before;
            }
            let previous = position.checked_sub(1).and_then(|previous| words.0.get_mut(previous));
            if let Some(previous) = previous.filter(|previous| previous.after.is_empty()) {
                previous.after = removed.after;
            }
        }
        words
    }

    /// With `phrase` in place of `len` words from `start` on; a capital at their beginning stays.
    pub(super) fn replaced(&self, start: usize, len: usize, phrase: &str) -> Self {
        let Some(replaced) = self.0.get(start..start + len).filter(|words| !words.is_empty()) else {
            return self.clone();
        };
        let mut new: Vec<Word> = phrase.split(' ').map(Word::new).collect();
        if let (Some(first), Some(old)) = (new.first_mut(), replaced.first()) {
            first.before.clone_from(&old.before);
            if old.core.starts_with(char::is_uppercase) {
                first.core = capitalised(&first.core);
            }
        }
        if let (Some(last), Some(old)) = (new.last_mut(), replaced.last()) {
            last.after.clone_from(&old.after);
        }
        let mut words = self.clone();
        words.0.splice(start..start + len, new);
        words
    }
}

impl Word {
    fn new(token: &str) -> Self {
        let without_before = token.trim_start_matches(|c: char| !c.is_alphanumeric());
        let core = without_before.trim_end_matches(|c: char| !c.is_alphanumeric());
        let (before, rest) = token.split_at(token.len() - without_before.len());
        Self { before: before.to_owned(), core: core.to_owned(), after: rest[core.len()..].to_owned() }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn punctuation_stays_where_it_is() {
        let words = Words::new("Small  effusion (left), - unchanged.");
        assert_eq!((words.len(), words.text().as_str()), (5, "Small effusion (left), - unchanged."));
        assert_eq!(words.phrase(0, 2).as_deref(), Some("small effusion"));
        assert_eq!(words.phrase(1, 2), None, "a bracket between");
        assert_eq!(words.phrase(4, 2), None, "past the end");
        assert_eq!(words.phrase(3, 1).as_deref(), Some(""));
        assert_eq!(words.swapped(2, 4).text(), "Small effusion (unchanged), - left.");
        assert_eq!(words.without(4).text(), "Small effusion (left), -.");
        assert_eq!(words.without(0).text(), "effusion (left), - unchanged.");
        assert_eq!(words.replaced(0, 2, "little water").text(), "Little water (left), - unchanged.");
        assert_eq!(words.replaced(2, 1, "both sides").text(), "Small effusion (both sides), - unchanged.");
        assert_eq!(words.replaced(9, 1, "x"), words);
    }
}

//! A second, altered view of a sentence that says the same of every finding.

mod config;
mod synonyms;
mod words;

use medclip_data::random::pick;
use medclip_labeler::Labeler;
use rand::{Rng, RngExt};

pub use self::config::{TextAugmentConfig, TextAugmentError};
use self::synonyms::Synonyms;
use self::words::Words;

/// Alters sentences word by word.
#[derive(Debug, Clone)]
pub struct TextAugmenter {
    config: TextAugmentConfig,
    synonyms: Synonyms,
    labeler: Labeler,
}

impl TextAugmenter {
    /// An augmenter with the crate's list of synonyms (`data/synonyms.toml`).
    ///
    /// # Errors
    /// [`TextAugmentError`] when a share is not in 0–1, or the list contradicts itself.
    pub fn new(config: TextAugmentConfig) -> Result<Self, TextAugmentError> {
        config.validate()?;
        Ok(Self { config, synonyms: Synonyms::builtin()?, labeler: Labeler::new() })
    }

    /// The altered sentence: synonyms first, then words exchanged, then words left out.
    ///
    /// Words that deny or doubt stay where they are. A change after which the labeler reads something else in the sentence is
    /// taken back, so the labels of the view are those of the sentence, and a sentence that allows no change comes back with
    /// its spaces evened out.
    ///
    /// # Source
    /// Wei and Zou, "EDA: Easy Data Augmentation Techniques for Boosting Performance on Text Classification Tasks", 2019,
    /// without its random insertion. They make one kind of change a view and check no label.
    pub fn alter(&self, sentence: &str, rng: &mut impl Rng) -> String {
        let read = self.labeler.sentence(sentence);
        let mut words = Words::new(sentence);
        let attempt = |words: &mut Words, change: Option<Words>| {
            if let Some(change) = change.filter(|change| self.labeler.sentence(&change.text()) == read) {
                *words = change;
            }
        };
        let TextAugmentConfig { swap, delete, synonym } = self.config;
        for _ in 0..changes(synonym, words.len()) {
            let change = self.with_synonym(&words, rng);
            attempt(&mut words, change);
        }
        for _ in 0..changes(swap, words.len()) {
            let change = self.with_swap(&words, rng);
            attempt(&mut words, change);
        }
        for position in (0..words.len()).rev() {
            if rng.random::<f32>() < delete && words.len() > 1 && !self.keeps(&words, position) {
                let change = words.without(position);
                attempt(&mut words, Some(change));
            }
        }
        words.text()
    }

    fn with_synonym(&self, words: &Words, rng: &mut impl Rng) -> Option<Words> {
        let place = pick(&self.synonyms.places(words), rng)?;
        let said = words.phrase(place.start, place.len)?;
        let others: Vec<&str> = self.synonyms.group(place).filter(|phrase| *phrase != said).collect();
        Some(words.replaced(place.start, place.len, pick(&others, rng)?))
    }

    fn with_swap(&self, words: &Words, rng: &mut impl Rng) -> Option<Words> {
        let free: Vec<usize> = (0..words.len()).filter(|position| !self.keeps(words, *position)).collect();
        let (first, second) = (pick(&free, rng)?, pick(&free, rng)?);
        (first != second).then(|| words.swapped(first, second))
    }

    /// True for what no change may lose or move: words that deny or doubt, and marks that are no word.
    fn keeps(&self, words: &Words, position: usize) -> bool {
        words.phrase(position, 1).is_none_or(|word| word.is_empty() || self.synonyms.keeps(&word))
    }
}

/// How many changes a share of a sentence's words is: at least one, as in EDA, unless the share is 0.
fn changes(share: f32, words: usize) -> usize {
    if share > 0.0 { ((share * words as f32) as usize).max(1) } else { 0 }
}

#[cfg(test)]
mod tests {
    use medclip_core::Finding;
    use medclip_data::random::{Purpose, stream};

    use super::*;

    const ALL: TextAugmentConfig = TextAugmentConfig { swap: 0.1, delete: 0.1, synonym: 0.1 };
    const NONE: TextAugmentConfig = TextAugmentConfig { swap: 0.0, delete: 0.0, synonym: 0.0 };

    const SENTENCES: [&str; 8] = [
        "There is a small left pleural effusion, unchanged since the prior examination.",
        "No focal consolidation, pleural effusion or pneumothorax is seen.",
        "The heart is mildly enlarged with tortuous aorta.",
        "Lungs are clear without evidence of acute disease.",
        "Right basilar opacity may represent atelectasis or pneumonia.",
        "Pneumothorax cannot be excluded.",
        "Old healed fractures of several left ribs (posterior).",
        "XXXX",
    ];

    fn views(config: TextAugmentConfig, sentence: &str) -> Vec<String> {
        let augmenter = TextAugmenter::new(config).unwrap();
        (0..40).map(|draw| augmenter.alter(sentence, &mut stream(5, Purpose::Texts, 0, draw))).collect()
    }

    #[test]
    fn views_differ_and_say_the_same() {
        let labeler = Labeler::new();
        let heavy = TextAugmentConfig { swap: 0.5, delete: 0.5, synonym: 0.5 };
        for config in [ALL, heavy] {
            for sentence in SENTENCES {
                let read = labeler.sentence(sentence);
                let views = views(config, sentence);
                assert!(
                    views.iter().all(|view| labeler.sentence(view) == read && !view.is_empty()),
                    "{sentence}"
                );
                let changed = views.iter().filter(|view| *view != sentence).count();
                assert!(changed >= 20 || sentence.split(' ').count() <= 4, "{sentence}: {changed}");
            }
        }
    }

    #[test]
    fn words_that_deny_or_doubt_stay_in_place() {
        let config = TextAugmentConfig { delete: 0.9, swap: 0.9, ..NONE };
        // Nothing in it is a finding, so that only the list protects its words.
        for view in views(config, "Not seen without the former small calibre of it") {
            assert!(view.starts_with("Not ") && view.contains("without"), "{view}");
        }
    }

    #[test]
    fn each_kind_of_change_does_its_own() {
        let sentence = "The large heart touches several ribs.";
        let sorted = |text: &str| {
            let mut words: Vec<String> =
                text.trim_end_matches('.').split(' ').map(str::to_lowercase).collect();
            words.sort();
            words
        };
        let swapped = views(TextAugmentConfig { swap: 0.3, ..NONE }, sentence);
        assert!(swapped.iter().all(|view| sorted(view) == sorted(sentence) && view.ends_with('.')));
        assert!(swapped.iter().any(|view| view != sentence));

        let deleted = views(TextAugmentConfig { delete: 0.3, ..NONE }, sentence);
        assert!(deleted.iter().all(|view| sorted(view).iter().all(|word| sorted(sentence).contains(word))));
        assert!(deleted.iter().any(|view| view.len() < sentence.len()));

        let replaced = views(TextAugmentConfig { synonym: 0.1, ..NONE }, sentence);
        assert!(replaced.contains(&"The large heart touches multiple ribs.".to_owned()), "{replaced:?}");
    }

    #[test]
    fn synonyms_change_no_label_of_a_finding_they_name() {
        let config = TextAugmentConfig { synonym: 1.0, ..NONE };
        let labeler = Labeler::new();
        let sentence = "Cardiomegaly with a large pleural effusion and atelectasis.";
        let read = labeler.sentence(sentence);
        assert!(read[Finding::Cardiomegaly].label() > 0.0 && read[Finding::PleuralEffusion].label() > 0.0);
        let views = views(config, sentence);
        assert!(views.iter().all(|view| labeler.sentence(view) == read));
        assert!(views.iter().any(|view| !view.contains("Cardiomegaly")), "{views:?}");
    }

    #[test]
    fn refuses_shares_that_are_none() {
        let message = |config| TextAugmenter::new(config).unwrap_err().to_string();
        assert_eq!(message(TextAugmentConfig { swap: 1.5, ..ALL }), "text_augment.swap must be in 0–1");
        assert_eq!(
            message(NONE),
            "text_augment changes nothing: set swap, delete or synonym above 0, or leave it out"
        );
    }
}

//! Zero-shot classes as sentences: a TOML file of prompts, and the seeded draw that makes an ensemble of them.

mod meaning;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::tokenize::{TextDoubt, TokenizeError};

pub use meaning::check_meaning;

/// Most sentences one polarity of one class may expand to before the draw.
const MAX_SENTENCES: usize = 100_000;
/// Most bytes of text that they may have: long words multiply as short ones do.
const MAX_BYTES: usize = 1 << 26;

/// A prompt file.
///
/// ```toml
/// [ensemble]          # optional: without it every sentence is used
/// draws = 10
/// seed = 0
///
/// [[class]]
/// name = "Cardiomegaly"
/// positive = { sentences = ["The heart is enlarged."], templates = [["mild", "severe"], ["cardiomegaly"]] }
/// negative = { sentences = ["Heart size is normal."] }
/// ```
///
/// `templates` is one template or a list of them; a template is a list of slots, and gives one sentence for every way to
/// choose from each slot, joined by spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptSet {
    /// How many sentences are drawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensemble: Option<Ensemble>,
    /// The classes, in the order scores report them.
    #[serde(rename = "class")]
    pub classes: Vec<PromptClass>,
}

/// A draw without replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ensemble {
    /// Sentences drawn for each polarity of each class; all of them where there are fewer.
    pub draws: usize,
    /// Seed of the draw.
    #[serde(default)]
    pub seed: u64,
}

/// A class: a finding, or anything else that sentences can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromptClass {
    /// Name in scores.
    pub name: String,
    /// What a report says when it is there.
    pub positive: PromptTexts,
    /// What a report says when it is not.
    pub negative: PromptTexts,
}

/// Sentences, written out or as templates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromptTexts {
    /// Whole sentences.
    pub sentences: Vec<String>,
    /// Templates: each a list of slots, each slot a list of words; an empty word is left out.
    pub templates: Vec<Vec<Vec<String>>>,
}

/// A class with the sentences its ensembles are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExpandedClass {
    /// Name in scores.
    pub name: String,
    /// Sentences of the positive ensemble.
    pub positive: Vec<String>,
    /// Sentences of the negative ensemble.
    pub negative: Vec<String>,
}

/// Why prompts were refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum PromptError {
    /// The file could not be read.
    #[error("the prompts in {} cannot be read", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's reason.
        source: std::io::Error,
    },
    /// Not TOML, or not this layout.
    #[error("{0}")]
    Syntax(String),
    /// No class at all.
    #[error("there is no [[class]]")]
    Empty,
    /// Two classes of one name.
    #[error("class `{0}` is defined twice")]
    Duplicate(String),
    /// A class without sentences on one side.
    #[error("class `{class}` has no {polarity} sentence")]
    NoSentence {
        /// The class.
        class: String,
        /// `positive` or `negative`.
        polarity: &'static str,
    },
    /// Templates that multiply beyond reason.
    #[error(
        "class `{class}` expands to more than {MAX_SENTENCES} {polarity} sentences, or {} MiB of text; use fewer or shorter \
         templates", MAX_BYTES >> 20
    )]
    TooMany {
        /// The class.
        class: String,
        /// `positive` or `negative`.
        polarity: &'static str,
    },
    /// A class without a name.
    #[error("a class has no name")]
    NoName,
    /// One sentence for and against the same class.
    #[error("class `{class}` has `{sentence}` on both sides")]
    Contradiction {
        /// The class.
        class: String,
        /// The sentence.
        sentence: String,
    },
    /// Two sentences for and against the same class that have the same tokens.
    #[error(
        "class `{class}`: `{}` and `{}` on the other side are the same to the model, token by token; reword one of them",
        meaning::quoted(positive),
        meaning::quoted(negative)
    )]
    SameTokens {
        /// The class.
        class: String,
        /// The sentence for it.
        positive: String,
        /// The sentence against it.
        negative: String,
    },
    /// A sentence that the model cannot take in.
    #[error(
        "class `{class}`: the {polarity} sentence `{}` cannot mean what it says: {doubt}",
        meaning::quoted(sentence)
    )]
    Doubtful {
        /// The class.
        class: String,
        /// `positive` or `negative`.
        polarity: &'static str,
        /// The sentence.
        sentence: String,
        /// What is lost of it.
        doubt: TextDoubt,
    },
    /// A sentence that the tokenizer fails on.
    #[error("the prompts cannot be turned into tokens")]
    Tokenize(#[from] TokenizeError),
    /// `draws = 0`.
    #[error("ensemble.draws must be at least 1")]
    NoDraw,
    /// An error with the file it is in.
    #[error("the prompts in {} cannot be used", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PromptError>,
    },
}

/// Every sentence of `classes` in the order of a prompt bank: of each class the positive ones, then the negative ones.
pub fn sentences(classes: &[ExpandedClass]) -> Vec<&str> {
    classes
        .iter()
        .flat_map(|class| class.positive.iter().chain(&class.negative))
        .map(String::as_str)
        .collect()
}

impl PromptSet {
    /// Reads a prompt file.
    ///
    /// # Errors
    /// [`PromptError`] naming the file and the class.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, PromptError> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path)
            .map_err(|source| PromptError::Io { path: path.to_owned(), source })?;
        Self::parse(&text)
            .map_err(|source| PromptError::File { path: path.to_owned(), source: Box::new(source) })
    }

    /// Parses the text of a prompt file.
    ///
    /// # Errors
    /// [`PromptError`] naming the class.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let set: Self = toml::from_str(text).map_err(|error| PromptError::Syntax(error.to_string()))?;
        if set.classes.is_empty() {
            return Err(PromptError::Empty);
        }
        if set.ensemble.is_some_and(|ensemble| ensemble.draws == 0) {
            return Err(PromptError::NoDraw);
        }
        let mut names = BTreeSet::new();
        for class in &set.classes {
            if class.name.trim().is_empty() {
                return Err(PromptError::NoName);
            }
            if !names.insert(&class.name) {
                return Err(PromptError::Duplicate(class.name.clone()));
            }
            for (polarity, texts) in [("positive", &class.positive), ("negative", &class.negative)] {
                if texts.count().is_none() {
                    return Err(PromptError::TooMany { class: class.name.clone(), polarity });
                }
                if texts.expand().is_empty() {
                    return Err(PromptError::NoSentence { class: class.name.clone(), polarity });
                }
            }
            let negative: BTreeSet<String> = class.negative.expand().into_iter().collect();
            if let Some(sentence) = class.positive.expand().into_iter().find(|text| negative.contains(text)) {
                return Err(PromptError::Contradiction { class: class.name.clone(), sentence });
            }
        }
        Ok(set)
    }

    /// The classes in order.
    pub fn classes(&self) -> &[PromptClass] {
        &self.classes
    }

    /// Every class with its sentences drawn: the same for the same file, whatever other classes it holds.
    pub fn expand(&self) -> Vec<ExpandedClass> {
        self.classes
            .iter()
            .map(|class| ExpandedClass {
                name: class.name.clone(),
                positive: self.draw(class, &class.positive, 0),
                negative: self.draw(class, &class.negative, 1),
            })
            .collect()
    }

    fn draw(&self, class: &PromptClass, texts: &PromptTexts, polarity: u8) -> Vec<String> {
        let mut sentences = texts.expand();
        let Some(Ensemble { draws, seed }) = self.ensemble else { return sentences };
        let (mut left, mut open) = (sentences.len() as u64, draws as u64);
        if open >= left {
            return sentences;
        }
        // Selection sampling (Knuth, algorithm S) on a stream of its own for each class and side: the same sentences on
        // every machine, with every version of the random-number crates, and whatever other classes there are.
        let stream =
            Sha256::new().chain_update(seed.to_le_bytes()).chain_update([polarity]).chain_update(&class.name);
        let mut random = ChaCha8Rng::from_seed(stream.finalize().into());
        sentences.retain(|_| {
            let kept = below(&mut random, left) < open;
            left -= 1;
            open -= u64::from(kept);
            kept
        });
        sentences
    }
}

/// Uniform in `0..bound`, up to a bias of `bound / 2⁶⁴`.
fn below(random: &mut ChaCha8Rng, bound: u64) -> u64 {
    ((u128::from(random.next_u64()) * u128::from(bound)) >> 64) as u64
}

impl PromptTexts {
    /// Sentences before duplicates are removed; none beyond [`MAX_SENTENCES`] or [`MAX_BYTES`].
    fn count(&self) -> Option<usize> {
        let mut total = self.sentences.len();
        let mut bytes = 0_usize;
        for template in self.templates() {
            let mut ways: usize = 1;
            for slot in template {
                ways = ways.checked_mul(slot.len())?;
            }
            for slot in template {
                let words: usize = slot.iter().map(|word| word.len() + 1).sum();
                bytes = bytes.checked_add((ways / slot.len()).checked_mul(words)?)?;
            }
            total = total.checked_add(ways)?;
        }
        (total <= MAX_SENTENCES && bytes <= MAX_BYTES).then_some(total)
    }

    /// Templates that give sentences: a slot without words gives none, whatever the others hold.
    fn templates(&self) -> impl Iterator<Item = &Vec<Vec<String>>> {
        self.templates
            .iter()
            .filter(|template| !template.is_empty() && template.iter().all(|slot| !slot.is_empty()))
    }

    /// Every sentence once, in order, with single spaces.
    fn expand(&self) -> Vec<String> {
        let mut sentences = self.sentences.clone();
        for template in self.templates() {
            let mut partial = vec![String::new()];
            for slot in template {
                partial =
                    partial.iter().flat_map(|start| slot.iter().map(move |word| join(start, word))).collect();
            }
            sentences.extend(partial);
        }
        let mut seen = BTreeSet::new();
        let single_spaced = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentences = sentences.into_iter().map(single_spaced);
        sentences.filter(|text| !text.is_empty() && seen.insert(text.clone())).collect()
    }
}

fn join(start: &str, word: &str) -> String {
    match (start.is_empty(), word.is_empty()) {
        (true, _) => word.to_owned(),
        (_, true) => start.to_owned(),
        _ => format!("{start} {word}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        [ensemble]
        draws = 3
        seed = 5
        [[class]]
        name = "Cardiomegaly"
        positive = { sentences = ["big heart"], templates = [[["mild", "severe", ""], ["cardiomegaly", "big heart"]]] }
        negative = { sentences = ["normal heart"] }
    "#;

    #[test]
    fn templates_multiply_and_duplicates_go() {
        let mut set = PromptSet::parse(FILE).unwrap();
        set.ensemble = None;
        let expected = [
            "big heart",
            "mild cardiomegaly",
            "mild big heart",
            "severe cardiomegaly",
            "severe big heart",
            "cardiomegaly",
        ];
        assert_eq!(set.expand()[0].positive, expected);
    }

    #[test]
    fn draws_repeat_and_follow_the_seed() {
        let set = PromptSet::parse(FILE).unwrap();
        let first = set.expand();
        assert_eq!(first, set.expand());
        assert_eq!(
            first[0].positive,
            ["big heart", "mild cardiomegaly", "severe cardiomegaly"],
            "a draw never changes: banks are compared with it"
        );
        assert_eq!(first[0].negative, ["normal heart"]);
        let drawn: BTreeSet<Vec<String>> = (0..20)
            .map(|seed| {
                let ensemble = Some(Ensemble { draws: 3, seed });
                PromptSet { ensemble, ..set.clone() }.expand().remove(0).positive
            })
            .collect();
        assert!(drawn.len() > 5, "seeds draw different sentences");
    }

    #[test]
    fn refusals_name_the_class() {
        for (change, message) in [
            (("\"normal heart\"", ""), "class `Cardiomegaly` has no negative sentence"),
            (("draws = 3", "draws = 0"), "ensemble.draws must be at least 1"),
            (("seed = 5", "sed = 5"), "unknown field `sed`"),
            (("\"normal heart\"", "\" \""), "class `Cardiomegaly` has no negative sentence"),
            (("\"normal heart\"", "\"mild  cardiomegaly\""), "has `mild cardiomegaly` on both sides"),
            (("\"Cardiomegaly\"", "\" \""), "a class has no name"),
        ] {
            let text = FILE.replace(change.0, change.1);
            let error = PromptSet::parse(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(matches!(PromptSet::parse("class = []"), Err(PromptError::Empty)));
    }

    #[test]
    fn templates_that_multiply_beyond_reason_cost_nothing() {
        let slot = |words: usize, letters: usize| {
            format!("[{}]", format!("\"{}\",", "x".repeat(letters)).repeat(words))
        };
        for (template, is_refused) in [
            (format!("{0},{0},{0}", slot(1000, 1)), true),
            (format!("{},{}", slot(1, 1 << 20), slot(50_000, 1)), true),
            // A slot without words: no sentence, however many ways the others have.
            (format!("{0},{0},{0},[]", slot(1000, 1)), false),
        ] {
            let text = FILE.replace(
                "[[\"mild\", \"severe\", \"\"], [\"cardiomegaly\", \"big heart\"]]",
                &format!("[{template}]"),
            );
            let start = std::time::Instant::now();
            let parsed = PromptSet::parse(&text);
            assert_eq!(matches!(parsed, Err(PromptError::TooMany { .. })), is_refused, "{parsed:?}");
            assert!(start.elapsed().as_secs() < 5);
        }
    }
}

//! Zero-shot classes as sentences: a TOML file of prompts, and the seeded draw that makes an ensemble of them.

mod doubts;
mod meaning;
mod texts;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::syntax::explain;
use crate::tokenize::{TextDoubt, TokenizeError};
use medclip_files::{read_typed, text};

pub use doubts::PromptDoubts;
pub use meaning::check_meaning;
pub use texts::PromptTexts;
use texts::{MAX_BYTES, MAX_SENTENCES, Size};

/// Most bytes of a prompt file.
const MAX_FILE_BYTES: u64 = 16 << 20;
/// Most sentences that are left after the draw: each is embedded.
const MAX_DRAWN: usize = 20_000;

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
    /// Classes that are too much together, though none is alone.
    #[error(
        "the classes up to `{class}` expand to more than {MAX_SENTENCES} sentences, or {} MiB of text; use fewer or shorter \
         templates", MAX_BYTES >> 20
    )]
    TooManyInAll {
        /// The class from which on there are too many.
        class: String,
    },
    /// More sentences than anybody waits for to be embedded.
    #[error(
        "the classes up to `{class}` have more than {MAX_DRAWN} sentences to embed; set ensemble.draws, or use fewer templates"
    )]
    TooManyDrawn {
        /// The class from which on there are too many.
        class: String,
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
        let text = read_typed(path, MAX_FILE_BYTES)
            .and_then(text)
            .map_err(|source| PromptError::Io { path: path.to_owned(), source })?;
        Self::parse(&text)
            .map_err(|source| PromptError::File { path: path.to_owned(), source: Box::new(source) })
    }

    /// Parses the text of a prompt file.
    ///
    /// # Errors
    /// [`PromptError`] naming the class.
    pub fn parse(text: &str) -> Result<Self, PromptError> {
        let set: Self = toml::from_str(text).map_err(|error| PromptError::Syntax(explain(text, &error)))?;
        if set.classes.is_empty() {
            return Err(PromptError::Empty);
        }
        if set.ensemble.is_some_and(|ensemble| ensemble.draws == 0) {
            return Err(PromptError::NoDraw);
        }
        set.check_size()?;
        let mut names = BTreeSet::new();
        for class in &set.classes {
            if class.name.trim().is_empty() {
                return Err(PromptError::NoName);
            }
            if !names.insert(&class.name) {
                return Err(PromptError::Duplicate(class.name.clone()));
            }
            let [positive, negative] = [&class.positive, &class.negative].map(PromptTexts::expand);
            for (polarity, sentences) in [("positive", &positive), ("negative", &negative)] {
                if sentences.is_empty() {
                    return Err(PromptError::NoSentence { class: class.name.clone(), polarity });
                }
            }
            let negative: BTreeSet<String> = negative.into_iter().collect();
            if let Some(sentence) = positive.into_iter().find(|text| negative.contains(text)) {
                return Err(PromptError::Contradiction { class: class.name.clone(), sentence });
            }
        }
        Ok(set)
    }

    /// Whether the classes expand to a bearable amount of text; nothing is expanded to find out.
    fn check_size(&self) -> Result<(), PromptError> {
        let (mut total, mut drawn) = (Size::default(), 0_usize);
        for class in &self.classes {
            let name = || class.name.clone();
            for (polarity, texts) in [("positive", &class.positive), ("negative", &class.negative)] {
                let size = texts.size().filter(Size::is_bearable);
                let size = size.ok_or_else(|| PromptError::TooMany { class: name(), polarity })?;
                total
                    .add(size)
                    .filter(Size::is_bearable)
                    .ok_or_else(|| PromptError::TooManyInAll { class: name() })?;
                let draws = self.ensemble.map_or(usize::MAX, |ensemble| ensemble.draws);
                drawn += size.sentences.min(draws);
                if drawn > MAX_DRAWN {
                    return Err(PromptError::TooManyDrawn { class: name() });
                }
            }
        }
        Ok(())
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

#[cfg(test)]
mod tests;

//! Zero-shot classes as sentences: a TOML file of prompts, and the seeded draw that makes an ensemble of them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rand::seq::SliceRandom;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Most sentences one polarity of one class may expand to before the draw.
const MAX_SENTENCES: usize = 100_000;

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
    #[error("{}: {source}", path.display())]
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
    #[error("class `{class}` expands to more than {MAX_SENTENCES} {polarity} sentences")]
    TooMany {
        /// The class.
        class: String,
        /// `positive` or `negative`.
        polarity: &'static str,
    },
    /// `draws = 0`.
    #[error("ensemble.draws must be at least 1")]
    NoDraw,
    /// An error with the file it is in.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Box<PromptError>,
    },
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
            if !names.insert(&class.name) {
                return Err(PromptError::Duplicate(class.name.clone()));
            }
            for (polarity, texts) in [("positive", &class.positive), ("negative", &class.negative)] {
                match texts.count() {
                    Some(0) => return Err(PromptError::NoSentence { class: class.name.clone(), polarity }),
                    Some(_) => {}
                    None => return Err(PromptError::TooMany { class: class.name.clone(), polarity }),
                }
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

    fn draw(&self, class: &PromptClass, texts: &PromptTexts, polarity: u64) -> Vec<String> {
        let all = texts.expand();
        let Some(Ensemble { draws, seed }) = self.ensemble else { return all };
        if all.len() <= draws {
            return all;
        }
        // Drawing indices and sorting them keeps the order of the file.
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ (name_hash(&class.name) << 1 | polarity));
        let mut indices: Vec<usize> = (0..all.len()).collect();
        let (drawn, _) = indices.partial_shuffle(&mut rng, draws);
        drawn.sort_unstable();
        drawn.iter().map(|index| all[*index].clone()).collect()
    }
}

impl PromptTexts {
    /// Sentences before duplicates are removed; none beyond [`MAX_SENTENCES`].
    fn count(&self) -> Option<usize> {
        let mut total = self.sentences.len();
        for template in &self.templates {
            let mut ways: usize = usize::from(!template.is_empty());
            for slot in template {
                ways = ways.checked_mul(slot.len())?;
            }
            total = total.checked_add(ways)?;
        }
        (total <= MAX_SENTENCES).then_some(total)
    }

    /// Every sentence once, in order.
    fn expand(&self) -> Vec<String> {
        let mut sentences = self.sentences.clone();
        for template in self.templates.iter().filter(|template| !template.is_empty()) {
            let mut partial = vec![String::new()];
            for slot in template {
                partial = partial
                    .iter()
                    .flat_map(|start| slot.iter().map(move |word| join(start, word)))
                    .collect();
            }
            sentences.extend(partial);
        }
        let mut seen = BTreeSet::new();
        sentences.retain(|sentence| seen.insert(sentence.clone()));
        sentences
    }
}

fn join(start: &str, word: &str) -> String {
    match (start.is_empty(), word.is_empty()) {
        (true, _) => word.to_owned(),
        (_, true) => start.to_owned(),
        _ => format!("{start} {word}"),
    }
}

/// FNV-1a, so that a class draws the same sentences wherever it stands in the file.
fn name_hash(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
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
        assert_eq!((first[0].positive.len(), first[0].negative.len()), (3, 1));
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
        ] {
            let text = FILE.replace(change.0, change.1);
            let error = PromptSet::parse(&text).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        assert!(matches!(PromptSet::parse("class = []"), Err(PromptError::Empty)));
    }
}

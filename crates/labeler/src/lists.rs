//! The phrase lists as values: what is read from `data/*.toml`.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::PhraseError;

/// All phrase lists of a labeler, in the grammar described in the crate's README.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PhraseLists {
    /// Families of terms, of the 14 findings and of abnormalities outside them.
    pub families: Vec<Family>,
    /// Statements that something is normal.
    pub normal: Vec<NormalRule>,
    /// Phrases that call the whole study normal.
    pub normal_study: Vec<String>,
    /// Words that change how sure a mention is.
    pub cues: Cues,
    /// Abbreviations, contractions and spoken punctuation.
    pub words: Words,
    /// Words whose misspellings are read as the word.
    pub spelling: Spelling,
}

/// Phrases that name one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Name, such as `"nodule"`; unique.
    pub name: String,
    /// The finding that the family counts towards; `None` for an abnormality outside the 14, which only contradicts
    /// "No Finding".
    #[serde(default)]
    pub finding: Option<String>,
    /// The terms.
    pub phrases: Vec<String>,
    /// Longer phrases in which a term means something else.
    #[serde(default)]
    pub except: Vec<String>,
}

/// "`subject` … `predicate`", such as "heart size is normal", makes findings negative.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NormalRule {
    /// Name, for errors.
    pub name: String,
    /// Findings that the statement denies.
    pub denies: Vec<String>,
    /// What is normal.
    pub subjects: Vec<String>,
    /// Said after the subject.
    pub predicates: Vec<String>,
    /// Said before the subject ("normal heart size").
    pub adjectives: Vec<String>,
    /// True when a sentence that says this calls the study normal.
    #[serde(default)]
    pub study: bool,
}

/// Words as they arrive, and the words that the other lists know.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Words {
    /// Written → read, whole words in lower case; a key that ends in `/` stands before another word.
    pub replace: BTreeMap<String, String>,
    /// Punctuation that is said and typed as words.
    pub spoken: Vec<SpokenSign>,
    /// Words that make up the label of a line, as in "Heart size: normal"; its colon is read as a space.
    #[serde(default)]
    pub label: Vec<String>,
}

/// Words that stand for a punctuation sign.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SpokenSign {
    /// The words, such as `"full stop"`.
    pub words: String,
    /// The sign, one of `. , ; : ?`.
    pub sign: String,
    /// After these words it is an ordinary word.
    #[serde(default)]
    pub not_after: Vec<String>,
    /// Before these words it is an ordinary word.
    #[serde(default)]
    pub not_before: Vec<String>,
    /// Where this is not empty, it is a sign only after these words.
    #[serde(default)]
    pub only_after: Vec<String>,
}

/// Words whose misspellings are read as the word.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Spelling {
    /// The words.
    pub words: Vec<String>,
    /// Real words that look like one of them and are left alone.
    pub real: Vec<String>,
}

/// Words that change how sure a mention is. "Before" and "after" say where the cue stands, seen from the mention.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cues {
    /// "no", "without", "free of".
    pub negation_before: Vec<String>,
    /// "is not seen", "has resolved".
    pub negation_after: Vec<String>,
    /// Contain a negation word but deny only a change: "no change in".
    pub negation_false: Vec<String>,
    /// "possible", "may represent".
    pub uncertainty_before: Vec<String>,
    /// "cannot be excluded".
    pub uncertainty_after: Vec<String>,
    /// Between two alternatives, both in doubt: "versus".
    pub alternative: Vec<String>,
    /// Relations that hand on a negation standing before them and are certain otherwise: "to suggest", "consistent with".
    pub relation: Vec<String>,
    /// What follows is not an observation: "history of", "evaluate for".
    pub ignore_before: Vec<String>,
    /// What precedes is not an observation.
    pub ignore_after: Vec<String>,
    /// Words at which every scope ends: "but", "however".
    pub boundary: Vec<String>,
    /// Verbs that make what stands before them, back to the last comma, a clause of its own.
    pub verb: Vec<String>,
    /// Verbs that only say that what stands before them is there or not: "is identified". They begin no clause.
    pub presence: Vec<String>,
    /// What follows is about an earlier study, unless it is denied: "previously seen".
    #[serde(default)]
    pub prior: Vec<String>,
    /// How much of something there is: a statement of its own in "no effusion, mild edema" and "no effusion mild edema".
    #[serde(default)]
    pub amount: Vec<String>,
    /// More words that begin a statement of their own, after a comma only: "no effusion, left basilar nodule".
    #[serde(default)]
    pub after_comma: Vec<String>,
    /// What a sentence without punctuation turns to after a finding: "no effusion heart enlarged".
    #[serde(default)]
    pub topic: Vec<String>,
    /// Answers that deny what was asked or named: "none", "not seen".
    #[serde(default)]
    pub answer_no: Vec<String>,
    /// Answers that leave it in doubt: "questionable".
    #[serde(default)]
    pub answer_doubt: Vec<String>,
    /// Answers that confirm it: "yes", "present".
    #[serde(default)]
    pub answer_yes: Vec<String>,
    /// Words that stand for what an earlier sentence names: "it", "these".
    #[serde(default)]
    pub pronoun: Vec<String>,
    /// Of those, the words that stand for all of several things: "these".
    #[serde(default)]
    pub pronoun_all: Vec<String>,
    /// Whole statements that deny what an earlier sentence names: "none is seen".
    #[serde(default)]
    pub reference_no: Vec<String>,
    /// The same where they are the whole statement: "now resolved".
    #[serde(default)]
    pub reference_alone: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FamilyFile {
    family: Vec<Family>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NormalFile {
    study: Vec<String>,
    rule: Vec<NormalRule>,
}

impl PhraseLists {
    /// The lists in `data/`.
    ///
    /// # Errors
    /// [`PhraseError::Parse`] when a list is not what its type says.
    pub fn builtin() -> Result<Self, PhraseError> {
        let findings: FamilyFile = read("findings.toml", include_str!("../data/findings.toml"))?;
        let other: FamilyFile = read("other.toml", include_str!("../data/other.toml"))?;
        let normal: NormalFile = read("normal.toml", include_str!("../data/normal.toml"))?;
        let cues = read("cues.toml", include_str!("../data/cues.toml"))?;
        let words = read("words.toml", include_str!("../data/words.toml"))?;
        let spelling = read("spelling.toml", include_str!("../data/spelling.toml"))?;
        let families = findings.family.into_iter().chain(other.family).collect();
        Ok(Self { families, normal: normal.rule, normal_study: normal.study, cues, words, spelling })
    }
}

fn read<T: DeserializeOwned>(list: &'static str, text: &str) -> Result<T, PhraseError> {
    toml::from_str(text).map_err(|source| PhraseError::Parse { list, source: Box::new(source) })
}

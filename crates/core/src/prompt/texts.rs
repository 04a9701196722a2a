//! Sentences of one side of a class: written out, or as templates that multiply.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// Most sentences that the classes of a file may expand to before the draw, all together.
pub(super) const MAX_SENTENCES: usize = 100_000;
/// Most bytes of text that they may have: long words multiply as short ones do.
pub(super) const MAX_BYTES: usize = 16 << 20;
/// Sentences, written out or as templates.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PromptTexts {
    /// Whole sentences.
    pub sentences: Vec<String>,
    /// Templates: each a list of slots, each slot a list of words; an empty word is left out.
    pub templates: Vec<Vec<Vec<String>>>,
}

impl PromptTexts {
    /// What the sentences come to before duplicates are removed; `None` where the numbers overflow.
    pub(super) fn size(&self) -> Option<Size> {
        let mut size =
            Size { sentences: self.sentences.len(), bytes: self.sentences.iter().map(String::len).sum() };
        for template in self.templates() {
            let ways = template.iter().try_fold(1_usize, |ways, slot| ways.checked_mul(slot.len()))?;
            let mut bytes = 0_usize;
            for slot in template {
                // A space each, so that words without letters count too.
                let words: usize = slot.iter().map(|word| word.len() + 1).sum();
                bytes = bytes.checked_add((ways / slot.len()).checked_mul(words)?)?;
            }
            size.add(Size { sentences: ways, bytes })?;
        }
        Some(size)
    }

    /// Templates that give sentences: a slot without words gives none, whatever the others hold.
    fn templates(&self) -> impl Iterator<Item = &Vec<Vec<String>>> {
        self.templates
            .iter()
            .filter(|template| !template.is_empty() && template.iter().all(|slot| !slot.is_empty()))
    }

    /// Every sentence once, in order, with single spaces.
    pub(super) fn expand(&self) -> Vec<String> {
        let mut sentences = self.sentences.clone();
        self.templates().for_each(|template| fill(template, &mut sentences));
        let mut seen = BTreeSet::new();
        let single_spaced = |text: String| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let sentences = sentences.into_iter().map(single_spaced);
        sentences.filter(|text| !text.is_empty() && seen.insert(text.clone())).collect()
    }
}

/// Adds a sentence for every way to choose a word of each slot, those of the last slot in turn.
fn fill(template: &[Vec<String>], sentences: &mut Vec<String>) {
    let mut choice = vec![0; template.len()];
    loop {
        let words = template.iter().zip(&choice).filter_map(|(slot, &word)| slot.get(word));
        let words: Vec<&str> = words.map(String::as_str).filter(|word| !word.is_empty()).collect();
        sentences.push(words.join(" "));
        let next = template.iter().zip(&mut choice).rev().find_map(|(slot, word)| {
            *word = if *word + 1 < slot.len() { *word + 1 } else { 0 };
            (*word > 0).then_some(())
        });
        if next.is_none() {
            return;
        }
    }
}

/// How much text there is.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Size {
    pub(super) sentences: usize,
    bytes: usize,
}

impl Size {
    /// Adds another and returns the sum; `None` where it overflows.
    pub(super) fn add(&mut self, other: Self) -> Option<Self> {
        let sentences = self.sentences.checked_add(other.sentences)?;
        *self = Self { sentences, bytes: self.bytes.checked_add(other.bytes)? };
        Some(*self)
    }

    pub(super) const fn is_bearable(&self) -> bool {
        self.sentences <= MAX_SENTENCES && self.bytes <= MAX_BYTES
    }
}

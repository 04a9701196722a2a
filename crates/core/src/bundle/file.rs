//! The files of a bundle: their names, and what each is to the model.

use std::cmp::Ordering;

use crate::precision::{Precision, TowerKind};
#[cfg(doc)]
use crate::{golden::Golden, head::Head, model::ModelConfig, quantization::Quantization};

use Precision::{Fp16, Fp32, Int8};
use TowerKind::{Image, Text};
use TowerPart::{Graph, Weights};

/// A file of a bundle. They are ordered as [`BundleFile::ALL`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum BundleFile {
    /// What the model is: [`ModelConfig`].
    Model,
    /// The tokenizer.
    Tokenizer,
    /// The zero-shot classes.
    Prompts,
    /// The classes' sentences, embedded.
    PromptBank,
    /// Inputs with the embeddings they had when the bundle was written: [`Golden`].
    Golden,
    /// The model card.
    Card,
    /// A part of a tower in a precision. Single precision is the model itself; others are made of it, and not every bundle has
    /// them.
    Tower(TowerKind, Precision, TowerPart),
    /// What `medclip verify` found beside the weights the bundle was made of; not every bundle has it.
    Certificate,
    /// Learned intake checks of its embeddings, a [`Head`] whose classes are reason codes; not every bundle has it.
    Intake,
    /// How the towers in further precisions were made and what they cost: [`Quantization`].
    Quantization,
}

/// What a tower consists of on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TowerPart {
    /// Its graph in ONNX.
    Graph,
    /// Weights that lie outside of the graph; small towers have none.
    Weights,
}

impl BundleFile {
    /// The image tower in ONNX.
    pub const IMAGE_GRAPH: Self = Self::Tower(Image, Fp32, Graph);
    /// The text tower in ONNX.
    pub const TEXT_GRAPH: Self = Self::Tower(Text, Fp32, Graph);
    /// Weights of the image graph that lie outside of it.
    pub const IMAGE_WEIGHTS: Self = Self::Tower(Image, Fp32, Weights);
    /// Weights of the text graph that lie outside of it.
    pub const TEXT_WEIGHTS: Self = Self::Tower(Text, Fp32, Weights);

    /// Every file but the sums themselves: first those that a whole bundle must have.
    pub const ALL: [Self; 21] = [
        Self::Model,
        Self::IMAGE_GRAPH,
        Self::TEXT_GRAPH,
        Self::Tokenizer,
        Self::Prompts,
        Self::PromptBank,
        Self::Golden,
        Self::Card,
        Self::IMAGE_WEIGHTS,
        Self::TEXT_WEIGHTS,
        Self::Certificate,
        Self::Intake,
        Self::Tower(Image, Fp16, Graph),
        Self::Tower(Image, Fp16, Weights),
        Self::Tower(Image, Int8, Graph),
        Self::Tower(Image, Int8, Weights),
        Self::Tower(Text, Fp16, Graph),
        Self::Tower(Text, Fp16, Weights),
        Self::Tower(Text, Int8, Graph),
        Self::Tower(Text, Int8, Weights),
        Self::Quantization,
    ];

    /// Every file that a whole bundle must have, but the sums themselves.
    pub const REQUIRED: &[Self] = Self::ALL.split_at(8).0;

    /// Files that a bundle may have.
    pub const OPTIONAL: &[Self] = Self::ALL.split_at(8).1;

    /// Whether the file is part of the model itself. A certificate and intake checks tell about the model, and a tower in a further
    /// precision is made of it: with or without them it is the same model and has the same [`Bundle::id`](super::Bundle::id).
    pub const fn is_of_model(self) -> bool {
        match self {
            Self::Model | Self::Tokenizer | Self::Prompts | Self::PromptBank | Self::Golden | Self::Card => {
                true
            }
            Self::Tower(_, precision, _) => matches!(precision, Fp32),
            Self::Certificate | Self::Intake | Self::Quantization => false,
        }
    }

    /// Whether the file is there for sentences alone. A copy that only scores the classes of its prompt bank does without all of
    /// these: see [`Bundle::has_text_tower`](super::Bundle::has_text_tower).
    pub const fn is_of_text_tower(self) -> bool {
        matches!(self, Self::Tokenizer | Self::Tower(Text, ..))
    }

    /// Whether [`Bundle::open`](super::Bundle::open) reads it. Of the others it takes the sum alone.
    pub(super) const fn is_parsed(self) -> bool {
        matches!(
            self,
            Self::Model | Self::Prompts | Self::PromptBank | Self::Golden | Self::Intake | Self::Quantization
        )
    }

    /// A tower's graph in a precision, and the file of weights that may lie beside it.
    pub const fn tower(tower: TowerKind, precision: Precision) -> [Self; 2] {
        [Self::Tower(tower, precision, Graph), Self::Tower(tower, precision, Weights)]
    }

    /// Files that are put beside a model that is in its place already.
    pub(crate) const BESIDE: [Self; 2] = [Self::Certificate, Self::Intake];

    /// The file called `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|file| file.file_name() == name)
    }

    /// Name inside the bundle's directory.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Model => "model.toml",
            Self::Tokenizer => "tokenizer.json",
            Self::Prompts => "prompts.toml",
            Self::PromptBank => "prompt_bank.safetensors",
            Self::Golden => "golden.safetensors",
            Self::Card => "README.md",
            Self::Certificate => "parity.json",
            Self::Intake => "intake.safetensors",
            Self::Quantization => "quantization.json",
            Self::Tower(Image, Fp32, Graph) => "image.onnx",
            Self::Tower(Image, Fp32, Weights) => "image.onnx.data",
            Self::Tower(Image, Fp16, Graph) => "image.fp16.onnx",
            Self::Tower(Image, Fp16, Weights) => "image.fp16.onnx.data",
            Self::Tower(Image, Int8, Graph) => "image.int8.onnx",
            Self::Tower(Image, Int8, Weights) => "image.int8.onnx.data",
            Self::Tower(Text, Fp32, Graph) => "text.onnx",
            Self::Tower(Text, Fp32, Weights) => "text.onnx.data",
            Self::Tower(Text, Fp16, Graph) => "text.fp16.onnx",
            Self::Tower(Text, Fp16, Weights) => "text.fp16.onnx.data",
            Self::Tower(Text, Int8, Graph) => "text.int8.onnx",
            Self::Tower(Text, Int8, Weights) => "text.int8.onnx.data",
        }
    }

    /// Its place in [`BundleFile::ALL`].
    fn place(self) -> usize {
        Self::ALL.into_iter().position(|file| file == self).unwrap_or(Self::ALL.len())
    }
}

impl Ord for BundleFile {
    fn cmp(&self, other: &Self) -> Ordering {
        self.place().cmp(&other.place())
    }
}

impl PartialOrd for BundleFile {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_every_tower_is_a_file_once() {
        for tower in TowerKind::ALL {
            for precision in Precision::ALL {
                for (part, end) in [(Graph, "onnx"), (Weights, "onnx.data")] {
                    let file = BundleFile::Tower(tower, precision, part);
                    let middle = if precision == Fp32 { String::new() } else { format!(".{precision}") };
                    assert_eq!(file.file_name(), format!("{tower}{middle}.{end}"));
                    assert_eq!(BundleFile::ALL.iter().filter(|other| **other == file).count(), 1);
                    assert_eq!(file.is_of_model(), precision == Fp32);
                    assert_eq!(file.is_of_text_tower(), tower == Text);
                }
            }
        }
        for file in BundleFile::ALL {
            assert_eq!(BundleFile::named(file.file_name()), Some(file));
        }
        assert!(BundleFile::ALL.is_sorted() && BundleFile::REQUIRED.last() == Some(&BundleFile::Card));
    }
}

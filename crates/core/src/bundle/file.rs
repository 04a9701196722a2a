//! The files of a bundle: their names, and what each is to the model.

use crate::precision::{Precision, TowerKind};
#[cfg(doc)]
use crate::{golden::Golden, head::Head, model::ModelConfig, quantization::Quantization};

/// A file of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum BundleFile {
    /// What the model is: [`ModelConfig`].
    Model,
    /// The image tower in ONNX.
    ImageGraph,
    /// The text tower in ONNX.
    TextGraph,
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
    /// Weights of the image graph that lie outside of it; a bundle of small towers has none.
    ImageWeights,
    /// Weights of the text graph that lie outside of it; a bundle of small towers has none.
    TextWeights,
    /// What `medclip verify` found beside the weights the bundle was made of; not every bundle has it.
    Certificate,
    /// Learned intake checks of its embeddings, a [`Head`] whose classes are reason codes; not every bundle has it.
    Intake,
    /// The image tower with its weights stored in half precision.
    ImageGraphFp16,
    /// Weights that lie outside of it.
    ImageWeightsFp16,
    /// The image tower with 8-bit layers.
    ImageGraphInt8,
    /// Weights that lie outside of it.
    ImageWeightsInt8,
    /// The text tower with its weights stored in half precision.
    TextGraphFp16,
    /// Weights that lie outside of it.
    TextWeightsFp16,
    /// The text tower with 8-bit layers.
    TextGraphInt8,
    /// Weights that lie outside of it.
    TextWeightsInt8,
    /// How the towers in further precisions were made and what they cost: [`Quantization`].
    Quantization,
}

impl BundleFile {
    /// Every file that a whole bundle must have, but the sums themselves.
    pub const REQUIRED: [Self; 8] = [
        Self::Model,
        Self::ImageGraph,
        Self::TextGraph,
        Self::Tokenizer,
        Self::Prompts,
        Self::PromptBank,
        Self::Golden,
        Self::Card,
    ];

    /// Files that a bundle may have.
    pub const OPTIONAL: [Self; 13] = [
        Self::ImageWeights,
        Self::TextWeights,
        Self::Certificate,
        Self::Intake,
        Self::ImageGraphFp16,
        Self::ImageWeightsFp16,
        Self::ImageGraphInt8,
        Self::ImageWeightsInt8,
        Self::TextGraphFp16,
        Self::TextWeightsFp16,
        Self::TextGraphInt8,
        Self::TextWeightsInt8,
        Self::Quantization,
    ];

    /// Whether the file is part of the model itself. A certificate and intake checks tell about the model, and a tower in a further
    /// precision is made of it: with or without them it is the same model and has the same [`Bundle::id`](super::Bundle::id).
    pub const fn is_of_model(self) -> bool {
        match self {
            Self::Model
            | Self::ImageGraph
            | Self::TextGraph
            | Self::Tokenizer
            | Self::Prompts
            | Self::PromptBank
            | Self::Golden
            | Self::Card
            | Self::ImageWeights
            | Self::TextWeights => true,
            Self::Certificate
            | Self::Intake
            | Self::ImageGraphFp16
            | Self::ImageWeightsFp16
            | Self::ImageGraphInt8
            | Self::ImageWeightsInt8
            | Self::TextGraphFp16
            | Self::TextWeightsFp16
            | Self::TextGraphInt8
            | Self::TextWeightsInt8
            | Self::Quantization => false,
        }
    }

    /// Whether the file is there for sentences alone. A copy that only scores the classes of its prompt bank does without all of
    /// these: see [`Bundle::has_text_tower`](super::Bundle::has_text_tower).
    pub const fn is_of_text_tower(self) -> bool {
        matches!(
            self,
            Self::TextGraph
                | Self::TextWeights
                | Self::Tokenizer
                | Self::TextGraphFp16
                | Self::TextWeightsFp16
                | Self::TextGraphInt8
                | Self::TextWeightsInt8
        )
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
        match (tower, precision) {
            (TowerKind::Image, Precision::Fp32) => [Self::ImageGraph, Self::ImageWeights],
            (TowerKind::Image, Precision::Fp16) => [Self::ImageGraphFp16, Self::ImageWeightsFp16],
            (TowerKind::Image, Precision::Int8) => [Self::ImageGraphInt8, Self::ImageWeightsInt8],
            (TowerKind::Text, Precision::Fp32) => [Self::TextGraph, Self::TextWeights],
            (TowerKind::Text, Precision::Fp16) => [Self::TextGraphFp16, Self::TextWeightsFp16],
            (TowerKind::Text, Precision::Int8) => [Self::TextGraphInt8, Self::TextWeightsInt8],
        }
    }

    /// Files that are put beside a model that is in its place already.
    pub(crate) const BESIDE: [Self; 2] = [Self::Certificate, Self::Intake];

    /// The file called `name`.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::REQUIRED.into_iter().chain(Self::OPTIONAL).find(|file| file.file_name() == name)
    }

    /// Name inside the bundle's directory.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Model => "model.toml",
            Self::ImageGraph => "image.onnx",
            Self::TextGraph => "text.onnx",
            Self::Tokenizer => "tokenizer.json",
            Self::Prompts => "prompts.toml",
            Self::PromptBank => "prompt_bank.safetensors",
            Self::Golden => "golden.safetensors",
            Self::Card => "README.md",
            Self::ImageWeights => "image.onnx.data",
            Self::TextWeights => "text.onnx.data",
            Self::Certificate => "parity.json",
            Self::Intake => "intake.safetensors",
            Self::ImageGraphFp16 => "image.fp16.onnx",
            Self::ImageWeightsFp16 => "image.fp16.onnx.data",
            Self::ImageGraphInt8 => "image.int8.onnx",
            Self::ImageWeightsInt8 => "image.int8.onnx.data",
            Self::TextGraphFp16 => "text.fp16.onnx",
            Self::TextWeightsFp16 => "text.fp16.onnx.data",
            Self::TextGraphInt8 => "text.int8.onnx",
            Self::TextWeightsInt8 => "text.int8.onnx.data",
            Self::Quantization => "quantization.json",
        }
    }
}

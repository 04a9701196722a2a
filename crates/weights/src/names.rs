//! Whose names a file's tensors have, and what they are called here.
//!
//! [`Mapping::of`] recognizes the layout of a file and gives every tensor its name of
//! [`medclip_core::architecture`]; a name that the layout does not have is an error, never left out. [`medclip`] reads
//! the sizes of the towers out of the shapes.
//!
//! | layout | recognized by | becomes |
//! |---|---|---|
//! | [`Layout::MedClip`] | `vision_model.`, `text_model.` | both towers, projections, temperature |
//! | [`Layout::HuggingFaceSwin`] | `embeddings.patch_embeddings.projection.weight` | image trunk |
//! | [`Layout::TimmSwin`] | `patch_embed.proj.weight` | image trunk |
//! | [`Layout::TorchvisionResNet`] | `layer1.0.conv1.weight` | image trunk |
//! | [`Layout::EfficientNetLite`] | `_conv_stem.weight` | image trunk |
//! | [`Layout::HuggingFaceBert`] | `embeddings.word_embeddings.weight` | text trunk |
//!
//! A model may lie under the names that wrappers give it (`model.`, `net.`, `backbone.` …), which are taken off; beside
//! averages of itself (`model_ema.`), which are not taken unless they are asked for ([`Mapping::notes`]).
//!
//! # What is left behind
//! [`BUFFERS`], which modules compute anew; the pooler of a BERT, which MedCLIP does not use; and of a trunk the head it
//! was trained with (`classifier.`, `cls.`, `head.`, `fc.`, `_fc.`).

mod bert;
mod efficientnet_lite;
mod mapping;
pub mod medclip;
mod prefix;
mod resnet;
mod swin;

use std::path::PathBuf;

use thiserror::Error;

use crate::error::TensorFileError;

pub use mapping::{Mapping, Shapes};

/// Last parts of the names of buffers that hold nothing learned.
pub const BUFFERS: [&str; 7] = [
    "position_ids",
    "token_type_ids",
    "relative_position_index",
    "relative_coords_table",
    "attn_mask",
    "num_batches_tracked",
    "n_averaged",
];

/// Under this every tensor of an image trunk is named.
pub(crate) const IMAGE: &str = "vision_model.model.";
/// Under this every tensor of a text trunk is named.
pub(crate) const TEXT: &str = "text_model.model.";

/// Whose names the tensors of a file have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Layout {
    /// The reference's `pytorch_model.bin`: both towers, or one of them with its projection.
    MedClip,
    /// Hugging Face's `SwinModel` or `SwinForImageClassification`, by either of its two sets of names.
    HuggingFaceSwin,
    /// The Swin transformer of timm, before and since its version 0.9.
    TimmSwin,
    /// The ResNet of torchvision.
    TorchvisionResNet,
    /// The package `efficientnet_lite_pytorch`.
    EfficientNetLite,
    /// Hugging Face's `BertModel` or a model around it.
    HuggingFaceBert,
}

impl Layout {
    /// What it is, in words.
    pub const fn description(self) -> &'static str {
        match self {
            Self::MedClip => "MedCLIP weights",
            Self::HuggingFaceSwin => "a Swin transformer as Hugging Face saves it",
            Self::TimmSwin => "a Swin transformer as timm saves it",
            Self::TorchvisionResNet => "a ResNet as torchvision saves it",
            Self::EfficientNetLite => "an EfficientNet-Lite as efficientnet_lite_pytorch saves it",
            Self::HuggingFaceBert => "a BERT as Hugging Face saves it",
        }
    }

    /// Field of a training file that takes such a trunk; none for whole models.
    pub const fn training_field(self) -> Option<&'static str> {
        match self {
            Self::MedClip => None,
            Self::HuggingFaceBert => Some("text.init"),
            Self::HuggingFaceSwin | Self::TimmSwin | Self::TorchvisionResNet | Self::EfficientNetLite => {
                Some("image.init")
            }
        }
    }
}

/// Why a file's tensors could not be named.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NamesError {
    /// Nobody's names that are known here.
    #[error(
        "{}: holds tensors of an unknown model, such as {example}; known are {}", path.display(), known_layouts()
    )]
    Unrecognized {
        /// The file.
        path: PathBuf,
        /// One of its names.
        example: String,
    },
    /// Names beside the known ones of a layout.
    #[error(
        "{}: {}{} with unexpected tensors: {}", path.display(), layout.description(), under(prefix), names.join(", ")
    )]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// What the names of the model's tensors start with, where they do.
        prefix: String,
        /// What it was recognized as.
        layout: Layout,
        /// The names.
        names: Vec<String>,
    },
    /// Models under several names, or under one that no wrapper is known to give.
    #[error(
        "{}: a model lies under {}; name the part to take", path.display(),
        parts.iter().map(|part| if part.is_empty() { "no prefix".to_owned() } else { format!("`{part}`") })
            .collect::<Vec<_>>().join(" and ")
    )]
    Parts {
        /// The file.
        path: PathBuf,
        /// The parts, as [`TensorFileOptions::part`](crate::TensorFileOptions::part) takes them.
        parts: Vec<String>,
    },
    /// Two tensors for one place.
    #[error("{}: {first} and {second} are the same weight", path.display())]
    Twice {
        /// The file.
        path: PathBuf,
        /// Name of one.
        first: String,
        /// Name of the other.
        second: String,
    },
    /// A tensor of which the values are asked is not mapped.
    #[error("{} is not among the weights", .0)]
    Absent(String),
    /// A tensor that tells a size is missing.
    #[error("{name} is missing, so the sizes of the model cannot be told")]
    NoSize {
        /// The tensor, by its name here.
        name: String,
    },
    /// A tensor that tells a size has a shape which none gives.
    #[error("{name} has the shape {shape:?}: {needs}")]
    Size {
        /// The tensor.
        name: String,
        /// Its shape.
        shape: Vec<usize>,
        /// What it would have to be.
        needs: String,
    },
    /// Heads of a text tower, which no tensor tells.
    #[error(
        "the text tower is {width} wide, and the weights do not tell its number of attention heads: put its config.json \
         beside them, or state the number (published models of width 384 have 12)"
    )]
    Heads {
        /// Width of the tower.
        width: usize,
    },
    /// The file fails.
    #[error(transparent)]
    File(#[from] TensorFileError),
}

/// What becomes of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Renamed {
    /// One tensor.
    To(String),
    /// Three, stacked along the first axis.
    Thirds([String; 3]),
    /// Nothing: a buffer or a head.
    LeftBehind,
}

impl Renamed {
    /// The same under a prefix.
    pub(crate) fn under(self, prefix: &str) -> Self {
        let under = |name: String| format!("{prefix}{name}");
        match self {
            Self::To(name) => Self::To(under(name)),
            Self::Thirds(names) => Self::Thirds(names.map(under)),
            Self::LeftBehind => Self::LeftBehind,
        }
    }
}

fn under(prefix: &str) -> String {
    match prefix.trim_end_matches('.') {
        "" => String::new(),
        part => format!(" under `{part}` (naming that part leaves out what is beside it),"),
    }
}

fn known_layouts() -> String {
    let layouts = [
        Layout::MedClip,
        Layout::HuggingFaceSwin,
        Layout::TimmSwin,
        Layout::TorchvisionResNet,
        Layout::EfficientNetLite,
        Layout::HuggingFaceBert,
    ];
    layouts.map(Layout::description).join(", ")
}

/// Whether a tensor is a buffer that holds nothing learned.
pub(crate) fn is_buffer(name: &str) -> bool {
    BUFFERS.contains(&name.rsplit('.').next().unwrap_or(name))
}

/// `12.rest` as 12 and `rest`.
pub(crate) fn indexed(name: &str) -> Option<(usize, &str)> {
    let (index, rest) = name.split_once('.')?;
    let canonical = index == "0" || !index.starts_with('0');
    let digits = canonical && !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
    Some((index.parse().ok().filter(|_| digits)?, rest))
}

/// `stem.weight` or `stem.bias` as the two parts.
pub(crate) fn dense(name: &str) -> Option<(&str, &str)> {
    name.rsplit_once('.').filter(|(_, leaf)| matches!(*leaf, "weight" | "bias"))
}

//! Weights and configuration to ONNX graphs and bundles.
//!
//! [`Checkpoint`] opens what training leaves behind, checked to fit together. [`image_graph`] and [`text_graph`] write
//! its two towers as ONNX files; [`write_bundle`] puts them with everything else a model needs into one directory. No ONNX
//! engine is involved: the caller brings the one that embeds the prompts. [`import()`] makes a checkpoint of weights that
//! PyTorch programs saved.
//!
//! ```
//! use medclip_export::{Checkpoint, GraphOptions, Storage};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let checkpoint = Checkpoint::open("tests/golden/checkpoint")?;
//! let image = checkpoint.image_graph(&GraphOptions { storage: Storage::F32 })?;
//! let text = checkpoint.text_graph(&GraphOptions { storage: Storage::F16 })?;
//! assert!(text.encoded_len() < image.encoded_len());
//! # Ok(())
//! # }
//! ```
//!
//! # Form of the graphs
//! Operator set 20, IR version 9, inputs and outputs as [`names`] lists them, batch and sequence dynamic, no
//! `value_info` (tract takes it for a constraint). What inference does not need is gone: batch normalizations are
//! folded into convolutions, the scale of the scores into the queries, token type 0 is part of the positions, and a
//! Swin's windows and shifts are gathers with fixed indices. The bytes depend on the arguments alone; the configuration and the hash of the weights are
//! in the metadata, under [`CONFIG_KEY`] and [`WEIGHTS_KEY`].
//!
//! Names of nodes and constants are those of the checkpoint, so a graph can be read beside it.
//!
//! [`quantize`] makes further graphs of these: with weights in half precision, or with layers of 8-bit products.
//!
//! # Inside
//! `graph` is a builder whose values know element type and rank, `op` has one file per family of operators, `tower` one
//! per kind of tower, `proto` the part of the ONNX schema that is written. To add a tower: a file in `tower`, a variant
//! in `medclip_core::architecture`, a case in `tests/golden`.
//!
//! # Limits
//! Files of at most 2 GiB, as protobuf has it; a graph's weights are in memory once while it is written. Towers are
//! single precision: [`Storage::F16`] halves the file and not the arithmetic.

mod bundle;
mod checkpoint;
mod error;
mod graph;
mod import;
mod metadata;
mod op;
mod options;
pub mod quantize;
mod tensor;
mod tower;
mod weights;

pub use bundle::{
    BundleContents, BundleOptions, EmbedRequest, WriteBundleError, write_bundle, write_bundle_if,
};
pub use checkpoint::{Checkpoint, CheckpointError};
pub use error::ExportError;
pub use graph::{ExternalData, OnnxFile};
pub use import::{
    ImportError, ImportNote, ImportOptions, Imported, Mode, import, says_lowercase, stated_heads,
};
pub use options::{GraphOptions, Storage};
pub use tower::{image_graph, parameters, text_graph};

pub use medclip_core::graph as names;
pub use medclip_core::graph::{CONFIG_KEY, WEIGHTS_KEY};
pub use weights::{Misshapen, Parameter, Weights, WeightsError, WeightsMismatch};

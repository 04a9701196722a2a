#![doc = include_str!("../README.md")]
//! # What comes out
//! A [`Report`] says which film it is of, what the checks found, and its findings or why they are withheld. It is serialized (by
//! `serde`) as the record that the program `medclip` prints and writes: the same fields, the same values.
//!
//! A film that cannot be read is an error, [`ScoreError`], with a kind to count by and a message for people. Scores that the policy of
//! the checks withholds are no error: [`Report::failure`] tells of them.
//!
//! # Choices
//! ```no_run
//! use medclip::{EngineKind, Policy, PrecisionChoice, Scorer};
//!
//! let mut checks = Policy::default();
//! checks.set("lateral=abstain")?;
//! let scorer = Scorer::builder()
//!     .bundle("models/medclip-edge")
//!     .engine(EngineKind::Tract)
//!     .precision(PrecisionChoice::Auto)
//!     .checks(checks)
//!     .embeddings(true)
//!     .open()?;
//! # let _ = scorer;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`Scorer`] is cheap to clone and may be used from many threads at once. Several scorers share one [`Model`]: load it once and
//! hand it to [`ScorerBuilder::model`] with other prompts, heads or checks.
//!
//! # Maps
//! [`ScorerBuilder::maps`] has every report say where in the film its scores come from: [`Report::maps`], a grid for every
//! class whose values average to the class's logit. [`Scorer::maps`] makes them of one film.
//!
//! # Features
//! | feature | adds |
//! |---|---|
//! | `tract` (default), `rten` | engines in Rust, nothing to install |
//! | `text` (default) | prompts of one's own, and embeddings of sentences; without it the classes of a bundle and heads still score |
//! | `ort`, `cuda`, `tensorrt` | ONNX Runtime, whose library is found when it is asked for |
//! | `dicom` | DICOM films, with every compression that has a well-kept decoder in Rust |
//! | `htj2k` | high-throughput JPEG 2000 too |
//! | `archive` | module `archive`: inputs of all kinds to rows on disk |
//! | `make` | module `make`: bundles imported, quantized, and verified on several engines |
//! | `eval` | module `eval`: models evaluated on annotated films, heads and checks fitted on them |
//! | `image`, `ndarray` | module `pixels`: films of these crates, embeddings as views |
//!
//! Every type has one path: in this crate's root, or in one module.

#[cfg(any(feature = "image", feature = "ndarray"))]
pub mod pixels;

#[doc(no_inline)]
pub use medclip_core::map::{ClassMap, LocationMaps};
pub use medclip_core::prompt::PromptSet;
pub use medclip_decode::{
    DecodeOptions, Film, Identity, Levels, Limits, Note, PatientFields, RasterOptions, Reason,
};
pub use medclip_qc::{Action, Code, Policy, PolicyError};
pub use medclip_runtime::{
    Bundle, BundleError, Classifier, CudaOptions, Embeddings, EncodeError, EngineChoice, EngineKind,
    EngineOptions, GraphOptimization, GrayImage, Head, HeadError, ImageBatch, LoadError, Model, ModelOptions,
    OrtOptions, Precision, PrecisionChoice, Preferred, Prepack, RtenOptions, SelfTest, TensorRtOptions,
    UnknownEngine,
};
pub use medclip_scorer::{
    Failure, FilmMaps, Finding, OpenError, Prepared, Remark, Report, Schema, ScoreError, Scorer,
    ScorerBuilder, Scores,
};

/// Choices for DICOM files.
#[cfg(feature = "dicom")]
pub mod dicom {
    pub use medclip_decode::dicom::{
        DicomOptions, LutBits, OptionError, Problem, Rendering, Values, Voi, VoiUsed, Window, WindowFunction,
        describe, from_bytes, open, values,
    };
}

/// Inputs of all kinds to rows on disk, each once, resumed where a run was stopped.
#[cfg(feature = "archive")]
pub mod archive {
    #[doc(inline)]
    pub use medclip_archive::*;
}

/// Bundles made of weights, quantized, and verified on several engines.
#[cfg(feature = "make")]
pub mod make {
    #[doc(inline)]
    pub use medclip_bundling::*;
    pub use medclip_core::quantization::{GateLimits, Quantization};
    pub use medclip_export::quantize::RangeMethod;
    pub use medclip_export::{ImportNote, Mode};
}

/// Models evaluated on annotated films, and heads and checks fitted on them.
#[cfg(feature = "eval")]
pub mod eval {
    pub use medclip_core::Finding;
    pub use medclip_data::Split;
    #[doc(inline)]
    pub use medclip_protocols::*;
    pub use medclip_qc::LearnedChecks;
}

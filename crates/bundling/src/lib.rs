//! Bundles: making them, and proving that they are right. Internal; programs depend on `medclip`.
//!
//! | operation | does | feature |
//! |---|---|---|
//! | [`import_bundle`] | weights that PyTorch saved → bundle | `make` |
//! | [`export_bundle`] | checkpoint → bundle, checked against the forward pass of training | `train` |
//! | [`quantize()`] | adds towers in further precisions, as far as they keep to limits | `make` |
//! | [`verify()`] | the same inputs through every engine; reads only | |
//! | [`verify_against`] | the same, compared with candle's forward pass of the weights; reads only | `train` |
//! | [`certify`] | [`verify_against`], and writes the certificate | `train` |
//! | [`bench()`] | how fast engines run a bundle, each in a process of its own | |
//!
//! ```no_run
//! use medclip_bundling::{LabeledFilm, QuantizeOptions, quantize};
//! use medclip_runtime::Bundle;
//!
//! let bundle = Bundle::open("models/medclip-edge")?;
//! let films = LabeledFilm::listed("films.csv".as_ref(), &bundle)?;
//! let made = quantize(&bundle, &films, "edge-int8".as_ref(), &QuantizeOptions::default(), &mut ())?;
//! println!("{:?}", made.quantization());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Nothing here prints. Operations tell an [`Observer`] how they go, return values, and write a bundle whole or not at all. A stop
//! flag ends them between two steps, with nothing written ([`Stoppable`]).
//!
//! # Features
//! `make` (default) writes bundles; `train` compares them with candle's forward pass of the weights. `candle-onnx`, which wants
//! protoc, has candle-onnx evaluate graphs beside the engines ([`Evaluator::Candle`]). Without any, engines alone are compared.

mod bench;
#[cfg(feature = "make")]
mod engine;
#[cfg(feature = "train")]
mod export;
#[cfg(feature = "make")]
mod import;
mod observer;
#[cfg(feature = "make")]
mod quantize;
#[cfg(feature = "make")]
mod text;
mod verify;
#[cfg(feature = "make")]
mod vocabulary;

pub use bench::{
    BenchError, BenchFigures, BenchOptions, BenchProcess, BenchReport, Finished, Loaded, ProcessError, bench,
    bench_worker,
};
#[cfg(feature = "train")]
pub use export::{CheckError, ExportBundleError, TowerDifference, export_bundle, export_quantized};
#[cfg(feature = "make")]
pub use import::{
    ImportBundleError, ImportBundleOptions, KnownTower, TryOutError, describe_image_tower,
    describe_text_tower, import_bundle,
};
pub use observer::{Observer, Progress, Stoppable, Work};
#[cfg(feature = "make")]
pub use quantize::{LabeledFilm, QuantizeError, QuantizeOptions, TowerError, describe_quantized, quantize};
#[cfg(feature = "make")]
pub use text::{ReadTextError, read_text};
#[cfg(feature = "candle-onnx")]
pub use verify::CandleError;
#[cfg(feature = "train")]
pub use verify::{AgainstError, WeightFiles, certify, verify_against};
pub use verify::{
    Agreement, Comparison, Difference, EngineSelfTest, Evaluator, MapComparison, ParityLimits,
    UnknownEvaluator, Verification, VerifyError, VerifyOptions, runnable_engines, verify,
};

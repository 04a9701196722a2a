//! The commands of the program.
//!
//! A command that this build lacks is one nevertheless: it says which feature has it.

use clap::{CommandFactory, Subcommand};

#[cfg(feature = "train")]
use crate::certify;
#[cfg(feature = "eval")]
use crate::eval;
#[cfg(feature = "train")]
use crate::export;
#[cfg(feature = "import")]
use crate::import;
#[cfg(feature = "search")]
use crate::index;
#[cfg(not(all(feature = "candle-onnx", feature = "eval", feature = "import", feature = "search")))]
use crate::missing::{MissingArgs, refuse};
#[cfg(feature = "import")]
use crate::quantize;
#[cfg(feature = "candle-onnx")]
use crate::restore;
#[cfg(feature = "train")]
use crate::train;
use crate::{Cli, Outcome, bench, doctor, inspect, label, manual, phantom, score, verify};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Score(score::ScoreArgs),
    Inspect(inspect::InspectArgs),
    Label(label::LabelArgs),
    Doctor(doctor::DoctorArgs),
    Bench(bench::BenchArgs),
    Verify(verify::VerifyArgs),
    #[cfg(feature = "train")]
    Certify(certify::CertifyArgs),
    #[command(hide = true)]
    BenchWorker(bench::WorkerArgs),
    Phantom(phantom::PhantomArgs),
    Completions(manual::CompletionArgs),
    Man(manual::ManArgs),
    #[cfg(feature = "search")]
    Index(index::IndexArgs),
    #[cfg(feature = "import")]
    Import(import::ImportArgs),
    #[cfg(feature = "import")]
    Quantize(quantize::QuantizeArgs),
    #[cfg(feature = "train")]
    Train(train::TrainArgs),
    #[cfg(feature = "eval")]
    Eval(eval::EvalArgs),
    #[cfg(feature = "train")]
    Export(export::ExportArgs),
    #[cfg(feature = "candle-onnx")]
    Restore(restore::RestoreArgs),
    /// Evaluate models on annotated images (not in this program: feature eval)
    #[cfg(not(feature = "eval"))]
    Eval(MissingArgs),
    /// Search films by image or sentence (not in this program: feature search)
    #[cfg(not(feature = "search"))]
    Index(MissingArgs),
    /// Make a bundle of PyTorch weights (not in this program: feature import)
    #[cfg(not(feature = "import"))]
    Import(MissingArgs),
    /// Add towers in further precisions to a bundle (not in this program: feature import)
    #[cfg(not(feature = "import"))]
    Quantize(MissingArgs),
    /// Compare a bundle with its weights, and certify it (not in this program: feature train)
    #[cfg(not(feature = "train"))]
    Certify(MissingArgs),
    /// Train a model (not in this program: feature train)
    #[cfg(not(feature = "train"))]
    Train(MissingArgs),
    /// Make a bundle of a checkpoint (not in this program: feature train)
    #[cfg(not(feature = "train"))]
    Export(MissingArgs),
    /// Make a checkpoint of a bundle (not in this program: feature candle-onnx)
    #[cfg(not(feature = "candle-onnx"))]
    Restore(MissingArgs),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// When it could not run at all.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Score(args) => score::run(args),
            Self::Inspect(args) => inspect::run(args),
            Self::Label(args) => label::run(&args),
            Self::Doctor(args) => doctor::run(args),
            Self::Bench(args) => bench::run(args),
            Self::Verify(args) => verify::run(&args),
            #[cfg(feature = "train")]
            Self::Certify(args) => certify::run(args),
            Self::BenchWorker(args) => bench::work(&args),
            Self::Phantom(args) => phantom::run(&args),
            Self::Completions(args) => manual::complete(&args, Cli::command()),
            Self::Man(args) => manual::man(&args, Cli::command()),
            #[cfg(feature = "eval")]
            Self::Eval(args) => eval::run(args),
            #[cfg(feature = "search")]
            Self::Index(args) => index::run(args),
            #[cfg(feature = "import")]
            Self::Import(args) => import::run(&args),
            #[cfg(feature = "import")]
            Self::Quantize(args) => quantize::run(args),
            #[cfg(feature = "train")]
            Self::Train(args) => train::run(args),
            #[cfg(feature = "train")]
            Self::Export(args) => export::run(&args),
            #[cfg(feature = "candle-onnx")]
            Self::Restore(args) => restore::run(&args),
            #[cfg(not(feature = "eval"))]
            Self::Eval(_) => refuse("eval", "eval"),
            #[cfg(not(feature = "search"))]
            Self::Index(_) => refuse("index", "search"),
            #[cfg(not(feature = "import"))]
            Self::Import(_) => refuse("import", "import"),
            #[cfg(not(feature = "import"))]
            Self::Quantize(_) => refuse("quantize", "import"),
            #[cfg(not(feature = "train"))]
            Self::Certify(_) => refuse("certify", "train"),
            #[cfg(not(feature = "train"))]
            Self::Train(_) => refuse("train", "train"),
            #[cfg(not(feature = "train"))]
            Self::Export(_) => refuse("export", "train"),
            #[cfg(not(feature = "candle-onnx"))]
            Self::Restore(_) => refuse("restore", "candle-onnx"),
        }
    }
}

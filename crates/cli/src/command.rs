//! The commands of the program.
//!
//! A command that this build lacks is one nevertheless: it says which feature has it.

use clap::Subcommand;

use crate::{
    Outcome, bench, certify, command, data, doctor, eval, export, fit, import, index, inspect, label, manual,
    phantom, quantize, restore, runs, score, train, verify,
};

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Score(score::ScoreArgs),
    Inspect(inspect::InspectArgs),
    Label(label::LabelArgs),
    #[cfg_attr(feature = "search", command(subcommand))]
    Index(index::IndexArgs),
    Doctor(doctor::DoctorArgs),
    Bench(bench::BenchArgs),
    Verify(verify::VerifyArgs),
    Certify(certify::CertifyArgs),
    #[command(hide = true)]
    BenchWorker(bench::WorkerArgs),
    Import(import::ImportArgs),
    Quantize(quantize::QuantizeArgs),
    #[cfg_attr(feature = "eval", command(subcommand))]
    Eval(eval::EvalArgs),
    #[cfg_attr(feature = "eval", command(subcommand))]
    Fit(fit::FitArgs),
    Train(train::TrainArgs),
    #[cfg_attr(feature = "train", command(subcommand))]
    Runs(runs::RunsArgs),
    Export(export::ExportArgs),
    Restore(restore::RestoreArgs),
    #[command(subcommand)]
    Data(data::DataArgs),
    Phantom(phantom::PhantomArgs),
    Completions(manual::CompletionArgs),
    Man(manual::ManArgs),
}

impl Command {
    /// Runs the command.
    ///
    /// # Errors
    /// When it could not run at all.
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Score(args) => score::run(&args),
            Self::Inspect(args) => inspect::run(args),
            Self::Label(args) => label::run(&args),
            Self::Index(args) => index::run(args),
            Self::Doctor(args) => doctor::run(args),
            Self::Bench(args) => bench::run(args),
            Self::Verify(args) => verify::run(&args),
            Self::Certify(args) => certify::run(args),
            Self::BenchWorker(args) => bench::work(&args),
            Self::Import(args) => import::run(args),
            Self::Quantize(args) => quantize::run(args),
            Self::Eval(args) => eval::run(args),
            Self::Fit(args) => fit::run(args),
            Self::Train(args) => train::run(args),
            Self::Runs(args) => runs::run(args),
            Self::Export(args) => export::run(&args),
            Self::Restore(args) => restore::run(&args),
            Self::Data(args) => data::run(&args),
            Self::Phantom(args) => phantom::run(&args),
            Self::Completions(args) => manual::complete(&args, command()),
            Self::Man(args) => manual::man(&args, command()),
        }
    }
}

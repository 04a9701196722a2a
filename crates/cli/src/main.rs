//! `medclip`: findings on chest radiographs by a model that trains, exports and runs here.
//!
//! Exit status: 0 everything asked for was done, 1 some inputs failed, 2 nothing could be done, 3 stopped half way, on
//! request. Results go to standard output, everything else to standard error.

#[cfg(feature = "archive")]
mod archive;
mod bench;
#[cfg(feature = "import")]
mod bundle;
mod checks;
mod doctor;
mod doubts;
mod engine;
#[cfg(feature = "train")]
mod eval;
#[cfg(feature = "train")]
mod export;
mod film;
#[cfg(feature = "import")]
mod import;
#[cfg(feature = "search")]
mod index;
mod inputs;
mod inspect;
mod label;
mod memory;
mod models;
mod ordered;
mod output;
mod phantom;
#[cfg(feature = "import")]
mod quantize;
#[cfg(feature = "candle-onnx")]
mod restore;
mod score;
#[cfg(feature = "train")]
mod train;
mod verify;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Findings on chest radiographs, zero-shot. Research use only, not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "medclip", version, propagate_version = true, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "\
Exit status: 0 all done, 1 some inputs failed, 2 could not run, 3 stopped by Ctrl-C and can be resumed.
Results go to standard output; errors and progress to standard error.";

#[derive(Debug, Subcommand)]
enum Command {
    Score(score::ScoreArgs),
    Inspect(inspect::InspectArgs),
    Label(label::LabelArgs),
    Doctor(doctor::DoctorArgs),
    Bench(bench::BenchArgs),
    Verify(verify::VerifyArgs),
    #[command(hide = true)]
    BenchWorker(bench::WorkerArgs),
    Phantom(phantom::PhantomArgs),
    #[cfg(feature = "search")]
    Index(index::IndexArgs),
    #[cfg(feature = "import")]
    Import(import::ImportArgs),
    #[cfg(feature = "import")]
    Quantize(quantize::QuantizeArgs),
    #[cfg(feature = "train")]
    Train(train::TrainArgs),
    #[cfg(feature = "train")]
    Eval(eval::EvalArgs),
    #[cfg(feature = "train")]
    Export(export::ExportArgs),
    #[cfg(feature = "candle-onnx")]
    Restore(restore::RestoreArgs),
}

/// How a command that could run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    SomeFailed,
    /// It was asked to stop and has.
    #[cfg(feature = "archive")]
    Stopped,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Score(args) => score::run(args),
        Command::Inspect(args) => inspect::run(args),
        Command::Label(args) => label::run(&args),
        Command::Doctor(args) => doctor::run(args),
        Command::Bench(args) => bench::run(args),
        Command::Verify(args) => verify::run(&args),
        Command::BenchWorker(args) => bench::work(&args),
        Command::Phantom(args) => phantom::run(&args),
        #[cfg(feature = "search")]
        Command::Index(args) => index::run(args),
        #[cfg(feature = "import")]
        Command::Import(args) => import::run(&args),
        #[cfg(feature = "import")]
        Command::Quantize(args) => quantize::run(&args),
        #[cfg(feature = "train")]
        Command::Train(args) => train::run(args),
        #[cfg(feature = "train")]
        Command::Eval(args) => eval::run(args),
        #[cfg(feature = "train")]
        Command::Export(args) => export::run(&args),
        #[cfg(feature = "candle-onnx")]
        Command::Restore(args) => restore::run(&args),
    };
    match result {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::from(1),
        #[cfg(feature = "archive")]
        Ok(Outcome::Stopped) => ExitCode::from(3),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// An error and its causes on one line, causes that their effect has quoted already left out.
fn one_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain() {
        let words: Vec<_> = cause.to_string().split_whitespace().map(str::to_owned).collect();
        let text = words.join(" ");
        if line.ends_with(&text) {
            continue;
        }
        if !line.is_empty() {
            line.push_str(": ");
        }
        line.push_str(&text);
    }
    line
}

/// One line on standard error; a closed standard error is nobody's loss.
fn report_error(message: &str) {
    say(&format!("error: {message}"));
}

fn say(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn an_error_is_one_line_without_repeats() {
        let cause = anyhow::anyhow!("line 1\n  | ^\nunexpected end");
        let quoted =
            cause.context("file.toml: line 1\n  | ^\nunexpected end").context("cannot load the model");
        assert_eq!(super::one_line(&quoted), "cannot load the model: file.toml: line 1 | ^ unexpected end");
    }

    #[test]
    fn command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}

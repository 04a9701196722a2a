//! `medclip`: findings on chest radiographs by a model that trains, exports and runs here.
//!
//! Exit status: 0 everything asked for was done, 1 some inputs failed, 2 nothing could be done, 3 stopped half way, on
//! request. Results go to standard output, everything else to standard error.
//!
//! # Grammar
//!
//! A verb keeps its promise in every command:
//!
//! | verb | promise |
//! |---|---|
//! | `score`, `label`, `index query` | answers for each input, in order; one that fails costs only its own row |
//! | `inspect`, `doctor`, `bench`, `verify`, `eval …` | only reads: nothing that it looks at is changed, and nothing is kept |
//! | `fit …` | fits to annotated films, keeps what was fitted, and measures what was kept as `eval …` does |
//! | `train` | makes a checkpoint, and continues where it was stopped |
//! | `runs …` | reports on trainings from their logs |
//! | `import`, `export`, `restore`, `quantize` | makes a bundle or a checkpoint, proves it, and only then puts it in place |
//! | `certify` | compares as `verify` does, and writes the certificate into the bundle |
//! | `index build` | makes or continues an index |
//! | `data prepare` | makes a manifest of a data set, or refuses the data set and writes nothing |
//! | `phantom`, `man`, `completions` | writes what medclip itself makes up |
//!
//! An option of one name has one form everywhere:
//!
//! | option | variable | meaning |
//! |---|---|---|
//! | `--model DIR` | `MEDCLIP_MODEL` | the bundle that is used |
//! | `-o`, `--output PATH` | | file or directory to write |
//! | `--replace` | | replace what is there, if it is of the same kind |
//! | `--format FORMAT` | | form of the results: some of `table`, `json`, `csv`, `parquet`, `html`, in this order |
//! | `--engine ENGINE` | | what runs the model |
//! | `--precision PRECISION` | | precision of the model's towers: `fp32`, `fp16`, `int8`, where it makes sense `auto` |
//! | `--threads N` | | threads to use |
//! | `--batch N` | | films, or sentences, in one call or step |
//! | `--seed N` | | seed of everything drawn |
//! | `--split SPLIT` | | part of the annotated films: `train`, `val`, `test` |
//! | `-v`, `-q`, `--log-format FORM` | `RUST_LOG` | how much is told beside the results |
//!
//! A command that a build lacks is there, and says which feature has it. The module `grammar` tests all of this over clap's own
//! model.

mod bench;
#[cfg(feature = "import")]
mod bundle;
#[cfg(feature = "train")]
mod certify;
mod check_args;
mod command;
mod data;
mod decode_args;
mod doctor;
mod doubts;
mod engine;
#[cfg(feature = "eval")]
mod eval;
#[cfg(feature = "train")]
mod export;
#[cfg(feature = "eval")]
mod fit;
#[cfg(test)]
mod grammar;
#[cfg(feature = "import")]
mod import;
#[cfg(feature = "search")]
mod index;
mod inputs;
mod inspect;
mod interrupt;
mod label;
mod log;
mod manual;
#[cfg(not(all(feature = "candle-onnx", feature = "eval", feature = "import", feature = "search")))]
mod missing;
mod models;
mod named;
mod output;
mod phantom;
mod private;
#[cfg(feature = "eval")]
mod protocol;
#[cfg(feature = "import")]
mod quantize;
#[cfg(feature = "candle-onnx")]
mod restore;
#[cfg(feature = "train")]
mod runs;
mod score;
mod scoring;
#[cfg(feature = "train")]
mod train;
mod verify;

use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::env;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::Parser;
use medclip_core::causes::joined;
use medclip_core::guard::is_quiet;
use medclip_core::terminal::escape;

use command::Command;

/// Findings on chest radiographs, zero-shot. Research use only, not for diagnosis.
#[derive(Debug, Parser)]
#[command(name = "medclip", version, propagate_version = true, after_help = EXIT_STATUS)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    log: log::LogArgs,
}

const EXIT_STATUS: &str = "\
Exit status: 0 all done, 1 some inputs failed, 2 could not run, 3 stopped by Ctrl-C and can be resumed.
Results go to standard output; errors and progress to standard error.";

/// How a command that could run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    SomeFailed,
    /// It was asked to stop and has.
    Stopped,
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(fault));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if let Err(error) = cli.log.start() {
        report_error(&one_line(&error));
        return ExitCode::from(2);
    }
    match cli.command.run() {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::from(1),
        Ok(Outcome::Stopped) => ExitCode::from(3),
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&one_line(&error));
            ExitCode::from(2)
        }
    }
}

/// Prints help, or what is wrong with a command line, which it may quote.
fn usage(error: &clap::Error) -> ExitCode {
    let lines: Vec<_> = env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let shown: Vec<_> = lines.iter().map(|argument| escape(argument)).collect();
    // Escaped arguments are as wrong as the arguments are, and the message may be colored.
    let of_shown = || Cli::try_parse_from(shown.iter().map(Cow::as_ref)).err();
    let _ = match shown.iter().any(|argument| matches!(argument, Cow::Owned(_))).then(of_shown) {
        None => error.print(),
        Some(Some(error)) => error.print(),
        Some(None) => writeln!(io::stderr(), "error: {}", escape(&error.kind().to_string())),
    };
    ExitCode::from(if error.use_stderr() { 2 } else { 0 })
}

/// Says where the program has a fault. What the panic says may quote a film or its name.
fn fault(panic: &PanicHookInfo<'_>) {
    // Of a decoder that was given a damaged film, say: it becomes an error.
    if is_quiet() {
        return;
    }
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    if env::var_os("RUST_BACKTRACE").is_none_or(|value| value == "0") {
        write_line(&format!(
            "a fault in medclip at {place}; RUST_BACKTRACE=1 shows more, which may name a film"
        ));
        return;
    }
    let said = panic.payload_as_str().unwrap_or("no message");
    write_line(&format!("a fault in medclip at {place}: {said}"));
    let trace = Backtrace::force_capture().to_string();
    trace.lines().for_each(write_line);
}

/// An error and its causes on one line, causes that their effect has quoted already left out.
fn one_line(error: &anyhow::Error) -> String {
    joined(error.chain().map(ToString::to_string))
}

/// One line on standard error; a closed standard error is nobody's loss.
fn report_error(message: &str) {
    write_line(&format!("error: {message}"));
}

/// One line on standard error beside results and errors, unless the program is to be quiet.
fn say(line: &str) {
    if !log::is_quiet() {
        write_line(line);
    }
}

/// In it nothing controls a terminal.
fn write_line(line: &str) {
    let _ = writeln!(io::stderr(), "{}", escape(line));
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let mut causes = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

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

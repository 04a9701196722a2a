//! `medclip`: findings on chest radiographs by a model that trains, exports and runs here.
//!
//! Exit status: 0 everything asked for was done, 1 some inputs failed, 2 nothing could be done, 3 stopped half way, on
//! request. Results go to standard output, everything else to standard error.
//!
//! The program is a library for its tests alone; programs that embed medclip depend on `medclip`.
#![doc = include_str!("../GRAMMAR.md")]

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
mod engine;
#[cfg(feature = "eval")]
mod eval;
#[cfg(feature = "train")]
mod export;
#[cfg(feature = "eval")]
mod fit;
#[cfg(feature = "import")]
mod import;
#[cfg(feature = "search")]
mod index;
mod inspect;
mod interrupt;
mod label;
mod log;
mod manual;
#[cfg(not(all(feature = "candle-onnx", feature = "eval", feature = "import", feature = "search")))]
mod missing;
mod models;
mod output;
mod phantom;
mod printer;
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
mod target;
#[cfg(feature = "train")]
mod train;
mod values;
mod verify;

use std::backtrace::Backtrace;
use std::borrow::Cow;
use std::env;
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser};
use medclip_core::causes::with_causes;
use medclip_core::guard::is_quiet;
use medclip_core::terminal::escape;

use command::Command;
use interrupt::is_stop;
#[cfg(not(feature = "search"))]
use missing::index;
#[cfg(not(feature = "candle-onnx"))]
use missing::restore;
#[cfg(not(feature = "train"))]
use missing::{certify, export, runs, train};
#[cfg(not(feature = "eval"))]
use missing::{eval, fit};
#[cfg(not(feature = "import"))]
use missing::{import, quantize};

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
Exit status: 0 all done, 1 some inputs failed, 2 could not run, 3 stopped by Ctrl-C.
Results go to standard output; errors and progress to standard error.";

/// How a command that could run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Complete,
    SomeFailed,
    /// It was asked to stop and has.
    Stopped,
}

impl Outcome {
    /// Everything was done, unless some of it failed.
    const fn failed_if(some: bool) -> Self {
        if some { Self::SomeFailed } else { Self::Complete }
    }
}

/// The commands and options, in clap's own model.
#[doc(hidden)]
pub fn command() -> clap::Command {
    Cli::command()
}

/// Runs the program on the arguments of the process.
#[doc(hidden)]
pub fn main() -> ExitCode {
    std::panic::set_hook(Box::new(fault));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return usage(&error),
    };
    if let Err(error) = cli.log.start() {
        report_error(&with_causes(error.as_ref()));
        return ExitCode::from(2);
    }
    match cli.command.run() {
        Ok(Outcome::Complete) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::from(1),
        Ok(Outcome::Stopped) => ExitCode::from(3),
        Err(error) if is_stop(&error) => {
            say("stopped: nothing was kept");
            ExitCode::from(3)
        }
        // Whoever read the output has seen enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            report_error(&with_causes(error.as_ref()));
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

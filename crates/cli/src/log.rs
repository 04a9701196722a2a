//! What libraries tell of their work, on standard error where it is asked for.

use std::env;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use clap::{ArgAction, Args, ValueEnum};
use medclip_core::terminal::EscapingWriter;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Variable that says which parts tell how much, as `medclip_runtime=debug`.
const VARIABLE: &str = "RUST_LOG";

static IS_QUIET: AtomicBool = AtomicBool::new(false);

/// How much is told beside results and errors.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct LogArgs {
    /// Tell what is done and how long it takes; -vv tells it of every film, -vvv everything
    ///
    /// Neither paths nor anything of a patient are told. `RUST_LOG` chooses by part instead, as `medclip_runtime=debug`.
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Messages")]
    verbose: u8,
    /// Print results and errors alone: no progress, no summaries, no warnings
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Messages")]
    quiet: bool,
    /// Form of what -v tells
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORM", help_heading = "Messages")]
    log_format: LogFormat,
}

/// How events and spans are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
enum LogFormat {
    /// A line for people.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

impl LogArgs {
    /// Has libraries tell as much as is asked for.
    ///
    /// # Errors
    /// When `RUST_LOG` is no list of parts and levels.
    pub(crate) fn start(self) -> anyhow::Result<()> {
        IS_QUIET.store(self.quiet, Ordering::Relaxed);
        let asked = env::var(VARIABLE).ok().filter(|value| !value.is_empty());
        let targets = match (asked, self.verbose) {
            (_, 1) => of_level(LevelFilter::INFO),
            (_, 2) => of_level(LevelFilter::DEBUG),
            (_, 3..) => Targets::new().with_default(LevelFilter::TRACE),
            (Some(asked), 0) => asked.parse().with_context(|| format!("{VARIABLE} is `{asked}`"))?,
            (None, 0) => return Ok(()),
        };
        let stderr = || EscapingWriter::new(io::stderr());
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(stderr)
            .with_ansi(false)
            .with_span_events(FmtSpan::CLOSE);
        let registry = tracing_subscriber::registry().with(targets);
        match self.log_format {
            LogFormat::Text => registry.with(layer).try_init(),
            LogFormat::Json => registry.with(layer.json()).try_init(),
        }
        .context("cannot start the log")
    }
}

/// Of medclip's own crates; other libraries tell their warnings.
fn of_level(level: LevelFilter) -> Targets {
    Targets::new().with_default(LevelFilter::WARN).with_target("medclip", level)
}

/// Whether nothing but results and errors is wanted.
pub(crate) fn is_quiet() -> bool {
    IS_QUIET.load(Ordering::Relaxed)
}

/// Whether bars are drawn.
pub(crate) fn draws_bars() -> bool {
    !is_quiet() && io::stderr().is_terminal()
}

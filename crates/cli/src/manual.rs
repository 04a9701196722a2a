//! `medclip completions` and `medclip man`: what shells and readers of manuals want to know, from clap's own model.

use std::fs;
use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, Command};
use clap_complete::Shell;

use crate::Outcome;

/// Print a script that completes this program's commands and options in a shell
#[derive(Debug, Args)]
#[command(
    after_help = "Example:\n  medclip completions bash > ~/.local/share/bash-completion/completions/medclip"
)]
pub(crate) struct CompletionArgs {
    /// Which shell
    shell: Shell,
}

/// Write manual pages, one for each command
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  medclip man -o ~/.local/share/man/man1 && man medclip-score")]
pub(crate) struct ManArgs {
    /// Directory to write to; pages that are there are replaced
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
}

pub(crate) fn complete(args: &CompletionArgs, mut program: Command) -> anyhow::Result<Outcome> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut program, "medclip", &mut script);
    // The script is this program's own: nothing in it has to be escaped.
    let mut out = stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(Outcome::Complete)
}

pub(crate) fn man(args: &ManArgs, program: Command) -> anyhow::Result<Outcome> {
    if args.output.exists() && !args.output.is_dir() {
        bail!("{} is not a directory", args.output.display());
    }
    fs::create_dir_all(&args.output).with_context(|| args.output.display().to_string())?;
    clap_mangen::generate_to(program, &args.output)
        .with_context(|| format!("cannot write to {}", args.output.display()))?;
    Ok(Outcome::Complete)
}

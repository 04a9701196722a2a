//! `medclip restore`: a bundle back to a checkpoint.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_core::terminal::Escaped;
use medclip_runtime::Bundle;
use medclip_train::restore::write_checkpoint;

use crate::Outcome;
use crate::bundle;
use crate::output::locked_stdout;

/// Write a bundle back as a checkpoint, to train on from it
///
/// Reads both ONNX graphs and undoes what the export had folded; the checkpoint computes what the bundle computes. A
/// training file starts from it with `start = "CHECKPOINT"`. Batch normalisations are part of the convolutions in a
/// bundle and come back as identities: train a convolutional tower on with its blocks frozen.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  medclip restore models/medclip-vit runs/medclip-vit-start")]
pub(crate) struct RestoreArgs {
    /// Bundle directory
    bundle: PathBuf,
    /// Checkpoint directory to write
    checkpoint: PathBuf,
    /// Replace a directory that is there
    #[arg(long)]
    replace: bool,
}

pub(crate) fn run(args: &RestoreArgs) -> anyhow::Result<Outcome> {
    bundle::refuse_existing(&args.checkpoint, args.replace)?;
    let bundle = Bundle::open(&args.bundle).context("cannot load the model")?;
    write_checkpoint(&bundle, &args.checkpoint)?;
    let mut out = locked_stdout();
    writeln!(out, "wrote {}", Escaped(args.checkpoint.display()))?;
    Ok(Outcome::Complete)
}

//! `medclip restore`: a bundle back to a checkpoint.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use medclip_core::terminal::Escaped;
use medclip_runtime::Bundle;
use medclip_train::restore::write_checkpoint;

use crate::Outcome;
use crate::output::locked_stdout;
use crate::target::TargetArgs;

/// Write a bundle back as a checkpoint, to train on from it
///
/// Reads both ONNX graphs and undoes what the export had folded; the checkpoint computes what the bundle computes. A
/// training file starts from it with `start = "CHECKPOINT"`. Batch normalisations are part of the convolutions in a
/// bundle and come back as identities: train a convolutional tower on with its blocks frozen.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  medclip restore models/medclip-vit -o runs/medclip-vit-start")]
pub(crate) struct RestoreArgs {
    /// Bundle directory
    bundle: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
}

pub(crate) fn run(args: &RestoreArgs) -> anyhow::Result<Outcome> {
    let target = args.target.check()?;
    let bundle = Bundle::open(&args.bundle).context("cannot load the model")?;
    write_checkpoint(&bundle, target)?;
    let mut out = locked_stdout();
    writeln!(out, "wrote {}", Escaped(target.display()))?;
    Ok(Outcome::Complete)
}

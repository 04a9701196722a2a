//! `medclip fit finetune`: a bundle of a fine-tuned image tower, and its head.

use std::path::PathBuf;

use clap::Args;
use medclip_bundling::export_bundle;
use medclip_export::BundleOptions;

use crate::Outcome;
use crate::eval::finetune::FinetuneArgs;
use crate::target::TargetArgs;

/// Keep an image tower that was fine-tuned with a linear head
///
/// Fits and measures as medclip eval finetune does. The output directory holds the checkpoint, the bundle exported from it,
/// and the head for medclip score --model PATH/bundle --head PATH/head.safetensors; of several shares, those of the last.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct FitFinetuneArgs {
    #[command(flatten)]
    tuning: FinetuneArgs,
    /// Zero-shot classes of the bundle (TOML)
    #[arg(long, value_name = "FILE")]
    prompts: PathBuf,
    #[command(flatten)]
    target: TargetArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip fit finetune runs/medclip-edge/best films/manifest.csv --prompts models/prompts/chest-xray.toml -o tuned";

pub(crate) fn run(args: FitFinetuneArgs) -> anyhow::Result<Outcome> {
    let output = args.target.check()?;
    let prompts = crate::bundle::read(&args.prompts)?;
    args.tuning.run(|found| {
        found.save(output, |checkpoint, bundle| {
            export_bundle(checkpoint, bundle, &prompts, None, &BundleOptions::default())?;
            Ok(())
        })?;
        Ok(())
    })
}

//! `medclip phantom`: a synthetic data set.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::Outcome;

/// Write a data set of synthetic radiographs with their reports
///
/// Phantoms are drawn from simple shapes. They show that the machinery works and say nothing about patients.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  medclip phantom -o phantoms --count 100 --seed 7")]
pub(crate) struct PhantomArgs {
    /// Directory to write
    #[arg(short, long, value_name = "PATH")]
    output: PathBuf,
    /// Number of images
    #[arg(long, default_value_t = 20, value_name = "N")]
    count: u32,
    /// Seed; the same seed draws the same images
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// Side of the images, in pixels
    #[arg(long, default_value_t = 512, value_name = "PIXELS")]
    size: u32,
}

pub(crate) fn run(args: &PhantomArgs) -> anyhow::Result<Outcome> {
    medclip_phantom::write_dataset(&args.output, args.count, args.seed, args.size)
        .with_context(|| format!("cannot write phantoms to {}", args.output.display()))?;
    Ok(Outcome::Complete)
}

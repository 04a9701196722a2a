//! `medclip phantom`: a synthetic data set.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::Outcome;

/// Write a data set of synthetic radiographs with their reports
///
/// Phantoms are drawn from simple shapes. They show that the machinery works and say nothing about patients.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  medclip phantom phantoms --count 100 --seed 7")]
pub(crate) struct PhantomArgs {
    /// Directory to write to
    directory: PathBuf,
    /// Number of images
    #[arg(long, default_value_t = 20)]
    count: u32,
    /// Seed; the same seed draws the same images
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Side of the images, in pixels
    #[arg(long, default_value_t = 512, value_name = "PIXELS")]
    size: u32,
}

pub(crate) fn run(args: &PhantomArgs) -> anyhow::Result<Outcome> {
    medclip_phantom::write_dataset(&args.directory, args.count, args.seed, args.size)
        .with_context(|| format!("cannot write phantoms to {}", args.directory.display()))?;
    Ok(Outcome::Complete)
}

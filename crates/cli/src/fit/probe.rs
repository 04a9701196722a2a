//! `medclip fit probe`: a head of linear classifiers.

use clap::Args;

use crate::Outcome;
use crate::eval::probe::ProbeArgs;
use crate::fit::write_head;
use crate::target::TargetArgs;

/// Keep logistic regressions on the frozen image tower's embeddings as a head for medclip score --head
///
/// Fits and measures as medclip eval probe does; of several shares, the head of the last is kept.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct FitProbeArgs {
    #[command(flatten)]
    probe: ProbeArgs,
    #[command(flatten)]
    target: TargetArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip fit probe films/manifest.csv --view frontal -o head.safetensors
  medclip score --head head.safetensors chest.png";

pub(crate) fn run(args: FitProbeArgs) -> anyhow::Result<Outcome> {
    let output = args.target.check()?;
    args.probe.run(|found| write_head(output, &found.head))
}

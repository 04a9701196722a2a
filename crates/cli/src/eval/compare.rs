//! `medclip eval compare`: bundles side by side on the same films.

use std::num::NonZeroUsize;
use std::path::Path;

use clap::Args;
use medclip_data::Split;
use medclip_protocols::{CompareOptions, Labeled, Side, compare};

use crate::Outcome;
use crate::engine::EngineArgs;
use crate::protocol::{Bar, ManifestArgs, ReportArgs, split};

/// Zero-shot AUROC of several bundles, with paired differences from those of the first label
///
/// Bundles of one label are members of one setting, such as seeds of one training recipe: a figure is the mean over them,
/// with the 95 % interval of that mean by patient. All labels are resampled on the same patients, and a difference is
/// taken resample by resample. The intervals say what other patients would give, not what other seeds would: for those
/// see the standard deviation. Many differences looked at together need a stricter level than each alone.
///
/// Each bundle's own prompt bank and pooling are used, so no text tower is loaded. Findings that not every bundle has prompts of
/// are left out.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct CompareArgs {
    #[command(flatten)]
    manifest: ManifestArgs,
    /// Bundles, each with its label
    #[arg(required = true, value_name = "[LABEL=]BUNDLE")]
    bundles: Vec<Labeled>,
    /// Only images of this split; may be repeated
    #[arg(long, value_name = "SPLIT", value_parser = split())]
    split: Vec<Split>,
    /// Rank films by each finding's pair of affirming and denying sentences, as scores do, or by one side alone: pair, positive
    /// or negative
    #[arg(long, value_name = "SIDE", default_value_t)]
    by: Side,
    #[command(flatten)]
    engine: EngineArgs,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval compare films/manifest.csv --split val InfoNCE=a-0 InfoNCE=a-1 matching=b-0 matching=b-1";

pub(crate) fn run(args: CompareArgs) -> anyhow::Result<Outcome> {
    let films = args.manifest.open()?;
    // One engine for all.
    let first = args.bundles.first().map_or(Path::new(""), |bundle| &bundle.path);
    let options = CompareOptions {
        splits: args.split,
        side: args.by,
        model: args.engine.options(first, NonZeroUsize::MIN)?,
        threads: args.engine.threads().get(),
        resampling: args.report.resampling(),
    };
    let found = compare(&films, &args.bundles, &options, &mut Bar::new())?;
    args.report.print(&found)
}

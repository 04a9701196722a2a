//! What fine-tuning and prompt tuning share.

use std::path::PathBuf;

use clap::Args;
use medclip_protocols::{FilmSet, TuningOptions};

use super::films::{ManifestArgs, ShareArgs};
use super::report::ReportArgs;

/// A checkpoint, and the films it is fitted to and tried on.
#[derive(Debug, Args)]
pub(crate) struct TuningArgs {
    /// Checkpoint directory: weights.safetensors, model.toml, tokenizer.json
    checkpoint: PathBuf,
    #[command(flatten)]
    manifest: ManifestArgs,
    #[command(flatten)]
    shares: ShareArgs,
    /// Leave out findings with fewer images of either outcome than this among those fitted on
    #[arg(long, value_name = "IMAGES", default_value_t = TuningOptions::default().least)]
    least: usize,
}

impl TuningArgs {
    /// The checkpoint's directory, the films and how to fit.
    pub(crate) fn open(self, report: &ReportArgs) -> anyhow::Result<(PathBuf, FilmSet, TuningOptions)> {
        let options = TuningOptions {
            fit_splits: self.shares.fit_split,
            splits: self.shares.split,
            fractions: self.shares.fraction,
            least: self.least,
            resampling: report.resampling(),
        };
        Ok((self.checkpoint, self.manifest.open()?, options))
    }
}

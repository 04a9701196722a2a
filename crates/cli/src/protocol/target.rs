//! Where a fit is kept.

use std::path::PathBuf;

use anyhow::{Context, ensure};
use clap::Args;
use medclip_core::Head;
use medclip_files::replace_file;

/// A file or directory to write.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// Write what was fitted here; of several shares, the last
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Replace what is there, if it is of the same kind
    #[arg(long)]
    replace: bool,
}

impl TargetArgs {
    /// Refuses to write over something unasked, before any work.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let path = &self.output;
        ensure!(self.replace || !path.exists(), "{} already exists; --replace replaces it", path.display());
        Ok(())
    }

    /// Writes a head.
    pub(crate) fn write(&self, head: &Head) -> anyhow::Result<()> {
        replace_file(&self.output, &head.to_bytes()?).context("cannot write the head")
    }
}

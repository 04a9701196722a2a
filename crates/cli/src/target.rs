//! Where a result is kept.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args;
use medclip_files::{AlreadyThere, check_vacant};

/// A file or directory to write.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    /// Where to write the result
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: PathBuf,
    /// Replace what is there, if it is of the same kind
    #[arg(long)]
    pub(crate) replace: bool,
}

impl TargetArgs {
    /// The place, if nothing would be overwritten unasked. To be asked before any work.
    pub(crate) fn check(&self) -> anyhow::Result<&Path> {
        check_vacant(&self.output, self.replace).map_err(|error| exists(&error))?;
        Ok(&self.output)
    }
}

/// Something is where a result is to be, and what to do about it.
pub(crate) fn exists(error: &AlreadyThere) -> anyhow::Error {
    anyhow!("{error}; --replace replaces it")
}

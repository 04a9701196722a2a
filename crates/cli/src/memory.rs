//! How much memory films may take together.

use std::fs;
use std::path::Path;

use clap::Args;
use medclip_core::budget;

/// Option for the memory of films.
#[derive(Debug, Clone, Args)]
pub(crate) struct MemoryArgs {
    /// Memory that films may take together while they are read and decoded, such as 2G or 512M [default: half of the
    /// machine's, or of what its limits allow, less the model]
    ///
    /// A film waits until there is memory for it. One that alone needs more is an error: score it with more memory.
    #[arg(long, value_name = "SIZE", value_parser = budget::parse_size)]
    memory: Option<u64>,
}

impl MemoryArgs {
    /// Bytes that films share beside a loaded model.
    pub(crate) fn bytes(&self, model: &Path) -> u64 {
        self.memory.unwrap_or_else(|| budget::beside(size_of(model)))
    }
}

/// Bytes of a bundle's files; what cannot be read is told when it is loaded.
fn size_of(model: &Path) -> u64 {
    let entries = fs::read_dir(model).into_iter().flatten().flatten();
    entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(fs::Metadata::is_file)
        .map(|file| file.len())
        .sum()
}

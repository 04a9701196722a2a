//! How much memory films may take together.

use std::fs;
use std::path::Path;

use clap::Args;
use medclip_core::budget::{self, Budget, Claim, Claimed, TooMuchMemory, Turn};
use medclip_decode::{Limits, NEED_BYTES};

/// Where the system does not say how much memory there is.
const ASSUMED: u64 = 8 << 30;
/// A film of 16 megapixels has room in any case, however small the machine.
const LEAST: u64 = 256 << 20;
/// Unit of a budget that is worked out, so that it does not change with every byte that a process takes.
const STEP: u64 = 64 << 20;

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
        self.memory.unwrap_or_else(|| {
            let machine = budget::machine_limit().unwrap_or(ASSUMED);
            worked_out(machine, size_of(model), budget::address_space_left())
        })
    }
}

/// Half of the memory less the model, and no more than three quarters of the address space that is left.
fn worked_out(machine: u64, model: u64, left: Option<u64>) -> u64 {
    let share = (machine / 2).saturating_sub(model);
    let share = left.map_or(share, |left| share.min(left / 4 * 3));
    (share / STEP * STEP).max(LEAST)
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

/// Bytes that decoding takes beside those of a film, told from its start.
pub(crate) fn need(start: &[u8], bytes: u64) -> Option<u64> {
    medclip_decode::need(start, bytes, &Limits::default())
}

/// Waits for the share of a file that is named.
pub(crate) fn claim(path: &Path, turn: Turn) -> Result<Claimed, TooMuchMemory> {
    Claim { most: Limits::default().max_file_bytes, start: NEED_BYTES, need }.of_file(path, turn)
}

/// The budget of films that are scored side by side.
pub(crate) fn budget(args: &MemoryArgs, model: &Path) -> Budget {
    Budget::new(args.bytes(model))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_budget_follows_the_machine_the_model_and_the_limits() {
        const GIB: u64 = 1 << 30;
        assert_eq!(worked_out(16 * GIB, GIB, None), 7 * GIB);
        assert_eq!(worked_out(16 * GIB, GIB, Some(2 * GIB)), 3 * GIB / 2);
        assert_eq!(worked_out(16 * GIB, GIB + 5, Some(64 * GIB)), 7 * GIB - STEP);
        assert_eq!(worked_out(GIB, GIB, None), LEAST);
        assert_eq!(worked_out(16 * GIB, GIB, Some(0)), LEAST);
    }
}

//! How much memory films may take where nobody says.

use std::fs;
use std::path::Path;

use super::machine;

/// Where the system does not say how much memory there is.
const ASSUMED: u64 = 8 << 30;
/// A film of 16 megapixels has room in any case, however small the machine.
const LEAST: u64 = 256 << 20;
/// Unit of a budget that is worked out, so that it does not change with every byte that a process takes.
const STEP: u64 = 64 << 20;

/// Bytes that films may share beside a model of so many bytes: half of what this process may use less the model, and no more than
/// three quarters of the address space that is left. At least 256 MiB.
pub fn beside(model_bytes: u64) -> u64 {
    worked_out(machine::limit().unwrap_or(ASSUMED), model_bytes, machine::address_space_left())
}

/// [`beside`] a model whose files are in `directory`. What cannot be read is told when the model is loaded.
pub fn beside_files(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let files = entries.filter_map(|entry| entry.metadata().ok()).filter(fs::Metadata::is_file);
    beside(files.map(|file| file.len()).sum())
}

fn worked_out(machine: u64, model: u64, left: Option<u64>) -> u64 {
    let share = (machine / 2).saturating_sub(model);
    let share = left.map_or(share, |left| share.min(left / 4 * 3));
    (share / STEP * STEP).max(LEAST)
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

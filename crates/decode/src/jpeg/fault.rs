//! Why a stream does not hold what its header promises.

use thiserror::Error;

/// What is missing from, or wrong with, a JPEG stream.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Fault {
    /// A stream that ends between its markers.
    #[error("the JPEG ends {0}")]
    Cut(&'static str),
    /// Fewer units than promised.
    #[error("{}the entropy-coded data ends after {unit} {done} of {total}", of_scan(*scan))]
    Short { scan: usize, unit: &'static str, done: usize, total: usize },
    /// Part of the data between two restart markers, or all of it, is missing.
    #[error(
        "{}restart marker {found} stands where {expected} should be, after {unit} {done} of {total}", of_scan(*scan)
    )]
    Restart { scan: usize, expected: u8, found: u8, unit: &'static str, done: usize, total: usize },
    /// Zero bytes in place of data.
    #[error("{}the entropy-coded data is overwritten with zero bytes behind {unit} {done} of {total}", of_scan(*scan))]
    Zeroed { scan: usize, unit: &'static str, done: usize, total: usize },
    /// A component without data.
    #[error("no scan holds component {component} of {of}")]
    NoScan { component: usize, of: usize },
    /// A code that is none.
    #[error("{}the entropy-coded data of {unit} {number} of {total} holds an impossible code", of_scan(*scan))]
    Code { scan: usize, unit: &'static str, number: usize, total: usize },
    /// A marker's segment that cannot be.
    #[error("the JPEG has {0}")]
    Header(&'static str),
    /// More passes than any encoder makes.
    #[error("the JPEG has more than {limit} scans")]
    Scans { limit: usize },
    /// More pixels than the limit.
    #[error("the JPEG is {width}×{height}")]
    Size { width: u32, height: u32 },
}

impl Fault {
    /// Whether something is missing, rather than wrong.
    pub(crate) const fn is_truncation(&self) -> bool {
        matches!(
            self,
            Self::Cut(_)
                | Self::Short { .. }
                | Self::Restart { .. }
                | Self::Zeroed { .. }
                | Self::NoScan { .. }
        )
    }

    /// The same, of one of several scans, counted from 1.
    pub(super) fn in_scan(mut self, number: usize) -> Self {
        if let Self::Short { scan, .. }
        | Self::Restart { scan, .. }
        | Self::Zeroed { scan, .. }
        | Self::Code { scan, .. } = &mut self
        {
            *scan = number;
        }
        self
    }
}

fn of_scan(scan: usize) -> String {
    if scan == 0 { String::new() } else { format!("in scan {scan}, ") }
}

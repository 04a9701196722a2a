//! Zero bytes where data should be: what a disk or a transfer leaves of a file that it has not finished.
//!
//! Zero bits are codes like any other, so that MCUs seem to be there. What tells is that a block of nothing but zero bits holds
//! the same number in all of its coefficients, or that zeros were read as data and some are left over.

use std::ops::Range;

/// Shortest run of zero bytes that says anything.
pub(super) const LEAST: usize = 16;
/// More bytes than this behind the last MCU are not padding.
const PADDING: usize = 64;

/// Runs of zero bytes from `from` to before `to`.
pub(super) fn runs(stream: &[u8], from: usize, to: usize) -> Vec<Range<usize>> {
    let mut runs: Vec<Range<usize>> = Vec::new();
    let Some(data) = stream.get(from..to) else { return runs };
    let mut behind = 0;
    // Every run that is long enough holds one of these words.
    for (number, word) in data.as_chunks::<8>().0.iter().enumerate() {
        let at = number * 8;
        if at < behind || u64::from_ne_bytes(*word) != 0 {
            continue;
        }
        let start = at - data[..at].iter().rev().take_while(|&&byte| byte == 0).count();
        let end = at + data[at..].iter().take_while(|&&byte| byte == 0).count();
        behind = end;
        // A zero behind a byte of ones belongs to that.
        let start = if start > 0 && data[start - 1] == 0xff { start + 1 } else { start };
        if end - start >= LEAST {
            runs.push(from + start..from + end);
        }
    }
    runs
}

/// Whether data that was read from `from` to `position`, of which the bytes up to `end` are left over, ends in zeros on both
/// sides. The data of a black film may end in zeros, and zeros may follow data: both at once are damage.
pub(super) fn are_left_over(stream: &[u8], from: usize, position: usize, end: usize) -> bool {
    const READ: usize = 4;
    const LEFT: usize = 2;
    let is_zero = |range: Range<usize>| stream[range].iter().all(|&byte| byte == 0);
    end - position >= LEFT
        && position - from >= READ
        && is_zero(position..end)
        && is_zero(position - READ..position)
}

/// Whether zeros were read as data of so little that other data is left over.
pub(super) fn displace(runs: &[Range<usize>], excess: usize) -> bool {
    excess > PADDING && !runs.is_empty()
}

/// Whether what was read between two positions was zeros only.
pub(super) fn hold(runs: &[Range<usize>], before: usize, after: usize) -> bool {
    runs.iter().any(|run| run.start < before && after <= run.end)
}

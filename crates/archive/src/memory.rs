//! Memory of inputs: each waits for its share of the run's budget before it is read.
//!
//! Turns are taken in the order of the inputs, before any is read. A member of an archive is read by the thread that takes
//! turns, a file by the one that decodes it. Whoever waits for memory holds none, but for the first in line, and whatever comes
//! before it was handed to a decoder: so all shares come back.

use std::path::Path;

use medclip_core::budget::{Claim, Share, Turn};

use crate::failure::Failure;
use crate::intake::{ArchiveReader, MAX_MEMBER_BYTES};
use crate::scorer::{Content, Prepared, Scorer};
use crate::source::{Member, Source};

/// An input and its place in line.
#[derive(Debug)]
pub enum Loaded {
    /// A file, which whoever decodes it reads.
    File(Turn),
    /// A member that was read, with its share.
    Member(Vec<u8>, Share),
    /// Why there is nothing to decode.
    Failed(Failure),
}

impl Loaded {
    /// An input, read as far as it is before it is decoded.
    pub(crate) fn of<S: Scorer>(
        scorer: &S,
        archives: &mut ArchiveReader,
        source: &Source,
        turn: Turn,
    ) -> Self {
        match (&source.problem, &source.member) {
            (Some(problem), _) => Self::Failed(problem.clone()),
            (None, None) => Self::File(turn),
            (None, Some(inner)) => {
                let need = |bytes: &[u8]| scorer.need(bytes, bytes.len() as u64).unwrap_or(0);
                member(archives, &source.path, inner, need, turn)
            }
        }
    }
}

/// Reads a member, once there is memory for it and for decoding it.
pub fn member(
    archives: &mut ArchiveReader,
    path: &Path,
    member: &Member,
    need: impl Fn(&[u8]) -> u64,
    mut turn: Turn,
) -> Loaded {
    // A sparse file is read in pieces first.
    let pieces = member.extents.iter().fold(0_u64, |sum, (_, bytes)| sum.saturating_add(*bytes));
    let mut read = |turn: &mut Turn| {
        // Larger ones are refused before they are read.
        if member.bytes <= MAX_MEMBER_BYTES {
            turn.hold(member.bytes.saturating_add(pieces)).map_err(Failure::too_much_memory)?;
        }
        let bytes = archives.read(path, member)?;
        turn.hold(need(&bytes)).map_err(Failure::too_much_memory)?;
        Ok(bytes)
    };
    match read(&mut turn) {
        Ok(bytes) => Loaded::Member(bytes, turn.done()),
        Err(failure) => Loaded::Failed(failure),
    }
}

/// Prepares a file, once there is memory for it.
///
/// # Errors
/// [`Failure`] of kind [`Failure::TOO_MUCH_MEMORY`].
pub(crate) fn prepare_file<S: Scorer>(
    scorer: &S,
    path: &Path,
    turn: Turn,
) -> Result<Prepared<S::Image>, Failure> {
    let need = |start: &[u8], bytes| scorer.need(start, bytes);
    let claim = Claim { most: MAX_MEMBER_BYTES, start: scorer.need_bytes(), need };
    let claimed = claim.of_file(path, turn).map_err(Failure::too_much_memory)?;
    let content = claimed.content.as_deref().map_or(Content::File(path), Content::Bytes);
    Ok(scorer.prepare(content))
}

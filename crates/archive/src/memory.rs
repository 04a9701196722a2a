//! Memory of inputs: each waits for its share of the run's budget before it is read.
//!
//! Turns are taken in the order of the inputs, before any is read. A member of an archive is read by the thread that takes
//! turns, a file by the one that decodes it. Whoever waits for memory holds none, but for the first in line, and whatever comes
//! before it was handed to a decoder: so all shares come back.

use std::path::Path;

use medclip_core::budget::{Claim, Share, Turn};
use medclip_files::read_typed;
use medclip_scorer::Failure;

use crate::inputs::{ArchiveReader, MAX_MEMBER_BYTES};
use crate::source::{Member, Source};
use crate::stages::{Content, Stages};

/// An input and its place in line.
#[derive(Debug)]
pub(crate) enum Loaded {
    /// A file, which whoever decodes it reads.
    File(Turn),
    /// A member that was read, with its share.
    Member(Vec<u8>, Share),
    /// Why there is nothing to decode.
    Failed(Failure),
}

impl Loaded {
    /// An input, read as far as it is before it is decoded.
    pub(crate) fn of<S: Stages>(
        stages: &S,
        archives: &mut ArchiveReader,
        source: &Source,
        turn: Turn,
    ) -> Self {
        match (&source.problem, &source.member) {
            (Some(problem), _) => Self::Failed(problem.clone()),
            (None, None) => Self::File(turn),
            (None, Some(inner)) => {
                let need = |bytes: &[u8]| stages.need(bytes, bytes.len() as u64).unwrap_or(0);
                member(archives, &source.path, inner, need, turn)
            }
        }
    }

    /// What somebody writes into a pipe. How much it is, only reading tells.
    pub(crate) fn of_pipe<S: Stages>(stages: &S, path: &Path, mut turn: Turn) -> Self {
        let bytes = match read_typed(path, MAX_MEMBER_BYTES) {
            Ok(bytes) => bytes,
            Err(error) => return Self::Failed(Failure::new("io", error)),
        };
        let length = bytes.len() as u64;
        match turn.hold(length.saturating_add(stages.need(&bytes, length).unwrap_or(0))) {
            Ok(()) => Self::Member(bytes, turn.done()),
            Err(error) => Self::Failed(Failure::too_much_memory(error)),
        }
    }
}

/// Reads a member, once there is memory for it and for decoding it.
fn member(
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
pub(crate) fn prepare_file<S: Stages>(stages: &S, path: &Path, turn: Turn) -> Result<S::Prepared, Failure> {
    let need = |start: &[u8], bytes| stages.need(start, bytes);
    let claim = Claim { most: MAX_MEMBER_BYTES, start: stages.need_bytes(), need };
    let claimed = claim.of_file(path, turn).map_err(Failure::too_much_memory)?;
    let content = claimed.content.as_deref().map_or(Content::File(path), Content::Bytes);
    Ok(stages.prepare(content))
}

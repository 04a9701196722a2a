//! The content of members.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use medclip_core::guard::catch;
use zip::read::OwnedZipFileEntry;

use super::super::tar::Stream;
use super::{Container, MAX_MEMBER_BYTES, zipped};
use crate::source::Member;
use medclip_core::name;
use medclip_scorer::Failure;

/// Reads members. The archive read last stays open, so members in the archive's order cost one pass.
#[derive(Default)]
pub struct ArchiveReader {
    open: Option<(PathBuf, Opened)>,
}

enum Opened {
    Zip(Vec<OwnedZipFileEntry>, BufReader<File>),
    /// And how many unpacked bytes were read.
    Tar(Stream, u64),
}

impl ArchiveReader {
    /// The content of a member of the archive `path`.
    ///
    /// # Errors
    /// [`Failure`] of kind `archive` when the archive cannot be read or has changed, `too_large` when the member has more
    /// than [`MAX_MEMBER_BYTES`], `panic` when the reader gives up.
    pub fn read(&mut self, path: &Path, member: &Member) -> Result<Vec<u8>, Failure> {
        if member.bytes > MAX_MEMBER_BYTES {
            return Err(too_large(member.bytes));
        }
        let read = catch(|| self.try_read(path, member));
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => {
                // Where a stream stands after an error is not known.
                self.open = None;
                return Err(Failure::new("archive", error));
            }
            Err(message) => {
                self.open = None;
                return Err(Failure::panic(&message));
            }
        };
        match bytes.len() as u64 {
            length if length != member.bytes => {
                self.open = None;
                let expected = member.bytes;
                let found = if length > expected { "more".to_owned() } else { format!("{length}") };
                Err(Failure::new(
                    "archive",
                    format!("the member has {found} bytes and should have {expected}"),
                ))
            }
            _ => Ok(bytes),
        }
    }

    fn try_read(&mut self, path: &Path, member: &Member) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        // No more than its share of memory, which doubling would take.
        let room = usize::try_from(member.bytes).map_err(io::Error::other)?.saturating_add(1);
        if member.extents.is_empty() {
            bytes.try_reserve_exact(room).map_err(io::Error::other)?;
        }
        match self.opened(path, member)? {
            Opened::Zip(entries, file) => {
                let entry = usize::try_from(member.position).ok().and_then(|number| entries.get(number));
                let name = member.link.as_deref().unwrap_or(name::without_number(&member.name));
                let entry = entry.filter(|entry| name::escape(&zipped::name_of(entry)) == name);
                let entry = entry.ok_or_else(|| io::Error::other("the archive has changed"))?;
                // One more than there should be tells of more.
                zipped::open(entry, file)?.take(member.bytes + 1).read_to_end(&mut bytes)?;
            }
            Opened::Tar(stream, at) => {
                stream.go_to(*at, member.position)?;
                *at = member.position;
                let stored = match &member.extents[..] {
                    [] => member.bytes,
                    extents => extents.iter().map(|(_, length)| length).sum(),
                };
                let read = stream.take(stored).read_to_end(&mut bytes)?;
                *at += read as u64;
                if !member.extents.is_empty() {
                    bytes = spread(&bytes, member)?;
                }
            }
        }
        Ok(bytes)
    }

    /// The archive, opened anew where it is another or a stream that is past the member.
    fn opened(&mut self, path: &Path, member: &Member) -> io::Result<&mut Opened> {
        let is_open = self.open.as_ref().is_some_and(|(open, archive)| match archive {
            Opened::Tar(Stream::Gz(_), at) => open == path && *at <= member.position,
            _ => open == path,
        });
        if !is_open {
            // Closed first: two archives are never open at a time.
            self.open = None;
        }
        let (_, archive) = match self.open.take() {
            Some(open) => self.open.insert(open),
            None => self.open.insert((path.to_owned(), open(path)?)),
        };
        Ok(archive)
    }
}

fn open(path: &Path) -> io::Result<Opened> {
    match Container::of(path) {
        Some(Container::Zip) => Ok(Opened::Zip(zipped::entries(path)?, BufReader::new(File::open(path)?))),
        Some(Container::Tar) => Ok(Opened::Tar(Stream::open(File::open(path)?)?, 0)),
        None => Err(io::Error::other("is no archive")),
    }
}

/// The content of a sparse file, of its pieces. What lies between them is zeros.
fn spread(stored: &[u8], member: &Member) -> io::Result<Vec<u8>> {
    let fail = || io::Error::other("the archive has changed");
    let mut content = vec![0; usize::try_from(member.bytes).map_err(io::Error::other)?];
    let mut rest = stored;
    for &(offset, length) in &member.extents {
        let (offset, length) =
            usize::try_from(offset).ok().zip(usize::try_from(length).ok()).ok_or_else(fail)?;
        let (piece, behind) = rest.split_at_checked(length).ok_or_else(fail)?;
        let place = offset.checked_add(length).and_then(|end| content.get_mut(offset..end));
        place.ok_or_else(fail)?.copy_from_slice(piece);
        rest = behind;
    }
    Ok(content)
}

fn too_large(bytes: u64) -> Failure {
    Failure::new("too_large", format!("the member has {bytes} bytes, the limit is {MAX_MEMBER_BYTES}"))
}

//! Members of zip and tar archives, listed first and read one at a time later.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tar::{EntryType, PaxExtensions};
use zip::ZipArchive;

use super::{IntakeError, IntakeOptions, Sink, is_wanted, start_of};
use crate::failure::Failure;
use crate::source::{Member, Source};

/// Largest member read, in bytes: as large as a file of its own may be.
pub const MAX_MEMBER_BYTES: u64 = 512 << 20;

/// Longest name of a member, in bytes, with what pax says of it.
const MAX_NAME_BYTES: u64 = 64 << 10;

/// What kind of archive a file is, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Zip,
    Tar,
    TarGz,
}

impl Container {
    pub(super) fn of(path: &Path) -> Option<Self> {
        let name = path.file_name().and_then(OsStr::to_str)?.to_ascii_lowercase();
        let ends = |ending: &&str| name.ends_with(ending);
        if ends(&".zip") {
            Some(Self::Zip)
        } else if ends(&".tar") {
            Some(Self::Tar)
        } else {
            [".tar.gz", ".tgz"].iter().any(ends).then_some(Self::TarGz)
        }
    }
}

/// The input that an id names: a file, or where none has that name, a member `archive.zip!member`.
///
/// # Errors
/// [`Failure`] of kind `io` when neither is there.
pub fn find(id: &str) -> Result<Source, Failure> {
    if Path::new(id).exists() {
        return Ok(Source::file(id));
    }
    for (at, _) in id.match_indices('!') {
        let (path, name) = (Path::new(&id[..at]), &id[at + 1..]);
        let Some(container) = Container::of(path).filter(|_| path.is_file()) else { continue };
        let mut found = None;
        let extension = Path::new(name).extension().and_then(OsStr::to_str).unwrap_or_default();
        let options = IntakeOptions { extensions: vec![extension.to_owned()], by_start: None, portion: None };
        let listed = list(path, container, &options, &mut |source| {
            let is_it = source.member.as_ref().is_some_and(|member| member.name == name);
            found = found.take().or(is_it.then_some(source));
            Ok(())
        });
        listed.map_err(|error| Failure::new("archive", error))?;
        if let Some(source) = found {
            return Ok(source);
        }
    }
    Err(Failure::new("io", "neither a file nor a member of an archive has this name"))
}

/// Every wanted member in the archive's order. Where the archive breaks off, that is the last input.
pub(super) fn list(
    path: &Path,
    container: Container,
    options: &IntakeOptions,
    sink: &mut Sink<'_>,
) -> Result<(), IntakeError> {
    let mut is_empty = true;
    let mut refused = None;
    // The readers of archives parse what strangers wrote.
    let listed = catch_unwind(AssertUnwindSafe(|| {
        let mut each = |member: Member| {
            if refused.is_some() {
                return;
            }
            is_empty = false;
            let source = Source { member: Some(member), ..Source::file(path) };
            refused = sink(source).err();
        };
        match container {
            Container::Zip => list_zip(path, options, &mut each),
            Container::Tar => list_tar(BufReader::new(File::open(path)?), options, &mut each),
            Container::TarGz => {
                list_tar(MultiGzDecoder::new(BufReader::new(File::open(path)?)), options, &mut each)
            }
        }
    }));
    if let Some(error) = refused {
        return Err(error);
    }
    match listed {
        Ok(Ok(())) if is_empty => {
            sink(Source::missing(path, Failure::new("no_match", "no image in this archive")))
        }
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => sink(Source::missing(path, Failure::new("archive", error))),
        Err(payload) => sink(Source::missing(path, Failure::panic(&*payload))),
    }
}

fn list_zip(path: &Path, options: &IntakeOptions, each: &mut dyn FnMut(Member)) -> io::Result<()> {
    let mut archive = ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
    for position in 0..archive.len() {
        let member = archive.by_index_raw(position).map_err(io::Error::other)?;
        if !member.is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(member.name_raw()).into_owned();
        let bytes = member.size();
        drop(member);
        let start = || start_of(archive.by_index(position).map_err(io::Error::other)?);
        if is_wanted(Path::new(&name), options, start) {
            each(Member { name, position: position as u64, bytes });
        }
    }
    Ok(())
}

/// Extended names are read here and within limits: the reader's own way has none.
fn list_tar(input: impl Read, options: &IntakeOptions, each: &mut dyn FnMut(Member)) -> io::Result<()> {
    let mut archive = tar::Archive::new(input);
    let mut extended_name = None;
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry?;
        let header = entry.header();
        match header.entry_type() {
            EntryType::GNULongName => {
                let name = extension(&mut entry)?;
                let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
                extended_name = Some(String::from_utf8_lossy(&name[..end]).into_owned());
            }
            EntryType::XHeader => {
                let text = extension(&mut entry)?;
                for field in PaxExtensions::new(&text) {
                    let field = field?;
                    match field.key_bytes() {
                        b"path" => {
                            extended_name = Some(String::from_utf8_lossy(field.value_bytes()).into_owned());
                        }
                        b"size" => {
                            let message = "a member has its size in an extension, which is not read";
                            return Err(io::Error::other(message));
                        }
                        _ => {}
                    }
                }
            }
            EntryType::Regular | EntryType::Continuous => {
                let name = extended_name
                    .take()
                    .unwrap_or_else(|| String::from_utf8_lossy(&header.path_bytes()).into_owned());
                let member = Member { name, position: entry.raw_file_position(), bytes: header.size()? };
                if is_wanted(Path::new(&member.name), options, || start_of(&mut entry)) {
                    each(member);
                }
            }
            EntryType::GNULongLink | EntryType::XGlobalHeader => {}
            _ => extended_name = None,
        }
    }
    Ok(())
}

fn extension(entry: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    entry.take(MAX_NAME_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_NAME_BYTES {
        return Err(io::Error::other(format!("a name is longer than {MAX_NAME_BYTES} bytes")));
    }
    Ok(bytes)
}

/// Reads members. The archive read last stays open, so members in the archive's order cost one pass.
#[derive(Default)]
pub struct ArchiveReader {
    open: Option<(PathBuf, Opened)>,
}

enum Opened {
    Zip(ZipArchive<BufReader<File>>),
    Tar(BufReader<File>),
    /// And how many unpacked bytes were read.
    TarGz(MultiGzDecoder<BufReader<File>>, u64),
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
        let read = catch_unwind(AssertUnwindSafe(|| self.try_read(path, member)));
        let bytes = match read {
            Ok(Ok(bytes)) => bytes,
            Ok(Err(error)) => {
                // Where a stream stands after an error is not known.
                self.open = None;
                return Err(Failure::new("archive", error));
            }
            Err(payload) => {
                self.open = None;
                return Err(Failure::panic(&*payload));
            }
        };
        match bytes.len() as u64 {
            length if length > MAX_MEMBER_BYTES => Err(too_large(length)),
            length if length != member.bytes => {
                self.open = None;
                let expected = member.bytes;
                Err(Failure::new(
                    "archive",
                    format!("the member has {length} bytes and should have {expected}"),
                ))
            }
            _ => Ok(bytes),
        }
    }

    fn try_read(&mut self, path: &Path, member: &Member) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        match self.opened(path, member)? {
            Opened::Zip(archive) => {
                let position = usize::try_from(member.position).map_err(io::Error::other)?;
                let entry = archive.by_index(position).map_err(io::Error::other)?;
                if String::from_utf8_lossy(entry.name_raw()) != member.name {
                    return Err(io::Error::other("the archive has changed"));
                }
                entry.take(MAX_MEMBER_BYTES + 1).read_to_end(&mut bytes)?;
            }
            Opened::Tar(file) => {
                file.seek(SeekFrom::Start(member.position))?;
                file.take(member.bytes).read_to_end(&mut bytes)?;
            }
            Opened::TarGz(stream, at) => {
                let skipped = io::copy(&mut stream.take(member.position - *at), &mut io::sink())?;
                let read = stream.take(member.bytes).read_to_end(&mut bytes)?;
                *at += skipped + read as u64;
            }
        }
        Ok(bytes)
    }

    /// The archive, opened anew where it is another or a stream that is past the member.
    fn opened(&mut self, path: &Path, member: &Member) -> io::Result<&mut Opened> {
        let is_open = self.open.as_ref().is_some_and(|(open, archive)| match archive {
            Opened::TarGz(_, at) => open == path && *at <= member.position,
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
    let file = BufReader::new(File::open(path)?);
    match Container::of(path) {
        Some(Container::Zip) => Ok(Opened::Zip(ZipArchive::new(file).map_err(io::Error::other)?)),
        Some(Container::Tar) => Ok(Opened::Tar(file)),
        Some(Container::TarGz) => Ok(Opened::TarGz(MultiGzDecoder::new(file), 0)),
        None => Err(io::Error::other("is no archive")),
    }
}

fn too_large(bytes: u64) -> Failure {
    Failure::new("too_large", format!("the member has {bytes} bytes, the limit is {MAX_MEMBER_BYTES}"))
}

//! Entries of a tar archive: files with their places, links with their targets.
//!
//! Blocks are walked here, because the tar crate's raw iteration loses its way behind sparse files and behind sizes that pax
//! states, and its other iteration reads extended names without a limit. Headers are read by that crate.
//!
//! Forms: V7, ustar, GNU and pax (POSIX.1-2017, pax Interchange Format), with GNU's long names and sparse files of old GNU
//! form and of pax forms 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). Archives that were written one behind the
//! other are read as one.

mod map;
mod pax;

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use flate2::read::MultiGzDecoder;
use tar::{GnuExtSparseHeader, Header};

use map::Map;
use pax::Pax;

/// Unit of a tar archive, in bytes.
const BLOCK: usize = 512;

/// Most bytes that describe a member: a name, or all that pax says.
const MAX_EXTENSION_BYTES: u64 = 1 << 20;

/// An entry and where its content is.
#[derive(Debug)]
pub(super) struct Entry {
    /// As it stands in the archive.
    pub(super) name: Vec<u8>,
    pub(super) kind: Kind,
    /// Where its stored content begins, in bytes of the unpacked archive.
    pub(super) position: u64,
    /// Length of its content.
    pub(super) bytes: u64,
    /// Pieces of a sparse file: offset in the content and length, in the order of the stored content.
    pub(super) extents: Vec<(u64, u64)>,
}

/// What an entry is.
#[derive(Debug)]
pub(super) enum Kind {
    File,
    /// Another name of the file of this name.
    HardLink(Vec<u8>),
    /// A pointer, relative to the directory of its name.
    Symlink(Vec<u8>),
    Directory,
    /// Device, pipe, or something else without content.
    Special,
    /// A file that cannot be put together, and why.
    Unreadable(String),
}

/// Bytes of an archive, unpacked.
pub(super) enum Stream {
    Plain { file: BufReader<File>, length: u64 },
    Gz(Box<MultiGzDecoder<BufReader<File>>>),
}

impl Stream {
    /// A tar archive, gzipped or not by its first bytes.
    pub(super) fn open(file: File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let mut magic = Vec::new();
        file.by_ref().take(2).read_to_end(&mut magic)?;
        file.rewind()?;
        Ok(match magic[..] {
            [0x1f, 0x8b] => Self::Gz(Box::new(MultiGzDecoder::new(file))),
            _ => Self::Plain { file, length },
        })
    }

    /// Moves `bytes` ahead.
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        match self {
            Self::Plain { file, length } => {
                let there = file.stream_position()?;
                let end = there.checked_add(bytes).filter(|end| *end <= *length).ok_or_else(cut)?;
                file.seek_relative(i64::try_from(end - there).map_err(io::Error::other)?)
            }
            Self::Gz(stream) => {
                let skipped = io::copy(&mut stream.take(bytes), &mut io::sink())?;
                if skipped == bytes { Ok(()) } else { Err(cut()) }
            }
        }
    }

    /// Moves to an offset from the start; a gzipped stream only ahead from `at`.
    pub(super) fn go_to(&mut self, at: u64, offset: u64) -> io::Result<()> {
        match self {
            Self::Plain { file, .. } => file.seek(SeekFrom::Start(offset)).map(drop),
            Self::Gz(_) => self.skip(offset.checked_sub(at).ok_or_else(|| io::Error::other("is behind"))?),
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain { file, .. } => file.read(buffer),
            Self::Gz(stream) => stream.read(buffer),
        }
    }
}

/// Hands every entry to `each`, in order, with its stored content to read as far as is needed.
///
/// # Errors
/// When the archive is damaged or breaks off, after the entries before; and the errors of `each`.
pub(super) fn walk(
    stream: &mut Stream,
    each: &mut dyn FnMut(Entry, &mut dyn Read) -> io::Result<()>,
) -> io::Result<()> {
    let mut walker = Walker { stream, at: 0, peeked: None };
    let mut pax = Pax::default();
    let (mut long_name, mut long_link) = (None, None);
    // Behind the blocks of zeros that end an archive there may be another one, or anything.
    let mut is_ended = false;
    loop {
        let block = match walker.block() {
            Ok(Some(block)) => block,
            Ok(None) => return Ok(()),
            Err(_) if is_ended => return Ok(()),
            Err(error) => return Err(error),
        };
        if block.iter().all(|byte| *byte == 0) {
            is_ended = true;
            continue;
        }
        let header = Header::from_byte_slice(&block);
        if !is_header(&block, header) {
            let at = walker.at - BLOCK as u64;
            let damaged = || io::Error::other(format!("is damaged: there is no valid header at byte {at}"));
            return if is_ended { Ok(()) } else { Err(damaged()) };
        }
        is_ended = false;
        let size = || header.entry_size();
        match block[156] {
            b'L' => long_name = Some(until_nul(walker.extension(size()?)?)),
            b'K' => long_link = Some(until_nul(walker.extension(size()?)?)),
            b'x' | b'X' => pax = Pax::parse(&walker.extension(size()?)?)?,
            b'g' | b'V' => walker.skip_content(size()?)?,
            flag => {
                let pax = std::mem::take(&mut pax);
                let name = pax.name().or(long_name.take());
                let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
                let link = pax.linkpath.clone().or(long_link.take());
                let link = link.or_else(|| header.link_name_bytes().map(Cow::into_owned)).unwrap_or_default();
                let kind = match flag {
                    // The first form of tar marked directories by their names alone.
                    0 | b'0' if name.ends_with(b"/") => Kind::Directory,
                    b'5' | b'D' | b'N' => Kind::Directory,
                    b'1' => Kind::HardLink(link),
                    b'2' => Kind::Symlink(link),
                    b'3' | b'4' | b'6' => Kind::Special,
                    b'M' => Kind::Unreadable("the rest of it is in another volume of the archive".to_owned()),
                    // Types that nobody knows are files (POSIX.1-2017, pax, "typeflag").
                    _ => Kind::File,
                };
                walker.entry(header, &pax, name, kind, each)?;
            }
        }
    }
}

struct Walker<'a> {
    stream: &'a mut Stream,
    /// Bytes read.
    at: u64,
    /// A block that was read to see what it is.
    peeked: Option<[u8; BLOCK]>,
}

impl Walker<'_> {
    /// The next block; none at the end.
    fn block(&mut self) -> io::Result<Option<[u8; BLOCK]>> {
        if let Some(block) = self.peeked.take() {
            self.at += BLOCK as u64;
            return Ok(Some(block));
        }
        let mut block = [0; BLOCK];
        let mut filled = 0;
        while filled < BLOCK {
            match self.stream.read(&mut block[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) => return Err(cut()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.at += BLOCK as u64;
        Ok(Some(block))
    }

    /// Hands an entry on and moves behind its content.
    fn entry(
        &mut self,
        header: &Header,
        pax: &Pax,
        name: Vec<u8>,
        kind: Kind,
        each: &mut dyn FnMut(Entry, &mut dyn Read) -> io::Result<()>,
    ) -> io::Result<()> {
        let size = pax.size.map_or_else(|| header.entry_size(), Ok)?;
        if !matches!(kind, Kind::File | Kind::Unreadable(_)) {
            let position = self.at;
            each(Entry { name, kind, position, bytes: 0, extents: Vec::new() }, &mut io::empty())?;
            return self.skip_doubtful(size);
        }
        let mut stored = size;
        let map = match (header.as_bytes()[156], &pax.sparse) {
            (b'S', _) => Some(self.old_map(header)?),
            (_, Some(sparse)) if sparse.is_in_content() => {
                let (map, bytes) = self.map_in_content(sparse, size)?;
                stored -= bytes;
                Some(map)
            }
            (_, Some(sparse)) => Some(sparse.map()),
            _ => None,
        };
        let position = self.at;
        let plain = |kind| Entry { name, kind, position, bytes: stored, extents: Vec::new() };
        let entry = match map.map(|map| map.checked(stored)) {
            None => plain(kind),
            Some(Ok(Map { extents, bytes, .. })) => Entry { bytes, extents, ..plain(kind) },
            Some(Err(reason)) => plain(Kind::Unreadable(reason)),
        };
        let mut content = (&mut *self.stream).take(stored);
        each(entry, &mut content)?;
        let rest = content.limit();
        self.at += stored - rest;
        self.skip_exactly(rest.checked_add(padding(stored)).ok_or_else(cut)?)
    }

    /// Old-GNU map of a sparse file: in the header, and in the blocks behind it.
    fn old_map(&mut self, header: &Header) -> io::Result<Map> {
        let Some(gnu) = header.as_gnu() else { return Ok(Map::broken()) };
        let mut map = Map::of_size(gnu.real_size()?);
        map.push_headers(&gnu.sparse)?;
        let mut is_extended = gnu.is_extended();
        while is_extended {
            let mut extension = GnuExtSparseHeader::new();
            *extension.as_mut_bytes() = self.block()?.ok_or_else(cut)?;
            map.push_headers(extension.sparse())?;
            is_extended = extension.is_extended();
        }
        Ok(map)
    }

    /// The map that begins the content in pax form 1.0, and how many bytes it takes there.
    fn map_in_content(&mut self, sparse: &pax::Sparse, size: u64) -> io::Result<(Map, u64)> {
        let mut map = sparse.map();
        let mut text = map::Text::default();
        let mut read = 0;
        while !text.is_complete() && read < size {
            text.push(&self.block()?.ok_or_else(cut)?);
            read += BLOCK as u64;
        }
        text.add_to(&mut map);
        Ok((map, read.min(size)))
    }

    /// Moves behind the content of an entry that should have none: some writers state a size all the same, of which nothing
    /// is there.
    fn skip_doubtful(&mut self, size: u64) -> io::Result<()> {
        if size == 0 {
            return Ok(());
        }
        let Some(block) = self.block()? else { return Ok(()) };
        let is_next =
            block.iter().all(|byte| *byte == 0) || is_header(&block, Header::from_byte_slice(&block));
        if is_next {
            self.peeked = Some(block);
            self.at -= BLOCK as u64;
            return Ok(());
        }
        self.skip_exactly(size.checked_add(padding(size)).ok_or_else(cut)? - BLOCK as u64)
    }

    /// The content of a header that describes the next one.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_EXTENSION_BYTES {
            return Err(io::Error::other(format!("a name has more than {MAX_EXTENSION_BYTES} bytes")));
        }
        let mut bytes = Vec::new();
        let read = (&mut *self.stream).take(size).read_to_end(&mut bytes)? as u64;
        self.at += read;
        if read < size {
            return Err(cut());
        }
        self.skip_exactly(padding(size))?;
        Ok(bytes)
    }

    fn skip_content(&mut self, size: u64) -> io::Result<()> {
        self.skip_exactly(size.checked_add(padding(size)).ok_or_else(cut)?)
    }

    fn skip_exactly(&mut self, bytes: u64) -> io::Result<()> {
        self.stream.skip(bytes)?;
        self.at += bytes;
        Ok(())
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "breaks off within a member (truncated archive)")
}

/// Bytes from the end of content to the end of its block.
const fn padding(size: u64) -> u64 {
    (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64
}

fn until_nul(mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some(end) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(end);
    }
    bytes
}

/// Whether the block's checksum is right; some old writers summed signed bytes.
fn is_header(block: &[u8; BLOCK], header: &Header) -> bool {
    let summed = |value: &dyn Fn(u8) -> i64| {
        let of = |(at, byte): (usize, &u8)| value(if (148..156).contains(&at) { b' ' } else { *byte });
        block.iter().enumerate().map(of).sum::<i64>()
    };
    let unsigned = |byte: u8| i64::from(byte);
    let signed = |byte: u8| i64::from(byte.cast_signed());
    header.cksum().is_ok_and(|sum| [summed(&unsigned), summed(&signed)].contains(&i64::from(sum)))
}

//! Members of zip archives.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipReadOptions;
use zip::read::{Config, OwnedZipFileEntry};
use zip::unstable::read::ZipIterable;

use super::super::nature::{Judgment, Nature};
use super::super::start_of;
use super::damaged;
use super::links::{Key, Links};
use super::listing::{Listing, judge_member};
use crate::source::Member;
use medclip_core::name;
use medclip_scorer::Failure;

/// Longest target of a link, in bytes.
const MAX_TARGET_BYTES: u64 = 4096;

/// Signature of an entry of the central directory.
const ENTRY: [u8; 4] = *b"PK\x01\x02";

/// Names that end so are of directories.
const SEPARATORS: [u8; 2] = *b"/\\";

pub(super) fn list(path: &Path, listing: &mut Listing<'_, '_>) -> io::Result<()> {
    let mut links: Option<Links<(u64, Member, Nature)>> = None;
    let tells = listing.options().and_then(|options| options.by_start);
    each_entry(path, &mut |number, entry, file| {
        if is_directory(&entry) {
            return Ok(());
        }
        let raw = name_of(&entry);
        if !entry.is_symlink() {
            let nature = |tells: fn(&[u8]) -> Nature| Ok(tells(&start_of(open(&entry, file)?)?));
            return listing.member(&raw, nature, || Ok(place(number, &entry)));
        }
        let links = match &mut links {
            Some(links) => links,
            none => none.insert(resolved(path, tells)?),
        };
        let target = target(&entry, &raw, file);
        let file = target.and_then(|target| links.resolve(&target, number));
        let nature = |_: fn(&[u8]) -> Nature| Ok(file.map_or(Nature::Unknown, |(_, _, nature)| *nature));
        let judgment = |own: &str, options: &_| match judge_member(own, options, nature) {
            Judgment::Other(_) => Judgment::Other("link".into()),
            judgment => judgment,
        };
        let lost = || Failure::new("archive", "is a link to a file that is not in the archive");
        listing.judged(&raw, judgment, || file.map(|(_, member, _)| member.clone()).ok_or_else(lost))
    })
}

/// Takes an entry, its number, and the file to read its content from.
type Each<'a> = dyn FnMut(u64, OwnedZipFileEntry, &mut BufReader<File>) -> io::Result<()> + 'a;

/// Every entry of the central directory, also those whose name there is another of, with its number.
fn each_entry(path: &Path, each: &mut Each<'_>) -> io::Result<()> {
    let mut archive =
        ZipIterable::try_new(BufReader::new(File::open(path)?), Config::default()).map_err(damaged)?;
    let mut content = BufReader::new(File::open(path)?);
    let entries = archive.files().map_err(damaged)?;
    let mut number = 0;
    for entry in entries.by_ref() {
        each(number, entry.map_err(damaged)?.into(), &mut content)?;
        number += 1;
    }
    // The count has 16 bits where a writer knew no zip64: of more members, only the rest would be seen.
    let mut next = Vec::new();
    if number > 0 {
        entries.reader_mut().take(4).read_to_end(&mut next)?;
    }
    if next == ENTRY {
        return Err(io::Error::other("is damaged: it has more members than it says"));
    }
    Ok(())
}

/// All entries, for reading by number.
pub(super) fn entries(path: &Path) -> io::Result<Vec<OwnedZipFileEntry>> {
    let mut all = Vec::new();
    each_entry(path, &mut |_, entry, _| {
        all.push(entry);
        Ok(())
    })?;
    Ok(all)
}

/// The content of an entry.
pub(super) fn open<'a>(
    entry: &'a OwnedZipFileEntry,
    file: &'a mut BufReader<File>,
) -> io::Result<impl Read + 'a> {
    if entry.encrypted() {
        return Err(io::Error::other("the member is encrypted"));
    }
    entry.as_ref().with_reader(file, ZipReadOptions::new()).map_err(damaged)
}

/// The name: UTF-8 where it is that or the entry says so, otherwise what its bytes mean in code page 437, in which every byte
/// is a character (APPNOTE 4.4.17, appendix D; Info-ZIP's Unicode path field 0x7075 has been put in its place by the reader).
pub(super) fn name_of(entry: &OwnedZipFileEntry) -> Vec<u8> {
    entry.name().map_or_else(|_| entry.name_raw().to_vec(), |name| name.into_owned().into_bytes())
}

fn is_directory(entry: &OwnedZipFileEntry) -> bool {
    entry.is_dir() || entry.size() == 0 && entry.name_raw().last().is_some_and(|end| SEPARATORS.contains(end))
}

fn place(number: u64, entry: &OwnedZipFileEntry) -> Member {
    Member { position: number, bytes: entry.size(), ..Member::default() }
}

/// Where a symbolic link points: that is its content.
fn target(entry: &OwnedZipFileEntry, raw: &[u8], file: &mut BufReader<File>) -> Option<Key> {
    let mut target = Vec::new();
    open(entry, file).ok()?.take(MAX_TARGET_BYTES).read_to_end(&mut target).ok()?;
    Key::beside(raw, &target)
}

fn resolved(path: &Path, tells: Option<fn(&[u8]) -> Nature>) -> io::Result<Links<(u64, Member, Nature)>> {
    let mut targets = HashMap::new();
    each_entry(path, &mut |_, entry, file| {
        let raw = name_of(&entry);
        let target = if entry.is_symlink() { target(&entry, &raw, file) } else { None };
        if let Some((name, target)) = Key::of(&raw).zip(target) {
            targets.insert(name, target);
        }
        Ok(())
    })?;
    let mut links = Links::new(targets);
    each_entry(path, &mut |number, entry, file| {
        let raw = name_of(&entry);
        let Some(key) = Key::of(&raw).filter(|key| links.wants(key)) else { return Ok(()) };
        if entry.is_symlink() || is_directory(&entry) {
            return Ok(());
        }
        let mut start = || start_of(open(&entry, file)?);
        let nature =
            tells.map_or(Nature::Unknown, |tells| start().map_or(Nature::Unknown, |start| tells(&start)));
        let member = Member { link: Some(name::escape(&raw)), ..place(number, &entry) };
        links.add_file(key, number, (number, member, nature));
        Ok(())
    })?;
    Ok(links)
}

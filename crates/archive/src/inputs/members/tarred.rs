//! Members of tar archives.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::super::nature::{Judgment, Nature};
use super::super::tar::{Entry, Kind, Stream, walk};
use super::super::{START_BYTES, start_of};
use super::links::{Key, Links};
use super::listing::{Listing, judge_member};
use crate::source::Member;
use medclip_core::name;
use medclip_scorer::Failure;

/// A file that links may stand for.
#[derive(Debug)]
struct Located {
    name: Vec<u8>,
    place: Result<Member, Failure>,
    /// None where nothing tells natures.
    nature: Option<Nature>,
}

pub(super) fn list(path: &Path, listing: &mut Listing<'_, '_>) -> io::Result<()> {
    let tells = listing.options().and_then(|options| options.by_start);
    let mut links: Option<Links<Located>> = None;
    let mut number = 0;
    walk(&mut Stream::open(File::open(path)?)?, &mut |entry, content| {
        number += 1;
        match &entry.kind {
            Kind::Directory => Ok(()),
            Kind::Special => {
                let special = |_: &str, _: &_| Judgment::NoFilm("device, socket or pipe".into());
                listing.judged(&entry.name, special, || Err(Failure::new("archive", "is no file")))
            }
            Kind::File | Kind::Unreadable(_) => {
                let nature = |tells: fn(&[u8]) -> Nature| nature(&entry, content, tells);
                listing.member(&entry.name, nature, || place(&entry))
            }
            Kind::HardLink(target) | Kind::Symlink(target) => {
                // Archives without links, which are most, are read once.
                let links = match &mut links {
                    Some(links) => links,
                    none => none.insert(resolved(path, tells)?),
                };
                let key = match entry.kind {
                    Kind::HardLink(_) => Key::of(target),
                    _ => Key::beside(&entry.name, target),
                };
                link(&entry.name, key.and_then(|key| links.resolve(&key, number)), listing)
            }
        }
    })
}

/// A link is an input where its own name or its file is one.
fn link(link: &[u8], file: Option<&Located>, listing: &mut Listing<'_, '_>) -> io::Result<()> {
    let Some(Located { name, place, nature }) = file else {
        let unknown = |_: fn(&[u8]) -> Nature| Ok(Nature::Unknown);
        let lost = || Err(Failure::new("archive", "is a link to a file that is not in the archive"));
        return listing.judged(
            link,
            |name, options| match judge_member(name, options, unknown) {
                Judgment::Other(_) => Judgment::Other("link".into()),
                judgment => judgment,
            },
            lost,
        );
    };
    let known = |_: fn(&[u8]) -> Nature| Ok(nature.unwrap_or(Nature::Unknown));
    let judgment = |own: &str, options: &_| match judge_member(own, options, known) {
        Judgment::Other(reason) => match judge_member(&name::escape(name), options, known) {
            Judgment::Other(_) => Judgment::Other(reason),
            judgment => judgment,
        },
        judgment => judgment,
    };
    listing.judged(link, judgment, || place.clone())
}

fn place(entry: &Entry) -> Result<Member, Failure> {
    match &entry.kind {
        Kind::Unreadable(reason) => Err(Failure::new("archive", reason)),
        _ => Ok(Member {
            position: entry.position,
            bytes: entry.bytes,
            extents: entry.extents.clone(),
            ..Member::default()
        }),
    }
}

/// What the start of a file says of it; of a sparse file, holes are zeros.
fn nature(entry: &Entry, content: &mut dyn Read, tells: fn(&[u8]) -> Nature) -> io::Result<Nature> {
    let stored = start_of(content)?;
    if entry.extents.is_empty() {
        return Ok(tells(&stored));
    }
    let mut start = vec![0; entry.bytes.min(START_BYTES) as usize];
    let mut stored = &stored[..];
    for &(offset, length) in &entry.extents {
        let Some(place) = usize::try_from(offset).ok().and_then(|offset| start.get_mut(offset..)) else {
            break;
        };
        let count = stored.len().min(place.len()).min(usize::try_from(length).unwrap_or(usize::MAX));
        place[..count].copy_from_slice(&stored[..count]);
        stored = &stored[count..];
    }
    Ok(tells(&start))
}

/// The archive's links and their files: a pass for the former, another for the latter.
fn resolved(path: &Path, tells: Option<fn(&[u8]) -> Nature>) -> io::Result<Links<Located>> {
    let mut targets = HashMap::new();
    let pass = |each: &mut dyn FnMut(Entry, &mut dyn Read) -> io::Result<()>| {
        // Damage ends the pass that lists members too, which tells it.
        let _ = walk(&mut Stream::open(File::open(path)?)?, each);
        io::Result::Ok(())
    };
    pass(&mut |entry, _| {
        let target = match &entry.kind {
            Kind::HardLink(target) => Key::of(target),
            Kind::Symlink(target) => Key::beside(&entry.name, target),
            _ => None,
        };
        if let Some((name, target)) = Key::of(&entry.name).zip(target) {
            targets.insert(name, target);
        }
        Ok(())
    })?;
    let mut links = Links::new(targets);
    let mut number = 0;
    pass(&mut |entry, content| {
        number += 1;
        let key = Key::of(&entry.name).filter(|key| links.wants(key));
        if let (Some(key), Kind::File | Kind::Unreadable(_)) = (key, &entry.kind) {
            let nature = tells.map(|tells| nature(&entry, content, tells)).transpose()?;
            let place = place(&entry);
            links.add_file(key, number, Located { name: entry.name, place, nature });
        }
        Ok(())
    })?;
    Ok(links)
}

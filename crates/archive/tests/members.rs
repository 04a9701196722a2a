//! Every member of an archive has a row, a name of its own, and its own content.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use medclip_archive::intake::{ArchiveReader, find};
use medclip_archive::{IntakeOptions, Nature, Skipped, Source, expand_and_count};
use tar::EntryType;
use zip::write::{FileOptions, SimpleFileOptions};
use zip::{CompressionMethod, ZipWriter};

/// Texts that begin with `film` are films, `report…` are of a kind that is none.
fn options() -> IntakeOptions {
    let nature = |start: &[u8]| match start {
        [b'f', b'i', b'l', b'm', ..] => Nature::Film,
        [b'r', b'e', b'p', b'o', b'r', b't', ..] => Nature::NoFilm("report"),
        _ => Nature::Unknown,
    };
    IntakeOptions { extensions: vec!["png".to_owned()], by_start: Some(nature), portion: None }
}

fn search(path: &Path) -> (Vec<Source>, Skipped) {
    let mut sources = Vec::new();
    let counted = expand_and_count(&[path.to_owned()], &options(), &mut io::empty(), &mut |source| {
        sources.push(source);
        Ok(())
    });
    (sources, counted.unwrap())
}

/// Name and content of every input, `?kind` where it has none; each is found again by its id, whatever is read first.
fn rows(path: &Path) -> Vec<(String, String)> {
    let (sources, _) = search(path);
    let mut reader = ArchiveReader::default();
    let mut content = |source: &Source| match (&source.problem, &source.member) {
        (Some(problem), _) => format!("?{}", problem.kind),
        (None, Some(member)) => match reader.read(&source.path, member) {
            Ok(bytes) => String::from_utf8(bytes).unwrap(),
            Err(failure) => format!("?{}", failure.kind),
        },
        (None, None) => panic!("a file"),
    };
    let ids: HashSet<String> = sources.iter().map(Source::id).collect();
    assert_eq!(ids.len(), sources.len(), "an id twice: {ids:?}");
    let contents: Vec<String> = sources.iter().map(&mut content).collect();
    for (source, expected) in sources.iter().zip(&contents).rev() {
        if source.member.is_some() {
            assert_eq!(&find(&source.id()).unwrap(), source);
        }
        assert_eq!(&content(source), expected, "read in another order");
        let line = serde_json::to_string(source).unwrap();
        assert_eq!(&serde_json::from_str::<Source>(&line).unwrap(), source);
    }
    let prefix = format!("{}!", path.display());
    let name = |source: &Source| source.id().strip_prefix(&prefix).unwrap_or("").to_owned();
    sources.iter().map(name).zip(contents).collect()
}

fn assert_rows(path: &Path, expected: &[(&str, &str)]) {
    let rows = rows(path);
    let rows: Vec<_> = rows.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    assert_eq!(rows, expected, "{}", path.display());
}

// ---- zip

fn stored() -> SimpleFileOptions {
    SimpleFileOptions::default().compression_method(CompressionMethod::Stored)
}

/// A zip of stored members under raw names, which the writer of the zip crate would refuse or change: every name is written
/// as one of as many `_`, and put in its place in the bytes.
fn raw_zip(path: &Path, members: &[(&[u8], &str)]) {
    let mut zip = ZipWriter::new(io::Cursor::new(Vec::new()));
    let stand_in = |number: usize, length: usize| {
        let number = number.to_string();
        format!("{}{number}", "_".repeat(length - number.len()))
    };
    for (number, (name, content)) in members.iter().enumerate() {
        zip.start_file(stand_in(number, name.len()), stored()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    let mut bytes = zip.finish().unwrap().into_inner();
    for (number, (name, _)) in members.iter().enumerate() {
        let stand_in = stand_in(number, name.len());
        while let Some(at) = bytes.windows(name.len()).position(|window| window == stand_in.as_bytes()) {
            bytes[at..at + name.len()].copy_from_slice(name);
        }
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn zip_members_of_one_name_all_have_rows() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.zip");
    raw_zip(&path, &[(b"a.png", "film 1"), (b"a.png", "film 2"), (b"b.png", "film 3"), (b"a.png", "film 4")]);
    assert_rows(
        &path,
        &[("a.png", "film 1"), ("a.png#2", "film 2"), ("b.png", "film 3"), ("a.png#3", "film 4")],
    );
    // A name that reads like the number of another one.
    raw_zip(&path, &[(b"a.png#2", "film 1"), (b"a.png", "film 2"), (b"a.png", "film 3")]);
    assert_rows(&path, &[("a.png#2#1", "film 1"), ("a.png", "film 2"), ("a.png#2", "film 3")]);
    // One in a directory and one that is none by its name.
    raw_zip(&path, &[(b"d/IM1", "film 1"), (b"d/IM1", "text"), (b"d/IM1", "film 3")]);
    assert_rows(&path, &[("d/IM1", "film 1"), ("d/IM1#3", "film 3")]);
}

#[test]
fn zip_names_of_any_bytes_stay_apart() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.zip");
    raw_zip(&path, &[(b"\x84M.png", "film 1"), (b"\x94M.png", "film 2"), (b"\xffM.png", "film 3")]);
    assert_rows(&path, &[("äM.png", "film 1"), ("öM.png", "film 2"), ("\u{a0}M.png", "film 3")]);
    // The same name by two encodings is two members of one name.
    raw_zip(&path, &["ä.png".as_bytes(), b"\x84.png"].map(|name| (name, "film")));
    assert_rows(&path, &[("ä.png", "film"), ("ä.png#2", "film")]);
    // What a terminal would obey, and what looks like its escape.
    raw_zip(&path, &[(b"a\x1b[2J.png", "film 1"), (b"a\\x1b[2J.png", "film 2"), (b"a\n.png", "film 3")]);
    assert_rows(
        &path,
        &[("a\\x1b[2J.png", "film 1"), ("a\\x5cx1b[2J.png", "film 2"), ("a\\x0a.png", "film 3")],
    );
}

#[test]
fn a_unicode_path_field_names_the_member() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.zip");
    let raw = b"_________.png";
    let mut field = vec![1];
    field.extend(crc32(raw).to_le_bytes());
    field.extend("gr\u{fc}n.png".as_bytes());
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    let mut options = FileOptions::<zip::write::ExtendedFileOptions>::default();
    options.add_extra_field(0x7075, field, true).unwrap();
    zip.start_file(std::str::from_utf8(raw).unwrap(), options).unwrap();
    zip.write_all(b"film").unwrap();
    zip.finish().unwrap();
    assert_rows(&path, &[("grün.png", "film")]);
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

#[test]
fn zip_members_that_cannot_be_read_have_rows_too() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.zip");
    let names: [&[u8]; 4] = [b"a.png", b"IM1", b"notes.txt", b"z.png"];
    // Encrypted; compressed by deflate64, LZMA, zstd; each in both headers.
    let flags: (usize, usize, [u8; 2]) = (6, 8, [1, 0]);
    let methods = [9u8, 14, 93].map(|method| (8, 10, [method, 0]));
    for (local, central, value) in [flags].into_iter().chain(methods) {
        raw_zip(&path, &names.map(|name| (name, "film")));
        let mut bytes = fs::read(&path).unwrap();
        for at in 0..bytes.len() - 4 {
            let offset = match &bytes[at..at + 4] {
                b"PK\x03\x04" => local,
                b"PK\x01\x02" => central,
                _ => continue,
            };
            let is_last = bytes[at + 30..].starts_with(b"z.png") || bytes[at + 46..].starts_with(b"z.png");
            if !is_last {
                bytes[at + offset..at + offset + 2].copy_from_slice(&value);
            }
        }
        fs::write(&path, bytes).unwrap();
        assert_rows(&path, &[("a.png", "?archive"), ("IM1", "?archive"), ("z.png", "film")]);
        assert_eq!(search(&path).1.to_string(), "1 file not looked at (1 unreadable)");
    }
}

#[test]
fn zips_of_every_build_are_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.zip");
    // As programs that unpack themselves have it.
    raw_zip(&path, &[(b"a.png", "film 1"), (b"b.png", "film 2")]);
    let whole = fs::read(&path).unwrap();
    fs::write(&path, [b"#!/bin/sh\nexit 0\n".repeat(40), whole].concat()).unwrap();
    assert_rows(&path, &[("a.png", "film 1"), ("b.png", "film 2")]);
    // Sizes behind the content, and sizes in zip64.
    let mut stream = ZipWriter::new_stream(File::create(&path).unwrap());
    stream.start_file("a.png", SimpleFileOptions::default()).unwrap();
    stream.write_all(b"film 1").unwrap();
    stream.finish().unwrap();
    assert_rows(&path, &[("a.png", "film 1")]);
    let mut large = ZipWriter::new(File::create(&path).unwrap());
    large.start_file("a.png", stored().large_file(true)).unwrap();
    large.write_all(b"film 1").unwrap();
    large.finish().unwrap();
    assert_rows(&path, &[("a.png", "film 1")]);
    // More members than the directory counts, as writers without zip64 leave it behind 65,535.
    raw_zip(&path, &[(b"a.png", "film 1"), (b"b.png", "film 2"), (b"c.png", "film 3")]);
    let mut bytes = fs::read(&path).unwrap();
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06").unwrap();
    for at in [8, 10] {
        bytes[end + at..end + at + 2].copy_from_slice(&[1, 0]);
    }
    fs::write(&path, bytes).unwrap();
    let (sources, _) = search(&path);
    let kinds: Vec<_> =
        sources.iter().map(|source| source.problem.as_ref().map(|problem| &*problem.kind)).collect();
    assert!(kinds.contains(&Some("archive")), "{kinds:?}");
}

#[test]
fn zip_links_stand_for_their_files() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.zip");
    let mut zip = ZipWriter::new(File::create(&path).unwrap());
    zip.add_symlink("d/link.png", "../f/blob.bin", stored()).unwrap();
    for (name, content) in [("f/blob.bin", "film 1"), ("f/text.txt", "text")] {
        zip.start_file(name, stored()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.add_symlink("film", "f/blob.bin", stored()).unwrap();
    zip.add_symlink("lost.png", "gone.png", stored()).unwrap();
    zip.add_symlink("out.png", "/etc/hostname", stored()).unwrap();
    zip.add_symlink("notes", "f/text.txt", stored()).unwrap();
    zip.finish().unwrap();
    assert_rows(
        &path,
        &[
            ("d/link.png", "film 1"),
            ("f/blob.bin", "film 1"),
            ("film", "film 1"),
            ("lost.png", "?archive"),
            ("out.png", "?archive"),
        ],
    );
    assert_eq!(search(&path).1.to_string(), "2 files not looked at (1 .txt, 1 link)");
}

// ---- tar

/// Headers and contents, one after the other.
#[derive(Default)]
struct Tape(Vec<u8>);

impl Tape {
    fn header(name: &[u8], kind: u8, size: u64, link: &[u8]) -> tar::Header {
        let mut header = tar::Header::new_gnu();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..link.len()].copy_from_slice(link);
        header.set_entry_type(EntryType::new(kind));
        header.set_size(size);
        header
    }

    fn push(&mut self, mut header: tar::Header, content: &[u8]) -> &mut Self {
        header.set_cksum();
        self.0.extend(header.as_bytes());
        self.content(content)
    }

    fn content(&mut self, content: &[u8]) -> &mut Self {
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn file(&mut self, name: &str, content: &str) -> &mut Self {
        self.kind(b'0', name, content)
    }

    fn kind(&mut self, kind: u8, name: &str, content: &str) -> &mut Self {
        let header = Self::header(name.as_bytes(), kind, content.len() as u64, b"");
        self.push(header, content.as_bytes())
    }

    fn link(&mut self, kind: u8, name: &str, target: &str) -> &mut Self {
        self.push(Self::header(name.as_bytes(), kind, 0, target.as_bytes()), b"")
    }

    /// A pax header of these records.
    fn pax(&mut self, records: &[(&str, &str)]) -> &mut Self {
        let record = |(key, value): &(&str, &str)| {
            let length = key.len() + value.len() + 3;
            let digits = if length + 2 > 99 { 3 } else { 2 };
            format!("{} {key}={value}\n", length + digits)
        };
        let text: String = records.iter().map(record).collect();
        self.kind(b'x', "pax", &text)
    }

    /// Writes the archive plain, gzipped, and under names that say the other.
    fn write(&self, root: &Path) -> Vec<std::path::PathBuf> {
        let whole = [&self.0[..], &[0; 1024]].concat();
        let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gz.write_all(&whole).unwrap();
        let gz = gz.finish().unwrap();
        let named = [("x.tar", &whole), ("x.tar.gz", &gz), ("gz.tar", &gz), ("plain.tgz", &whole)];
        let write = |(name, bytes): (&str, &Vec<u8>)| {
            let path = root.join(name);
            fs::write(&path, bytes).unwrap();
            path
        };
        named.map(write).to_vec()
    }

    fn assert_rows(&self, expected: &[(&str, &str)]) {
        let root = tempfile::tempdir().unwrap();
        for path in self.write(root.path()) {
            assert_rows(&path, expected);
        }
    }

    fn skipped(&self) -> String {
        let root = tempfile::tempdir().unwrap();
        search(&self.write(root.path())[0]).1.to_string()
    }
}

#[test]
fn tar_links_have_the_content_of_their_files() {
    let mut tape = Tape::default();
    tape.link(b'1', "early.png", "d/a.png").file("d/a.png", "film 1").file("d/blob", "film 2");
    tape.link(b'2', "d/near.png", "a.png").link(b'1', "far.png", "./d/blob").link(
        b'2',
        "d/up.png",
        "../far.png",
    );
    tape.link(b'2', "d/IM7", "a.png").link(b'2', "notes", "readme").file("readme", "text");
    tape.link(b'2', "lost.png", "gone.png")
        .link(b'2', "out.png", "/etc/hostname")
        .link(b'1', "up.png", "../a.png");
    tape.link(b'2', "x.png", "y.png").link(b'2', "y.png", "x.png");
    tape.assert_rows(&[
        ("early.png", "film 1"),
        ("d/a.png", "film 1"),
        ("d/blob", "film 2"),
        ("d/near.png", "film 1"),
        ("far.png", "film 2"),
        ("d/up.png", "film 2"),
        ("d/IM7", "film 1"),
        ("lost.png", "?archive"),
        ("out.png", "?archive"),
        ("up.png", "?archive"),
        ("x.png", "?archive"),
        ("y.png", "?archive"),
    ]);
    assert_eq!(tape.skipped(), "2 files not looked at (2 no suffix)");
}

#[test]
fn tar_members_of_one_name_all_have_rows_and_links_take_the_last_before_them() {
    let mut tape = Tape::default();
    tape.file("a.png", "film 1")
        .link(b'1', "b.png", "a.png")
        .file("a.png", "film 2")
        .link(b'1', "c.png", "a.png");
    tape.link(b'1', "b.png", "a.png");
    tape.assert_rows(&[
        ("a.png", "film 1"),
        ("b.png", "film 1"),
        ("a.png#2", "film 2"),
        ("c.png", "film 2"),
        ("b.png#2", "film 2"),
    ]);
}

#[test]
fn every_kind_of_tar_member_is_told_from_the_others() {
    let mut tape = Tape::default();
    // Contiguous, of the first form of tar, of a type nobody knows, and a directory of that first form.
    tape.kind(b'7', "7.png", "film 7").kind(0, "0.png", "film 0").kind(b'A', "A.png", "film A");
    tape.kind(0, "d.png/", "").kind(b'5', "e.png", "").kind(b'V', "volume.png", "").kind(b'g', "g", "");
    tape.kind(b'3', "device.png", "").kind(b'6', "pipe.png", "").kind(b'M', "rest.png", "film M");
    tape.file("report.png", "report of a film").file("inner.zip", "PK").file("__MACOSX/._a.png", "junk");
    tape.assert_rows(&[
        ("7.png", "film 7"),
        ("0.png", "film 0"),
        ("A.png", "film A"),
        ("rest.png", "?archive"),
    ]);
    assert_eq!(
        tape.skipped(),
        "1 file not looked at (1 archive within an archive), \
         4 files that are no films (2 device, socket or pipe, 1 report, 1 system file)"
    );
}

#[test]
fn long_names_and_names_of_any_bytes_are_kept() {
    let long = format!("{}.png", "long/".repeat(40));
    let mut tape = Tape::default();
    tape.kind(b'L', "././@LongLink", &format!("{long}\0")).file("long", "film 1");
    tape.pax(&[("path", &long)]).file("short", "film 2");
    tape.pax(&[("path", "two\nlines=1.png"), ("mtime", "1.5")]).file("short", "film 3");
    tape.push(Tape::header(b"\x84M.png", b'0', 4, b""), b"film")
        .push(Tape::header(b"\x94M.png", b'0', 4, b""), b"film");
    tape.file("\\x84M.png", "film 4");
    tape.kind(b'K', "././@LongLink", &format!("{long}\0")).link(b'1', "h.png", "long");
    tape.pax(&[("linkpath", &long)]).link(b'2', "s.png", "long");
    let again = format!("{long}#2");
    tape.assert_rows(&[
        (&long, "film 1"),
        (&again, "film 2"),
        ("two\\x0alines=1.png", "film 3"),
        ("\\x84M.png", "film"),
        ("\\x94M.png", "film"),
        ("\\x5cx84M.png", "film 4"),
        ("h.png", "film 2"),
        ("s.png", "film 2"),
    ]);
}

#[test]
fn sizes_are_believed_where_they_count() {
    let mut tape = Tape::default();
    // In pax; of a hard link whose content is not there, and of one whose content is; of a directory.
    let mut large = Tape::header(b"pax.png", b'0', 0, b"");
    large.set_size(0);
    tape.pax(&[("size", "6")]).push(large, b"film 1");
    tape.push(Tape::header(b"h.png", b'1', 6, b"pax.png"), b"").file("a.png", "film 2");
    tape.push(Tape::header(b"i.png", b'1', 6, b"pax.png"), b"film 1").file("b.png", "film 3");
    tape.push(Tape::header(b"dir", b'5', 4096, b""), b"").file("c.png", "film 4");
    // One archive behind the other.
    tape.content(&[0; 1024]).file("d.png", "film 5");
    tape.assert_rows(&[
        ("pax.png", "film 1"),
        ("h.png", "film 1"),
        ("a.png", "film 2"),
        ("i.png", "film 1"),
        ("b.png", "film 3"),
        ("c.png", "film 4"),
        ("d.png", "film 5"),
    ]);
    // Whatever lies behind the end is no member.
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar");
    fs::write(&path, [Tape::default().file("a.png", "film").0.as_slice(), &[0; 1024], &[7; 700]].concat())
        .unwrap();
    assert_rows(&path, &[("a.png", "film")]);
}

/// `film` in front, a hole up to 1024, then `end`.
fn sparse_content() -> String {
    format!("film{}end", "\0".repeat(1020))
}

#[test]
fn sparse_files_are_put_together() {
    let content = sparse_content();
    let pieces = [&b"film"[..], &[0; 508], b"end"].concat();
    let mut tape = Tape::default();
    // Of old GNU form, with a block of pieces behind the header.
    let mut header = Tape::header(b"old.png", b'S', 515, b"");
    let gnu = header.as_gnu_mut().unwrap();
    gnu.set_real_size(1027);
    gnu.sparse[0].set_offset(0);
    gnu.sparse[0].set_length(512);
    gnu.set_is_extended(true);
    header.set_cksum();
    tape.0.extend(header.as_bytes());
    let mut more = tar::GnuExtSparseHeader::new();
    more.sparse_mut()[0].set_offset(1024);
    more.sparse_mut()[0].set_length(3);
    more.sparse_mut()[1].set_offset(1027);
    more.sparse_mut()[1].set_length(0);
    tape.content(more.as_bytes()).content(&pieces);
    // Of the three pax forms.
    tape.pax(&[
        ("GNU.sparse.size", "1027"),
        ("GNU.sparse.numblocks", "2"),
        ("GNU.sparse.offset", "0"),
        ("GNU.sparse.numbytes", "512"),
        ("GNU.sparse.offset", "1024"),
        ("GNU.sparse.numbytes", "3"),
    ]);
    tape.push(Tape::header(b"0.png", b'0', 515, b""), &pieces);
    tape.pax(&[
        ("GNU.sparse.size", "1027"),
        ("GNU.sparse.map", "0,512,1024,3"),
        ("GNU.sparse.name", "1.png"),
    ]);
    tape.push(Tape::header(b"GNUSparseFile.1/1.png", b'0', 515, b""), &pieces);
    tape.pax(&[
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "2.png"),
        ("GNU.sparse.realsize", "1027"),
    ]);
    let mut map = b"2\n0\n512\n1024\n3\n".to_vec();
    map.resize(512, 0);
    tape.push(Tape::header(b"GNUSparseFile.1/2.png", b'0', 1027, b""), &[map, pieces.clone()].concat());
    // A film by its content alone, a link to one, and maps that make no sense.
    tape.pax(&[("GNU.sparse.size", "1027"), ("GNU.sparse.map", "0,512,1024,3")]);
    tape.push(Tape::header(b"IM5", b'0', 515, b""), &pieces).link(b'1', "link.png", "old.png");
    for map in ["0,512,100,3", "0,512", "0,512,2000,3", "0,512,x,3", "18446744073709551615,512,1024,3"] {
        tape.pax(&[("GNU.sparse.size", "1027"), ("GNU.sparse.map", map)]);
        tape.push(Tape::header(b"bad.png", b'0', 515, b""), &pieces);
    }
    tape.file("last.png", "film");
    tape.assert_rows(&[
        ("old.png", &content),
        ("0.png", &content),
        ("1.png", &content),
        ("2.png", &content),
        ("IM5", &content),
        ("link.png", &content),
        ("bad.png", "?archive"),
        ("bad.png#2", "?archive"),
        ("bad.png#3", "?archive"),
        ("bad.png#4", "?archive"),
        ("bad.png#5", "?archive"),
        ("last.png", "film"),
    ]);
}

#[test]
fn a_sparse_file_that_claims_too_much_takes_no_memory() {
    let mut tape = Tape::default();
    tape.pax(&[("GNU.sparse.size", "600000000000"), ("GNU.sparse.map", "0,4")]);
    tape.push(Tape::header(b"a.png", b'0', 4, b""), b"film").file("b.png", "film 2");
    tape.assert_rows(&[("a.png", "?too_large"), ("b.png", "film 2")]);
}

#[test]
fn a_tar_that_breaks_off_keeps_the_rows_before() {
    let root = tempfile::tempdir().unwrap();
    let whole = Tape::default().file("a.png", "film 1").file("b.png", "film 2").0.clone();
    let path = root.path().join("x.tar");
    for (length, expected) in [(1030, 2), (1536 + 3, 3), (700, 2)] {
        fs::write(&path, &whole[..length]).unwrap();
        let rows = rows(&path);
        assert_eq!(rows.len(), expected, "{length}: {rows:?}");
        assert_eq!(rows.last().unwrap().1, "?archive", "{length}");
    }
    let mut damaged = whole.clone();
    damaged[1024 + 20] ^= 1;
    fs::write(&path, damaged).unwrap();
    assert_rows(&path, &[("a.png", "film 1"), ("", "?archive")]);
}

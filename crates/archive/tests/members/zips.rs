//! Members of zip archives.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use zip::write::{FileOptions, SimpleFileOptions};
use zip::{CompressionMethod, ZipWriter};

use super::{assert_rows, search};

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

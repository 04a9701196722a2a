//! Damaged archives: no panic, no hang, memory within limits, whatever their members say.
//!
//! `cargo test` runs some hundred mutations. Many more:
//!
//! ```sh
//! MEDCLIP_MUTATIONS=40000 cargo test --release -p medclip-archive --test mutations -- --nocapture
//! ```
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a long test reports what it saw")]

#[path = "../../data/tests/support/mod.rs"]
#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod mutation;

use std::fs;
use std::io::{self, Cursor, Write};
use std::path::Path;

use medclip_archive::inputs::{ArchiveReader, MAX_MEMBER_BYTES};
use medclip_archive::{InputOptions, expand};
use tar::EntryType;
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

/// Members of a damaged archive that are read.
const MOST_MEMBERS: usize = 100;

/// Lists an archive and reads its members; whether all could be.
fn is_sound(path: &Path) -> bool {
    let options =
        InputOptions { extensions: ["png", "dcm", ""].map(str::to_owned).into(), ..InputOptions::default() };
    let mut sources = Vec::new();
    let listed = expand(&[path.to_owned()], &options, &mut io::empty(), &mut |source| {
        sources.push(source);
        Ok(())
    });
    listed.unwrap();
    let mut reader = ArchiveReader::default();
    let mut is_sound = !sources.is_empty();
    for source in sources.iter().take(MOST_MEMBERS) {
        assert!(!source.id().is_empty());
        let read = source.member.as_ref().map(|member| reader.read(&source.path, member));
        is_sound &= match read {
            Some(Ok(bytes)) => {
                assert!(bytes.len() as u64 <= MAX_MEMBER_BYTES);
                true
            }
            _ => false,
        };
    }
    is_sound
}

#[test]
fn damaged_archives_neither_panic_nor_hang_nor_outgrow_the_limits() {
    let directory = tempfile::tempdir().unwrap();
    mutation::run("archives", &seeds(), 1500, |name, bytes| {
        let path = directory.path().join(name);
        fs::write(&path, bytes).unwrap();
        is_sound(&path)
    });
}

#[test]
fn the_seeds_are_sound() {
    let directory = tempfile::tempdir().unwrap();
    for (name, bytes) in seeds() {
        let path = directory.path().join(&name);
        fs::write(&path, bytes).unwrap();
        // Links and sparse files are for the reader of archives to judge.
        assert!(is_sound(&path) || name.starts_with("odd"), "{name}");
    }
}

fn seeds() -> Vec<(String, Vec<u8>)> {
    let tar = tar_of();
    vec![
        ("stored.zip".to_owned(), zip_of(CompressionMethod::Stored)),
        ("deflated.zip".to_owned(), zip_of(CompressionMethod::Deflated)),
        ("plain.tar".to_owned(), tar.clone()),
        ("packed.tar.gz".to_owned(), gzip(&tar)),
        ("odd.tar".to_owned(), odd_tar()),
        ("odd.tgz".to_owned(), gzip(&odd_tar())),
    ]
}

fn zip_of(method: CompressionMethod) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    zip.add_directory("d/", options).unwrap();
    for (name, bytes) in
        [("d/1.png", &b"one"[..]), ("ü.png", &[7; 3000]), ("no ending", b""), ("d/2.dcm", b"two")]
    {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn tar_of() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let long = format!("{}/3.png", "long".repeat(60));
    for (name, bytes) in [("1.png", &b"one"[..]), (&long, &[7; 3000]), ("empty.png", b"")] {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, bytes).unwrap();
    }
    tar.into_inner().unwrap()
}

/// Links, a sparse file, extended headers and a directory.
fn odd_tar() -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    let mut entry = |kind: EntryType, name: &str, link: &str, bytes: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_path(name).unwrap();
        if !link.is_empty() {
            header.set_link_name(link).unwrap();
        }
        if kind == EntryType::GNUSparse {
            let gnu = header.as_gnu_mut().unwrap();
            gnu.sparse[0].offset.copy_from_slice(b"00000000100\0");
            gnu.sparse[0].numbytes.copy_from_slice(b"00000000005\0");
            gnu.realsize.copy_from_slice(b"00000000200\0");
        }
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, bytes).unwrap();
    };
    entry(EntryType::Directory, "d/", "", b"");
    entry(EntryType::Regular, "d/1.png", "", b"one");
    entry(EntryType::Link, "hard.png", "d/1.png", b"");
    entry(EntryType::Symlink, "soft.png", "d/1.png", b"");
    entry(EntryType::Symlink, "d/up.png", "../hard.png", b"");
    entry(EntryType::GNUSparse, "sparse.png", "", b"12345");
    entry(EntryType::XGlobalHeader, "global", "", b"11 mtime=1\n");
    entry(EntryType::XHeader, "pax", "", b"18 path=d/\xc3\xbc.png\n");
    entry(EntryType::Regular, "x", "", b"two");
    entry(EntryType::XHeader, "pax", "", b"9 size=5\n");
    entry(EntryType::Regular, "y.png", "", b"three");
    tar.into_inner().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

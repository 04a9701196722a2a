//! Any bytes as an archive: its members are listed and read, as zip, tar and gzipped tar by their beginning.
#![no_main]

mod hook;

use std::cell::RefCell;
use std::{fs, io};

use libfuzzer_sys::fuzz_target;
use medclip_archive::inputs::{ArchiveReader, MAX_MEMBER_BYTES};
use medclip_archive::{InputOptions, expand};
use tempfile::TempDir;

thread_local! {
    static DIRECTORY: RefCell<Option<TempDir>> = const { RefCell::new(None) };
}

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    let name = match bytes {
        [b'P', b'K', ..] => "fuzz.zip",
        [0x1f, 0x8b, ..] => "fuzz.tar.gz",
        _ => "fuzz.tar",
    };
    DIRECTORY.with_borrow_mut(|directory| {
        let directory = directory.get_or_insert_with(|| TempDir::new().expect("a directory for temporary files"));
        let path = directory.path().join(name);
        fs::write(&path, bytes).expect("a temporary file");
        let options =
            InputOptions { extensions: vec!["png".to_owned(), String::new()], ..InputOptions::default() };
        let mut sources = Vec::new();
        let listed = expand(&[path], &options, &mut io::empty(), &mut |source| {
            sources.push(source);
            Ok(())
        });
        assert!(listed.is_ok(), "a broken archive is an input with a problem");
        let mut reader = ArchiveReader::default();
        for source in sources.iter().take(16) {
            assert!(!source.id().is_empty());
            if let Some(Ok(content)) = source.member.as_ref().map(|member| reader.read(&source.path, member)) {
                assert!(content.len() as u64 <= MAX_MEMBER_BYTES);
            }
        }
    });
});

//! What a search of a directory finds, and what it counts.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use medclip_archive::intake::find;
use medclip_archive::{IntakeOptions, Nature, Portion, Source, expand_and_count};

fn options() -> IntakeOptions {
    let nature = |start: &[u8]| match start {
        [b'f', b'i', b'l', b'm', ..] => Nature::Film,
        [b'm', b'a', b'y', b'b', b'e', ..] => Nature::Perhaps,
        [b'd', b'i', b'r', ..] => Nature::NoFilm("DICOMDIR"),
        _ => Nature::Unknown,
    };
    let extensions = ["png", "dcm", "dcm.gz"].map(str::to_owned).to_vec();
    IntakeOptions { extensions, by_start: Some(nature), portion: None }
}

fn search(arguments: &[PathBuf], options: &IntakeOptions) -> (Vec<Source>, String) {
    let mut sources = Vec::new();
    let counted = expand_and_count(arguments, options, &mut io::empty(), &mut |source| {
        sources.push(source);
        Ok(())
    });
    (sources, counted.unwrap().to_string())
}

fn ids(root: &Path, argument: &str) -> (Vec<String>, String) {
    let (sources, skipped) = search(&[root.join(argument)], &options());
    let prefix = format!("{}/", root.display());
    let id = |source: &Source| {
        let kind = source.problem.as_ref().map_or_else(String::new, |problem| format!("?{}", problem.kind));
        source.id().replace(&prefix, "") + &kind
    };
    (sources.iter().map(id).collect(), skipped)
}

fn write(root: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
}

#[test]
fn films_are_found_whatever_their_name() {
    let root = tempfile::tempdir().unwrap();
    let films = [
        ("s/1.2.840.1.5.7.DOE", "maybe"),
        ("s/1.2.840.1.5.8", "maybe"),
        ("s/IM0001", "maybe"),
        ("s/a.IMA", "film"),
        ("s/b.dcm30", "film"),
        ("s/c.jfif", "film"),
        ("s/d.txt", "film"),
        ("s/e.dcm.gz", "\x1f"),
        ("s/f.PNG", "broken"),
        ("s/g.dcm", ""),
        ("s/h", "film"),
    ];
    write(root.path(), &films);
    write(
        root.path(),
        &[("s/i.txt", "maybe"), ("s/j.gz", "\x1f"), ("s/k", "text"), ("s/l.pdf", "%PDF"), ("s/m.Miller", "")],
    );
    write(
        root.path(),
        &[("s/DICOMDIR", "dir"), ("s/n.dcm", "dir"), ("s/._a.png", "\0\x05"), ("s/Thumbs.db", "")],
    );
    let (found, skipped) = ids(root.path(), "s");
    assert_eq!(found, films.map(|(name, _)| name));
    assert_eq!(
        skipped,
        "5 files not looked at (1 .gz, 1 .pdf, 1 .txt, 1 no suffix, 1 other suffixes), \
         4 files that are no films (2 DICOMDIR, 2 system file)"
    );
    // What is named is an input, what a pattern finds is one unless nobody would name it.
    assert_eq!(ids(root.path(), "s/DICOMDIR").0, ["s/DICOMDIR"]);
    assert_eq!(
        ids(root.path(), "s/[DTkn]*"),
        (vec!["s/k".to_owned()], "3 files that are no films (2 DICOMDIR, 1 system file)".to_owned())
    );
}

#[test]
fn a_directory_of_nothing_says_so() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("s/DICOMDIR", "dir"), ("s/notes.txt", "text")]);
    let (found, skipped) = ids(root.path(), "s");
    assert_eq!(found, ["s?no_match"]);
    assert_eq!(skipped, "1 file not looked at (1 .txt), 1 file that is no film (1 DICOMDIR)");
}

#[test]
fn archives_below_a_directory_are_opened_one_level_deep() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("s/a.png", "film"), ("s/y.zip", "no archive"), ("s/z/b.png", "film")]);
    let mut zip = zip::ZipWriter::new(File::create(root.path().join("s/x.zip")).unwrap());
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in [("IM1", "film"), ("inner.tar", "tar"), ("notes.txt", "text"), ("DICOMDIR", "dir")]
    {
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let mut empty = zip::ZipWriter::new(File::create(root.path().join("s/none.zip")).unwrap());
    empty.start_file("notes.txt", options).unwrap();
    empty.finish().unwrap();
    let gz = flate2::write::GzEncoder::new(
        File::create(root.path().join("s/w.tgz")).unwrap(),
        flate2::Compression::fast(),
    );
    let mut tar = tar::Builder::new(gz);
    let mut header = tar::Header::new_gnu();
    header.set_size(4);
    tar.append_data(&mut header, "c.png", &b"film"[..]).unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    let (found, skipped) = ids(root.path(), "s");
    assert_eq!(found, ["s/a.png", "s/w.tgz!c.png", "s/x.zip!IM1", "s/y.zip?archive", "s/z/b.png"]);
    assert_eq!(
        skipped,
        "3 files not looked at (2 .txt, 1 archive within an archive), 1 file that is no film (1 DICOMDIR)"
    );
    assert_eq!(ids(root.path(), "s/none.zip").0, ["s/none.zip?no_match"]);
}

#[cfg(unix)]
#[test]
fn names_of_any_bytes_stay_apart_and_are_found_again() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let root = tempfile::tempdir().unwrap();
    let names: [&[u8]; 8] = [
        b"\x84M.png",
        b"\x94M.png",
        b"\\x84M.png",
        b"\\x5cx84M.png",
        b"x.zip!a.png",
        b"x.zip\\x21a.png",
        b"a\nb.png",
        b"a\x1b[1mb.png",
    ];
    for name in names {
        fs::write(root.path().join(OsStr::from_bytes(name)), name).unwrap();
    }
    let mut zip = zip::ZipWriter::new(File::create(root.path().join("x.zip")).unwrap());
    zip.start_file("a.png", zip::write::SimpleFileOptions::default()).unwrap();
    zip.finish().unwrap();
    let (sources, _) = search(&[root.path().to_owned()], &options());
    let ids: HashSet<String> = sources.iter().map(Source::id).collect();
    assert_eq!((sources.len(), ids.len()), (9, 9), "{ids:?}");
    for source in &sources {
        assert_eq!(&find(&source.id()).unwrap(), source);
        assert!(!source.id().contains(char::is_control));
        let line = serde_json::to_string(source).unwrap();
        assert_eq!(&serde_json::from_str::<Source>(&line).unwrap(), source);
    }
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_counted() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("s/a.png", "film")]);
    let _socket = std::os::unix::net::UnixListener::bind(root.path().join("s/b.png")).unwrap();
    let (found, skipped) = ids(root.path(), "s");
    assert_eq!(found, ["s/a.png"]);
    assert_eq!(skipped, "1 file that is no film (1 device, socket or pipe)");
}

#[test]
fn portions_count_what_is_theirs() {
    let root = tempfile::tempdir().unwrap();
    for number in 0..30 {
        write(root.path(), &[(&format!("s/{number}.png"), "film"), (&format!("s/{number}.txt"), "text")]);
    }
    let mut counted = (0, 0);
    for index in 1..=3 {
        let options = IntakeOptions { portion: Portion::new(index, 3), ..options() };
        let mut films = 0;
        let skipped = expand_and_count(&[root.path().to_owned()], &options, &mut io::empty(), &mut |_| {
            films += 1;
            Ok(())
        });
        counted = (counted.0 + films, counted.1 + skipped.unwrap().unknown());
    }
    assert_eq!(counted, (30, 30));
}

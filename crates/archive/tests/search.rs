//! What a search of a directory finds, and what it counts.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use medclip_archive::inputs::{find, find_below};
use medclip_archive::{InputOptions, Nature, Portion, Source, expand_and_count};

fn options() -> InputOptions {
    let nature = |start: &[u8]| match start {
        [b'f', b'i', b'l', b'm', ..] => Nature::Film,
        [b'm', b'a', b'y', b'b', b'e', ..] => Nature::Perhaps,
        [b'd', b'i', b'r', ..] => Nature::NoFilm("DICOMDIR"),
        _ => Nature::Unknown,
    };
    let extensions = ["png", "dcm", "dcm.gz"].map(str::to_owned).to_vec();
    InputOptions { extensions, by_start: Some(nature), portion: None }
}

fn search(arguments: &[PathBuf], options: &InputOptions) -> (Vec<Source>, String) {
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
        let options = InputOptions { portion: Portion::new(index, 3), ..options() };
        let mut films = 0;
        let skipped = expand_and_count(&[root.path().to_owned()], &options, &mut io::empty(), &mut |_| {
            films += 1;
            Ok(())
        });
        counted = (counted.0 + films, counted.1 + skipped.unwrap().unknown());
    }
    assert_eq!(counted, (30, 30));
}

/// Links between directories multiply their names; each is searched once.
#[cfg(unix)]
#[test]
fn linked_directories_are_searched_once_and_counted() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let start = std::time::Instant::now();
    // Nineteen directories with two links each to the next: 2¹⁸ names for the last.
    for level in 0..19 {
        let directory = root.path().join(format!("in/d{level:02}"));
        fs::create_dir_all(&directory).unwrap();
        if level < 18 {
            let next = format!("../d{:02}", level + 1);
            symlink(&next, directory.join("left")).unwrap();
            symlink(&next, directory.join("right")).unwrap();
        }
    }
    write(root.path(), &[("in/d18/film.png", "film")]);
    let (found, skipped) = ids(root.path(), "in");
    assert_eq!(found, ["in/d18/film.png"]);
    assert_eq!(skipped, "36 links to directories that are searched under another name");
    // The same seen from one of them, where the others lie outside: the first name counts.
    let (found, skipped) = ids(root.path(), "in/d00");
    assert_eq!(found, [format!("in/d00{}/film.png", "/left".repeat(18))]);
    assert_eq!(skipped, "18 links to directories that are searched under another name");
    assert!(start.elapsed().as_secs() < 10);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_around_gives_every_film_one_name() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("films/a.png", "film"), ("films/z/b.png", "film"), ("beside/c.png", "film")]);
    symlink("z", root.path().join("films/0")).unwrap();
    symlink("../beside", root.path().join("films/1")).unwrap();
    symlink("../beside", root.path().join("films/2")).unwrap();
    // Up and down again.
    symlink("../films", root.path().join("beside/back")).unwrap();
    let (found, skipped) = ids(root.path(), "films");
    assert_eq!(found, ["films/1/back?walk", "films/1/c.png", "films/a.png", "films/z/b.png"]);
    assert_eq!(skipped, "2 links to directories that are searched under another name");
    let (found, _) = ids(root.path(), "beside");
    assert_eq!(found.iter().filter(|id| !id.ends_with("?walk")).count(), 3, "{found:?}");
    // Named twice, it is searched twice.
    let arguments = [root.path().join("films/z"), root.path().join("films/0")];
    assert_eq!(search(&arguments, &options()).0.len(), 2);
}

#[cfg(unix)]
#[test]
fn what_lists_and_patterns_name_are_regular_files() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    let start = std::time::Instant::now();
    write(root.path(), &[("a.png", "film")]);
    let place = |name: &str| root.path().join(name);
    for pipe in ["pipe.png", "pipe.zip"] {
        assert!(std::process::Command::new("mkfifo").arg(place(pipe)).status().unwrap().success());
    }
    let _listener = std::os::unix::net::UnixListener::bind(place("socket.png")).unwrap();
    symlink("/dev/zero", place("zero.png")).unwrap();
    fs::write(place("list.csv"), "path\npipe.png\npipe.zip\nsocket.png\nzero.png\n/dev/zero\na.png\n")
        .unwrap();
    let problems = |sources: &[Source]| -> Vec<String> {
        sources
            .iter()
            .map(|source| source.problem.as_ref().map_or("", |problem| &problem.message).to_owned())
            .collect()
    };
    let reason = |kind: &str| format!("it is {kind}; only regular files are read here");
    let (sources, _) = search(&[place("list.csv")], &options());
    let expected = ["a pipe", "a pipe", "a socket", "a device", "a device"]
        .map(reason)
        .into_iter()
        .chain([String::new()]);
    assert_eq!(problems(&sources), expected.collect::<Vec<_>>());
    let (sources, _) = search(&[place("*.png")], &options());
    assert_eq!(problems(&sources), ["", &reason("a pipe"), &reason("a socket"), &reason("a device")]);
    // Below a directory they are counted.
    let (found, skipped) = ids(root.path(), ".");
    assert_eq!(found, ["./a.png"]);
    assert!(skipped.contains("4 device, socket or pipe"), "{skipped}");
    // A pipe that is typed may be a film, a device may not.
    let typed = [place("pipe.png"), place("socket.png"), PathBuf::from("/dev/zero")];
    let (sources, _) = search(&typed, &options());
    assert_eq!(problems(&sources), ["", &reason("a socket"), &reason("a device")]);
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn lists_have_lines_of_names() {
    let listed = |list: &mut dyn io::BufRead| {
        let arguments = [PathBuf::from("-")];
        let mut count = 0;
        let found = expand_and_count(&arguments, &options(), list, &mut |_| {
            count += 1;
            Ok(())
        });
        (count, found.map_err(|error| std::error::Error::source(&error).unwrap().to_string()))
    };
    let long = format!("a.png\n{}\nb.png\n", "x".repeat(40_000));
    for (mut list, count, reason) in [
        (long.as_bytes(), 1, "line 2 has more than 32768 bytes"),
        (b"a.png\nb\0.png\n", 1, "line 2 contains a NUL byte"),
        (b"a.png\0b.png\0", 0, "line 1 contains a NUL byte"),
    ] {
        let (found, error) = listed(&mut list);
        let error = error.unwrap_err();
        assert!(found == count && error.starts_with(reason), "{error}");
    }
    for byte in [0, b'x'] {
        assert!(listed(&mut io::BufReader::new(io::repeat(byte))).1.is_err());
    }
}

#[cfg(unix)]
#[test]
fn what_a_foreign_file_names_is_found_below_a_root_alone() {
    use std::os::unix::fs::symlink;
    let root = tempfile::tempdir().unwrap();
    write(root.path(), &[("in/a.png", "film"), ("in/s/b.png", "film"), ("out/c.png", "film")]);
    symlink("../out", root.path().join("in/link")).unwrap();
    symlink("../out/c.png", root.path().join("in/c.png")).unwrap();
    symlink("s", root.path().join("in/t")).unwrap();
    assert!(
        std::process::Command::new("mkfifo").arg(root.path().join("in/pipe")).status().unwrap().success()
    );
    let inside = root.path().join("in");
    let real = fs::canonicalize(&inside).unwrap();
    let find =
        |id: &str| find_below(id, &inside).map(|source| source.path).map_err(|failure| failure.message);
    let absolute = |name: &str| root.path().join(name).display().to_string();
    for (id, path) in [
        ("a.png".to_owned(), "a.png"),
        ("s/../a.png".to_owned(), "a.png"),
        ("t/b.png".to_owned(), "s/b.png"),
        (absolute("in/s/b.png"), "s/b.png"),
        (absolute("out/../in/a.png"), "a.png"),
        ("\\x61.png".to_owned(), "a.png"),
    ] {
        assert_eq!(find(&id), Ok(real.join(path)), "{id}");
    }
    for id in [
        absolute("out/c.png"),
        "../out/c.png".to_owned(),
        "link/c.png".to_owned(),
        "c.png".to_owned(),
        "s/../../out/c.png".to_owned(),
        "/etc/passwd".to_owned(),
        "\\x2fetc/passwd".to_owned(),
        absolute("in-beside"),
        "pipe".to_owned(),
        "gone.png".to_owned(),
        String::new(),
    ] {
        assert!(find(&id).is_err(), "{id}");
    }
    assert_eq!(
        find("/etc/passwd").unwrap_err(),
        "it lies outside of the directory that films are shown from"
    );
}

//! What arguments stand for.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use medclip_archive::inputs::{ArchiveReader, find};
use medclip_archive::{InputError, InputOptions, Portion, Source, expand};

fn options() -> InputOptions {
    InputOptions { extensions: vec!["png".to_owned(), "jpg".to_owned()], by_start: None, portion: None }
}

fn found(arguments: &[PathBuf], stdin: &str) -> Result<Vec<Source>, InputError> {
    let mut sources = Vec::new();
    expand(arguments, &options(), &mut stdin.as_bytes(), &mut |source| {
        sources.push(source);
        Ok(())
    })?;
    Ok(sources)
}

/// Ids seen from `root`, problems by their kind.
fn ids(root: &Path, arguments: &[&str], stdin: &str) -> Vec<String> {
    let here = |name: &&str| if *name == "-" { PathBuf::from("-") } else { root.join(name) };
    let arguments: Vec<PathBuf> = arguments.iter().map(here).collect();
    let prefix = format!("{}/", root.display());
    let sources = found(&arguments, stdin).unwrap();
    let id = |source: Source| match &source.problem {
        Some(problem) => format!("{}?{}", source.id().replace(&prefix, ""), problem.kind),
        None => source.id().replace(&prefix, ""),
    };
    sources.into_iter().map(id).collect()
}

fn tree() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for name in ["a/2.PNG", "a/10.jpg", "a/b/1.png", "a/notes.txt", "z.png", "x[1].png"] {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, name).unwrap();
    }
    fs::create_dir(root.path().join("empty")).unwrap();
    root
}

#[test]
fn files_directories_and_patterns_are_searched_in_order() {
    let root = tree();
    let cases: [(&[&str], &[&str]); 7] = [
        (&["z.png", "missing.png"], &["z.png", "missing.png"]),
        (&["a"], &["a/10.jpg", "a/2.PNG", "a/b/1.png"]),
        (&["a/notes.txt"], &["a/notes.txt"]),
        (&["empty"], &["empty?no_match"]),
        (&["a/*", "none*"], &["a/10.jpg", "a/2.PNG", "a/b/1.png", "a/notes.txt", "none*?no_match"]),
        (&["**/1.png", "x[1].png"], &["a/b/1.png", "x[1].png"]),
        (&["a***b"], &["a***b?pattern"]),
    ];
    for (arguments, expected) in cases {
        assert_eq!(ids(root.path(), arguments, ""), expected, "{arguments:?}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_but_not_in_circles() {
    let root = tree();
    let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, root.path().join(name)).unwrap();
    link("../b", "a/b/up");
    link("nowhere.png", "a/b/lost.png");
    link("../../z.png", "a/b/z.png");
    assert_eq!(
        ids(root.path(), &["a"], ""),
        ["a/10.jpg", "a/2.PNG", "a/b/1.png", "a/b/lost.png?walk", "a/b/up?walk", "a/b/z.png"]
    );
}

#[test]
fn lists_and_manifests_name_their_inputs() {
    let root = tree();
    let list = format!("{0}/z.png\n\r\n{0}/a\r\n{0}/gone.png", root.path().display());
    assert_eq!(ids(root.path(), &["-"], &list), ["z.png", "a/10.jpg", "a/2.PNG", "a/b/1.png", "gone.png"]);

    fs::write(root.path().join("a/list.csv"), "id,path\n1,2.PNG\n2,\"b/1.png\"\n").unwrap();
    assert_eq!(ids(root.path(), &["a/list.csv"], ""), ["a/2.PNG", "a/b/1.png"]);
    let refused = |text: &str| {
        let path = root.path().join("bad.csv");
        fs::write(&path, text).unwrap();
        let error = found(&[path], "").unwrap_err();
        let InputError::Manifest { source, .. } = error else { panic!("{error}") };
        source.to_string()
    };
    for (text, message) in [
        ("id,file\n1,a.png\n", "column `path` is missing; the columns are `id`, `file`"),
        ("id,path\n1,a.png\n2,\n", "row 2 (line 3): column `path` is blank"),
        ("id,path\n1\n", "row 1 (line 2): the row has 1 cells and the header 2"),
        ("path,path\na.png,b.png\n", "column `path` is there twice, as columns 1 and 2"),
    ] {
        let error = refused(text);
        assert!(error.starts_with(message), "{error}");
    }
    // A mark that never closes, or that closes at a mark of a later row, swallows no film.
    for text in [
        "path,report\na.png,\"open\nb c.png,x\n",
        "path,report\na.png,\"open\nb.png,x\"\nc.png,y\n",
        "path,report\na.png,\"open\nb.png,\"x\"\nc.png,y\n",
        "path,report\n\"a.png,open\nb.png,x\nc.png,y\n",
        "path,report\n\"a.png,open\n\"b.png\",x\nc.png,y\n",
        "path;report\r\na.png;\"open\r\nb.png;x\r\n",
    ] {
        let error = refused(text);
        assert!(error.starts_with("row 1 (line 2), column `"), "{error}");
    }
}

#[test]
fn manifests_of_spreadsheets_name_the_same_films() {
    let root = tree();
    let text = "Path;Report\r\n2.PNG;\"Clear;\r\nno effusion.\"\r\nb/1.png;\r\n;\r\n";
    let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
    let utf16: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(text.replace(';', "\t").as_bytes()).unwrap();
    let files = [
        ("a/semicolon.csv", text.as_bytes().to_vec()),
        ("a/said.csv", format!("sep=;\n{text}").into_bytes()),
        ("a/utf16.csv", utf16),
        ("a/tab.TSV", text.replace(';', "\t").into_bytes()),
        ("a/tab.tsv.gz", gzip.finish().unwrap()),
    ];
    for (name, bytes) in files {
        fs::write(root.path().join(name), bytes).unwrap();
        assert_eq!(ids(root.path(), &[name], ""), ["a/2.PNG", "a/b/1.png"], "{name}");
    }
}

#[test]
fn a_portion_is_taken_whatever_the_order() {
    let root = tree();
    let mut all = Vec::new();
    for index in 1..=3 {
        let options = InputOptions { portion: Portion::new(index, 3), ..options() };
        let mut part = Vec::new();
        expand(&[root.path().to_owned()], &options, &mut io::empty(), &mut |source| {
            part.push(source.id());
            Ok(())
        })
        .unwrap();
        all.extend(part);
    }
    all.sort();
    let mut whole: Vec<_> = found(&[root.path().to_owned()], "").unwrap().iter().map(Source::id).collect();
    whole.sort();
    assert_eq!(all, whole);
}

fn zip_of(path: &Path, members: &[(&str, &[u8])]) {
    let mut zip = zip::ZipWriter::new(File::create(path).unwrap());
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
    zip.add_directory("d.png", options).unwrap();
    for (name, bytes) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap();
}

fn tar_of(out: impl Write, members: &[(&str, &[u8])]) {
    let mut tar = tar::Builder::new(out);
    for (name, bytes) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        tar.append_data(&mut header, name, *bytes).unwrap();
    }
    tar.into_inner().unwrap().flush().unwrap();
}

#[test]
fn members_of_archives_are_read_in_any_order() {
    let root = tempfile::tempdir().unwrap();
    let long = format!("{}/3.png", "long".repeat(60));
    let large = vec![7; 100_000];
    let members: [(&str, &[u8]); 4] =
        [("b/2.png", b"two"), ("notes.txt", b"no"), ("a/1.png", &large), (&long, b"three")];
    zip_of(&root.path().join("x.zip"), &members);
    tar_of(File::create(root.path().join("x.tar")).unwrap(), &members);
    let gz = File::create(root.path().join("x.tar.gz")).unwrap();
    tar_of(flate2::write::GzEncoder::new(gz, flate2::Compression::fast()), &members);

    for name in ["x.zip", "x.tar", "x.tar.gz"] {
        let sources = found(&[root.path().join(name)], "").unwrap();
        let names: Vec<_> =
            sources.iter().map(|source| source.member.as_ref().unwrap().name.as_str()).collect();
        assert_eq!(names, ["b/2.png", "a/1.png", long.as_str()], "{name}");
        assert!(sources[0].id().ends_with(&format!("{name}!b/2.png")));
        assert_eq!(find(&sources[1].id()).unwrap(), sources[1]);
        assert_eq!(&*find(&format!("{}!c.png", root.path().join(name).display())).unwrap_err().kind, "io");
        let mut reader = ArchiveReader::default();
        for order in [[0, 1, 2], [2, 0, 1]] {
            for index in order {
                let source = &sources[index];
                let bytes = reader.read(&source.path, source.member.as_ref().unwrap()).unwrap();
                assert_eq!(bytes, members[[0, 2, 3][index]].1, "{name}: {index}");
            }
        }
    }
}

#[test]
fn broken_archives_are_inputs_with_a_problem() {
    let root = tempfile::tempdir().unwrap();
    let path = |name: &str| root.path().join(name);
    fs::write(path("text.zip"), "no archive").unwrap();
    zip_of(&path("none.zip"), &[("a.txt", b"")]);
    let tar = |name: &str| tar_of(File::create(path(name)).unwrap(), &[("1.png", b"one"), ("2.png", b"two")]);
    tar("cut.tar");
    let bytes = fs::read(path("cut.tar")).unwrap();
    fs::write(path("cut.tar"), &bytes[..1024 + 100]).unwrap();
    fs::write(path("text.tgz"), "no archive").unwrap();
    assert_eq!(
        ids(root.path(), &["text.zip", "none.zip", "cut.tar", "text.tgz", "missing.zip"], ""),
        [
            "text.zip?archive",
            "none.zip?no_match",
            "cut.tar!1.png",
            "cut.tar?archive",
            "text.tgz?archive",
            "missing.zip"
        ]
    );

    // Replaced between the search and the reading.
    zip_of(&path("x.zip"), &[("a.png", b"12345")]);
    let sources = found(&[path("x.zip")], "").unwrap();
    zip_of(&path("x.zip"), &[("b.png", b"12345")]);
    let member = sources[0].member.as_ref().unwrap();
    let failure = ArchiveReader::default().read(&path("x.zip"), member).unwrap_err();
    assert_eq!((&*failure.kind, failure.message.as_str()), ("archive", "the archive has changed"));
}

#[test]
fn a_member_that_claims_too_much_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("x.tar.gz");
    let gz = flate2::write::GzEncoder::new(File::create(&path).unwrap(), flate2::Compression::fast());
    let mut header = tar::Header::new_gnu();
    header.set_path("1.png").unwrap();
    header.set_size(600 << 20);
    header.set_cksum();
    let mut gz = gz;
    gz.write_all(header.as_bytes()).unwrap();
    gz.finish().unwrap();
    let sources = found(std::slice::from_ref(&path), "").unwrap();
    let failure = ArchiveReader::default().read(&path, sources[0].member.as_ref().unwrap()).unwrap_err();
    assert_eq!(&*failure.kind, "too_large");
}

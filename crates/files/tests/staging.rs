//! Files and directories appear whole, replace what is theirs and nothing else, and survive their writers.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use medclip_files::{Folder, Kind, StagedDirectory, is_staging, replace_file, sweep};

/// A directory with a file `marked` and files `a*`, also one floor down.
static KIND: Kind = Kind {
    name: "a test",
    is_marked: |directory| directory.join("marked").exists(),
    holds: |path| path == "marked" || path == "below/" || path.trim_start_matches("below/").starts_with('a'),
};

/// Paths below a directory with their text; those of directories end in `/`.
fn contents(directory: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.file_type().unwrap().is_dir() {
            found.insert(format!("{name}/"), String::new());
            for (inner, text) in contents(&entry.path()) {
                found.insert(format!("{name}/{inner}"), text);
            }
        } else {
            found.insert(name, fs::read_to_string(entry.path()).unwrap());
        }
    }
    found
}

fn of<const N: usize>(entries: [(&str, &str); N]) -> BTreeMap<String, String> {
    entries.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

/// Files below `root`, with the directories that they need.
fn write<const N: usize>(root: &Path, files: [(&str, &str); N]) {
    for (path, text) in files {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
}

fn stage(target: &Path, text: &str) {
    let staged = StagedDirectory::create(target, &KIND).unwrap();
    staged.write("marked", b"").unwrap();
    staged.write("a", text.as_bytes()).unwrap();
    staged.put_in_place().unwrap();
}

#[test]
fn a_directory_appears_whole_replaces_and_leaves_nothing_beside() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("deep/it");
    for text in ["first", "second"] {
        stage(&target, text);
        assert_eq!(contents(&root.path().join("deep")), of([("it/", ""), ("it/a", text), ("it/marked", "")]));
    }
    let dropped = StagedDirectory::create(&target, &KIND).unwrap();
    dropped.write("other", b"").unwrap();
    drop(dropped);
    assert_eq!(contents(&target), of([("a", "second"), ("marked", "")]));
    StagedDirectory::remove(&target, &KIND).unwrap();
    assert!(contents(&root.path().join("deep")).is_empty());
    assert_eq!(StagedDirectory::remove(&target, &KIND).unwrap_err().path, target);
}

#[test]
fn a_file_is_replaced_whole_or_kept() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("it.svg");
    for text in ["first, which is longer", "second"] {
        replace_file(&target, text.as_bytes()).unwrap();
        assert_eq!(contents(root.path()), of([("it.svg", text)]));
    }
    let occupied = root.path().join("directory");
    fs::create_dir_all(occupied.join("inner")).unwrap();
    assert_eq!(replace_file(&occupied, b"").unwrap_err().path, occupied);
    for nowhere in ["nowhere/it", "..", "/"] {
        assert!(replace_file(root.path().join(nowhere), b"").is_err(), "{nowhere}");
    }
    let folder = Folder::staged_beside(&occupied).unwrap();
    folder.replace("inner.txt", b"text").unwrap();
    let failed = folder.replace_with("inner.txt", |_| Err::<(), _>(std::io::Error::other("no")));
    assert_eq!(failed.unwrap_err().source.to_string(), "no");
    let expected = of([
        ("it.svg", "second"),
        ("directory/", ""),
        ("directory/inner/", ""),
        ("directory/inner.txt", "text"),
    ]);
    assert_eq!(contents(root.path()), expected);
}

#[test]
fn a_directory_with_foreign_files_is_neither_replaced_nor_removed() {
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[("notes.txt", "mine")], "is not a test"),
        (&[("a", "looks like ours, without the mark")], "is not a test"),
        (&[("marked", ""), ("notes.txt", "mine")], "holds notes.txt, which is not part of a test"),
        (&[("marked", ""), ("below/notes.txt", "mine")], "holds below/notes.txt"),
        (&[("marked", ""), ("other/a", "mine")], "holds other/"),
        (&[("marked", ""), ("below/a", ""), ("below/.hidden", "mine")], "holds below/.hidden"),
        (
            &[("marked", ""), ("q", ""), ("r", ""), ("s", ""), ("t", ""), ("u", "")],
            "holds q, r, s and 2 more, which are not part of a test: move them away",
        ),
    ];
    for (files, reason) in cases {
        let root = tempfile::tempdir().unwrap();
        let target = root.path().join("it");
        for (path, text) in files {
            write(&target, [(path, text)]);
        }
        let before = contents(root.path());
        let errors = [
            StagedDirectory::create(&target, &KIND).unwrap_err(),
            StagedDirectory::remove(&target, &KIND).unwrap_err(),
        ];
        for error in errors {
            assert!(error.source.to_string().contains(reason), "{}", error.source);
        }
        assert_eq!(contents(root.path()), before);
    }
}

#[test]
fn what_comes_in_while_it_is_staged_is_kept_too() {
    let root = tempfile::tempdir().unwrap();
    let target = root.path().join("it");
    stage(&target, "first");
    let staged = StagedDirectory::create(&target, &KIND).unwrap();
    staged.write("marked", b"").unwrap();
    write(&target, [("notes.txt", "mine")]);
    assert!(staged.put_in_place().unwrap_err().source.to_string().contains("notes.txt"));
    assert_eq!(
        contents(root.path()),
        of([("it/", ""), ("it/a", "first"), ("it/marked", ""), ("it/notes.txt", "mine")])
    );
}

#[test]
fn a_file_in_the_place_of_a_directory_and_an_empty_directory() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), [("file", "mine")]);
    assert!(StagedDirectory::create(root.path().join("file"), &KIND).is_err());
    fs::create_dir(root.path().join("empty")).unwrap();
    stage(&root.path().join("empty"), "text");
    let expected = of([("file", "mine"), ("empty/", ""), ("empty/a", "text"), ("empty/marked", "")]);
    assert_eq!(contents(root.path()), expected);
}

#[test]
fn directories_of_names_that_earlier_versions_removed_are_kept() {
    let root = tempfile::tempdir().unwrap();
    let mine = [
        ("it.partial/mine", "1"),
        ("it.gone.partial/mine", "2"),
        ("it.old.partial/mine", "3"),
        ("file.partial", "4"),
        // Names of ours, but no mark: someone else's.
        (".medclip-0123456789abcdef.partial/mine", "5"),
        (".medclip-x.partial/mark", "6"),
        (".medclip-y.partial/mark", "7"),
        (".medclip-y.partial/mine", "7"),
    ];
    write(root.path(), mine);
    stage(&root.path().join("it"), "text");
    replace_file(root.path().join("file"), b"text").unwrap();
    sweep(root.path()).unwrap();
    let found = contents(root.path());
    for (path, text) in mine {
        assert_eq!(found.get(path).map(String::as_str), Some(text), "{path}");
    }
}

#[cfg(unix)]
mod on_unix {
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::process::{Command, Stdio};
    use std::{env, io::Read as _, thread, time::Duration};

    use super::*;

    fn private(path: &Path) {
        fs::set_permissions(path, fs::Permissions::from_mode(0o700)).unwrap();
    }

    fn mark(target: &str) -> String {
        format!(r#"{{"what":"medclip staging","target":{:?}}}"#, target.as_bytes())
    }

    #[test]
    fn planted_links_are_replaced_and_never_followed() {
        let root = tempfile::tempdir().unwrap();
        let (secret, shared) = (root.path().join("secret"), root.path().join("shared"));
        write(root.path(), [("secret", "mine"), ("private/kept", "mine")]);
        fs::create_dir(&shared).unwrap();
        for name in
            ["page.html.partial", "page.html", "it.partial", "it", ".medclip-0123456789abcdef.partial"]
        {
            symlink(
                if name == "it.partial" { root.path().join("private") } else { secret.clone() },
                shared.join(name),
            )
            .unwrap();
        }
        replace_file(shared.join("page.html"), b"page").unwrap();
        assert!(
            StagedDirectory::create(shared.join("it"), &KIND).is_err(),
            "a link to a file is no directory of ours"
        );
        assert_eq!(fs::read_to_string(&secret).unwrap(), "mine");
        assert_eq!(contents(&root.path().join("private")), of([("kept", "mine")]));
        assert!(fs::symlink_metadata(shared.join("page.html")).unwrap().is_file());
        assert_eq!(fs::read_to_string(shared.join("page.html")).unwrap(), "page");
    }

    #[test]
    fn a_link_in_a_directory_of_ours_is_foreign() {
        let root = tempfile::tempdir().unwrap();
        write(root.path(), [("it/marked", ""), ("elsewhere/a", "mine")]);
        symlink(root.path().join("elsewhere"), root.path().join("it/below")).unwrap();
        symlink(root.path().join("elsewhere/a"), root.path().join("it/a")).unwrap();
        let error = StagedDirectory::create(root.path().join("it"), &KIND).unwrap_err();
        assert!(error.source.to_string().contains("holds a, below, which are not part"), "{}", error.source);
    }

    #[test]
    fn devices_and_pipes_are_not_replaced() {
        let root = tempfile::tempdir().unwrap();
        symlink("/dev/null", root.path().join("null")).unwrap();
        for target in [Path::new("/dev/null").to_owned(), root.path().join("null")] {
            let error = replace_file(&target, b"text").unwrap_err();
            assert!(error.source.to_string().contains("device"), "{}", error.source);
        }
    }

    #[test]
    fn what_is_staged_is_private_and_what_stays_follows_the_umask() {
        let root = tempfile::tempdir().unwrap();
        let plain = root.path().join("plain");
        fs::write(&plain, "").unwrap();
        fs::create_dir(root.path().join("directory")).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (file, directory) = (mode(&plain), mode(&root.path().join("directory")));

        let target = root.path().join("it");
        let staged = StagedDirectory::create(&target, &KIND).unwrap();
        staged.write("marked", b"").unwrap();
        assert_eq!(mode(staged.path().parent().unwrap()), 0o700);
        assert_eq!((mode(&staged.path()), mode(&staged.path().join("marked"))), (directory, file));
        staged.put_in_place().unwrap();
        assert_eq!((mode(&target), mode(&target.join("marked"))), (directory, file));
        let replaced = root.path().join("replaced");
        replace_file(&replaced, b"").unwrap();
        assert_eq!(mode(&replaced), file);
    }

    /// What is in the staging directory and beside it, and what is left of it.
    type Case<'a> = (&'a [&'a str], Option<&'a str>, BTreeMap<String, String>);

    #[test]
    fn what_killed_writers_left_is_put_back_or_removed() {
        let place = ".medclip-0123456789abcdef.partial";
        let cases: [Case<'_>; 7] = [
            (&[], None, of([])),
            (&["mark", "new/a"], None, of([])),
            (&["mark", "new/a", "old/a"], None, of([("it/", ""), ("it/a", "old/a")])),
            (&["mark", "old/a"], Some("it/a"), of([("it/", ""), ("it/a", "it/a")])),
            (&["mark", "gone/a"], None, of([])),
            // Killed while it was removed: the mark goes last.
            (&["mark", "old/below/a"], Some("it/a"), of([("it/", ""), ("it/a", "it/a")])),
            (&["mark", "new/a", "old/a"], Some("it/a"), of([("it/", ""), ("it/a", "it/a")])),
        ];
        for (inside, beside, after) in cases {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir(root.path().join(place)).unwrap();
            private(&root.path().join(place));
            for path in inside {
                let text = if *path == "mark" { mark("it") } else { (*path).to_owned() };
                write(&root.path().join(place), [(path, &text)]);
            }
            if let Some(path) = beside {
                write(root.path(), [(path, path)]);
            }
            sweep(root.path()).unwrap();
            assert_eq!(contents(root.path()), after, "{inside:?} {beside:?}");
        }
    }

    #[test]
    fn marks_that_lead_elsewhere_move_nothing() {
        for target in ["../it", "/tmp/it", "a/it", "..", ""] {
            let root = tempfile::tempdir().unwrap();
            let place = root.path().join("shared/.medclip-0.partial");
            write(&place, [("mark", &mark(target)), ("old/a", "")]);
            private(&place);
            let before = contents(root.path());
            sweep(root.path().join("shared")).unwrap();
            assert_eq!(contents(root.path()), before, "{target}");
        }
    }

    /// The test below starts itself with this set, as the writer that is killed.
    const WRITER: &str = "MEDCLIP_FILES_TEST_WRITER";

    #[test]
    fn a_writer_at_work_is_left_alone_and_a_killed_one_is_cleaned_up() {
        if let Some(target) = env::var_os(WRITER) {
            let staged = StagedDirectory::create(target, &KIND).unwrap();
            staged.write("marked", b"").unwrap();
            println!("ready");
            thread::sleep(Duration::from_mins(1));
        }
        let root = tempfile::tempdir().unwrap();
        let name = "on_unix::a_writer_at_work_is_left_alone_and_a_killed_one_is_cleaned_up";
        let mut writer = Command::new(env::current_exe().unwrap())
            .args([name, "--exact", "--nocapture"])
            .env(WRITER, root.path().join("it"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let staging = || {
            fs::read_dir(root.path()).unwrap().filter(|e| is_staging(e.as_ref().unwrap().file_name())).count()
        };
        let mut said = String::new();
        while !said.contains("ready") {
            let mut byte = [0];
            writer.stdout.as_mut().unwrap().read_exact(&mut byte).unwrap();
            said.push(char::from(byte[0]));
        }
        sweep(root.path()).unwrap();
        assert_eq!(staging(), 1);
        writer.kill().unwrap();
        writer.wait().unwrap();
        assert_eq!(staging(), 1);
        stage(&root.path().join("it"), "text");
        assert_eq!(contents(root.path()), of([("it/", ""), ("it/a", "text"), ("it/marked", "")]));
    }
}

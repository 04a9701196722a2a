//! Folders that other users write to as well.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

use crate::setting::{bundle, images, medclip, score, text};

fn build(directory: &Path, options: &[&str]) -> Output {
    let arguments = ["index", "build", "--model", bundle().to_str().unwrap(), "-o", "films.index"];
    medclip(&arguments).args(options).current_dir(directory).output().unwrap()
}

fn sheet(directory: &Path, page: &str) -> Output {
    let arguments =
        ["index", "query", "--model", bundle().to_str().unwrap(), "films.index", "--image", "a.png"];
    medclip(&arguments).args(["--sheet", page]).current_dir(directory).output().unwrap()
}

#[test]
fn links_that_others_planted_lead_nowhere() {
    let root = images(&["a.png", "b.png"]);
    let at = |name: &str| root.path().join(name);
    fs::write(at("private"), "mine").unwrap();
    fs::create_dir(at("mine")).unwrap();
    fs::write(at("mine/kept"), "mine").unwrap();
    for name in ["page.html.partial", "scores.csv.partial", "films.index.partial", "page.html"] {
        symlink(at("private"), at(name)).unwrap();
    }
    for name in ["results.partial", "results.gone.partial", "results.old.partial"] {
        symlink(at("mine"), at(name)).unwrap();
    }
    for (output, path) in [("scores.csv", "scores.csv"), ("results", "results/rows-00000.parquet")] {
        let scored = score(root.path(), &["a.png", "b.png", "--output", output]);
        assert!(scored.status.success(), "{}", text(&scored.stderr));
        assert!(at(path).is_file());
    }
    let built = build(root.path(), &["a.png", "b.png"]);
    assert!(built.status.success(), "{}", text(&built.stderr));
    let shown = sheet(root.path(), "page.html");
    assert!(shown.status.success(), "{}", text(&shown.stderr));
    assert!(fs::symlink_metadata(at("page.html")).unwrap().is_file());
    assert_eq!(fs::read_to_string(at("private")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(at("mine/kept")).unwrap(), "mine");
}

#[test]
fn directories_beside_an_output_are_the_users_own() {
    let root = images(&["a.png"]);
    let mine = ["results.partial", "results.gone.partial", "results.old.partial", "scores.csv.partial"];
    for name in mine {
        fs::create_dir(root.path().join(name)).unwrap();
        fs::write(root.path().join(name).join("kept"), "mine").unwrap();
    }
    for output in ["results", "scores.csv"] {
        assert!(score(root.path(), &["a.png", "--output", output]).status.success());
    }
    for name in mine {
        assert_eq!(fs::read_to_string(root.path().join(name).join("kept")).unwrap(), "mine", "{name}");
    }
}

#[test]
fn a_directory_with_files_of_the_user_is_never_written_to_or_emptied() {
    let root = images(&["a.png", "mine/notes.png"]);
    let scored = score(root.path(), &["a.png", "--output", "mine/"]);
    assert_eq!(scored.status.code(), Some(2));
    assert!(text(&scored.stderr).contains("mine/ is not empty and holds no run"), "{}", text(&scored.stderr));
    // The rows of an index are kept in a directory beside it meanwhile.
    fs::rename(root.path().join("mine"), root.path().join("films.index.run")).unwrap();
    let built = build(root.path(), &["a.png"]);
    assert_eq!(built.status.code(), Some(2), "{}", text(&built.stderr));
    let names: Vec<_> = fs::read_dir(root.path().join("films.index.run")).unwrap().collect();
    assert_eq!(names.len(), 1);
}

#[test]
fn what_stays_follows_the_umask_and_nothing_else_stays() {
    for (umask, file, directory) in [("022", 0o644, 0o755), ("077", 0o600, 0o700), ("002", 0o664, 0o775)] {
        let root = images(&["a.png"]);
        let program = env!("CARGO_BIN_EXE_medclip");
        let model = bundle().display();
        let script = format!(
            "umask {umask}; m={program}; \"$m\" score --model {model} a.png -o scores.csv && \
             \"$m\" score --model {model} a.png -o results && \"$m\" index build --model {model} -o films.index a.png && \
             \"$m\" index query --model {model} films.index --image a.png --sheet page.html"
        );
        let run = Command::new("sh").args(["-c", &script]).current_dir(root.path()).output().unwrap();
        assert!(run.status.success(), "{}", text(&run.stderr));
        let mut files = 0;
        for entry in walk(root.path()) {
            let name = entry.strip_prefix(root.path()).unwrap().display().to_string();
            let found = fs::metadata(&entry).unwrap();
            if name.is_empty() || name == "a.png" {
                continue;
            }
            assert!(!name.contains("partial"), "{name}");
            let expected = if found.is_dir() { directory } else { file };
            assert_eq!(found.permissions().mode() & 0o777, expected, "{name} under {umask}");
            files += usize::from(found.is_file());
        }
        assert!(files > 8, "{files}");
    }
}

fn walk(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut found = vec![directory.to_owned()];
    if directory.is_dir() {
        for entry in fs::read_dir(directory).unwrap() {
            found.extend(walk(&entry.unwrap().path()));
        }
    }
    found
}

#[test]
fn other_intake_checks_are_another_run() {
    let root = images(&["a.png", "b.png"]);
    let model = root.path().join("model");
    let checked = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/medclip-edge");
    fs::create_dir(&model).unwrap();
    for entry in fs::read_dir(checked).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), model.join(entry.file_name())).unwrap();
    }
    let run = || {
        let arguments = ["score", "--model", "model", "a.png", "b.png", "-o", "results", "--resume"];
        medclip(&arguments).current_dir(root.path()).output().unwrap()
    };
    assert!(run().status.success());
    // What somebody does who wants no checks, between one part of a run and the next.
    fs::remove_file(model.join("intake.safetensors")).unwrap();
    let sums = fs::read_to_string(model.join("SHA256SUMS")).unwrap();
    let sums: String =
        sums.lines().filter(|line| !line.contains("intake")).flat_map(|line| [line, "\n"]).collect();
    fs::write(model.join("SHA256SUMS"), sums).unwrap();
    let again = run();
    assert_eq!(again.status.code(), Some(2), "{}", text(&again.stderr));
    assert!(text(&again.stderr).contains("its intake.safetensors is"), "{}", text(&again.stderr));
}

/// Two users in one folder. It wants the rights of root, which give a process to another user.
#[test]
fn another_user_gains_nothing_and_loses_nothing() {
    let is_root = Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n");
    let can = Command::new("setpriv").arg("--version").output().is_ok();
    if !is_root || !can {
        eprintln!("left out: this is not root, or there is no setpriv");
        return;
    }
    let root = tempfile::Builder::new().permissions(fs::Permissions::from_mode(0o755)).tempdir().unwrap();
    let at = |name: &str| root.path().join(name);
    // The program and the model where other users reach them.
    fs::copy(env!("CARGO_BIN_EXE_medclip"), at("medclip")).unwrap();
    fs::create_dir(at("model")).unwrap();
    for entry in fs::read_dir(bundle()).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), at("model").join(entry.file_name())).unwrap();
    }
    let films = images(&["a.png", "b.png"]);
    for name in ["a.png", "b.png"] {
        fs::copy(films.path().join(name), at(name)).unwrap();
    }
    let shared = at("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o777)).unwrap();
    let by = |user: &str, script: &str| {
        let ids = [format!("--reuid={user}"), format!("--regid={user}"), "--clear-groups".to_owned()];
        let mut command = Command::new("setpriv");
        command.args(ids).args(["sh", "-c", script]).current_dir(&shared).env_remove("MEDCLIP_MODEL");
        command.output().unwrap()
    };
    let (anna, mallory) = ("64101", "64102");
    let run = "../medclip score --model ../model ../a.png ../b.png";
    let planted = by(
        mallory,
        "ln -s ../a.png x; echo secret > mallory; chmod 600 mallory; \
         for name in scores.csv.partial scores.csv.run.partial .medclip-0.partial; do ln -s \"$PWD/mallory\" $name; done; \
         mkdir -m 700 .medclip-1.partial; mkdir -m 777 .medclip-2.partial; \
         printf '{\"what\":\"medclip staging\",\"target\":[97]}' > .medclip-2.partial/mark; mkdir .medclip-2.partial/old",
    );
    assert!(planted.status.success(), "{}", text(&planted.stderr));
    for name in ["scores.csv", "scores.parquet"] {
        let scored = by(anna, &format!("umask 077; {run} -o {name} && {run} -o results-{name}/"));
        assert!(scored.status.success(), "{}", text(&scored.stderr));
    }
    assert!(!shared.join("a").exists(), "what somebody else marked was moved");
    assert_eq!(fs::read_to_string(shared.join("mallory")).unwrap(), "secret\n");
    assert!(shared.join(".medclip-1.partial").is_dir() && shared.join(".medclip-2.partial/old").is_dir());
    // Nothing of it can be read or gone on with by the other.
    for script in
        ["cat scores.csv", "ls results-scores.csv", &format!("{run} --resume -o results-scores.csv/")]
    {
        assert!(!by(mallory, script).status.success(), "{script}");
    }
}

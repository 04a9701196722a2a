//! Names of films and patients stay out of messages, logs and reports, unless `--log-paths` is given.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::setting::{bundle, images, medclip, score, text};

/// Part of every name that could be a patient's.
const NAME: &str = "Mustermann";

/// What a command says, which has no name.
fn said(output: &Output) -> String {
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(!said.contains(NAME), "{said}");
    said
}

/// What a refused command says without and with `--log-paths`: no name, and the name.
fn refused(directory: &Path, arguments: &[&str], words: &str) {
    let run = |more: &[&str]| {
        let output = medclip(arguments).args(more).current_dir(directory).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", text(&output.stderr));
        output
    };
    let errors = said(&run(&[]));
    assert!(errors.contains(words), "{arguments:?}: no {words} in {errors}");
    let named = text(&run(&["--log-paths"]).stderr);
    assert!(named.contains(NAME), "{arguments:?}: {named}");
}

/// Sound and unsound films, an archive and a table, all with the name.
fn films() -> tempfile::TempDir {
    let directory = images(&["in/Mustermann 1.png", "in/Mustermann/2.png"]);
    let at = directory.path();
    for (name, content) in [
        ("in/Mustermann 3.png", "no image"),
        ("in/4.Mustermann", "no film"),
        ("in/Mustermann 5.zip", "no archive"),
        ("in/Mustermann 6.dcm", ""),
    ] {
        fs::write(at.join(name), content).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("nowhere/Mustermann", at.join("in/Mustermann 7.png")).unwrap();
    fs::write(at.join("list.csv"), "path\nin/Mustermann 1.png\nin/Mustermann 8.png\n").unwrap();
    // Without a header, the first film is in its place.
    fs::write(at.join("headless.csv"), "in/Mustermann 1.png\nin/Mustermann 8.png\n").unwrap();
    fs::write(at.join("headless2.csv"), "Mustermann,in/Mustermann 1.png\nx,in/Mustermann 8.png\n").unwrap();
    fs::write(at.join("ragged.csv"), "path,Mustermann\na,b\nin/Mustermann 1.png,b,c\n").unwrap();
    directory
}

#[test]
fn scoring_to_files_names_no_film() {
    let directory = films();
    let at = directory.path();
    for output in ["x.csv", "x.parquet", "x.jsonl", "x"] {
        for input in ["in", "list.csv"] {
            let arguments = [input, "--output", output];
            let scored = score(at, &arguments);
            assert_eq!(scored.status.code(), Some(1), "{}", text(&scored.stderr));
            said(&scored);
            let other = if input == "in" { "list.csv" } else { "in" };
            said(&score(at, &[other, "--output", output, "--resume"]));
            said(&score(at, &arguments));
            for made in [output.to_owned(), format!("{output}.run")] {
                let made = at.join(made);
                if made.is_dir() { fs::remove_dir_all(made).unwrap() } else { drop(fs::remove_file(made)) }
            }
        }
    }
    let named = score(at, &["in", "--output", "y", "--log-paths"]);
    assert!(text(&named.stderr).contains("Mustermann 3.png: is neither"), "{}", text(&named.stderr));

    let list = "in/Mustermann 1.png\nin/Mustermann 8.png\nin/Mustermann 8.png\n";
    let mut command = medclip(&["score", "--model", bundle().to_str().unwrap(), "-", "--output", "z.csv"]);
    said(&command.current_dir(at).write_stdin(list).output().unwrap());
    for (table, words) in [
        ("headless.csv", "column `path` is missing; there is one column, of another name"),
        ("headless2.csv", "column `path` is missing; there are 2 columns, of other names"),
        ("ragged.csv", "the row has 3 cells and the header 2"),
    ] {
        let model = bundle().to_str().unwrap();
        refused(at, &["score", "--model", model, table, "--output", "r.csv"], words);
    }
}

#[test]
fn a_damaged_list_is_not_quoted() {
    let directory = films();
    let at = directory.path();
    score(at, &["in", "--output", "x", "--shard-size", "1"]);
    // As if the run had not come to its end.
    let record = at.join("x/_medclip");
    fs::remove_file(record.join("finished.json")).unwrap();
    let commits = fs::read_dir(record.join("commits")).unwrap().map(|entry| entry.unwrap().path());
    fs::remove_file(commits.max().unwrap()).unwrap();
    let is_list = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains("Mustermann 1.png"));
    let list = fs::read_dir(&record).unwrap().map(|entry| entry.unwrap().path()).find(|path| is_list(path));
    let list = list.unwrap();
    let lines = fs::read_to_string(&list).unwrap().lines().count();
    fs::write(&list, "\"in/Mustermann 1.png\"\n".repeat(lines)).unwrap();
    let resumed = score(at, &["in", "--output", "x", "--shard-size", "1", "--resume"]);
    assert_eq!(resumed.status.code(), Some(2), "{}", text(&resumed.stderr));
    said(&resumed);
}

#[cfg(feature = "search")]
#[test]
fn building_an_index_names_no_film() {
    let directory = films();
    let at = directory.path();
    let model = bundle().to_str().unwrap();
    let build = |arguments: &[&str]| {
        let model = ["--model", model];
        medclip(&["index", "build"]).args(arguments).args(model).current_dir(at).output().unwrap()
    };
    let built = build(&["-o", "a.index", "in"]);
    assert_eq!(built.status.code(), Some(1), "{}", text(&built.stderr));
    said(&built);
    let twice = ["index", "build", "-o", "b.index", "in", "in/Mustermann 1.png", "--model", model];
    refused(at, &twice, "are the same");
    assert!(!at.join("b.index.run").exists());
    refused(
        at,
        &["index", "build", "-o", "b.index", "headless.csv", "--model", model],
        "column `path` is missing",
    );
    score(at, &["in", "--output", "rows", "--columns", "embedding"]);
    said(&build(&["-o", "c.index", "--scores", "rows"]));
    said(&build(&["-o", "c.index", "--scores", "rows", "rows"]));
}

#[cfg(feature = "train")]
mod train {
    use super::*;
    use crate::train::training_file;

    /// Phantoms whose paths and patients have the name.
    fn setting() -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let made = medclip(&["phantom", "-o", "phantoms", "--count", "20", "--size", "48", "--seed", "5"])
            .current_dir(at)
            .output();
        assert!(made.unwrap().status.success());
        training_file(at, "epochs = 1");
        for table in ["manifest.csv", "reports.csv"] {
            let table = at.join("phantoms").join(table);
            let text = fs::read_to_string(&table).unwrap();
            let text = text.replace("phantom:", "Mustermann:").replace("images/", "Mustermann/");
            fs::write(table, text).unwrap();
        }
        fs::rename(at.join("phantoms/images"), at.join("phantoms/Mustermann")).unwrap();
        directory
    }

    #[test]
    fn what_is_refused_is_told_by_row() {
        let directory = setting();
        let at = directory.path();
        let manifest = at.join("phantoms/manifest.csv");
        let sound = fs::read_to_string(&manifest).unwrap();
        let lines: Vec<&str> = sound.lines().collect();
        let train = ["train", "train.toml", "--output", "out"];
        let with = |setting: &'static str| [&train[..], &["--set", setting]].concat();

        refused(at, &with("data.eval.val.splits=[\"train\"]"), "the patient group of row 1 (line 2)");
        fs::write(&manifest, sound.clone() + lines[1] + "\n").unwrap();
        refused(at, &train, "it names the image of row 1 (line 2)");
        fs::write(&manifest, sound.replacen(",train,", ",Mustermann,", 1)).unwrap();
        refused(at, &train, "column `split`: the value is not train, val or test");
        fs::write(&manifest, lines[1..].join("\n")).unwrap();
        refused(at, &train, "is missing; there are ");
        fs::write(&manifest, &sound).unwrap();

        fs::write(at.join("reports.csv"), "id,text\nMustermann:1,a\nMustermann:1,b\n").unwrap();
        refused(at, &with("data.reports=\"reports.csv\""), "it is the id of row 1 (line 2) too");
        let film = lines[1].split(',').next().unwrap();
        fs::write(at.join("scores.csv"), format!("path,Edema logit\nphantoms/{film},Mustermann\n")).unwrap();
        let teacher = "data.teacher={ scores = [\"scores.csv\"], share = 0.5 }";
        refused(at, &with(teacher), "column `Edema logit`: the value is not a finite number");
        fs::write(at.join("scores.csv"), "path,Edema logit\nx.png,1\n").unwrap();
        refused(at, &with(teacher), "such as that of row ");
        fs::write(at.join("phantoms").join(film), "no image").unwrap();
        refused(at, &train, "row 1 (line 2) of phantoms/manifest.csv");
    }

    #[test]
    fn logs_and_reports_have_rows() {
        let directory = setting();
        let at = directory.path();
        let manifest = fs::read_to_string(at.join("phantoms/manifest.csv")).unwrap();
        let film = manifest.lines().nth(1).unwrap().split(',').next().unwrap();
        fs::write(at.join("phantoms").join(film), "no image").unwrap();
        let limit = ["--set", "data.max_lost=0.05", "--set", "select_findings=[\"Lung Opacity\"]"];
        let run = |output: &str, more: &[&str]| {
            let command = [&["train", "train.toml", "--output", output], &limit[..], more].concat();
            let trained = medclip(&command).current_dir(at).output().unwrap();
            assert_eq!(trained.status.code(), Some(1), "{}", text(&trained.stderr));
            let report = medclip(&["runs", "report", output]).current_dir(at).output().unwrap();
            assert!(report.status.success(), "{}", text(&report.stderr));
            let read = |name: &str| fs::read_to_string(at.join(output).join(name)).unwrap();
            (trained, [read("log.jsonl"), read("report.html")])
        };
        let (trained, written) = run("out", &[]);
        said(&trained);
        for text in written {
            assert!(!text.contains(NAME), "{text}");
            assert!(text.contains("row 1 (line 2) of phantoms/manifest.csv"), "{text}");
        }
        let (trained, written) = run("named", &["--log-paths"]);
        assert!(text(&trained.stderr).contains(film));
        assert!(written.iter().all(|text| text.contains(film)));
    }
}

//! CSV runs in no spreadsheet, and medclip reads back what it meant.

use std::fs;
use std::path::Path;

use medclip_data::{Column, Kind, Table};
use medclip_tests::PROMPTS;

use crate::setting::{bundle, images, json_lines, medclip, score, text};

/// Names that begin like formulas, or with an apostrophe.
const NAMES: [&str; 9] =
    ["=1+1.png", "+1.png", "-1.png", "@x.png", "＝1.png", "'x.png", "'=1.png", " =1.png", "plain.png"];

/// Films with those names in a directory, named one by one.
fn films() -> (tempfile::TempDir, Vec<&'static str>) {
    (images(&NAMES), [&["--"], &NAMES[..]].concat())
}

/// No cell of a CSV file begins like a formula, numbers aside.
fn assert_harmless(csv: &str) {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
    for record in reader.records() {
        for cell in &record.unwrap() {
            let is_formula =
                cell.trim_start().starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r']);
            assert!(!is_formula || cell.parse::<f64>().is_ok(), "{cell:?} in {csv}");
        }
    }
}

/// The column `path` as medclip's own reader has it.
fn paths(csv: &[u8]) -> Vec<String> {
    let table = Table::from_bytes(csv.to_vec(), &[Column::required("path", Kind::Name)]).unwrap();
    table.map(|row| row.unwrap().whole(0).to_owned()).collect()
}

#[test]
fn names_are_guarded_and_read_back() {
    let (directory, names) = films();
    let printed = score(directory.path(), &[&["--format", "csv"], &names[..]].concat());
    assert_eq!(printed.status.code(), Some(0), "{}", text(&printed.stderr));
    let rows = score(directory.path(), &[&["--output", "scores.csv"], &names[..]].concat());
    assert_eq!(rows.status.code(), Some(0), "{}", text(&rows.stderr));
    for csv in [printed.stdout, fs::read(directory.path().join("scores.csv")).unwrap()] {
        assert_harmless(&text(&csv));
        assert_eq!(paths(&csv), NAMES);
        assert!(text(&csv).contains("\n'=1+1.png,") && text(&csv).contains("\n''x.png,"), "{}", text(&csv));
    }
    // The table of scores names the same films again.
    let again = json_lines(&score(directory.path(), &["scores.csv", "--format", "json"]));
    assert_eq!(again.len(), NAMES.len());
    // Spaces around a name in a table are not part of it.
    let errors: Vec<_> = again.iter().filter(|line| !line["error"].is_null()).collect();
    assert!(errors.iter().all(|line| line["path"] == "=1.png"), "{errors:?}");
}

#[test]
fn an_option_gives_the_exact_text() {
    let (directory, names) = films();
    let printed = score(directory.path(), &[&["--format", "csv", "--csv-exact"], &names[..]].concat());
    score(directory.path(), &[&["--output", "scores.csv", "--csv-exact"], &names[..]].concat());
    for csv in [printed.stdout, fs::read(directory.path().join("scores.csv")).unwrap()] {
        assert!(text(&csv).contains("\n=1+1.png,") && text(&csv).contains("\n'x.png,"), "{}", text(&csv));
    }
    // A run is continued with the same texts only.
    let other = score(directory.path(), &[&["--output", "scores.csv", "--resume"], &names[..]].concat());
    assert_eq!(other.status.code(), Some(2), "{}", text(&other.stderr));
    assert!(text(&other.stderr).contains("csv texts"), "{}", text(&other.stderr));
    for arguments in [&["--csv-exact"][..], &["--csv-exact", "--output", "x.parquet"]] {
        let refused = score(directory.path(), &[arguments, &names[..]].concat());
        assert_eq!(refused.status.code(), Some(2));
        assert!(text(&refused.stderr).contains("--csv-exact"), "{}", text(&refused.stderr));
    }
    // Other formats have the exact text always.
    let json = json_lines(&score(directory.path(), &[&["--format", "json"], &names[..]].concat()));
    assert_eq!(json.iter().map(|line| line["path"].as_str().unwrap()).collect::<Vec<_>>(), NAMES);
}

#[test]
fn names_of_classes_are_guarded_in_headers() {
    let directory = images(&["a.png"]);
    let prompts =
        PROMPTS.replace("\"Cardiomegaly\"", "\"=HYPERLINK(1)\"").replace("\"Pleural Effusion\"", "\"@x\"");
    fs::write(directory.path().join("prompts.toml"), prompts).unwrap();
    let arguments = ["a.png", "--prompts", "prompts.toml"];
    let printed = score(directory.path(), &[&arguments[..], &["--format", "csv"]].concat());
    score(directory.path(), &[&arguments[..], &["--output", "x.csv"]].concat());
    for csv in [printed.stdout, fs::read(directory.path().join("x.csv")).unwrap()] {
        assert_harmless(&text(&csv));
        assert!(text(&csv).contains(",'=HYPERLINK(1) logit,"), "{}", text(&csv));
        let columns = [
            Column::required("=HYPERLINK(1) logit", Kind::Number),
            Column::required("@x logit", Kind::Number),
        ];
        let row = Table::from_bytes(csv, &columns).unwrap().next().unwrap().unwrap();
        assert!(row.cell(0).parse::<f32>().is_ok() && row.cell(1).parse::<f32>().is_ok());
    }
}

#[test]
fn labels_are_guarded_and_reports_are_read_back() {
    let directory = tempfile::tempdir().unwrap();
    let at = directory.path();
    fs::write(at.join("@r.txt"), "- The heart is enlarged.\n=cmd is no finding.\n").unwrap();
    let label = |arguments: &[&str]| {
        let output =
            medclip(&["label", "--format", "csv", "--sentences"]).args(arguments).current_dir(at).output();
        text(&output.unwrap().stdout)
    };
    let guarded = label(&["@r.txt"]);
    assert_harmless(&guarded);
    assert!(guarded.contains("\n'@r.txt,"), "{guarded}");
    assert!(label(&["@r.txt", "--csv-exact"]).contains("\n@r.txt,"));
    // A guarded report has the labels of the plain one.
    fs::write(at.join("plain.csv"), "=report\n=Cardiomegaly.\n").unwrap();
    fs::write(at.join("guarded.csv"), "'=report\n'=Cardiomegaly.\n").unwrap();
    let [plain, guarded] =
        ["plain.csv", "guarded.csv"].map(|file| label(&["--csv", "=report", file]).replace(file, ""));
    assert!(plain == guarded && plain.contains("positive"), "{plain}{guarded}");
}

#[cfg(feature = "search")]
#[test]
fn films_that_an_index_finds_are_guarded() {
    let (directory, _) = films();
    let index = |arguments: &[&str]| {
        let model = ["--model", bundle().to_str().unwrap()];
        medclip(&["index"]).args(arguments).args(model).current_dir(directory.path()).output().unwrap()
    };
    // In a table these two are `=1.png`.
    let list = NAMES.join("\n").replace("'=1.png\n =1.png\n", "");
    fs::write(directory.path().join("list.csv"), format!("path\n{list}\n")).unwrap();
    let built = index(&["build", "-o", "films.index", "list.csv"]);
    assert!(directory.path().join("films.index").exists(), "{}", text(&built.stderr));
    let found = index(&["query", "films.index", "--image", "=1+1.png", "--format", "csv"]);
    assert_harmless(&text(&found.stdout));
    assert!(paths(&found.stdout).contains(&"=1+1.png".to_owned()), "{}", text(&found.stdout));
    let exact = index(&["query", "films.index", "--image", "=1+1.png", "--format", "csv", "--csv-exact"]);
    assert!(text(&exact.stdout).contains(",=1+1.png\n"), "{}", text(&exact.stdout));
}

#[cfg(feature = "dicom")]
#[test]
fn a_patient_whose_id_is_a_formula_runs_nothing() {
    use crate::dicom_file::Builder;

    let directory = tempfile::tempdir().unwrap();
    let ramp: Vec<u16> = (0..64 * 64).map(|at| at % 256).collect();
    let id = "=cmd|' /C calc'!A0";
    for (name, id) in [("a.dcm", id), ("b.dcm", "＝1+1"), ("c.dcm", "'7"), ("d.dcm", "-7")] {
        let film = Builder::gray(64, 64, 12).pixels(&ramp);
        let film = film.text(0x0008_0005, *b"CS", "ISO_IR 192").text(0x0010_0020, *b"LO", id);
        fs::write(directory.path().join(name), film.file()).unwrap();
    }
    let ids = |file: &str| -> Vec<String> {
        let columns = [Column::required("patient_id", Kind::Text)];
        let table = Table::open(&Path::new(directory.path()).join(file), &columns).unwrap();
        table.map(|row| row.unwrap().whole(0).to_owned()).collect()
    };
    let written = |file: &str| {
        let output = score(directory.path(), &[".", "--output", file, "--columns", "patient_id"]);
        assert!(output.stdout.is_empty(), "{}", text(&output.stderr));
        fs::read(directory.path().join(file)).unwrap()
    };
    let csv = text(&written("x.csv"));
    assert_harmless(&csv);
    assert!(csv.contains(",'=cmd|' /C calc'!A0,"), "{csv}");
    assert_eq!(ids("x.csv"), [id, "＝1+1", "'7", "-7"]);
    // Parquet and JSON have the exact text.
    written("x.parquet");
    assert_eq!(ids("x.parquet"), [id, "＝1+1", "'7", "-7"]);
    assert!(text(&written("x.jsonl")).contains("\"patient_id\":\"=cmd|' /C calc'!A0\""));
}

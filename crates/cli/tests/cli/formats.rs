//! Order, formats and exit status when all goes well.

use crate::setting::{bundle, images, json_lines, medclip, score, text};

/// Of a record, in order.
const KEYS: [&str; 13] = [
    "path",
    "sop_instance_uid",
    "study_instance_uid",
    "view",
    "model",
    "model_id",
    "engine",
    "qc",
    "notes",
    "findings",
    "error_kind",
    "error",
    "schema",
];

#[test]
fn json_has_one_object_a_line_in_input_order() {
    let directory = images(&["b.png", "a.jpg", "c.png"]);
    let output = score(directory.path(), &["--format", "json", "b.png", "c.png", "a.jpg"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(output.stderr.is_empty());
    let lines = json_lines(&output);
    let paths: Vec<_> = lines.iter().map(|line| line["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["b.png", "c.png", "a.jpg"]);
    for line in &lines {
        let keys: Vec<_> = line.as_object().unwrap().keys().collect();
        assert_eq!(keys, KEYS);
        assert_eq!((line["model"].as_str(), line["engine"].as_str()), (Some("tiny"), Some("tract")));
        assert!(line["error"].is_null());
        let findings = line["findings"].as_array().unwrap();
        let names: Vec<_> = findings.iter().map(|finding| finding["name"].as_str().unwrap()).collect();
        assert_eq!(names, medclip_tests::CLASSES);
        for finding in findings {
            let logit = finding["logit"].as_f64().unwrap();
            let probability = finding["probability"].as_f64().unwrap();
            assert!((probability - 1.0 / (1.0 + (-logit).exp())).abs() < 1e-6);
        }
    }
    assert_ne!(lines[0]["findings"], lines[1]["findings"], "different images score differently");
}

#[test]
fn scores_do_not_depend_on_threads_or_company() {
    let names: Vec<String> = (0..20).map(|index| format!("{index:02}.png")).collect();
    let directory = images(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let one = score(directory.path(), &["--format", "json", "--threads", "1", "."]);
    let four = score(directory.path(), &["--format", "json", "--threads", "4", "."]);
    assert_eq!(one.status.code(), Some(0));
    assert_eq!(text(&one.stdout), text(&four.stdout));
    let alone = score(directory.path(), &["--format", "json", "--threads", "4", "./07.png"]);
    assert_eq!(json_lines(&alone)[0], json_lines(&one)[7]);
}

#[test]
fn directories_are_searched_in_order_of_name() {
    let directory = images(&["set/b/2.JPG", "set/a/9.png", "set/b/1.jpeg", "set/c.png"]);
    std::fs::write(directory.path().join("set/notes.txt"), "not an image").unwrap();
    let output = score(directory.path(), &["--format", "json", "set"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let paths: Vec<_> =
        json_lines(&output).iter().map(|line| line["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths, ["set/a/9.png", "set/b/1.jpeg", "set/b/2.JPG", "set/c.png"]);
    assert_eq!(text(&output.stderr), "4 scored, 0 failed; 1 file not looked at (1 .txt)\n");
}

#[test]
fn table_is_the_default_sorted_and_marked() {
    let directory = images(&["a.png"]);
    let output = score(directory.path(), &["a.png"]);
    assert_eq!(output.status.code(), Some(0));
    let table = text(&output.stdout);
    assert!(table.starts_with("a.png"));
    assert!(table.ends_with("Research use only, not for diagnosis.\n"));
    let probabilities: Vec<f64> = table
        .lines()
        .filter(|line| medclip_tests::CLASSES.iter().any(|class| line.contains(class)))
        .map(|line| line.split_whitespace().rev().nth(1).unwrap().parse().unwrap())
        .collect();
    assert_eq!(probabilities.len(), 2);
    assert!(probabilities.is_sorted_by(|a, b| a >= b));
    assert_eq!(table, text(&score(directory.path(), &["--format", "table", "a.png"]).stdout));
}

#[test]
fn csv_has_a_row_per_image() {
    let directory = images(&["a.png", "b.png"]);
    let output = score(directory.path(), &["--format", "csv", "a.png", "missing.png", "b.png"]);
    assert_eq!(output.status.code(), Some(1));
    let rows = text(&output.stdout);
    let rows: Vec<_> = rows.lines().collect();
    assert_eq!(
        rows[0],
        "path,sop_instance_uid,study_instance_uid,view,model,model_id,engine,qc,notes,error_kind,error,Cardiomegaly logit,\
         Cardiomegaly probability,Pleural Effusion logit,Pleural Effusion probability,schema"
    );
    for (row, start, middle) in [
        (rows[1], "a.png,,,,tiny,", ",tract,low_resolution,,,,"),
        (rows[2], "missing.png,,,,tiny,", ",tract,,,io,No such file"),
        (rows[3], "b.png,,,,tiny,", ",tract,low_resolution,,,,"),
    ] {
        assert!(row.starts_with(start) && row.contains(middle), "{row}");
    }
    assert!(rows[2].ends_with(",,,,,1"), "{}", rows[2]);
}

#[test]
fn the_model_may_come_from_the_environment() {
    let directory = images(&["a.png"]);
    let mut command = medclip(&["score", "--format", "json", "a.png"]);
    let output = command.current_dir(directory.path()).env("MEDCLIP_MODEL", bundle()).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(json_lines(&output).len(), 1);
}

#[test]
fn prompts_of_the_caller_replace_the_classes() {
    let directory = images(&["a.png"]);
    let own = r#"
        [[class]]
        name = "Large heart"
        positive = { sentences = ["the heart is large"] }
        negative = { sentences = ["the heart is normal"] }
    "#;
    std::fs::write(directory.path().join("own.toml"), own).unwrap();
    std::fs::write(directory.path().join("same.toml"), medclip_tests::PROMPTS).unwrap();
    let run = |arguments: &[&str]| {
        let output = score(directory.path(), arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        json_lines(&output)[0]["findings"].clone()
    };
    let own = run(&["--format", "json", "--prompts", "own.toml", "a.png"]);
    assert_eq!(own.as_array().unwrap().len(), 1);
    assert_eq!(own[0]["name"], "Large heart");
    let bank = run(&["--format", "json", "a.png"]);
    let same = run(&["--format", "json", "--prompts", "same.toml", "a.png"]);
    assert_eq!(bank, same, "the bank holds what the text tower gives");
}

#[test]
fn help_names_every_command() {
    let help = text(&medclip(&["--help"]).output().unwrap().stdout);
    for command in ["score", "inspect", "label", "phantom"] {
        assert!(help.contains(command), "{command}");
        let output = medclip(&[command, "--help"]).output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert!(text(&output.stdout).contains("Example"), "{command} shows an example");
    }
}

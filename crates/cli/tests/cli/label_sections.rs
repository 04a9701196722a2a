//! `medclip label --section`.

use serde_json::json;

use crate::setting::{json_lines, medclip, text};

const REPORT: &str = "INDICATION: Pneumonia.\nFINDINGS: Small effusion.\nIMPRESSION: Cardiomegaly.\nNURSING NOTE: Rib fracture.";

#[test]
fn the_output_lists_the_sections() {
    let output = medclip(&["label", "--format", "json"]).write_stdin(REPORT).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let line = &json_lines(&output)[0];
    let section = |name: &str, read: bool| json!({"name": name, "read": read});
    assert_eq!(
        line["sections"],
        json!([
            section("indication", false),
            section("findings", true),
            section("impression", true),
            section("nursing note", false)
        ])
    );
    assert_eq!(line["labels"]["Pleural Effusion"], "positive");
    assert!(line["labels"].get("Pneumonia").is_none() && line["labels"].get("Fracture").is_none());

    let output = medclip(&["label", "--format", "csv", "--sentences"]).write_stdin(REPORT).output().unwrap();
    let rows = text(&output.stdout);
    assert!(rows.lines().next().unwrap().ends_with(",sections_read,sections_left_out"), "{rows}");
    assert!(
        rows.lines().nth(1).unwrap().ends_with(",findings; impression,indication; nursing note"),
        "{rows}"
    );
    assert!(rows.lines().nth(2).unwrap().ends_with(",,"), "{rows}");

    let output = medclip(&["label"]).write_stdin(REPORT).output().unwrap();
    let table = text(&output.stdout);
    assert!(
        table.contains("Sections read: findings; impression. Left out: indication; nursing note."),
        "{table}"
    );
}

#[test]
fn sections_are_chosen_by_name() {
    let labels = |names: &[&str]| {
        let mut arguments = vec!["label", "--format", "json"];
        arguments.extend(names.iter().flat_map(|name| ["--section", *name]));
        let output = medclip(&arguments).write_stdin(REPORT).output().unwrap();
        (output.status.code(), json_lines(&output)[0]["labels"].clone(), text(&output.stderr))
    };
    let (status, found, _) = labels(&["Impression"]);
    assert_eq!((status, found), (Some(0), json!({"No Finding": "negative", "Cardiomegaly": "positive"})));
    let (status, found, _) = labels(&["findings", "INDICATION"]);
    let both = json!({"No Finding": "negative", "Pneumonia": "positive", "Pleural Effusion": "positive"});
    assert_eq!((status, found), (Some(0), both));
    let (_, found, _) = labels(&["nursing  note"]);
    assert_eq!(found, json!({"No Finding": "negative", "Fracture": "positive"}));

    let (status, found, message) = labels(&["conclusion"]);
    assert_eq!((status, found), (Some(1), json!({})));
    assert!(
        message.contains(
            "no report has the section conclusion: the reports have findings, impression, indication, nursing note"
        ),
        "{message}"
    );
}

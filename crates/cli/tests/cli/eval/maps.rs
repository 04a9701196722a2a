//! `medclip eval maps`.

use std::fs;
use std::path::Path;

use super::{eval, phantoms, refusal, report};
use crate::setting::text;

/// Paths of the films, in the manifest's order.
fn films(directory: &Path) -> Vec<String> {
    let mut reader = csv::Reader::from_path(directory.join("films/manifest.csv")).unwrap();
    let path = reader.headers().unwrap().iter().position(|name| name == "path").unwrap();
    reader.records().map(|row| row.unwrap()[path].to_owned()).collect()
}

fn write(directory: &Path, rows: &[String]) {
    let text = format!("path,annotator,label,x,y,w,h\n{}\n", rows.join("\n"));
    fs::write(directory.join("boxes.csv"), text).unwrap();
}

#[test]
fn hits_floor_and_ceiling_are_those_of_the_boxes() {
    let directory = phantoms(20);
    let films = films(directory.path());
    // A film of 48 pixels is in the middle of a square of 224. These boxes lie between the centers of a map of 8 × 8.
    let mut rows: Vec<String> =
        films[..12].iter().map(|film| format!("{film},one,Pleural Effusion,0,0,2,2")).collect();
    // The whole square.
    rows.extend(films[12..16].iter().map(|film| format!("{film},one,Pleural Effusion,-88,-88,224,224")));
    rows.push(format!("{},one,Mass,1,1,4,4", films[0]));
    rows.push("elsewhere.png,one,Cardiomegaly,1,1,4,4".to_owned());
    rows.push(format!("{},two,Cardiomegaly,1,1,4,4", films[0]));
    write(directory.path(), &rows);

    let arguments = ["--boxes", "boxes.csv", "--annotator", "one", "--occlusion"];
    let found = report(directory.path(), "maps", &arguments);
    assert_eq!(found["grid"], serde_json::json!([8, 8]));
    assert_eq!(found["other_labels"], serde_json::json!({ "Mass": 1 }));
    assert_eq!((found["boxes_elsewhere"].as_u64(), found["images"].as_u64()), (Some(1), Some(16)));
    assert!(found["incompleteness"].as_f64().unwrap() < 1e-5);
    let [finding] = found["findings"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!(finding["name"], "Pleural Effusion");
    assert_eq!((finding["films"].as_u64(), finding["map"]["hits"].as_u64()), (Some(16), Some(4)));
    assert_eq!((finding["ceiling"].as_f64(), finding["floor_hits"].as_u64()), (Some(0.25), Some(16)));
    assert_eq!(finding["map"]["over_floor"]["estimate"].as_f64(), Some(-0.75));
    assert_eq!(finding["occlusion"]["hits"].as_u64(), Some(4), "its map is of 8 × 8 too");

    let table = text(&eval(directory.path(), "maps", &arguments).stdout);
    assert!(table.contains("| Pleural Effusion |") && table.contains("by occlusion |"), "{table}");
    assert!(table.contains("Mass 1.") && table.contains("not chosen: 1."), "{table}");
}

#[test]
fn boxes_that_are_none_are_refused() {
    let directory = phantoms(6);
    let refused = |directory: &Path| refusal(directory, "maps", &["--boxes", "boxes.csv"]);
    write(directory.path(), &["films/none.png,one,Cardiomegaly,1,1,4,4".to_owned()]);
    let said = refused(directory.path());
    assert!(said.contains("none of the boxes in boxes.csv"), "{said}");
    write(directory.path(), &[format!("{},one,Cardiomegaly,1,1,0,4", films(directory.path())[0])]);
    let said = refused(directory.path());
    assert!(said.contains("cannot use boxes boxes.csv") && said.contains("`w`"), "{said}");
    // On no pixel of its film.
    write(directory.path(), &[format!("{},one,Cardiomegaly,60,1,5,5", films(directory.path())[0])]);
    let output = eval(directory.path(), "maps", &["--boxes", "boxes.csv"]);
    assert!(text(&output.stderr).contains("lies outside its 48 x 48 pixels"), "{}", text(&output.stderr));
}

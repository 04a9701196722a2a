//! `--plots` of `medclip eval zero-shot` and `medclip eval probe`.

use std::fs;
use std::path::Path;

use roxmltree::Document;

use super::{eval, phantoms, refusal, report};
use crate::setting::text;

/// Text elements of the charts in `directory`, by file, in the order of names.
fn charts(directory: &Path) -> Vec<(String, Vec<String>)> {
    let mut paths: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let texts = |path: &Path| {
        let file = fs::read_to_string(path).unwrap();
        let document = Document::parse(&file).unwrap();
        let elements = document.descendants().filter(|node| node.tag_name().name() == "text");
        elements.filter_map(|element| element.text().map(str::to_owned)).collect()
    };
    paths.iter().map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), texts(path))).collect()
}

fn has(texts: &[String], beginning: &str) -> bool {
    texts.iter().any(|text| text.starts_with(beginning))
}

#[test]
fn prompts_give_three_charts_that_agree_with_the_figures() {
    let directory = phantoms(30);
    let plots = directory.path().join("new/plots");
    let found = report(directory.path(), "zero-shot", &["--plots", "new/plots"]);
    assert_eq!(found, report(directory.path(), "zero-shot", &[]), "charts change no figure");
    let drawn = charts(&plots);
    let names: Vec<&str> = drawn.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["calibration.svg", "embedding-map.svg", "roc.svg"]);
    let [(_, calibration), (_, map), (_, roc)] = &drawn[..] else { panic!("{names:?}") };
    for finding in found["findings"].as_array().unwrap() {
        let name = finding["name"].as_str().unwrap();
        let [low, estimate, high] =
            ["low", "estimate", "high"].map(|key| finding["auroc"][key].as_f64().unwrap());
        let legend = format!("{name} {estimate:.3} ({low:.3}–{high:.3})");
        assert!(has(roc, &legend), "no {legend} in {roc:?}");
        assert!(has(calibration, name) && has(map, &format!("{name} (")), "{name}");
    }
    assert!(has(calibration, "ECE 0.") && has(map, "First principal component ("));

    let first = fs::read(plots.join("roc.svg")).unwrap();
    fs::write(plots.join("roc.svg"), "an earlier chart, which is much longer".repeat(1000)).unwrap();
    eval(directory.path(), "zero-shot", &["--plots", "new/plots", "--threads", "3"]);
    assert!(first == fs::read(plots.join("roc.svg")).unwrap(), "the same bytes, whatever was there");
    assert_eq!(fs::read_dir(&plots).unwrap().count(), 3);
}

#[test]
fn a_probe_gives_its_data_efficiency_too() {
    let directory = phantoms(60);
    let shares = ["--fraction", "0.5", "--fraction", "1", "--plots", "plots"];
    let output = eval(directory.path(), "probe", &shares);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let drawn = charts(&directory.path().join("plots"));
    let names: Vec<&str> = drawn.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["calibration.svg", "data-efficiency.svg", "embedding-map.svg", "roc.svg"]);
    let (_, efficiency) = &drawn[1];
    for text in ["50 %", "100 %", "AUROC", "mean of ", "Cardiomegaly"] {
        assert!(has(efficiency, text), "no {text} in {efficiency:?}");
    }
}

#[test]
fn what_cannot_be_drawn_or_written_is_named() {
    let directory = phantoms(30);
    fs::write(directory.path().join("taken"), "a file").unwrap();
    for protocol in ["zero-shot", "probe"] {
        assert!(refusal(directory.path(), protocol, &["--plots", "taken"]).contains("cannot make taken"));
    }
    fs::create_dir_all(directory.path().join("plots/roc.svg")).unwrap();
    let message = refusal(directory.path(), "zero-shot", &["--plots", "plots"]);
    assert!(message.contains("plots/roc.svg"), "{message}");
    let manifest = directory.path().join("films/manifest.csv");
    let first: Vec<String> =
        fs::read_to_string(&manifest).unwrap().lines().take(2).map(str::to_owned).collect();
    fs::write(&manifest, first.join("\n")).unwrap();
    let message = refusal(directory.path(), "zero-shot", &["--plots", "one"]);
    assert!(message.contains("cannot draw roc.svg: no finding has both outcomes"), "{message}");
}

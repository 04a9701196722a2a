//! `medclip bench`.

use serde_json::Value;

use crate::setting::{bundle, medclip, text};

const SHORT: [&str; 10] =
    ["--engine", "tract", "--threads", "1", "--batch", "1,2", "--rounds", "2", "--runs", "2"];

#[test]
fn json_has_every_setting_with_its_process() {
    let output = medclip(&[
        "bench",
        "--model",
        bundle().to_str().unwrap(),
        "--tower",
        "image,text",
        "--format",
        "json",
    ])
    .args(SHORT)
    .output()
    .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["model"], &report["rounds"], &report["warm_up"]),
        (&"tiny".into(), &2.into(), &3.into())
    );
    let results = report["results"].as_array().unwrap();
    let settings: Vec<_> =
        results.iter().map(|each| (each["tower"].as_str().unwrap(), &each["batch"])).collect();
    assert_eq!(
        settings,
        [("image", &1.into()), ("image", &2.into()), ("text", &1.into()), ("text", &2.into())]
    );
    for each in results {
        assert!(each["p50_ms"].as_f64().unwrap() <= each["p95_ms"].as_f64().unwrap());
        assert!(each["per_second"].as_f64().unwrap() > 0.0);
        assert_eq!(each["relative"], 1.0);
    }
    let process = &report["processes"][0];
    assert!(process["load_ms"].as_f64().unwrap() > 0.0 && process["text_load_ms"].as_f64().unwrap() > 0.0);
    if cfg!(target_os = "linux") {
        assert!(process["peak_memory_bytes"].as_u64().unwrap() > 1 << 20);
    }
}

#[test]
fn text_is_for_people() {
    let output = medclip(&["bench", "--model", bundle().to_str().unwrap()]).args(SHORT).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let report = text(&output.stdout);
    for part in
        ["tiny on ", "2 rounds of 2 runs each, after 3 to warm up", "p95 ms", "× tract", "Peak memory MiB"]
    {
        assert!(report.contains(part), "{part} in {report}");
    }
}

#[test]
fn an_engine_that_cannot_run_is_an_error() {
    let mut command = medclip(&["bench", "--model", bundle().to_str().unwrap(), "--engine", "ort-cpu"]);
    let output = command.env("ORT_DYLIB_PATH", "/no/such/library").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert!(text(&output.stderr).contains("/no/such/library"));
}

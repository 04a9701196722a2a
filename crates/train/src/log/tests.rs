//! Lines of logs, and what is read of them.

use super::*;
use crate::evaluate::FindingAuroc;

pub(crate) fn start(sha: &str) -> Event {
    Event::Start(Start {
        name: "a <model>".to_owned(),
        epochs: 2,
        steps_per_epoch: 3,
        select_by: "val".to_owned(),
        config_sha256: sha.to_owned(),
        inputs_sha256: None,
        settings: "name = \"a <model>\"\n".to_owned(),
    })
}

pub(crate) fn step(epoch: u64, step: usize, loss: f32) -> Event {
    Event::Step(Step {
        epoch,
        step,
        images: Some(4),
        loss,
        learning_rate: 1e-3,
        gradient_norm: 0.5,
        logit_scale: 2.6,
        images_per_second: 8.0,
    })
}

pub(crate) fn evaluation(set: &str, epoch: u64, auroc: Option<f64>) -> Event {
    let finding = FindingAuroc { name: "Edema".to_owned(), positives: 3, negatives: 5, auroc };
    let evaluation = Evaluation {
        set: set.to_owned(),
        images: 8,
        findings: vec![finding],
        macro_auroc: auroc,
        left_out: Vec::new(),
    };
    Event::Evaluation { epoch, seconds: Some(1.5), evaluation }
}

pub(crate) fn bad_image() -> Event {
    let (row, reason) = ("row 1 (line 2) of a&b.csv".to_owned(), "no <image>".to_owned());
    Event::BadImage(LeftOut { row: Some(row), path: None, reason })
}

pub(crate) fn lines(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string(event).unwrap() + "\n").collect()
}

fn read(text: &[u8]) -> Result<RunLog, TrainError> {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join(LOG), text).unwrap();
    RunLog::open(directory.path())
}

fn losses(log: &RunLog) -> Vec<f32> {
    log.steps.values().map(|step| step.loss).collect()
}

#[test]
fn repeated_parts_of_a_resumed_run_count_once() {
    let events = [
        start("a"),
        bad_image(),
        step(0, 0, 3.0),
        step(0, 1, 2.0),
        step(0, 2, 9.0),
        evaluation("val", 1, Some(0.6)),
        start("a"),
        bad_image(),
        step(0, 2, 1.0),
        evaluation("val", 1, Some(0.7)),
        evaluation("other", 1, None),
    ];
    let log = read(lines(&events).as_bytes()).unwrap();
    assert_eq!(losses(&log), [3.0, 2.0, 1.0]);
    assert_eq!(log.bad_images.len(), 1);
    assert_eq!(log.evaluations.len(), 2);
    assert_eq!(log.evaluations[&("val".to_owned(), 1)].1.macro_auroc, Some(0.7));
}

#[test]
fn other_settings_begin_anew() {
    let log =
        read(lines(&[start("a"), step(0, 0, 3.0), step(0, 1, 2.0), start("b"), step(0, 0, 1.0)]).as_bytes());
    assert_eq!(losses(&log.unwrap()), [1.0]);
}

#[test]
fn lines_cut_at_any_byte_are_left_out() {
    let whole = lines(&[step(0, 0, 3.0), step(0, 1, 2.0)]);
    let first = whole.find('\n').unwrap() + 1;
    for cut in first..whole.len() - 1 {
        let log = read(&whole.as_bytes()[..cut]).unwrap();
        assert_eq!(losses(&log), [3.0], "cut at {cut}");
        // The run went on behind the cut line, without a line end.
        let went_on = [&whole.as_bytes()[..cut], lines(&[start("a"), step(0, 1, 1.0)]).as_bytes()].concat();
        assert_eq!(losses(&read(&went_on).unwrap()), [3.0, 1.0], "cut at {cut}");
    }
    assert_eq!(losses(&read(&whole.as_bytes()[..whole.len() - 1]).unwrap()), [3.0, 2.0], "only the line end");
    assert_eq!(read(b"").unwrap(), RunLog::default());
}

#[test]
fn what_is_no_log_is_refused_by_line() {
    let good = lines(&[step(0, 0, 3.0)]);
    for (bad, line) in [
        ("hello", 2),
        ("hello\n", 2),
        ("{\"event\":\"dance\"}\n", 2),
        ("{\"event\":\"step\",\"epoch\":1}\n", 2),
        ("\n{}\n", 2),
    ] {
        let message = read(format!("{good}{bad}").as_bytes()).unwrap_err().to_string();
        let expected = format!("log.jsonl: line {line} is none of a log");
        assert!(message.contains(&expected), "{bad:?}: {message}");
    }
    let missing = RunLog::open(Path::new("no/such/run")).unwrap_err().to_string();
    assert!(missing.starts_with("no/such/run/log.jsonl: "), "{missing}");
}

#[test]
fn a_line_that_names_an_image_by_path_is_read() {
    let line = r#"{"event":"bad_image","path":"films/a.png","reason":"is empty"}"#;
    let log = read(line.as_bytes()).unwrap();
    assert_eq!(log.bad_images[0].name(), "films/a.png");
}

#[test]
fn a_line_without_the_optional_fields_is_read() {
    let line = r#"{"event":"step","epoch":0,"step":0,"loss":1.5,"learning_rate":0.1,"gradient_norm":1.0,"logit_scale":2.6,"images_per_second":9.0}"#;
    assert_eq!(read(line.as_bytes()).unwrap().steps[&(0, 0)].images, None);
}

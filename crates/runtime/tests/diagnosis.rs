//! What a program says of itself and its machine. A process of its own: ONNX Runtime is set up once a process.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use medclip_runtime::{Diagnosis, EngineKind, ModelState};

#[test]
fn a_model_that_is_missing_has_a_reason_and_no_engine() {
    let found = Diagnosis::of(ModelState::of("no/such/bundle".into()), &["train"]);
    let problem = found.model.problem.as_deref().unwrap();
    assert!(problem.starts_with("cannot load the model: no/such/bundle"), "{problem}");
    assert_eq!((found.auto, &found.model.name), (None, &None));
    assert_eq!(found.model.to_string(), problem);
    assert_eq!(found.medclip.features.last(), Some(&"train"));
    assert_eq!(found.problem_of(EngineKind::Rten).is_none(), cfg!(feature = "rten"));
    let json = serde_json::to_value(&found).unwrap();
    let keys = ["medclip", "machine", "onnx_runtime", "engines", "auto", "model"];
    assert!(keys.iter().all(|key| json.get(key).is_some()), "{json}");
    assert!(json["model"].get("tower").is_none());
}

//! `medclip eval negation`.

use super::{eval, phantoms, report};
use crate::setting::text;

#[test]
fn the_pair_is_that_of_zero_shot_and_each_side_has_its_own_figures() {
    let directory = phantoms(60);
    let found = report(directory.path(), "negation", &[]);
    let pair = report(directory.path(), "zero-shot", &[]);
    let areas = |side: &serde_json::Value| -> Vec<f64> {
        let findings = side["findings"].as_array().unwrap();
        findings.iter().map(|finding| finding["auroc"]["estimate"].as_f64().unwrap()).collect()
    };
    assert_eq!(areas(&found["pair"]), areas(&pair), "scores are the pair's");
    let [positive, negative] = ["positive", "negative"].map(|side| areas(&found[side]));
    assert_eq!((positive.len(), negative.len()), (2, 2));
    assert!(positive != negative && positive != areas(&found["pair"]), "{positive:?} {negative:?}");
    let mean = |areas: &[f64]| areas.iter().sum::<f64>() / areas.len() as f64;
    let difference = found["difference"]["estimate"].as_f64().unwrap();
    assert!((difference - (mean(&negative) - mean(&positive))).abs() < 1e-12, "{difference}");

    let table = text(&eval(directory.path(), "negation", &[]).stdout);
    assert!(table.contains("denying (NEG)") && table.contains("NEG minus POS"), "{table}");
}

#[test]
fn other_prompts_may_be_asked() {
    let directory = phantoms(30);
    let prompts = "[[class]]\nname = \"Pleural Effusion\"\npositive = { sentences = [\"pleural effusion\"] }\n\
                   negative = { sentences = [\"no effusion\"] }\n";
    std::fs::write(directory.path().join("prompts.toml"), prompts).unwrap();
    let found = report(directory.path(), "negation", &["--prompts", "prompts.toml"]);
    assert_eq!(super::names(&found["pair"]["findings"]), ["Pleural Effusion"]);
    assert_eq!(found["prompts"]["file"].as_str(), Some("prompts.toml"));
}

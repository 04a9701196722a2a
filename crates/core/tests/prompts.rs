//! The prompt files that ship.

#![allow(clippy::unwrap_used, reason = "a test whose files are broken fails")]

use std::path::Path;

use medclip_core::{Finding, PromptSet};

#[test]
fn covid_is_a_class_that_leaves_ten_sentences_to_draw() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/prompts");
    let classes = PromptSet::open(models.join("covid.toml")).unwrap().expand();
    let [covid] = &classes[..] else { panic!("one class") };
    assert_eq!(covid.name, "COVID-19");
    assert!(covid.positive.len().min(covid.negative.len()) > 10);
}

#[test]
fn templates_leave_ten_sentences_to_draw_of_every_side() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/prompts");
    let set = PromptSet::open(models.join("chest-xray-templates.toml")).unwrap();
    assert!(set.ensemble.is_none());
    let classes = set.expand();
    let names: Vec<&str> = classes.iter().map(|class| class.name.as_str()).collect();
    assert_eq!(names, Finding::ALL.map(Finding::name));
    for class in classes {
        assert!(class.positive.len().min(class.negative.len()) > 10, "{} has no draws", class.name);
    }
}

//! Towers by name in a training file, and what freezing their lowest blocks freezes.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::path::Path;

use medclip_core::{BertConfig, ImageTower, ResNetConfig, SwinConfig, TextTower};
use medclip_data::TeacherConfig;
use medclip_train::{Objective, TrainConfig};

/// The shipped training file with other towers.
fn config(image: &str, text: &str) -> TrainConfig {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../training/medclip-edge.toml");
    let file = std::fs::read_to_string(path).unwrap();
    let file = file.replace("\"efficientnet-lite0\"", image).replace("\"minilm-l6\"", text);
    toml::from_str(&file).unwrap()
}

#[test]
fn published_towers_have_names() {
    let swin = config("\"swin-tiny\"", "\"bio-clinical-bert\"").model_config().unwrap().architecture;
    assert_eq!(swin.image, ImageTower::Swin(SwinConfig::tiny(1)));
    assert_eq!(swin.text, TextTower::Bert(BertConfig::bio_clinical()));
    let resnet = config("\"resnet50\"", "\"minilm-l6\"").model_config().unwrap().architecture;
    assert_eq!(resnet.image, ImageTower::Resnet(ResNetConfig::resnet50(1)));
    let sizes = r#"{ kind = "resnet", channels = 1, width = 8, blocks = [1], batch_norm_eps = 1e-5 }"#;
    let own = config(sizes, "\"minilm-l6\"").model_config().unwrap().architecture;
    assert_eq!(own.image.features(), 32);
    let unknown = config("\"vgg\"", "\"minilm-l6\"").model_config().unwrap_err().to_string();
    assert!(unknown.contains("swin-tiny, resnet50"), "{unknown}");
}

#[test]
fn frozen_blocks_have_rate_zero_and_projections_their_own() {
    for (tower, frozen, trained, projection) in [
        ("\"efficientnet-lite0\"", "blocks.2.project.bn.bias", "blocks.3.project.bn.bias", "projection_head"),
        ("\"swin-tiny\"", "encoder.layers.1.blocks.0.output.dense.bias", "layernorm.bias", "projection_head"),
        ("\"resnet50\"", "layer1.2.bn3.bias", "layer2.0.conv1.weight", "model.fc"),
    ] {
        let mut config = config(tower, "\"minilm-l6\"");
        (config.image.freeze_blocks, config.image.trunk_rate) = (3, 0.5);
        let rate = |name: &str| config.rate(&format!("vision_model.{name}"));
        assert_eq!(rate(&format!("model.{frozen}")), 0.0, "{tower}");
        assert_eq!(rate(&format!("model.{trained}")), 0.5, "{tower}");
        assert_eq!(rate(&format!("{projection}.weight")), 1.0, "{tower}");
    }
}

#[test]
fn what_a_file_leaves_out_does_not_identify_its_run() {
    let config = config("\"efficientnet-lite0\"", "\"minilm-l6\"");
    let table: toml::Table = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
    // Runs begun before these settings existed go on.
    for key in ["accumulate", "micro_batch", "early_stop"] {
        assert!(!table.contains_key(key), "{key}");
    }
    assert!(!table["schedule"].as_table().unwrap().contains_key("decay"));
    let text = toml::to_string(&TrainConfig { accumulate: 4.try_into().unwrap(), ..config }).unwrap();
    assert!(text.contains("accumulate = 4"), "{text}");
}

#[test]
fn clipping_is_turned_off_by_infinity() {
    let mut config = config("\"efficientnet-lite0\"", "\"minilm-l6\"");
    config.optimizer.clip_norm = f64::INFINITY;
    config.validate().unwrap();
    for wrong in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
        config.optimizer.clip_norm = wrong;
        assert!(config.validate().is_err(), "{wrong}");
    }
}

#[test]
fn what_changes_label_vectors_is_refused_where_they_do_not_count() {
    let mut config = config("\"efficientnet-lite0\"", "\"minilm-l6\"");
    config.data.augment.mixup = 0.5;
    config.data.teacher = Some(TeacherConfig { scores: vec!["a.csv".into()], share: 0.5 });
    config.validate().unwrap();
    config.objective = Objective::InfoNce;
    let refused = |config: &TrainConfig| config.validate().unwrap_err().to_string();
    assert!(refused(&config).contains("augment.mixup"), "{}", refused(&config));
    config.data.augment.mixup = 0.0;
    assert!(refused(&config).contains("data.teacher"), "{}", refused(&config));
    config.data.teacher = None;
    config.validate().unwrap();
}

#[test]
fn contradiction_needs_labels_that_tell_absence_from_silence() {
    let mut config = config("\"efficientnet-lite0\"", "\"minilm-l6\"");
    config.objective = Objective::Contradiction { repulsion: 0.5 };
    config.validate().unwrap();
    config.data.labels.fold_certainty = true;
    let refused = config.validate().unwrap_err().to_string();
    assert!(refused.contains("gives up absences"), "{refused}");
    config.data.labels.fold_certainty = false;
    for wrong in [-0.1, 1.1, f64::NAN] {
        config.objective = Objective::Contradiction { repulsion: wrong };
        assert!(config.validate().unwrap_err().to_string().contains("repulsion"), "{wrong}");
    }
}

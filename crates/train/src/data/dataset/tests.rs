//! Data sets as training files describe them, and what is refused.

use medclip_data::{
    LabelVector,
    Polarity::{Negative, Positive},
    Selection, SelectionError,
};

use super::*;
use crate::data::fixture::{self, data_config};
use crate::data::text_augment::TextAugmentConfig;
use crate::data::train_set::Batch;

fn load(config: &DataConfig) -> Result<Dataset, DataError> {
    Dataset::load(config, &fixture::preprocess(), &Limits::default(), 1)
}

#[test]
fn loads_trains_and_evaluates() {
    let (_directory, config) = data_config();
    let data = load(&config).unwrap();
    assert_eq!(data.train.records().len(), 8);
    assert_eq!(data.lost.len(), 1, "{:?}", data.lost);
    let [val] = &data.evals[..] else { panic!("one evaluation set") };
    assert_eq!((val.name(), val.len()), ("val", 2));
    assert_eq!(val.batch(1..9).unwrap().shape(), [1, 3, 16, 16]);

    let plan = data.train.plan(0, 1, &data.train.order(0)).unwrap();
    let batch = data.train.batch(plan).unwrap();
    assert_eq!(batch.shape, [2, 3, 16, 16]);
    assert_eq!(batch.pixels.len(), 2 * 3 * 256);
    assert_eq!(batch.pixels[..256], batch.pixels[256..512], "channels repeat");
    assert_eq!((batch.image_labels.len(), batch.sentence_labels.len()), (2, 3));
}

#[test]
fn rows_of_a_further_manifest_join_and_a_patient_of_both_is_a_leak() {
    let (_directory, mut config) = data_config();
    let (other, second) = data_config();
    let manifest = std::fs::read_to_string(&second.manifest).unwrap();
    // Patient and group stand side by side.
    let renamed = (0..20).fold(manifest.clone(), |text, patient| {
        text.replace(&format!(",p{patient},p{patient},"), &format!(",q{patient},q{patient},"))
    });
    std::fs::write(&second.manifest, renamed).unwrap();
    config.further =
        vec![FurtherManifest { manifest: second.manifest.clone(), image_root: other.path().into() }];
    let data = load(&config).unwrap();
    assert_eq!((data.train.records().len(), data.evals[0].len()), (16, 4));
    assert!(data.train.records()[8].path.starts_with(other.path()));

    let swapped = manifest.replace("train", "test").replace("val", "train");
    std::fs::write(&second.manifest, swapped).unwrap();
    assert!(matches!(load(&config), Err(DataError::Selection(SelectionError::Leak { .. }))));
}

#[test]
fn batches_are_the_same_wherever_images_are() {
    let (directory, mut config) = data_config();
    let batches = |config: &DataConfig| {
        let train = load(config).unwrap().train;
        let order = train.order(1);
        let plans = (0..4).filter_map(|step| train.plan(1, step, &order));
        plans.map(|plan| train.batch(plan).unwrap()).collect::<Vec<_>>()
    };
    let expected = batches(&config);
    config.cache = Some(directory.path().join("cache"));
    for in_memory in [true, false, false, true] {
        config.in_memory = in_memory;
        assert_eq!(batches(&config), expected, "in memory: {in_memory}");
    }
}

#[test]
fn second_views_come_beside_the_batch_and_change_nothing_else() {
    let (_directory, mut config) = data_config();
    let batch = |config: &DataConfig, epoch| {
        let train = load(config).unwrap().train;
        train.batch(train.plan(epoch, 1, &train.order(epoch)).unwrap()).unwrap()
    };
    let without = batch(&config, 0);
    assert!(without.second_texts.is_empty());
    config.text_augment = Some(TextAugmentConfig { swap: 0.5, ..TextAugmentConfig::default() });
    let with = batch(&config, 0);
    assert_eq!(with.second_texts.len(), without.sentence_labels.len());
    assert_eq!(with, batch(&config, 0));
    assert_ne!(with.second_texts, batch(&config, 1).second_texts);
    assert_eq!(Batch { second_texts: Vec::new(), ..with }, without);
}

#[test]
fn an_image_of_two_manifests_is_refused() {
    let (directory, mut config) = data_config();
    config.further =
        vec![FurtherManifest { manifest: config.manifest.clone(), image_root: directory.path().to_owned() }];
    let error = load(&config).unwrap_err();
    assert!(matches!(&error, DataError::DuplicateImage { path, .. } if path.ends_with("0.png")), "{error}");
}

#[test]
fn lost_images_are_named_by_row_and_limited() {
    let (directory, mut config) = data_config();
    let data = load(&config).unwrap();
    let lost = &data.lost[0];
    assert_eq!((lost.set.as_str(), lost.row.place.as_str()), ("train", "row 6 (line 7)"));
    assert_eq!(lost.row.manifest, config.manifest);
    assert!(lost.path.ends_with("missing.png") && !lost.reason.contains("missing.png"), "{lost:?}");
    assert_eq!((data.images.len(), data.images[5].digest.is_none()), (11, true));

    // 1 of 11 images is 9 %.
    let refused = |config: &DataConfig| load(config).unwrap_err().to_string();
    for limit in [MAX_LOST, 0.0, 0.09] {
        config.max_lost = limit;
        let message = refused(&config);
        assert!(message.starts_with("1 of 11 images cannot be read (9.09 %)"), "{message}");
        assert!(message.contains("row 6 (line 7) of ") && !message.contains("missing.png"), "{message}");
    }
    config.max_lost = 1.0;
    assert!(load(&config).is_ok());
    // Those of evaluations count too, also where a cache remembers them.
    std::fs::write(directory.path().join("10.png"), "no image").unwrap();
    config.cache = Some(directory.path().join("cache"));
    for _ in 0..2 {
        let data = load(&config).unwrap();
        let sets: Vec<&str> = data.lost.iter().map(|lost| lost.set.as_str()).collect();
        assert_eq!(sets, ["train", "val"]);
    }
    config.max_lost = 0.1;
    assert!(refused(&config).starts_with("2 of 11 images cannot be read"));
    // Nothing is left to train on.
    config.max_lost = 1.0;
    config.image_root = directory.path().join("nowhere");
    let message = refused(&config);
    assert_eq!(message, "images of `train`");
}

#[cfg(unix)]
#[test]
fn a_film_of_both_sides_is_a_leak_under_any_name() {
    type Change = fn(&std::path::Path, &str) -> String;
    // What the path of an evaluated row becomes; `0.png` is trained on.
    let cases: [(&str, Change, bool); 7] = [
        ("./", |_, name| format!("./{name}"), true),
        ("..", |root, name| format!("../{}/{name}", root.file_name().unwrap().display()), true),
        ("absolute", |root, name| root.join(name).display().to_string(), true),
        ("a//b", |root, name| format!("{}//{name}", root.display()), true),
        (
            "symbolic link",
            |root, name| {
                std::os::unix::fs::symlink(root.join(name), root.join("link.png")).unwrap();
                "link.png".to_owned()
            },
            true,
        ),
        (
            "hard link",
            |root, name| {
                std::fs::hard_link(root.join(name), root.join("hard.png")).unwrap();
                "hard.png".to_owned()
            },
            false,
        ),
        (
            "copy",
            |root, name| {
                std::fs::copy(root.join(name), root.join("copy.png")).unwrap();
                "copy.png".to_owned()
            },
            false,
        ),
    ];
    for (name, change, is_same_file) in cases {
        let (directory, config) = data_config();
        let path = change(directory.path(), "0.png");
        let manifest = std::fs::read_to_string(&config.manifest).unwrap();
        std::fs::write(&config.manifest, manifest.replace("9.png", &path)).unwrap();
        let error = load(&config).unwrap_err();
        let message = error.to_string();
        // Spellings that differ in dots and slashes alone are one row twice, whatever the sides.
        let found = match &error {
            DataError::Selection(SelectionError::SharedFilm { is_same_file: same, .. }) => {
                *same == is_same_file
            }
            DataError::DuplicateImage { .. } => is_same_file,
            _ => false,
        };
        assert!(found, "{name}: {message}");
        assert!(
            message.contains("row 1 (line 2) of ") && message.contains("row 10 (line 11) of "),
            "{name}: {message}"
        );
        assert!(!message.contains(".png"), "{name}: {message}");
    }
    // Twice on one side is none.
    let (directory, config) = data_config();
    std::fs::copy(directory.path().join("0.png"), directory.path().join("1.png")).unwrap();
    std::fs::copy(directory.path().join("9.png"), directory.path().join("10.png")).unwrap();
    load(&config).unwrap();
}

#[test]
fn a_share_of_the_patients_brings_their_reports_alone() {
    let (_directory, mut config) = data_config();
    let whole = load(&config).unwrap();
    let said = |data: &Dataset| data.train.pool().sentences().iter().map(|s| s.count).sum::<usize>();
    assert_eq!(
        (whole.train.records().len(), said(&whole)),
        (8, 9),
        "one image is missing, its report is not"
    );

    config.train.fraction = Some(0.5);
    let half = load(&config).unwrap();
    let patients = |data: &Dataset| {
        data.train.records().iter().map(|record| record.patient_id.clone()).collect::<BTreeSet<_>>()
    };
    assert_eq!(half.train.records().len() + half.lost.len(), 5, "5 of 9 patients");
    assert_eq!(said(&half), 5);
    assert!(patients(&half).is_subset(&patients(&whole)));
    assert_eq!(half.evals[0].len(), 2, "evaluation keeps its own");

    config.eval.get_mut("val").unwrap().fraction = Some(0.5);
    assert_eq!(load(&config).unwrap().evals[0].len(), 1);
}

#[test]
fn patients_without_a_selected_image_share_out_their_reports_too() {
    let (_directory, mut config) = data_config();
    let manifest = std::fs::read_to_string(&config.manifest).unwrap();
    // Four of the nine training patients have a lateral film only.
    let lateral = (0..4).fold(manifest, |text, patient| {
        text.replace(&format!("p{patient},p{patient},PA"), &format!("p{patient},p{patient},Lateral"))
    });
    std::fs::write(&config.manifest, lateral).unwrap();
    config.train.views = vec!["PA".into()];
    config.train.fraction = Some(0.5);
    let data = load(&config).unwrap();
    assert_eq!(data.train.records().len() + data.lost.len(), 3, "of 5");
    let said: usize = data.train.pool().sentences().iter().map(|sentence| sentence.count).sum();
    assert_eq!(said, 3 + 2);
}

#[test]
fn folding_reaches_images_and_sentences_of_a_batch() {
    let (_directory, mut config) = data_config();
    let smallest = |config: &DataConfig| {
        let train = load(config).unwrap().train;
        let order = train.order(0);
        let batches = (0..4).filter_map(|step| Some(train.batch(train.plan(0, step, &order)?).unwrap()));
        let vectors = batches.map(|batch| [batch.image_labels, batch.sentence_labels]);
        let smallest = |of: Vec<LabelVector>| of.into_iter().flatten().fold(1.0, f32::min);
        vectors.map(|sides| sides.map(smallest)).fold([1.0_f32; 2], |a, b| [a[0].min(b[0]), a[1].min(b[1])])
    };
    assert_eq!(smallest(&config), [-1.0, -1.0]);
    config.labels.fold_certainty = true;
    assert_eq!(smallest(&config), [0.0, 0.0]);
}

#[test]
fn a_leak_stops_before_any_image_is_read() {
    let (directory, mut config) = data_config();
    config.image_root = directory.path().join("nowhere");
    config.eval.insert("val".into(), Selection::default());
    let error = load(&config).unwrap_err();
    assert!(matches!(error, DataError::Selection(SelectionError::Leak { .. })), "{error}");
}

#[test]
fn every_setting_is_checked() {
    type Change = fn(&mut DataConfig);
    let cases: [(Change, &str); 10] = [
        (|c| c.max_lost = 1.5, "data.max_lost must be in 0–1"),
        (
            |c| c.in_memory = false,
            "data.in_memory = false leaves images in the cache: name its directory in data.cache",
        ),
        (
            |c| c.text_augment = Some(TextAugmentConfig { swap: 2.0, ..TextAugmentConfig::default() }),
            "text_augment.swap must be in 0–1",
        ),
        (|c| c.augment.flip = 2.0, "augment.flip must be in 0–1"),
        (
            |c| c.sampler.source_share = [("else".to_owned(), 0.5)].into(),
            "sampler.source_share names `else`, which no training image is from",
        ),
        (
            |c| (c.labels.report_negatives, c.labels.fold_certainty) = (true, true),
            "labels.report_negatives adds the −1 that labels.fold_certainty takes away: choose one of them",
        ),
        (|c| c.sampler.images = 100, "a batch takes 100 images, there are 8"),
        (|c| c.sentences.prompt_share = -1.0, "sentences.prompt_share must be in 0–1"),
        (
            |c| c.train.fraction = Some(2.0),
            "selection `train`: fraction must be above 0 and at most 1, not 2",
        ),
        (
            |c| c.train.sources = vec!["else".into()],
            "selection `train` names source `else`, which no row of the manifest has",
        ),
    ];
    for (change, message) in cases {
        let (_directory, mut config) = data_config();
        change(&mut config);
        assert_eq!(load(&config).unwrap_err().to_string(), message);
    }
}

#[test]
fn prompts_join_the_pool_under_their_class() {
    let (directory, mut config) = data_config();
    let path = directory.path().join("prompts.toml");
    config.prompts = Some(path.clone());
    let file = |name: &str| {
        format!(
            "[[class]]\nname = '{name}'\npositive = {{ sentences = ['a broken rib'] }}\nnegative = {{ sentences = ['intact ribs'] }}\n"
        )
    };
    std::fs::write(&path, file("Fracture")).unwrap();
    let data = load(&config).unwrap();
    assert_eq!(data.train.pool().counts(Finding::Fracture, Positive), [0, 1]);
    assert_eq!(data.train.pool().counts(Finding::Fracture, Negative), [0, 1]);

    std::fs::write(&path, file("Broken rib")).unwrap();
    assert!(matches!(load(&config), Err(DataError::PromptClass { class, .. }) if class == "Broken rib"));
}

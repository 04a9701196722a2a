//! Bundles on disk: what is written can be opened, and nothing else can.
#![allow(clippy::unwrap_used, reason = "helpers of tests may fail a test")]

use std::fs;
use std::path::{Path, PathBuf};

use medclip_core::bank::{PromptBank, Provenance};
use medclip_core::bundle::{Bundle, BundleError, BundleFile, BundleWriter};
use medclip_core::golden::{Golden, GoldenProvenance, golden_images, golden_sentences};
use medclip_core::{
    Architecture, BertConfig, EfficientNetConfig, Embeddings, Head, ImageTower, LogitScale, ModelConfig,
    PreprocessConfig, PromptPooling, PromptSet, TextTower, TokenizerConfig,
};
use medclip_files::sha256;

const PROMPTS: &str =
    "[[class]]\nname = \"A\"\npositive.sentences = [\"yes\"]\nnegative.sentences = [\"no\"]\n";

fn config() -> ModelConfig {
    ModelConfig {
        format: ModelConfig::FORMAT,
        name: "tiny".to_owned(),
        description: "for tests".to_owned(),
        logit_scale: LogitScale::INITIAL,
        prompt_pooling: PromptPooling::Mean,
        architecture: Architecture {
            embedding_dim: 2,
            image: ImageTower::EfficientnetLite(EfficientNetConfig::lite0(1)),
            text: TextTower::Bert(BertConfig::minilm_l6()),
        },
        preprocess: PreprocessConfig::medclip(224, 1),
        tokenizer: TokenizerConfig { lowercase: true, max_length: 77 },
    }
}

fn contents(file: BundleFile) -> Vec<u8> {
    match file {
        BundleFile::Model => config().to_toml().unwrap().into_bytes(),
        BundleFile::Prompts => PROMPTS.as_bytes().to_vec(),
        BundleFile::PromptBank => {
            let rows = Embeddings::new(vec![1.0, 0.0, 0.0, 1.0], 2).unwrap();
            let bank = PromptBank::build(PromptSet::parse(PROMPTS).unwrap().expand(), rows).unwrap();
            let provenance = Provenance {
                prompts_sha256: sha256(PROMPTS.as_bytes()),
                text_graph_sha256: sha256(&contents(BundleFile::TEXT_GRAPH)),
            };
            bank.with_provenance(provenance).to_bytes().unwrap()
        }
        BundleFile::Golden => {
            let rows = |count| Embeddings::new([1.0, 0.0].repeat(count), 2).unwrap();
            let (images, sentences) = (golden_images(), golden_sentences());
            let (image_rows, text_rows) = (rows(images.len()), rows(sentences.len()));
            let provenance = GoldenProvenance {
                image_graph_sha256: sha256(&contents(BundleFile::IMAGE_GRAPH)),
                text_graph_sha256: sha256(&contents(BundleFile::TEXT_GRAPH)),
            };
            let golden = Golden::new(images, image_rows, sentences, text_rows).unwrap();
            golden.with_provenance(provenance).to_bytes().unwrap()
        }
        other => format!("the {} of a test", other.file_name()).into_bytes(),
    }
}

fn writer(target: &Path, replace: bool) -> BundleWriter {
    let mut writer = BundleWriter::create(target, replace).unwrap();
    for &file in BundleFile::REQUIRED {
        assert_eq!(writer.add(file, &contents(file)).unwrap(), sha256(&contents(file)));
    }
    writer
}

/// A bundle in a directory that lives as long as the first value.
fn bundle() -> (tempfile::TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let target = parent.path().join("tiny");
    writer(&target, false).finish().unwrap();
    (parent, target)
}

/// Rewrites a file and its sum, as someone would who makes a bundle by hand.
fn exchange(target: &Path, file: BundleFile, bytes: &[u8]) {
    let path = target.join(file.file_name());
    let old = sha256(&fs::read(&path).unwrap());
    fs::write(path, bytes).unwrap();
    let sums = target.join("SHA256SUMS");
    fs::write(&sums, fs::read_to_string(&sums).unwrap().replace(&old, &sha256(bytes))).unwrap();
}

fn refusal(target: &Path) -> String {
    let error = Bundle::open(target).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {source}")
}

#[test]
fn what_is_written_opens() {
    let (_parent, target) = bundle();
    let bundle = Bundle::open(&target).unwrap();
    assert_eq!(*bundle.config(), config());
    assert_eq!(bundle.id(), sha256(&fs::read(target.join("SHA256SUMS")).unwrap()));
    assert_eq!(bundle.bank().classes(), bundle.prompts().expand());
    assert_eq!(bundle.logit_scale().ln(), LogitScale::INITIAL);
    assert!(bundle.tokenizer().unwrap_err().to_string().contains("tokenizer.json"));
}

#[test]
fn a_changed_cut_or_missing_file_is_named() {
    for &file in BundleFile::REQUIRED {
        for damage in [0, 1] {
            let (_parent, target) = bundle();
            let path = target.join(file.file_name());
            let mut bytes = fs::read(&path).unwrap();
            match damage {
                0 => bytes[3] ^= 1,
                _ => bytes.truncate(bytes.len() - 1),
            }
            fs::write(&path, bytes).unwrap();
            let refused = Bundle::open(&target).unwrap_err();
            assert!(
                matches!(&refused, BundleError::Changed { path: named, .. } if *named == path),
                "{refused}"
            );
        }
        let (_parent, target) = bundle();
        fs::remove_file(target.join(file.file_name())).unwrap();
        assert!(refusal(&target).contains(file.file_name()));
    }
    let (_parent, target) = bundle();
    fs::remove_file(target.join("SHA256SUMS")).unwrap();
    assert!(refusal(&target).contains("SHA256SUMS"));
}

#[test]
fn a_change_that_has_a_name_is_called_by_it() {
    let (_parent, target) = bundle();
    fs::write(target.join("image.onnx"), "version https://git-lfs.github.com/spec/v1\nsize 16048893\n")
        .unwrap();
    assert!(refusal(&target).contains("image.onnx is a Git LFS pointer"));
    let (_parent, target) = bundle();
    let card = target.join("README.md");
    exchange(&target, BundleFile::Card, b"# A card\n\nof lines\n");
    fs::write(&card, "# A card\r\n\r\nof lines\r\n").unwrap();
    assert!(matches!(Bundle::open(&target), Err(BundleError::LineEnds { path }) if path == card));
    fs::write(&card, "# A card\r\n\r\nof other lines\r\n").unwrap();
    assert!(matches!(Bundle::open(&target), Err(BundleError::Changed { .. })));
}

#[test]
fn files_of_systems_need_no_sum() {
    let (_parent, target) = bundle();
    let before = Bundle::open(&target).unwrap();
    for name in [
        ".DS_Store",
        "._image.onnx",
        "Thumbs.db",
        "ehthumbs.db",
        "desktop.ini",
        ".directory",
        ".gitattributes",
        ".nfs01",
    ] {
        fs::write(target.join(name), "x").unwrap();
    }
    fs::create_dir_all(target.join(".cache/huggingface")).unwrap();
    fs::create_dir_all(target.join("__MACOSX")).unwrap();
    let mut after = Bundle::open(&target).unwrap();
    assert_eq!((after.id(), after.files()), (before.id(), before.files()));
    after.certify(b"certificate").unwrap();
    // They are let be, not trusted: sums cannot list them, and others are refused as ever.
    let sums = target.join("SHA256SUMS");
    let listed = fs::read_to_string(&sums).unwrap();
    fs::write(&sums, format!("{listed}{}  .DS_Store\n", sha256(b"x"))).unwrap();
    assert!(refusal(&target).contains("`.DS_Store` is not a file of a bundle"));
    fs::write(&sums, listed).unwrap();
    for name in ["extra.onnx", "Thumbs.db.onnx", "image.onnx.bak", ".env"] {
        fs::write(target.join(name), "x").unwrap();
        assert!(refusal(&target).contains(name), "{name}");
        fs::remove_file(target.join(name)).unwrap();
    }
}

#[test]
fn the_text_tower_may_be_left_out_whole() {
    let (_parent, target) = bundle();
    let whole = Bundle::open(&target).unwrap();
    assert!(whole.has_text_tower() && whole.require_text_tower().is_ok());
    for &file in BundleFile::REQUIRED.iter().filter(|file| file.is_of_text_tower()) {
        fs::remove_file(target.join(file.file_name())).unwrap();
    }
    let mut copy = Bundle::open(&target).unwrap();
    assert_eq!((copy.id(), copy.bank().classes()), (whole.id(), whole.bank().classes()));
    assert!(!copy.has_text_tower() && !copy.files().contains(&BundleFile::Tokenizer));
    assert!(copy.require_text_tower().unwrap_err().to_string().contains("text.onnx and tokenizer.json"));

    copy.certify(b"certificate").unwrap();
    assert!(Bundle::open(&target).unwrap().is_certified());

    fs::write(target.join("image.onnx"), "another").unwrap();
    assert!(refusal(&target).contains("image.onnx has changed"));
}

#[test]
fn an_additional_file_is_named() {
    let (_parent, target) = bundle();
    fs::write(target.join("weights.pkl"), "x").unwrap();
    assert!(refusal(&target).contains("weights.pkl is not a file of a bundle"));

    let (_parent, target) = bundle();
    fs::write(target.join("image.onnx.data"), "weights that no sum vouches for").unwrap();
    assert!(refusal(&target).contains("image.onnx.data is not a file of a bundle"));
}

#[test]
fn weights_beside_a_graph_are_verified_and_part_of_the_identity() {
    let (_parent, target) = bundle();
    let without = Bundle::open(&target).unwrap();
    assert_eq!(without.files(), BundleFile::REQUIRED);
    let mut writer = writer(&target, true);
    writer.add(BundleFile::IMAGE_WEIGHTS, b"weights").unwrap();
    writer.finish().unwrap();
    let with = Bundle::open(&target).unwrap();
    assert_eq!(with.files().last(), Some(&BundleFile::IMAGE_WEIGHTS));
    assert_ne!(with.id(), without.id());

    fs::write(target.join("image.onnx.data"), "other weights").unwrap();
    assert!(refusal(&target).contains("image.onnx.data has changed"));
}

#[test]
fn files_that_do_not_fit_each_other_are_refused() {
    let model = |edit: fn(&mut ModelConfig)| {
        let mut config = config();
        edit(&mut config);
        config.to_toml().unwrap().into_bytes()
    };
    for (file, bytes, reason) in [
        (BundleFile::Model, model(|config| config.architecture.embedding_dim = 3), "architecture"),
        (BundleFile::Model, model(|config| config.preprocess.channels = 3), "channels"),
        (BundleFile::Model, model(|config| config.format = 99), "layout 99"),
        (BundleFile::Model, [contents(BundleFile::Model), b"[extra]".to_vec()].concat(), "extra"),
        (BundleFile::TEXT_GRAPH, b"another".to_vec(), "text.onnx"),
        (BundleFile::IMAGE_GRAPH, b"another".to_vec(), "image.onnx"),
        (BundleFile::Golden, b"no answers".to_vec(), "golden.safetensors"),
        (BundleFile::Prompts, PROMPTS.replace("yes", "aye").into_bytes(), "prompts.toml"),
        (BundleFile::PromptBank, b"no bank".to_vec(), "prompt_bank.safetensors"),
    ] {
        let (_parent, target) = bundle();
        exchange(&target, file, &bytes);
        let refused = refusal(&target);
        assert!(refused.contains(reason), "{refused:?} does not speak of {reason:?}");
    }
}

#[test]
fn an_unfinished_or_unusable_bundle_changes_nothing() {
    let (parent, target) = bundle();
    assert!(matches!(BundleWriter::create(&target, false), Err(BundleError::Exists { .. })));
    let before = fs::read(target.join("SHA256SUMS")).unwrap();

    drop(writer(&target, true));
    let mut partial = BundleWriter::create(&target, true).unwrap();
    partial.add(BundleFile::Card, b"only a card").unwrap();
    assert!(partial.finish().unwrap_err().to_string().contains("model.toml"));
    let mut unusable = writer(&target, true);
    unusable.add(BundleFile::TEXT_GRAPH, b"not what the bank was made with").unwrap();
    assert!(matches!(unusable.finish(), Err(BundleError::Stale { .. })));

    assert_eq!(fs::read(target.join("SHA256SUMS")).unwrap(), before);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left behind");

    let mut changed = writer(&target, true);
    changed.add(BundleFile::Card, b"another card").unwrap();
    changed.finish().unwrap();
    assert_ne!(Bundle::open(&target).unwrap().id(), sha256(&before));
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left behind");
}

#[test]
fn a_certificate_is_verified_and_changes_no_identity() {
    let (parent, target) = bundle();
    let mut bundle = Bundle::open(&target).unwrap();
    assert!(!bundle.is_certified());
    let id = bundle.id().to_owned();
    for certificate in [&b"first"[..], b"second"] {
        bundle.certify(certificate).unwrap();
        let again = Bundle::open(&target).unwrap();
        assert!(bundle.is_certified() && again.is_certified());
        assert_eq!(again.id(), id);
        assert_eq!(fs::read(target.join("parity.json")).unwrap(), certificate);
    }
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "nothing is left behind");

    fs::write(target.join("parity.json"), b"forged").unwrap();
    assert!(refusal(&target).contains("parity.json has changed"));
    assert!(bundle.certify(b"third").unwrap_err().to_string().contains("parity.json has changed"));
}

#[test]
fn stopped_while_it_is_certified_a_bundle_is_whole() {
    let (_parent, target) = bundle();
    // The certificate is in its place, the sums do not list it yet.
    fs::write(target.join("parity.json"), b"first").unwrap();
    let mut bundle = Bundle::open(&target).unwrap();
    assert!(!bundle.is_certified());
    bundle.certify(b"second").unwrap();
    assert!(Bundle::open(&target).unwrap().is_certified());
}

#[test]
fn intake_checks_lie_beside_the_model_and_are_of_no_other() {
    let (_parent, target) = bundle();
    let mut bundle = Bundle::open(&target).unwrap();
    assert!(bundle.intake().is_none());
    let (id, dim) = (bundle.id().to_owned(), bundle.config().architecture.embedding_dim);
    let head = |id: &str, dim: usize| {
        let rows = |values: Vec<f32>, dim| Embeddings::new(values, dim).unwrap();
        let classes = vec!["lateral".to_owned()];
        Head::new(id.to_owned(), classes, rows(vec![0.5; dim], dim), rows(vec![-1.0], 1)).unwrap()
    };
    for wrong in [head("other", dim), head(&id, dim + 1)] {
        let error = bundle.keep_intake(&wrong.to_bytes().unwrap()).unwrap_err();
        assert!(matches!(error, BundleError::Intake { .. }), "{error}");
    }
    assert!(!target.join("intake.safetensors").exists());

    bundle.keep_intake(&head(&id, dim).to_bytes().unwrap()).unwrap();
    bundle.certify(b"certificate").unwrap();
    let again = Bundle::open(&target).unwrap();
    assert_eq!((again.id(), again.intake(), bundle.intake()), (&*id, Some(&head(&id, dim)), again.intake()));
    fs::write(target.join("intake.safetensors"), b"forged").unwrap();
    assert!(refusal(&target).contains("intake.safetensors has changed"));
}

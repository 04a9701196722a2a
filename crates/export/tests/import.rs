//! Weights that Python saved give in tract what the reference's classes give in Python; others are refused.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

mod support;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use medclip_core::architecture::{ImageTower, TextPooling, TextTower};
use medclip_core::score::PromptPooling;
use medclip_export::{
    Checkpoint, CheckpointError, ExportError, GraphOptions, ImportError, ImportNote, ImportOptions, Mode,
    Storage, WeightsError, import,
};
use safetensors::{Dtype, SafeTensors};
use support::{checkpoint, golden, run, values};
use tempfile::TempDir;
use tract_onnx::prelude::*;

/// Largest |Δ| between tract and torch.
const EXACT: f32 = 1e-5;
const EXPORT: GraphOptions = GraphOptions { storage: Storage::F32 };

fn file(name: &str) -> PathBuf {
    golden("import").join(name)
}

fn options(mode: Mode) -> ImportOptions {
    ImportOptions {
        name: "imported".to_owned(),
        description: "for tests".to_owned(),
        image_size: 16,
        text_heads: Some(2),
        lowercase: None,
        part: None,
        max_length: 40,
        mode,
    }
}

fn open(name: &str, mode: Mode) -> Result<Checkpoint, ImportError> {
    import(&[file(name)], file("vocab.txt"), &options(mode)).map(|imported| imported.checkpoint)
}

fn expected(name: &str) -> Tensor {
    let bytes = fs::read(file("expected.safetensors")).unwrap();
    let view = SafeTensors::deserialize(&bytes).unwrap();
    let view = view.tensor(name).unwrap();
    if view.dtype() == Dtype::I64 {
        let values: Vec<i64> = view.data().as_chunks().0.iter().map(|&b| i64::from_le_bytes(b)).collect();
        return Tensor::from_shape(view.shape(), &values).unwrap();
    }
    let values: Vec<f32> = view.data().as_chunks().0.iter().map(|&b| f32::from_le_bytes(b)).collect();
    Tensor::from_shape(view.shape(), &values).unwrap()
}

fn assert_close(actual: &Tensor, expected: &Tensor, case: &str) {
    assert_eq!(actual.shape(), expected.shape(), "{case}");
    let differences = values(actual).iter().zip(values(expected)).map(|(a, e)| (a - e).abs());
    let largest = differences.fold(0.0, f32::max);
    assert!(largest <= EXACT, "{case}: max|Δ| {largest:e}");
}

#[test]
fn image_towers_agree_whatever_the_names_and_the_format() {
    let pixels = expected("pixel_values");
    for (name, tower) in [
        ("medclip_swin.bin", "swin"),
        ("medclip_swin_v4.bin", "swin"),
        ("medclip_resnet.safetensors", "resnet"),
    ] {
        let graph = open(name, Mode::Paper).unwrap().image_graph(&EXPORT).unwrap().into_bytes();
        assert_close(&run(&graph, &[&pixels]), &expected(&format!("image_embeds.{tower}")), name);
    }
}

#[test]
fn text_towers_agree_in_both_modes_at_any_length() {
    for (mode, name) in [(Mode::Paper, "paper"), (Mode::Reference, "reference")] {
        let graph = open("medclip_swin_v4.bin", mode).unwrap().text_graph(&EXPORT).unwrap().into_bytes();
        for index in 0..3 {
            let case = |part: &str| expected(&format!("{index}.{part}"));
            let actual = run(&graph, &[&case("input_ids"), &case("attention_mask")]);
            assert_close(&actual, &case(&format!("text_embeds.{name}")), &format!("{name} {index}"));
        }
    }
}

#[test]
fn the_configuration_says_what_the_shapes_and_the_mode_say() {
    let checkpoint = open("medclip_swin.bin", Mode::Reference).unwrap();
    let config = checkpoint.config();
    assert_eq!((config.logit_scale, config.prompt_pooling), (2.5, PromptPooling::Max));
    let ImageTower::Swin(image) = &config.architecture.image else { panic!("the file holds a Swin") };
    assert_eq!((image.depths.as_slice(), image.num_heads.as_slice()), ([2, 2].as_slice(), [1, 2].as_slice()));
    let TextTower::Bert(text) = &config.architecture.text;
    assert_eq!((text.vocab_size, text.num_hidden_layers, text.num_attention_heads), (40, 3, 2));
    assert_eq!((text.pooling, text.projection_bias), (TextPooling::Reference, false));
    let checkpoint = open("medclip_resnet.safetensors", Mode::Paper).unwrap();
    let ImageTower::Resnet(image) = &checkpoint.config().architecture.image else {
        panic!("the file holds a ResNet")
    };
    assert_eq!((image.width, image.blocks.as_slice()), (4, [2, 2].as_slice()));
}

/// Writes the tensors of the ResNet that `keep` renames, and imports them.
fn edited(keep: impl Fn(&str) -> Option<String>) -> ImportError {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("weights");
    rewrite(&path, keep);
    import(&[path], file("vocab.txt"), &options(Mode::Paper)).unwrap_err()
}

fn rewrite(path: &Path, keep: impl Fn(&str) -> Option<String>) {
    let bytes = fs::read(file("medclip_resnet.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let views = tensors.iter().filter_map(|(name, view)| Some((keep(name)?, view)));
    fs::write(path, safetensors::serialize(views, None).unwrap()).unwrap();
}

#[test]
fn towers_that_were_saved_apart_are_put_together() {
    let directory = TempDir::new().unwrap();
    let [image, text] = ["image", "text"].map(|name| directory.path().join(name));
    let part = |vision: bool| {
        move |name: &str| (name.starts_with("vision_model.") == vision).then(|| name.to_owned())
    };
    rewrite(&image, part(true));
    rewrite(&text, part(false));
    let together = import(&[&image, &text], file("vocab.txt"), &options(Mode::Paper)).unwrap().checkpoint;
    let whole = open("medclip_resnet.safetensors", Mode::Paper).unwrap();
    assert_eq!(together.config(), whole.config());
    let twice = import(&[&image, &image], file("vocab.txt"), &options(Mode::Paper)).unwrap_err();
    assert!(
        matches!(twice, ImportError::Twice { ref name, .. } if name == "vision_model.model.bn1.bias"),
        "{twice}"
    );
    let half = import(&[&image], file("vocab.txt"), &options(Mode::Paper)).unwrap_err().to_string();
    assert_eq!(
        half,
        "text_model.projection_head.weight is missing, so the sizes of the model cannot be told"
    );
}

#[test]
fn every_misfit_is_listed() {
    let error = edited(|name| match name {
        "vision_model.model.layer2.1.bn3.bias" => None,
        "vision_model.model.layer1.0.bn1.bias" => Some("vision_model.model.layer2.2.bn1.bias".to_owned()),
        _ => Some(name.to_owned()),
    });
    let ImportError::Checkpoint(CheckpointError::Graph(ExportError::Weights(WeightsError::Mismatch(
        mismatch,
    )))) = error
    else {
        panic!("{error}");
    };
    assert_eq!(
        mismatch.missing,
        ["vision_model.model.layer1.0.bn1.bias", "vision_model.model.layer2.1.bn3.bias"]
    );
    assert_eq!(mismatch.unexpected, ["vision_model.model.layer2.2.bn1.bias"]);
    let unknown = edited(|name| Some(name.replace("layer1.0.bn1", "layer1.0.gn1"))).to_string();
    assert!(unknown.contains("unexpected tensors: vision_model.model.layer1.0.gn1.bias"), "{unknown}");
}

#[test]
fn trunks_are_for_training() {
    let error = edited(|name| name.strip_prefix("vision_model.model.").map(str::to_owned)).to_string();
    assert!(error.contains("a ResNet as torchvision saves it, without a projection"), "{error}");
    assert!(error.contains("name it as image.init in a training file"), "{error}");
}

#[test]
fn vocabularies_of_other_sizes_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("vocab.txt");
    let whole = fs::read_to_string(file("vocab.txt")).unwrap();
    let with = |text: &str| {
        fs::write(&path, text).unwrap();
        import(&[file("medclip_swin.bin")], &path, &options(Mode::Paper)).unwrap_err().to_string()
    };
    assert_eq!(with(&format!("{whole}more\n")), "the tokenizer has 41 tokens, the word embedding 40 rows");
    let fewer = whole.trim_end().rsplit_once('\n').unwrap().0;
    assert_eq!(with(fewer), "the tokenizer has 39 tokens, the word embedding 40 rows");
    fs::write(&path, "heart\nlung\n").unwrap();
    let broken = import(&[file("medclip_swin.bin")], &path, &options(Mode::Paper)).unwrap_err();
    assert!(broken.to_string().ends_with("vocab.txt cannot be used as a tokenizer"), "{broken}");
    assert_eq!(broken.source().unwrap().to_string(), "the vocabulary has no [PAD]");
    let absent = import(&[file("medclip_swin.bin")], golden("none"), &options(Mode::Paper)).unwrap_err();
    assert!(matches!(absent, ImportError::Read { .. }));
}

#[test]
fn a_tokenizer_that_lowers_is_followed() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("tokenizer.json");
    let vocabulary = fs::read_to_string(file("vocab.txt")).unwrap();
    fs::write(&path, medclip_core::tokenize::from_vocabulary(&vocabulary, true).unwrap()).unwrap();
    let checkpoint = import(&[file("medclip_swin.bin")], path, &options(Mode::Paper)).unwrap().checkpoint;
    assert!(checkpoint.config().tokenizer.lowercase);
}

#[test]
fn hostile_and_broken_files_are_refused() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("pytorch_model.bin");
    let with = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        import(&[&path], file("vocab.txt"), &options(Mode::Paper)).unwrap_err().to_string()
    };
    let whole = fs::read(file("medclip_swin.bin")).unwrap();
    assert!(with(&whole[..whole.len() / 2]).contains("cut short"));
    assert!(with(b"\x80\x02cos\nsystem\nX\x02\x00\x00\x00id\x85R.").contains("calls os.system; refused"));
    assert!(with(b"GIF89a").contains("neither a safetensors nor a PyTorch file"));
    // Our own checkpoints know their sizes and are exported, not imported.
    let own = golden("checkpoint").join("weights.safetensors");
    let error = import(&[own], file("vocab.txt"), &options(Mode::Paper)).unwrap_err().to_string();
    assert!(error.contains("patch_embeddings"), "{error}");
    assert_eq!(checkpoint().config().name, "golden");
}

/// The ResNet in two halves, cut in the middle of both towers.
fn halves(directory: &TempDir, names: [&str; 2]) -> [PathBuf; 2] {
    let bytes = fs::read(file("medclip_resnet.safetensors")).unwrap();
    let all: Vec<String> =
        SafeTensors::deserialize(&bytes).unwrap().names().into_iter().map(str::to_owned).collect();
    let paths = names.map(|name| directory.path().join(name));
    for (half, path) in paths.iter().enumerate() {
        // Every other name: no half has a whole tower.
        rewrite(path, |name| {
            (all.iter().position(|other| other == name).unwrap() % 2 == half).then(|| name.to_owned())
        });
    }
    paths
}

#[test]
fn shards_are_put_together_whatever_they_are_called() {
    let whole = open("medclip_resnet.safetensors", Mode::Paper).unwrap();
    for names in [
        ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"],
        ["first.safetensors", "second.safetensors"],
    ] {
        let directory = TempDir::new().unwrap();
        let paths = halves(&directory, names);
        let together = import(&paths, file("vocab.txt"), &options(Mode::Paper)).unwrap().checkpoint;
        assert_eq!(together.config(), whole.config());
        assert_eq!(
            together.image_graph(&EXPORT).unwrap().into_bytes().len(),
            whole.image_graph(&EXPORT).unwrap().into_bytes().len()
        );
        let alone = import(&paths[..1], file("vocab.txt"), &options(Mode::Paper));
        assert!(alone.is_err());
    }
    let directory = TempDir::new().unwrap();
    let names = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    let paths = halves(&directory, names);
    let mut entries = Vec::new();
    for (path, name) in paths.iter().zip(names) {
        let bytes = fs::read(path).unwrap();
        for tensor in SafeTensors::deserialize(&bytes).unwrap().names() {
            entries.push(format!("\"{tensor}\": \"{name}\""));
        }
    }
    let index = directory.path().join("model.safetensors.index.json");
    fs::write(&index, format!("{{\"weight_map\": {{{}}}}}", entries.join(","))).unwrap();
    let listed = import(&[&index], file("vocab.txt"), &options(Mode::Paper)).unwrap().checkpoint;
    assert_eq!(listed.config(), whole.config());
    let given = import(&paths, file("vocab.txt"), &options(Mode::Paper)).unwrap().checkpoint;
    assert_eq!(listed.weights().sha256(), given.weights().sha256());
    let error = import(&paths[1..], file("vocab.txt"), &options(Mode::Paper)).unwrap_err().to_string();
    assert!(error.contains("one of 2 shards"), "{error}");
}

#[test]
fn models_inside_others_are_imported_and_averages_are_a_choice() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("weights.safetensors");
    let whole = open("medclip_resnet.safetensors", Mode::Paper).unwrap();
    for prefix in ["model.", "net.", "module.model.", "model._orig_mod.", "model.module."] {
        rewrite(&path, |name| Some(format!("{prefix}{name}")));
        let imported = import(&[&path], file("vocab.txt"), &options(Mode::Paper)).unwrap();
        assert_eq!(imported.checkpoint.config(), whole.config(), "{prefix}");
        assert!(imported.notes.iter().all(|note| !matches!(note, ImportNote::Weights(_))), "{prefix}");
    }
    let bytes = fs::read(file("medclip_resnet.safetensors")).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let copies = ["net.", "net_ema."];
    let views = copies
        .iter()
        .flat_map(|copy| tensors.iter().map(move |(name, view)| (format!("{copy}{name}"), view)));
    fs::write(&path, safetensors::serialize(views, None).unwrap()).unwrap();
    let imported = import(&[&path], file("vocab.txt"), &options(Mode::Paper)).unwrap();
    let said: Vec<String> = imported.notes.iter().map(ToString::to_string).collect();
    assert!(
        said[0].contains("weights under `net` were taken, not the averaged weights (EMA) under `net_ema`"),
        "{said:?}"
    );
    let asked = ImportOptions { part: Some("net_ema".to_owned()), ..options(Mode::Paper) };
    assert!(import(&[&path], file("vocab.txt"), &asked).unwrap().notes.is_empty());
}

#[test]
fn heads_come_from_the_configuration_or_are_asked_for() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("weights.safetensors");
    rewrite(&path, |name| Some(name.to_owned()));
    let open = ImportOptions { text_heads: None, ..options(Mode::Paper) };
    let heads = |options: &ImportOptions| {
        let imported = import(&[&path], file("vocab.txt"), options)?;
        let TextTower::Bert(text) = &imported.checkpoint.config().architecture.text;
        Ok::<_, ImportError>((text.num_attention_heads, imported.notes))
    };
    let error = heads(&open).unwrap_err().to_string();
    assert!(
        error.contains("the text tower is 8 wide, and the weights do not tell its number of attention heads"),
        "{error}"
    );
    let config = directory.path().join("config.json");
    for stated in [4, 2, 1] {
        fs::write(
            &config,
            format!("{{\"hidden_size\": 8, \"num_hidden_layers\": 3, \"num_attention_heads\": {stated}}}"),
        )
        .unwrap();
        let note = ImportNote::Heads { heads: stated, config: Some(config.clone()) };
        assert_eq!(heads(&open).unwrap(), (stated, vec![note]));
        assert_eq!(heads(&options(Mode::Paper)).unwrap(), (2, vec![]), "what is asked for wins");
    }
    // Of another tower: the configuration of the image tower, or of another text tower.
    for other in
        ["{\"embed_dim\": 8, \"num_heads\": [1, 2]}", "{\"hidden_size\": 16, \"num_attention_heads\": 4}"]
    {
        fs::write(&config, other).unwrap();
        assert!(heads(&open).is_err());
    }
}

#[test]
fn a_vocabulary_without_capitals_wants_lower_case() {
    let directory = TempDir::new().unwrap();
    let vocabulary = fs::read_to_string(file("vocab.txt")).unwrap();
    let uncased = vocabulary.replace("The\n", "this\n").replace("No\n", "that\n");
    let path = directory.path().join("vocab.txt");
    fs::write(&path, &uncased).unwrap();
    let json = |lowercase| {
        let path = directory.path().join(format!("{lowercase}.json"));
        fs::write(&path, medclip_core::tokenize::from_vocabulary(&uncased, lowercase).unwrap()).unwrap();
        path
    };
    let with = |tokenizer: &Path, lowercase| {
        let options = ImportOptions { lowercase, ..options(Mode::Paper) };
        import(&[file("medclip_swin.bin")], tokenizer, &options)
    };
    for tokenizer in [path.clone(), json(false)] {
        let error = with(&tokenizer, None).unwrap_err();
        assert!(matches!(error, ImportError::Uncased { .. }), "{error}");
        assert!(error.to_string().contains("has no word with a capital"), "{error}");
        for asked in [true, false] {
            let imported = with(&tokenizer, Some(asked)).unwrap();
            assert_eq!(imported.checkpoint.config().tokenizer.lowercase, asked);
            assert!(imported.notes.is_empty());
        }
    }
    assert!(with(&json(true), None).unwrap().checkpoint.config().tokenizer.lowercase);
    // A vocabulary with capitals is imported either way, and lower-casing is made known.
    assert_eq!(with(&file("vocab.txt"), None).unwrap().notes, []);
    assert_eq!(with(&file("vocab.txt"), Some(true)).unwrap().notes, [ImportNote::CasedAndLowered]);
}

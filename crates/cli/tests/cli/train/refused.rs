//! What a training file may say that cannot be done: a message that names it, and nothing written.

use std::fs;
use std::path::Path;

use super::setting;
use crate::setting::{medclip, text};

/// Runs `train.toml`, which has to be refused in one line with all of `words`, before anything is written.
fn assert_refused(directory: &Path, arguments: &[&str], words: &[&str]) {
    let command = [&["train", "train.toml", "--output", "out"], arguments].concat();
    let output = medclip(&command).current_dir(directory).output().unwrap();
    let message = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {message}");
    assert_eq!(message.lines().count(), 1, "{message}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    for word in words.iter().chain(&["train.toml"]) {
        assert!(message.contains(word), "{arguments:?}: no `{word}` in {message}");
    }
    assert!(!directory.join("out").exists(), "{arguments:?}: something was written");
}

#[test]
fn settings_that_cannot_work() {
    let directory = setting(20, "epochs = 1");
    let swin = "image.tower={ kind = \"swin\", channels = 1, patch_size = 4, embed_dim = 8, depths = [2, 2], \
                num_heads = [2, 4], window_size = 7, mlp_ratio = 2, layer_norm_eps = 1e-5 }";
    let resnet =
        "image.tower={ kind = \"resnet\", channels = 1, width = 8, blocks = [1, 0], batch_norm_eps = 1e-5 }";
    let cases: &[(&str, &[&str])] = &[
        // Keys and types.
        ("sede=1", &["unknown field", "sede"]),
        ("data.sampler.imagse=3", &["unknown field", "imagse"]),
        ("early_stop={ patiense = 3 }", &["unknown field", "patiense"]),
        ("epochs=many", &["epochs", "many", "expected"]),
        ("image.size=\"32\"", &["image.size", "\"32\"", "expected"]),
        ("data.augment.scale=1.0", &["data.augment.scale", "expected"]),
        ("micro_batch=0", &["micro_batch", "nonzero"]),
        ("accumulate=0", &["accumulate", "nonzero"]),
        ("schedule.decay=stairs", &["decay", "stairs", "linear"]),
        ("objective.kind=nothing", &["objective", "nothing"]),
        ("device=gpu", &["device", "`gpu` is no device"]),
        ("precision=f16", &["precision", "f16", "bf16"]),
        // Ranges.
        ("epochs=0", &["epochs: must be at least 1"]),
        ("evaluate_every=0", &["evaluate_every: must be at least 1"]),
        ("learning_rate=0", &["learning_rate: must be positive"]),
        ("learning_rate=nan", &["learning_rate: must be positive"]),
        ("ema_decay=1", &["ema_decay: must be in 0–1"]),
        ("early_stop={ patience = 0 }", &["early_stop.patience: must be at least 1"]),
        ("early_stop={ patience = 1, min_delta = -0.1 }", &["early_stop.min_delta"]),
        ("schedule.warmup=2", &["schedule.warmup: must be in 0–1"]),
        ("schedule={ warmup = 0, floor = 0.1, decay = \"constant\" }", &["schedule.floor: has no meaning"]),
        ("optimizer.beta2=1", &["optimizer.beta2: must be in 0–1"]),
        ("optimizer.clip_norm=0", &["optimizer.clip_norm: must be positive"]),
        ("optimizer.weight_decay=-1", &["optimizer.weight_decay"]),
        ("image.trunk_rate=-1", &["image.trunk_rate"]),
        ("text.trunk_rate=inf", &["text.trunk_rate"]),
        ("objective.label_temperature=0", &["objective.label_temperature: must be positive"]),
        ("data.augment.mixup=1.5", &["augment.mixup must be in 0–1"]),
        ("data.teacher={ scores = [\"a.csv\"], share = 2 }", &["data.teacher.share must be in 0–1"]),
        ("data.teacher={ scores = [], share = 0.5 }", &["data.teacher.scores names no file"]),
        ("data.teacher={ scores = [\"none.csv\"], share = 0.5 }", &["none.csv"]),
        ("data.augment.flip=2", &["augment.flip must be in 0–1"]),
        ("data.sampler.balance=2", &["sampler.balance must be in 0–1"]),
        ("data.sampler.images=0", &["sampler.images must be at least 1"]),
        // Sizes.
        ("image.tower=vgg", &["image.tower: `vgg` is no preset", "swin-tiny"]),
        ("image.tower.stages=[]", &["image.tower: the number of stages is 0"]),
        ("image.tower.stem=0", &["image.tower: stem is 0"]),
        ("image.tower.channels=3", &["image.channels: is 1, the image tower takes 3"]),
        (swin, &["image.size", "32 pixels are too small"]),
        (resnet, &["image.tower: blocks is 0"]),
        ("image.size=0", &["image.size: is 0"]),
        ("image.size=5000", &["image.size: is 5000"]),
        ("image.channels=2", &["image.channels: must be 1 or 3"]),
        ("image.freeze_blocks=5", &["image.freeze_blocks: is 5, must be from 0 to 4"]),
        ("text.tower=gpt", &["text.tower: `gpt` is no preset"]),
        ("text.tower.num_attention_heads=5", &["text.tower: 5 heads do not divide a width of 64"]),
        ("text.tower.num_hidden_layers=0", &["text.tower: num_hidden_layers is 0"]),
        ("text.tower.vocab_size=100", &["text.tokenizer", "tokenizer.json", "30522 ids, the text tower 100"]),
        ("text.max_length=65", &["text.max_length: is 65, must be from 3 to 64"]),
        ("text.freeze_layers=3", &["text.freeze_layers: is 3, must be from 0 to 2"]),
        ("embedding_dim=0", &["embedding_dim: is 0"]),
        // Choices.
        ("select_by=test", &["select_by: names no [data.eval.…] selection"]),
        ("select_findings=[]", &["select_findings: names no finding"]),
        ("select_findings=[\"Cough\"]", &["select_findings: `Cough` is no finding"]),
        (
            "select_findings=[\"Pleural Other\"]",
            &["select_findings: `val` cannot rank Pleural Other (no film has it)"],
        ),
        (
            "select_findings=[\"Lung Opacity\", \"Pleural Effusion\", \"Edema\"]",
            &["`val` cannot rank Pleural Effusion (no film has it), Edema (no film has it), so"],
        ),
        ("accumulate=5", &["accumulate: takes 5 batches a step, an epoch has 4"]),
        ("data.sampler.images=17", &["a batch takes 17 images, there are 16"]),
        ("data.eval.val.splits=[\"test\"]", &["selection `val` admits no image"]),
        ("data.train.only_folds=[7]", &["selection `train` admits no image"]),
        ("data.train.sources=[\"elsewhere\"]", &["selection `train` names source `elsewhere`"]),
        (
            "data.eval.val.splits=[\"train\"]",
            &["the patient group of row 1 (line 2) is in the training selection", "`val`"],
        ),
        ("data.sentences.min_words=99", &["no labelled sentence"]),
    ];
    for (setting, words) in cases {
        assert_refused(directory.path(), &["--set", setting], words);
    }
}

#[cfg(not(feature = "train-cuda"))]
#[test]
fn a_device_that_the_program_cannot_use() {
    let directory = setting(20, "epochs = 1");
    assert_refused(directory.path(), &["--set", "device=cuda"], &["device", "cuda:0", "without CUDA"]);
}

#[test]
fn files_that_cannot_be_used() {
    let directory = setting(20, "epochs = 1");
    let directory = directory.path();
    fs::write(directory.join("text.txt"), "no weights, no tokenizer, no prompts").unwrap();
    let prompts = "[[class]]\nname = 'Edema'\npositive = { sentences = ['edema'] }\nnegative = { sentences = ['no edema'] }\n";
    fs::write(directory.join("edema.toml"), prompts).unwrap();
    let no_such = "No such file";
    let cases: &[(&str, &[&str])] = &[
        ("image.init=none.safetensors", &["image.init: ", "none.safetensors", no_such]),
        ("image.init=text.txt", &["image.init: text.txt: the file is text"]),
        ("text.init=none.bin", &["text.init: ", "none.bin", no_such]),
        ("start=nowhere", &["start: nowhere/weights.safetensors", no_such]),
        ("text.tokenizer=none.json", &["text.tokenizer: ", "none.json", no_such]),
        (
            "text.tokenizer=text.txt",
            &["text.tokenizer: text.txt cannot be used as a tokenizer: not a tokenizer.json"],
        ),
        ("prompts=none.toml", &["prompts: the prompts in none.toml cannot be read", no_such]),
        ("prompts=text.txt", &["prompts: the prompts in text.txt "]),
        ("prompts=edema.toml", &["select_findings: `No Finding` is no class of edema.toml"]),
        ("data.prompts=none.toml", &["prompts none.toml", no_such]),
        ("data.manifest=none.csv", &["manifest none.csv", no_such]),
        ("data.reports=none.csv", &["reports none.csv", no_such]),
        (
            "data.image_root=nowhere",
            &[
                "16 of 20 images cannot be read (80 %)",
                "row 1 (line 2) of phantoms/manifest.csv",
                "data.image_root",
                no_such,
            ],
        ),
        ("data.max_lost=2", &["data.max_lost must be in 0–1"]),
    ];
    for (setting, words) in cases {
        assert_refused(directory, &["--set", setting], words);
    }

    let output = medclip(&["train", "none.toml"]).current_dir(directory).output().unwrap();
    let message = text(&output.stderr);
    assert!(output.status.code() == Some(2) && message.contains("none.toml: No such file"), "{message}");

    let file =
        medclip(&["train", "train.toml", "--output", "text.txt"]).current_dir(directory).output().unwrap();
    let message = text(&file.stderr);
    assert!(file.status.code() == Some(2) && message.contains("text.txt"), "{message}");
}

#[test]
fn a_training_file_that_lacks_a_key_or_has_one_too_many() {
    let directory = setting(20, "epochs = 1");
    let directory = directory.path();
    let whole = fs::read_to_string(directory.join("train.toml")).unwrap();
    for (from, to, words) in [
        ("seed = 1\n", "", ["missing field", "seed"]),
        ("seed = 1\n", "seed = 1\nsede = 2\n", ["unknown field", "sede"]),
        ("images = 4", "images = 4.5", ["floating point", "images = 4.5"]),
        ("seed = 1\n", "seed = \n", ["TOML parse error", "seed ="]),
    ] {
        assert!(whole.contains(from), "{from}");
        fs::write(directory.join("train.toml"), whole.replacen(from, to, 1)).unwrap();
        assert_refused(directory, &[], &words);
    }
}

#[test]
fn a_manifest_that_cannot_be_used() {
    let directory = setting(20, "epochs = 1");
    let directory = directory.path();
    let path = directory.join("phantoms/manifest.csv");
    let whole = fs::read_to_string(&path).unwrap();
    let header = whole.lines().next().unwrap().to_owned();
    let second = whole.lines().nth(1).unwrap().to_owned();
    let group = "phantom:5-0";
    let cases: [(String, &[&str]); 6] = [
        (whole.replacen("Edema", "Oedema", 1), &["manifest", "manifest.csv", "column `Edema` is missing"]),
        (whole.replacen(",split,", ",part,", 1), &["manifest.csv", "column `split` is missing"]),
        (whole.replacen(",PA,", ",PA,2,", 1), &["manifest.csv", "row 1 (line 2): the row has"]),
        (
            whole.replacen(&second, &second.replacen(",PA,", ",PA,yes,", 1).replacen(",1,", ",", 1), 1),
            &["manifest.csv", "row 1 (line 2), column `No Finding`: `yes` is not 1, 0, -1 or blank"],
        ),
        (
            whole.replacen(",train,", ",training,", 1),
            &["manifest.csv", "row 1 (line 2), column `split`: `training`"],
        ),
        (whole.replacen(group, "", 2), &["manifest.csv", "row 1 (line 2), column `patient_group`"]),
    ];
    for (manifest, words) in cases {
        assert_ne!(manifest, whole);
        fs::write(&path, manifest).unwrap();
        assert_refused(directory, &[], words);
    }
    fs::write(&path, format!("{header}\n")).unwrap();
    assert_refused(directory, &[], &["selection `train` admits no image"]);
}

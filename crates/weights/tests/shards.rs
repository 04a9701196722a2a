//! Models in several files.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

#[allow(unreachable_pub, reason = "a module of several test binaries")]
mod support;

use std::fs;

use medclip_weights::{TensorFile, TensorFileOptions};
use tempfile::TempDir;

use support::{Node, archive, dict, safetensors};

const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];

fn list(entries: &[(&str, &str)]) -> String {
    let entries: Vec<String> =
        entries.iter().map(|(tensor, shard)| format!("\"{tensor}\": \"{shard}\"")).collect();
    format!("{{\"metadata\": {{\"total_size\": 16}}, \"weight_map\": {{{}}}}}", entries.join(", "))
}

/// A model of two shards with a list.
fn model() -> TempDir {
    let directory = TempDir::new().unwrap();
    fs::write(directory.path().join(SHARDS[0]), safetensors(&[("module.a", 1.0)])).unwrap();
    fs::write(directory.path().join(SHARDS[1]), safetensors(&[("module.b", 2.0)])).unwrap();
    let list = list(&[("module.a", SHARDS[0]), ("module.b", SHARDS[1])]);
    fs::write(directory.path().join("model.safetensors.index.json"), list).unwrap();
    directory
}

fn refusal(directory: &TempDir, name: &str) -> String {
    TensorFile::open(directory.path().join(name)).unwrap_err().to_string()
}

#[test]
fn a_list_stands_for_its_shards() {
    let directory = model();
    let at = |name: &str| directory.path().join(name);
    let listed = TensorFile::open(at("model.safetensors.index.json")).unwrap();
    let together = TensorFile::open_all(&SHARDS.map(at), &TensorFileOptions::default()).unwrap();
    for mut file in [listed, together] {
        assert_eq!(file.names().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!((file.f32("a").unwrap()[0], file.f32("b").unwrap()[0]), (1.0, 2.0));
        assert_eq!(file.files().collect::<Vec<_>>(), SHARDS.map(at));
    }
}

#[test]
fn shards_of_pickles_are_listed_too() {
    let directory = TempDir::new().unwrap();
    let shards = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"];
    for (shard, name) in shards.iter().zip(["a", "b"]) {
        fs::write(directory.path().join(shard), archive(&dict(&[(name, Node::Tensor(1.0))]))).unwrap();
    }
    let path = directory.path().join("pytorch_model.bin.index.json");
    fs::write(&path, list(&[("a", shards[0]), ("b", shards[1])])).unwrap();
    assert_eq!(TensorFile::open(path).unwrap().names().count(), 2);
}

#[test]
fn a_shard_alone_is_no_model() {
    let directory = model();
    let error = refusal(&directory, SHARDS[1]);
    assert!(
        error.ends_with(
            "is one of 2 shards and holds no whole model; name model.safetensors.index.json or all of the shards"
        ),
        "{error}"
    );
    let alone = TensorFile::open_all(&[directory.path().join(SHARDS[0])], &TensorFileOptions::default());
    assert!(alone.unwrap_err().to_string().contains("one of 2 shards"));
}

#[test]
fn lists_that_do_not_fit_their_shards_are_refused() {
    let write = |directory: &TempDir, entries: &[(&str, &str)]| {
        fs::write(directory.path().join("model.safetensors.index.json"), list(entries)).unwrap();
    };
    let index = "model.safetensors.index.json";
    let directory = model();
    fs::remove_file(directory.path().join(SHARDS[1])).unwrap();
    let error = refusal(&directory, index);
    assert!(
        error.contains(&format!("{}, which it lists, is missing; put all 2 shards beside", SHARDS[1])),
        "{error}"
    );

    for (entries, says) in [
        (&[("module.a", SHARDS[0]), ("module.c", SHARDS[1])][..], "does not hold module.c"),
        (&[("module.a", SHARDS[0])], ""),
        (&[("module.a", "../x.safetensors")], "`../x.safetensors`, which is not a file beside it"),
        (&[], "it lists nothing"),
    ] {
        let directory = model();
        write(&directory, entries);
        if says.is_empty() {
            // A shard that no tensor is listed of is not read.
            assert_eq!(TensorFile::open(directory.path().join(index)).unwrap().names().count(), 1);
        } else {
            let error = refusal(&directory, index);
            assert!(error.contains("the list of shards is damaged") && error.contains(says), "{error}");
        }
    }
    let directory = model();
    fs::write(directory.path().join(SHARDS[1]), safetensors(&[("module.b", 2.0), ("module.c", 3.0)]))
        .unwrap();
    assert!(refusal(&directory, index).contains("it does not list module.c"));
    fs::write(directory.path().join(SHARDS[1]), safetensors(&[("module.a", 2.0)])).unwrap();
    let both =
        TensorFile::open_all(&SHARDS.map(|name| directory.path().join(name)), &TensorFileOptions::default());
    let error = both.unwrap_err().to_string();
    assert!(error.contains("tensor module.a: is also in ") && error.ends_with(SHARDS[0]), "{error}");
    fs::write(directory.path().join(index), "{\"weight_map\": 3}").unwrap();
    assert!(refusal(&directory, index).contains("the list of shards is damaged: invalid type"));
    fs::write(directory.path().join("config.json"), "{\"hidden_size\": 3}").unwrap();
    assert!(refusal(&directory, "config.json").contains("the file is JSON and lists no shards"));
}

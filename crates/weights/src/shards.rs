//! Models in several files: the lists that Hugging Face writes beside them, and the names of the files.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;

use medclip_files::open_regular;
use serde::Deserialize;

use crate::error::{FileFault, TensorFileError};

/// End of the name of a list.
const INDEX: &str = ".index.json";
/// Bytes of a list; one of 100,000 tensors has some 10 MB.
const MAX_BYTES: u64 = 1 << 26;
/// Shards of a model.
const MAX_SHARDS: usize = 1 << 10;

/// Which shard holds which tensors.
pub(crate) struct Index {
    pub(crate) shards: BTreeMap<String, BTreeSet<String>>,
}

#[derive(Deserialize)]
struct Listed {
    weight_map: BTreeMap<String, String>,
}

impl Index {
    /// The list in `path`; none when the file is no JSON that lists shards.
    pub(crate) fn open(path: &Path) -> Result<Option<Self>, TensorFileError> {
        let is_named = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".json"));
        if !is_named {
            return Ok(None);
        }
        let fail = |source| TensorFileError::Read { path: path.to_owned(), source };
        let mut text = Vec::new();
        open_regular(path).map_err(fail)?.take(MAX_BYTES + 1).read_to_end(&mut text).map_err(fail)?;
        let fault =
            |reason: String| TensorFileError::File { path: path.to_owned(), fault: FileFault::Index(reason) };
        if text.len() as u64 > MAX_BYTES {
            return Err(fault(format!("it has more than {MAX_BYTES} bytes")));
        }
        let named_as_list = path.to_string_lossy().ends_with(INDEX);
        match serde_json::from_slice::<Listed>(&text) {
            Ok(listed) => Self::of(listed).map(Some).map_err(fault),
            Err(error) if named_as_list && text.starts_with(b"{") => Err(fault(error.to_string())),
            Err(_) => Ok(None),
        }
    }

    fn of(listed: Listed) -> Result<Self, String> {
        let mut shards: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (tensor, shard) in listed.weight_map {
            let is_plain =
                !shard.is_empty() && !shard.contains(['/', '\\', ':', '\0']) && shard != "." && shard != "..";
            if !is_plain {
                return Err(format!("it names `{shard}`, which is not a file beside it"));
            }
            shards.entry(shard).or_default().insert(tensor);
        }
        match shards.len() {
            0 => Err("it lists nothing".to_owned()),
            1..=MAX_SHARDS => Ok(Self { shards }),
            more => Err(format!("it lists {more} shards, at most {MAX_SHARDS} are read")),
        }
    }
}

/// `model-00001-of-00003.safetensors` as the number of shards and the name of their list.
pub(crate) fn shard_of(path: &Path) -> Option<(usize, String)> {
    let name = path.file_name()?.to_str()?;
    let (stem, extension) = name.rsplit_once('.')?;
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (model, number) = rest.rsplit_once('-')?;
    let is_number = |text: &str| text.len() >= 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(number) || !is_number(count) {
        return None;
    }
    Some((count.parse().ok()?, format!("{model}.{extension}{INDEX}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_shards_tell_how_many_there_are() {
        for (name, expected) in [
            ("model-00001-of-00003.safetensors", Some((3, "model.safetensors.index.json"))),
            ("pytorch_model-00002-of-00002.bin", Some((2, "pytorch_model.bin.index.json"))),
            ("model-of-one.safetensors", None),
            ("model-1-of-3.safetensors", None),
            ("model.safetensors", None),
        ] {
            let found = shard_of(Path::new(name));
            assert_eq!(found, expected.map(|(count, index)| (count, index.to_owned())), "{name}");
        }
    }

    #[test]
    fn lists_name_files_beside_them_alone() {
        for (shard, reason) in [
            ("../other.safetensors", "not a file beside it"),
            ("/etc/passwd", "not a file beside it"),
            ("a\\b", "not a file beside it"),
            ("..", "not a file beside it"),
            ("", "not a file beside it"),
        ] {
            let listed = Listed { weight_map: BTreeMap::from([("a".to_owned(), shard.to_owned())]) };
            assert!(Index::of(listed).is_err_and(|error| error.contains(reason)), "{shard}");
        }
        assert!(
            Index::of(Listed { weight_map: BTreeMap::new() }).is_err_and(|error| error.contains("nothing"))
        );
    }
}

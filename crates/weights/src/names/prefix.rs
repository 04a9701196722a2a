//! Under what the tensors of a model lie in a larger module: Lightning's `model.`, a classifier's `backbone.`.

use std::collections::{BTreeMap, BTreeSet};

use super::{IMAGE, TEXT, is_buffer};
use crate::file::TensorFile;
use crate::note::OtherWeights;
use crate::parts::{AVERAGED, WRAPPERS};

/// A name that every trunk of a layout has.
const SIGNATURES: [&str; 5] = [
    "embeddings.patch_embeddings.projection.weight",
    "embeddings.word_embeddings.weight",
    "patch_embed.proj.weight",
    "layer1.0.conv1.weight",
    "_conv_stem.weight",
];
/// First parts of the names of what was trained on top of a trunk and has no use without its task.
const HEADS: [&str; 6] = ["head", "heads", "fc", "classifier", "cls", "_fc"];

/// Where a model's tensors are.
pub(crate) struct Place {
    /// What their names start with: empty, or parts that end in a dot.
    pub(crate) prefix: String,
    pub(crate) averaged: bool,
    /// Other prefixes under which there are weights.
    pub(crate) others: Vec<OtherWeights>,
    /// Names outside of all these that are no heads.
    pub(crate) outside: Vec<String>,
}

/// Where the tensors of a known model are in a file; the prefixes to choose from where that is not certain. None where no
/// model is known.
pub(crate) fn place(file: &TensorFile) -> Option<Result<Place, Vec<String>>> {
    let found = prefixes(file);
    let parts = |prefix: &str| prefix.trim_end_matches('.').split('.').map(str::to_owned).collect::<Vec<_>>();
    let is_averaged = |prefix: &str| parts(prefix).iter().any(|part| AVERAGED.contains(&part.as_str()));
    let is_wrapper = |prefix: &str| {
        prefix.is_empty() || parts(prefix).iter().all(|part| WRAPPERS.contains(&part.as_str()))
    };
    let raw: Vec<&String> = found.iter().filter(|prefix| is_wrapper(prefix)).collect();
    let averaged: Vec<&String> = found.iter().filter(|prefix| is_averaged(prefix)).collect();
    let taken = match (raw.as_slice(), averaged.as_slice(), found.len()) {
        (_, _, 0) => return None,
        ([only], ..) | ([], [only], 1) => *only,
        _ => return Some(Err(found.iter().map(|prefix| prefix.trim_end_matches('.').to_owned()).collect())),
    };
    let is_under = |name: &str, prefix: &str| !prefix.is_empty() && name.starts_with(prefix);
    let others: Vec<&String> = found.iter().filter(|prefix| *prefix != taken && !prefix.is_empty()).collect();
    let is_head = |name: &str| {
        let first = name.split('.').next().unwrap_or_default();
        HEADS.contains(&first) || first.ends_with("_head")
    };
    let outside = file.names().filter(|name| {
        !name.starts_with(taken.as_str())
            && !others.iter().any(|prefix| is_under(name, prefix))
            && !is_head(name)
            && !is_buffer(name)
    });
    Some(Ok(Place {
        prefix: taken.clone(),
        averaged: is_averaged(taken),
        outside: outside.map(str::to_owned).collect(),
        others: others
            .iter()
            .map(|prefix| OtherWeights {
                part: prefix.trim_end_matches('.').to_owned(),
                averaged: is_averaged(prefix),
            })
            .collect(),
    }))
}

/// What stands in front of the names of known models: of whole models, or of trunks where there is none.
fn prefixes(file: &TensorFile) -> BTreeSet<String> {
    let mut whole = BTreeSet::new();
    let mut trunks: BTreeMap<String, &str> = BTreeMap::new();
    for name in file.names() {
        for tower in [IMAGE, TEXT] {
            let starts = name.match_indices(tower).map(|(at, _)| at);
            let mut starts = starts.filter(|at| *at == 0 || name.as_bytes().get(at - 1) == Some(&b'.'));
            whole.extend(starts.next().and_then(|at| name.get(..at)).map(str::to_owned));
        }
        for signature in SIGNATURES {
            let prefix = name.strip_suffix(signature);
            if let Some(prefix) = prefix.filter(|prefix| prefix.is_empty() || prefix.ends_with('.')) {
                trunks.insert(prefix.to_owned(), signature);
            }
        }
    }
    if whole.is_empty() { own(trunks) } else { whole }
}

/// Prefixes of trunks without those that are part of a layout: `swin.` and `bert.` of Hugging Face stay in the names.
fn own(trunks: BTreeMap<String, &str>) -> BTreeSet<String> {
    let strip = |(prefix, signature): (String, &str)| {
        let layout = if signature.contains("word") { "bert." } else { "swin." };
        let is_hugging_face = signature.starts_with("embeddings.");
        let outer = prefix.strip_suffix(layout).filter(|outer| outer.is_empty() || outer.ends_with('.'));
        outer.filter(|_| is_hugging_face).map(str::to_owned).unwrap_or(prefix)
    };
    trunks.into_iter().map(strip).collect()
}

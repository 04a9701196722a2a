//! The state dictionary in what a pickle stands for.

use std::collections::BTreeMap;

use crate::error::FileFault;
use crate::pickle::{Pickle, Value};
use crate::view::View;

/// Keys under which training programs save a state dictionary beside other things.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];
/// Prefixes that wrappers of modules add to every name.
const PREFIXES: [&str; 2] = ["module.", "_orig_mod."];
/// Wrappers within wrappers.
const MAX_DEPTH: usize = 4;

/// The tensors of the outermost dictionary that has some, wrappers followed.
pub(crate) fn tensors(pickle: &Pickle) -> Result<BTreeMap<String, View>, FileFault> {
    let mut value = pickle.root();
    for _ in 0..MAX_DEPTH {
        let entries = pickle.entries(value);
        let views = entries.iter().filter_map(|(name, value)| match value {
            Value::Tensor(view) => Some(((*name).to_owned(), view.clone())),
            _ => None,
        });
        let tensors: BTreeMap<String, View> = views.collect();
        if !tensors.is_empty() {
            return Ok(tensors);
        }
        let wrapped = WRAPPERS.iter().filter_map(|key| entries.get(key).copied());
        match wrapped.into_iter().find(|value| matches!(value, Value::Dict(_))) {
            Some(inner) => value = inner,
            None if matches!(value, Value::Dict(_)) => {
                return Err(FileFault::NoStateDictionary("a dictionary without tensors"));
            }
            None => return Err(FileFault::NoStateDictionary(value.kind())),
        }
    }
    Err(FileFault::NoStateDictionary("dictionaries in dictionaries"))
}

/// Takes off what every name starts with because a module was wrapped when it was saved.
pub(crate) fn strip_wrappers<T>(mut tensors: BTreeMap<String, T>) -> BTreeMap<String, T> {
    while let Some(prefix) = PREFIXES
        .into_iter()
        .find(|prefix| !tensors.is_empty() && tensors.keys().all(|name| name.starts_with(prefix)))
    {
        let stripped = tensors.into_iter().map(|(name, tensor)| (name[prefix.len()..].to_owned(), tensor));
        tensors = stripped.collect();
    }
    tensors
}

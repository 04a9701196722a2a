//! The state dictionary in what a pickle stands for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::error::FileFault;
use crate::note::OtherWeights;
use crate::parts::{AVERAGED, INSERTED, RAW, TRAINING};
use crate::pickle::{Id, Pickle, Value};
use crate::view::View;

/// Prefix that a parallel module adds to every name.
const PARALLEL: &str = "module.";
/// Count of steps that `torch.optim.swa_utils.AveragedModel` keeps beside the model.
const COUNTER: &str = "n_averaged";
/// Dictionaries within dictionaries.
const MAX_DEPTH: usize = 4;

/// A state dictionary, and what else there was to choose from.
pub(crate) struct Selected {
    pub(crate) tensors: BTreeMap<String, View>,
    /// The dictionary; empty for the outermost.
    pub(crate) taken: String,
    pub(crate) averaged: bool,
    pub(crate) others: Vec<OtherWeights>,
    /// Whether `taken` is what was asked for.
    pub(crate) asked: bool,
}

/// A dictionary that holds tensors.
struct Candidate {
    path: Vec<String>,
    id: Id,
    tensors: usize,
}

/// What a dictionary holds, by its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// The outermost dictionary.
    Outermost,
    /// A known name; the number is its place among them.
    Raw(usize),
    Averaged(usize),
    Unknown,
}

impl Candidate {
    fn name(&self) -> String {
        self.path.join(".")
    }

    fn kind(&self) -> Kind {
        let place = |words: &[&str], part: &String| words.iter().position(|word| word == part);
        if self.path.is_empty() {
            return Kind::Outermost;
        }
        if let Some(at) = self.path.iter().find_map(|part| place(&AVERAGED, part)) {
            return Kind::Averaged(at);
        }
        let places: Option<Vec<usize>> = self.path.iter().map(|part| place(&RAW, part)).collect();
        places.and_then(|places| places.last().copied()).map_or(Kind::Unknown, Kind::Raw)
    }
}

/// The tensors of the dictionary called `part`, or of the one that most likely is the model's: a known name wins over
/// tensors beside it, weights as they are over averages.
pub(crate) fn tensors(pickle: &Pickle, part: Option<&str>) -> Result<Selected, FileFault> {
    if !matches!(pickle.root(), Value::Dict(_)) {
        return Err(FileFault::NoStateDictionary(pickle.root().kind()));
    }
    let candidates = candidates(pickle);
    if candidates.is_empty() {
        return Err(FileFault::NoStateDictionary("a dictionary without tensors"));
    }
    let asked = part.and_then(|part| candidates.iter().find(|candidate| candidate.name() == part));
    let taken = match asked {
        Some(asked) => asked,
        None => choose(&candidates)?,
    };
    let is_other = |candidate: &&Candidate| {
        candidate.id != taken.id && matches!(candidate.kind(), Kind::Raw(_) | Kind::Averaged(_))
    };
    let other = |candidate: &Candidate| OtherWeights {
        part: candidate.name(),
        averaged: matches!(candidate.kind(), Kind::Averaged(_)),
    };
    Ok(Selected {
        tensors: views(pickle, taken.id),
        taken: taken.name(),
        averaged: matches!(taken.kind(), Kind::Averaged(_)),
        others: candidates.iter().filter(is_other).map(other).collect(),
        asked: asked.is_some(),
    })
}

fn choose(candidates: &[Candidate]) -> Result<&Candidate, FileFault> {
    let best = |wanted: fn(Kind) -> bool| {
        let of_kind = candidates.iter().filter(|candidate| wanted(candidate.kind()));
        of_kind.min_by_key(|candidate| (candidate.path.len(), candidate.kind()))
    };
    if let Some(raw) = best(|kind| matches!(kind, Kind::Raw(_))) {
        return Ok(raw);
    }
    let outermost = best(|kind| kind == Kind::Outermost);
    let averaged = best(|kind| matches!(kind, Kind::Averaged(_)));
    match (outermost, averaged) {
        // A model whose averages lie inside its own dictionary; a few loose numbers are no model.
        (Some(own), Some(averaged)) if own.tensors < averaged.tensors => return Ok(averaged),
        (Some(own), _) => return Ok(own),
        (None, Some(averaged)) => return Ok(averaged),
        (None, None) => {}
    }
    match candidates {
        [only] => Ok(only),
        several => Err(FileFault::SeveralParts(several.iter().map(Candidate::name).collect())),
    }
}

/// Every dictionary that holds tensors, each once, however often it is referred to.
fn candidates(pickle: &Pickle) -> Vec<Candidate> {
    let mut found = Vec::new();
    let mut seen = BTreeSet::from([pickle.root_id()]);
    let mut open = VecDeque::from([(Vec::new(), pickle.root_id())]);
    while let Some((path, id)) = open.pop_front() {
        let entries = pickle.entries_of(id);
        let tensors =
            entries.values().filter(|value| matches!(pickle.value(**value), Value::Tensor(_))).count();
        for (key, value) in entries {
            let is_model = matches!(pickle.value(value), Value::Dict(_)) && !TRAINING.contains(&key);
            if is_model && path.len() < MAX_DEPTH && seen.insert(value) {
                let path: Vec<String> = path.iter().cloned().chain([key.to_owned()]).collect();
                open.push_back((path, value));
            }
        }
        if tensors > 0 {
            found.push(Candidate { path, id, tensors });
        }
    }
    found
}

fn views(pickle: &Pickle, id: Id) -> BTreeMap<String, View> {
    let entries = pickle.entries_of(id).into_iter();
    let views = entries.filter_map(|(name, value)| match pickle.value(value) {
        Value::Tensor(view) => Some((name.to_owned(), view.clone())),
        _ => None,
    });
    views.collect()
}

/// Takes off what every name has because a module was wrapped when it was saved.
pub(crate) fn strip_wrappers<T>(tensors: BTreeMap<String, T>) -> BTreeMap<String, T> {
    let mut tensors = renamed(tensors, |name| {
        let own = name.split('.').filter(|part| !INSERTED.contains(part));
        own.collect::<Vec<_>>().join(".")
    });
    let is_wrapped = |name: &String| name.starts_with(PARALLEL) || name == COUNTER;
    while tensors.keys().any(|name| name != COUNTER) && tensors.keys().all(is_wrapped) {
        tensors = renamed(tensors, |name| name.strip_prefix(PARALLEL).unwrap_or(name).to_owned());
    }
    tensors
}

/// Under new names, unless two would become one.
fn renamed<T>(tensors: BTreeMap<String, T>, rename: impl Fn(&str) -> String) -> BTreeMap<String, T> {
    let names: BTreeSet<String> = tensors.keys().map(|name| rename(name)).collect();
    if names.len() < tensors.len() {
        return tensors;
    }
    tensors.into_iter().map(|(name, tensor)| (rename(&name), tensor)).collect()
}

/// Keeps the tensors whose names start with `part` and a dot, without both; an error names the parts there are.
pub(crate) fn keep_part<T>(
    tensors: BTreeMap<String, T>,
    part: &str,
) -> Result<BTreeMap<String, T>, FileFault> {
    let prefix = format!("{}.", part.trim_end_matches('.'));
    let mut parts = BTreeSet::new();
    let mut kept = BTreeMap::new();
    for (name, tensor) in tensors {
        match name.strip_prefix(&prefix) {
            Some(own) => drop(kept.insert(own.to_owned(), tensor)),
            None => drop(parts.insert(name.split('.').next().unwrap_or_default().to_owned())),
        }
    }
    if kept.is_empty() {
        let has = parts.into_iter().collect();
        return Err(FileFault::NoSuchPart { part: part.to_owned(), has });
    }
    Ok(kept)
}

//! Values of options.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use medclip_runtime::TowerKind;
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value};

/// One of a few values, by its name.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = all.iter().map(|value| name(*value));
    PossibleValuesParser::new(names)
        .try_map(move |given| all.iter().copied().find(|value| name(*value) == given).ok_or("no such value"))
}

/// One of a few values, by the name that files have for it.
pub(crate) fn named<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    names: &[&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names.iter().copied()).try_map(|name| from_value(Value::String(name)))
}

/// A tower of a model.
pub(crate) fn tower() -> impl TypedValueParser<Value = TowerKind> {
    one_of(&TowerKind::ALL, TowerKind::name)
}

//! Values of options by the names that libraries give them in files.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::de::DeserializeOwned;
use serde_json::{Value, from_value};

/// One of `names`, each of which `T` is read from.
pub(crate) fn named<T: DeserializeOwned + Clone + Send + Sync + 'static>(
    names: &[&'static str],
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names.iter().copied()).try_map(|name| from_value(Value::String(name)))
}

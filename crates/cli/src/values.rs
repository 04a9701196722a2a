//! Values of options.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use medclip_runtime::TowerKind;

/// One of a few values, by its name.
pub(crate) fn one_of<T: Copy + Send + Sync + 'static>(
    all: &'static [T],
    name: fn(T) -> &'static str,
) -> impl TypedValueParser<Value = T> {
    let names = all.iter().map(|value| name(*value));
    PossibleValuesParser::new(names)
        .try_map(move |given| all.iter().copied().find(|value| name(*value) == given).ok_or("no such value"))
}

/// A tower of a model.
pub(crate) fn tower() -> impl TypedValueParser<Value = TowerKind> {
    one_of(&TowerKind::ALL, TowerKind::name)
}

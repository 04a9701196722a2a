//! Values of options.

use clap::builder::TypedValueParser;
use medclip_data::Split;

use crate::values::one_of;

/// A part of the films.
pub(crate) fn split() -> impl TypedValueParser<Value = Split> {
    one_of(&Split::ALL, Split::name)
}

/// A share that is not empty.
pub(super) fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if fraction > 0.0 && fraction <= 1.0 => Ok(fraction),
        _ => Err(format!("`{text}` is not a number above 0 and at most 1")),
    }
}

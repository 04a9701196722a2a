//! Values of options.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use medclip_core::{Finding, PromptPooling};
use medclip_data::Split;
use medclip_protocols::Pool;

/// `LABEL=DIR`, or a directory that is its own label.
#[derive(Debug, Clone)]
pub(crate) struct Labelled {
    pub(crate) label: String,
    pub(crate) path: PathBuf,
}

impl FromStr for Labelled {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (label, path) = text.split_once('=').unwrap_or((text, text));
        Ok(Self { label: label.to_owned(), path: PathBuf::from(path) })
    }
}

/// A part of the films.
pub(crate) fn split() -> impl TypedValueParser<Value = Split> {
    PossibleValuesParser::new(["train", "val", "test"]).map(|name| match name.as_str() {
        "train" => Split::Train,
        "val" => Split::Val,
        _ => Split::Test,
    })
}

/// How prompts become one logit.
pub(crate) fn pooling() -> impl TypedValueParser<Value = PromptPooling> {
    PossibleValuesParser::new(["mean", "max"]).map(|name| match name.as_str() {
        "mean" => PromptPooling::Mean,
        _ => PromptPooling::Max,
    })
}

/// Where candidate sentences come from.
pub(crate) fn pool() -> impl TypedValueParser<Value = Pool> {
    PossibleValuesParser::new(["reports", "prompts"]).map(|name| match name.as_str() {
        "reports" => Pool::Reports,
        _ => Pool::Prompts,
    })
}

/// A finding by its name.
pub(crate) fn finding(text: &str) -> Result<Finding, String> {
    let names = || Finding::ALL.map(Finding::name).join(", ");
    Finding::from_name(text).ok_or_else(|| format!("`{text}` is none of the findings {}", names()))
}

/// A share that is not empty.
pub(super) fn fraction(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(fraction) if fraction > 0.0 && fraction <= 1.0 => Ok(fraction),
        _ => Err(format!("`{text}` is not a number above 0 and at most 1")),
    }
}

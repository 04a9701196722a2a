//! One setting of a training file, replaced from outside.

use std::str::FromStr;

use thiserror::Error;
use toml::{Table, Value};

use crate::error::TrainError;

/// A dotted key and its value, written `data.sampler.images=32`.
///
/// The value is TOML: a number, `true`, `[0, 1]`, `{ kind = "info_nce" }`. What is not TOML is text, so that quotes
/// can be left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    key: String,
    value: Value,
}

/// Text that is no setting.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is not of the form KEY=VALUE")]
pub struct NoSetting(String);

impl FromStr for Setting {
    type Err = NoSetting;

    fn from_str(text: &str) -> Result<Self, NoSetting> {
        let (key, value) = text.split_once('=').ok_or_else(|| NoSetting(text.to_owned()))?;
        let (key, value) = (key.trim(), value.trim());
        if key.split('.').any(str::is_empty) {
            return Err(NoSetting(text.to_owned()));
        }
        let parsed: Result<Table, _> = toml::from_str(&format!("value = {value}"));
        let parsed = parsed.ok().and_then(|mut table| table.remove("value"));
        Ok(Self { key: key.to_owned(), value: parsed.unwrap_or_else(|| Value::String(value.to_owned())) })
    }
}

impl Setting {
    /// Puts the value in its place; tables on the way are made where they are missing.
    pub(crate) fn apply(&self, table: &mut Table) -> Result<(), TrainError> {
        let mut table = table;
        let mut parts = self.key.split('.').peekable();
        while let Some(part) = parts.next() {
            if parts.peek().is_none() {
                table.insert(part.to_owned(), self.value.clone());
                break;
            }
            let next = table.entry(part).or_insert_with(|| Value::Table(Table::new()));
            let Value::Table(next) = next else {
                return Err(TrainError::invalid(&self.key, format!("`{part}` is no table")));
            };
            table = next;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_land_in_their_tables() {
        let mut table: Table = toml::from_str("seed = 1\n[data]\nbalance = 0.5\npairing = 'paired'").unwrap();
        for text in [
            "seed=7",
            "data.train.exclude_folds=[0, 2]",
            "data.pairing = { unpaired = { sentences = 3 } }",
            "name=a run",
        ] {
            text.parse::<Setting>().unwrap().apply(&mut table).unwrap();
        }
        let expected: Table = toml::from_str(
            "seed = 7\nname = 'a run'\n[data]\nbalance = 0.5\ntrain.exclude_folds = [0, 2]\n\
             pairing.unpaired.sentences = 3",
        )
        .unwrap();
        assert_eq!(table, expected);
    }

    #[test]
    fn what_cannot_be_set_is_refused() {
        for text in ["seed", "=1", "a..b=1"] {
            assert!(text.parse::<Setting>().is_err(), "{text}");
        }
        let mut table: Table = toml::from_str("seed = 1").unwrap();
        let error = "seed.of=1".parse::<Setting>().unwrap().apply(&mut table).unwrap_err();
        assert_eq!(error.to_string(), "seed.of: `seed` is no table");
    }
}

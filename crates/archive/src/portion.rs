//! One machine's part of the inputs.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// Part `index` of `count`, from 1.
///
/// An input belongs to a part by its name, so every machine may search for the inputs itself, and a file more or less
/// moves no other. Machines have to see an input under the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Portion {
    index: u32,
    count: u32,
}

/// A text that names no part.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is no part: write I/N with I from 1 to N")]
pub struct PortionError(String);

impl Portion {
    /// Part `index` of `count`; `None` unless `1 ≤ index ≤ count`.
    pub fn new(index: u32, count: u32) -> Option<Self> {
        (1..=count).contains(&index).then_some(Self { index, count })
    }

    /// Whether the input of this name belongs to it.
    pub fn takes(self, id: &str) -> bool {
        let hash = Sha256::digest(id.as_bytes());
        let number = hash.iter().take(8).fold(0, |number: u64, byte| number << 8 | u64::from(*byte));
        number % u64::from(self.count) == u64::from(self.index - 1)
    }
}

impl fmt::Display for Portion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl FromStr for Portion {
    type Err = PortionError;

    fn from_str(text: &str) -> Result<Self, PortionError> {
        let parse = || {
            let (index, count) = text.split_once('/')?;
            Self::new(index.parse().ok()?, count.parse().ok()?)
        };
        parse().ok_or_else(|| PortionError(text.to_owned()))
    }
}

impl From<Portion> for String {
    fn from(portion: Portion) -> Self {
        portion.to_string()
    }
}

impl TryFrom<String> for Portion {
    type Error = PortionError;

    fn try_from(text: String) -> Result<Self, PortionError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_input_belongs_to_one_part_and_parts_are_about_as_large() {
        let parts: Vec<Portion> = (1..=4).map(|index| Portion::new(index, 4).unwrap()).collect();
        let mut sizes = [0; 4];
        for number in 0..4000 {
            let id = format!("study/{number}.dcm");
            let owners: Vec<usize> = (0..4).filter(|&part| parts[part].takes(&id)).collect();
            let [owner] = owners[..] else { panic!("{id} belongs to {owners:?}") };
            sizes[owner] += 1;
        }
        assert!(sizes.iter().all(|size| (850..1150).contains(size)), "{sizes:?}");
    }

    #[test]
    fn a_part_is_read_as_it_is_written_and_others_are_refused() {
        let part: Portion = "3/16".parse().unwrap();
        assert_eq!((part, part.to_string().as_str()), (Portion::new(3, 16).unwrap(), "3/16"));
        for text in ["", "1", "0/4", "5/4", "1/0", "-1/4", "1/4/2", "a/b"] {
            assert!(text.parse::<Portion>().is_err(), "{text}");
        }
    }
}

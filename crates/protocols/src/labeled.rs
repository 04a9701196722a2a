//! Directories under labels.

use std::convert::Infallible;
use std::path::PathBuf;
use std::str::FromStr;

/// The directory of a bundle or of a training run, and the label of the column that its figures are part of.
///
/// Those of one label are members of one setting, such as seeds of one training recipe or folds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Labeled {
    /// The label.
    pub label: String,
    /// The directory.
    pub path: PathBuf,
}

impl FromStr for Labeled {
    type Err = Infallible;

    /// `LABEL=DIR`, or a directory that is its own label.
    fn from_str(text: &str) -> Result<Self, Infallible> {
        let (label, path) = text.split_once('=').unwrap_or((text, text));
        Ok(Self { label: label.to_owned(), path: path.into() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_without_a_label_is_its_own() {
        for (text, label, path) in [("a=b", "a", "b"), ("runs/a", "runs/a", "runs/a"), ("a=b=c", "a", "b=c")]
        {
            let expected = Labeled { label: label.to_owned(), path: path.into() };
            assert_eq!(text.parse(), Ok(expected));
        }
    }
}

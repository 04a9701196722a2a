//! The sentences of a class that films are ranked by.

use std::fmt;
use std::str::FromStr;

use medclip_core::{Finding, PromptBank, PromptPooling};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::logits::findings;

/// Which of a class's sentences rank films.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Those that affirm the finding and those that deny it, as scores do (PNC).
    #[default]
    Pair,
    /// Those that affirm it (POS).
    Positive,
    /// Those that deny it: the nearer, the lower (NEG).
    Negative,
}

/// A name that no side has.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{0}` is none of pair, positive, negative")]
pub struct UnknownSide(String);

impl Side {
    /// All, with the pair last.
    pub const ALL: [Self; 3] = [Self::Positive, Self::Negative, Self::Pair];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pair => "pair",
            Self::Positive => "positive",
            Self::Negative => "negative",
        }
    }

    /// Scores of every class of `bank` that is a finding; of the pair, logits divided by `exp(logit_scale)`.
    ///
    /// # Shapes
    /// - `images`: `[films][dim]`
    /// - returns: `[findings][films]`
    pub(crate) fn scores(
        self,
        bank: &PromptBank,
        pooling: PromptPooling,
        images: &[Vec<f32>],
    ) -> Vec<Vec<f32>> {
        let mut columns = vec![Vec::with_capacity(images.len()); findings(bank).len()];
        for image in images {
            let of_classes = bank.classes().iter().zip(bank.sides(image, pooling));
            let of_findings = of_classes.filter(|(class, _)| Finding::from_name(&class.name).is_some());
            for (column, (_, [positive, negative])) in columns.iter_mut().zip(of_findings) {
                column.push(match self {
                    Self::Pair => positive - negative,
                    Self::Positive => positive,
                    Self::Negative => -negative,
                });
            }
        }
        columns
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Side {
    type Err = UnknownSide;

    fn from_str(name: &str) -> Result<Self, UnknownSide> {
        let found = Self::ALL.into_iter().find(|side| side.name() == name);
        found.ok_or_else(|| UnknownSide(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for side in Side::ALL {
            assert_eq!(side.to_string().parse(), Ok(side));
        }
        assert!("both".parse::<Side>().is_err());
    }
}

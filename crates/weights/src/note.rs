//! What was chosen among several weights, for whoever wants to know.

use std::fmt;
use std::path::PathBuf;

/// A choice that was made while weights were read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WeightsNote {
    /// A file holds more than one set of weights, or only averaged ones.
    Taken {
        /// The file.
        path: PathBuf,
        /// The part that was taken: a dictionary of the file or what names start with; empty for the file as a whole.
        taken: String,
        /// Whether these are averages over the steps of training (EMA, SWA).
        averaged: bool,
        /// Other parts that hold weights, by which they can be asked for.
        others: Vec<OtherWeights>,
    },
}

/// Weights that were not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherWeights {
    /// The part, as [`TensorFileOptions::part`](crate::TensorFileOptions::part) takes it.
    pub part: String,
    /// Whether they are averages over the steps of training, as far as the name tells.
    pub averaged: bool,
}

impl fmt::Display for WeightsNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Taken { path, taken, averaged, others } = self;
        let kind = |averaged: bool| if averaged { "averaged weights (EMA)" } else { "weights" };
        let place = |part: &str| match part {
            "" => "outside of any part".to_owned(),
            part => format!("under `{part}`"),
        };
        write!(f, "{}: the {} {} were taken", path.display(), kind(*averaged), place(taken))?;
        for (index, other) in others.iter().enumerate() {
            let start = if index == 0 { ", not the" } else { " and the" };
            write!(f, "{start} {} {}", kind(other.averaged), place(&other.part))?;
        }
        Ok(())
    }
}

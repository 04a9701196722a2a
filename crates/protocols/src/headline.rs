//! The findings that a headline mean averages over, and those that it leaves out.

use medclip_core::Finding;
use serde::Serialize;

/// The findings a headline mean averages over.
pub const HEADLINE: [Finding; 6] = [
    Finding::NoFinding,
    Finding::Cardiomegaly,
    Finding::LungOpacity,
    Finding::Atelectasis,
    Finding::PleuralEffusion,
    Finding::Edema,
];

/// A headline finding that a mean does not average over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LeftOut {
    /// The finding.
    pub name: &'static str,
    /// Why it has no figure.
    pub why: Why,
}

/// Why a mean leaves a finding out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Why {
    /// Nothing scores it: no prompts, no classifier.
    NotScored,
    /// No film has it.
    NoPositives,
    /// No film is without it.
    NoNegatives,
    /// A score is not a number.
    NoFigure,
}

impl Why {
    /// The reason in a few words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotScored => "not scored",
            Self::NoPositives => "no film has it",
            Self::NoNegatives => "no film is without it",
            Self::NoFigure => "a score is not a number",
        }
    }
}

/// The headline findings without a figure; `counts` gives the positive and negative films of those that are scored.
pub(crate) fn left_out(defined: &[&str], counts: impl Fn(&str) -> Option<(usize, usize)>) -> Vec<LeftOut> {
    let missing = HEADLINE.iter().map(|finding| finding.name()).filter(|name| !defined.contains(name));
    let why = |name: &'static str| LeftOut {
        name,
        why: match counts(name) {
            None => Why::NotScored,
            Some((0, _)) => Why::NoPositives,
            Some((_, 0)) => Why::NoNegatives,
            Some(_) => Why::NoFigure,
        },
    };
    missing.map(why).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_mean_leaves_out_is_named_with_its_reason() {
        let counts = |name: &str| match name {
            "Edema" => Some((0, 9)),
            "Atelectasis" => Some((9, 0)),
            "Cardiomegaly" => Some((4, 5)),
            _ => None,
        };
        let found: Vec<_> = left_out(&["No Finding", "Lung Opacity"], counts)
            .into_iter()
            .map(|left_out| (left_out.name, left_out.why))
            .collect();
        let expected = [
            ("Cardiomegaly", Why::NoFigure),
            ("Atelectasis", Why::NoNegatives),
            ("Pleural Effusion", Why::NotScored),
            ("Edema", Why::NoPositives),
        ];
        assert_eq!(found, expected);
    }
}

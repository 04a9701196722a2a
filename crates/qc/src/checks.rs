//! All checks of a film, and what follows from them.

use medclip_core::head::Head;
use medclip_decode::{Film, Note};
use tracing::debug_span;

use crate::code::Code;
use crate::learned::{LearnedChecks, LearnedError};
use crate::policy::Policy;
use crate::{header, pixels};

/// The checks of a run: those of header and pixels, those that a bundle carries, and the policy.
#[derive(Debug, Clone)]
pub struct Checks {
    policy: Policy,
    learned: Option<LearnedChecks>,
}

/// What follows from the codes that were found on a film.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgment {
    /// The codes to report, each once, in the order in which they were found.
    pub codes: Vec<Code>,
    /// Whether scores are to be withheld.
    pub is_withheld: bool,
}

impl Judgment {
    /// Why scores are withheld, in words.
    pub fn reason(&self) -> String {
        let names: Vec<_> = self.codes.iter().map(|code| code.name()).collect();
        format!("withheld by intake checks: {}", names.join(", "))
    }
}

impl Checks {
    /// `learned` is the head of a bundle's own checks, where it has some.
    ///
    /// # Errors
    /// [`LearnedError`] when the head is not one of checks.
    pub fn new(policy: Policy, learned: Option<Head>) -> Result<Self, LearnedError> {
        Ok(Self { policy, learned: learned.map(LearnedChecks::new).transpose()? })
    }

    /// What header and pixels say.
    pub fn of_film(&self, film: &Film) -> Vec<Code> {
        if self.policy.is_silent() {
            return Vec::new();
        }
        let _span = debug_span!("check").entered();
        let mut codes = header::check(&film.identity);
        codes.extend(pixels::check_color(film.chroma));
        codes.extend(pixels::check_completeness(film.notes.contains(&Note::IncompleteScans)));
        codes.extend(pixels::check(&film.image));
        codes
    }

    /// What the embedding, `[dim]`, says.
    pub fn of_embedding(&self, embedding: &[f32]) -> Vec<Code> {
        self.learned.iter().flat_map(|learned| learned.check(embedding)).collect()
    }

    /// What follows from all codes found so far.
    pub fn judge(&self, found: &[Code]) -> Judgment {
        let (told, is_withheld) = self.policy.judge(found);
        let mut codes: Vec<Code> = Vec::with_capacity(told.len());
        for code in told {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        Judgment { codes, is_withheld }
    }

    /// What follows from which code.
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_code_is_reported_once_and_all_are_in_the_reason() {
        let mut policy = Policy::default();
        policy.set("blank=abstain").unwrap();
        policy.set("border=pass").unwrap();
        let checks = Checks::new(policy, None).unwrap();
        let found = [Code::Lateral, Code::Border, Code::Blank, Code::Lateral];
        let judgment = checks.judge(&found);
        assert_eq!(judgment, Judgment { codes: vec![Code::Lateral, Code::Blank], is_withheld: true });
        assert_eq!(judgment.reason(), "withheld by intake checks: lateral, blank");
        assert!(!checks.judge(&found[..2]).is_withheld);
    }
}

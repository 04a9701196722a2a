//! Where a text names a finding, and by which family of terms.

use std::ops::Range;

use medclip_core::{Certainty, Finding};
use regex::{RegexSet, RegexSetBuilder};

use crate::error::PhraseError;
use crate::lists::Family;
use crate::normalized::Normalized;
use crate::phrase::{DFA_BYTES, PhraseSet, alternation};
use crate::spans::Spans;

/// One place where a sentence names a finding or another abnormality.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mention<'l> {
    /// Name of the family of terms that matched, such as `"nodule"`.
    pub family: &'l str,
    /// The finding it counts towards; `None` for abnormalities outside the 14.
    pub finding: Option<Finding>,
    /// Where, in bytes of the sentence as it was given.
    pub span: Range<usize>,
    /// How sure the sentence is.
    pub certainty: Certainty,
}

/// All families, compiled.
#[derive(Debug, Clone)]
pub(crate) struct MentionMatcher {
    families: Vec<CompiledFamily>,
    /// One pattern a family, in the same order: says in one pass which families are worth searching.
    present: RegexSet,
}

#[derive(Debug, Clone)]
struct CompiledFamily {
    name: String,
    finding: Option<Finding>,
    terms: PhraseSet,
    except: PhraseSet,
}

impl MentionMatcher {
    pub(crate) fn new(families: &[Family]) -> Result<Self, PhraseError> {
        let mut compiled = Vec::with_capacity(families.len());
        let mut patterns = Vec::with_capacity(families.len());
        for family in families {
            let finding = family.finding.as_deref().map(|name| finding(&family.name, name)).transpose()?;
            let terms = PhraseSet::new(&family.name, &family.phrases)?;
            let except = PhraseSet::new(&family.name, &family.except)?;
            patterns.extend(alternation(&family.phrases)?);
            compiled.push(CompiledFamily { name: family.name.clone(), finding, terms, except });
        }
        let present =
            RegexSetBuilder::new(&patterns).dfa_size_limit(DFA_BYTES).build().map_err(|source| {
                PhraseError::Compile { owner: "families".to_owned(), source: Box::new(source) }
            })?;
        Ok(Self { families: compiled, present })
    }

    /// Calls `found` with each mention's family, finding and span.
    pub(crate) fn find<'l>(
        &'l self,
        text: &Normalized,
        mut found: impl FnMut(&'l str, Option<Finding>, Range<usize>),
    ) {
        for family in
            self.present.matches(text.as_str()).into_iter().filter_map(|index| self.families.get(index))
        {
            let except: Spans = family.except.spans(text);
            for span in family.terms.find(text) {
                if except.overlapping(&span).is_none() {
                    found(&family.name, family.finding, span);
                }
            }
        }
    }
}

/// The finding called `name` in the family or rule `owner`.
pub(crate) fn finding(owner: &str, name: &str) -> Result<Finding, PhraseError> {
    Finding::from_name(name)
        .ok_or_else(|| PhraseError::UnknownFinding { owner: owner.to_owned(), finding: name.to_owned() })
}

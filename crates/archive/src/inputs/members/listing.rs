//! What is made of the members of one archive: inputs, or counts.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::path::Path;

use super::super::nature::{Judgment, Nature, judge};
use super::super::{InputError, InputOptions, Inputs};
use super::Container;
use crate::source::{Member, Source};
use medclip_core::name;
use medclip_scorer::Failure;

/// One pass over an archive's members.
pub(super) struct Listing<'a, 'b> {
    path: &'a Path,
    purpose: Purpose<'a, 'b>,
    /// How often there was a name, by its hash: two names of one hash would have needless numbers and nothing else.
    names: HashMap<u64, u64>,
}

enum Purpose<'a, 'b> {
    Search {
        inputs: &'a mut Inputs<'b>,
        /// Why nobody wants more of it.
        refusal: Option<InputError>,
    },
    Find {
        wanted: &'a str,
        found: Option<Source>,
    },
}

/// Where a member's content is; its name is filled in.
pub(super) type Place = Result<Member, Failure>;

impl<'a, 'b> Listing<'a, 'b> {
    pub(super) fn searching(path: &'a Path, inputs: &'a mut Inputs<'b>) -> Self {
        Self { path, purpose: Purpose::Search { inputs, refusal: None }, names: HashMap::new() }
    }

    /// Looks for the member with this text of a name.
    pub(super) fn finding(path: &'a Path, wanted: &'a str) -> Self {
        Self { path, purpose: Purpose::Find { wanted, found: None }, names: HashMap::new() }
    }

    pub(super) fn into_refusal(self) -> Option<InputError> {
        match self.purpose {
            Purpose::Search { refusal, .. } => refusal,
            Purpose::Find { .. } => None,
        }
    }

    pub(super) fn into_found(self) -> Option<Source> {
        match self.purpose {
            Purpose::Find { found, .. } => found,
            Purpose::Search { .. } => None,
        }
    }

    /// What tells natures, where something does.
    pub(super) fn options(&self) -> Option<&InputOptions> {
        match &self.purpose {
            Purpose::Search { inputs, .. } => Some(inputs.options),
            Purpose::Find { .. } => None,
        }
    }

    /// The next member, by name. `nature` reads its start, `place` says where its content is.
    ///
    /// # Errors
    /// When no more members are wanted.
    pub(super) fn member(
        &mut self,
        raw: &[u8],
        nature: impl FnOnce(fn(&[u8]) -> Nature) -> io::Result<Nature>,
        place: impl FnOnce() -> Place,
    ) -> io::Result<()> {
        self.judged(raw, |name, options| judge_member(name, options, nature), place)
    }

    /// A member of which it is known what it is.
    ///
    /// # Errors
    /// As of [`Listing::member`].
    pub(super) fn judged(
        &mut self,
        raw: &[u8],
        judgment: impl FnOnce(&str, &InputOptions) -> Judgment,
        place: impl FnOnce() -> Place,
    ) -> io::Result<()> {
        let text = name::escape(raw);
        let number = self.number(&text);
        let path = self.path;
        let source = |name: String| {
            let name = name::numbered(name, number);
            match place() {
                Ok(member) => Source { member: Some(Member { name, ..member }), ..Source::file(path) },
                Err(problem) => {
                    let member = Some(Member { name, ..Member::default() });
                    Source { member, ..Source::missing(path, problem) }
                }
            }
        };
        match &mut self.purpose {
            Purpose::Search { inputs, refusal } => {
                let judgment = judgment(&text, inputs.options);
                if let Err(error) = inputs.judged(judgment, || source(text)) {
                    *refusal = Some(error);
                    return Err(io::Error::other("no more members are wanted"));
                }
            }
            Purpose::Find { wanted, found } => {
                if name::without_number(wanted) == text || *wanted == text {
                    let source = source(text);
                    if source.member.as_ref().is_some_and(|member| member.name == *wanted) {
                        *found = Some(source);
                        return Err(io::Error::other("the member is found"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Of how many members of this name this is the last, from 1.
    fn number(&mut self, text: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let number = self.names.entry(hasher.finish()).or_default();
        *number += 1;
        *number
    }
}

/// As a file is judged; an archive stays closed and is counted.
pub(super) fn judge_member(
    name: &str,
    options: &InputOptions,
    nature: impl FnOnce(fn(&[u8]) -> Nature) -> io::Result<Nature>,
) -> Judgment {
    match judge(name, options, nature) {
        Judgment::Other(_) if Container::of_name(name.rsplit('/').next().unwrap_or(name)).is_some() => {
            Judgment::Other("archive within an archive".into())
        }
        judgment => judgment,
    }
}

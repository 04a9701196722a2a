//! What a heading of a report opens.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use crate::section::Section;

/// Bytes that a heading with its colon fits into.
const LONGEST: usize = 160;
/// Longest name of a heading, in words.
const LONGEST_NAME: usize = 8;
/// Longest name of a heading that is not known, in words.
const LONGEST_UNKNOWN: usize = 5;

/// What stands at the beginning of a piece of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lead<'t> {
    /// A heading.
    Heading {
        name: &'t str,
        section: Section,
        /// Bytes of the heading with its colon.
        length: usize,
    },
    /// A part of the body or a finding before a colon, as in templates: text, of what was seen.
    Topic,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    body: HashSet<String>,
    prefix: HashSet<String>,
    context: HashSet<String>,
    topic: Vec<String>,
    first: HashSet<String>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    toml::from_str(include_str!("../data/headings.toml")).expect("the built-in headings, read by the tests")
});

/// A name, and the colon, dash or line end after it.
static CANDIDATE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?P<open>[*#_]{1,4}[ \t]*)?(?P<name>[A-Za-z][A-Za-z0-9 \t/&,()'\-]{0,60}?)[ \t]*[*_]{0,2}[ \t]*(?:(?P<colon>:[*_]{0,2})|(?P<dash>[ \t][-–—][ \t])|(?P<line>\r?(?:\n|$)))")
        .expect("a constant pattern, compiled by the tests")
});

/// The heading or topic that `text` begins with. `line` says that `text` begins a line.
pub(crate) fn lead(text: &str, line: bool) -> Option<Lead<'_>> {
    // The matcher's work grows with what it is given.
    let text = text.get(..text.floor_char_boundary(LONGEST)).unwrap_or(text);
    let found = CANDIDATE.captures(text)?;
    let name = found.name("name")?.as_str();
    let length = found.get_match().len();
    let words = words(name);
    if words.is_empty() || words.len() > LONGEST_NAME {
        return None;
    }
    let heading = |section| Some(Lead::Heading { name, section, length });
    if found.name("colon").is_none() {
        // Without a colon only whole known names are headings, and a dash needs capitals.
        let section = whole(&words)?;
        return if found.name("line").is_some() || found.name("dash").is_some() && capitals(name) {
            heading(section)
        } else {
            None
        };
    }
    if is_body(&words) {
        return heading(Section::Body);
    }
    let first = words.first().map_or("", String::as_str);
    if NAMES.context.contains(first) || words.iter().any(|word| NAMES.context.contains(word)) {
        let chest = words.iter().any(|word| word == "chest" || word == "cxr");
        let only_views = words
            .iter()
            .filter(|word| NAMES.context.contains(*word))
            .all(|word| matches!(word.as_str(), "view" | "views"));
        if chest && (only_views && !NAMES.context.contains(first) || matches!(first, "chest" | "cxr")) {
            return heading(Section::Body);
        }
        if titled(name) || opens_context(&words) {
            return heading(Section::Context);
        }
        return None;
    }
    if NAMES.first.contains(first) || words.iter().any(|word| is_topic(word)) {
        let chest = words.iter().any(|word| word == "chest" || word == "cxr");
        if chest && capitals(name) {
            return heading(Section::Body);
        }
        return line.then_some(Lead::Topic);
    }
    let letters = name.bytes().filter(u8::is_ascii_alphabetic).count();
    let unknown = words.len() <= LONGEST_UNKNOWN
        && letters >= 3
        && (capitals(name) || line && words.len() >= 2 && titled(name));
    if unknown { heading(Section::Context) } else { None }
}

/// True when the word `name` is a section's whole name, as "IMPRESSION" is.
pub(crate) fn is_section_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.body.contains(&name) || NAMES.context.contains(&name)
}

/// Lower-case words of a name.
fn words(name: &str) -> Vec<String> {
    name.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

/// The section of a known name without a colon.
fn whole(words: &[String]) -> Option<Section> {
    if is_body(words) {
        return Some(Section::Body);
    }
    let (first, further) = words.split_first()?;
    let reason = first == "reason" && further.first().is_some_and(|word| word == "for");
    let all = words.iter().all(|word| NAMES.context.contains(word) || NAMES.prefix.contains(word));
    (reason || all).then_some(Section::Context)
}

fn is_body(words: &[String]) -> bool {
    let skip = words.iter().take_while(|word| NAMES.prefix.contains(*word)).count();
    let words = words.get(skip..).filter(|rest| !rest.is_empty()).unwrap_or(words);
    NAMES.body.contains(&words.join(" "))
        || words.iter().any(|word| NAMES.body.contains(word))
            && words.iter().all(|word| NAMES.body.contains(word) || word == "and")
}

/// True for "clinical details", "reason for the study", "working diagnosis": names that need no capitals.
fn opens_context(words: &[String]) -> bool {
    let says = |word: Option<&String>| word.is_some_and(|word| NAMES.context.contains(word));
    let points = words.iter().any(|word| {
        matches!(word.as_str(), "prior" | "previous" | "compared" | "with" | "on" | "from" | "to" | "since")
    });
    says(words.first()) && words.len() <= 6 || says(words.last()) && words.len() <= 3 && !points
}

fn is_topic(word: &str) -> bool {
    NAMES.topic.iter().any(|topic| match topic.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == topic,
    })
}

/// True when every letter is a capital.
fn capitals(name: &str) -> bool {
    !name.bytes().any(|byte| byte.is_ascii_lowercase())
}

/// True when every word but little ones begins with a capital.
fn titled(name: &str) -> bool {
    name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).all(|word| {
        word.starts_with(|c: char| !c.is_ascii_lowercase())
            || matches!(word, "of" | "for" | "the" | "this" | "and" | "to" | "in" | "or" | "s" | "a" | "an")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_headings_from_text() {
        let body = Some(Section::Body);
        let context = Some(Section::Context);
        for (text, want) in [
            ("FINDINGS: x", body),
            ("Findings and impression: x", body),
            ("FINAL REPORT\nx", body),
            ("WET READ: x", body),
            ("**Impression:** x", body),
            ("PORTABLE AP CHEST: x", body),
            ("CHEST, TWO VIEWS: x", body),
            ("REASON FOR THIS EXAMINATION: x", context),
            ("UNDERLYING MEDICAL CONDITION:\nx", context),
            ("Reason for study: x", context),
            ("Clinical details: x", context),
            ("Provisional diagnosis: x", context),
            ("Admitting Diagnosis: x", context),
            ("ATTENDING NOTE: x", context),
            ("NURSING NOTE: x", context),
            ("Referring Unit Remarks: x", context),
            ("TECHNIQUE\nx", context),
            ("Exam: x", context),
            ("Pneumothorax: none", None),
            ("Lungs: clear", None),
            ("LEFT LOWER LOBE: x", None),
            ("Unchanged: x", None),
            ("Compared with the prior study: x", None),
            ("Small effusion\nNo edema", None),
            ("Of note: x", None),
            ("at 10:30 x", None),
        ] {
            let found = match lead(text, true) {
                Some(Lead::Heading { section, .. }) => Some(section),
                _ => None,
            };
            assert_eq!(found, want, "{text:?}");
        }
    }
}

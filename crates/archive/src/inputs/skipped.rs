//! Files that a search found and left out.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// How many files a search left out, by reason. It displays as part of a sentence, and is empty text where there are none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Files that nothing speaks for, by their extension.
    unknown: BTreeMap<Cow<'static, str>, u64>,
    /// Files of kinds that hold no film.
    no_films: BTreeMap<Cow<'static, str>, u64>,
    /// Directories that links lead to a second time.
    repeated: u64,
}

/// Reasons that are told one by one.
const TOLD: usize = 5;

impl Skipped {
    /// How many files were not looked at, because neither their name nor their content is that of a film.
    pub fn unknown(&self) -> u64 {
        self.unknown.values().sum()
    }

    /// How many files were found to hold no film by their nature.
    pub fn no_films(&self) -> u64 {
        self.no_films.values().sum()
    }

    /// How many times a link led to a directory that is searched under another name. What lies in it is listed once.
    pub const fn repeated(&self) -> u64 {
        self.repeated
    }

    /// Whether nothing was left out.
    pub fn is_empty(&self) -> bool {
        self.unknown.is_empty() && self.no_films.is_empty() && self.repeated == 0
    }

    pub(super) const fn add_repeated(&mut self) {
        self.repeated += 1;
    }

    pub(super) fn add_unknown(&mut self, reason: Cow<'static, str>) {
        *self.unknown.entry(reason).or_default() += 1;
    }

    pub(super) fn add_no_film(&mut self, kind: Cow<'static, str>) {
        *self.no_films.entry(kind).or_default() += 1;
    }
}

/// `3 files not looked at (2 .txt, 1 .pdf), 1 file that is no film (1 DICOMDIR)`
impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = |count| if count == 1 { "file" } else { "files" };
        let mut parts = Vec::new();
        match self.unknown() {
            0 => {}
            count => {
                parts.push(format!("{count} {} not looked at ({})", files(count), reasons(&self.unknown)));
            }
        }
        match self.no_films() {
            0 => {}
            1 => parts.push(format!("1 file that is no film ({})", reasons(&self.no_films))),
            count => parts.push(format!("{count} files that are no films ({})", reasons(&self.no_films))),
        }
        match self.repeated {
            0 => {}
            1 => parts.push("1 link to a directory that is searched under another name".to_owned()),
            count => parts.push(format!("{count} links to directories that are searched under another name")),
        }
        f.write_str(&parts.join(", "))
    }
}

/// The commonest first.
fn reasons(counts: &BTreeMap<Cow<'static, str>, u64>) -> String {
    let mut counts: Vec<_> = counts.iter().collect();
    counts.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
    let mut told: Vec<String> =
        counts.iter().take(TOLD).map(|(reason, count)| format!("{count} {reason}")).collect();
    let rest: u64 = counts.iter().skip(TOLD).map(|(_, count)| **count).sum();
    if rest > 0 {
        told.push(format!("{rest} others"));
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_tells_the_commonest_reasons() {
        let mut skipped = Skipped::default();
        assert_eq!((skipped.to_string().as_str(), skipped.is_empty()), ("", true));
        skipped.add_no_film("DICOMDIR".into());
        assert_eq!(skipped.to_string(), "1 file that is no film (1 DICOMDIR)");
        for (reason, count) in [(".txt", 3), (".a", 1), (".b", 1), (".c", 1), (".d", 2), (".e", 1), (".f", 1)]
        {
            (0..count).for_each(|_| skipped.add_unknown(reason.into()));
        }
        skipped.add_no_film("system file".into());
        assert_eq!(
            skipped.to_string(),
            "10 files not looked at (3 .txt, 2 .d, 1 .a, 1 .b, 1 .c, 2 others), \
             2 files that are no films (1 DICOMDIR, 1 system file)"
        );
        assert_eq!((skipped.unknown(), skipped.no_films()), (10, 2));

        let mut skipped = Skipped::default();
        skipped.add_repeated();
        assert!(!skipped.is_empty());
        assert_eq!(skipped.to_string(), "1 link to a directory that is searched under another name");
        skipped.add_repeated();
        skipped.add_unknown(".txt".into());
        assert_eq!(
            skipped.to_string(),
            "1 file not looked at (1 .txt), 2 links to directories that are searched under another name"
        );
        assert_eq!(skipped.repeated(), 2);
    }
}

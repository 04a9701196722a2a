//! Links within an archive: where the content is that a link stands for.

use std::collections::{HashMap, HashSet};

/// Most links that one link may lead to on its way to a file.
const MAX_STEPS: usize = 32;

/// A member as it stands in an archive.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key(Vec<Vec<u8>>);

impl Key {
    /// The parts of a name; none where it leaves the archive.
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        if name.starts_with(b"/") { None } else { Self(Vec::new()).joined(name) }
    }

    /// Where the link of this name and target points.
    pub(super) fn beside(name: &[u8], target: &[u8]) -> Option<Self> {
        let mut directory = Self::of(name)?;
        directory.0.pop();
        if target.starts_with(b"/") { None } else { directory.joined(target) }
    }

    fn joined(mut self, path: &[u8]) -> Option<Self> {
        for part in path.split(|byte| *byte == b'/') {
            match part {
                b"" | b"." => {}
                b".." => drop(self.0.pop()?),
                part => self.0.push(part.to_vec()),
            }
        }
        Some(self)
    }
}

/// The links of an archive, and the files they stand for. Only these are kept, so memory grows with links alone.
#[derive(Debug)]
pub(super) struct Links<T> {
    targets: HashMap<Key, Key>,
    wanted: HashSet<Key>,
    /// Files of a wanted name, by their number in the archive.
    files: HashMap<Key, Vec<(u64, T)>>,
}

impl<T> Links<T> {
    /// From names of links and where each points.
    pub(super) fn new(targets: HashMap<Key, Key>) -> Self {
        let wanted = targets.values().cloned().collect();
        Self { targets, wanted, files: HashMap::new() }
    }

    /// Whether a link may stand for the file of this name.
    pub(super) fn wants(&self, key: &Key) -> bool {
        self.wanted.contains(key)
    }

    pub(super) fn add_file(&mut self, key: Key, number: u64, file: T) {
        self.files.entry(key).or_default().push((number, file));
    }

    /// The file that a link to `target` at place `number` stands for: of several of a name the last before it, as unpacking
    /// would have it, else the first behind it.
    pub(super) fn resolve(&self, target: &Key, number: u64) -> Option<&T> {
        let mut key = target;
        for _ in 0..MAX_STEPS {
            if let Some(files) = self.files.get(key) {
                let before = files.iter().rev().find(|(at, _)| *at < number);
                return before.or_else(|| files.first()).map(|(_, file)| file);
            }
            key = self.targets.get(key)?;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Key {
        Key::of(name.as_bytes()).unwrap()
    }

    #[test]
    fn targets_stay_within_the_archive() {
        let beside = |name: &str, target: &str| Key::beside(name.as_bytes(), target.as_bytes());
        assert_eq!(beside("a/b.png", "c.png"), Some(key("a/c.png")));
        assert_eq!(beside("./a/b.png", "../c//d.png"), Some(key("c/d.png")));
        assert_eq!(beside("b.png", "../c.png"), None);
        assert_eq!(beside("a/b.png", "/etc/passwd"), None);
        assert_eq!(Key::of(b"/etc/passwd"), None);
    }

    #[test]
    fn links_lead_over_links_but_not_in_circles() {
        let links = [("a", "b"), ("b", "f"), ("x", "y"), ("y", "x"), ("lost", "gone")];
        let mut links = Links::new(links.map(|(from, to)| (key(from), key(to))).into());
        assert!(links.wants(&key("f")) && !links.wants(&key("a")));
        links.add_file(key("f"), 3, "third");
        links.add_file(key("f"), 7, "seventh");
        assert_eq!(links.resolve(&key("b"), 5), Some(&"third"));
        assert_eq!(links.resolve(&key("f"), 9), Some(&"seventh"));
        assert_eq!(links.resolve(&key("f"), 1), Some(&"third"));
        for lost in ["x", "y", "gone", "lost"] {
            assert_eq!(links.resolve(&key(lost), 1), None, "{lost}");
        }
    }
}

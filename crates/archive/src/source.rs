//! Where one input lies.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use medclip_core::name;
use medclip_scorer::Failure;

/// One input: a file, a member of an archive, or a name under which none could be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored", into = "Stored")]
pub struct Source {
    /// The file, or the archive.
    pub path: PathBuf,
    /// The member of the archive.
    pub member: Option<Member>,
    /// Why nothing can be read here, where the search has found so already.
    pub problem: Option<Failure>,
}

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Member {
    /// Its name as text, in which every name is another one; of namesakes in an archive the second has `#2` at its end, and so
    /// on. It names a row and never a place on a disk.
    pub name: String,
    /// Its number in a zip archive; in a tar archive the offset of its content, in bytes of the unpacked archive.
    pub position: u64,
    /// Length of its content in bytes, as the archive says.
    pub bytes: u64,
    /// The member whose content it has, where it is a link in a zip archive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Pieces of a sparse file: offset in its content and length in bytes, in the order in which the archive has them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extents: Vec<(u64, u64)>,
}

impl Source {
    /// A file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), member: None, problem: None }
    }

    /// A name under which there is nothing to read.
    pub fn missing(path: impl Into<PathBuf>, problem: Failure) -> Self {
        Self { path: path.into(), member: None, problem: Some(problem) }
    }

    /// What names it in a row: the path, and of a member `archive.zip!member`.
    ///
    /// No two inputs have the same: bytes that are not UTF-8, control characters, and a `!` that would be read as the one in
    /// front of a member, are written as `\xNN`, and so is a backslash that would be read as such an escape.
    pub fn id(&self) -> String {
        let path = name::of_path(&self.path);
        match &self.member {
            Some(member) => format!("{path}!{}", member.name),
            None => path,
        }
    }

    /// What has to be the same for it to be the same input: the id, and of a member its place in the archive.
    pub(crate) fn fingerprint(&self) -> String {
        match &self.member {
            Some(member) => format!("{}\0{}\0{}\n", self.id(), member.position, member.bytes),
            None => format!("{}\n", self.id()),
        }
    }
}

/// As it stands in the list of inputs. A path that is no Unicode keeps its bytes.
#[derive(Serialize, Deserialize)]
struct Stored {
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw: Option<Vec<u8>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    member: Option<Member>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    problem: Option<Failure>,
}

impl From<Source> for Stored {
    fn from(source: Source) -> Self {
        let raw = if source.path.to_str().is_none() { raw(&source.path) } else { None };
        let path = source.path.to_string_lossy().into_owned();
        Self { path, raw, member: source.member, problem: source.problem }
    }
}

impl From<Stored> for Source {
    fn from(stored: Stored) -> Self {
        let path = stored.raw.and_then(from_raw).unwrap_or_else(|| PathBuf::from(stored.path));
        Self { path, member: stored.member, problem: stored.problem }
    }
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems give none")]
fn raw(path: &Path) -> Option<Vec<u8>> {
    use std::os::unix::ffi::OsStrExt;
    Some(path.as_os_str().as_bytes().to_vec())
}

#[cfg(unix)]
#[allow(clippy::unnecessary_wraps, reason = "other systems give none")]
fn from_raw(bytes: Vec<u8>) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes)))
}

#[cfg(not(unix))]
fn raw(_path: &Path) -> Option<Vec<u8>> {
    None
}

#[cfg(not(unix))]
fn from_raw(_bytes: Vec<u8>) -> Option<PathBuf> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_comes_back_from_the_list() {
        let member = Member { name: "a/ü.png".to_owned(), position: 7, bytes: 9, ..Member::default() };
        let link = Member { link: Some("b.png".to_owned()), extents: vec![(0, 3), (9, 1)], ..member.clone() };
        let mut sources = vec![
            Source::file("a b.png"),
            Source { member: Some(member), ..Source::file("x.zip") },
            Source { member: Some(link), ..Source::file("x.zip") },
            Source::missing("nowhere", Failure::new("walk", "not\nthere")),
        ];
        if cfg!(unix) {
            sources.extend(from_raw(vec![b'a', 0xff, b'\n', b'b']).map(Source::file));
        }
        for source in sources {
            let line = serde_json::to_string(&source).unwrap();
            assert!(!line.contains('\n'));
            assert_eq!(serde_json::from_str::<Source>(&line).unwrap(), source);
        }
    }

    #[test]
    fn a_member_is_named_by_its_archive_too() {
        let member = Some(Member { name: "a.png".to_owned(), bytes: 1, ..Member::default() });
        assert_eq!(Source { member, ..Source::file("x.zip") }.id(), "x.zip!a.png");
        assert_eq!(Source::file("x.zip!a.png").id(), "x.zip\\x21a.png");
    }
}

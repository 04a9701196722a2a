//! What image files hold, as digests: the same film under another name has the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use medclip_files::sha256_of_file;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Digest of a file's bytes, and the size and time by which a later start knows that it need not read them again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// Bytes of the file.
    pub bytes: u64,
    /// Time of the last change, in nanoseconds since 1970; `None` where the system keeps none.
    pub modified_ns: Option<u64>,
    /// SHA-256 of the bytes.
    pub sha256: String,
}

/// Digests of files that were read before, by path.
pub type KnownDigests = BTreeMap<PathBuf, Digest>;

impl Digest {
    /// Digest of the file; `None` when it cannot be read.
    ///
    /// The bytes are read unless `known` has the file with the same size and time.
    pub fn of(path: &Path, known: &KnownDigests) -> Option<Self> {
        let metadata = path.metadata().ok()?;
        let since = |time: SystemTime| time.duration_since(SystemTime::UNIX_EPOCH).ok();
        let modified = metadata.modified().ok().and_then(since);
        let modified_ns = modified.and_then(|time| u64::try_from(time.as_nanos()).ok());
        let bytes = metadata.len();
        let is_unchanged =
            |known: &&Self| known.bytes == bytes && known.modified_ns == modified_ns && modified_ns.is_some();
        if let Some(known) = known.get(path).filter(is_unchanged) {
            return Some(known.clone());
        }
        Some(Self { bytes, modified_ns, sha256: sha256_of_file(path).ok()? })
    }
}

/// Digests of `paths`, in order; `None` for a file that cannot be read.
pub fn digests(paths: &[PathBuf], known: &KnownDigests) -> Vec<Option<Digest>> {
    paths.par_iter().map(|path| Digest::of(path, known)).collect()
}

/// The first of `second` that holds the bytes of one of `first`: both positions.
///
/// Only files of a size that occurs on both sides are read.
pub(crate) fn first_shared(first: &[PathBuf], second: &[PathBuf]) -> Option<(usize, usize)> {
    let sizes = |paths: &[PathBuf]| -> Vec<Option<u64>> {
        paths.par_iter().map(|path| path.metadata().ok().map(|metadata| metadata.len())).collect()
    };
    let (first_sizes, second_sizes) = (sizes(first), sizes(second));
    let on_both: BTreeSet<u64> = {
        let first: BTreeSet<u64> = first_sizes.iter().flatten().copied().collect();
        second_sizes.iter().flatten().copied().filter(|size| first.contains(size)).collect()
    };
    let of = |paths: &[PathBuf], sizes: &[Option<u64>]| -> Vec<Option<String>> {
        let each = paths.par_iter().zip(sizes);
        each.map(|(path, size)| {
            size.filter(|size| on_both.contains(size)).and_then(|_| sha256_of_file(path).ok())
        })
        .collect()
    };
    first_shared_digest(&of(first, &first_sizes), &of(second, &second_sizes))
}

/// The first of `second` that is also in `first`: both positions.
pub fn first_shared_digest<T: AsRef<str>>(
    first: &[Option<T>],
    second: &[Option<T>],
) -> Option<(usize, usize)> {
    let mut place = BTreeMap::new();
    for (position, digest) in first.iter().enumerate() {
        if let Some(digest) = digest {
            place.entry(digest.as_ref()).or_insert(position);
        }
    }
    second
        .iter()
        .enumerate()
        .find_map(|(position, digest)| Some((*place.get(digest.as_ref()?.as_ref())?, position)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_again_only_where_size_or_time_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        std::fs::write(&path, "one").unwrap();
        let first = Digest::of(&path, &KnownDigests::new()).unwrap();
        let forged = Digest { sha256: "forged".to_owned(), ..first.clone() };
        let known = KnownDigests::from([(path.clone(), forged.clone())]);
        assert_eq!(Digest::of(&path, &known), Some(forged.clone()));
        for other in [
            Digest { bytes: 4, ..forged.clone() },
            Digest { modified_ns: Some(7), ..forged.clone() },
            Digest { modified_ns: None, ..forged },
        ] {
            assert_eq!(Digest::of(&path, &KnownDigests::from([(path.clone(), other)])), Some(first.clone()));
        }
        assert_eq!(Digest::of(&directory.path().join("none"), &known), None);
        assert_eq!(Digest::of(directory.path(), &known), None);
    }

    #[test]
    fn files_of_equal_bytes_are_found_under_any_name() {
        let directory = tempfile::tempdir().unwrap();
        let file = |name: &str, bytes: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        };
        let first = [file("a", "one"), file("b", "three"), directory.path().join("missing")];
        let others = [file("c", "two"), file("d", "seven")];
        assert_eq!(first_shared(&first, &others), None);
        let second = [others[0].clone(), directory.path().join("missing"), file("e", "three")];
        assert_eq!(first_shared(&first, &second), Some((1, 2)));
        let spelled = [directory.path().join("./a")];
        assert_eq!(first_shared(&first, &spelled), Some((0, 0)));
    }
}

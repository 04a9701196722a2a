//! Images that are named, or lie in a directory that is named.

use std::io;
use std::path::{Path, PathBuf};

use medclip_archive::{InputOptions, Source, expand};

/// An image to read, or why a path gives none.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    pub(crate) path: PathBuf,
    pub(crate) problem: Option<String>,
}

impl From<PathBuf> for Picture {
    fn from(path: PathBuf) -> Self {
        Self { path, problem: None }
    }
}

/// Every file as named, and for every directory the films below it, sorted by name level by level.
///
/// What gives no film stays in the list with its problem.
pub(crate) fn pictures(paths: &[PathBuf]) -> Vec<Picture> {
    paths
        .iter()
        .flat_map(|path| if path.is_dir() { below(path) } else { vec![path.clone().into()] })
        .collect()
}

fn below(directory: &Path) -> Vec<Picture> {
    let mut found = Vec::new();
    let mut push = |Source { path, problem, member, .. }: Source| {
        let problem = match (problem, member) {
            (Some(problem), _) => Some(problem.message),
            (None, Some(_)) => {
                Some("lies in an archive, which is not opened here: unpack it first".to_owned())
            }
            (None, None) => None,
        };
        found.push(Picture { path, problem });
        Ok(())
    };
    let listed = expand(&[directory.to_owned()], &InputOptions::films(), &mut io::empty(), &mut push);
    if let Err(error) = listed {
        found.push(Picture { path: directory.to_owned(), problem: Some(error.to_string()) });
    }
    found
}

//! Where the films that an index names may be opened.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use medclip_archive::Source;
use medclip_archive::inputs::find_below;

/// The directory that films are shown from. An index may come from anybody, and it names whatever files it likes.
pub(super) struct Root {
    directory: PathBuf,
    is_given: bool,
}

impl Root {
    /// The directory that the user gave, or the current one.
    ///
    /// # Errors
    /// When that is no directory.
    pub(super) fn new(given: Option<&Path>) -> anyhow::Result<Self> {
        if let Some(root) = given {
            ensure!(root.is_dir(), "--root {} is not a directory", root.display());
        }
        let directory = given.map_or_else(std::env::current_dir, |root| Ok(root.to_owned()));
        Ok(Self {
            directory: directory.context("cannot tell the current directory")?,
            is_given: given.is_some(),
        })
    }

    /// Whether a film of this id is not looked for, because nobody said from where it may be taken.
    pub(super) fn leaves_out(&self, id: &str) -> bool {
        !self.is_given && Path::new(id).is_absolute()
    }

    /// The film of an id.
    ///
    /// # Errors
    /// The reason alone, when it may not be opened or is not there: callers name the id already.
    pub(super) fn find(&self, id: &str) -> anyhow::Result<Source> {
        if self.leaves_out(id) {
            bail!("the index names an absolute path; --root DIR shows the films below DIR");
        }
        find_below(id, &self.directory).map_err(|failure| anyhow!(failure.message))
    }
}

//! The files of a data set, below one directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use medclip_files::read_regular;

use super::dataset::DataSet;
use super::error::{PrepareError, SourcePlace};
use crate::columns::Column;
use crate::error::TableError;
use crate::table::{Table, TableRow};

/// Most bytes of a list of names or of a report.
const MAX_TEXT_BYTES: u64 = 64 << 20;

/// A data set's directory. Files in it are named from there, with `/` on every system.
pub(super) struct Tree {
    pub(super) data_set: DataSet,
    pub(super) directory: PathBuf,
}

/// A row of a table, with what an error about it has to name.
pub(super) struct Line<'a> {
    row: TableRow,
    columns: &'a [Column],
    file: &'a Arc<str>,
    data_set: DataSet,
}

impl Tree {
    pub(super) fn open(data_set: DataSet, directory: &Path) -> Result<Self, PrepareError> {
        fs::read_dir(directory)
            .map_err(|source| PrepareError::Directory { path: directory.to_owned(), source })?;
        Ok(Self { data_set, directory: directory.to_owned() })
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.directory.join(file)
    }

    pub(super) fn has(&self, file: &str) -> bool {
        self.path(file).is_file()
    }

    /// The first of `names`, in the first of `folders` that has it.
    pub(super) fn find(&self, folders: &[&str], names: &[&str]) -> Option<String> {
        places(folders, names).find(|place| self.has(place))
    }

    /// # Errors
    /// [`PrepareError::MissingFile`] where [`Tree::find`] finds none.
    pub(super) fn need(&self, folders: &[&str], names: &[&str]) -> Result<String, PrepareError> {
        self.find(folders, names).ok_or_else(|| self.missing(places(folders, names).collect()))
    }

    /// The first of `folders` that is there.
    ///
    /// # Errors
    /// [`PrepareError::MissingFile`].
    pub(super) fn need_folder<'a>(&self, folders: &[&'a str]) -> Result<&'a str, PrepareError> {
        let found = folders.iter().find(|folder| self.path(folder).is_dir());
        found.copied().ok_or_else(|| self.missing(folders.iter().map(|&folder| folder.to_owned()).collect()))
    }

    pub(super) fn missing(&self, looked_for: Vec<String>) -> PrepareError {
        PrepareError::MissingFile { data_set: self.data_set, directory: self.directory.clone(), looked_for }
    }

    /// Names of the files in a folder, in order; `None` where there is no such folder. A name that is not Unicode cannot be
    /// a film of a public data set.
    pub(super) fn list(&self, folder: &str) -> Result<Option<Vec<String>>, PrepareError> {
        let path = self.path(folder);
        if !path.is_dir() {
            return Ok(None);
        }
        let fail = |error: std::io::Error| self.unreadable(folder, error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            if let Ok(name) = entry.file_name().into_string()
                && entry.path().is_file()
            {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(Some(names))
    }

    /// Where the files of some folders are, by name. A name that several folders have is that of the first.
    pub(super) fn index<'a>(
        &self,
        folders: impl IntoIterator<Item = &'a str>,
    ) -> Result<BTreeMap<String, String>, PrepareError> {
        let mut found = BTreeMap::new();
        for folder in folders {
            for name in self.list(folder)?.unwrap_or_default() {
                let path = join(folder, &name);
                found.entry(name).or_insert(path);
            }
        }
        Ok(found)
    }

    /// The text of a file.
    pub(super) fn text(&self, file: &str) -> Result<String, PrepareError> {
        let bytes =
            read_regular(&self.path(file), MAX_TEXT_BYTES).map_err(|error| self.unreadable(file, error))?;
        String::from_utf8(bytes).map_err(|error| self.unreadable(file, error.utf8_error()))
    }

    /// The error of a file that is no table.
    pub(super) fn unreadable(
        &self,
        file: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> PrepareError {
        PrepareError::File { data_set: self.data_set, file: file.into(), source: source.into() }
    }

    /// Hands every row of a table that is not blank to `take`.
    pub(super) fn rows(
        &self,
        file: &str,
        columns: &[Column],
        mut take: impl FnMut(&Line<'_>) -> Result<(), PrepareError>,
    ) -> Result<(), PrepareError> {
        let data_set = self.data_set;
        let file: Arc<str> = file.into();
        let fail = |source| PrepareError::Table { data_set, file: Arc::clone(&file), source };
        for row in Table::open(&self.path(&file), columns).map_err(fail)? {
            let row = row.map_err(fail)?;
            if !row.is_blank() {
                take(&Line { row, columns, file: &file, data_set })?;
            }
        }
        Ok(())
    }
}

impl Line<'_> {
    /// What a cell holds; blank where the table lacks the column.
    pub(super) fn cell(&self, column: usize) -> &str {
        self.row.cell(column)
    }

    /// The name in a cell.
    ///
    /// # Errors
    /// [`PrepareError::Table`] where it is blank.
    pub(super) fn name(&self, column: usize) -> Result<&str, PrepareError> {
        self.row.filled(column).ok_or_else(|| self.wrong(column, "a name"))
    }

    /// The error of a cell.
    pub(super) fn wrong(&self, column: usize, expected: &'static str) -> PrepareError {
        self.error(self.row.wrong(self.columns[column].name(), self.cell(column), expected))
    }

    fn error(&self, source: TableError) -> PrepareError {
        PrepareError::Table { data_set: self.data_set, file: Arc::clone(self.file), source }
    }

    /// Where it stands.
    pub(super) fn origin(&self) -> SourcePlace {
        SourcePlace { file: Arc::clone(self.file), place: Some(self.row.place()) }
    }
}

/// A file in a folder; the folder may be blank.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

fn places(folders: &[&str], names: &[&str]) -> impl Iterator<Item = String> {
    folders.iter().flat_map(|folder| names.iter().map(move |name| join(folder, name)))
}

//! A file of tensors, opened.

use std::collections::BTreeMap;
use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use medclip_files::open_regular;

use crate::element::ElementType;
use crate::error::{FileFault, Foreign, TensorFault, TensorFileError};
use crate::format::{self, Choice, Container, Contents, OpenFault, Storage};
use crate::note::WeightsNote;
use crate::shards;
use crate::source::Source;
use crate::state;
use crate::view::View;

/// Files of weights that a directory is searched for, to say which one to name.
const USUAL: [&str; 6] = [
    "model.safetensors.index.json",
    "pytorch_model.bin.index.json",
    "model.safetensors",
    "pytorch_model.bin",
    "weights.safetensors",
    "model.pt",
];

/// How often tensors may show their storages' elements, on average: models that use a layer several times save it as often.
const MAX_REPEATS: u64 = 16;
/// Elements that tensors may have however small their storages are.
const MIN_ELEMENTS: u64 = 1 << 20;

/// How a file is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TensorFileOptions {
    /// The part of a file that is taken: a dictionary of it (`state_dict_ema`), or what the names start with
    /// (`model_ema`). Where none is given, the weights of the model as they are.
    pub part: Option<String>,
}

/// Tensors by name, their values on disk until asked for.
///
/// Of a file that holds a state dictionary among other things, that dictionary alone is read, whatever lies beside it;
/// weights as they are win over averages of them. What wrappers leave in names is taken off (`module.` before all names,
/// `_orig_mod.` anywhere). A list of shards (`model.safetensors.index.json`) stands for all of them.
pub struct TensorFile {
    path: PathBuf,
    tensors: BTreeMap<String, Located>,
    files: Vec<Opened>,
    notes: Vec<WeightsNote>,
}

/// A tensor, and which of the files it is in.
struct Located {
    file: usize,
    view: View,
}

struct Opened {
    path: PathBuf,
    storages: Vec<Storage>,
    container: Container,
}

impl TensorFile {
    /// Opens a file by what it holds, whatever its name, and reads everything but the values.
    ///
    /// # Errors
    /// As [`TensorFile::open_with`].
    pub fn open(path: impl AsRef<Path>) -> Result<Self, TensorFileError> {
        Self::open_with(path, &TensorFileOptions::default())
    }

    /// Opens a file by what it holds, whatever its name, and reads everything but the values.
    ///
    /// # Errors
    /// [`TensorFileError`] for a file that is none of the formats, is cut short or damaged, names a function that
    /// does not belong to a state dictionary, or has a tensor that does not lie within the file; for a list of shards
    /// that does not fit them, and for a part that is not there.
    pub fn open_with(path: impl AsRef<Path>, options: &TensorFileOptions) -> Result<Self, TensorFileError> {
        let path = path.as_ref();
        if let Some(index) = shards::Index::open(path)? {
            let (file, choice) = Self::listed(path, index)?;
            return file.finish(options, choice);
        }
        if let Some((count, index)) = shards::shard_of(path).filter(|(count, _)| *count > 1) {
            let fault = FileFault::OneShard { count, index };
            // A file that is missing, or is no weights at all, has a worse fault.
            return Self::of_source(path, open(path)?, options)
                .and(Err(TensorFileError::File { path: path.to_owned(), fault }));
        }
        Self::of_source(path, open(path)?, options)
    }

    /// Opens files that make one model together, as shards do.
    ///
    /// # Errors
    /// As [`TensorFile::open_with`], and [`TensorFault::Twice`] for a tensor that two of them hold.
    pub fn open_all<P: AsRef<Path>>(
        paths: &[P],
        options: &TensorFileOptions,
    ) -> Result<Self, TensorFileError> {
        let mut merged = Self::nothing(paths.first().map_or(Path::new(""), AsRef::as_ref));
        for path in paths.iter().map(AsRef::as_ref) {
            let (next, _) = match shards::Index::open(path)? {
                Some(index) => Self::listed(path, index)?,
                None => Self::read_from(path, open(path)?, None)?,
            };
            merged.add(next)?;
        }
        let names: Vec<_> = merged.files().filter_map(shards::shard_of).collect();
        if let Some((count, index)) =
            names.iter().find(|name| names.iter().filter(|other| other == name).count() < name.0)
        {
            let fault = FileFault::OneShard { count: *count, index: index.clone() };
            return Err(TensorFileError::File { path: merged.path, fault });
        }
        merged.finish(options, Choice::default())
    }

    /// Whether the name of a file says that it is one of several.
    pub fn is_shard(path: impl AsRef<Path>) -> bool {
        shards::shard_of(path.as_ref()).is_some_and(|(count, _)| count > 1)
    }

    /// Opens the contents of a file; `path` is what errors call it.
    ///
    /// # Errors
    /// As [`TensorFile::open_with`]; lists of shards are not read.
    pub fn from_bytes(
        path: impl AsRef<Path>,
        bytes: Vec<u8>,
        options: &TensorFileOptions,
    ) -> Result<Self, TensorFileError> {
        Self::of_source(path.as_ref(), Source::Memory(Cursor::new(bytes)), options)
    }

    fn of_source(path: &Path, source: Source, options: &TensorFileOptions) -> Result<Self, TensorFileError> {
        let (file, choice) = Self::read_from(path, source, options.part.as_deref())?;
        file.finish(options, choice)
    }

    /// The tensors by the names they have in the file.
    fn read_from(path: &Path, source: Source, part: Option<&str>) -> Result<(Self, Choice), TensorFileError> {
        let path = path.to_owned();
        let contents = match format::open(source, part) {
            Ok(contents) => contents,
            Err(OpenFault::File(fault)) => return Err(TensorFileError::File { path, fault }),
            Err(OpenFault::Tensor(name, fault)) => return Err(TensorFileError::Tensor { path, name, fault }),
        };
        let Contents { tensors, choice, storages, container } = contents;
        let actual = storages.iter().fold(0_u64, |sum, storage| sum.saturating_add(storage.count as u64));
        let mut stated = 0_u64;
        for (name, view) in &tensors {
            let count = storages.get(view.storage).map_or(0, |storage| storage.count);
            stated = stated.saturating_add(view.elements());
            let repeated = stated > actual.saturating_mul(MAX_REPEATS).saturating_add(MIN_ELEMENTS);
            let repeated = repeated.then_some(TensorFault::Repeated { stated, actual });
            if let Some(fault) = view.check(count).err().or(repeated) {
                return Err(TensorFileError::Tensor { path, name: name.clone(), fault });
            }
        }
        let tensors = tensors.into_iter().map(|(name, view)| (name, Located { file: 0, view })).collect();
        let files = vec![Opened { path: path.clone(), storages, container }];
        Ok((Self { path, tensors, files, notes: Vec::new() }, choice))
    }

    /// The tensors of all the shards that are listed in `path`.
    fn listed(path: &Path, index: shards::Index) -> Result<(Self, Choice), TensorFileError> {
        let mut merged = Self::nothing(path);
        let count = index.shards.len();
        for (shard, names) in index.shards {
            let at = path.with_file_name(&shard);
            let fail = |fault| TensorFileError::File { path: path.to_owned(), fault };
            if !at.exists() {
                return Err(fail(FileFault::NoShard { shard, count }));
            }
            let (contents, _) = Self::read_from(&at, open(&at)?, None)?;
            if let Some(absent) = names.iter().find(|name| !contents.tensors.contains_key(*name)) {
                return Err(fail(FileFault::Index(format!("{shard} does not hold {absent}"))));
            }
            if let Some(more) = contents.tensors.keys().find(|name| !names.contains(*name)) {
                return Err(fail(FileFault::Index(format!("it does not list {more}, which {shard} holds"))));
            }
            merged.add(contents)?;
        }
        Ok((merged, Choice::default()))
    }

    fn nothing(path: &Path) -> Self {
        Self { path: path.to_owned(), tensors: BTreeMap::new(), files: Vec::new(), notes: Vec::new() }
    }

    /// Takes in the tensors of another file.
    fn add(&mut self, other: Self) -> Result<(), TensorFileError> {
        let before = self.files.len();
        for (name, located) in other.tensors {
            if let Some(first) = self.tensors.get(&name) {
                let path = other.files.get(located.file).map_or(other.path, |file| file.path.clone());
                let first = self.files.get(first.file).map_or_else(PathBuf::new, |file| file.path.clone());
                return Err(TensorFileError::Tensor { path, name, fault: TensorFault::Twice(first) });
            }
            self.tensors.insert(name, Located { file: before + located.file, ..located });
        }
        self.files.extend(other.files);
        self.notes.extend(other.notes);
        Ok(())
    }

    /// Keeps the part that was asked for, and takes wrappers off the names.
    fn finish(mut self, options: &TensorFileOptions, choice: Choice) -> Result<Self, TensorFileError> {
        let fail = |path: &Path, fault| TensorFileError::File { path: path.to_owned(), fault };
        if self.tensors.is_empty() {
            return Err(fail(&self.path, FileFault::NoStateDictionary("nothing")));
        }
        if let Some(part) = options.part.as_ref().filter(|_| !choice.asked) {
            self.tensors = state::keep_part(self.tensors, part).map_err(|fault| match fault {
                FileFault::NoSuchPart { part, mut has } => {
                    has.extend(choice.others.iter().map(|other| other.part.clone()));
                    fail(&self.path, FileFault::NoSuchPart { part, has })
                }
                other => fail(&self.path, other),
            })?;
        }
        self.tensors = state::strip_wrappers(self.tensors);
        let Choice { taken, averaged, others, asked } = choice;
        if !asked && (averaged || !others.is_empty()) {
            self.notes.push(WeightsNote::Taken { path: self.path.clone(), taken, averaged, others });
        }
        Ok(self)
    }

    /// The file, or the list of shards.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The files that hold the tensors: this one, or the shards in order.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|file| file.path.as_path())
    }

    /// What was chosen where the file left a choice.
    pub fn notes(&self) -> &[WeightsNote] {
        &self.notes
    }

    /// Names in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Sizes of a tensor; none when the file lacks it.
    pub fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|located| located.view.shape.as_slice())
    }

    /// Type of a tensor's elements; none when the file lacks it.
    pub fn element(&self, name: &str) -> Option<ElementType> {
        let Located { file, view } = self.tensors.get(name)?;
        self.files.get(*file)?.storages.get(view.storage).map(|storage| storage.element)
    }

    /// The values of a tensor in row-major order, rounded to single precision. Reads this tensor alone.
    ///
    /// # Errors
    /// [`TensorFileError::Tensor`] when there is none of that name, it holds no real numbers, the file ends, or the
    /// checksum of its bytes is wrong.
    pub fn f32(&mut self, name: &str) -> Result<Vec<f32>, TensorFileError> {
        self.read(name).map_err(|fault| TensorFileError::Tensor {
            path: self.path.clone(),
            name: name.to_owned(),
            fault,
        })
    }

    fn read(&mut self, name: &str) -> Result<Vec<f32>, TensorFault> {
        let Located { file, view } = self.tensors.get(name).ok_or(TensorFault::Absent)?;
        let Opened { storages, container, .. } = self.files.get_mut(*file).ok_or(TensorFault::Absent)?;
        let storage = storages.get(view.storage).ok_or(TensorFault::Absent)?;
        if !storage.element.is_real() {
            return Err(TensorFault::NotReal(storage.element));
        }
        container.read(storage, view).map_err(TensorFault::Values)
    }
}

fn open(path: &Path) -> Result<Source, TensorFileError> {
    let fail = |source| TensorFileError::Read { path: path.to_owned(), source };
    if path.is_dir() {
        let weights = USUAL.into_iter().filter(|name| path.join(name).is_file()).map(str::to_owned).collect();
        let fault = FileFault::Foreign(Foreign::Directory { weights });
        return Err(TensorFileError::File { path: path.to_owned(), fault });
    }
    open_regular(path).map(Source::File).map_err(fail)
}

impl fmt::Debug for TensorFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorFile")
            .field("path", &self.path)
            .field("tensors", &self.tensors.len())
            .finish_non_exhaustive()
    }
}

//! The zip archives that `torch.save` writes: `ROOT/data.pkl`, and a file `ROOT/data/KEY` for every storage.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Container, Contents, OpenFault, Storage};
use crate::error::{FileFault, Foreign, PickleFault, TensorFault};
use crate::pickle::{Pickle, StorageRef};
use crate::source::Source;
use crate::state;

/// A compressed entry may grow by this factor, and to this size by any: weights hardly compress.
const MAX_GROWTH: u64 = 32;
const MIN_GROWN: u64 = 1 << 20;
/// Members of another kind of archive that a message names.
const NAMED: usize = 3;

/// The archive, and the entries whose checksum was found right.
pub(crate) struct Archive {
    zip: ZipArchive<BufReader<Source>>,
    verified: BTreeSet<u64>,
}

impl Archive {
    /// Runs `take` on the bytes of a storage from `start` on. The first reading goes to the end of the entry, where
    /// its checksum is compared.
    pub(super) fn read<T>(
        &mut self,
        storage: &Storage,
        start: u64,
        take: impl FnOnce(&mut dyn Read) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut entry = self.zip.by_index(storage.place as usize).map_err(io::Error::other)?;
        io::copy(&mut entry.by_ref().take(start), &mut io::sink())?;
        let taken = take(&mut entry)?;
        if !self.verified.contains(&storage.place) {
            io::copy(&mut entry, &mut io::sink())?;
            self.verified.insert(storage.place);
        }
        Ok(taken)
    }

    /// Index and size of an entry, if there is one of that name.
    fn find(&mut self, name: &str) -> Result<Option<(usize, u64)>, FileFault> {
        let Some(index) = self.zip.index_for_name(name) else { return Ok(None) };
        let entry = self.zip.by_index(index).map_err(zip_fault)?;
        let (size, compressed) = (entry.size(), entry.compressed_size());
        if size > MIN_GROWN && size / MAX_GROWTH > compressed {
            return Err(FileFault::Bomb { entry: name.to_owned(), size, compressed });
        }
        Ok(Some((index, size)))
    }

    /// Where a storage lies in a file of `len` bytes; a fault of it alone is named by its entry.
    fn locate(&mut self, root: &str, storage: &StorageRef, len: u64) -> Result<Storage, OpenFault> {
        let StorageRef { key, element, count } = storage;
        let name = format!("{root}/data/{key}");
        let Some(index) = self.zip.index_for_name(&name) else {
            return Err(FileFault::Damaged(format!("{name} is missing")).into());
        };
        let stated = (*count as u64).checked_mul(element.size() as u64);
        // Before the entry is looked at: what it states may be as wrong as what the pickle states.
        let most = len.saturating_mul(MAX_GROWTH);
        if stated.is_none_or(|stated| stated > most) {
            let stated = stated.unwrap_or(u64::MAX);
            return Err(OpenFault::Tensor(name, TensorFault::Oversized { stated, actual: len }));
        }
        let compressed = self.zip.by_index(index).map_err(zip_fault)?.compressed_size();
        if compressed > len {
            return Err(OpenFault::Tensor(name, TensorFault::Oversized { stated: compressed, actual: len }));
        }
        let Some((_, size)) = self.find(&name)? else { return Err(FileFault::Unknown.into()) };
        if stated != Some(size) {
            let fault = format!("{name} has {size} bytes, its tensors state {count} elements of {element}");
            return Err(FileFault::Damaged(fault).into());
        }
        Ok(Storage { element: *element, count: *count, place: index as u64 })
    }

    /// What the entries' names start with, by the one `data.pkl`.
    fn root(&self) -> Result<String, FileFault> {
        let names: Vec<String> =
            self.zip.file_names().filter_map(|name| Some(name.ok()?.into_owned())).collect();
        if names.iter().any(|name| name.ends_with("/constants.pkl")) {
            return Err(FileFault::TorchScript);
        }
        let mut roots = names.iter().filter_map(|name| name.strip_suffix("/data.pkl"));
        match (roots.next(), roots.next()) {
            (Some(root), None) => Ok(root.to_owned()),
            (None, _) => {
                let members = names.into_iter().filter(|name| !name.ends_with('/')).take(NAMED).collect();
                Err(FileFault::Foreign(Foreign::Zip { members }))
            }
            (Some(_), Some(_)) => Err(FileFault::Damaged("there are two data.pkl".to_owned())),
        }
    }
}

pub(super) fn open(file: BufReader<Source>, len: u64, part: Option<&str>) -> Result<Contents, OpenFault> {
    let zip = ZipArchive::new(file).map_err(zip_fault)?;
    let mut archive = Archive { zip, verified: BTreeSet::new() };
    let root = archive.root()?;
    if let Some((index, _)) = archive.find(&format!("{root}/byteorder"))? {
        let mut order = Vec::new();
        archive
            .zip
            .by_index(index)
            .map_err(zip_fault)?
            .take(8)
            .read_to_end(&mut order)
            .map_err(PickleFault::Read)?;
        if order == b"big" {
            return Err(FileFault::BigEndian.into());
        }
    }
    let Some((index, _)) = archive.find(&format!("{root}/data.pkl"))? else {
        return Err(FileFault::Unknown.into());
    };
    let mut entry = archive.zip.by_index(index).map_err(zip_fault)?;
    let pickle = Pickle::read(&mut BufReader::new(&mut entry))?;
    io::copy(&mut entry, &mut io::sink()).map_err(PickleFault::Read)?;
    drop(entry);

    let (tensors, choice) = state::tensors(&pickle, part)?.split();
    let mut storages = Vec::new();
    // Entries may share their bytes, or be compressed well each.
    let (mut total, most) = (0_u64, len.saturating_mul(MAX_GROWTH).saturating_add(MIN_GROWN));
    for (place, storage) in pickle.storages.iter().enumerate() {
        let located = archive.locate(&root, storage, len).and_then(|found| {
            total = total.saturating_add((found.count as u64).saturating_mul(found.element.size() as u64));
            let fault = TensorFault::Oversized { stated: total, actual: len };
            if total <= most { Ok(found) } else { Err(OpenFault::Tensor(storage.key.clone(), fault)) }
        });
        match located {
            Ok(found) => storages.push(found),
            Err(OpenFault::File(fault)) => return Err(fault.into()),
            // Whoever reads the message knows tensors, not storages.
            Err(OpenFault::Tensor(entry, fault)) => {
                let mut owners = tensors.iter().filter(|(_, view)| view.storage == place);
                let name = owners.next().map_or(entry, |(name, _)| name.clone());
                return Err(OpenFault::Tensor(name, fault));
            }
        }
    }
    Ok(Contents { tensors, choice, storages, container: Container::Archive(archive) })
}

fn zip_fault(error: ZipError) -> FileFault {
    match error {
        // The table of contents stands at the end: without it the file was cut.
        ZipError::InvalidArchive(reason) => FileFault::CutShort(format!("no zip archive: {reason}")),
        ZipError::Io(error) => FileFault::Pickle(PickleFault::Read(error)),
        other => FileFault::Damaged(other.to_string()),
    }
}

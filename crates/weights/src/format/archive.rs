//! The zip archives that `torch.save` writes: `ROOT/data.pkl`, and a file `ROOT/data/KEY` for every storage.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::{Container, Contents, OpenFault, Storage};
use crate::error::FileFault;
use crate::pickle::{Pickle, PickleFault};
use crate::state;

/// A compressed entry may grow by this factor, and to this size by any: weights hardly compress.
const MAX_GROWTH: u64 = 32;
const MIN_GROWN: u64 = 1 << 20;

/// The archive, and the entries whose checksum was found right.
pub(crate) struct Archive {
    zip: ZipArchive<BufReader<File>>,
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
            (None, _) => Err(FileFault::Unknown),
            (Some(_), Some(_)) => Err(FileFault::Damaged("there are two data.pkl".to_owned())),
        }
    }
}

pub(super) fn open(file: BufReader<File>) -> Result<Contents, OpenFault> {
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

    let mut storages = Vec::new();
    for storage in &pickle.storages {
        let name = format!("{root}/data/{}", storage.key);
        let Some((index, size)) = archive.find(&name)? else {
            return Err(FileFault::Damaged(format!("{name} is missing")).into());
        };
        let stated = (storage.count as u64).checked_mul(storage.element.size() as u64);
        if stated != Some(size) {
            let count = storage.count;
            let fault =
                format!("{name} has {size} bytes, its tensors state {count} elements of {}", storage.element);
            return Err(FileFault::Damaged(fault).into());
        }
        storages.push(Storage { element: storage.element, count: storage.count, place: index as u64 });
    }
    Ok(Contents { tensors: state::tensors(&pickle)?, storages, container: Container::Archive(archive) })
}

fn zip_fault(error: ZipError) -> FileFault {
    match error {
        // The table of contents stands at the end: without it the file was cut.
        ZipError::InvalidArchive(reason) => FileFault::CutShort(format!("no zip archive: {reason}")),
        ZipError::Io(error) => FileFault::Pickle(PickleFault::Read(error)),
        other => FileFault::Damaged(other.to_string()),
    }
}

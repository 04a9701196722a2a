//! `PyTorch`'s format before version 1.6: pickles, then the storages one after the other.

use std::collections::BTreeMap;
use std::io::{BufReader, Read, Seek};

use super::{Container, Contents, OpenFault, Storage};
use crate::error::{FileFault, PickleFault};
use crate::pickle::{Pickle, Value};
use crate::source::Source;
use crate::state;

/// The pickled number 0x1950a86a20f9469cfc6c that every such file starts with.
pub(super) const MAGIC: [u8; 15] =
    [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

pub(super) fn open(mut file: BufReader<Source>, len: u64, part: Option<&str>) -> Result<Contents, OpenFault> {
    for _ in 0..2 {
        // The magic number and the version of the protocol.
        Pickle::read(&mut file)?;
    }
    if is_big_endian(&Pickle::read(&mut file)?) {
        return Err(FileFault::BigEndian.into());
    }
    let pickle = Pickle::read(&mut file)?;
    let keys = Pickle::read(&mut file)?;
    let places = places(&mut file, len, &pickle, &keys)?;
    let storage = |storage: &crate::pickle::StorageRef| {
        let place = places.get(storage.key.as_str()).copied();
        let place = place.ok_or_else(|| damaged(format!("storage {} is missing", storage.key)))?;
        Ok(Storage { element: storage.element, count: storage.count, place })
    };
    let storages = pickle.storages.iter().map(storage).collect::<Result<_, FileFault>>()?;
    let (tensors, choice) = state::tensors(&pickle, part)?.split();
    Ok(Contents { tensors, choice, storages, container: Container::Plain(file) })
}

/// Whether a description of the system that wrote the file says so.
fn is_big_endian(system: &Pickle) -> bool {
    let order = system.entries_of(system.root_id()).get("little_endian").map(|id| system.value(*id));
    matches!(order, Some(Value::Bool(false)))
}

/// First byte of every storage that `keys` lists.
fn places(
    file: &mut BufReader<Source>,
    len: u64,
    pickle: &Pickle,
    keys: &Pickle,
) -> Result<BTreeMap<String, u64>, FileFault> {
    let known: BTreeMap<&str, _> =
        pickle.storages.iter().map(|storage| (storage.key.as_str(), storage)).collect();
    let Value::List(keys_in_order) = keys.root() else { return Err(damaged("there is no list of storages")) };
    let mut places = BTreeMap::new();
    for &key in keys_in_order {
        let Value::Text(key) = keys.value(key) else { return Err(damaged("a storage has no name")) };
        let Some(storage) = known.get(key.as_str()) else {
            return Err(damaged(format!("no tensor knows storage {key}")));
        };
        let mut count = [0; 8];
        file.read_exact(&mut count).map_err(|_| FileFault::CutShort(format!("storage {key} is missing")))?;
        let count = u64::from_le_bytes(count);
        if count != storage.count as u64 {
            return Err(damaged(format!(
                "storage {key} has {count} elements, its tensors state {}",
                storage.count
            )));
        }
        let place = file.stream_position().map_err(PickleFault::Read)?;
        let size = count.checked_mul(storage.element.size() as u64);
        let end = size.and_then(|size| place.checked_add(size)).filter(|end| *end <= len);
        let Some(end) = end else {
            return Err(FileFault::CutShort(format!(
                "storage {key} has {count} elements, the file ends before"
            )));
        };
        file.seek_relative((end - place) as i64).map_err(PickleFault::Read)?;
        if places.insert(key.clone(), place).is_some() {
            return Err(damaged(format!("storage {key} is there twice")));
        }
    }
    Ok(places)
}

fn damaged(reason: impl Into<String>) -> FileFault {
    FileFault::Damaged(reason.into())
}

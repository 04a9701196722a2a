//! PyTorch's file format before version 1.6: pickles followed by raw storages. Nothing in it is executed.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use candle_core::pickle::{Object, Stack};
use candle_core::{Device, Result, Tensor, bail};

/// The pickled magic number 0x1950a86a20f9469cfc6c every such file starts with.
const MAGIC: [u8; 15] =
    [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

/// A tensor of the state dictionary: a strided window on a storage.
struct View {
    name: String,
    storage: String,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl View {
    /// The values in row-major order; none when the window reaches beyond the storage.
    fn gather(&self, storage: &[f32]) -> Option<Vec<f32>> {
        let count = self.shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size))?;
        if count > storage.len() {
            return None;
        }
        (0..count)
            .map(|index| {
                let mut rest = index;
                let mut at = self.offset;
                for (size, stride) in self.shape.iter().zip(&self.strides).rev() {
                    at = at.checked_add((rest % size).checked_mul(*stride)?)?;
                    rest /= size;
                }
                storage.get(at).copied()
            })
            .collect()
    }
}

/// Every `f32` tensor of a legacy state dictionary; integer buffers are left out.
pub(super) fn read_all(path: &Path) -> Result<BTreeMap<String, Tensor>> {
    let mut reader = BufReader::new(File::open(path)?);
    let mut magic = [0; MAGIC.len()];
    reader.read_exact(&mut magic)?;
    if magic != MAGIC {
        bail!("neither a zip nor a legacy PyTorch file");
    }
    // Protocol version and system information come before the dictionary.
    for _ in 0..2 {
        next_pickle(&mut reader)?;
    }
    let views = views(next_pickle(&mut reader)?)?;
    let Object::List(keys) = next_pickle(&mut reader)? else { bail!("no list of storages") };
    let mut storages = BTreeMap::new();
    for key in keys {
        let Object::Unicode(key) = key else { bail!("a storage without a name") };
        let count = read_count(&mut reader)?;
        let wanted = views.iter().any(|view| view.storage == key);
        let mut bytes = Vec::new();
        // The dictionary does not tell the element size of storages it only mentions as integers: those hold
        // eight bytes an element (`num_batches_tracked`).
        let width: usize = if wanted { 4 } else { 8 };
        let len = count.saturating_mul(width);
        reader.by_ref().take(len as u64).read_to_end(&mut bytes)?;
        if bytes.len() != len {
            bail!("storage {key} ends after {} of {len} bytes", bytes.len());
        }
        if wanted {
            let values: Vec<f32> = bytes.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
            storages.insert(key, values);
        }
    }
    let mut tensors = BTreeMap::new();
    for view in views {
        let values = storages.get(&view.storage).and_then(|storage: &Vec<f32>| view.gather(storage));
        let Some(values) = values else { bail!("tensor {} lies outside its storage", view.name) };
        tensors.insert(view.name, Tensor::from_vec(values, view.shape, &Device::Cpu)?);
    }
    Ok(tensors)
}

fn next_pickle(reader: &mut BufReader<File>) -> Result<Object> {
    let mut stack = Stack::empty();
    stack.read_loop(reader)?;
    stack.finalize()
}

fn read_count(reader: &mut impl Read) -> Result<usize> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    match usize::try_from(i64::from_le_bytes(bytes)) {
        Ok(count) if count <= 1 << 31 => Ok(count),
        _ => bail!("a storage states an impossible size"),
    }
}

fn views(dictionary: Object) -> Result<Vec<View>> {
    let mut views = Vec::new();
    for (name, value) in entries(dictionary)? {
        let Object::Unicode(name) = name else { continue };
        if let Some(view) = view(name, value)? {
            views.push(view);
        }
    }
    Ok(views)
}

/// The pairs of a dictionary or of an `OrderedDict`, which the reader leaves as a call it does not make.
fn entries(object: Object) -> Result<Vec<(Object, Object)>> {
    match object {
        Object::Dict(pairs) => Ok(pairs),
        Object::Build { callable, .. } => entries(*callable),
        Object::Reduce { args, .. } => entries(*args),
        Object::Tuple(items) => match items.into_iter().next() {
            Some(first) => entries(first),
            None => Ok(Vec::new()),
        },
        other => bail!("expected a state dictionary, found {other:?}"),
    }
}

/// `_rebuild_tensor_v2(('storage', class, key, location, count, None), offset, shape, strides, …)`.
fn view(name: String, object: Object) -> Result<Option<View>> {
    let Object::Reduce { callable, args } = object else { return Ok(None) };
    let is_rebuild =
        matches!(&*callable, Object::Class { class_name, .. } if class_name == "_rebuild_tensor_v2");
    let (true, Object::Tuple(args)) = (is_rebuild, *args) else { return Ok(None) };
    let mut args = args.into_iter();
    let (
        Some(Object::PersistentLoad(id)),
        Some(offset),
        Some(Object::Tuple(shape)),
        Some(Object::Tuple(strides)),
    ) = (args.next(), args.next(), args.next(), args.next())
    else {
        bail!("tensor {name} is described in an unknown way");
    };
    let Object::Tuple(id) = *id else { bail!("tensor {name} has no storage") };
    let (Some(Object::Class { class_name, .. }), Some(Object::Unicode(storage))) = (id.get(1), id.get(2))
    else {
        bail!("tensor {name} has no storage");
    };
    if class_name != "FloatStorage" {
        return Ok(None);
    }
    let sizes = |objects: Vec<Object>| -> Result<Vec<usize>> { objects.into_iter().map(size).collect() };
    let (offset, shape, strides) = (size(offset)?, sizes(shape)?, sizes(strides)?);
    if shape.len() != strides.len() {
        bail!("tensor {name} has {} sizes and {} strides", shape.len(), strides.len());
    }
    Ok(Some(View { name, storage: storage.clone(), offset, shape, strides }))
}

fn size(object: Object) -> Result<usize> {
    match object {
        Object::Int(value) if value >= 0 => Ok(value as usize),
        Object::Long(value) if value >= 0 => Ok(value as usize),
        other => bail!("expected a size, found {other:?}"),
    }
}

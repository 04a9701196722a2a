//! Safetensors: a length, a header in JSON, and the values.

use std::io::{BufReader, Read};

use safetensors::Dtype;
use safetensors::tensor::Metadata;

use super::{Choice, Container, Contents, OpenFault, Storage};
use crate::element::ElementType;
use crate::error::{FileFault, TensorFault};
use crate::source::Source;
use crate::view::View;

/// Bytes of the length in front of the header.
const LENGTH: u64 = 8;
/// Bytes of a header, as the format limits them.
const MAX_HEADER: u64 = 100_000_000;

pub(super) fn open(mut file: BufReader<Source>, len: u64) -> Result<Contents, OpenFault> {
    let mut length = [0; LENGTH as usize];
    file.read_exact(&mut length).map_err(|error| FileFault::CutShort(error.to_string()))?;
    let header_len = u64::from_le_bytes(length);
    if header_len > MAX_HEADER.min(len.saturating_sub(LENGTH)) {
        return Err(FileFault::CutShort(format!("a header of {header_len} bytes in a file of {len}")).into());
    }
    let mut header = Vec::new();
    file.by_ref()
        .take(header_len)
        .read_to_end(&mut header)
        .map_err(|e| FileFault::CutShort(e.to_string()))?;
    let metadata: Metadata =
        serde_json::from_slice(&header).map_err(|error| FileFault::Damaged(error.to_string()))?;
    let start = LENGTH + header_len;
    let (stated, actual) = (metadata.data_len() as u64, len - start);
    if stated != actual {
        let fault = format!("the header states {stated} bytes of values, there are {actual}");
        return Err(
            if stated > actual { FileFault::CutShort(fault) } else { FileFault::Damaged(fault) }.into()
        );
    }
    let mut contents = Contents {
        tensors: [].into(),
        choice: Choice::default(),
        storages: Vec::new(),
        container: Container::Plain(file),
    };
    for name in metadata.offset_keys() {
        let Some(info) = metadata.info(&name) else { continue };
        let element = element(info.dtype).ok_or_else(|| {
            OpenFault::Tensor(name.clone(), TensorFault::Unsupported(info.dtype.to_string()))
        })?;
        let place = start + info.data_offsets.0 as u64;
        let count = (info.data_offsets.1 - info.data_offsets.0) / element.size();
        contents.tensors.insert(name, View::whole(contents.storages.len(), info.shape.clone()));
        contents.storages.push(Storage { element, count, place });
    }
    Ok(contents)
}

fn element(dtype: Dtype) -> Option<ElementType> {
    Some(match dtype {
        Dtype::F64 => ElementType::F64,
        Dtype::F32 => ElementType::F32,
        Dtype::F16 => ElementType::F16,
        Dtype::BF16 => ElementType::BF16,
        Dtype::I64 => ElementType::I64,
        Dtype::I32 => ElementType::I32,
        Dtype::I16 => ElementType::I16,
        Dtype::I8 => ElementType::I8,
        Dtype::U8 => ElementType::U8,
        Dtype::BOOL => ElementType::Bool,
        _ => return None,
    })
}

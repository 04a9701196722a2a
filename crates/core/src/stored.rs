//! Embeddings in safetensors files, with a note in the header that says what they are of.

use std::collections::HashMap;
use std::fmt::Display;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::Embeddings;

/// The rows' bytes, as a safetensors file has them.
pub(crate) fn bytes(rows: &Embeddings) -> Vec<u8> {
    rows.data().iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The tensor of these rows, whose [`bytes`] are given.
pub(crate) fn view<'a>(rows: &Embeddings, bytes: &'a [u8]) -> Result<TensorView<'a>, String> {
    TensorView::new(Dtype::F32, vec![rows.rows(), rows.dim()], bytes).map_err(text)
}

/// The rows of the tensor called `name`.
pub(crate) fn embeddings(tensors: &SafeTensors<'_>, name: &str) -> Result<Embeddings, String> {
    let view = tensors.tensor(name).map_err(text)?;
    let (Dtype::F32, &[_, dim]) = (view.dtype(), view.shape()) else {
        return Err(format!("{name} are {:?} {:?}", view.dtype(), view.shape()));
    };
    let values = view.data().as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    Embeddings::new(values, dim).map_err(text)
}

/// The header that holds `note` under `key`.
pub(crate) fn header(key: &str, note: &impl Serialize) -> Result<HashMap<String, String>, String> {
    Ok(HashMap::from([(key.to_owned(), serde_json::to_string(note).map_err(text)?)]))
}

/// The note under `key`; `lacks` says what a file without it does not do.
pub(crate) fn note<T: DeserializeOwned>(bytes: &[u8], key: &str, lacks: &str) -> Result<T, String> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(text)?;
    let note = header.metadata().as_ref().and_then(|map| map.get(key)).ok_or(lacks)?;
    serde_json::from_str(note).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}

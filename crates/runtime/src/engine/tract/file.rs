//! A graph from a file, its weights one at a time: whole in memory only as the tensors they become.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prost::Message;
use tract_onnx::data_resolver::ModelDataResolver;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{InferenceModel, TractError, TractResult, onnx};

use crate::graph::outline;

/// External data has to lie in a directory; [`Weights`] reads the graph's own file wherever that is.
const DIRECTORY: &str = "/";

/// Reads the graph in `path`.
pub(super) fn load(path: &Path) -> TractResult<InferenceModel> {
    let outline = outline(&mut BufReader::new(File::open(path)?))?;
    let model = ModelProto::decode(&outline[..])?;
    let mut framework = onnx();
    framework.provider = Arc::new(Weights { path: path.to_owned() });
    let parsed = framework.parse(&model, Some(DIRECTORY))?;
    match parsed.unresolved_inputs.as_slice() {
        [] => Ok(parsed.model),
        missing => Err(TractError::msg(format!("nothing makes {}", missing.join(", ")))),
    }
}

/// Values that an outline leaves in the file.
struct Weights {
    path: PathBuf,
}

impl ModelDataResolver for Weights {
    fn read_bytes_from_path(
        &self,
        values: &mut Vec<u8>,
        _location: &Path,
        offset: usize,
        length: Option<usize>,
    ) -> TractResult<()> {
        let length = length.ok_or_else(|| TractError::msg("external data without a length"))? as u64;
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset as u64))?;
        let read = file.take(length).read_to_end(values)?;
        if read as u64 == length { Ok(()) } else { Err(TractError::msg("the file became shorter")) }
    }
}

//! A graph from a file, its weights one at a time: whole in memory only as the tensors they become.

use std::fs;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use medclip_files::open_regular;
use medclip_onnx::{Message, outline};
use tract_onnx::data_resolver::ModelDataResolver;
use tract_onnx::pb::ModelProto;
use tract_onnx::prelude::{InferenceModel, TractError, TractResult, onnx};

const ROOT: &str = "/";

/// Reads the graph in `path`.
pub(super) fn load(path: &Path) -> TractResult<InferenceModel> {
    let outline = outline(&mut BufReader::new(open_regular(path)?))?;
    let model = ModelProto::decode(&outline[..])?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let directory = fs::canonicalize(directory)?;
    // tract wants the directory as text, and resolves every location in it. Under a name that is none, a graph with all
    // its weights in it still loads.
    let text = directory.to_str().unwrap_or(ROOT);
    let mut framework = onnx();
    framework.provider = Arc::new(Weights { path: path.to_owned(), directory: PathBuf::from(text) });
    let parsed = framework.parse(&model, Some(text))?;
    match parsed.unresolved_inputs.as_slice() {
        [] => Ok(parsed.model),
        missing => Err(TractError::msg(format!("nothing makes {}", missing.join(", ")))),
    }
}

/// Values that an outline leaves in the graph's file, or that lie beside it.
struct Weights {
    path: PathBuf,
    /// What an outline's location resolves to.
    directory: PathBuf,
}

impl ModelDataResolver for Weights {
    fn read_bytes_from_path(
        &self,
        values: &mut Vec<u8>,
        location: &Path,
        offset: usize,
        length: Option<usize>,
    ) -> TractResult<()> {
        let length = length.ok_or_else(|| TractError::msg("external data without a length"))? as u64;
        let mut file = open_regular(if location == self.directory { &self.path } else { location })?;
        file.seek(SeekFrom::Start(offset as u64))?;
        let read = file.take(length).read_to_end(values)?;
        if read as u64 == length { Ok(()) } else { Err(TractError::msg("the file is too short")) }
    }
}

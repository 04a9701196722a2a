//! Optimized graphs kept on disk, so that loading one again skips the optimization.

use std::io;
use std::path::{Path, PathBuf};

use medclip_files::sha256;
use medclip_files::{Kind, StagedDirectory, make_private};
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::log::explained;
use crate::engine::EngineFailure;
use crate::options::GraphOptimization;

const GRAPH: &str = "graph.onnx";
const WEIGHTS: &str = "graph.onnx.data";
/// A graph that is kept, with or without its weights. The name of its directory is a SHA-256.
static KEPT: Kind = Kind {
    name: "a graph that is kept",
    is_marked: |directory| directory.join(GRAPH).is_file() || directory.join(WEIGHTS).is_file(),
    holds: |path| path == GRAPH || path == WEIGHTS,
};
/// Values of fewer bytes stay in the graph.
const LARGE: &str = "1024";

/// The directory that keeps the graph of this SHA-256 below `directory`, which is made if missing.
///
/// Layouts depend on the library and the processor, so both are part of the name.
pub(super) fn place(directory: &Path, graph: &str, optimization: GraphOptimization) -> io::Result<PathBuf> {
    make_private(directory)?;
    let key = format!("{graph} {optimization:?} {} {}", ort::info(), processor());
    Ok(directory.join(sha256(key.as_bytes())))
}

/// A session of the graph kept in `place`, or of the one `commit` loads, which is then kept there, its weights in a file of
/// their own: in the graph they would have to be parsed, and those that lay beside the original would be looked for here.
///
/// A graph that cannot be loaded is replaced.
pub(super) fn session(
    place: &Path,
    builder: impl Fn() -> ort::Result<SessionBuilder>,
    commit: impl FnOnce(&mut SessionBuilder) -> ort::Result<Session>,
) -> Result<Session, EngineFailure> {
    let cached = place.join(GRAPH);
    if cached.is_file() {
        let kept = explained(|| {
            let mut builder = builder()?.with_optimization_level(GraphOptimizationLevel::Disable)?;
            builder.commit_from_file(&cached)
        });
        if kept.is_ok() {
            return kept;
        }
    }
    let staged = StagedDirectory::create(place, &KEPT)?;
    let temporary = staged.path();
    let made = explained(|| {
        let mut builder = builder()?
            .with_optimized_model_path(temporary.join(GRAPH))?
            .with_config_entry("session.optimized_model_external_initializers_file_name", WEIGHTS)?
            .with_config_entry("session.optimized_model_external_initializers_min_size_in_bytes", LARGE)?;
        commit(&mut builder)
    });
    let session = made?;
    match staged.put_in_place() {
        // Another process may have been first.
        Err(error) if !cached.is_file() => {
            Err(format!("cannot keep the graph in {}: {}", place.display(), error.source).into())
        }
        _ => Ok(session),
    }
}

/// The processor as far as ONNX Runtime's layouts depend on it.
fn processor() -> String {
    #[cfg(target_arch = "x86_64")]
    let widest = if is_x86_feature_detected!("avx512f") {
        "avx512f"
    } else if is_x86_feature_detected!("avx2") {
        "avx2"
    } else {
        "sse2"
    };
    #[cfg(not(target_arch = "x86_64"))]
    let widest = "";
    format!("{} {widest}", std::env::consts::ARCH)
}

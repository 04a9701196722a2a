//! Optimised graphs kept on disk, so that loading one again skips the optimisation.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicUsize, Ordering};

use medclip_core::bundle::sha256;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::log::explained;
use crate::engine::EngineFailure;
use crate::options::GraphOptimization;

/// The file that keeps the graph of this SHA-256 below `directory`, which is made if missing.
///
/// Layouts depend on the library and the processor, so both are part of the name.
pub(super) fn file(directory: &Path, graph: &str, optimization: GraphOptimization) -> io::Result<PathBuf> {
    fs::create_dir_all(directory)?;
    let key = format!("{graph} {optimization:?} {} {}", ort::info(), processor());
    let name = sha256(key.as_bytes());
    Ok(directory.join(format!("{name}.onnx")))
}

/// A session of the graph kept in `cached`, or of the one `commit` loads, which is then kept there.
///
/// A file that cannot be loaded is replaced.
pub(super) fn session(
    cached: &Path,
    builder: impl Fn() -> ort::Result<SessionBuilder>,
    commit: impl FnOnce(&mut SessionBuilder) -> ort::Result<Session>,
) -> Result<Session, EngineFailure> {
    if cached.is_file() {
        let kept = explained(|| {
            let mut builder = builder()?.with_optimization_level(GraphOptimizationLevel::Disable)?;
            builder.commit_from_file(cached)
        });
        if kept.is_ok() {
            return kept;
        }
    }
    let temporary = temporary(cached);
    let made = explained(|| commit(&mut builder()?.with_optimized_model_path(&temporary)?))?;
    fs::rename(&temporary, cached)?;
    Ok(made)
}

/// A name beside `cached` that nobody else uses; whole files only get their final name.
fn temporary(cached: &Path) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    cached.with_extension(format!("{}-{count}.tmp.onnx", process::id()))
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

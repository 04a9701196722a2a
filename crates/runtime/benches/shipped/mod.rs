//! The shipped model, and the engines to run it on.

use medclip_runtime::{EngineKind, EngineOptions};

pub(crate) const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/medclip-edge");

/// Those that this build has and that can run here.
pub(crate) fn engines() -> Vec<EngineKind> {
    let can_run = |engine: &EngineKind| EngineOptions::from(*engine).check().is_ok();
    EngineKind::ALL.iter().copied().filter(can_run).collect()
}

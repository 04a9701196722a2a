//! Engines to run the same cases on.

use std::env;

use medclip_runtime::{EngineKind, EngineOptions};

/// tract, rten, and ONNX Runtime on the CPU where this build has it and a library is found.
///
/// What is left out is said on standard error. With `MEDCLIP_REQUIRE_ORT` set, nothing may be left out.
///
/// # Panics
/// When ONNX Runtime is required and cannot run.
pub fn engines() -> Vec<EngineKind> {
    let mut engines = vec![EngineKind::Tract, EngineKind::Rten];
    match EngineOptions::from(EngineKind::OrtCpu).check() {
        Ok(()) => engines.push(EngineKind::OrtCpu),
        Err(error) => {
            let reason =
                std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            assert!(
                env::var_os("MEDCLIP_REQUIRE_ORT").is_none(),
                "MEDCLIP_REQUIRE_ORT is set, but: {reason}"
            );
            #[expect(clippy::print_stderr, reason = "a case that is left out is no case passed")]
            {
                eprintln!("NOT TESTED: ort-cpu, as {reason}");
            }
        }
    }
    engines
}

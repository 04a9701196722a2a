//! What was built.

use std::env::consts::{ARCH, OS};

use serde::Serialize;

/// The build of a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    /// Version of medclip.
    pub version: &'static str,
    /// The system it is for.
    pub os: &'static str,
    /// The processors it is for.
    pub architecture: &'static str,
    /// Whether it is a build for development, which runs slowly.
    pub debug: bool,
    /// Features that it has.
    pub features: Vec<&'static str>,
}

impl Build {
    /// This one. `further` are features of the program beside the engines.
    pub fn this(further: &[&'static str]) -> Self {
        let engines = [
            ("tract", cfg!(feature = "tract")),
            ("rten", cfg!(feature = "rten")),
            ("ort", cfg!(feature = "ort")),
            ("cuda", cfg!(feature = "cuda")),
            ("tensorrt", cfg!(feature = "tensorrt")),
        ];
        let engines = engines.into_iter().filter_map(|(name, is_on)| is_on.then_some(name));
        Self {
            version: env!("CARGO_PKG_VERSION"),
            os: OS,
            architecture: ARCH,
            debug: cfg!(debug_assertions),
            features: engines.chain(further.iter().copied()).collect(),
        }
    }
}

//! What a verification says.

use medclip_runtime::SelfTest;
use serde::Serialize;

use super::agreement::Agreement;
use super::compare::{Comparison, MapComparison, ParityLimits};

/// Everything that was found; the fields are the keys of its JSON object, and of the certificate.
#[derive(Debug, Serialize)]
#[non_exhaustive]
pub struct Verification {
    /// Version of medclip.
    pub medclip: &'static str,
    /// Operating system and processor it ran on.
    pub platform: String,
    /// Name of the model.
    pub model: String,
    /// SHA-256 that names the bundle's content as a whole.
    pub bundle: String,
    /// SHA-256 of the weights the graphs say they were written from.
    pub weights_sha256: Option<String>,
    /// Whether the text tower is stored in half precision.
    pub half_precision_text: bool,
    /// What the engines are compared with.
    pub reference: String,
    /// SHA-256 of the weights they are compared with.
    pub reference_sha256: Option<String>,
    /// How far both sides may be apart.
    pub limits: ParityLimits,
    /// What the weights determine besides embeddings, on both sides; empty where engines alone are compared.
    pub compared: Vec<Agreement>,
    /// What could not be compared, and why.
    pub not_compared: Vec<String>,
    /// Every engine on every batch.
    pub results: Vec<Comparison>,
    /// The maps of every engine, the one that the others are compared with first.
    pub maps: Vec<MapComparison>,
    /// How well every engine reproduces the golden embeddings.
    pub self_tests: Vec<EngineSelfTest>,
}

/// How well an engine reproduces the bundle's golden embeddings.
#[derive(Debug, Serialize)]
pub struct EngineSelfTest {
    /// The engine's name.
    pub engine: &'static str,
    /// Least cosines by tower.
    #[serde(flatten)]
    pub cosines: SelfTest,
}

impl Verification {
    /// Whether every engine keeps to the limits and reproduces the golden embeddings, and everything else agrees.
    pub fn within(&self) -> bool {
        self.results.iter().all(|each| self.limits.hold(each))
            && self.maps.iter().all(|each| self.limits.hold_maps(each))
            && self.compared.iter().all(|each| each.agrees)
            && self.self_tests.iter().all(|each| each.cosines.passed())
    }
}

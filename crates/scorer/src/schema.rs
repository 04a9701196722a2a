//! What the reports of a scorer have in common.

use medclip_decode::PatientFields;
use serde::{Deserialize, Serialize};

/// What every report of a scorer has, and of which model it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// Name of the model.
    pub model: String,
    /// What names the model's whole content.
    pub model_id: String,
    /// What ran it, with the precision where that is not the model's own: `tract`, `ort-cpu/int8`.
    pub engine: String,
    /// Names of the classes, in the order of a report's scores.
    pub classes: Vec<String>,
    /// Width of the embeddings, where reports have them.
    pub embedding_dim: Option<usize>,
    /// Which personal fields reports have.
    #[serde(default)]
    pub patient: PatientFields,
}

impl Schema {
    /// Version of the fields of a serialized report. It grows when a field changes its meaning or goes away, not when one is
    /// added.
    pub const VERSION: u32 = 1;
}

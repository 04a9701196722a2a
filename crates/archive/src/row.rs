//! One line of the result.

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// What is said of one input.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// [`Source::id`](crate::Source::id).
    pub path: String,
    /// Who it is of.
    pub identity: Identity,
    /// Codes of the quality checks that have something to say.
    pub qc: Vec<String>,
    /// Codes of what is unusual about the file and was read nevertheless.
    pub notes: Vec<String>,
    /// Its scores, or why it has none.
    pub scores: Result<Scores, Failure>,
}

/// Identifiers of a DICOM file; other files have none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// SOP Instance UID (0008,0018).
    pub sop_instance_uid: Option<String>,
    /// Study Instance UID (0020,000D).
    pub study_instance_uid: Option<String>,
    /// Patient ID (0010,0020); written only where [`Columns::patient`] asks for it.
    pub patient_id: Option<String>,
}

/// What a model says of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Logit and probability of every class, in the order of [`Columns::classes`].
    pub findings: Vec<(f32, f32)>,
    /// Its embedding, `[dim]`, where [`Columns::embedding_dim`] asks for it.
    pub embedding: Option<Vec<f32>>,
}

/// What came of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Codes of quality checks that the model's own view of the image adds to those found before.
    pub qc: Vec<String>,
    /// Its scores, or why they are withheld.
    pub scores: Result<Scores, Failure>,
}

impl From<Scores> for Verdict {
    fn from(scores: Scores) -> Self {
        Self { qc: Vec::new(), scores: Ok(scores) }
    }
}

/// What a row has, the same for all rows of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Columns {
    /// Name of the model.
    pub model: String,
    /// What names the model's whole content.
    pub model_id: String,
    /// What ran it.
    pub engine: String,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// Width of the embeddings, where rows have them.
    pub embedding_dim: Option<usize>,
    /// Whether rows have the patient's id.
    pub patient: bool,
}

impl Columns {
    /// Whether scores are of these columns' width.
    pub(crate) fn fit(&self, scores: &Scores) -> bool {
        scores.findings.len() == self.classes.len()
            && scores.embedding.as_ref().map(Vec::len) == self.embedding_dim
    }
}

//! What is said of one film.

use std::borrow::Cow;
use std::sync::Arc;

use medclip_decode::{Identity, Note};
use medclip_qc::Code;
use serde::ser::{Serialize, Serializer};

use crate::failure::Failure;
use crate::maps::FilmMaps;
use crate::schema::Schema;

/// What is said of one film: who it is of, what the checks say, and its scores or why there are none.
///
/// It is serialized as the flat record that every output has: path, identifiers, model, codes, findings, and error. It never holds
/// the time of scoring, so that the same film gives the same record.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    /// What it has in common with all reports of its scorer.
    pub schema: Arc<Schema>,
    /// What names the film: its path, and of a member of an archive `archive.zip!member`. None for a film in memory.
    pub path: Option<String>,
    /// What the film's file says it is; files that are not DICOM say nothing.
    pub identity: Identity,
    /// Codes of the checks that have something to say.
    pub qc: Vec<Code>,
    /// What is unusual about the file and was read nevertheless.
    pub notes: Vec<Remark>,
    /// Its scores, or why it has none.
    pub outcome: Result<Scores, Failure>,
}

/// What a model says of one film.
#[derive(Debug, Clone, PartialEq)]
pub struct Scores {
    /// Logit and probability of every class, in the order of [`Schema::classes`].
    pub findings: Vec<(f32, f32)>,
    /// Its embedding, `[dim]`, where [`Schema::embedding_dim`] asks for it.
    pub embedding: Option<Vec<f32>>,
    /// Where the scores come from, where [`ScorerBuilder::maps`](crate::ScorerBuilder::maps) asks for it. It is no part of the
    /// record.
    pub maps: Option<Box<FilmMaps>>,
}

/// A note on a file: its code, and its words where the report was not read from a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// [`Note::code`].
    pub code: Cow<'static, str>,
    /// The note as a sentence.
    pub text: String,
}

/// The score of one class.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Finding<'a> {
    /// Name of the class.
    pub name: &'a str,
    /// Log-odds: pooled logit of the positive prompts minus that of the negative ones.
    pub logit: f32,
    /// The logistic function of `logit`. Not a calibrated probability of disease.
    pub probability: f32,
}

impl Report {
    /// A film of which nothing is known but why it has no scores.
    pub fn failed(schema: Arc<Schema>, failure: Failure) -> Self {
        let identity = Identity::default();
        Self { schema, path: None, identity, qc: Vec::new(), notes: Vec::new(), outcome: Err(failure) }
    }

    /// Scores of every class in order; none where scores are withheld.
    pub fn findings(&self) -> impl Iterator<Item = Finding<'_>> {
        let scores = self.outcome.as_ref().map_or(&[][..], |scores| &scores.findings);
        let pairs = self.schema.classes.iter().zip(scores);
        pairs.map(|(name, &(logit, probability))| Finding { name, logit, probability })
    }

    /// The film's embedding, `[dim]`, where it was asked for and there are scores.
    pub fn embedding(&self) -> Option<&[f32]> {
        self.outcome.as_ref().ok()?.embedding.as_deref()
    }

    /// Where the film's scores come from, where that was asked for and there are scores.
    pub fn maps(&self) -> Option<&FilmMaps> {
        self.outcome.as_ref().ok()?.maps.as_deref()
    }

    /// The record as JSON on one line, as the program prints and writes it.
    ///
    /// # Errors
    /// None that occurs: every field can be written.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(self)
    }

    /// Why there are no scores.
    pub fn failure(&self) -> Option<&Failure> {
        self.outcome.as_ref().err()
    }

    /// Whether the scores are of the schema's width.
    pub fn fits(&self) -> bool {
        self.outcome.as_ref().map_or(true, |scores| {
            scores.findings.len() == self.schema.classes.len()
                && scores.embedding.as_ref().map(Vec::len) == self.schema.embedding_dim
        })
    }
}

impl From<&Note> for Remark {
    fn from(note: &Note) -> Self {
        Self { code: note.code().into(), text: note.to_string() }
    }
}

impl Remark {
    /// A note of which only the code is known.
    pub fn of_code(code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into(), text: String::new() }
    }
}

/// The record, its fields in order. Outer options leave a key out, inner ones make it null.
#[derive(serde::Serialize)]
#[allow(clippy::option_option, reason = "a key that is left out is not one that is null")]
struct Record<'a> {
    path: Option<&'a str>,
    sop_instance_uid: Option<&'a str>,
    study_instance_uid: Option<&'a str>,
    view: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    patient_id: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    study_date: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sex: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    age: Option<Option<&'a str>>,
    model: &'a str,
    model_id: &'a str,
    engine: &'a str,
    qc: Vec<&'static str>,
    notes: Vec<&'a str>,
    findings: Vec<Finding<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    embedding: Option<Option<&'a [f32]>>,
    error_kind: Option<&'a str>,
    error: Option<&'a str>,
    schema: u32,
}

impl Serialize for Report {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Schema { model, model_id, engine, embedding_dim, patient, .. } = &*self.schema;
        let identity = &self.identity;
        let failure = self.failure();
        Record {
            path: self.path.as_deref(),
            sop_instance_uid: identity.sop_instance_uid.as_deref(),
            study_instance_uid: identity.study_instance_uid.as_deref(),
            view: identity.view_position.as_deref(),
            patient_id: patient.id.then_some(identity.patient_id.as_deref()),
            study_date: patient.study_date.then_some(identity.study_date.as_deref()),
            sex: patient.sex.then_some(identity.sex.as_deref()),
            age: patient.age.then_some(identity.age.as_deref()),
            model,
            model_id,
            engine,
            qc: self.qc.iter().map(|code| code.name()).collect(),
            notes: self.notes.iter().map(|note| &*note.code).collect(),
            findings: self.findings().collect(),
            embedding: embedding_dim.map(|_| self.embedding()),
            error_kind: failure.map(|failure| &*failure.kind),
            error: failure.map(|failure| failure.message.as_str()),
            schema: Schema::VERSION,
        }
        .serialize(serializer)
    }
}

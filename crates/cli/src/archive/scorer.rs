//! A model as the archive's scorer.

use medclip_archive::{Content, Failure, Identity, Prepared, Scorer, Scores, Verdict};
use medclip_decode::NEED_BYTES;
use medclip_runtime::{GrayImage, Model};

use crate::checks::Checks;
use crate::film::{self, DicomArgs, Film};
use crate::memory;
use crate::{one_line, report_error};

/// Kind of the failure of an image whose scores a policy withholds.
const WITHHELD: &str = "withheld";

/// Decodes with `medclip-decode`, scores with a model, checks with `medclip-qc`.
pub(crate) struct ModelScorer<'a> {
    pub(crate) model: &'a Model,
    pub(crate) checks: &'a Checks,
    pub(crate) dicom: &'a DicomArgs,
    /// Whether rows have embeddings.
    pub(crate) embeddings: bool,
    /// Whether rows have the patient's id.
    pub(crate) patient: bool,
    /// Name inputs that fail on standard error.
    pub(crate) log_paths: bool,
}

impl ModelScorer<'_> {
    fn prepared(&self, film: Film) -> Prepared<GrayImage> {
        let (qc, withheld) = self.checks.judge(&self.checks.of_film(&film));
        let notes = film.notes.iter().map(|note| note.code().to_owned()).collect();
        let image = match withheld {
            Some(reason) => Err(Failure::new(WITHHELD, reason)),
            None => Ok(self.model.preprocessor().resized(&film.image)),
        };
        let film::Identity { sop_instance_uid, study_instance_uid, patient_id } = film.identity;
        Prepared { identity: Identity { sop_instance_uid, study_instance_uid, patient_id }, qc, notes, image }
    }
}

impl Scorer for ModelScorer<'_> {
    /// At the size the tower takes.
    type Image = GrayImage;

    fn prepare(&self, content: Content<'_>) -> Prepared<GrayImage> {
        let film = match &content {
            Content::File(path) => film::open(path, self.dicom, self.patient),
            Content::Bytes(bytes) => film::decode(bytes, self.dicom, self.patient),
        };
        match film {
            Ok(film) => self.prepared(film),
            Err(reason) => Prepared::failed(Failure::new(reason.code(), reason)),
        }
    }

    fn score(&self, images: &[GrayImage]) -> Result<Vec<Verdict>, Failure> {
        let engine = |error: anyhow::Error| Failure::new("engine", one_line(&error));
        let batch = self.model.preprocessor().normalize(images).map_err(|error| engine(error.into()))?;
        let embedded = self.model.embed_images(&batch).map_err(|error| engine(error.into()))?;
        let findings = self.model.classify_embeddings(&embedded);
        let verdicts = findings.into_iter().zip(embedded.iter()).map(|(findings, embedding)| {
            let (qc, withheld) = self.checks.judge(&self.checks.of_embedding(embedding));
            let scores = || Scores {
                findings: findings.iter().map(|finding| (finding.logit, finding.probability)).collect(),
                embedding: self.embeddings.then(|| embedding.to_vec()),
            };
            let scores = withheld.map_or_else(|| Ok(scores()), |reason| Err(Failure::new(WITHHELD, reason)));
            Verdict { qc, scores }
        });
        Ok(verdicts.collect())
    }

    fn need_bytes(&self) -> u64 {
        NEED_BYTES
    }

    fn need(&self, start: &[u8], bytes: u64) -> Option<u64> {
        memory::need(start, bytes)
    }

    fn image_bytes(&self) -> u64 {
        let side = self.model.preprocessor().config().image_size as u64;
        side * side
    }

    fn failed(&self, id: &str, failure: &Failure) {
        if self.log_paths {
            report_error(&format!("{id}: {}", failure.message));
        }
    }
}

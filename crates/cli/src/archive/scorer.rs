//! A model as the archive's scorer.

use medclip_archive::{Content, Failure, Identity, Prepared, Scorer, Scores};
use medclip_decode::{Limits, Reason};
use medclip_runtime::{GrayImage, Model};

use crate::{one_line, report_error};

/// Decodes with `medclip-decode`, scores with a model.
pub(crate) struct ModelScorer<'a> {
    model: &'a Model,
    embeddings: bool,
    log_paths: bool,
}

/// What a file gives: pixels, and who they are of where it says so.
struct Decoded {
    image: GrayImage,
    identity: Identity,
}

impl<'a> ModelScorer<'a> {
    pub(crate) fn new(model: &'a Model, embeddings: bool, log_paths: bool) -> Self {
        Self { model, embeddings, log_paths }
    }
}

impl Scorer for ModelScorer<'_> {
    /// At the size the tower takes.
    type Image = GrayImage;

    fn prepare(&self, content: Content<'_>) -> Prepared<GrayImage> {
        match decode(&content) {
            Ok(Decoded { image, identity }) => {
                let image = Ok(self.model.preprocessor().resized(&image));
                Prepared { identity, qc: Vec::new(), image }
            }
            Err(failure) => {
                if let (Content::File(path), true) = (&content, self.log_paths) {
                    report_error(&format!("{}: {}", path.display(), failure.message));
                }
                Prepared::failed(failure)
            }
        }
    }

    fn score(&self, images: &[GrayImage]) -> Result<Vec<Scores>, Failure> {
        let engine = |error: anyhow::Error| Failure::new("engine", one_line(&error));
        let batch = self.model.preprocessor().normalize(images).map_err(|error| engine(error.into()))?;
        let embedded = self.model.embed_images(&batch).map_err(|error| engine(error.into()))?;
        let findings = self.model.classify_embeddings(&embedded);
        let scores = findings.into_iter().zip(embedded.iter()).map(|(findings, embedding)| Scores {
            findings: findings.into_iter().map(|finding| (finding.logit, finding.probability)).collect(),
            embedding: self.embeddings.then(|| embedding.to_vec()),
        });
        Ok(scores.collect())
    }
}

fn decode(content: &Content<'_>) -> Result<Decoded, Failure> {
    let limits = Limits::default();
    let image = match content {
        Content::File(path) => medclip_decode::open(path, &limits).map_err(|error| error.reason),
        Content::Bytes(bytes) => medclip_decode::from_bytes(bytes, &limits),
    };
    match image {
        Ok(image) => Ok(Decoded { image, identity: Identity::default() }),
        Err(reason) => Err(Failure::new(kind(&reason), reason)),
    }
}

/// One word for a sort of fault.
fn kind(reason: &Reason) -> &'static str {
    match reason {
        Reason::Io(_) => "io",
        Reason::Directory => "directory",
        Reason::Empty => "empty",
        Reason::FileTooLarge { .. } | Reason::TooManyPixels { .. } | Reason::TooMuchMemory { .. } => {
            "too_large"
        }
        Reason::UnknownFormat { .. } => "unknown_format",
        Reason::Truncated => "truncated",
        Reason::Damaged(_) => "damaged",
        Reason::DecoderPanic => "panic",
        _ => "unreadable",
    }
}

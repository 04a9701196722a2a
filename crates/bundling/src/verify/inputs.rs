//! What is run through every engine: the same for everyone.

use medclip_core::map::LocationMaps;
use medclip_core::{Embeddings, GrayImage, ImageBatch};
use medclip_phantom::Phantom;
use medclip_runtime::{Bundle, Model};

use super::error::VerifyError;

/// Batch sizes that are compared.
pub(super) const BATCHES: [usize; 3] = [1, 3, 8];
/// The batch whose maps are compared.
const MAPPED: usize = 1;
/// Side of the phantoms in pixels.
const PHANTOM: u32 = 256;
/// Sentences from one token to a line and a half, so that a batch of them is padded.
pub(super) const SENTENCES: [&str; 8] = [
    "No pleural effusion.",
    "Clear.",
    "There is moderate cardiomegaly with a small left pleural effusion and bibasilar atelectasis.",
    "Right upper lobe consolidation.",
    "The heart is normal in size, the lungs are clear, and there is no pneumothorax, effusion or focal opacity.",
    "Endotracheal tube 4 cm above the carina.",
    "Mild interstitial edema, improved.",
    "No acute cardiopulmonary abnormality; a healed fracture of the left seventh rib is unchanged from the earlier film.",
];

/// Seeded phantoms.
pub(super) struct Inputs {
    /// One batch per size of [`BATCHES`].
    pub(super) images: Vec<ImageBatch>,
}

/// Embeddings of one side, by batch.
pub(super) struct Answers {
    pub(super) images: Vec<Embeddings>,
    pub(super) texts: Vec<Embeddings>,
    /// Of one batch, where the model has maps.
    pub(super) maps: Option<Mapped>,
}

/// Embeddings and maps of the same call.
pub(super) type Mapped = (Embeddings, LocationMaps);

impl Inputs {
    pub(super) fn new(bundle: &Bundle) -> Result<Self, VerifyError> {
        let phantom = |seed| Ok(Phantom::random(seed, PHANTOM)?.render());
        let images = (0..8).map(phantom).collect::<Result<Vec<GrayImage>, VerifyError>>()?;
        let batch = |&size: &usize| Ok(bundle.preprocessor().batch(&images[..size])?);
        Ok(Self { images: BATCHES.iter().map(batch).collect::<Result<_, VerifyError>>()? })
    }

    /// The batch whose maps are compared.
    pub(super) fn mapped(&self) -> &ImageBatch {
        &self.images[MAPPED]
    }

    pub(super) fn run(&self, model: &Model, has_maps: bool) -> Result<Answers, VerifyError> {
        let fails = |source| VerifyError::Run { engine: model.engine(), source };
        let images = self.images.iter().map(|batch| model.embed_images(batch));
        let texts = BATCHES.iter().map(|&size| model.embed_texts(&SENTENCES[..size]));
        Ok(Answers {
            images: images.collect::<Result<_, _>>().map_err(fails)?,
            texts: texts.collect::<Result<_, _>>().map_err(fails)?,
            maps: has_maps.then(|| model.embed_with_maps(self.mapped())).transpose().map_err(fails)?,
        })
    }
}

impl Answers {
    /// Images and sentences of one batch.
    pub(super) fn batch(&self, index: usize) -> (&Embeddings, &Embeddings) {
        (&self.images[index], &self.texts[index])
    }
}

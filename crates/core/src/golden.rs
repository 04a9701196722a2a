//! Golden answers of a bundle: images and sentences with the embeddings they had when the bundle was written.
//!
//! Whoever runs the model elsewhere, on another processor, engine or build, can ask whether it still is that model.

mod inputs;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::batch::Embeddings;
use crate::raster::GrayImage;
use crate::stored;

pub use inputs::{golden_images, golden_sentences};

const IMAGES: &str = "images";
const IMAGE_EMBEDDINGS: &str = "image_embeddings";
const TEXT_EMBEDDINGS: &str = "text_embeddings";
const METADATA: &str = "medclip_golden";

/// Least cosine of an embedding with its golden one. Engines agree to seven digits in single precision and to four with
/// half-precision arithmetic; another model, another preprocessing or a broken kernel is far below.
pub const GOLDEN_COSINE: f64 = 0.9999;

/// Inputs and the unit-norm embeddings they had.
#[derive(Debug, Clone, PartialEq)]
pub struct Golden {
    images: Vec<GrayImage>,
    sentences: Vec<String>,
    image_embeddings: Embeddings,
    text_embeddings: Embeddings,
    provenance: GoldenProvenance,
}

/// The graphs that gave the embeddings.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldenProvenance {
    /// SHA-256 of the image graph, 64 hexadecimal digits.
    pub image_graph_sha256: String,
    /// SHA-256 of the text graph.
    pub text_graph_sha256: String,
}

/// Why golden answers were refused.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GoldenError {
    /// Another number of embeddings than of inputs, or none.
    #[error("{inputs} golden {what} and {embeddings} embeddings of them")]
    Count {
        /// Images or sentences.
        what: &'static str,
        /// How many there are.
        inputs: usize,
        /// Rows given.
        embeddings: usize,
    },
    /// Images of several sizes.
    #[error("the golden images differ in size")]
    Sizes,
    /// Bytes that are no golden answers.
    #[error("not golden answers: {0}")]
    Format(String),
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    sentences: Vec<String>,
    provenance: GoldenProvenance,
}

impl Golden {
    /// These inputs with these embeddings, one a row.
    ///
    /// # Errors
    /// [`GoldenError`] when numbers differ, there is nothing, or the images are not of one size.
    pub fn new(
        images: Vec<GrayImage>,
        image_embeddings: Embeddings,
        sentences: Vec<String>,
        text_embeddings: Embeddings,
    ) -> Result<Self, GoldenError> {
        for (what, inputs, embeddings) in [
            ("images", images.len(), image_embeddings.rows()),
            ("sentences", sentences.len(), text_embeddings.rows()),
        ] {
            if inputs == 0 || inputs != embeddings {
                return Err(GoldenError::Count { what, inputs, embeddings });
            }
        }
        let size = |image: &GrayImage| (image.width(), image.height());
        if images.windows(2).any(|pair| size(&pair[0]) != size(&pair[1])) {
            return Err(GoldenError::Sizes);
        }
        let provenance = GoldenProvenance::default();
        Ok(Self { images, sentences, image_embeddings, text_embeddings, provenance })
    }

    /// The answers with a note of the graphs that gave them.
    #[must_use]
    pub fn with_provenance(self, provenance: GoldenProvenance) -> Self {
        Self { provenance, ..self }
    }

    /// Images, all of one size.
    pub fn images(&self) -> &[GrayImage] {
        &self.images
    }

    /// Sentences, embedded as one batch.
    pub fn sentences(&self) -> &[String] {
        &self.sentences
    }

    /// `[images, dim]`.
    pub const fn image_embeddings(&self) -> &Embeddings {
        &self.image_embeddings
    }

    /// `[sentences, dim]`.
    pub const fn text_embeddings(&self) -> &Embeddings {
        &self.text_embeddings
    }

    /// The graphs that gave the embeddings.
    pub const fn provenance(&self) -> &GoldenProvenance {
        &self.provenance
    }

    /// The answers as a safetensors file.
    ///
    /// # Errors
    /// [`GoldenError::Format`] when they cannot be serialized.
    pub fn to_bytes(&self) -> Result<Vec<u8>, GoldenError> {
        let pixels: Vec<u8> = self.images.iter().flat_map(GrayImage::pixels).copied().collect();
        let sides = self.images.first().map_or([0; 2], |image| [image.height(), image.width()]);
        let shape = vec![self.images.len(), sides[0] as usize, sides[1] as usize];
        let (image_bytes, text_bytes) =
            (stored::bytes(&self.image_embeddings), stored::bytes(&self.text_embeddings));
        let view = |rows, bytes| stored::view(rows, bytes).map_err(GoldenError::Format);
        let views = [
            (IMAGES, TensorView::new(Dtype::U8, shape, &pixels).map_err(format)?),
            (IMAGE_EMBEDDINGS, view(&self.image_embeddings, &image_bytes)?),
            (TEXT_EMBEDDINGS, view(&self.text_embeddings, &text_bytes)?),
        ];
        let metadata = Metadata { sentences: self.sentences.clone(), provenance: self.provenance.clone() };
        let header = stored::header(METADATA, &metadata).map_err(GoldenError::Format)?;
        safetensors::serialize(views, Some(header)).map_err(format)
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`GoldenError`] saying what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GoldenError> {
        let metadata: Metadata =
            stored::note(bytes, METADATA, "it names no sentences").map_err(GoldenError::Format)?;
        let tensors = SafeTensors::deserialize(bytes).map_err(format)?;
        let rows = |name| stored::embeddings(&tensors, name).map_err(GoldenError::Format);
        let golden = Self::new(
            images(&tensors)?,
            rows(IMAGE_EMBEDDINGS)?,
            metadata.sentences,
            rows(TEXT_EMBEDDINGS)?,
        )?;
        Ok(golden.with_provenance(metadata.provenance))
    }
}

fn images(tensors: &SafeTensors<'_>) -> Result<Vec<GrayImage>, GoldenError> {
    let view = tensors.tensor(IMAGES).map_err(format)?;
    let (Dtype::U8, &[_, height, width]) = (view.dtype(), view.shape()) else {
        return Err(GoldenError::Format(format!("images are {:?} {:?}", view.dtype(), view.shape())));
    };
    let side = |size: usize| u32::try_from(size).map_err(format);
    let (columns, rows) = (side(width)?, side(height)?);
    let image = |pixels: &[u8]| GrayImage::new(columns, rows, pixels.to_vec()).map_err(format);
    // Sizes of nothing leave one byte a chunk, which the image refuses.
    view.data().chunks((width * height).max(1)).map(image).collect()
}

fn format(error: impl std::fmt::Display) -> GoldenError {
    GoldenError::Format(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden() -> Golden {
        let rows = |count: usize| Embeddings::new([0.6, 0.8].repeat(count), 2).unwrap();
        let (images, sentences) = (golden_images(), golden_sentences());
        let (image_rows, text_rows) = (rows(images.len()), rows(sentences.len()));
        Golden::new(images, image_rows, sentences, text_rows).unwrap().with_provenance(GoldenProvenance {
            image_graph_sha256: "i".into(),
            text_graph_sha256: "t".into(),
        })
    }

    #[test]
    fn bytes_round_trip() {
        assert_eq!(Golden::from_bytes(&golden().to_bytes().unwrap()).unwrap(), golden());
    }

    #[test]
    fn damage_is_refused() {
        let bytes = golden().to_bytes().unwrap();
        for cut in [0, 4, 8, bytes.len() / 2, bytes.len() - 1] {
            assert!(Golden::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        let rows = |count: usize| Embeddings::new([0.6, 0.8].repeat(count), 2).unwrap();
        let text = || golden_sentences();
        let count = text().len();
        let short = Golden::new(golden_images(), rows(1), text(), rows(count));
        assert!(matches!(short, Err(GoldenError::Count { what: "images", .. })));
        let none = Golden::new(Vec::new(), rows(0), text(), rows(count));
        assert!(matches!(none, Err(GoldenError::Count { what: "images", inputs: 0, .. })));
        let mixed = vec![golden_images().remove(0), GrayImage::new(1, 1, vec![0]).unwrap()];
        assert!(matches!(Golden::new(mixed, rows(2), text(), rows(count)), Err(GoldenError::Sizes)));
    }
}

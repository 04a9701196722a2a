//! Embeddings of images to scores of classes.

use medclip_core::architecture::LogitScale;
use medclip_core::bank::PromptBank;
use medclip_core::batch::Embeddings;
use medclip_core::head::Head;
use medclip_core::map::{ClassMap, LocationMaps};
use medclip_core::score::{FindingScore, PromptPooling};

use crate::error::EncodeError;

/// Scores embeddings of images: by sentences that were embedded once, or by a head that was fitted.
///
/// Made by a [`Model`](crate::Model) from its own prompts, from others, or from a head. It holds no part of the model, so that
/// many classifiers share one.
#[derive(Debug, Clone)]
pub struct Classifier {
    dim: usize,
    kind: Kind,
}

#[derive(Debug, Clone)]
enum Kind {
    Prompts { bank: PromptBank, scale: LogitScale, pooling: PromptPooling },
    Head(Head),
}

impl Classifier {
    pub(crate) const fn of_prompts(
        bank: PromptBank,
        scale: LogitScale,
        pooling: PromptPooling,
        dim: usize,
    ) -> Self {
        Self { dim, kind: Kind::Prompts { bank, scale, pooling } }
    }

    /// A head that was compared with the model's identity.
    pub(crate) const fn of_head(head: Head, dim: usize) -> Self {
        Self { dim, kind: Kind::Head(head) }
    }

    /// Scores of every class, in the order of the prompts or of the head, for every image.
    ///
    /// # Shapes
    /// - `images`: `[batch, dim]`
    /// - returns: `[batch][classes]`
    ///
    /// # Errors
    /// [`EncodeError::EmbeddingWidth`] for embeddings of another width.
    pub fn scores(&self, images: &Embeddings) -> Result<Vec<Vec<FindingScore>>, EncodeError> {
        images.iter().map(|image| self.scores_of(image)).collect()
    }

    /// Scores of every class for one image.
    ///
    /// # Shapes
    /// - `image`: `[dim]`
    /// - returns: `[classes]`
    ///
    /// # Errors
    /// As [`Classifier::scores`].
    pub fn scores_of(&self, image: &[f32]) -> Result<Vec<FindingScore>, EncodeError> {
        if image.len() != self.dim {
            return Err(EncodeError::EmbeddingWidth { expected: self.dim, actual: image.len() });
        }
        Ok(match &self.kind {
            Kind::Prompts { bank, scale, pooling } => bank.scores(image, *scale, *pooling),
            Kind::Head(head) => head.scores(image),
        })
    }

    /// What each location of the images adds to the score of every class.
    ///
    /// The mean of a map is the class's logit divided by `exp(logit_scale)`, or for a head the logit without its intercept. Where the
    /// nearest prompt is taken instead of the mean over prompts, maps are of the prompts that are nearest to the image.
    ///
    /// # Shapes
    /// - `images`: `[batch, dim]`, the embeddings
    /// - `maps`: `[batch, rows, columns, dim]`, the locations of the same images
    /// - returns: `[batch][classes]`
    ///
    /// # Errors
    /// [`EncodeError::EmbeddingWidth`] for embeddings or locations of another width, [`EncodeError::MapCount`] for maps of
    /// another number of images.
    pub fn maps(&self, images: &Embeddings, maps: &LocationMaps) -> Result<Vec<Vec<ClassMap>>, EncodeError> {
        let [batch, _, _, dim] = maps.shape();
        if let Some(actual) = [images.dim(), dim].into_iter().find(|width| *width != self.dim) {
            return Err(EncodeError::EmbeddingWidth { expected: self.dim, actual });
        }
        if batch != images.rows() {
            return Err(EncodeError::MapCount { images: images.rows(), maps: batch });
        }
        let names: Vec<&str> = self.class_names().collect();
        let of_image = |(index, image): (usize, &[f32])| {
            let class = |(name, direction): (&&str, &[f32])| maps.class_map(index, name, direction);
            match &self.kind {
                Kind::Prompts { bank, pooling, .. } => {
                    let directions = bank.directions(image, *pooling);
                    names.iter().zip(directions.iter().map(Vec::as_slice)).map(class).collect()
                }
                Kind::Head(head) => names.iter().zip(head.directions()).map(class).collect(),
            }
        };
        Ok(images.iter().enumerate().map(of_image).collect())
    }

    /// As [`Classifier::maps`], in logits: the mean of a map is the class's logit, for a head without its intercept.
    ///
    /// # Errors
    /// As [`Classifier::maps`].
    pub fn maps_in_logits(
        &self,
        images: &Embeddings,
        maps: &LocationMaps,
    ) -> Result<Vec<Vec<ClassMap>>, EncodeError> {
        let factor = match &self.kind {
            Kind::Prompts { scale, .. } => scale.factor(),
            Kind::Head(_) => 1.0,
        };
        let mut all = self.maps(images, maps)?;
        all.iter_mut().flatten().flat_map(|map| &mut map.values).for_each(|value| *value *= factor);
        Ok(all)
    }

    /// Names of the classes, in the order of their scores.
    pub fn class_names(&self) -> impl Iterator<Item = &str> {
        let (bank, head) = match &self.kind {
            Kind::Prompts { bank, .. } => (bank.classes(), &[][..]),
            Kind::Head(head) => (&[][..], head.classes()),
        };
        bank.iter().map(|class| class.name.as_str()).chain(head.iter().map(String::as_str))
    }
}

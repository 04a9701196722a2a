//! Maps of one film on request.

use medclip_core::map::ClassMap;
use medclip_runtime::{EncodeError, GrayImage};

use crate::failure::Failure;
use crate::maps::{FilmMaps, Shown};
use crate::prepared::Prepared;
use crate::scorer::Scorer;

impl Scorer {
    /// The maps of all classes of a film: what each place adds to their logits. The film is the square that the tower sees,
    /// unless the scorer was opened with [`ScorerBuilder::maps`](crate::ScorerBuilder::maps), whose reports have maps already.
    ///
    /// # Errors
    /// The film's own failure, or one of kind [`Failure::ENGINE`] when the model has no maps, as those of earlier versions, or
    /// the engine fails.
    pub fn maps(&self, film: &Prepared) -> Result<FilmMaps, Failure> {
        mapped(film, |image| {
            let (embeddings, locations) = self.model.embed_with_maps(&self.batch(&[image])?)?;
            Ok(self.classifier.maps_in_logits(&embeddings, &locations)?.pop().unwrap_or_default())
        })
    }

    /// The map of a direction in the joint space, such as a sentence's embedding: what each place of the film adds to the
    /// cosine of the two. As [`Scorer::maps`] otherwise.
    ///
    /// # Shapes
    /// - `direction`: `[dim]`, of unit norm
    ///
    /// # Errors
    /// As [`Scorer::maps`], and for a direction of another width.
    pub fn map_toward(&self, film: &Prepared, name: &str, direction: &[f32]) -> Result<FilmMaps, Failure> {
        mapped(film, |image| {
            let (embeddings, locations) = self.model.embed_with_maps(&self.batch(&[image])?)?;
            if embeddings.dim() != direction.len() {
                return Err(EncodeError::EmbeddingWidth {
                    expected: embeddings.dim(),
                    actual: direction.len(),
                });
            }
            Ok(vec![locations.class_map(0, name, direction)])
        })
    }
}

fn mapped(
    film: &Prepared,
    make: impl FnOnce(&GrayImage) -> Result<Vec<ClassMap>, EncodeError>,
) -> Result<FilmMaps, Failure> {
    let image = film.image.as_ref().map_err(Clone::clone)?;
    let maps = make(image).map_err(|error| Failure::engine(&error))?;
    Ok(film.shown.clone().unwrap_or_else(|| Shown::square(image)).with(maps))
}

//! Where in a film the scores of its classes come from.

use medclip_core::map::ClassMap;
use medclip_core::preprocess::{Preprocessor, Resample, resample};
use medclip_runtime::{EncodeError, GrayImage};

use crate::failure::Failure;
use crate::prepared::Prepared;
use crate::scorer::Scorer;

/// A film and the maps of its classes.
#[derive(Debug, Clone, PartialEq)]
pub struct FilmMaps {
    /// The film for people to look at, its longer side [`FilmMaps::SIDE`] pixels.
    pub film: GrayImage,
    /// Left, top, right and bottom of the film in the square that the image tower sees and the maps lie in, as shares of the
    /// square's side.
    pub part: [f64; 4],
    /// A map for every class, in the order of the scores, in logits: the mean of a map is the class's logit, for a head
    /// without its intercept.
    pub classes: Vec<ClassMap>,
}

impl FilmMaps {
    /// Longer side of [`FilmMaps::film`], in pixels.
    pub const SIDE: u32 = 512;
}

/// A film as people look at it, and its place in the square that the image tower sees.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Shown {
    film: GrayImage,
    part: [f64; 4],
}

impl Shown {
    pub(crate) fn of(image: &GrayImage, preprocessor: &Preprocessor) -> Self {
        let size = [image.width(), image.height()];
        let [left, top] = preprocessor.place([0.0; 2], size);
        let [right, bottom] = preprocessor.place(size.map(f64::from), size);
        let longer = f64::from(size[0].max(size[1]));
        let [width, height] =
            size.map(|side| (f64::from(side) * f64::from(FilmMaps::SIDE) / longer).round() as u32);
        Self {
            film: resample::resize(image, width, height, Resample::Bicubic),
            part: [left, top, right, bottom],
        }
    }

    /// The square itself.
    fn square(image: &GrayImage) -> Self {
        Self { film: image.clone(), part: [0.0, 0.0, 1.0, 1.0] }
    }

    pub(crate) fn with(self, classes: Vec<ClassMap>) -> FilmMaps {
        FilmMaps { film: self.film, part: self.part, classes }
    }
}

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

#[cfg(test)]
mod tests {
    use medclip_core::preprocess::PreprocessConfig;

    use super::*;

    #[test]
    fn a_film_lies_in_the_middle_of_its_square() {
        let preprocessor = Preprocessor::new(PreprocessConfig::medclip(128, 1)).unwrap();
        let of = |width, height| {
            let image = GrayImage::new(width, height, vec![7; (width * height) as usize]).unwrap();
            let shown = Shown::of(&image, &preprocessor);
            ([shown.film.width(), shown.film.height()], shown.part)
        };
        assert_eq!(of(400, 400), ([512, 512], [0.0, 0.0, 1.0, 1.0]));
        assert_eq!(of(400, 200), ([512, 256], [0.0, 0.25, 1.0, 0.75]));
        // A small one, on a canvas of 224 pixels.
        assert_eq!(of(112, 56), ([512, 256], [0.25, 0.375, 0.75, 0.625]));
    }
}

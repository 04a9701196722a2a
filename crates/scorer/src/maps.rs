//! Where in a film the scores of its classes come from.

use medclip_core::map::ClassMap;
use medclip_core::preprocess::{Preprocessor, Resample, resample};
use medclip_runtime::GrayImage;

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
    pub(crate) fn square(image: &GrayImage) -> Self {
        Self { film: image.clone(), part: [0.0, 0.0, 1.0, 1.0] }
    }

    pub(crate) fn with(self, classes: Vec<ClassMap>) -> FilmMaps {
        FilmMaps { film: self.film, part: self.part, classes }
    }
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

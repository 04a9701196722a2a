//! A bundle's graphs evaluated by candle-onnx: a referee that shares no code with the engines.

mod graph;
mod read;
mod rewrite;
#[cfg(test)]
mod tests;

use medclip_core::graph::{IMAGE_EMBEDDINGS, IMAGE_MAP, MASK, PIXELS, TEXT_EMBEDDINGS, TOKENS};
use medclip_core::map::LocationMaps;
use medclip_core::{Embeddings, ImageBatch, Tokenizer};
use medclip_runtime::{Bundle, Precision, PrecisionChoice, SelfTest, TowerKind};

use super::error::CandleError;
use super::inputs::{Answers, BATCHES, Inputs, Mapped, SENTENCES};
use graph::{Graph, Input};

/// Both towers of a bundle.
pub(super) struct Candle<'a> {
    bundle: &'a Bundle,
    tokenizer: Tokenizer,
    image: Graph,
    text: Graph,
    /// Of the image tower and of the text tower.
    precisions: [Precision; 2],
}

impl<'a> Candle<'a> {
    /// Reads the graphs of a precision.
    ///
    /// # Errors
    /// [`CandleError`] for a precision that it does not evaluate or the bundle lacks, and for an operator that is evaluated
    /// neither as it is nor rewritten.
    pub(super) fn open(bundle: &'a Bundle, choice: PrecisionChoice) -> Result<Self, CandleError> {
        let PrecisionChoice::Exactly(precision @ (Precision::Fp32 | Precision::Fp16)) = choice else {
            return Err(CandleError::Precision { precision: choice });
        };
        // A model's own text graph may be stored in half precision; few bundles hold another.
        let of_text = if bundle.has(TowerKind::Text, precision) { precision } else { Precision::Fp32 };
        Ok(Self {
            tokenizer: bundle.tokenizer().map_err(CandleError::Tokenize)?,
            image: read::tower(bundle, TowerKind::Image, precision)?,
            text: read::tower(bundle, TowerKind::Text, of_text)?,
            precisions: [precision, of_text],
            bundle,
        })
    }

    /// Embeddings of everything that engines are compared on.
    pub(super) fn run(&self, inputs: &Inputs, has_maps: bool) -> Result<Answers, CandleError> {
        let images = inputs.images.iter().map(|batch| self.images(batch));
        let texts = BATCHES.iter().map(|&size| self.texts(&SENTENCES[..size]));
        Ok(Answers {
            images: images.collect::<Result<_, _>>()?,
            texts: texts.collect::<Result<_, _>>()?,
            maps: has_maps.then(|| self.mapped(inputs.mapped())).transpose()?,
        })
    }

    /// How well the golden embeddings are reproduced.
    pub(super) fn self_test(&self) -> Result<SelfTest, CandleError> {
        let golden = self.bundle.golden();
        let images = self.bundle.preprocessor().batch(golden.images())?;
        let image = self.images(&images)?.least_cosine(golden.image_embeddings());
        let text = self.texts(golden.sentences())?.least_cosine(golden.text_embeddings());
        let [of_image, of_text] = self.precisions;
        Ok(SelfTest {
            image,
            text: Some(text),
            needed: [
                SelfTest::needed(self.bundle, TowerKind::Image, of_image),
                SelfTest::needed(self.bundle, TowerKind::Text, of_text),
            ],
        })
    }

    /// Embeddings and maps.
    fn mapped(&self, batch: &ImageBatch) -> Result<Mapped, CandleError> {
        let (mut values, mut grid) = (Vec::new(), [0; 2]);
        for pixels in each_image(batch) {
            let (of_image, shape) = self.image.output([pixels?], IMAGE_MAP)?;
            let [1, rows, columns, _] = shape[..] else {
                return Err(CandleError::MapShape { actual: shape });
            };
            grid = [rows, columns];
            values.extend(of_image);
        }
        let ([images, ..], [_, dim]) = (batch.shape(), self.shape(1));
        Ok((self.images(batch)?, LocationMaps::new(values, [images, grid[0], grid[1], dim])?))
    }

    /// One image after the other: every intermediate value of a call stays in memory until it ends.
    fn images(&self, batch: &ImageBatch) -> Result<Embeddings, CandleError> {
        let mut values = Vec::new();
        for pixels in each_image(batch) {
            values.extend(self.image.evaluate([pixels?], IMAGE_EMBEDDINGS, self.shape(1))?);
        }
        self.embeddings(values)
    }

    /// Sentences of a batch together, padded to the longest.
    fn texts<S: AsRef<str>>(&self, sentences: &[S]) -> Result<Embeddings, CandleError> {
        let tokens = self.tokenizer.batch(sentences).map_err(CandleError::Tokenize)?;
        let shape = tokens.shape();
        let inputs = [Input::ids(TOKENS, shape, tokens.ids())?, Input::ids(MASK, shape, tokens.mask())?];
        let values = self.text.evaluate(inputs, TEXT_EMBEDDINGS, self.shape(sentences.len()))?;
        self.embeddings(values)
    }

    fn shape(&self, rows: usize) -> [usize; 2] {
        [rows, self.bundle.config().architecture.embedding_dim]
    }

    fn embeddings(&self, values: Vec<f32>) -> Result<Embeddings, CandleError> {
        Ok(Embeddings::new(values, self.bundle.config().architecture.embedding_dim)?)
    }
}

/// Every image of a batch as a batch of its own.
fn each_image(batch: &ImageBatch) -> impl Iterator<Item = Result<Input, CandleError>> + '_ {
    let [_, channels, height, width] = batch.shape();
    let images = batch.data().chunks_exact((channels * height * width).max(1));
    images.map(move |image| Input::pixels(PIXELS, [1, channels, height, width], image))
}

//! A bundle's graphs evaluated by candle-onnx: a referee that shares no code with the engines.

mod graph;
mod read;
mod rewrite;
#[cfg(test)]
mod tests;

use medclip_core::graph::{IMAGE_EMBEDDINGS, MASK, PIXELS, TEXT_EMBEDDINGS, TOKENS};
use medclip_core::{Embeddings, ImageBatch, Tokenizer};
use medclip_runtime::{Bundle, Precision, PrecisionChoice, SelfTest, TowerKind};

use super::error::CandleError;
use super::inputs::{Answers, BATCHES, Inputs, SENTENCES};
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
    pub(super) fn run(&self, inputs: &Inputs) -> Result<Answers, CandleError> {
        let images = inputs.images.iter().map(|batch| self.images(batch));
        let texts = BATCHES.iter().map(|&size| self.texts(&SENTENCES[..size]));
        Ok(Answers { images: images.collect::<Result<_, _>>()?, texts: texts.collect::<Result<_, _>>()? })
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

    /// One image after the other: every intermediate value of a call stays in memory until it ends.
    fn images(&self, batch: &ImageBatch) -> Result<Embeddings, CandleError> {
        let [rows, channels, height, width] = batch.shape();
        let mut values = Vec::new();
        for image in batch.data().chunks_exact((channels * height * width).max(1)).take(rows) {
            let pixels = Input::pixels(PIXELS, [1, channels, height, width], image)?;
            values.extend(self.image.evaluate([pixels], IMAGE_EMBEDDINGS, self.shape(1))?);
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

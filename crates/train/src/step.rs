//! From a batch to the gradient of every parameter, in one pass or by micro-batches.

mod micro;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::Range;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use medclip_core::tokenize::Tokenizer;
use medclip_data::LabelVector;
use medclip_nn::tower::Phase;
use medclip_nn::{MedClip, backward};

use crate::error::TrainError;
use crate::loss::Objective;
use crate::sentences::SentenceEncoder;

/// What a batch passes through on its way to a loss.
pub struct Pass<'a> {
    /// The model being trained.
    pub model: &'a MedClip,
    /// Of its text tower.
    pub tokenizer: &'a Tokenizer,
    /// What keeps the results of frozen layers.
    pub encoder: &'a mut SentenceEncoder,
    /// What is minimized.
    pub objective: Objective,
    /// Most images, and most sentences, whose activations are in memory together; none, and it is the whole batch.
    ///
    /// The gradients are the same to rounding, with two exceptions. Batch normalizations see the statistics of a
    /// micro-batch and update their running ones once for each. A text tower that pools over padding pads a sentence to
    /// the longest of its micro-batch.
    pub micro_batch: Option<NonZeroUsize>,
}

/// A batch as the model takes it.
pub struct Inputs<'a> {
    /// Normalized pixels, `[images, channels, side, side]`.
    pub pixels: Tensor,
    /// One vector an image.
    pub image_labels: &'a [LabelVector],
    /// The sentences, in one or more wordings of equal number; the loss is the mean over wordings.
    pub views: Vec<TextView<'a>>,
    /// One vector a sentence.
    pub sentence_labels: &'a [LabelVector],
}

/// The sentences of a batch in one wording.
pub struct TextView<'a> {
    /// Where each stands in the pool, so that frozen layers need not run again; none for wordings that are not in it.
    pub pool: Option<&'a [usize]>,
    /// The sentences.
    pub sentences: Vec<&'a str>,
}

impl Inputs<'_> {
    fn check(&self) -> Result<(), TrainError> {
        let (images, ..) = self.pixels.dims4()?;
        let sentences = self.sentence_labels.len();
        let fits = |view: &TextView<'_>| {
            view.sentences.len() == sentences && view.pool.is_none_or(|pool| pool.len() == sentences)
        };
        if images == self.image_labels.len() && self.views.iter().all(fits) {
            return Ok(());
        }
        let lengths: Vec<usize> = self.views.iter().map(|view| view.sentences.len()).collect();
        let labels = self.image_labels.len();
        Err(refused(format!("{images} images with {labels} labels, {lengths:?} sentences with {sentences}")))
    }

    const fn images(&self) -> usize {
        self.image_labels.len()
    }

    const fn sentences(&self) -> usize {
        self.sentence_labels.len()
    }
}

impl Pass<'_> {
    /// The loss of a batch in nats, and `share` times its gradient by every parameter that trains.
    ///
    /// # Errors
    /// [`TrainError`] when the towers or the objective cannot take the batch.
    pub fn gradients(&mut self, inputs: &Inputs<'_>, share: f64) -> Result<(f32, GradStore), TrainError> {
        inputs.check()?;
        let largest = inputs.images().max(inputs.sentences());
        match self.micro_batch {
            Some(size) if size.get() < largest => self.by_micro_batches(inputs, size, share),
            _ => self.in_one_pass(inputs, share),
        }
    }

    fn in_one_pass(&mut self, inputs: &Inputs<'_>, share: f64) -> Result<(f32, GradStore), TrainError> {
        let images = self.embed_images(inputs, 0..inputs.images(), Phase::Train)?;
        let mut texts = Vec::with_capacity(inputs.views.len());
        for view in &inputs.views {
            texts.push(self.embed_texts(view, 0..inputs.sentences())?);
        }
        let loss = self.loss(inputs, &images, &texts)?;
        Ok((loss.to_scalar()?, backward(&(loss * share)?)?))
    }

    /// `[range, embedding_dim]`.
    fn embed_images(
        &self,
        inputs: &Inputs<'_>,
        range: Range<usize>,
        phase: Phase,
    ) -> Result<Tensor, TrainError> {
        Ok(self.model.embed_images(&inputs.pixels.narrow(0, range.start, range.len())?, phase)?)
    }

    /// `[range, embedding_dim]`.
    fn embed_texts(&mut self, view: &TextView<'_>, range: Range<usize>) -> Result<Tensor, TrainError> {
        let sentences = &view.sentences[range.clone()];
        match view.pool {
            Some(pool) => self.encoder.embed(self.model, self.tokenizer, &pool[range], sentences),
            None => Ok(self.model.embed_texts(&self.tokenizer.batch(sentences)?)?),
        }
    }

    /// Mean over the views.
    fn loss(&self, inputs: &Inputs<'_>, images: &Tensor, views: &[Tensor]) -> Result<Tensor, TrainError> {
        let mut total: Option<Tensor> = None;
        for texts in views {
            let logits = self.model.logits(images, texts)?;
            let loss = self.objective.loss(&logits, inputs.image_labels, inputs.sentence_labels)?;
            total = Some(match total {
                Some(total) => (total + loss)?,
                None => loss,
            });
        }
        let total = total.ok_or_else(|| refused("a batch without sentences".to_owned()))?;
        Ok((total / views.len() as f64)?)
    }
}

/// Adds the gradients of `parameters` in `part` to `total`, without the graphs they came from.
///
/// Whatever else candle leaves in `part`, gradients of constants among it, is dropped.
///
/// # Errors
/// When shapes differ.
pub fn add_gradients(
    total: &mut GradStore,
    mut part: GradStore,
    parameters: &BTreeMap<String, Var>,
) -> Result<(), TrainError> {
    for var in parameters.values() {
        let Some(gradient) = part.remove(var) else { continue };
        let sum = match total.remove(var) {
            Some(total) => (total + gradient.detach())?,
            None => gradient.detach(),
        };
        total.insert(var, sum);
    }
    Ok(())
}

fn refused(reason: String) -> TrainError {
    candle_core::Error::Msg(reason).into()
}

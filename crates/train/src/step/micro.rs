//! Batches larger than memory: embeddings first, then their gradients back into one micro-batch after another.

use std::num::NonZeroUsize;
use std::ops::Range;

use candle_core::backprop::GradStore;
use candle_core::{Tensor, Var};
use medclip_nn::backward;
use medclip_nn::tower::Phase;

use super::{Inputs, Pass, add_gradients, refused};
use crate::error::TrainError;

impl Pass<'_> {
    /// The gradients of the whole batch, of which `size` images or sentences are in a tower at a time.
    ///
    /// A contrastive loss needs all embeddings, but its gradient splits by the chain rule: with `g = ∂L/∂e`, the gradient
    /// by a tower's parameters is that of `Σ e·g` over any parts of the batch, `g` being constant. So every part runs
    /// twice, the first time only for its embeddings.
    ///
    /// # Source
    /// Gao, Zhang, Han and Callan 2021, "Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup"
    /// (`GradCache`). The towers draw nothing at random, so both runs of a part agree.
    pub(super) fn by_micro_batches(
        &mut self,
        inputs: &Inputs<'_>,
        size: NonZeroUsize,
        share: f64,
    ) -> Result<(f32, GradStore), TrainError> {
        let image_parts = parts(inputs.images(), size);
        let text_parts = parts(inputs.sentences(), size);

        let mut embeds = Vec::with_capacity(image_parts.len());
        for part in &image_parts {
            embeds.push(self.embed_images(inputs, part.clone(), Phase::Preview)?.detach());
        }
        let images = leaf(&embeds)?;
        let mut views = Vec::with_capacity(inputs.views.len());
        for view in &inputs.views {
            embeds.clear();
            for part in &text_parts {
                embeds.push(self.embed_texts(view, part.clone())?.detach());
            }
            views.push(leaf(&embeds)?);
        }

        let texts: Vec<Tensor> = views.iter().map(|view| view.as_tensor().clone()).collect();
        let loss = self.loss(inputs, &images, &texts)?;
        let mut cached = backward(&(&loss * share)?)?;
        let image_gradient = taken(&mut cached, &images)?;
        let view_gradients =
            views.iter().map(|view| taken(&mut cached, view)).collect::<Result<Vec<_>, _>>()?;

        let parameters = self.model.store().parameters();
        let mut total = GradStore::default();
        add_gradients(&mut total, cached, parameters)?;
        for part in image_parts {
            let embeds = self.embed_images(inputs, part.clone(), Phase::Train)?;
            add_gradients(&mut total, pulled_back(&embeds, &image_gradient, part)?, parameters)?;
        }
        for (view, gradient) in inputs.views.iter().zip(view_gradients) {
            for part in &text_parts {
                let embeds = self.embed_texts(view, part.clone())?;
                add_gradients(&mut total, pulled_back(&embeds, &gradient, part.clone())?, parameters)?;
            }
        }
        Ok((loss.to_scalar()?, total))
    }
}

/// Consecutive ranges of at most `size` that make up `0..count`.
fn parts(count: usize, size: NonZeroUsize) -> Vec<Range<usize>> {
    (0..count).step_by(size.get()).map(|start| start..(start + size.get()).min(count)).collect()
}

/// All rows as one variable, where a gradient stops.
fn leaf(rows: &[Tensor]) -> Result<Var, TrainError> {
    Ok(Var::from_tensor(&Tensor::cat(rows, 0)?)?)
}

fn taken(gradients: &mut GradStore, leaf: &Var) -> Result<Tensor, TrainError> {
    let gradient = gradients.remove(leaf);
    Ok(gradient.ok_or_else(|| refused("embeddings received no gradient".to_owned()))?.detach())
}

/// Gradients of `Σ embeds · gradient[part]`.
fn pulled_back(embeds: &Tensor, gradient: &Tensor, part: Range<usize>) -> Result<GradStore, TrainError> {
    let gradient = gradient.narrow(0, part.start, part.len())?;
    Ok(backward(&(embeds * gradient)?.sum_all()?)?)
}

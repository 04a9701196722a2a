//! Attention of all groups and heads as batched matrix products.

use candle_core::{D, Result, Tensor, bail};
use candle_nn::ops::softmax_last_dim;

use super::cast::wide;
use crate::op::attention::mask::{AttentionMask, Groups};
use crate::tape::Tape;

/// [`attention`](crate::op::attention()), whose checks have been made.
pub(in crate::op) fn attention(
    tape: &mut Tape,
    projections: &Tensor,
    groups: Groups,
    bias: Option<&Tensor>,
    mask: &AttentionMask,
) -> Result<Tensor> {
    let Groups { groups: count, tokens, .. } = groups;
    let device = projections.device();
    let mask = match mask {
        AttentionMask::None => None,
        AttentionMask::Keys(values) => Some(Tensor::from_slice(values, (count, 1, 1, 1, tokens), device)?),
        AttentionMask::Pairs(values) => {
            let period = values.len() / (tokens * tokens);
            if !count.is_multiple_of(period) {
                bail!("a mask of {period} groups for {count}");
            }
            Some(Tensor::from_slice(values, (1, period, 1, tokens, tokens), device)?)
        }
    };
    let op = Attention { groups, bias: bias.map(Tensor::detach), mask };
    let kept = projections.detach();
    let y = {
        let (heads, weights) = op.weights(&kept)?;
        op.merged(&weights.to_dtype(kept.dtype())?.matmul(&heads.value)?)?
    };
    let inputs: Vec<&Tensor> = std::iter::once(projections).chain(bias).collect();
    tape.record(&inputs, &y, move |gradient, _| {
        let (dprojections, dbias) = op.backward(&kept, &gradient)?;
        Ok(std::iter::once(dprojections).chain(dbias).map(Some).collect())
    });
    Ok(y)
}

struct Attention {
    groups: Groups,
    bias: Option<Tensor>,
    /// To be added to `[groups / period, period, heads, tokens, tokens]`.
    mask: Option<Tensor>,
}

/// Each `[groups · heads, tokens, size]`.
struct Heads {
    query: Tensor,
    key: Tensor,
    value: Tensor,
    /// Factor of the scores.
    scale: f64,
}

impl Attention {
    fn heads(&self, projections: &Tensor) -> Result<Heads> {
        let Groups { groups, tokens, heads } = self.groups;
        let size = projections.dim(1)? / (3 * heads);
        let parts = projections.reshape((groups, tokens, 3, heads, size))?.permute((2, 0, 3, 1, 4))?;
        let part = |at: usize| parts.get(at)?.contiguous()?.reshape((groups * heads, tokens, size));
        Ok(Heads { query: part(0)?, key: part(1)?, value: part(2)?, scale: (size as f64).sqrt().recip() })
    }

    /// The heads, and the weights of values, `[groups · heads, tokens, tokens]`, in a type that holds sums.
    fn weights(&self, projections: &Tensor) -> Result<(Heads, Tensor)> {
        let Groups { groups, tokens, heads } = self.groups;
        let parts = self.heads(projections)?;
        let mut scores = (wide(&parts.query.matmul(&parts.key.t()?)?)? * parts.scale)?;
        if let Some(bias) = &self.bias {
            let bias = bias.to_dtype(scores.dtype())?;
            scores = scores.reshape((groups, heads, tokens, tokens))?.broadcast_add(&bias)?;
        }
        if let Some(mask) = &self.mask {
            // Either axis may be the one that the mask repeats over.
            let period = if mask.dim(0)? == 1 { mask.dim(1)? } else { 1 };
            let mask = mask.to_dtype(scores.dtype())?;
            scores =
                scores.reshape((groups / period, period, heads, tokens, tokens))?.broadcast_add(&mask)?;
        }
        let weights = softmax_last_dim(&scores.reshape((groups * heads, tokens, tokens))?)?;
        Ok((parts, weights))
    }

    /// Heads side by side again: `[groups · heads, tokens, size]` to `[groups · tokens, heads · size]`.
    fn merged(&self, x: &Tensor) -> Result<Tensor> {
        let Groups { groups, tokens, heads } = self.groups;
        let size = x.dim(D::Minus1)?;
        let x = x.reshape((groups, heads, tokens, size))?.transpose(1, 2)?.contiguous()?;
        x.reshape((groups * tokens, heads * size))
    }

    /// Gradients of the projections and, where there is one, of the bias.
    fn backward(&self, projections: &Tensor, gradient: &Tensor) -> Result<(Tensor, Option<Tensor>)> {
        let Groups { groups, tokens, heads } = self.groups;
        let dtype = projections.dtype();
        let (parts, weights) = self.weights(projections)?;
        let size = parts.value.dim(D::Minus1)?;
        let gradient = gradient.reshape((groups, tokens, heads, size))?.transpose(1, 2)?.contiguous()?;
        let gradient = gradient.reshape((groups * heads, tokens, size))?;

        let dvalue = weights.to_dtype(dtype)?.t()?.matmul(&gradient)?;
        let dweights = wide(&gradient.matmul(&parts.value.t()?)?)?;
        // Through the softmax: p·(g − Σ p·g).
        let shared = (&weights * &dweights)?.sum_keepdim(D::Minus1)?;
        let dscores = (weights * dweights.broadcast_sub(&shared)?)?;
        let dbias = match &self.bias {
            Some(bias) => {
                Some(dscores.reshape((groups, heads, tokens, tokens))?.sum(0)?.to_dtype(bias.dtype())?)
            }
            None => None,
        };
        let dscores = (dscores * parts.scale)?.to_dtype(dtype)?;
        let dquery = dscores.matmul(&parts.key)?;
        let dkey = dscores.t()?.matmul(&parts.query)?;

        let each = [dquery, dkey, dvalue].map(|part| self.merged(&part));
        let each = each.into_iter().collect::<Result<Vec<_>>>()?;
        Ok((Tensor::cat(&each, 1)?, dbias))
    }
}

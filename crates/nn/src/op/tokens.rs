//! Tokens moved to other places.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::portable;
use crate::cpu::{contiguous, has_kernel};
use crate::tape::Tape;

/// Token i of the result is token `moves[i]` of `x`, or zeros where there is none; in every image alike.
///
/// # Shapes
/// - `x`: `[batch · tokens, width]`
/// - returns: `[batch · moves, width]`
/// # Errors
/// When a token is moved twice or does not exist.
pub fn move_tokens(tape: &mut Tape, x: &Tensor, batch: usize, moves: &[Option<usize>]) -> Result<Tensor> {
    let (rows, _) = x.dims2()?;
    if batch == 0 || !rows.is_multiple_of(batch) {
        bail!("{rows} tokens of {batch} images");
    }
    let mut back = vec![None; rows / batch];
    for (to, from) in moves.iter().enumerate() {
        let Some(from) = from else { continue };
        match back.get_mut(*from) {
            Some(place @ None) => *place = Some(to),
            Some(Some(_)) => bail!("token {from} is moved twice"),
            None => bail!("there is no token {from} of {}", rows / batch),
        }
    }
    if !has_kernel(x) {
        return portable::move_tokens(tape, x, batch, moves, back);
    }
    tape.apply1(x, MoveTokens { batch, moves: moves.into(), back: back.into() })
}

struct MoveTokens {
    batch: usize,
    moves: Arc<[Option<usize>]>,
    /// The gradient's way.
    back: Arc<[Option<usize>]>,
}

impl CustomOp1 for MoveTokens {
    fn name(&self) -> &'static str {
        "move-tokens"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = layout.shape().dims2()?;
        let x = contiguous(storage, layout)?;
        let (from, to) = (self.back.len() * width, self.moves.len() * width);
        let mut y = vec![0.0_f32; self.batch * to];
        y.par_chunks_mut(to).zip(x.par_chunks(from)).for_each(|(y, x)| {
            for (y, from) in y.chunks_exact_mut(width).zip(&*self.moves) {
                if let Some(from) = from {
                    y.copy_from_slice(&x[from * width..][..width]);
                }
            }
        });
        Ok((CpuStorage::F32(y), Shape::from((self.batch * self.moves.len(), width))))
    }

    fn bwd(&self, _arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = Self { batch: self.batch, moves: Arc::clone(&self.back), back: Arc::clone(&self.moves) };
        Ok(Some(grad.contiguous()?.apply_op1_no_bwd(&op)?))
    }
}

//! Attention of every head in one pass, from projections to mixed values.

mod head;
pub(super) mod mask;

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, bail};
use pulp::Simd;
use rayon::prelude::*;

use self::head::{Head, Scratch};
use self::mask::{AttentionMask, Groups};
use super::portable;
use crate::cpu::{SideOutput, contiguous, has_kernel, kernel, sum_rows};
use crate::tape::Tape;

/// Groups whose gradients of the bias are summed before the rest.
const CHUNK_GROUPS: usize = 4;

/// `softmax(Q·Kᵀ/√size + bias + mask) · V` in every head.
///
/// The weights are not kept: the backward pass computes them again from the projections.
///
/// # Shapes
/// - `projections`: `[groups · tokens, 3 · heads · size]`, queries, keys and values side by side
/// - `bias`: `[heads, tokens, tokens]`
/// - returns: `[groups · tokens, heads · size]`
/// # Errors
/// When the shapes disagree.
/// # Source
/// Vaswani et al. 2017, equation 1; with bias and mask Liu et al. 2021, equation 4 and figure 4.
pub fn attention(
    tape: &mut Tape,
    projections: &Tensor,
    groups: Groups,
    bias: Option<&Tensor>,
    mask: AttentionMask,
) -> Result<Tensor> {
    let (rows, width) = projections.dims2()?;
    let Groups { groups: count, tokens, heads } = groups;
    let pairs = tokens * tokens;
    if rows == 0 || rows != count * tokens || width == 0 || !width.is_multiple_of(3 * heads) {
        bail!("attention of {:?} in {groups:?}", projections.dims());
    }
    let fits = match &mask {
        AttentionMask::None => true,
        AttentionMask::Keys(values) => values.len() == rows,
        AttentionMask::Pairs(values) => !values.is_empty() && values.len().is_multiple_of(pairs),
    };
    if !fits || bias.is_some_and(|bias| bias.dims() != [heads, tokens, tokens]) {
        bail!("bias of {:?} or mask for {groups:?}", bias.map(Tensor::dims));
    }
    if !has_kernel(projections) {
        return portable::attention(tape, projections, groups, bias, &mask);
    }
    let bias_values = bias.map(|bias| bias.flatten_all()?.to_vec1()).transpose()?;
    let size = width / (3 * heads);
    let op = Arc::new(Attention { groups, size, bias: bias_values, mask });
    let projected = projections.detach();
    let y = projected.apply_op1_no_bwd(&Forward(Arc::clone(&op)))?;
    let inputs: Vec<&Tensor> = std::iter::once(projections).chain(bias).collect();
    tape.record(&inputs, &y, move |gradient, _| {
        let backward = Backward { op, dbias: SideOutput::default() };
        let found = projected.apply_op2_no_bwd(&gradient, &backward)?;
        let dbias = backward.dbias.take();
        if dbias.is_empty() {
            return Ok(vec![Some(found)]);
        }
        let dbias = Tensor::from_vec(dbias, (heads, tokens, tokens), projected.device())?;
        Ok(vec![Some(found), Some(dbias)])
    });
    Ok(y)
}

pub(super) struct Attention {
    pub(super) groups: Groups,
    pub(super) size: usize,
    pub(super) bias: Option<Vec<f32>>,
    pub(super) mask: AttentionMask,
}

impl Attention {
    /// One head of one group, over the group's rows of projections.
    fn head<'a>(&'a self, projections: &'a [f32], group: usize, head: usize) -> Head<'a> {
        let Groups { tokens, heads, .. } = self.groups;
        let pairs = tokens * tokens;
        let (keys, masks) = match &self.mask {
            AttentionMask::None => (None, None),
            AttentionMask::Keys(values) => (Some(&values[group * tokens..][..tokens]), None),
            AttentionMask::Pairs(values) => {
                let block = group % (values.len() / pairs);
                (None, Some(&values[block * pairs..][..pairs]))
            }
        };
        Head {
            tokens,
            size: self.size,
            width: heads * self.size,
            at: head * self.size,
            projections,
            bias: self.bias.as_ref().map(|bias| &bias[head * pairs..][..pairs]),
            keys,
            pairs: masks,
        }
    }
}

impl Attention {
    /// Gradients of the projections of groups from `first` on, and of the bias, summed over them.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "must be compiled for the caller's vector instructions")]
    fn backward_groups<S: Simd>(
        &self,
        simd: S,
        scratch: &mut Scratch,
        first: usize,
        dx: &mut [f32],
        x: &[f32],
        grad: &[f32],
    ) -> Vec<f32> {
        let Groups { tokens, heads, .. } = self.groups;
        let (rows, pairs) = (tokens * heads * self.size, tokens * tokens);
        let mut dbias = vec![0.0_f32; self.bias.as_ref().map_or(0, Vec::len)];
        let groups = dx.chunks_exact_mut(3 * rows).zip(x.chunks_exact(3 * rows)).zip(grad.chunks_exact(rows));
        for (inner, ((dx, x), grad)) in groups.enumerate() {
            for head in 0..heads {
                let dbias = dbias.chunks_exact_mut(pairs).nth(head);
                self.head(x, first + inner, head).backward(simd, scratch, grad, dx, dbias);
            }
        }
        dbias
    }
}

struct Forward(Arc<Attention>);

impl CustomOp1 for Forward {
    fn name(&self) -> &'static str {
        "attention"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let op = &*self.0;
        let Groups { groups, tokens, heads } = op.groups;
        let width = heads * op.size;
        let x = contiguous(storage, layout)?;
        let mut y = vec![0.0_f32; groups * tokens * width];
        y.par_chunks_mut(tokens * width).zip(x.par_chunks(3 * tokens * width)).enumerate().for_each_init(
            || Scratch::new(tokens, op.size),
            |scratch, (group, (y, x))| {
                kernel!(simd, |op: &'a Attention,
                               scratch: &'a mut Scratch,
                               y: &'a mut [f32],
                               x: &'a [f32],
                               group: usize|
                 -> () {
                    for head in 0..op.groups.heads {
                        op.head(x, group, head).forward(simd, scratch, y);
                    }
                });
            },
        );
        Ok((CpuStorage::F32(y), Shape::from((groups * tokens, width))))
    }
}

pub(super) struct Backward {
    pub(super) op: Arc<Attention>,
    /// Gradient of the bias, left here by the pass over the groups; empty without a bias.
    pub(super) dbias: SideOutput<Vec<f32>>,
}

impl CustomOp2 for Backward {
    fn name(&self) -> &'static str {
        "attention-backward"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let op = &*self.op;
        let Groups { tokens, heads, .. } = op.groups;
        let width = heads * op.size;
        let (x, grad) = (contiguous(s1, l1)?, contiguous(s2, l2)?);
        let mut dx = vec![0.0_f32; x.len()];
        let chunk = CHUNK_GROUPS * tokens * width;
        let dbias: Vec<Vec<f32>> = dx
            .par_chunks_mut(3 * chunk)
            .zip(x.par_chunks(3 * chunk))
            .zip(grad.par_chunks(chunk))
            .enumerate()
            .map_init(
                || Scratch::new(tokens, op.size),
                |scratch, (first, ((dx, x), grad))| {
                    let first = first * CHUNK_GROUPS;
                    kernel!(simd, |op: &'a Attention,
                                   scratch: &'a mut Scratch,
                                   first: usize,
                                   dx: &'a mut [f32],
                                   x: &'a [f32],
                                   grad: &'a [f32]|
                     -> Vec<f32> {
                        op.backward_groups(simd, scratch, first, dx, x, grad)
                    })
                },
            )
            .collect();
        self.dbias.put(sum_rows(dbias.iter(), op.bias.as_ref().map_or(0, Vec::len)));
        Ok((CpuStorage::F32(dx), l1.shape().clone()))
    }
}

//! Rows of a table by index.

use std::sync::Arc;

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, bail};
use rayon::prelude::*;

use super::portable;
use crate::cpu::{contiguous, has_kernel};
use crate::tape::Tape;

/// Row `i` of the result is row `rows[i]` of `table`.
///
/// # Shapes
/// - `table`: `[count, width]`
/// - returns: `[rows, width]`
/// # Errors
/// When there is no such row.
pub fn embedding(tape: &mut Tape, table: &Tensor, rows: Vec<usize>) -> Result<Tensor> {
    let (count, _) = table.dims2()?;
    if let Some(row) = rows.iter().find(|row| **row >= count) {
        bail!("there is no row {row} of {count}");
    }
    if !has_kernel(table) {
        return portable::embedding(tape, table, &rows);
    }
    tape.apply1(table, Embedding { rows: rows.into() })
}

struct Embedding {
    rows: Arc<[usize]>,
}

impl CustomOp1 for Embedding {
    fn name(&self) -> &'static str {
        "embedding"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = layout.shape().dims2()?;
        let table = contiguous(storage, layout)?;
        let mut y = vec![0.0_f32; self.rows.len() * width];
        y.par_chunks_mut(width)
            .zip(self.rows.par_iter())
            .for_each(|(y, row)| y.copy_from_slice(&table[row * width..][..width]));
        Ok((CpuStorage::F32(y), Shape::from((self.rows.len(), width))))
    }

    fn bwd(&self, arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let op = EmbeddingBackward { rows: Arc::clone(&self.rows), count: arg.dim(0)? };
        Ok(Some(grad.apply_op1_no_bwd(&op)?))
    }
}

/// Every row of the table collects the gradients of its copies, in their order.
struct EmbeddingBackward {
    rows: Arc<[usize]>,
    count: usize,
}

impl CustomOp1 for EmbeddingBackward {
    fn name(&self) -> &'static str {
        "embedding-backward"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (_, width) = layout.shape().dims2()?;
        let grad = contiguous(storage, layout)?;
        let mut dtable = vec![0.0_f32; self.count * width];
        for (row, grad) in self.rows.iter().zip(grad.chunks_exact(width)) {
            for (d, g) in dtable[row * width..][..width].iter_mut().zip(grad) {
                *d += g;
            }
        }
        Ok((CpuStorage::F32(dtable), Shape::from((self.count, width))))
    }
}

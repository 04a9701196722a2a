//! Operations on whole rows.

use candle_core::{Result, Tensor};

use super::cast::wide;
use crate::tape::Tape;

/// [`embedding`](crate::op::embedding()).
pub(in crate::op) fn embedding(tape: &mut Tape, table: &Tensor, rows: &[usize]) -> Result<Tensor> {
    let rows: Vec<u32> = rows.iter().map(|row| *row as u32).collect();
    let rows = Tensor::new(rows, table.device())?;
    let values = table.detach();
    let y = values.index_select(&rows, 0)?;
    tape.record(&[table], &y, move |gradient, _| {
        Ok(vec![Some(values.zeros_like()?.index_add(&rows, &gradient.to_dtype(values.dtype())?, 0)?)])
    });
    Ok(y)
}

/// [`pool`](crate::op::pool()), the means in a type that holds sums.
pub(in crate::op) fn pool(tape: &mut Tape, x: &Tensor, batch: usize, weights: Vec<f32>) -> Result<Tensor> {
    let (rows, width) = x.dims2()?;
    let values = wide(&x.detach())?.reshape((batch, rows / batch, width))?;
    let weights =
        Tensor::from_vec(weights, (batch, rows / batch, 1), x.device())?.to_dtype(values.dtype())?;
    let y = values.broadcast_mul(&weights)?.sum(1)?;
    let dtype = x.dtype();
    tape.record(&[x], &y, move |gradient, _| {
        let spread = gradient.unsqueeze(1)?.broadcast_mul(&weights)?;
        Ok(vec![Some(spread.reshape((rows, width))?.to_dtype(dtype)?)])
    });
    Ok(y)
}

/// [`add_relu`](crate::op::add_relu()).
pub(in crate::op) fn add_relu(tape: &mut Tape, x: &Tensor, shortcut: &Tensor) -> Result<Tensor> {
    let y = (x.detach() + shortcut.detach())?.relu()?;
    let kept = y.clone();
    tape.record(&[x, shortcut], &y, move |gradient, _| {
        let gradient = (&gradient * kept.gt(&kept.zeros_like()?)?.to_dtype(gradient.dtype())?)?;
        Ok(vec![Some(gradient.clone()), Some(gradient)])
    });
    Ok(y)
}

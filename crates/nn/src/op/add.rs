//! Sums of two tensors.

use candle_core::{Result, Tensor};

use crate::cpu::add_values;
use crate::tape::Tape;

/// `a + b`.
///
/// # Shapes
/// - `a`, `b`, returns: one shape
/// # Errors
/// When the shapes differ.
pub fn add(tape: &mut Tape, a: &Tensor, b: &Tensor) -> Result<Tensor> {
    let sum = add_values(a, b)?;
    tape.record(&[a, b], &sum, |gradient, _| Ok(vec![Some(gradient.clone()), Some(gradient)]));
    Ok(sum)
}

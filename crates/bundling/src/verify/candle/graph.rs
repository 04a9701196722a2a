//! A rewritten graph, and its evaluation.

use std::collections::HashMap;

use candle_core::{DType, Device, Tensor};
use candle_onnx::onnx::ModelProto;
use candle_onnx::simple_eval;
use medclip_core::guard::catch;

use super::rewrite::rewrite;
use crate::verify::error::CandleError;

/// A graph of operators that candle-onnx evaluates as ONNX defines them.
pub(super) struct Graph(ModelProto);

/// A value by the name of the graph's input.
pub(super) struct Input(&'static str, Tensor);

impl Input {
    /// Pixels in single precision.
    pub(super) fn pixels(name: &'static str, shape: [usize; 4], values: &[f32]) -> Result<Self, CandleError> {
        Ok(Self(name, Tensor::from_slice(values, shape.as_slice(), &Device::Cpu)?))
    }

    /// Tokens, or their mask.
    pub(super) fn ids(name: &'static str, shape: [usize; 2], values: &[i64]) -> Result<Self, CandleError> {
        Ok(Self(name, Tensor::from_slice(values, shape.as_slice(), &Device::Cpu)?))
    }
}

impl Graph {
    /// Rewrites a graph whose tensors hold their values.
    ///
    /// # Errors
    /// [`CandleError::Operator`].
    pub(super) fn new(model: ModelProto) -> Result<Self, CandleError> {
        rewrite(model).map(Self)
    }

    /// The output called `name`, `[rows, dim]`.
    ///
    /// # Errors
    /// [`CandleError`] where the evaluation fails, or gives another shape or what is not finite.
    pub(super) fn evaluate<const N: usize>(
        &self,
        inputs: [Input; N],
        name: &str,
        shape: [usize; 2],
    ) -> Result<Vec<f32>, CandleError> {
        let (values, actual) = self.output(inputs, name)?;
        if actual != shape {
            return Err(CandleError::OutputShape { expected: shape, actual });
        }
        match values.iter().position(|value| !value.is_finite()) {
            Some(position) => Err(CandleError::NonFinite { row: position / shape[1].max(1) + 1 }),
            None => Ok(values),
        }
    }

    /// An output of any shape, and its shape; empty where the graph lacks it.
    pub(super) fn output<const N: usize>(
        &self,
        inputs: [Input; N],
        name: &str,
    ) -> Result<(Vec<f32>, Vec<usize>), CandleError> {
        let inputs: HashMap<_, _> =
            inputs.into_iter().map(|Input(name, value)| (name.to_owned(), value)).collect();
        // An index out of a node's inputs, or a gather by a cube of indices, is a panic there.
        let outputs =
            catch(|| simple_eval(&self.0, inputs)).map_err(|message| CandleError::Panic { message })??;
        let Some(found) = outputs.get(name) else { return Ok((Vec::new(), Vec::new())) };
        let values = found.to_dtype(DType::F32)?.flatten_all()?.to_vec1::<f32>()?;
        Ok((values, found.dims().to_vec()))
    }
}

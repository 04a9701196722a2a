//! Reverse-mode differentiation of a whole tower as one node of candle's graph.
//!
//! candle's own backward pass starts every gradient from zeros and adds to it edge by edge, in passes whose threads
//! spin until the slowest is done, computes gradients of constants, and keeps all activations to the end. A [`Tape`]
//! hands gradients on as they are, adds only where a value was used twice, and frees what an operation saved once its
//! gradient is known.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};

use candle_core::backend::BackendStorage;
use candle_core::backprop::GradStore;
use candle_core::{
    CpuStorage, CudaStorage, CustomOp1, CustomOp2, CustomOp3, DType, Layout, Result, Shape, Storage, Tensor,
    TensorId, bail,
};

use crate::compute::ComputePrecision;
use crate::cpu::{add_values, contiguous};

/// What an operation hands back for each of its inputs; `None` where the input needs none.
type Gradients = Vec<Option<Tensor>>;

/// Gradient of what a tape goes on from, and of the parameters on it.
type Found = (Option<Tensor>, Vec<(TensorId, Tensor)>);

/// From the gradient of an operation's output, and which inputs need one, those of the inputs.
type Backward = Box<dyn FnOnce(Tensor, &[bool]) -> Result<Gradients> + Send>;

/// The operations of one forward pass, in order.
#[derive(Default)]
pub struct Tape {
    steps: Vec<Step>,
    /// What parameters have an influence on.
    tracked: HashSet<TensorId>,
    /// Parameters in order of first use.
    parameters: Vec<Tensor>,
    /// What comes from candle's graph and gets its gradient there.
    input: Option<Tensor>,
    precision: ComputePrecision,
}

struct Step {
    inputs: Vec<(TensorId, bool)>,
    output: TensorId,
    backward: Backward,
}

impl Tape {
    /// An empty tape.
    pub fn new() -> Self {
        Self::default()
    }

    /// A tape that goes on from a tensor of candle's graph: whatever that came from gets its gradients too.
    pub fn continuing(input: &Tensor) -> Self {
        Self { tracked: HashSet::from([input.id()]), input: Some(input.clone()), ..Self::default() }
    }

    /// The same tape, with activations of this precision where a tower takes its inputs in.
    #[must_use]
    pub fn with_precision(self, precision: ComputePrecision) -> Self {
        Self { precision, ..self }
    }

    /// The output in `f32` as a tensor of candle's graph, through which [`backward`] reaches the parameters.
    ///
    /// # Errors
    /// When the device fails.
    pub fn finish(mut self, output: &Tensor) -> Result<Tensor> {
        let output = &self.cast(output, DType::F32)?;
        let hook = self.input.as_ref().or(self.parameters.first()).cloned();
        let Some(hook) = hook else { return Ok(output.clone()) };
        if !self.is_tracked(output) {
            return Ok(output.clone());
        }
        let taped = Taped { tape: Mutex::new(Some((self, output.id()))), output: output.contiguous()? };
        hook.apply_op1(taped)
    }

    /// The same values in the precision of activations.
    pub(crate) fn enter(&mut self, x: &Tensor) -> Result<Tensor> {
        self.cast(x, self.precision.dtype())
    }

    /// The same values in another type.
    pub(crate) fn cast(&mut self, x: &Tensor, dtype: DType) -> Result<Tensor> {
        let before = x.dtype();
        if before == dtype {
            return Ok(x.clone());
        }
        let y = x.detach().to_dtype(dtype)?;
        self.record(&[x], &y, move |gradient, _| Ok(vec![Some(gradient.to_dtype(before)?)]));
        Ok(y)
    }

    /// Adds an operation that made `output` of `inputs`.
    pub(crate) fn record(
        &mut self,
        inputs: &[&Tensor],
        output: &Tensor,
        backward: impl FnOnce(Tensor, &[bool]) -> Result<Gradients> + Send + 'static,
    ) {
        let inputs: Vec<_> = inputs.iter().map(|input| (input.id(), self.track(input))).collect();
        if inputs.iter().any(|(_, needed)| *needed) {
            self.tracked.insert(output.id());
            self.steps.push(Step { inputs, output: output.id(), backward: Box::new(backward) });
        }
    }

    /// Runs an operation of candle's kind and records its own backward pass.
    pub(crate) fn apply1(&mut self, x: &Tensor, op: impl CustomOp1 + Send + 'static) -> Result<Tensor> {
        let y = x.apply_op1_no_bwd(&op)?;
        let (arg, result) = (x.detach(), y.clone());
        self.record(&[x], &y, move |gradient, _| Ok(vec![op.bwd(&arg, &result, &gradient)?]));
        Ok(y)
    }

    /// [`Self::apply1`] of two inputs.
    pub(crate) fn apply2(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        op: impl CustomOp2 + Send + 'static,
    ) -> Result<Tensor> {
        let y = a.apply_op2_no_bwd(b, &op)?;
        let (arg1, arg2, result) = (a.detach(), b.detach(), y.clone());
        self.record(&[a, b], &y, move |gradient, _| {
            let (first, second) = op.bwd(&arg1, &arg2, &result, &gradient)?;
            Ok(vec![first, second])
        });
        Ok(y)
    }

    /// [`Self::apply1`] of three inputs.
    pub(crate) fn apply3(
        &mut self,
        a: &Tensor,
        b: &Tensor,
        c: &Tensor,
        op: impl CustomOp3 + Send + 'static,
    ) -> Result<Tensor> {
        let y = a.apply_op3_no_bwd(b, c, &op)?;
        let (arg1, arg2, arg3, result) = (a.detach(), b.detach(), c.detach(), y.clone());
        self.record(&[a, b, c], &y, move |gradient, _| {
            let (first, second, third) = op.bwd(&arg1, &arg2, &arg3, &result, &gradient)?;
            Ok(vec![first, second, third])
        });
        Ok(y)
    }

    /// The same values under another shape.
    pub(crate) fn reshape(&mut self, x: &Tensor, shape: impl Into<Shape>) -> Result<Tensor> {
        let y = x.detach().reshape(shape.into())?;
        if y.id() == x.id() {
            return Ok(y);
        }
        let before = x.shape().clone();
        self.record(&[x], &y, move |gradient, _| Ok(vec![Some(gradient.reshape(before)?)]));
        Ok(y)
    }

    /// Rows and columns exchanged.
    pub(crate) fn transpose(&mut self, x: &Tensor) -> Result<Tensor> {
        let y = x.detach().t()?.contiguous()?;
        self.record(&[x], &y, |gradient, _| Ok(vec![Some(gradient.t()?.contiguous()?)]));
        Ok(y)
    }

    fn is_tracked(&self, tensor: &Tensor) -> bool {
        tensor.is_variable() || self.tracked.contains(&tensor.id())
    }

    fn track(&mut self, tensor: &Tensor) -> bool {
        if tensor.is_variable() && self.tracked.insert(tensor.id()) {
            self.parameters.push(tensor.clone());
        }
        self.is_tracked(tensor)
    }

    /// Gradient of the input, and those of the parameters, in order of their first use.
    fn backward(self, output: TensorId, gradient: Tensor) -> Result<Found> {
        let mut gradients = HashMap::from([(output, gradient)]);
        for step in self.steps.into_iter().rev() {
            let Some(gradient) = gradients.remove(&step.output) else { continue };
            let needed: Vec<bool> = step.inputs.iter().map(|(_, needed)| *needed).collect();
            let found = (step.backward)(gradient, &needed)?;
            for ((id, needed), gradient) in step.inputs.into_iter().zip(found) {
                let (true, Some(gradient)) = (needed, gradient) else { continue };
                let sum = match gradients.remove(&id) {
                    Some(sum) => add_values(&sum, &gradient)?,
                    None => gradient,
                };
                gradients.insert(id, sum);
            }
        }
        let input = self.input.and_then(|input| gradients.remove(&input.id()));
        let parameters = self.parameters.iter().map(Tensor::id);
        Ok((input, parameters.filter_map(|id| Some((id, gradients.remove(&id)?))).collect()))
    }
}

thread_local! {
    /// Gradients of parameters that tapes found during a [`backward`] of this thread.
    static FOUND: RefCell<Option<Vec<(TensorId, Tensor)>>> = const { RefCell::new(None) };
}

/// Gradients of a scalar, those that tapes on the way find included; candle's `Tensor::backward` fails on a tape.
///
/// # Errors
/// When an operation has no backward pass, or a part of the graph ran backward before.
pub fn backward(loss: &Tensor) -> Result<GradStore> {
    FOUND.replace(Some(Vec::new()));
    let result = loss.backward();
    let found = FOUND.take().unwrap_or_default();
    let mut gradients = result?;
    for (id, gradient) in found {
        let sum = match gradients.get_id(id) {
            Some(sum) => add_values(&sum.contiguous()?, &gradient)?,
            None => gradient,
        };
        gradients.insert_id(id, sum);
    }
    Ok(gradients)
}

/// A finished tape in candle's graph, hung on its input or on one of its parameters.
struct Taped {
    tape: Mutex<Option<(Tape, TensorId)>>,
    /// Contiguous.
    output: Tensor,
}

impl CustomOp1 for Taped {
    fn name(&self) -> &'static str {
        "tape"
    }

    fn cpu_fwd(&self, _storage: &CpuStorage, _layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (storage, layout) = self.output.storage_and_layout();
        let Storage::Cpu(storage) = &*storage else { bail!("a tape hung on another device") };
        Ok((CpuStorage::F32(contiguous(storage, layout)?.to_vec()), layout.shape().clone()))
    }

    fn cuda_fwd(&self, _storage: &CudaStorage, _layout: &Layout) -> Result<(CudaStorage, Shape)> {
        let (storage, layout) = self.output.storage_and_layout();
        let Storage::Cuda(storage) = &*storage else { bail!("a tape hung on another device") };
        // A copy takes the whole storage.
        if layout.start_offset() != 0 {
            bail!("the output of a tape is part of another tensor");
        }
        Ok((storage.try_clone(layout)?, layout.shape().clone()))
    }

    fn bwd(&self, _arg: &Tensor, _res: &Tensor, grad: &Tensor) -> Result<Option<Tensor>> {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((tape, output)) = tape else { bail!("a tape runs backward once") };
        let (input, gradients) = tape.backward(output, grad.contiguous()?)?;
        FOUND.with_borrow_mut(|found| match found {
            Some(found) => {
                found.extend(gradients);
                Ok(input)
            }
            None => bail!("gradients of a tape come from medclip_nn::backward"),
        })
    }
}

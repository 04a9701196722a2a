//! Named parameters and buffers, in one sorted place.

use std::collections::BTreeMap;

use candle_core::{DType, Device, Result, Shape, Tensor, Var, bail};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::compute::{Compute, ComputePrecision};

/// How a parameter starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// A constant.
    Constant(f32),
    /// Normal with this standard deviation.
    Normal(f32),
    /// Uniform in `±1/√fan_in`, PyTorch's default for linear layers.
    UniformFanIn(usize),
}

/// Everything a model learns (parameters) or accumulates (buffers), by the names of the checkpoint.
///
/// Sorted by name: candle's `VarMap` iterates in random order, which would make optimizer state and floating-point
/// sums differ from run to run.
pub struct ParameterStore {
    parameters: BTreeMap<String, Var>,
    buffers: BTreeMap<String, Var>,
    frozen: Box<dyn Fn(&str) -> bool>,
    rng: ChaCha8Rng,
    compute: Compute,
}

impl ParameterStore {
    /// An empty store whose random starts derive from `seed`; parameters that are `frozen` get no gradient.
    pub fn new(seed: u64, compute: Compute, frozen: impl Fn(&str) -> bool + 'static) -> Self {
        Self {
            parameters: BTreeMap::new(),
            buffers: BTreeMap::new(),
            frozen: Box::new(frozen),
            rng: ChaCha8Rng::seed_from_u64(seed),
            compute,
        }
    }

    /// Where the values are.
    pub const fn device(&self) -> &Device {
        &self.compute.device
    }

    /// What the towers compute in; parameters and buffers are `f32`.
    pub const fn precision(&self) -> ComputePrecision {
        self.compute.precision
    }

    /// Adds a parameter and returns it as a tensor that follows later updates.
    ///
    /// # Errors
    /// When the name is taken or the device fails.
    pub fn parameter(&mut self, name: &str, shape: impl Into<Shape>, init: Init) -> Result<Tensor> {
        let values = self.initial(shape.into(), init)?;
        if self.buffers.contains_key(name)
            || self.parameters.insert(name.to_owned(), values.clone()).is_some()
        {
            bail!("parameter {name} is defined twice");
        }
        let tensor = values.as_tensor();
        Ok(if (self.frozen)(name) { tensor.detach() } else { tensor.clone() })
    }

    /// Adds a buffer: saved and loaded, never trained.
    ///
    /// # Errors
    /// As [`Self::parameter`].
    pub fn buffer(&mut self, name: &str, shape: impl Into<Shape>, value: f32) -> Result<Var> {
        let values = self.initial(shape.into(), Init::Constant(value))?;
        if self.parameters.contains_key(name)
            || self.buffers.insert(name.to_owned(), values.clone()).is_some()
        {
            bail!("buffer {name} is defined twice");
        }
        Ok(values)
    }

    /// Parameters in name order.
    pub const fn parameters(&self) -> &BTreeMap<String, Var> {
        &self.parameters
    }

    /// Buffers in name order.
    pub const fn buffers(&self) -> &BTreeMap<String, Var> {
        &self.buffers
    }

    /// Parameters and buffers in name order.
    pub fn all(&self) -> BTreeMap<String, Tensor> {
        let both = self.parameters.iter().chain(&self.buffers);
        both.map(|(name, var)| (name.clone(), var.as_tensor().clone())).collect()
    }

    /// Overwrites values by name; the ones not named stay as they are.
    ///
    /// # Errors
    /// Lists every name the store lacks and every shape that differs, and changes nothing in that case.
    pub fn load(&self, values: &BTreeMap<String, Tensor>) -> Result<()> {
        let mut faults = Vec::new();
        for (name, value) in values {
            match self.get(name) {
                None => faults.push(format!("{name} is not part of this architecture")),
                Some(var) if var.shape() != value.shape() => {
                    faults.push(format!("{name} has shape {:?}, expected {:?}", value.dims(), var.dims()));
                }
                Some(_) => {}
            }
        }
        if !faults.is_empty() {
            bail!("{}", faults.join("; "));
        }
        for (name, value) in values {
            if let Some(var) = self.get(name) {
                var.set(&value.to_dtype(DType::F32)?.to_device(self.device())?.contiguous()?)?;
            }
        }
        Ok(())
    }

    /// The parameter or buffer of that name.
    pub fn get(&self, name: &str) -> Option<&Var> {
        self.parameters.get(name).or_else(|| self.buffers.get(name))
    }

    fn initial(&mut self, shape: Shape, init: Init) -> Result<Var> {
        let count = shape.elem_count();
        let values: Vec<f32> = match init {
            Init::Constant(value) => vec![value; count],
            Init::Normal(std) => (0..count).map(|_| std * standard_normal(&mut self.rng)).collect(),
            Init::UniformFanIn(fan_in) => {
                let bound = 1.0 / (fan_in as f32).sqrt();
                (0..count).map(|_| self.rng.random_range(-bound..=bound)).collect()
            }
        };
        Var::from_vec(values, shape, self.device())
    }
}

/// Box–Muller transform.
fn standard_normal(rng: &mut impl Rng) -> f32 {
    let u: f64 = 1.0 - rng.random::<f64>();
    let v: f64 = rng.random();
    ((-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()) as f32
}

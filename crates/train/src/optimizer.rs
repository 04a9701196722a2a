//! AdamW in place, with clipping by global norm.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use candle_core::backprop::GradStore;
use candle_core::{CpuStorage, CustomOp1, InplaceOp2, Layout, Result, Shape, Tensor, Var, bail};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::op::{contiguous, contiguous_mut};

/// Values updated together by one thread.
const CHUNK: usize = 64 * 1024;

/// Settings of AdamW (Loshchilov and Hutter 2019).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdamWConfig {
    /// Decay of the gradient mean.
    pub beta1: f64,
    /// Decay of the squared-gradient mean.
    pub beta2: f64,
    /// Added to the root of the second moment.
    pub eps: f64,
    /// Decoupled weight decay; biases, norms and the temperature are exempt.
    pub weight_decay: f64,
    /// Largest global gradient norm; larger gradients are scaled down to it, none with `inf`.
    pub clip_norm: f64,
}

impl Default for AdamWConfig {
    fn default() -> Self {
        Self { beta1: 0.9, beta2: 0.999, eps: 1e-8, weight_decay: 1e-4, clip_norm: 1.0 }
    }
}

/// A parameter with its moments and its own share of the learning rate.
struct Slot {
    var: Var,
    decays: bool,
    rate: f64,
    moments: Mutex<Moments>,
}

struct Moments {
    first: Vec<f32>,
    second: Vec<f32>,
}

/// AdamW over named parameters.
pub struct AdamW {
    config: AdamWConfig,
    slots: BTreeMap<String, Slot>,
    step: u64,
}

impl AdamW {
    /// An optimiser of `parameters`; `rate` gives each name's multiple of the learning rate, 0 freezing it.
    pub fn new(config: AdamWConfig, parameters: &BTreeMap<String, Var>, rate: impl Fn(&str) -> f64) -> Self {
        let slots = parameters
            .iter()
            .filter(|(name, _)| rate(name) > 0.0)
            .map(|(name, var)| {
                let count = var.elem_count();
                let slot = Slot {
                    var: var.clone(),
                    decays: decays(name, var),
                    rate: rate(name),
                    moments: Mutex::new(Moments { first: vec![0.0; count], second: vec![0.0; count] }),
                };
                (name.clone(), slot)
            })
            .collect();
        Self { config, slots, step: 0 }
    }

    /// Updates every parameter and returns the gradient norm before clipping.
    ///
    /// # Errors
    /// Names a parameter without a gradient, and refuses a gradient that is not finite, before changing anything.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<f64> {
        let mut squared = 0.0_f64;
        for (name, slot) in &self.slots {
            let Some(gradient) = gradients.get(slot.var.as_tensor()) else {
                bail!("parameter {name} received no gradient");
            };
            squared += squared_norm(gradient)?;
        }
        let norm = squared.sqrt();
        if !norm.is_finite() {
            bail!("the gradient is not finite");
        }
        let clip = if norm > self.config.clip_norm { self.config.clip_norm / norm } else { 1.0 };
        self.step += 1;
        let correction1 = 1.0 - self.config.beta1.powi(self.step as i32);
        let correction2 = 1.0 - self.config.beta2.powi(self.step as i32);
        for slot in self.slots.values() {
            let Some(gradient) = gradients.get(slot.var.as_tensor()) else { continue };
            let rate = learning_rate * slot.rate;
            let update = Update {
                moments: &slot.moments,
                clip: clip as f32,
                beta1: self.config.beta1 as f32,
                beta2: self.config.beta2 as f32,
                step_size: (rate / correction1) as f32,
                inv_sqrt_correction2: (1.0 / correction2.sqrt()) as f32,
                eps: self.config.eps as f32,
                shrink: if slot.decays { (1.0 - rate * self.config.weight_decay) as f32 } else { 1.0 },
            };
            slot.var.inplace_op2(&gradient.contiguous()?, &update)?;
        }
        Ok(norm)
    }

    /// Moments by parameter name with `.first` and `.second` appended, and the number of steps taken.
    ///
    /// # Errors
    /// When the device fails.
    pub fn state(&self) -> Result<(BTreeMap<String, Tensor>, u64)> {
        let mut tensors = BTreeMap::new();
        for (name, slot) in &self.slots {
            let moments = slot.moments.lock().unwrap_or_else(PoisonError::into_inner);
            let device = slot.var.device();
            for (suffix, values) in [("first", &moments.first), ("second", &moments.second)] {
                tensors
                    .insert(format!("{name}.{suffix}"), Tensor::from_slice(values, slot.var.dims(), device)?);
            }
        }
        Ok((tensors, self.step))
    }

    /// Continues from a state that [`Self::state`] gave.
    ///
    /// # Errors
    /// Names a moment that is missing or of the wrong size.
    pub fn restore(&mut self, tensors: &BTreeMap<String, Tensor>, step: u64) -> Result<()> {
        for (name, slot) in &self.slots {
            let values = |suffix: &str| -> Result<Vec<f32>> {
                let key = format!("{name}.{suffix}");
                match tensors.get(&key) {
                    Some(tensor) if tensor.elem_count() == slot.var.elem_count() => {
                        tensor.flatten_all()?.to_vec1()
                    }
                    Some(tensor) => bail!("optimiser state {key} has shape {:?}", tensor.dims()),
                    None => bail!("optimiser state {key} is missing"),
                }
            };
            let restored = Moments { first: values("first")?, second: values("second")? };
            *slot.moments.lock().unwrap_or_else(PoisonError::into_inner) = restored;
        }
        self.step = step;
        Ok(())
    }
}

/// Matrices and kernels decay; vectors (biases, norms), the bias tables of a Swin and the temperature do not.
fn decays(name: &str, var: &Var) -> bool {
    var.rank() > 1 && !name.ends_with("_bias_table")
}

fn squared_norm(gradient: &Tensor) -> Result<f64> {
    gradient.contiguous()?.apply_op1_no_bwd(&SquaredNorm)?.to_vec1::<f64>().map(|sums| sums.iter().sum())
}

/// Sums of squares, one for each chunk of values.
struct SquaredNorm;

impl CustomOp1 for SquaredNorm {
    fn name(&self) -> &'static str {
        "squared-norm"
    }

    fn cpu_fwd(&self, storage: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        /// Independent partial sums.
        const LANES: usize = 16;
        let sums: Vec<f64> = contiguous(storage, layout)?
            .par_chunks(CHUNK)
            .map(|values| {
                crate::op::vectorised(|| {
                    let (blocks, rest) = values.as_chunks::<LANES>();
                    let mut sums = [0.0_f32; LANES];
                    for block in blocks {
                        for (sum, value) in sums.iter_mut().zip(block) {
                            *sum += value * value;
                        }
                    }
                    sums.iter().chain(&[rest.iter().map(|v| v * v).sum()]).map(|sum| f64::from(*sum)).sum()
                })
            })
            .collect();
        let count = sums.len();
        Ok((CpuStorage::F64(sums), Shape::from(count)))
    }
}

struct Update<'a> {
    moments: &'a Mutex<Moments>,
    clip: f32,
    beta1: f32,
    beta2: f32,
    step_size: f32,
    inv_sqrt_correction2: f32,
    eps: f32,
    shrink: f32,
}

impl InplaceOp2 for Update<'_> {
    fn name(&self) -> &'static str {
        "adamw"
    }

    fn cpu_fwd(&self, s1: &mut CpuStorage, l1: &Layout, s2: &CpuStorage, l2: &Layout) -> Result<()> {
        let parameter = contiguous_mut(s1, l1)?;
        let gradient = contiguous(s2, l2)?;
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let Moments { first, second } = &mut *moments;
        parameter
            .par_chunks_mut(CHUNK)
            .zip(gradient.par_chunks(CHUNK))
            .zip(first.par_chunks_mut(CHUNK))
            .zip(second.par_chunks_mut(CHUNK))
            .for_each(|(((p, g), m), v)| {
                crate::op::vectorised(|| {
                    for (((p, g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
                        let g = g * self.clip;
                        *m = self.beta1 * *m + (1.0 - self.beta1) * g;
                        *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
                        let denominator = v.sqrt() * self.inv_sqrt_correction2 + self.eps;
                        *p = *p * self.shrink - self.step_size * *m / denominator;
                    }
                });
            });
        Ok(())
    }
}

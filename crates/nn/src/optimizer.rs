//! AdamW in place, with clipping by global norm.

mod config;
mod kernel;
mod moments;
mod portable;
mod rates;

use std::collections::BTreeMap;

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var, bail};

pub use self::config::AdamWConfig;
use self::moments::Moments;
use self::rates::Rates;

/// A parameter with its moments and its own share of the learning rate.
struct Slot {
    var: Var,
    decays: bool,
    rate: f64,
    moments: Moments,
}

/// AdamW over named parameters.
pub struct AdamW {
    config: AdamWConfig,
    slots: BTreeMap<String, Slot>,
    step: u64,
}

impl AdamW {
    /// An optimizer of `parameters`; `rate` gives each name's multiple of the learning rate, 0 freezing it.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(
        config: AdamWConfig,
        parameters: &BTreeMap<String, Var>,
        rate: impl Fn(&str) -> f64,
    ) -> Result<Self> {
        let slots = parameters
            .iter()
            .filter(|(name, _)| rate(name) > 0.0)
            .map(|(name, var)| {
                let slot = Slot {
                    var: var.clone(),
                    decays: decays(name, var),
                    rate: rate(name),
                    moments: Moments::zeros(var)?,
                };
                Ok((name.clone(), slot))
            })
            .collect::<Result<_>>()?;
        Ok(Self { config, slots, step: 0 })
    }

    /// Updates every parameter and returns the gradient norm before clipping.
    ///
    /// # Errors
    /// Names a parameter without a gradient, and refuses a gradient that is not finite, before changing anything.
    pub fn step(&mut self, gradients: &GradStore, learning_rate: f64) -> Result<f64> {
        let mut squared = 0.0_f64;
        let mut elsewhere = Vec::new();
        for (name, slot) in &self.slots {
            let Some(gradient) = gradients.get(slot.var.as_tensor()) else {
                bail!("parameter {name} received no gradient");
            };
            match slot.moments {
                Moments::Host(_) => squared += kernel::squared_norm(gradient)?,
                Moments::Device(_) => elsewhere.push(gradient.clone()),
            }
        }
        squared += portable::squared_norms(&elsewhere)?.iter().sum::<f64>();
        let norm = squared.sqrt();
        if !norm.is_finite() {
            bail!("the gradient is not finite");
        }
        let clip = if norm > self.config.clip_norm { self.config.clip_norm / norm } else { 1.0 };
        self.step += 1;
        for slot in self.slots.values_mut() {
            let Some(gradient) = gradients.get(slot.var.as_tensor()) else { continue };
            let rates = Rates::new(&self.config, self.step, clip, learning_rate * slot.rate, slot.decays);
            slot.moments.update(&slot.var, gradient, &rates)?;
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
            let [first, second] = slot.moments.tensors(&slot.var)?;
            tensors.insert(format!("{name}.first"), first);
            tensors.insert(format!("{name}.second"), second);
        }
        Ok((tensors, self.step))
    }

    /// Continues from a state that [`Self::state`] gave.
    ///
    /// # Errors
    /// Names a moment that is missing or of the wrong size.
    pub fn restore(&mut self, tensors: &BTreeMap<String, Tensor>, step: u64) -> Result<()> {
        for (name, slot) in &mut self.slots {
            let moment = |suffix: &str| -> Result<&Tensor> {
                let key = format!("{name}.{suffix}");
                match tensors.get(&key) {
                    Some(tensor) if tensor.elem_count() == slot.var.elem_count() => Ok(tensor),
                    Some(tensor) => bail!("optimiser state {key} has shape {:?}", tensor.dims()),
                    None => bail!("optimiser state {key} is missing"),
                }
            };
            slot.moments = Moments::new(&slot.var, moment("first")?, moment("second")?)?;
        }
        self.step = step;
        Ok(())
    }
}

/// Matrices and kernels decay; vectors (biases, norms), the bias tables of a Swin and the temperature do not.
fn decays(name: &str, var: &Var) -> bool {
    var.rank() > 1 && !name.ends_with("_bias_table")
}

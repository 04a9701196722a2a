//! Exponential moving average of the weights, which is evaluated and exported instead of the last step's.

use std::collections::BTreeMap;

use candle_core::{Result, Tensor};

use crate::params::ParameterStore;

/// Averages of all parameters and buffers by name.
pub struct Ema {
    decay: f64,
    averages: BTreeMap<String, Tensor>,
    updates: u64,
}

impl Ema {
    /// Starts at the current values.
    ///
    /// # Errors
    /// When the device fails.
    pub fn new(store: &ParameterStore, decay: f64) -> Result<Self> {
        let averages = store
            .all()
            .into_iter()
            .map(|(name, value)| Ok((name, value.copy()?.detach())))
            .collect::<Result<_>>()?;
        Ok(Self { decay, averages, updates: 0 })
    }

    /// Moves the averages towards the current values; early on the decay is `(1 + t) / (10 + t)`, so that the
    /// start is forgotten.
    ///
    /// # Errors
    /// When the device fails.
    pub fn update(&mut self, store: &ParameterStore, frozen: impl Fn(&str) -> bool) -> Result<()> {
        let t = self.updates as f64;
        let decay = self.decay.min((1.0 + t) / (10.0 + t));
        self.updates += 1;
        for (name, value) in store.all() {
            if frozen(&name) {
                continue;
            }
            if let Some(average) = self.averages.get_mut(&name) {
                *average = (average.affine(decay, 0.0)? + value.detach().affine(1.0 - decay, 0.0)?)?;
            }
        }
        Ok(())
    }

    /// The averages and how many updates made them.
    pub const fn state(&self) -> (&BTreeMap<String, Tensor>, u64) {
        (&self.averages, self.updates)
    }

    /// Continues from a saved state, on the device of the present one.
    ///
    /// # Errors
    /// When the device fails.
    pub fn restore(&mut self, averages: BTreeMap<String, Tensor>, updates: u64) -> Result<()> {
        let device = self.averages.values().next().map(|average| average.device().clone());
        if let Some(device) = device {
            let moved = averages.into_iter().map(|(name, value)| Ok((name, value.to_device(&device)?)));
            self.averages = moved.collect::<Result<_>>()?;
        }
        self.updates = updates;
        Ok(())
    }
}

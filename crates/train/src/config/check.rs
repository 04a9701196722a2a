//! What a training file says that cannot work, found before any data is opened.

mod sizes;

use medclip_core::Finding;
use medclip_nn::Decay;

use super::TrainConfig;
use crate::error::TrainError;
use crate::loss::Objective;

impl TrainConfig {
    /// Checks what can be checked without opening data.
    ///
    /// # Errors
    /// [`TrainError::Setting`] naming the field.
    pub fn validate(&self) -> Result<(), TrainError> {
        let is_single_tower = self.image.init.is_some() || self.text.init.is_some();
        let is_flat = self.schedule.decay == Decay::Constant;
        let optimizer = &self.optimizer;
        let faults = [
            ("name", self.name.trim().is_empty(), "is empty"),
            ("epochs", self.epochs == 0, "must be at least 1"),
            ("evaluate_every", self.evaluate_every == 0, "must be at least 1"),
            ("learning_rate", !is_positive(self.learning_rate), "must be positive"),
            ("schedule.warmup", !is_share(self.schedule.warmup), "must be in 0–1"),
            ("schedule.floor", !is_share(self.schedule.floor), "must be in 0–1"),
            ("schedule.floor", is_flat && self.schedule.floor != 0.0, "has no meaning for a constant rate"),
            ("optimizer.beta1", !is_decay(optimizer.beta1), "must be in 0–1, below 1"),
            ("optimizer.beta2", !is_decay(optimizer.beta2), "must be in 0–1, below 1"),
            ("optimizer.eps", !is_positive(optimizer.eps), "must be positive"),
            ("optimizer.weight_decay", !is_finite_rate(optimizer.weight_decay), "must be 0 or positive"),
            // Infinity is how clipping is turned off.
            (
                "optimizer.clip_norm",
                optimizer.clip_norm.is_nan() || optimizer.clip_norm <= 0.0,
                "must be positive",
            ),
            ("ema_decay", self.ema_decay.is_some_and(|d| !is_decay(d)), "must be in 0–1, below 1"),
            (
                "early_stop.patience",
                self.early_stop.is_some_and(|stop| stop.patience == 0),
                "must be at least 1",
            ),
            (
                "early_stop.min_delta",
                self.early_stop.is_some_and(|stop| !is_finite_rate(stop.min_delta)),
                "must be 0 or positive",
            ),
            ("image.trunk_rate", !is_finite_rate(self.image.trunk_rate), "must be 0 or positive"),
            ("text.trunk_rate", !is_finite_rate(self.text.trunk_rate), "must be 0 or positive"),
            ("select_by", !self.data.eval.contains_key(&self.select_by), "names no [data.eval.…] selection"),
            ("select_findings", self.select_findings.is_empty(), "names no finding"),
            (
                "start",
                self.start.is_some() && is_single_tower,
                "is the whole model: leave out image.init and text.init",
            ),
            ("image.channels", !matches!(self.image.channels, 1 | 3), "must be 1 or 3"),
        ];
        for (field, wrong, reason) in faults {
            if wrong {
                return Err(refused(field, reason));
            }
        }
        if let Some(name) = self.select_findings.iter().find(|name| Finding::from_name(name).is_none()) {
            return Err(refused("select_findings", format!("`{name}` is no finding")));
        }
        match self.objective {
            Objective::SemanticMatching { label_temperature, .. } if !is_positive(label_temperature) => {
                return Err(refused("objective.label_temperature", "must be positive"));
            }
            Objective::Contradiction { repulsion } if !is_share(repulsion) => {
                return Err(refused("objective.repulsion", "must be from 0 to 1"));
            }
            Objective::Contradiction { .. } if !self.data.labels.is_signed() => {
                let reason = "gives up absences (-1), from which the objective `contradiction` learns";
                return Err(refused("data.labels", reason));
            }
            _ => {}
        }
        if self.objective == Objective::InfoNce {
            let ignored = [
                ("augment.mixup", self.data.augment.mixup != 0.0),
                ("augment.opacities", self.data.augment.opacities != 0.0),
                ("data.teacher", self.data.teacher.is_some()),
            ];
            if let Some((field, _)) = ignored.into_iter().find(|(_, given)| *given) {
                return Err(refused(field, "changes label vectors, which InfoNCE ignores"));
            }
        }
        sizes::check(self, &self.model_config()?)
    }
}

fn refused(field: &'static str, reason: impl Into<String>) -> TrainError {
    TrainError::Setting { field, reason: reason.into() }
}

fn is_positive(value: f64) -> bool {
    value > 0.0 && value.is_finite()
}

fn is_finite_rate(value: f64) -> bool {
    value >= 0.0 && value.is_finite()
}

fn is_share(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}

fn is_decay(value: f64) -> bool {
    (0.0..1.0).contains(&value)
}

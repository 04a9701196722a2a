//! What a bundle tells about the towers it holds in further precisions: `quantization.json`.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::precision::{Precision, TowerKind};

/// The report: one entry for every graph beside the model's own two.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantization {
    /// Version of this file's layout; [`Quantization::FORMAT`].
    pub format: u32,
    /// The graphs, by tower and precision.
    pub towers: Vec<QuantizedTower>,
}

/// One tower in one precision: how it was made, and what it costs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantizedTower {
    /// Which tower.
    pub tower: TowerKind,
    /// Its precision.
    pub precision: Precision,
    /// Version of medclip that made it.
    pub medclip: String,
    /// Where 8-bit numbers come in; `None` in other precisions.
    pub form: Option<Form>,
    /// SHA-256 of the model's own graph of the tower, which it was made of.
    pub source_sha256: String,
    /// SHA-256 of this graph.
    pub graph_sha256: String,
    /// Bytes of graph and weights, of the source and of this.
    pub bytes: [u64; 2],
    /// How the ranges of activations were chosen, where they are fixed.
    pub calibration: Option<Calibration>,
    /// Layers that compute 8-bit products.
    pub layers: usize,
    /// Layers that stayed in single precision, the most sensitive first.
    pub kept: Vec<LayerCost>,
    /// What was measured on inputs that nothing was chosen by.
    pub gate: GateReport,
    /// Least cosine of the bundle's golden inputs with their golden embeddings.
    pub golden_cosine: f64,
}

/// Where 8-bit numbers come in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// Every dense layer finds the range of its input while it runs.
    Dynamic,
    /// Ranges are fixed when the graph is written, and activations stay 8-bit numbers from layer to layer.
    Static,
}

impl Form {
    /// `dynamic` or `static`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dynamic => "dynamic",
            Self::Static => "static",
        }
    }
}

/// How ranges were chosen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// `percentile 99.99`, `entropy` or `extremes`.
    pub method: String,
    /// Images whose activations were measured.
    pub images: usize,
}

/// A layer with what quantizing it alone does to embeddings.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LayerCost {
    /// Node of the graph.
    pub layer: String,
    /// 1 minus the mean cosine with the unquantized embeddings.
    pub cost: f64,
}

/// What a graph in another precision may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateLimits {
    /// Least cosine of an embedding with that of the model's own graph.
    pub cosine: f64,
    /// Least share of images whose most probable class stays the same.
    pub top1: f64,
    /// Largest loss of a class's area under the ROC curve.
    pub auroc: f64,
}

impl Default for GateLimits {
    fn default() -> Self {
        Self { cosine: 0.999, top1: 0.99, auroc: 0.005 }
    }
}

impl FromStr for GateLimits {
    type Err = GateLimitsError;

    /// `cosine=0.999,top1=0.99,auroc=0.005`: those that are named, the others as by default.
    fn from_str(text: &str) -> Result<Self, GateLimitsError> {
        let mut limits = Self::default();
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let unnamed = || GateLimitsError::NotNamed(part.to_owned());
            let (name, value) = part.split_once('=').ok_or_else(unnamed)?;
            let number: f64 = value.parse().map_err(|_| GateLimitsError::NotANumber(value.to_owned()))?;
            if !(0.0..=1.0).contains(&number) {
                return Err(GateLimitsError::Range { name: name.to_owned(), value: value.to_owned() });
            }
            match name {
                "cosine" => limits.cosine = number,
                "top1" => limits.top1 = number,
                "auroc" => limits.auroc = number,
                _ => return Err(GateLimitsError::Unknown(name.to_owned())),
            }
        }
        Ok(limits)
    }
}

/// A text that names no limits.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GateLimitsError {
    /// A part without a name.
    #[error("{0:?} is not NAME=VALUE")]
    NotNamed(String),
    /// A value that is no number.
    #[error("{0:?} is no number")]
    NotANumber(String),
    /// A value that no share has.
    #[error("{name} is {value}, needs 0 to 1")]
    Range {
        /// The limit.
        name: String,
        /// Its value.
        value: String,
    },
    /// A name that no limit has.
    #[error("no limit is called {0:?}; there are cosine, top1, auroc")]
    Unknown(String),
}

/// What was measured, beside the limits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateReport {
    /// Images or sentences.
    pub inputs: usize,
    /// What was allowed.
    pub limits: GateLimits,
    /// Least cosine.
    pub least_cosine: f64,
    /// Mean cosine.
    pub mean_cosine: f64,
    /// Share of images with the same most probable class; `None` for sentences.
    pub top1: Option<f64>,
    /// Classes with labels of both kinds; empty where no labels were given.
    pub auroc: Vec<ClassAuroc>,
}

impl GateReport {
    /// Fewest positives and negatives of a class that the limit applies to: with fewer, one pair that changes places is
    /// more than the limit allows.
    pub const MIN_LABELS: usize = 10;

    /// What is past its limit, in words; nothing where the graph passes. What is not a number is past every limit.
    pub fn failures(&self) -> Vec<String> {
        let mut failures = Vec::new();
        let below = |found: f64, least: f64| found < least || found.is_nan();
        if below(self.least_cosine, self.limits.cosine) {
            failures.push(format!("least cosine {:.5}, needs {}", self.least_cosine, self.limits.cosine));
        }
        if let Some(top1) = self.top1
            && below(top1, self.limits.top1)
        {
            failures.push(format!(
                "same first class for {:.2} %, needs {} %",
                100.0 * top1,
                100.0 * self.limits.top1
            ));
        }
        for class in self.auroc.iter().filter(|class| class.is_decisive()) {
            if below(self.limits.auroc, class.full - class.quantized) {
                let ClassAuroc { class, full, quantized, .. } = class;
                failures.push(format!(
                    "AUROC of {class} {full:.4} → {quantized:.4}, may lose {}",
                    self.limits.auroc
                ));
            }
        }
        failures
    }
}

/// How well one class is told apart before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassAuroc {
    /// The class.
    pub class: String,
    /// Images that have it.
    pub positives: usize,
    /// Images that do not.
    pub negatives: usize,
    /// Area under the ROC curve of the model's own graph.
    pub full: f64,
    /// And of the quantized one.
    pub quantized: f64,
}

impl ClassAuroc {
    /// Whether there are labels enough for the limit to mean something.
    pub const fn is_decisive(&self) -> bool {
        self.positives >= GateReport::MIN_LABELS && self.negatives >= GateReport::MIN_LABELS
    }
}

/// Bytes that are no report.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum QuantizationError {
    /// Not this layout.
    #[error("it is not a report of quantization")]
    Format(#[from] serde_json::Error),
    /// Another version of it.
    #[error("format {actual}, this version reads {supported}", supported = Quantization::FORMAT)]
    Version {
        /// What the file says.
        actual: u32,
    },
}

impl Quantization {
    /// The version of the layout that is written and read.
    pub const FORMAT: u32 = 1;

    /// A report of these.
    pub fn new(mut towers: Vec<QuantizedTower>) -> Self {
        towers.sort_by_key(|each| (each.tower, each.precision));
        Self { format: Self::FORMAT, towers }
    }

    /// Reads what [`Self::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`QuantizationError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, QuantizationError> {
        let report: Self = serde_json::from_slice(bytes)?;
        if report.format == Self::FORMAT {
            Ok(report)
        } else {
            Err(QuantizationError::Version { actual: report.format })
        }
    }

    /// The report as indented JSON.
    ///
    /// # Errors
    /// [`QuantizationError::Format`] for a number that JSON has no form for.
    pub fn to_bytes(&self) -> Result<Vec<u8>, QuantizationError> {
        let mut bytes = serde_json::to_vec_pretty(self)?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The entry of a tower in a precision.
    pub fn tower(&self, tower: TowerKind, precision: Precision) -> Option<&QuantizedTower> {
        self.towers.iter().find(|each| each.tower == tower && each.precision == precision)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_by_name_and_others_refused() {
        assert_eq!("".parse(), Ok(GateLimits::default()));
        let found = "cosine=0.99,auroc=0.01".parse();
        assert_eq!(found, Ok(GateLimits { cosine: 0.99, auroc: 0.01, ..GateLimits::default() }));
        for wrong in ["cosine", "cosine=much", "cosine=2", "speed=1", "cosine=nan"] {
            assert!(wrong.parse::<GateLimits>().is_err(), "{wrong}");
        }
    }

    fn report() -> GateReport {
        let class = |class: &str, positives, full, quantized| ClassAuroc {
            class: class.to_owned(),
            positives,
            negatives: 100,
            full,
            quantized,
        };
        GateReport {
            inputs: 200,
            limits: GateLimits::default(),
            least_cosine: 0.9991,
            mean_cosine: 0.9998,
            top1: Some(0.995),
            auroc: vec![class("Edema", 9, 0.9, 0.7), class("Effusion", 30, 0.9, 0.896)],
        }
    }

    #[test]
    fn every_limit_is_told_and_few_labels_decide_nothing() {
        assert_eq!(report().failures(), [""; 0]);
        let mut failing = report();
        failing.least_cosine = f64::NAN;
        failing.top1 = Some(0.98);
        failing.auroc[1].quantized = 0.894;
        let [cosine, top1, auroc] = &failing.failures()[..] else { panic!("three failures") };
        assert!(cosine.starts_with("least cosine NaN") && top1.contains("98.00 %"));
        assert_eq!(auroc, "AUROC of Effusion 0.9000 → 0.8940, may lose 0.005");
        failing.auroc[1].quantized = 0.95;
        assert_eq!(failing.failures().len(), 2, "a gain is no loss");
    }

    #[test]
    fn bytes_round_trip_and_other_versions_are_refused() {
        let tower = |precision| QuantizedTower {
            tower: TowerKind::Image,
            precision,
            medclip: "0".to_owned(),
            form: Some(Form::Static),
            source_sha256: "s".to_owned(),
            graph_sha256: "g".to_owned(),
            bytes: [4, 1],
            calibration: Some(Calibration { method: "entropy".to_owned(), images: 3 }),
            layers: 7,
            kept: vec![LayerCost { layer: "stem".to_owned(), cost: 0.25 }],
            gate: report(),
            golden_cosine: 0.5,
        };
        let report = Quantization::new(vec![tower(Precision::Int8), tower(Precision::Fp16)]);
        assert_eq!(Quantization::from_bytes(&report.to_bytes().unwrap()).unwrap(), report);
        assert!(report.tower(TowerKind::Image, Precision::Fp16).is_some());
        assert!(report.tower(TowerKind::Text, Precision::Fp16).is_none());
        let other =
            String::from_utf8(report.to_bytes().unwrap()).unwrap().replace("\"format\": 1", "\"format\": 2");
        assert!(matches!(
            Quantization::from_bytes(other.as_bytes()),
            Err(QuantizationError::Version { actual: 2 })
        ));
        assert!(Quantization::from_bytes(b"{}").is_err());
    }
}

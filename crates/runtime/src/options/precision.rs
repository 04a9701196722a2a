//! Which of a bundle's graphs are run.

use std::fmt;
use std::str::FromStr;

use medclip_core::bundle::{Bundle, BundleFile};
use medclip_core::precision::{Precision, TowerKind, UnknownPrecision};
use medclip_core::quantization::Form;

use crate::error::LoadError;
use crate::graph::GraphInfo;
use crate::kind::EngineKind;

/// The precision asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PrecisionChoice {
    /// Of each tower the graph that this engine runs fastest: see [`EngineKind::gains_from`].
    #[default]
    Auto,
    /// This one, or an error where the bundle lacks it.
    Exactly(Precision),
}

impl PrecisionChoice {
    /// The choice for the text tower: bundles are made for images, and few hold it in further precisions.
    pub(crate) fn of_text(self, bundle: &Bundle) -> Self {
        match self {
            Self::Exactly(precision) if !bundle.has(TowerKind::Text, precision) => {
                Self::Exactly(Precision::Fp32)
            }
            other => other,
        }
    }
}

impl From<Precision> for PrecisionChoice {
    fn from(precision: Precision) -> Self {
        Self::Exactly(precision)
    }
}

impl fmt::Display for PrecisionChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Exactly(precision) => precision.fmt(f),
        }
    }
}

impl FromStr for PrecisionChoice {
    type Err = UnknownPrecision;

    fn from_str(name: &str) -> Result<Self, UnknownPrecision> {
        if name == "auto" { Ok(Self::Auto) } else { name.parse().map(Self::Exactly) }
    }
}

impl EngineKind {
    /// Whether the engine runs 8-bit layers of this form faster than single precision.
    ///
    /// | engine | dynamic | static |
    /// |---|---|---|
    /// | `ort-cpu` | yes | yes |
    /// | `rten` | yes | no |
    /// | `tract` | no | no |
    /// | `cuda`, `tensorrt` | no | no |
    ///
    /// As measured in `docs/results/precision.md`; what an engine does not gain from serves size only.
    pub const fn gains_from(self, form: Form) -> bool {
        match form {
            Form::Dynamic => matches!(self, Self::OrtCpu | Self::Rten),
            Form::Static => matches!(self, Self::OrtCpu),
        }
    }
}

/// A graph that was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) precision: Precision,
    pub(crate) file: BundleFile,
}

/// The graph of `tower` that `choice` means on `engine`.
pub(crate) fn choose(
    bundle: &Bundle,
    tower: TowerKind,
    choice: PrecisionChoice,
    engine: EngineKind,
) -> Result<Chosen, LoadError> {
    let graph = |precision| {
        let [file, _] = BundleFile::tower(tower, precision);
        Chosen { precision, file }
    };
    match choice {
        PrecisionChoice::Auto => {
            let form = bundle.quantization().tower(tower, Precision::Int8).and_then(|report| report.form);
            let gains = form.is_some_and(|form| engine.gains_from(form));
            Ok(graph(if gains { Precision::Int8 } else { Precision::Fp32 }))
        }
        PrecisionChoice::Exactly(precision) if bundle.has(tower, precision) => Ok(graph(precision)),
        // The model's own graph may be stored in half precision.
        PrecisionChoice::Exactly(Precision::Fp16) => {
            let [file, _] = BundleFile::tower(tower, Precision::Fp32);
            let path = bundle.path(file);
            let info = match bundle.memory(file) {
                Some(bytes) => GraphInfo::parse(bytes)
                    .map_err(|error| LoadError::NotOnnx { path, source: error.into() })?,
                None => GraphInfo::read(&path)?,
            };
            if info.half_parameters > 0 {
                return Ok(Chosen { precision: Precision::Fp16, file });
            }
            Err(lacks(bundle, tower, Precision::Fp16))
        }
        PrecisionChoice::Exactly(precision) => Err(lacks(bundle, tower, precision)),
    }
}

fn lacks(bundle: &Bundle, tower: TowerKind, precision: Precision) -> LoadError {
    let has = Precision::ALL.into_iter().filter(|&other| bundle.has(tower, other));
    let has = has.map(Precision::name).collect::<Vec<_>>().join(", ");
    LoadError::NoSuchPrecision { bundle: bundle.directory().to_owned(), tower, precision, has }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back() {
        for choice in [PrecisionChoice::Auto].into_iter().chain(Precision::ALL.map(PrecisionChoice::Exactly))
        {
            assert_eq!(choice.to_string().parse(), Ok(choice));
        }
        assert!("fast".parse::<PrecisionChoice>().is_err());
    }

    #[test]
    fn int8_is_chosen_only_where_it_is_faster() {
        for form in [Form::Dynamic, Form::Static] {
            assert!(EngineKind::OrtCpu.gains_from(form) && !EngineKind::Tract.gains_from(form));
        }
        // Of rten's matrix products, not of its convolutions.
        assert!(EngineKind::Rten.gains_from(Form::Dynamic) && !EngineKind::Rten.gains_from(Form::Static));
    }
}

//! What is compared: engines, and a referee.

use std::fmt;
use std::str::FromStr;

use medclip_runtime::{EngineKind, EngineOptions, Precision, PrecisionChoice};
use thiserror::Error;

/// Name of the referee.
const CANDLE: &str = "candle";

/// What can run a bundle's graphs while it is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Evaluator {
    /// An engine that scores films.
    Engine(EngineKind),
    /// The evaluator of candle-onnx, which shares no code with the engines. It runs graphs operator by operator, in single
    /// precision and half precision, too slowly to score films: a referee for verification alone (feature `candle-onnx`).
    Candle,
}

impl Evaluator {
    /// Name as reports and command lines write it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Engine(kind) => kind.name(),
            Self::Candle => CANDLE,
        }
    }

    /// The feature that builds it.
    pub const fn feature(self) -> &'static str {
        match self {
            Self::Engine(kind) => kind.feature(),
            Self::Candle => "candle-onnx",
        }
    }

    /// Every evaluator that can run here in a precision, engines first.
    pub(super) fn runnable(precision: PrecisionChoice) -> Vec<Self> {
        let evaluates = matches!(precision, PrecisionChoice::Exactly(Precision::Fp32 | Precision::Fp16));
        let candle = (cfg!(feature = "candle-onnx") && evaluates).then_some(Self::Candle);
        runnable_engines().into_iter().map(Self::Engine).chain(candle).collect()
    }
}

/// Every engine that can run here.
pub fn runnable_engines() -> Vec<EngineKind> {
    let kinds = EngineKind::ALL.iter().copied();
    kinds.filter(|&kind| EngineOptions::from(kind).check().is_ok()).collect()
}

impl From<EngineKind> for Evaluator {
    fn from(kind: EngineKind) -> Self {
        Self::Engine(kind)
    }
}

impl fmt::Display for Evaluator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is no evaluator.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "no engine is called {name:?}; there are {}, {CANDLE}",
    EngineKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ")
)]
pub struct UnknownEvaluator {
    /// The name asked for.
    pub name: String,
}

impl FromStr for Evaluator {
    type Err = UnknownEvaluator;

    fn from_str(name: &str) -> Result<Self, UnknownEvaluator> {
        if name == CANDLE {
            return Ok(Self::Candle);
        }
        name.parse().map(Self::Engine).map_err(|_| UnknownEvaluator { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_parse_back_and_others_are_refused_with_the_choices() {
        for evaluator in EngineKind::ALL.iter().copied().map(Evaluator::Engine).chain([Evaluator::Candle]) {
            assert_eq!(evaluator.name().parse(), Ok(evaluator));
        }
        let refused = "gpu".parse::<Evaluator>().unwrap_err().to_string();
        assert_eq!(
            refused,
            "no engine is called \"gpu\"; there are tract, rten, ort-cpu, cuda, tensorrt, candle"
        );
    }

    #[test]
    fn the_referee_is_left_out_of_precisions_it_does_not_run() {
        let has = |precision| Evaluator::runnable(precision).contains(&Evaluator::Candle);
        assert_eq!(has(PrecisionChoice::Exactly(Precision::Fp32)), cfg!(feature = "candle-onnx"));
        assert!(!has(PrecisionChoice::Auto) && !has(PrecisionChoice::Exactly(Precision::Int8)));
    }
}

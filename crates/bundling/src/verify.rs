//! Whether every engine gives the same numbers, and those of the weights a bundle was made of.

#[cfg(feature = "train")]
mod against;
mod agreement;
#[cfg(feature = "candle-onnx")]
mod candle;
mod compare;
mod error;
mod evaluator;
mod inputs;
mod report;
mod table;

use medclip_core::graph::IMAGE_MAP;
use medclip_core::stop::Stopped;
use medclip_runtime::{
    Bundle, BundleFile, EngineKind, GraphInfo, Model, ModelOptions, Precision, PrecisionChoice, SelfTest,
};
use tracing::info_span;

use crate::observer::{Observer, Progress, Work};
#[cfg(feature = "train")]
pub use against::{WeightFiles, certify, verify_against};
pub use agreement::Agreement;
pub use compare::{Comparison, Difference, MapComparison, ParityLimits};
#[cfg(feature = "train")]
pub use error::AgainstError;
#[cfg(feature = "candle-onnx")]
pub use error::CandleError;
pub use error::VerifyError;
pub use evaluator::{Evaluator, UnknownEvaluator, runnable_engines};
use inputs::{Answers, BATCHES, Inputs};
pub use report::{EngineSelfTest, Verification};

/// What is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyOptions {
    /// Engines and the referee, the first of which the others are compared with; none means all that run here.
    pub engines: Vec<Evaluator>,
    /// Precision of the model; single precision by default.
    ///
    /// Other engines round other sums to the same 8 bits: the limits are then a cosine of 0.999 and a logit of 0.5.
    pub precision: PrecisionChoice,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self { engines: Vec::new(), precision: PrecisionChoice::Exactly(Precision::Fp32) }
    }
}

/// What every engine is compared with.
struct Expected {
    /// Its name.
    name: String,
    /// SHA-256 of its weights, where it is not an engine.
    sha256: Option<String>,
    answers: Answers,
    /// Factor that turns its cosines into logits.
    scale: f32,
    limits: ParityLimits,
    compared: Vec<Agreement>,
    not_compared: Vec<String>,
}

/// What an engine answers, or the referee.
struct Side {
    engine: Evaluator,
    answers: Answers,
}

/// A bundle about to be verified.
struct Subject<'a> {
    bundle: &'a Bundle,
    half_precision_text: bool,
    /// Whether its image graph gives maps, as those of earlier versions do not.
    has_maps: bool,
    /// SHA-256 of the weights its graphs were written from.
    weights_sha256: Option<String>,
    engines: Vec<Evaluator>,
    precision: PrecisionChoice,
    inputs: Inputs,
}

/// Compares engines on a bundle: the same seeded phantoms and sentences, in batches of 1, 3 and 8, and the bundle's own golden
/// inputs. It only reads.
///
/// # Errors
/// [`VerifyError`] when nothing could be compared. A difference past the limits is no error: [`Verification::within`].
pub fn verify(
    bundle: &Bundle,
    options: &VerifyOptions,
    observer: &mut dyn Observer,
) -> Result<Verification, VerifyError> {
    let subject = Subject::new(bundle, options)?;
    if let [engine] = subject.engines[..] {
        return Err(VerifyError::OneEngine { engine });
    }
    let (mut answers, self_tests) = subject.answers(observer)?.into_iter().unzip::<_, _, Vec<_>, Vec<_>>();
    if answers.is_empty() {
        return Err(VerifyError::NoEngine);
    }
    let first = answers.remove(0);
    let expected = Expected {
        name: first.engine.name().to_owned(),
        sha256: None,
        answers: first.answers,
        scale: bundle.logit_scale().factor(),
        limits: match options.precision {
            PrecisionChoice::Exactly(Precision::Fp32 | Precision::Fp16) => ParityLimits::EXACT,
            _ => ParityLimits::QUANTIZED,
        },
        compared: Vec::new(),
        not_compared: Vec::new(),
    };
    Ok(subject.verification(&answers, expected, self_tests))
}

impl<'a> Subject<'a> {
    fn new(bundle: &'a Bundle, options: &VerifyOptions) -> Result<Self, VerifyError> {
        bundle.require_text_tower().map_err(VerifyError::Incomplete)?;
        let graph = GraphInfo::read(&bundle.path(BundleFile::TEXT_GRAPH))?;
        let image_graph = GraphInfo::read(&bundle.path(BundleFile::IMAGE_GRAPH))?;
        Ok(Self {
            bundle,
            half_precision_text: graph.half_parameters > 0,
            has_maps: image_graph.outputs.iter().any(|output| output.name == IMAGE_MAP),
            weights_sha256: graph.weights_sha256().map(str::to_owned),
            engines: if options.engines.is_empty() {
                Evaluator::runnable(options.precision)
            } else {
                options.engines.clone()
            },
            precision: options.precision,
            inputs: Inputs::new(bundle)?,
        })
    }

    /// What every engine answers, and how well it reproduces the golden embeddings.
    fn answers(&self, observer: &mut dyn Observer) -> Result<Vec<(Side, EngineSelfTest)>, VerifyError> {
        observer.tell(Progress::Begin { work: Work::RunEngines, steps: self.engines.len() });
        let mut sides = Vec::new();
        for &engine in &self.engines {
            if observer.is_stopped() {
                return Err(Stopped.into());
            }
            let _span = info_span!("verify", engine = engine.name()).entered();
            let (answers, cosines) = match engine {
                Evaluator::Engine(kind) => self.of_engine(kind)?,
                Evaluator::Candle => self.of_candle()?,
            };
            sides.push((Side { engine, answers }, EngineSelfTest { engine: engine.name(), cosines }));
            observer.tell(Progress::Step);
        }
        observer.tell(Progress::End);
        Ok(sides)
    }

    fn of_engine(&self, engine: EngineKind) -> Result<(Answers, SelfTest), VerifyError> {
        let precision = self.precision;
        let options = ModelOptions { engine: engine.into(), precision, ..ModelOptions::default() };
        let model = Model::open_with(self.bundle.directory(), options).map_err(VerifyError::Load)?;
        Ok((self.inputs.run(&model, self.has_maps)?, model.self_test().map_err(VerifyError::SelfTest)?))
    }

    #[cfg(feature = "candle-onnx")]
    fn of_candle(&self) -> Result<(Answers, SelfTest), VerifyError> {
        let candle = candle::Candle::open(self.bundle, self.precision)?;
        Ok((candle.run(&self.inputs, self.has_maps)?, candle.self_test()?))
    }

    #[cfg(not(feature = "candle-onnx"))]
    #[allow(clippy::unused_self, reason = "the same call in every build")]
    const fn of_candle(&self) -> Result<(Answers, SelfTest), VerifyError> {
        Err(VerifyError::NotBuilt { evaluator: Evaluator::Candle })
    }

    fn verification(
        self,
        sides: &[Side],
        expected: Expected,
        self_tests: Vec<EngineSelfTest>,
    ) -> Verification {
        let reference = expected.answers.maps.as_ref();
        let mut maps: Vec<MapComparison> =
            reference.iter().map(|own| MapComparison::new(&expected.name, own, None)).collect();
        let of_side = |Side { engine, answers }: &Side| {
            let own = answers.maps.as_ref()?;
            Some(MapComparison::new(engine.name(), own, reference))
        };
        maps.extend(sides.iter().filter_map(of_side));
        let mut not_compared = expected.not_compared;
        if !self.has_maps {
            not_compared.push("maps, which bundles of earlier versions do not have".to_owned());
        }
        let scales = [self.bundle.logit_scale().factor(), expected.scale];
        let mut results = Vec::new();
        for Side { engine, answers } in sides {
            for (index, &batch) in BATCHES.iter().enumerate() {
                let (own, other) = (answers.batch(index), expected.answers.batch(index));
                results.push(Comparison::new(engine.name(), batch, own, other, scales));
            }
        }
        Verification {
            medclip: env!("CARGO_PKG_VERSION"),
            platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            model: self.bundle.config().name.clone(),
            bundle: self.bundle.id().to_owned(),
            weights_sha256: self.weights_sha256,
            half_precision_text: self.half_precision_text,
            reference: expected.name,
            reference_sha256: expected.sha256,
            limits: expected.limits,
            compared: expected.compared,
            not_compared,
            results,
            maps,
            self_tests,
        }
    }
}

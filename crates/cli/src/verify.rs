//! `medclip verify`: whether every engine gives the same numbers, and those of the weights a bundle was made of.

#[cfg(feature = "train")]
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args;
use medclip_bundling::{Evaluator, Stoppable, Verification, VerifyError, VerifyOptions};
use medclip_runtime::{Bundle, PrecisionChoice};

use crate::Outcome;
use crate::interrupt::stop_or_nothing;
use crate::models::ModelArg;
use crate::output::{ReportFormat, print_report};

/// Compare engines on a model, and the model with the weights it was made of
///
/// Runs the same seeded phantoms and sentences, in batches of 1, 3 and 8, through every engine, and compares embeddings
/// and logits with the first engine's, or with candle's of the weights that --against names; then runs the bundle's own
/// golden inputs. Against weights it also compares what else they determine: temperature, pooling, preprocessing, the tokens of
/// sentences, and the embeddings of the prompt bank. A difference past the limits ends with exit status 1: cosine 0.99999 and logit 1e-4 where both sides
/// have the same precision, 0.9999 for sentences and 0.05 where the text tower is stored in half precision and the weights
/// are not. It only reads; medclip certify keeps a comparison with weights in the bundle.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    model: ModelArg,
    /// Checkpoint directory, or file that `medclip import` takes, that the bundle was made of; may be repeated for towers
    /// saved apart
    #[cfg(feature = "train")]
    #[arg(long, value_name = "WEIGHTS")]
    against: Vec<PathBuf>,
    /// Part of the weights to take, as `medclip import` took it
    #[cfg(feature = "train")]
    #[arg(long, value_name = "NAME", requires = "against")]
    part: Option<String>,
    /// Engine to verify, or candle, a referee that never scores (feature candle-onnx); may be repeated [default: all that run here]
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    engine: Vec<Evaluator>,
    /// Precision of the model: fp32, fp16, int8, or auto for each engine's fastest
    ///
    /// Other engines round other sums to the same 8 bits: in int8 and auto the limits are a cosine of 0.999 and a logit of
    /// 0.5. Sentences are in this precision where the bundle holds their tower in it.
    #[arg(long, value_name = "PRECISION", default_value = "fp32")]
    precision: PrecisionChoice,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  medclip verify
  medclip verify --model models/medclip-vit --engine tract,ort-cpu";

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Outcome> {
    let bundle = args.model.clone().open()?;
    let found = verify(&bundle, args).map_err(refusal)?;
    report(&found, args.format)
}

fn verify(bundle: &Bundle, args: &VerifyArgs) -> Result<Verification, VerifyError> {
    let options = VerifyOptions { engines: args.engine.clone(), precision: args.precision };
    #[cfg(feature = "train")]
    if !args.against.is_empty() {
        let weights = medclip_bundling::WeightFiles { files: args.against.clone(), part: args.part.clone() };
        let mut bar = crate::bundle::Bar::new();
        return medclip_bundling::verify_against(bundle, &weights, &options, &mut bar);
    }
    medclip_bundling::verify(bundle, &options, &mut Stoppable::new(&mut (), stop_or_nothing()))
}

/// Prints what was found. Differences past the limits are a failure.
pub(crate) fn report(found: &Verification, format: ReportFormat) -> anyhow::Result<Outcome> {
    print_report(format, found)?;
    Ok(Outcome::failed_if(!found.within()))
}

/// Why nothing was compared, in terms of the options.
pub(crate) fn refusal(error: VerifyError) -> anyhow::Error {
    match error {
        VerifyError::OneEngine { .. } => anyhow!("{error}, {ALONE}"),
        #[cfg(feature = "train")]
        VerifyError::Weights(medclip_bundling::AgainstError::Import(_)) => crate::bundle::hint(error),
        error => error.into(),
    }
}

/// What to do about a single engine.
const ALONE: &str = if cfg!(feature = "train") {
    "`medclip doctor` says what the others need, and --against names the weights to compare with"
} else {
    "`medclip doctor` says what the others need, and a build with `--features train` can compare with weights"
};

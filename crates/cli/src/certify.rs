//! `medclip certify`: a comparison with the weights a bundle was made of, kept in the bundle.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use medclip_bundling::{Evaluator, VerifyOptions, WeightFiles};
use medclip_core::terminal::Escaped;
use medclip_runtime::BundleFile;

use crate::Outcome;
use crate::bundle::Bar;
use crate::models::ModelArg;
use crate::output::{ReportFormat, locked_stdout};
use crate::verify::{refusal, report};

/// Compare a bundle with the weights it was made of, and write the certificate into it
///
/// Runs what medclip verify --against runs. If everything is within the limits, the result becomes part of the bundle, as
/// parity.json; the model, and its id, stay what they are. Otherwise nothing is written, and the exit status is 1.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct CertifyArgs {
    #[command(flatten)]
    model: ModelArg,
    /// Checkpoint directory, or file that medclip import takes, that the bundle was made of; may be repeated for towers
    /// saved apart
    #[arg(long, value_name = "WEIGHTS", required = true)]
    against: Vec<PathBuf>,
    /// Part of the weights to take, as medclip import took it
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Engine to compare; may be repeated [default: all that run here]
    #[arg(long, value_name = "ENGINE", value_delimiter = ',')]
    engine: Vec<Evaluator>,
    /// Output format
    #[arg(long, value_enum, default_value_t, value_name = "FORMAT")]
    format: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  medclip certify --model models/medclip-vit --against pytorch_model.bin
  medclip certify --model models/medclip-edge --against runs/medclip-edge/best --engine tract,ort-cpu";

pub(crate) fn run(args: CertifyArgs) -> anyhow::Result<Outcome> {
    let mut bundle = args.model.open()?;
    let weights = WeightFiles { files: args.against, part: args.part };
    let options = VerifyOptions { engines: args.engine, ..VerifyOptions::default() };
    let found = medclip_bundling::certify(&mut bundle, &weights, &options, &mut Bar::new());
    let found = found.map_err(refusal)?;
    let outcome = report(&found, args.format)?;
    if found.within() && args.format == ReportFormat::Table {
        let certificate = bundle.path(BundleFile::Certificate);
        writeln!(locked_stdout(), "certified in {}", Escaped(certificate.display()))?;
    }
    Ok(outcome)
}

//! `medclip verify`: whether every engine gives the same numbers, and those of the weights a bundle was made of.

#[cfg(feature = "train")]
mod against;
mod agreement;
pub(crate) mod compare;

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::terminal::Escaped;
use medclip_core::{Embeddings, GrayImage, ImageBatch};
use medclip_phantom::Phantom;
use medclip_runtime::{
    Bundle, BundleFile, EngineKind, GraphInfo, Model, ModelOptions, Precision, PrecisionChoice, SelfTest,
};
use serde::Serialize;

use crate::engine::runnable;
use crate::output::{ReportFormat, locked_stdout, plain_table, write_json_report, write_table};
use crate::{Outcome, models};
use agreement::Agreement;
use compare::{Comparison, Limits};

/// Batch sizes that are compared.
const BATCHES: [usize; 3] = [1, 3, 8];
/// Side of the phantoms in pixels.
const PHANTOM: u32 = 256;
/// Sentences from one token to a line and a half, so that a batch of them is padded.
const SENTENCES: [&str; 8] = [
    "No pleural effusion.",
    "Clear.",
    "There is moderate cardiomegaly with a small left pleural effusion and bibasilar atelectasis.",
    "Right upper lobe consolidation.",
    "The heart is normal in size, the lungs are clear, and there is no pneumothorax, effusion or focal opacity.",
    "Endotracheal tube 4 cm above the carina.",
    "Mild interstitial edema, improved.",
    "No acute cardiopulmonary abnormality; a healed fracture of the left seventh rib is unchanged from the earlier film.",
];

/// Compare engines on a model, and the model with the weights it was made of
///
/// Runs the same seeded phantoms and sentences, in batches of 1, 3 and 8, through every engine, and compares embeddings
/// and logits with the first engine's, or with candle's of the weights that --against names; then runs the bundle's own
/// golden inputs. Against weights it also compares what else they determine: temperature, pooling, preprocessing, the tokens of
/// sentences, and the embeddings of the prompt bank. A difference past the limits ends with exit status 1: cosine 0.99999 and logit 1e-4 where both sides
/// have the same precision, 0.9999 for sentences and 0.05 where the text tower is stored in half precision and the weights
/// are not. A comparison with weights that stays within them is written into the bundle, as parity.json.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    /// Bundle directory [default: the shipped model]
    bundle: Option<PathBuf>,
    /// Checkpoint directory, or file that `medclip import` takes, that the bundle was made of; may be repeated for towers
    /// saved apart
    #[cfg(feature = "train")]
    #[arg(long, value_name = "WEIGHTS")]
    against: Vec<PathBuf>,
    /// Part of the weights to take, as `medclip import` took it
    #[cfg(feature = "train")]
    #[arg(long, value_name = "NAME", requires = "against")]
    part: Option<String>,
    /// Leave the bundle without a certificate, or with the one it has
    #[cfg(feature = "train")]
    #[arg(long)]
    no_certificate: bool,
    /// Engine to verify; may be repeated [default: all that run here]
    #[arg(long, value_name = "ENGINE")]
    engine: Vec<EngineKind>,
    /// Precision of the model: fp32, fp16, int8, or auto for each engine's fastest
    ///
    /// Other engines round other sums to the same 8 bits: in int8 and auto the limits are a cosine of 0.999 and a logit of
    /// 0.5. Sentences are in this precision where the bundle holds their tower in it.
    #[arg(long, value_name = "PRECISION", default_value = "fp32")]
    precision: PrecisionChoice,
    /// Output format
    #[arg(long, value_enum, default_value_t)]
    format: ReportFormat,
}

const EXAMPLES: &str = "\
Examples:
  medclip verify
  medclip verify models/medclip-vit --against pytorch_model.bin --engine tract --engine ort-cpu";

/// Everything `verify` says; the fields are the keys of its JSON object, and of the certificate.
#[derive(Debug, Serialize)]
struct Report {
    /// Version of this program.
    medclip: &'static str,
    /// Operating system and processor it ran on.
    platform: String,
    model: String,
    /// SHA-256 that names the bundle's content as a whole.
    bundle: String,
    /// SHA-256 of the weights the graphs say they were written from.
    weights_sha256: Option<String>,
    /// Whether the text tower is stored in half precision.
    half_precision_text: bool,
    /// What the engines are compared with.
    reference: String,
    /// SHA-256 of the weights they are compared with.
    reference_sha256: Option<String>,
    limits: Limits,
    /// What the weights determine besides embeddings, on both sides; empty where engines alone are compared.
    compared: Vec<Agreement>,
    /// What could not be compared, and why.
    not_compared: Vec<String>,
    results: Vec<Comparison>,
    self_tests: Vec<EngineSelfTest>,
}

/// How well an engine reproduces the bundle's golden embeddings.
#[derive(Debug, Serialize)]
struct EngineSelfTest {
    engine: &'static str,
    #[serde(flatten)]
    cosines: SelfTest,
}

/// What is run: the same for everyone.
struct Inputs {
    /// One batch per size of [`BATCHES`].
    images: Vec<ImageBatch>,
}

/// Embeddings of one side, by batch.
struct Answers {
    images: Vec<Embeddings>,
    texts: Vec<Embeddings>,
}

/// What candle makes of the weights.
struct Reference {
    /// Name of the first file or directory, without the way to it: certificates travel.
    name: String,
    /// SHA-256 of the weights.
    sha256: String,
    answers: Answers,
    /// Factor of the weights that turns cosines into logits.
    scale: f32,
    compared: Vec<Agreement>,
    not_compared: Vec<String>,
}

pub(crate) fn run(args: &VerifyArgs) -> anyhow::Result<Outcome> {
    let dir = args.bundle.clone().map_or_else(models::shipped, Ok)?;
    let bundle = Bundle::open(&dir).context("cannot load the model")?;
    bundle.require_text_tower()?;
    let graph = GraphInfo::read(&bundle.path(BundleFile::TextGraph))?;
    let half_precision_text = graph.half_parameters > 0;
    let engines = if args.engine.is_empty() { runnable() } else { args.engine.clone() };
    let inputs = Inputs::new(&bundle)?;

    #[cfg(feature = "train")]
    if !args.against.is_empty() && args.precision != PrecisionChoice::Exactly(Precision::Fp32) {
        bail!("weights are compared with the model itself, in fp32");
    }
    #[cfg(feature = "train")]
    let weights =
        against::answers(&args.against, args.part.as_deref(), &bundle, &inputs, half_precision_text)?;
    #[cfg(not(feature = "train"))]
    let weights: Option<Reference> = None;
    if weights.is_none()
        && let [engine] = engines[..]
    {
        bail!("nothing to compare: one engine runs here ({engine}), {ALONE}");
    }
    let (mut answers, mut self_tests) = (Vec::new(), Vec::new());
    for &engine in &engines {
        let precision = args.precision;
        let options = ModelOptions { engine: engine.into(), precision, ..ModelOptions::default() };
        let model = Model::open_with(&dir, options).context("cannot load the model")?;
        answers.push((engine.name(), inputs.run(&model)?));
        let cosines = model.self_test().context("cannot run the self-test")?;
        self_tests.push(EngineSelfTest { engine: engine.name(), cosines });
    }
    let scale = bundle.logit_scale().factor();
    let (mut reference_sha256, mut scales) = (None, [scale; 2]);
    let (mut compared, mut not_compared) = (Vec::new(), Vec::new());
    let (reference, expected, limits) = match weights {
        Some(weights) => {
            reference_sha256 = Some(weights.sha256);
            scales[1] = weights.scale;
            (compared, not_compared) = (weights.compared, weights.not_compared);
            let limits = Limits::to_weights(half_precision_text);
            (format!("candle, {}", weights.name), weights.answers, limits)
        }
        None if answers.is_empty() => bail!("no engine of this build can run here"),
        None => {
            let (name, first) = answers.remove(0);
            let limits = match args.precision {
                PrecisionChoice::Exactly(Precision::Fp32 | Precision::Fp16) => Limits::EXACT,
                _ => Limits::QUANTIZED,
            };
            (name.to_owned(), first, limits)
        }
    };

    let mut results = Vec::new();
    for (engine, found) in &answers {
        for (index, &batch) in BATCHES.iter().enumerate() {
            let (own, other) = (found.batch(index), expected.batch(index));
            results.push(Comparison::new(engine, batch, own, other, scales));
        }
    }
    let report = Report {
        medclip: env!("CARGO_PKG_VERSION"),
        platform: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        model: bundle.config().name.clone(),
        bundle: bundle.id().to_owned(),
        weights_sha256: graph.weights_sha256().map(str::to_owned),
        half_precision_text,
        reference,
        reference_sha256,
        limits,
        compared,
        not_compared,
        results,
        self_tests,
    };
    let mut out = locked_stdout();
    match args.format {
        ReportFormat::Json => write_json_report(&mut out, &report)?,
        ReportFormat::Text => report.write_text(&mut out)?,
    }
    let within = report.within();
    #[cfg(feature = "train")]
    if within && !args.against.is_empty() && !args.no_certificate {
        certify(bundle, &report)?;
        if matches!(args.format, ReportFormat::Text) {
            writeln!(
                out,
                "certified in {}",
                Escaped(dir.join(BundleFile::Certificate.file_name()).display())
            )?;
        }
    }
    out.flush()?;
    Ok(if within { Outcome::Complete } else { Outcome::SomeFailed })
}

/// Puts the report into the bundle.
#[cfg(feature = "train")]
fn certify(mut bundle: Bundle, report: &Report) -> anyhow::Result<()> {
    let mut certificate = serde_json::to_vec_pretty(report)?;
    certificate.push(b'\n');
    bundle.certify(&certificate).context("cannot write the certificate")
}

/// What to do about a single engine.
const ALONE: &str = if cfg!(feature = "train") {
    "`medclip doctor` says what the others need, and --against names the weights to compare with"
} else {
    "`medclip doctor` says what the others need, and a build with `--features train` can compare with weights"
};

impl Inputs {
    fn new(bundle: &Bundle) -> anyhow::Result<Self> {
        let phantom = |seed| Ok(Phantom::random(seed, PHANTOM)?.render());
        let images = (0..8).map(phantom).collect::<anyhow::Result<Vec<GrayImage>>>()?;
        let batch = |&size: &usize| Ok(bundle.preprocessor().batch(&images[..size])?);
        Ok(Self { images: BATCHES.iter().map(batch).collect::<anyhow::Result<_>>()? })
    }

    fn run(&self, model: &Model) -> anyhow::Result<Answers> {
        let engine = || format!("{} fails", model.engine());
        let images = self.images.iter().map(|batch| model.embed_images(batch));
        let texts = BATCHES.iter().map(|&size| model.embed_texts(&SENTENCES[..size]));
        Ok(Answers {
            images: images.collect::<Result<_, _>>().with_context(engine)?,
            texts: texts.collect::<Result<_, _>>().with_context(engine)?,
        })
    }
}

impl Answers {
    /// Images and sentences of one batch.
    fn batch(&self, index: usize) -> (&Embeddings, &Embeddings) {
        (&self.images[index], &self.texts[index])
    }
}

impl Report {
    /// Whether every engine keeps to the limits and reproduces the golden embeddings, and everything else agrees.
    fn within(&self) -> bool {
        self.results.iter().all(|each| self.limits.hold(each))
            && self.compared.iter().all(|each| each.agrees)
            && self.self_tests.iter().all(|each| each.cosines.passed())
    }

    fn write_text(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let Self { model, bundle, reference, limits, .. } = self;
        writeln!(out, "{} ({})", Escaped(model), &bundle[..12.min(bundle.len())])?;
        writeln!(out, "compared with {}", Escaped(reference))?;
        if self.half_precision_text {
            writeln!(out, "the text tower is stored in half precision")?;
        }
        writeln!(out)?;
        let header =
            ["Engine", "Batch", "Image |Δ|", "Image cosine", "Text |Δ|", "Text cosine", "Logit |Δ|", ""];
        let mut table = plain_table(&header, &[1, 2, 3, 4, 5, 6]);
        for each in &self.results {
            table.add_row([
                each.engine.clone(),
                each.batch.to_string(),
                format!("{:.1e}", each.image.largest),
                format!("{:.7}", each.image.cosine),
                format!("{:.1e}", each.text.largest),
                format!("{:.7}", each.text.cosine),
                format!("{:.1e}", each.logit),
                if limits.hold(each) { "within" } else { "PAST THE LIMITS" }.to_owned(),
            ]);
        }
        write_table(out, table)?;
        let Limits { image_cosine, text_cosine, logit } = limits;
        writeln!(
            out,
            "\nlimits: cosine at least {image_cosine} (images), {text_cosine} (sentences), logit at most {logit:.0e}"
        )?;
        agreement::write_text(out, &self.compared, &self.not_compared)?;
        for EngineSelfTest { engine, cosines } in &self.self_tests {
            let SelfTest { image, text, .. } = cosines;
            let verdict = if cosines.passed() { "passed" } else { "FAILED" };
            let text = text.map(|cosine| format!(", {cosine:.7} (sentences)")).unwrap_or_default();
            writeln!(out, "self-test on {engine}: {verdict}, cosine {image:.7} (images){text}")?;
        }
        Ok(())
    }
}

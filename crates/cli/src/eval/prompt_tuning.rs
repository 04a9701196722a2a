//! `medclip eval prompt-tuning`: how well prompts do once the words in front of them are learned.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;
use medclip_core::Embeddings;
use medclip_core::prompt::PromptSet;
use medclip_files::replace_file;
use medclip_runtime::Model;
use medclip_train::AdamWConfig;
use medclip_train::tuning::{ClassTexts, ContextConfig, ContextPrompts, Films, LinearHead, tune_context};

use super::films::ReportArgs;
use super::tuning::{Fit, TuningArgs};
use crate::Outcome;
use crate::inputs::pixels;
use crate::output::progress;
use crate::train::keep_freed_memory;

/// Films on which bundle and checkpoint have to agree.
const SAMPLES: usize = 4;
/// Largest difference between them, per entry of a unit vector.
const TOLERANCE: f32 = 1e-4;

/// AUROC and average precision of prompts behind learned context vectors
///
/// Both towers stay as they are. A few vectors in the space of word embeddings are learned in front of each finding's
/// positive and negative text, by binary cross-entropy of their difference at the model's temperature on the films where
/// the finding is annotated; a blank or uncertain annotation has no part in it and is never read as absent.
///
/// The texts are the first positive and the first negative sentence of the finding's class in `--prompts`; its name and
/// "no NAME" without such a class.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLE)]
pub(crate) struct PromptTuningArgs {
    #[command(flatten)]
    tuning: TuningArgs,
    /// Texts of the findings (TOML)
    #[arg(long, value_name = "FILE")]
    prompts: Option<PathBuf>,
    /// Vectors in front of a text
    #[arg(long, default_value_t = ContextConfig::default().vectors)]
    vectors: usize,
    /// Learn vectors of each finding's own, instead of ones that all share
    #[arg(long)]
    per_finding: bool,
    /// Passes over the films
    #[arg(long, default_value_t = ContextConfig::default().epochs)]
    epochs: usize,
    /// Films a step
    #[arg(long, default_value_t = ContextConfig::default().batch)]
    batch: usize,
    /// Learning rate, after a warm-up and before a half cosine down
    #[arg(long, default_value_t = ContextConfig::default().learning_rate)]
    learning_rate: f64,
    /// Decoupled weight decay
    #[arg(long, default_value_t = ContextConfig::default().optimizer.weight_decay)]
    weight_decay: f64,
    /// Write the learned classes of the last share here, for `medclip score --model BUNDLE --head`
    #[arg(long, value_name = "HEAD.safetensors", requires = "model")]
    save: Option<PathBuf>,
    /// Bundle of this very checkpoint that the saved head is for
    #[arg(long, value_name = "BUNDLE", requires = "save")]
    model: Option<PathBuf>,
    #[command(flatten)]
    report: ReportArgs,
}

const EXAMPLE: &str = "\
Example:
  medclip eval prompt-tuning runs/medclip-edge/best films/manifest.csv --prompts models/prompts/chest-xray.toml \\
    --save head.safetensors --model models/medclip-edge";

pub(crate) fn run(args: PromptTuningArgs) -> anyhow::Result<Outcome> {
    keep_freed_memory();
    let config = args.config();
    config.validate()?;
    if let Some(file) = args.save.as_ref().filter(|file| file.exists()) {
        bail!("{} already exists", file.display());
    }
    let prompts = args.prompts.as_deref();
    let prompts = prompts
        .map(|file| PromptSet::open(file).with_context(|| format!("cannot use prompts {}", file.display())))
        .transpose()?;
    let (tuning, fractions) = args.tuning.open()?;
    let model = tuning.start.model(|_| true).context("cannot use the checkpoint")?;
    let tokenizer = tuning.start.tokenizer().context("cannot use the checkpoint")?;
    let [fit, evaluation] = tuning.chosen()?;
    let (root, preprocess) = (&tuning.manifest.root, &tuning.start.config().preprocess);
    let films = Films::load("fit", &fit, root, preprocess)?;
    let evaluation = Films::load("evaluation", &evaluation, root, preprocess)?;

    let bar = progress(films.records().len() + evaluation.records().len(), "images");
    let evaluated = evaluation.embed(&model, usize::MAX, |count| bar.inc(count as u64))?;
    let bundle = match &args.model {
        Some(path) => {
            let files = evaluation.records().iter().map(|record| root.join(&record.path));
            Some(same_embeddings(path, files, &evaluated)?)
        }
        None => None,
    };
    let embeddings = films.embed(&model, usize::MAX, |count| bar.inc(count as u64))?;
    bar.finish_and_clear();

    let mut report = tuning.report(&films, &evaluation, &args.report);
    let mut last = None;
    for fraction in fractions {
        let (targets, left_out) = tuning.targets(&films, fraction, args.report.seed)?;
        let texts = ClassTexts::of(targets.findings(), prompts.as_ref());
        let waiting = ContextPrompts::new(&model, &tokenizer, &texts, &config)?;
        let bar = progress(targets.rows().len() * config.epochs, "images");
        let visited = |count: usize| bar.inc(count as u64);
        let tuned = tune_context(&model, &waiting, &embeddings, &targets, &config, visited)
            .context("cannot tune the prompts")?;
        bar.finish_and_clear();
        let scores = tuned.head.logits(&evaluated);
        let fit = Fit { fraction, targets: &targets, left_out, losses: tuned.losses, scores };
        report.add(fit, &films, &evaluation, &args.report)?;
        last = Some(tuned.head);
    }
    if let (Some(file), Some(bundle), Some(head)) = (&args.save, &bundle, &last) {
        save(file, bundle, head)?;
    }
    args.report.print(&report, |out| report.write_markdown("prompts behind learned context", out))?;
    Ok(report.outcome())
}

/// The bundle in `path`, if it embeds the first of `films` as the checkpoint does.
fn same_embeddings(
    path: &Path,
    films: impl Iterator<Item = PathBuf>,
    expected: &Embeddings,
) -> anyhow::Result<Model> {
    let model = Model::open(path).context("cannot load the model")?;
    for (film, expected) in films.take(SAMPLES).zip(expected) {
        let found = model.embed_images(&pixels(&model, &film)?)?;
        let differences = found.row(0).iter().zip(expected).map(|(a, b)| (a - b).abs());
        let agrees = found.dim() == expected.len() && differences.clone().all(|value| value <= TOLERANCE);
        if !agrees {
            bail!(
                "{} is not a bundle of this checkpoint: it embeds {} otherwise",
                path.display(),
                film.display()
            );
        }
    }
    Ok(model)
}

fn save(file: &Path, bundle: &Model, head: &LinearHead) -> anyhow::Result<()> {
    let bytes = head.for_bundle(bundle.bundle().id())?.to_bytes()?;
    replace_file(file, &bytes).context("cannot write the head")
}

impl PromptTuningArgs {
    fn config(&self) -> ContextConfig {
        let default = ContextConfig::default();
        ContextConfig {
            seed: self.report.seed,
            vectors: self.vectors,
            per_finding: self.per_finding,
            epochs: self.epochs,
            batch: self.batch,
            learning_rate: self.learning_rate,
            optimizer: AdamWConfig { weight_decay: self.weight_decay, ..default.optimizer },
            schedule: default.schedule,
        }
    }
}

//! How well prompts do once the words in front of them are learned.

use std::path::{Path, PathBuf};

use medclip_core::prompt::PromptSet;
use medclip_core::{Embeddings, Head};
use medclip_runtime::Model;
use medclip_train::tuning::{ClassTexts, ContextConfig, ContextPrompts, Films, tune_context};
use serde::Serialize;
use tracing::info_span;

use super::{Fit, Tuning, TuningError, TuningOptions, done, open};
use crate::embed::{embed, read};
use crate::films::FilmSet;
use crate::observer::{Observer, Progress, Unit, go_on};

/// Films on which bundle and checkpoint have to agree.
const SAMPLES: usize = 4;
/// Largest difference between them, per entry of a unit vector.
const TOLERANCE: f32 = 1e-4;

/// How [`tune_prompts`] fits and evaluates.
#[derive(Debug, Clone, Default)]
pub struct PromptTuningOptions {
    /// Films to fit on and to evaluate on.
    pub tuning: TuningOptions,
    /// How vectors are learned.
    pub config: ContextConfig,
    /// Texts of the findings (TOML): the first positive and the first negative sentence of a finding's class. A finding without such
    /// a class has its name and "no NAME".
    pub texts: Option<PathBuf>,
    /// Bundle of this very checkpoint to make a head for.
    pub bundle: Option<PathBuf>,
}

/// Learned prompts and how well they do. They serialize as their figures.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct TunedPrompts {
    /// Their figures.
    pub tuning: Tuning,
    /// The learned classes of the last share, for the bundle that was named.
    #[serde(skip)]
    pub head: Option<Head>,
}

/// AUROC and average precision of prompts behind learned context vectors.
///
/// Both towers stay as they are. A few vectors in the space of word embeddings are learned in front of each finding's positive and
/// negative text, by binary cross-entropy of their difference at the model's temperature on the films where the finding is
/// annotated; a blank or uncertain annotation has no part in it and is never read as absent.
///
/// # Errors
/// [`TuningError`] when the checkpoint, the bundle, films or settings cannot be used, or the fit fails.
pub fn tune_prompts(
    checkpoint: &Path,
    films: &FilmSet,
    options: &PromptTuningOptions,
    observer: &mut dyn Observer,
) -> Result<TunedPrompts, TuningError> {
    let PromptTuningOptions { tuning, config, texts, bundle } = options;
    config.validate().map_err(TuningError::Setting)?;
    let prompts = texts.as_ref().map(|path| {
        let open = PromptSet::open(path);
        open.map_err(|source| TuningError::Prompts { path: path.clone(), source })
    });
    let prompts = prompts.transpose()?;
    let (start, weights) = open(checkpoint)?;
    let model = start.model(|_| true).map_err(TuningError::Checkpoint)?;
    let tokenizer = start.tokenizer().map_err(TuningError::Checkpoint)?;
    let [fit, evaluation] = tuning.chosen(films)?;
    let (root, preprocess) = (films.root(), &start.config().preprocess);
    let fit = Films::load("fit", &fit, root, preprocess).map_err(TuningError::Setting)?;
    let evaluation =
        Films::load("evaluation", &evaluation, root, preprocess).map_err(TuningError::Setting)?;

    let failed = TuningError::of_fit("tune the prompts");
    let count = fit.records().len() + evaluation.records().len();
    observer.tell(Progress::Begin { unit: Unit::Images, count });
    let mut embedded = |count| done(observer, count);
    let evaluated = evaluation.embed(&model, usize::MAX, &mut embedded).map_err(failed)?;
    let bundle = bundle.as_ref().map(|path| {
        let files = evaluation.records().iter().map(|record| root.join(&record.path));
        same_embeddings(path, files, &evaluated)
    });
    let bundle = bundle.transpose()?;
    let embeddings = fit.embed(&model, usize::MAX, &mut embedded).map_err(failed)?;
    observer.tell(Progress::End);

    let mut found = Tuning::new(&start, weights, &fit, &evaluation, tuning.resampling, observer);
    let mut last = None;
    for &fraction in &tuning.fractions {
        go_on(observer)?;
        let _span = info_span!("tune prompts", fraction).entered();
        let (targets, left_out) = tuning.targets(&fit, fraction)?;
        let texts = ClassTexts::of(targets.findings(), prompts.as_ref());
        let waiting = ContextPrompts::new(&model, &tokenizer, &texts, config);
        let waiting = waiting.map_err(TuningError::Setting)?;
        let count = targets.rows().len() * config.epochs;
        observer.tell(Progress::Begin { unit: Unit::Images, count });
        let visited = |count| done(observer, count);
        let tuned = tune_context(&model, &waiting, &embeddings, &targets, config, visited).map_err(failed)?;
        observer.tell(Progress::End);
        let scores = tuned.head.logits(&evaluated);
        let share = Fit { fraction, targets: &targets, left_out, losses: tuned.losses, scores };
        found.add(share, &fit, &evaluation, tuning.resampling)?;
        last = Some(tuned.head);
    }
    let head = bundle.zip(last).map(|(bundle, head)| head.for_bundle(bundle.bundle().id()));
    Ok(TunedPrompts { tuning: found, head: head.transpose()? })
}

/// The bundle in `path`, if it embeds the first of `films` as the checkpoint does.
fn same_embeddings(
    path: &Path,
    films: impl Iterator<Item = PathBuf>,
    expected: &Embeddings,
) -> Result<Model, TuningError> {
    let model = Model::open(path)?;
    for (film, expected) in films.take(SAMPLES).zip(expected) {
        let found = embed(&model, &film, read(&film)?)?;
        let mut differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
        let agrees = found.len() == expected.len() && differences.all(|value| value <= TOLERANCE);
        if !agrees {
            return Err(TuningError::OtherBundle { bundle: path.to_owned(), film });
        }
    }
    Ok(model)
}

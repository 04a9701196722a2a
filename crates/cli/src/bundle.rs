//! What the commands that write bundles share.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use indicatif::ProgressBar;
use medclip_bundling::{Observer, Progress, TargetError, Work, check_target};
use medclip_core::Embeddings;
use medclip_core::files::{MAX_TEXT_BYTES, read_typed, text};
use medclip_export::{Checkpoint, EmbedRequest};
use medclip_runtime::{GraphSource, ModelOptions, embed_pixels, embed_sentences};

use crate::output;

/// Fails where a directory would be overwritten unasked.
pub(crate) fn refuse_existing(target: &Path, replace: bool) -> anyhow::Result<()> {
    check_target(target, replace).map_err(|error| exists(&error))
}

/// Something is where a bundle is to be, and what to do about it.
pub(crate) fn exists(error: &TargetError) -> anyhow::Error {
    anyhow!("{error}; --replace replaces it")
}

/// Shows on standard error how far an operation is, when that is a terminal.
#[derive(Default)]
pub(crate) struct Bar(Option<ProgressBar>);

impl Observer for Bar {
    fn tell(&mut self, progress: Progress<'_>) {
        match progress {
            Progress::Begin { work, steps } => self.0 = Some(output::progress(steps, unit(work))),
            Progress::Step => self.0.iter().for_each(|bar| bar.inc(1)),
            Progress::End => self.0.take().iter().for_each(ProgressBar::finish_and_clear),
            _ => {}
        }
    }
}

const fn unit(work: Work) -> &'static str {
    match work {
        Work::ReadFilms => "films",
        Work::MeasureFilms => "films measured",
        _ => "graphs",
    }
}

/// Embeds prompts and golden inputs with the engine that ships.
pub(crate) fn embed(request: EmbedRequest<'_>) -> anyhow::Result<Embeddings> {
    let options = ModelOptions::default();
    Ok(match request {
        EmbedRequest::Sentences { graph, config, tokenizer, batches, .. } => {
            embed_sentences(GraphSource::File(graph), config, tokenizer, batches, options)?
        }
        EmbedRequest::Images { graph, config, images, .. } => {
            embed_pixels(GraphSource::File(graph), config, images, options)?
        }
        other => bail!("nothing here embeds {other:?}"),
    })
}

/// The card in `path`, or one of the model's name and description.
pub(crate) fn card(path: Option<&Path>, checkpoint: &Checkpoint) -> anyhow::Result<String> {
    if let Some(path) = path {
        return read(path);
    }
    let config = checkpoint.config();
    Ok(format!("# {}\n\n{}\n\nResearch use only, not for diagnosis.\n", config.name, config.description))
}

/// The text of a file.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    read_typed(path, MAX_TEXT_BYTES).and_then(text).with_context(|| path.display().to_string())
}

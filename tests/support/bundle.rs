//! Bundles of random weights.

use std::path::{Path, PathBuf};

use medclip_core::architecture::TextPooling;
use medclip_export::{BundleContents, BundleOptions, Checkpoint, EmbedRequest, write_bundle};
use medclip_runtime::{Embeddings, EncodeError, GraphSource, ModelOptions, embed_pixels, embed_sentences};

use crate::checkpoint::{random_checkpoint, tiny_config};

/// Classes of [`PROMPTS`], in order.
pub const CLASSES: [&str; 2] = ["Cardiomegaly", "Pleural Effusion"];

/// Prompts of the tiny bundle.
pub const PROMPTS: &str = r#"
[[class]]
name = "Cardiomegaly"
positive = { sentences = ["The heart is enlarged.", "There is cardiomegaly."], templates = [[["mild", "severe"], ["cardiomegaly"]]] }
negative = { sentences = ["The heart is normal in size."] }

[[class]]
name = "Pleural Effusion"
positive = { sentences = ["There is a left pleural effusion.", "Moderate right pleural effusion."] }
negative = { sentences = ["No pleural effusion.", "The lungs are clear."] }
"#;

/// Writes a checkpoint of random weights and the bundle exported from it below `directory`; returns the bundle's path.
///
/// # Panics
/// When it cannot be written.
pub fn tiny_bundle(directory: &Path) -> PathBuf {
    tiny_bundle_of(directory, 1, PROMPTS)
}

/// [`tiny_bundle`] with weights of this seed and with these prompts.
///
/// # Panics
/// When it cannot be written.
pub fn tiny_bundle_of(directory: &Path, seed: u64, prompts: &str) -> PathBuf {
    let checkpoint = directory.join("checkpoint");
    random_checkpoint(&checkpoint, &tiny_config(TextPooling::Masked), seed);
    let checkpoint = Checkpoint::open(checkpoint).expect("a checkpoint just written");
    let bundle = directory.join("bundle");
    let contents = BundleContents { prompts, card: "# tiny\nRandom weights, for tests.\n" };
    write_bundle(&checkpoint, contents, &BundleOptions::default(), &bundle, embed)
        .expect("an exportable checkpoint");
    bundle
}

/// Embeds what a bundle needs with tract.
///
/// # Errors
/// As the engine's.
///
/// # Panics
/// On a request of another kind.
pub fn embed(request: EmbedRequest<'_>) -> Result<Embeddings, EncodeError> {
    let options = ModelOptions::default();
    match request {
        EmbedRequest::Sentences { graph, config, tokenizer, batches, .. } => {
            embed_sentences(GraphSource::File(graph), config, tokenizer, batches, options)
        }
        EmbedRequest::Images { graph, config, images, .. } => {
            embed_pixels(GraphSource::File(graph), config, images, options)
        }
        other => panic!("nothing here embeds {other:?}"),
    }
}

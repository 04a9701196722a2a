//! Embedding with the engine that ships, while a bundle is written.

use std::error::Error;

use medclip_core::Embeddings;
use medclip_export::EmbedRequest;
use medclip_runtime::{GraphSource, ModelOptions, embed_pixels, embed_sentences};

/// Embeds prompts and golden inputs.
///
/// # Errors
/// When the engine fails.
pub(crate) fn embed(request: EmbedRequest<'_>) -> Result<Embeddings, Box<dyn Error + Send + Sync>> {
    let options = ModelOptions::default();
    Ok(match request {
        EmbedRequest::Sentences { graph, config, tokenizer, batches, .. } => {
            embed_sentences(GraphSource::File(graph), config, tokenizer, batches, options)?
        }
        EmbedRequest::Images { graph, config, images, .. } => {
            embed_pixels(GraphSource::File(graph), config, images, options)?
        }
        other => return Err(format!("nothing here embeds {other:?}").into()),
    })
}

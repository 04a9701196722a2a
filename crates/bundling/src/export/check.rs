//! The exported graphs, compared with the forward pass they were trained with.

use std::path::Path;

use medclip_core::{Embeddings, GrayImage, ImageBatch, TokenBatch};
use medclip_export::{Checkpoint, GraphOptions, Storage};
use medclip_phantom::Phantom;
use medclip_runtime::{BundleFile, GraphInfo, GraphSource, Model, ModelOptions, embed_sentences};
use medclip_train::reference::ReferenceModel;

use super::error::CheckError;
use crate::verify::Difference;

/// Largest difference between the exported graphs and training's forward pass, per entry of a unit vector.
const TOLERANCE: f32 = 1e-4;
/// The same where half-precision storage has rounded the weights.
const HALF_TOLERANCE: f32 = 5e-3;
/// Phantoms and prompts that are compared.
const SAMPLES: usize = 8;

/// How far a tower is from training's forward pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TowerDifference {
    /// The tower.
    pub what: &'static str,
    /// Largest difference of an entry of a unit vector.
    pub largest: f32,
    /// What is allowed.
    pub tolerance: f32,
}

/// Runs the same phantoms and prompts through training's forward pass and the exported graphs.
pub(super) fn check(
    directory: &Path,
    checkpoint: &Checkpoint,
    bundle: &Path,
) -> Result<Vec<TowerDifference>, CheckError> {
    let reference = ReferenceModel::open(directory).map_err(CheckError::Reference)?;
    let model = Model::open(bundle).map_err(CheckError::Open)?;

    let images = (0..SAMPLES as u64)
        .map(|seed| Ok(Phantom::random(seed, 256)?.render()))
        .collect::<Result<Vec<GrayImage>, CheckError>>()?;
    let batch: ImageBatch = model.preprocessor().batch(&images)?;
    let expected = reference.embed_images(&batch)?;
    let image = largest_difference(&expected, &model.embed_images(&batch)?);

    let classes = model.bundle().bank().classes();
    let sentences: Vec<&str> =
        classes.iter().flat_map(|class| &class.positive).take(SAMPLES).map(String::as_str).collect();
    let config = model.bundle().config();
    let tokenizer = model.bundle().tokenizer()?;
    let tokens: TokenBatch = tokenizer.batch(&sentences)?;
    let expected = reference.embed_texts(&tokens)?;
    let full = checkpoint.text_graph(&GraphOptions { storage: Storage::F32 })?.into_bytes();
    let full = embed_sentences(
        GraphSource::Bytes(&full),
        config,
        &tokenizer,
        &[&sentences],
        ModelOptions::default(),
    )?;
    let stored = model.embed_texts(&sentences)?;

    let half_image = GraphInfo::read(&bundle.join(BundleFile::IMAGE_GRAPH.file_name()))?.half_parameters > 0;
    let of = |what, largest, tolerance| TowerDifference { what, largest, tolerance };
    let differences = vec![
        of("image tower", image, if half_image { HALF_TOLERANCE } else { TOLERANCE }),
        of("text tower", largest_difference(&expected, &full), TOLERANCE),
        of("text tower as stored in half precision", largest_difference(&expected, &stored), HALF_TOLERANCE),
    ];
    for &TowerDifference { what, largest, tolerance } in &differences {
        if largest.is_nan() || largest > tolerance {
            return Err(CheckError::Differs { what, largest, tolerance });
        }
    }
    Ok(differences)
}

fn largest_difference(a: &Embeddings, b: &Embeddings) -> f32 {
    // A difference of two single-precision numbers: nothing is lost.
    Difference::new(a, b).largest as f32
}

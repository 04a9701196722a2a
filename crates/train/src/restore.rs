//! A bundle back into a checkpoint, so that training can go on from it: its ONNX graphs read by candle-onnx, and what
//! the exporter had folded unfolded.
//!
//! | the graph holds | the checkpoint gets |
//! |---|---|
//! | weights as they were | the same bits |
//! | half-precision text weights | the same, widened |
//! | queries divided by the root of the head's width, the text projection divided by three | the product, rounded once |
//! | positions with token type 0 added | their sum as positions, types of zero |
//! | a convolution with its batch normalization | the convolution, and a normalization that changes nothing |
//!
//! The function is that of the bundle. Batch normalizations are the one thing that does not come back: they start as
//! identities, so a convolutional tower is best trained on with its blocks frozen (`freeze_blocks`), which keeps
//! them so.

mod graph;
mod unfold;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use candle_core::{Device, Tensor};
use medclip_core::bundle::{Bundle, BundleFile};
use medclip_core::checkpoint;
use medclip_core::graph::{ImageGraphConfig, TextGraphConfig};
use medclip_files::StagedDirectory;
use medclip_nn::{Compute, MedClip};

use crate::error::TrainError;
use graph::Graph;
use unfold::Unfold;

/// Every tensor of the checkpoint that a bundle is the export of.
///
/// # Errors
/// [`TrainError::Invalid`] naming the graph that cannot be read, is not this exporter's, or was written for another
/// configuration.
pub fn tensors(bundle: &Bundle) -> Result<BTreeMap<String, Tensor>, TrainError> {
    bundle
        .require_text_tower()
        .map_err(|error| TrainError::invalid(bundle.directory(), error.to_string()))?;
    let config = bundle.config();
    let expected = serde_json::to_string(&ImageGraphConfig::new(&config.architecture, &config.preprocess));
    let image = open(bundle, BundleFile::IMAGE_GRAPH, expected)?;
    let text = open(
        bundle,
        BundleFile::TEXT_GRAPH,
        serde_json::to_string(&TextGraphConfig::new(&config.architecture)),
    )?;

    let unfold = Unfold { architecture: &config.architecture };
    let model = MedClip::new(&config.architecture, 0, Compute::cpu(), |_| true)?;
    let mut tensors = BTreeMap::new();
    for (name, like) in model.store().all() {
        let (file, graph) = if name.starts_with("vision_model.") {
            (BundleFile::IMAGE_GRAPH, &image)
        } else {
            (BundleFile::TEXT_GRAPH, &text)
        };
        let path = bundle.path(file);
        let tensor = if name == "logit_scale" {
            Tensor::new(config.logit_scale, &Device::Cpu)?
        } else {
            unfold.tensor(graph, &name, like.dims()).map_err(|error| TrainError::invalid(&path, error))?
        };
        if tensor.dims() != like.dims() {
            let reason = format!("{name} is {:?}, needs {:?}", tensor.dims(), like.dims());
            return Err(TrainError::invalid(path, reason));
        }
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// Writes that checkpoint into `directory`, whole or not at all; one that is there is replaced.
///
/// # Errors
/// As [`tensors`], and [`TrainError::Io`].
pub fn write_checkpoint(bundle: &Bundle, directory: &Path) -> Result<(), TrainError> {
    let tensors: HashMap<String, Tensor> = tensors(bundle)?.into_iter().collect();
    let staged = StagedDirectory::create(directory, &checkpoint::CHECKPOINT)?;
    let weights = staged.path().join(checkpoint::WEIGHTS);
    candle_core::safetensors::save(&tensors, &weights)?;
    staged.flush(checkpoint::WEIGHTS)?;
    for (from, to) in [(BundleFile::Model, checkpoint::MODEL), (BundleFile::Tokenizer, checkpoint::TOKENIZER)]
    {
        staged
            .write(to, &bundle.read(from).map_err(|error| TrainError::invalid(bundle.path(from), error))?)?;
    }
    Ok(staged.put_in_place()?)
}

/// A graph of the bundle, if it was written for this configuration.
fn open(
    bundle: &Bundle,
    file: BundleFile,
    config: Result<String, serde_json::Error>,
) -> Result<Graph, TrainError> {
    let path = bundle.path(file);
    let invalid = |reason: String| TrainError::invalid(&path, reason);
    let config = config.map_err(|error| invalid(error.to_string()))?;
    let graph = Graph::open(&path).map_err(|error| invalid(error.to_string()))?;
    bundle.confirm(file).map_err(|error| invalid(error.to_string()))?;
    match graph.config() {
        Some(found) if found == config => Ok(graph),
        Some(_) => Err(invalid("was written for another configuration than model.toml has".to_owned())),
        None => Err(invalid("was not written by medclip".to_owned())),
    }
}

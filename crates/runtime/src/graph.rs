//! What a bundle's graphs must look like, and what they say of themselves.

mod info;

use medclip_core::ModelConfig;
use medclip_core::graph::{
    CONFIG_KEY, IMAGE_EMBEDDINGS, IMAGE_MAP, ImageGraphConfig, MASK, PIXELS, TEXT_EMBEDDINGS, TOKENS,
    TextGraphConfig,
};
use serde::Serialize;
use serde_json::Value;
use thiserror::Error;

pub use info::{Dimension, GraphInfo, Port};

/// What an encoder relies on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct GraphContract {
    pub(crate) inputs: Vec<Port>,
    pub(crate) output: Port,
    pub(crate) map: MapUse,
    /// What decides the function of the graph, apart from its weights.
    pub(crate) config: Value,
}

/// What an encoder does with a second output, `image_map` `[batch, rows, columns, dim]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MapUse {
    /// The graph has none.
    Absent,
    /// The graph may have one. Nothing of it is computed.
    Ignored,
    /// It is computed too.
    Computed,
}

impl GraphContract {
    /// `image.onnx`: `pixel_values` `[batch, channels, side, side]` to `image_embeds` `[batch, dim]`.
    pub(crate) fn image(config: &ModelConfig) -> Self {
        let side = Dimension::Fixed(config.preprocess.image_size);
        let channels = Dimension::Fixed(config.preprocess.channels);
        Self {
            inputs: vec![port(PIXELS, "float", vec![free("batch"), channels, side.clone(), side])],
            output: embeddings(IMAGE_EMBEDDINGS, config),
            map: MapUse::Ignored,
            config: as_read(&ImageGraphConfig::new(&config.architecture, &config.preprocess)),
        }
    }

    /// `text.onnx`: `input_ids` and `attention_mask` `[batch, sequence]` to `text_embeds` `[batch, dim]`.
    pub(crate) fn text(config: &ModelConfig) -> Self {
        let tokens = |name| port(name, "int64", vec![free("batch"), free("sequence")]);
        Self {
            inputs: vec![tokens(TOKENS), tokens(MASK)],
            output: embeddings(TEXT_EMBEDDINGS, config),
            map: MapUse::Absent,
            config: as_read(&TextGraphConfig::new(&config.architecture)),
        }
    }

    /// The same with the map computed.
    pub(crate) fn with_map(self) -> Self {
        Self { map: MapUse::Computed, ..self }
    }

    /// Names of the outputs that an engine computes, the embeddings first.
    #[cfg_attr(
        not(any(feature = "tract", feature = "rten", feature = "ort")),
        allow(dead_code, reason = "no engine reads it")
    )]
    pub(crate) fn computed(&self) -> Vec<&str> {
        let map = (self.map == MapUse::Computed).then_some(IMAGE_MAP);
        std::iter::once(self.output.name.as_str()).chain(map).collect()
    }

    /// The same with rows of another width.
    pub(crate) fn of_width(mut self, width: usize) -> Self {
        if let Some(last) = self.output.shape.last_mut() {
            *last = Dimension::Fixed(width);
        }
        self
    }

    /// Fails unless `graph` has exactly these inputs and outputs, free axes free, and says that it was written for this
    /// configuration.
    pub(crate) fn verify(&self, graph: &GraphInfo) -> Result<(), ContractError> {
        let (outputs, map) = match graph.outputs.as_slice() {
            [embeddings, map] if self.map != MapUse::Absent && self.is_map(map) => {
                (std::slice::from_ref(embeddings), Some(map))
            }
            outputs => (outputs, None),
        };
        for (expected, actual) in
            [(self.inputs.as_slice(), graph.inputs.as_slice()), (std::slice::from_ref(&self.output), outputs)]
        {
            let agrees = expected.len() == actual.len()
                && expected.iter().zip(actual).all(|(expected, actual)| expected.admits(actual));
            if !agrees {
                return Err(ContractError::Ports { expected: list(expected), actual: list(actual) });
            }
        }
        if self.map == MapUse::Computed && map.is_none() {
            return Err(ContractError::NoMap);
        }
        let config = graph.metadata.get(CONFIG_KEY).ok_or(ContractError::NoConfig)?;
        let config: Value = serde_json::from_str(config).map_err(|_| ContractError::NoConfig)?;
        if config == self.config { Ok(()) } else { Err(ContractError::Config) }
    }

    /// Rows of the map, and their entries, are as wide as the embeddings; how many locations there are the tower decides.
    fn is_map(&self, port: &Port) -> bool {
        let widths = (port.shape.as_slice(), self.output.shape.as_slice());
        let ([Dimension::Free(_), Dimension::Fixed(_), Dimension::Fixed(_), width], [_, dim]) = widths else {
            return false;
        };
        port.name == IMAGE_MAP && port.element == self.output.element && width == dim
    }
}

impl Port {
    fn admits(&self, actual: &Self) -> bool {
        self.name == actual.name
            && self.element == actual.element
            && self.shape.len() == actual.shape.len()
            && self.shape.iter().zip(&actual.shape).all(|pair| match pair {
                (Dimension::Fixed(expected), Dimension::Fixed(actual)) => expected == actual,
                (Dimension::Free(_), Dimension::Free(_)) => true,
                _ => false,
            })
    }
}

/// What sets a graph apart from the one the bundle's configuration calls for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ContractError {
    /// Other inputs or outputs.
    #[error("it has {actual} where the model's configuration calls for {expected}")]
    Ports {
        /// Those called for.
        expected: String,
        /// Those found.
        actual: String,
    },
    /// No map among its outputs.
    #[error(
        "it has no maps (output {IMAGE_MAP}), as earlier versions wrote it; make the bundle again from its weights"
    )]
    NoMap,
    /// No statement of what it was written for.
    #[error("it does not say what it was written for (property {CONFIG_KEY})")]
    NoConfig,
    /// Written for another architecture, pooling or preprocessing of the same sizes.
    #[error("it was written for another configuration than the model's (property {CONFIG_KEY})")]
    Config,
}

fn port(name: &str, element: &str, shape: Vec<Dimension>) -> Port {
    Port { name: name.to_owned(), element: element.to_owned(), shape }
}

fn embeddings(name: &str, config: &ModelConfig) -> Port {
    port(name, "float", vec![free("batch"), Dimension::Fixed(config.architecture.embedding_dim)])
}

/// `value` as reading its text gives it: a single-precision number is then the decimal that was written, not its
/// double-precision neighbor.
fn as_read(value: &impl Serialize) -> Value {
    serde_json::to_string(value).and_then(|text| serde_json::from_str(&text)).unwrap_or_default()
}

fn free(name: &str) -> Dimension {
    Dimension::Free(name.to_owned())
}

fn list(ports: &[Port]) -> String {
    let ports: Vec<_> = ports.iter().map(|port| format!("`{port}`")).collect();
    if ports.is_empty() { "nothing".to_owned() } else { ports.join(" and ") }
}

//! The checkpoint's tensor of a name out of the graph, in the layout of the checkpoint.

use candle_core::{D, DType, Device, Result, Tensor, bail};
use medclip_core::architecture::swin::relative_positions;
use medclip_core::architecture::{Architecture, ImageTower, TextTower};

use super::graph::Graph;

/// States that the text tower averages; the exporter divides the projection by their number.
const POOLED_STATES: f64 = 3.0;

/// What the exporter folded is known from the architecture.
pub(super) struct Unfold<'a> {
    pub(super) architecture: &'a Architecture,
}

impl Unfold<'_> {
    /// The tensor called `name`, which is to have these sizes.
    pub(super) fn tensor(&self, graph: &Graph, name: &str, sizes: &[usize]) -> Result<Tensor> {
        let Some((layer, part)) = name.rsplit_once('.') else { bail!("{name} belongs to no layer") };
        if layer.ends_with("token_type_embeddings") {
            return Tensor::zeros(sizes, DType::F32, &Device::Cpu);
        }
        if part == "relative_position_bias_table" {
            return position_table(graph, layer, sizes);
        }
        if let Some(conv) = normalized_convolution(layer) {
            return self.identity_norm(graph, &conv, part, sizes);
        }
        let tensor = match (layer.rsplit_once('.'), is_text(layer)) {
            (Some((parent, third @ ("query" | "key" | "value"))), true) => {
                third_of(graph, parent, third, part)?
            }
            _ => stored(graph, layer, part)?,
        };
        match self.factor(layer, part) {
            Some(factor) => scaled(&tensor, factor),
            None => Ok(tensor),
        }
    }

    /// What the exporter divided a layer by.
    fn factor(&self, layer: &str, part: &str) -> Option<f64> {
        let TextTower::Bert(text) = &self.architecture.text;
        if layer.ends_with(".self.query") {
            let head_width = match &self.architecture.image {
                _ if is_text(layer) => text.hidden_size / text.num_attention_heads.max(1),
                ImageTower::Swin(config) => {
                    let stage = layer.split('.').skip_while(|part| *part != "layers").nth(1)?;
                    let stage: usize = stage.parse().ok()?;
                    config.width(stage) / config.num_heads.get(stage)?.max(&1)
                }
                ImageTower::EfficientnetLite(_) | ImageTower::Resnet(_) => return None,
            };
            return Some((head_width as f64).sqrt());
        }
        (layer == "text_model.projection_head" && part == "weight").then_some(POOLED_STATES)
    }

    /// A batch normalization that does what the convolution has taken over from it: nothing but the bias.
    fn identity_norm(&self, graph: &Graph, conv: &str, part: &str, sizes: &[usize]) -> Result<Tensor> {
        let eps = match &self.architecture.image {
            ImageTower::EfficientnetLite(config) => config.batch_norm_eps,
            ImageTower::Resnet(config) => config.batch_norm_eps,
            ImageTower::Swin(_) => bail!("a Swin transformer has no batch normalisation {conv}"),
        };
        match part {
            "weight" => Tensor::ones(sizes, DType::F32, &Device::Cpu),
            "bias" => graph.input(conv, 2),
            "running_mean" => Tensor::zeros(sizes, DType::F32, &Device::Cpu),
            // So that √(variance + ε) is 1 to far less than half a bit, and exporting again gives the same bits.
            "running_var" => Tensor::full((1.0 - eps) as f32, sizes, &Device::Cpu),
            other => bail!("{other} is no part of a batch normalisation"),
        }
    }
}

fn is_text(layer: &str) -> bool {
    layer.starts_with("text_model.")
}

/// The convolution before the batch normalization called `layer`; none where it is no batch normalization.
fn normalized_convolution(layer: &str) -> Option<String> {
    let (parent, name) = layer.rsplit_once('.')?;
    match name {
        "bn" => Some(format!("{parent}.conv")),
        "1" if parent.ends_with(".downsample") => Some(format!("{parent}.0")),
        _ => {
            let number = name.strip_prefix("bn").filter(|number| number.parse::<usize>().is_ok())?;
            Some(format!("{parent}.conv{number}"))
        }
    }
}

/// Weight or bias as the node called `layer` takes it.
fn stored(graph: &Graph, layer: &str, part: &str) -> Result<Tensor> {
    match (graph.operator(layer), part) {
        (Some("Conv" | "LayerNormalization"), "bias") => graph.input(layer, 2),
        // A dense layer: a product with the transposed weight, and a sum where there is a bias.
        (Some("Add"), "weight") => graph.input(&format!("{layer}.matmul"), 1)?.t()?.contiguous(),
        (Some("MatMul"), "weight") => graph.input(layer, 1)?.t()?.contiguous(),
        (Some("Conv" | "LayerNormalization"), "weight") | (Some("Add"), "bias") => graph.input(layer, 1),
        // Tables, looked up or cut.
        (Some("Gather" | "Slice"), "weight") => graph.input(layer, 0),
        (Some("Cast"), "weight") => graph.input(&format!("{layer}.half"), 0),
        _ => bail!("the graph has no layer {layer} with a {part}"),
    }
}

/// Query, key or value of a layer that the exporter stacked.
fn third_of(graph: &Graph, attention: &str, third: &str, part: &str) -> Result<Tensor> {
    let stacked = stored(graph, &format!("{attention}.qkv"), part)?;
    let width = stacked.dim(0)? / 3;
    let index = ["query", "key", "value"].iter().position(|name| *name == third).unwrap_or(0);
    stacked.narrow(0, index * width, width)?.contiguous()
}

/// The product in double precision, rounded once.
fn scaled(tensor: &Tensor, factor: f64) -> Result<Tensor> {
    (tensor.to_dtype(DType::F64)? * factor)?.to_dtype(DType::F32)
}

/// The table behind the bias of every pair of a window's tokens. Rows of distances that a window smaller than the
/// architecture's never looks up are zero.
fn position_table(graph: &Graph, attention: &str, sizes: &[usize]) -> Result<Tensor> {
    let &[rows, heads] = sizes else { bail!("a table of positions has two axes, not {}", sizes.len()) };
    let biased = format!("{attention}.biased");
    let unmasked = format!("{biased}.unmasked");
    let sum = if graph.operator(&unmasked).is_some() { &unmasked } else { &biased };
    let bias = graph.input(sum, 1)?;
    let (found, tokens, _) = bias.dims3()?;
    let pairs = relative_positions(tokens.isqrt());
    if found != heads || pairs.len() != tokens * tokens || pairs.iter().any(|&row| row >= rows) {
        bail!("{sum} adds {:?}, which is no bias of windows for a table of {sizes:?}", bias.dims());
    }
    let values = bias.flatten(D::Minus2, D::Minus1)?.to_vec2::<f32>()?;
    let mut table = vec![0.0_f32; rows * heads];
    for (head, values) in values.iter().enumerate() {
        for (&row, &value) in pairs.iter().zip(values) {
            table[row * heads + head] = value;
        }
    }
    Tensor::from_vec(table, sizes, &Device::Cpu)
}

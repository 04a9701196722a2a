//! Names of Swin transformers.

use super::{Renamed, dense, indexed};

/// Hugging Face's names without their prefix, those of transformers 4 and those since 5.23.
pub(crate) fn hugging_face(name: &str) -> Option<Renamed> {
    let Some((stage, rest)) = name.strip_prefix("encoder.layers.").and_then(indexed) else {
        let (stem, _) = dense(name)?;
        let known =
            matches!(stem, "embeddings.patch_embeddings.projection" | "embeddings.norm" | "layernorm");
        return known.then(|| Renamed::To(name.to_owned()));
    };
    if let Some(part) = rest.strip_prefix("downsample.") {
        return downsample(stage, part);
    }
    let (block, part) = rest.strip_prefix("blocks.").and_then(indexed)?;
    let to = |part: &str| Some(Renamed::To(format!("encoder.layers.{stage}.blocks.{block}.{part}")));
    if let Some("" | "self." | "relative_position_bias.") =
        part.strip_prefix("attention.").and_then(|part| part.strip_suffix("relative_position_bias_table"))
    {
        return to("attention.self.relative_position_bias_table");
    }
    let (stem, leaf) = dense(part)?;
    let stem = match stem {
        "layernorm_before"
        | "layernorm_after"
        | "attention.self.query"
        | "attention.self.key"
        | "attention.self.value"
        | "attention.output.dense"
        | "intermediate.dense"
        | "output.dense" => stem,
        "attention.q_proj" => "attention.self.query",
        "attention.k_proj" => "attention.self.key",
        "attention.v_proj" => "attention.self.value",
        "attention.o_proj" => "attention.output.dense",
        "mlp.fc1" => "intermediate.dense",
        "mlp.fc2" => "output.dense",
        _ => return None,
    };
    to(&format!("{stem}.{leaf}"))
}

/// timm's names. `at_start`: patches are merged at the start of a stage, as since timm 0.9, not at the end of the one
/// before; the order of the merged channels is the same.
pub(crate) fn timm(name: &str, at_start: bool) -> Option<Renamed> {
    let Some((stage, rest)) = name.strip_prefix("layers.").and_then(indexed) else {
        let (stem, leaf) = dense(name)?;
        let stem = match stem {
            "patch_embed.proj" => "embeddings.patch_embeddings.projection",
            "patch_embed.norm" => "embeddings.norm",
            "norm" => "layernorm",
            _ => return None,
        };
        return Some(Renamed::To(format!("{stem}.{leaf}")));
    };
    if let Some(part) = rest.strip_prefix("downsample.") {
        return downsample(stage.checked_sub(usize::from(at_start))?, part);
    }
    let (block, part) = rest.strip_prefix("blocks.").and_then(indexed)?;
    let block = format!("encoder.layers.{stage}.blocks.{block}");
    if part == "attn.relative_position_bias_table" {
        return Some(Renamed::To(format!("{block}.attention.self.relative_position_bias_table")));
    }
    let (stem, leaf) = dense(part)?;
    let stem = match stem {
        "attn.qkv" => {
            let part = |part| format!("{block}.attention.self.{part}.{leaf}");
            return Some(Renamed::Thirds(["query", "key", "value"].map(part)));
        }
        "norm1" => "layernorm_before",
        "norm2" => "layernorm_after",
        "attn.proj" => "attention.output.dense",
        "mlp.fc1" => "intermediate.dense",
        "mlp.fc2" => "output.dense",
        _ => return None,
    };
    Some(Renamed::To(format!("{block}.{stem}.{leaf}")))
}

fn downsample(stage: usize, part: &str) -> Option<Renamed> {
    let known = matches!(part, "norm.weight" | "norm.bias" | "reduction.weight");
    known.then(|| Renamed::To(format!("encoder.layers.{stage}.downsample.{part}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_sets_of_names_meet() {
        let to = |name: &str| Some(Renamed::To(format!("encoder.layers.1.{name}")));
        let hugging_face = |name: &str| hugging_face(&format!("encoder.layers.1.{name}"));
        let query = to("blocks.0.attention.self.query.weight");
        assert_eq!(hugging_face("blocks.0.attention.q_proj.weight"), query);
        assert_eq!(hugging_face("blocks.0.attention.self.query.weight"), query);
        let table = to("blocks.0.attention.self.relative_position_bias_table");
        for part in ["self.", "relative_position_bias."] {
            assert_eq!(
                hugging_face(&format!("blocks.0.attention.{part}relative_position_bias_table")),
                table
            );
        }
        assert_eq!(timm("layers.1.blocks.0.attn.relative_position_bias_table", true), table);
        assert_eq!(timm("layers.1.blocks.0.mlp.fc2.bias", true), to("blocks.0.output.dense.bias"));
        let Some(Renamed::Thirds([first, ..])) = timm("layers.1.blocks.0.attn.qkv.weight", true) else {
            panic!("queries, keys and values are fused");
        };
        assert_eq!(Some(Renamed::To(first)), query);
    }

    #[test]
    fn merging_belongs_to_the_stage_before() {
        let to = Some(Renamed::To("encoder.layers.1.downsample.reduction.weight".to_owned()));
        assert_eq!(timm("layers.2.downsample.reduction.weight", true), to);
        assert_eq!(timm("layers.1.downsample.reduction.weight", false), to);
        assert_eq!(timm("layers.0.downsample.reduction.weight", true), None);
    }

    #[test]
    fn other_names_are_unknown() {
        for name in
            ["encoder.layers.01.downsample.norm.bias", "encoder.layers..x", "layernorm", "norm.weight", ""]
        {
            assert_eq!(hugging_face(name), None, "{name}");
        }
        assert_eq!(timm("layers.0.blocks.0.attn.q_norm.weight", true), None);
    }
}

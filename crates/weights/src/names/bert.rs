//! Names of BERT.

use super::{Renamed, indexed};

/// Hugging Face's names without their prefix; normalizations also by TensorFlow's `gamma` and `beta`.
pub(crate) fn hugging_face(name: &str) -> Option<Renamed> {
    if name.starts_with("pooler.") {
        return Some(Renamed::LeftBehind);
    }
    let (stem, leaf) = name.rsplit_once('.')?;
    let leaf = match leaf {
        "gamma" if stem.ends_with("LayerNorm") => "weight",
        "beta" if stem.ends_with("LayerNorm") => "bias",
        "weight" | "bias" => leaf,
        _ => return None,
    };
    let known = match stem.strip_prefix("encoder.layer.").and_then(indexed) {
        Some((_, part)) => matches!(
            part,
            "attention.self.query"
                | "attention.self.key"
                | "attention.self.value"
                | "attention.output.dense"
                | "attention.output.LayerNorm"
                | "intermediate.dense"
                | "output.dense"
                | "output.LayerNorm"
        ),
        None => match stem {
            "embeddings.LayerNorm" => true,
            "embeddings.word_embeddings"
            | "embeddings.position_embeddings"
            | "embeddings.token_type_embeddings" => leaf == "weight",
            _ => false,
        },
    };
    known.then(|| Renamed::To(format!("{stem}.{leaf}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_names_of_normalizations_are_understood() {
        let to = |name: &str| Some(Renamed::To(name.to_owned()));
        assert_eq!(
            hugging_face("encoder.layer.3.output.LayerNorm.gamma"),
            to("encoder.layer.3.output.LayerNorm.weight")
        );
        assert_eq!(hugging_face("embeddings.LayerNorm.beta"), to("embeddings.LayerNorm.bias"));
        assert_eq!(hugging_face("pooler.dense.weight"), Some(Renamed::LeftBehind));
        for name in [
            "encoder.layer.3.output.dense.gamma",
            "embeddings.word_embeddings.bias",
            "encoder.layer.x.output.dense.bias",
        ] {
            assert_eq!(hugging_face(name), None, "{name}");
        }
    }
}

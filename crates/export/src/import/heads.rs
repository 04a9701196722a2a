//! Attention heads, which no tensor tells, out of the configuration beside the weights.

use std::path::{Path, PathBuf};

use medclip_files::{MAX_TEXT_BYTES, read_regular};
use serde_json::Value;

/// The file that Hugging Face writes beside weights.
const CONFIG: &str = "config.json";
/// Objects of it that describe a text tower, after the file itself.
const PLACES: [&str; 4] = ["", "/text_config", "/text", "/text_model"];

/// Heads that the `config.json` beside `weights` (or in it, where that is a directory) states for a BERT of this width and
/// depth, and the file. None where there is no such file, or it is of another tower.
pub fn stated_heads(weights: &Path, width: usize, depth: usize) -> Option<(usize, PathBuf)> {
    let path = if weights.is_dir() { weights.join(CONFIG) } else { weights.with_file_name(CONFIG) };
    let config: Value = serde_json::from_slice(&read_regular(&path, MAX_TEXT_BYTES).ok()?).ok()?;
    let heads = PLACES.iter().find_map(|place| {
        let tower = config.pointer(place)?;
        let number = |key: &str| tower.get(key)?.as_u64().and_then(|number| usize::try_from(number).ok());
        let is_of_tower = number("hidden_size") == Some(width)
            && number("num_hidden_layers").is_none_or(|layers| layers == depth);
        number("num_attention_heads").filter(|heads| is_of_tower && *heads > 0)
    })?;
    Some((heads, path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

    use super::*;

    #[test]
    fn configurations_of_this_tower_alone_count() {
        let directory = tempfile::TempDir::new().unwrap();
        let weights = directory.path().join("pytorch_model.bin");
        for (config, expected) in [
            (r#"{"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}"#, Some(12)),
            (r#"{"hidden_size": 384, "num_attention_heads": 6}"#, Some(6)),
            (
                r#"{"text_config": {"hidden_size": 384, "num_attention_heads": 12}, "hidden_size": 96}"#,
                Some(12),
            ),
            (r#"{"hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}"#, None),
            (r#"{"hidden_size": 384, "num_hidden_layers": 12, "num_attention_heads": 12}"#, None),
            (r#"{"hidden_size": 384, "num_attention_heads": 0}"#, None),
            (r#"{"embed_dim": 96, "num_heads": [3, 6, 12, 24]}"#, None),
            ("not JSON", None),
        ] {
            std::fs::write(directory.path().join(CONFIG), config).unwrap();
            let found = stated_heads(&weights, 384, 6).map(|(heads, _)| heads);
            assert_eq!(found, expected, "{config}");
        }
    }
}

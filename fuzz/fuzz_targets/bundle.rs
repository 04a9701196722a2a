//! Any bytes as a file of a bundle: the first byte says which.
#![no_main]

mod hook;

use libfuzzer_sys::fuzz_target;
use medclip_core::prompt::check_meaning;
use medclip_core::tokenize::from_vocabulary;
use medclip_core::{ModelConfig, PromptSet, Quantization, Tokenizer, TokenizerConfig};

const VOCABULARY: &str = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nthe\nheart\nis\nlarge\n##r\n.\n";

fuzz_target!(init: hook::allow_expected_panics(), |bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let settings = TokenizerConfig { lowercase: true, max_length: 77 };
    let text = String::from_utf8_lossy(bytes);
    match kind % 5 {
        0 => {
            if let Ok(config) = ModelConfig::parse(&text) {
                assert_eq!(ModelConfig::parse(&config.to_toml().unwrap()).unwrap(), config);
            }
        }
        1 => {
            let vocabulary = from_vocabulary(VOCABULARY, true).unwrap();
            let tokenizer = Tokenizer::from_bytes(&vocabulary, settings).unwrap();
            let _ = PromptSet::parse(&text).map(|set| check_meaning(&set.expand(), &tokenizer));
        }
        2 => {
            if let Ok(tokenizer) = Tokenizer::from_bytes(bytes, settings) {
                let _ = tokenizer.encode("The heart is larger é 心.");
                let _ = tokenizer.letter_case();
            }
        }
        3 => drop(Quantization::from_bytes(bytes)),
        _ => {
            if let Ok(file) = from_vocabulary(&text, false) {
                let _ = Tokenizer::from_bytes(&file, settings);
            }
        }
    }
});

//! A `vocab.txt` splits sentences as it does in Python, where `golden/vocabulary.py` ran.

#![allow(clippy::unwrap_used, reason = "a test whose setting is broken fails")]

use std::fs;
use std::path::Path;

use medclip_core::tokenize::{TokenizeError, Tokenizer, TokenizerConfig, from_vocabulary};

fn golden(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)).unwrap()
}

#[test]
fn sentences_become_the_same_ids() {
    let vocabulary = golden("vocab.txt");
    let tokenizer = |lowercase| {
        let file = from_vocabulary(&vocabulary, lowercase).unwrap();
        Tokenizer::from_bytes(&file, TokenizerConfig { lowercase, max_length: 512 }).unwrap()
    };
    let (cased, lowered) = (tokenizer(false), tokenizer(true));
    assert_eq!(cased.vocab_size(), vocabulary.lines().count());
    let cases = golden("vocabulary.tsv");
    assert_eq!(cases.lines().count(), 22);
    for line in cases.lines() {
        let mut fields = line.splitn(3, '\t');
        let mut next = || fields.next().unwrap();
        let tokenizer = if next() == "True" { &lowered } else { &cased };
        let expected: Vec<u32> = serde_json::from_str(next()).unwrap();
        let sentence: String = serde_json::from_str(next()).unwrap();
        assert_eq!(tokenizer.encode(&sentence).unwrap(), expected, "{line}");
    }
}

#[test]
fn vocabularies_of_other_models_are_refused() {
    let refuse = |text: &str| from_vocabulary(text, true).unwrap_err().to_string();
    assert_eq!(
        refuse("[PAD]\n[UNK]\nheart\n[CLS]\n[SEP]\nheart\n"),
        "line 6 of the vocabulary repeats `heart`"
    );
    assert_eq!(refuse("<s>\n</s>\nheart\n"), "the vocabulary has no [PAD]");
    assert!(matches!(from_vocabulary("", false), Err(TokenizeError::MissingToken(_))));
    let windows = golden("vocab.txt").replace('\n', "\r\n");
    assert_eq!(
        from_vocabulary(&windows, true).unwrap(),
        from_vocabulary(&golden("vocab.txt"), true).unwrap()
    );
}

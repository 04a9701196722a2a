//! What sentences cost until they are tokens, with the tokenizer and the prompts of the shipped model.
//!
//! ```sh
//! cargo bench -p medclip-core --bench tokenizer
//! ```
//!
//! `prompts_of_tokenizers` is the crate underneath without what is ours around it: the difference is our own cost.

#![allow(clippy::unwrap_used, reason = "a bench whose setting is broken fails")]

use std::fs;

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use medclip_core::prompt::sentences;
use medclip_core::{Bundle, BundleFile, Tokenizer};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/medclip-edge");

fn main() {
    divan::main();
}

/// From the contents of the file to a tokenizer.
#[divan::bench(sample_count = 20)]
fn parse(bencher: Bencher) {
    let bundle = Bundle::open(MODEL).unwrap();
    let bytes = fs::read(bundle.path(BundleFile::Tokenizer)).unwrap();
    let config = &bundle.config().tokenizer;
    bencher
        .counter(BytesCount::of_slice(&bytes))
        .bench(|| Tokenizer::from_bytes(black_box(&bytes), config.clone()).unwrap());
}

/// One sentence of a report.
#[divan::bench]
fn sentence(bencher: Bencher) {
    one(bencher, "There is a small left pleural effusion with adjacent atelectasis.");
}

/// A text many times as long as the model takes: all of it is tokenized, then cut.
#[divan::bench]
fn long_text(bencher: Bencher) {
    one(bencher, &prompts().join(" "));
}

fn one(bencher: Bencher, text: &str) {
    let tokenizer = tokenizer();
    bencher
        .counter(ItemsCount::new(1_usize))
        .counter(BytesCount::of_str(text))
        .bench(|| tokenizer.encode(black_box(text)));
}

/// Every prompt as one batch, padded to the longest.
#[divan::bench]
fn prompts_as_a_batch(bencher: Bencher) {
    let (tokenizer, prompts) = (tokenizer(), prompts());
    bencher
        .counter(ItemsCount::new(prompts.len()))
        .counter(BytesCount::new(bytes(&prompts)))
        .bench(|| tokenizer.batch(black_box(&prompts)));
}

/// The same prompts through the file as the tokenizers crate takes it, padding aside.
#[divan::bench]
fn prompts_of_tokenizers(bencher: Bencher) {
    let path = Bundle::open(MODEL).unwrap().path(BundleFile::Tokenizer);
    let mut inner = tokenizers::Tokenizer::from_file(path).unwrap();
    inner.with_padding(None);
    let (ours, prompts) = (tokenizer(), prompts());
    for prompt in &prompts {
        assert_eq!(inner.encode_fast(prompt.as_str(), true).unwrap().get_ids(), ours.encode(prompt).unwrap());
    }
    bencher.counter(ItemsCount::new(prompts.len())).counter(BytesCount::new(bytes(&prompts))).bench(|| {
        let encode = |prompt: &String| inner.encode_fast(prompt.as_str(), true).unwrap();
        black_box(&prompts).iter().map(encode).collect::<Vec<_>>()
    });
}

fn tokenizer() -> Tokenizer {
    Bundle::open(MODEL).unwrap().tokenizer().unwrap()
}

fn prompts() -> Vec<String> {
    let classes = Bundle::open(MODEL).unwrap().prompts().expand();
    sentences(&classes).into_iter().map(str::to_owned).collect()
}

fn bytes(sentences: &[String]) -> usize {
    sentences.iter().map(String::len).sum()
}

//! What scores cost once an image is an embedding, with the prompt bank and the learned checks of the shipped model.
//!
//! ```sh
//! cargo bench -p medclip-core --bench scoring
//! ```
//!
//! Items are images.

#![allow(clippy::unwrap_used, reason = "a bench whose setting is broken fails")]

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use medclip_core::{Bundle, PromptPooling};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/medclip-edge");
const POOLINGS: [PromptPooling; 2] = [PromptPooling::Mean, PromptPooling::Max];

fn main() {
    divan::main();
}

/// Cosines with every prompt, pooled into a score of every class.
#[divan::bench(args = POOLINGS)]
fn prompt_bank(bencher: Bencher, pooling: PromptPooling) {
    let bundle = bundle();
    let (bank, scale) = (bundle.bank(), bundle.logit_scale());
    let image = bundle.golden().image_embeddings().row(0);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| bank.scores(black_box(image), scale, pooling));
}

/// The choice of one class among all.
#[divan::bench(args = POOLINGS)]
fn positive_prompts(bencher: Bencher, pooling: PromptPooling) {
    let bundle = bundle();
    let (bank, scale) = (bundle.bank(), bundle.logit_scale());
    let image = bundle.golden().image_embeddings().row(0);
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| bank.positive_logits(black_box(image), scale, pooling));
}

/// Linear classifiers in place of prompts: the learned intake checks.
#[divan::bench]
fn linear_head(bencher: Bencher) {
    let bundle = bundle();
    let head = bundle.intake().unwrap();
    let image = bundle.golden().image_embeddings().row(0);
    bencher.counter(ItemsCount::new(1_usize)).bench(|| head.scores(black_box(image)));
}

fn bundle() -> Bundle {
    Bundle::open(MODEL).unwrap()
}

//! Every objective, and prompt tuning, against finite differences.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

#[path = "../../nn/tests/support/differences.rs"]
mod differences;

use std::path::Path;

use medclip_core::Finding;
use medclip_train::checkpoint::StoredModel;
use medclip_train::tuning::{ClassTexts, ContextConfig, ContextPrompts, masked_cross_entropy};
use medclip_train::{LabelSimilarity, Objective};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use differences::{check, random};

#[test]
fn objectives() {
    let mut rng = ChaCha8Rng::seed_from_u64(16);
    let mut labels = |n| {
        (0..n).map(|_| [(); Finding::COUNT].map(|()| rng.random_range(-1..=1) as f32)).collect::<Vec<_>>()
    };
    let (images, texts) = (labels(4), labels(4));
    let semantic =
        |similarity, label_temperature| Objective::SemanticMatching { similarity, label_temperature };
    for objective in [
        semantic(LabelSimilarity::Cosine, 1.0),
        semantic(LabelSimilarity::Dot, 0.2),
        Objective::InfoNce,
        Objective::HardMatching { similarity: LabelSimilarity::Cosine },
        Objective::MultiPositiveNce,
        Objective::Sigmoid,
        Objective::Contradiction { repulsion: 0.3 },
    ] {
        check("loss", &[random(&[4, 4], 17)], |_, t| objective.loss(&t[0], &images, &texts));
    }
}

#[test]
fn masked_cross_entropy_over_what_is_known() {
    let labels: [&[Option<bool>]; 2] = [&[Some(true), None, Some(false)], &[Some(false), Some(true), None]];
    check("masked", &[random(&[2, 3], 25)], |_, t| masked_cross_entropy(&t[0], &labels));
}

#[test]
fn context_vectors_through_the_frozen_text_tower() {
    let checkpoint = Path::new(env!("CARGO_MANIFEST_DIR")).join("../export/tests/golden/checkpoint");
    let start = StoredModel::open(checkpoint).unwrap();
    let (model, tokenizer) = (start.model(|_| true).unwrap(), start.tokenizer().unwrap());
    // Prompts of different lengths, so that some are padded.
    let texts = ClassTexts::of(&[Finding::PleuralEffusion, Finding::Edema], None);
    let config = ContextConfig { vectors: 3, ..ContextConfig::default() };
    let prompts = ContextPrompts::new(&model, &tokenizer, &texts, &config).unwrap();
    for sets in [1, 2] {
        check("context", &[random(&[sets, 3, 24], 26)], |_, t| prompts.directions(&model, &t[0]));
    }
}

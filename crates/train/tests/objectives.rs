//! Every objective beside PyTorch and the reference's own loss: `golden/objectives.py`.

#![allow(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::path::Path;

use candle_core::{DType, Device, Tensor, Var};
use medclip_core::{Architecture, BertConfig, Finding, ImageTower, ResNetConfig, TextTower};
use medclip_nn::{Compute, MedClip};
use medclip_train::{LabelSimilarity, Objective};

/// Largest |Δ| of the loss in nats, and of an entry of a gradient; both are of order one.
const TOLERANCE: f32 = 1e-5;

/// A model for its temperature, the towers as small as they go.
fn model(logit_scale: &Tensor) -> MedClip {
    let image = ImageTower::Resnet(ResNetConfig { width: 1, blocks: vec![1], ..ResNetConfig::resnet50(1) });
    let text = BertConfig { vocab_size: 1, hidden_size: 12, intermediate_size: 1, ..BertConfig::minilm_l6() };
    let architecture = Architecture { embedding_dim: 16, image, text: TextTower::Bert(text) };
    let model = MedClip::new(&architecture, 0, Compute::cpu(), |_| false).unwrap();
    model.store().load(&[("logit_scale".to_owned(), logit_scale.clone())].into()).unwrap();
    model
}

fn labels(tensor: &Tensor) -> Vec<[f32; Finding::COUNT]> {
    let rows = tensor.to_vec2::<f32>().unwrap();
    rows.into_iter().map(|row| row.try_into().unwrap()).collect()
}

fn assert_close(actual: &Tensor, expected: &Tensor, case: &str) {
    assert_eq!(actual.dims(), expected.dims(), "{case}");
    let difference = (actual - expected).unwrap().abs().unwrap().flatten_all().unwrap();
    let difference = difference.to_vec1::<f32>().unwrap().into_iter().fold(0.0, f32::max);
    assert!(difference <= TOLERANCE, "{case}: |Δ| {difference:e}");
}

#[test]
fn values_and_gradients_are_those_of_torch_and_of_the_reference() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/objectives.safetensors");
    let golden = candle_core::safetensors::load(path, &Device::Cpu).unwrap();
    let semantic =
        |similarity, label_temperature| Objective::SemanticMatching { similarity, label_temperature };
    let hard = |similarity| Objective::HardMatching { similarity };
    let (cosine, dot) = (LabelSimilarity::Cosine, LabelSimilarity::Dot);
    let objectives = [
        ("reference", semantic(dot, 1.0)),
        ("paper", semantic(cosine, 1.0)),
        ("temperature", semantic(cosine, 0.1)),
        ("hard_cosine", hard(cosine)),
        ("hard_dot", hard(dot)),
        ("info_nce", Objective::InfoNce),
        ("multi_positive", Objective::MultiPositiveNce),
        ("sigmoid", Objective::Sigmoid),
        ("contradiction", Objective::Contradiction { repulsion: 0.5 }),
        ("attraction", Objective::Contradiction { repulsion: 0.0 }),
    ];
    for shape in ["square", "wide"] {
        let get = |name: &str| golden.get(&format!("{shape}.{name}")).unwrap_or_else(|| panic!("no {name}"));
        let (image_labels, text_labels) = (labels(get("image_labels")), labels(get("text_labels")));
        let images = Var::from_tensor(get("image_embeds")).unwrap();
        let texts = Var::from_tensor(get("text_embeds")).unwrap();
        let model = model(get("logit_scale"));
        let logits = model.logits(&images, &texts).unwrap();
        for (name, objective) in objectives {
            let loss = objective.loss(&logits, &image_labels, &text_labels);
            if shape == "wide" && objective == Objective::InfoNce {
                assert!(loss.unwrap_err().to_string().contains("InfoNCE pairs 5 images with 8 texts"));
                continue;
            }
            let loss = loss.unwrap();
            assert_close(&loss, get(&format!("{name}.loss")), &format!("{shape} {name}"));
            let gradients = loss.backward().unwrap();
            let scale = &model.store().parameters()["logit_scale"];
            for (part, var) in [("image_embeds", &images), ("text_embeds", &texts), ("logit_scale", scale)] {
                let case = format!("{name}.gradient.{part}");
                assert_close(gradients.get(var).unwrap(), get(&case), &format!("{shape} {case}"));
            }
        }
    }
}

/// What `objective` does to the cosine of an image that shows effusion alone with a sentence of these labels: minus its gradient.
fn push(objective: Objective, effusion: f32, pneumothorax: f32) -> f32 {
    let vector = |effusion, pneumothorax| {
        let mut labels = [0.0; Finding::COUNT];
        labels[Finding::PleuralEffusion.index()] = effusion;
        labels[Finding::Pneumothorax.index()] = pneumothorax;
        labels
    };
    let images = [vector(1.0, -1.0), vector(-1.0, -1.0), vector(-1.0, 1.0)];
    let texts = [vector(effusion, pneumothorax), vector(0.0, 1.0), vector(1.0, 0.0)];
    let logits = Var::zeros((3, 3), DType::F32, &Device::Cpu).unwrap();
    let gradients = objective.loss(&logits, &images, &texts).unwrap().backward().unwrap();
    -gradients.get(&logits).unwrap().to_vec2::<f32>().unwrap()[0][0]
}

#[test]
fn a_contradiction_repels_a_denial_that_holds_attracts_and_silence_does_nothing() {
    let objective = Objective::Contradiction { repulsion: 0.5 };
    assert!(push(objective, -1.0, 0.0) < -0.1, "no effusion");
    assert!(push(objective, 0.0, -1.0) > 0.0, "no pneumothorax");
    assert!(push(objective, 1.0, 0.0) > 0.1, "effusion");
    assert_eq!(push(objective, 0.0, 0.0), 0.0, "a sentence about something else");
    assert_eq!(push(objective, -1.0, -1.0), 0.0, "one half holds, the other does not");
    // Attraction alone hardly notices what a denial gets wrong.
    let attraction = push(Objective::Contradiction { repulsion: 0.0 }, -1.0, 0.0);
    assert!(attraction < 0.0 && attraction > push(objective, -1.0, 0.0), "{attraction}");
}

#[test]
fn a_batch_in_which_nothing_matches_has_a_finite_loss() {
    let (images, texts) = ([[-1.0; Finding::COUNT]; 2], [[1.0; Finding::COUNT]; 3]);
    let logits = Var::from_vec(vec![80.0_f32, -80.0, 3.0, 0.0, 1.0, 99.0], (2, 3), &Device::Cpu).unwrap();
    for objective in
        [Objective::MultiPositiveNce, Objective::Sigmoid, Objective::Contradiction { repulsion: 0.5 }]
    {
        for (images, texts) in [(images, texts), ([[0.0; Finding::COUNT]; 2], texts)] {
            let loss = objective.loss(&logits, &images, &texts).unwrap();
            assert!(loss.to_scalar::<f32>().unwrap().is_finite(), "{objective:?}");
            let gradients = loss.backward().unwrap();
            let gradient = gradients.get(&logits).map(|g| g.flatten_all().unwrap().to_vec1::<f32>().unwrap());
            assert!(gradient.into_iter().flatten().all(f32::is_finite), "{objective:?}");
        }
    }
}
